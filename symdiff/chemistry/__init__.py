"""Molecules as chemists write them: Kekule graphs, geometries, the perception of bonds, and one reader a format.

Nothing here knows a data set, a model or an evaluation: ``symdiff data import`` and ``symdiff evaluate`` read through
it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.face import face

if TYPE_CHECKING:
    from symdiff.chemistry.formats import recognize as recognize
    from symdiff.chemistry.geometry import Geometry as Geometry
    from symdiff.chemistry.kekule import Kekule as Kekule
    from symdiff.chemistry.kekule import to_kekule as to_kekule
    from symdiff.chemistry.matching import match as match
    from symdiff.chemistry.normal import normalize as normalize
    from symdiff.chemistry.parse import identify as identify
    from symdiff.chemistry.parse import sanitize as sanitize
    from symdiff.chemistry.perception import perceive as perceive
    from symdiff.chemistry.reading import read as read
    from symdiff.chemistry.reading import read_geometries as read_geometries
    from symdiff.chemistry.writing import write as write
    from symdiff.storage.records import Broken as Broken
    from symdiff.storage.records import Record as Record

__getattr__, __dir__ = face(__name__)
