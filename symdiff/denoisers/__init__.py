"""Denoisers: networks that predict the clean structure from a noisy one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.face import face

if TYPE_CHECKING:
    from symdiff.denoisers.autoguided import Autoguided as Autoguided
    from symdiff.denoisers.base import Denoiser as Denoiser
    from symdiff.denoisers.equivariant_mlp import EquivariantMLP as EquivariantMLP
    from symdiff.denoisers.frame import InFrame as InFrame
    from symdiff.denoisers.gatv2 import GATv2 as GATv2
    from symdiff.denoisers.graph import GraphTransformer as GraphTransformer
    from symdiff.denoisers.lattice import LatticeConvolution as LatticeConvolution
    from symdiff.denoisers.nodes import NodeTransformer as NodeTransformer
    from symdiff.denoisers.orbit_mlp import OrbitMLP as OrbitMLP
    from symdiff.denoisers.points import PointConvolution as PointConvolution
    from symdiff.denoisers.scored import Scored as Scored
    from symdiff.denoisers.steerable import SteerableNetwork as SteerableNetwork
    from symdiff.denoisers.sublattices import SublatticeConvolution as SublatticeConvolution
    from symdiff.denoisers.vector import ResidualMLP as ResidualMLP

__getattr__, __dir__ = face(__name__)
