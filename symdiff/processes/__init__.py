"""Processes: how structures are noised, and how noise becomes structures again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.face import face

if TYPE_CHECKING:
    from symdiff.processes.base import Process as Process
    from symdiff.processes.coarse_to_fine import CoarseToFine as CoarseToFine
    from symdiff.processes.discrete import Discrete as Discrete
    from symdiff.processes.flow import Flow as Flow
    from symdiff.processes.gaussian import Gaussian as Gaussian
    from symdiff.processes.heun import EDMHeun as EDMHeun
    from symdiff.processes.heun import FlowMatchHeunDiscrete as FlowMatchHeunDiscrete
    from symdiff.processes.marginal import Marginal as Marginal
    from symdiff.processes.masked import Masked as Masked
    from symdiff.processes.prediction import Prediction as Prediction
    from symdiff.processes.product import Product as Product
    from symdiff.processes.revealing import Revealing as Revealing
    from symdiff.processes.revealing import Sublattices as Sublattices
    from symdiff.processes.schedules import DDIM as DDIM
    from symdiff.processes.schedules import DPMSolverMultistep as DPMSolverMultistep
    from symdiff.processes.schedules import EDMEuler as EDMEuler
    from symdiff.processes.schedules import FlowMatchEulerDiscrete as FlowMatchEulerDiscrete
    from symdiff.processes.schedules import Schedule as Schedule

__getattr__, __dir__ = face(__name__)
