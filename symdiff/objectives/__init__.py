"""Objectives: what a training step minimizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.face import face

if TYPE_CHECKING:
    from symdiff.objectives.autoencoding import Autoencoding as Autoencoding
    from symdiff.objectives.base import Objective as Objective
    from symdiff.objectives.denoising import Denoising as Denoising
    from symdiff.objectives.log_variance import LogVariance as LogVariance

__getattr__, __dir__ = face(__name__)
