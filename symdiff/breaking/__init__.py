"""Symmetry breakers: what a network is given so that its answer may be less symmetric than its input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.face import face

if TYPE_CHECKING:
    from symdiff.breaking.base import SymmetryBreaker as SymmetryBreaker
    from symdiff.breaking.codes import Code as Code
    from symdiff.breaking.codes import NodeCode as NodeCode
    from symdiff.breaking.frame_code import FrameCode as FrameCode
    from symdiff.breaking.given import Given as Given
    from symdiff.breaking.graph_orbits import GraphOrbits as GraphOrbits
    from symdiff.breaking.laplacian import Laplacian as Laplacian
    from symdiff.breaking.noise import Noise as Noise
    from symdiff.breaking.nothing import Nothing as Nothing
    from symdiff.breaking.orbits import Orbits as Orbits
    from symdiff.breaking.site_code import SiteCode as SiteCode
    from symdiff.breaking.site_noise import SiteNoise as SiteNoise
    from symdiff.breaking.sympe import SymPE as SymPE

__getattr__, __dir__ = face(__name__)
