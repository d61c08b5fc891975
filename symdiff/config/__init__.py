"""What is written in files becomes checked objects: recipes in strict YAML, and the parts that they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.face import face

if TYPE_CHECKING:
    from symdiff.config.building import build as build
    from symdiff.config.building import check as check
    from symdiff.config.catalog import find as find
    from symdiff.config.catalog import names as names
    from symdiff.config.recipe import DataSettings as DataSettings
    from symdiff.config.recipe import Recipe as Recipe
    from symdiff.config.recipe import SamplingSettings as SamplingSettings
    from symdiff.config.training import TrainingSettings as TrainingSettings

__getattr__, __dir__ = face(__name__)
