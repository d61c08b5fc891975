"""What a training step minimizes, abstractly."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor

from symdiff.random import Generator
from symdiff.state import State


class Objective(ABC):
    """A loss for every structure, of a model on clean structures.

    An objective has settings but no weights: those of ``model`` are trained. The constructor may name what the
    package knows and a recipe does not: ``log_density`` (the domain's, or None) and ``steps`` (evaluations a
    trajectory).
    """

    @abstractmethod
    def __call__(self, model: Any, x0: State, generator: Generator | None = None) -> Tensor:
        """Evaluate the loss.

        Parameters
        ----------
        model : nn.Module
            A ``Diffusion``, or what another objective trains.
        x0 : State
            Clean structures with their conditions, B rows.
        generator : Generator, optional
            The loss of a row depends on the row and on its own stream alone.

        Returns
        -------
        Tensor
            (B,).

        Raises
        ------
        ValueError
            Where ``model`` cannot be trained with this objective.
        """
