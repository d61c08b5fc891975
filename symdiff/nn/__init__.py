"""Layers of networks, none of which knows of diffusion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.face import face

if TYPE_CHECKING:
    from symdiff.nn.precise import PreciseLinear as PreciseLinear
    from symdiff.nn.pyramid import Pyramid as Pyramid
    from symdiff.nn.transformer import Block as Block

__getattr__, __dir__ = face(__name__)
