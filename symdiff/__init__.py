"""Generative models that can break symmetry: equivariant distributions for graphs, molecules and lattices.

Importing this package imports nothing heavy; the nouns are loaded when they are first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.face import face

if TYPE_CHECKING:
    from symdiff.config.recipe import Recipe as Recipe
    from symdiff.diffusion import Diffusion as Diffusion
    from symdiff.errors import UserError as UserError
    from symdiff.pipeline import Pipeline as Pipeline
    from symdiff.pipeline import SymdiffPipeline as SymdiffPipeline
    from symdiff.pipeline import load as load
    from symdiff.random import Streams as Streams
    from symdiff.state import State as State

__version__ = "0.1.0"

__getattr__, __dir__ = face(__name__)
