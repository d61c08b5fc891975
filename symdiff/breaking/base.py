"""A symmetry breaker: the input z that an equivariant network lacks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal

import torch
from diffusers.configuration_utils import ConfigMixin
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from symdiff.random import Generator
from symdiff.state import Schema, State

Anchor = Literal["data", "prior", "none"]


class SymmetryBreaker(ModelMixin, ConfigMixin, ABC):
    """Draws z once per trajectory from an equivariant distribution: z(g·x) is distributed as g·z(x).

    ``anchor`` says which structure z belongs to: the clean ``data`` (exact with every process), the trajectory's own
    ``prior`` sample (exact where steps transport it), or ``none`` (unrelated random identities).
    """

    anchor: Anchor

    def __init__(self) -> None:
        super().__init__()
        # a breaker without parameters has a device and a dtype, too: diffusers asks for them
        self.register_buffer("place", torch.empty(0), persistent=False)

    def __getattr__(self, name: str) -> Any:
        # diffusers would answer with the config's entry where a submodule has the name of the setting that describes it
        return nn.Module.__getattr__(self, name)

    @property
    @abstractmethod
    def schema(self) -> Schema:
        """The schema of z."""

    @abstractmethod
    def sample(self, x: State, generator: Generator | None = None) -> State:
        """Draw z given a structure: training, prediction, decoding.

        Parameters
        ----------
        x : State
            B structures.
        generator : Generator, optional
            The source of randomness: one stream a structure, or torch's.

        Returns
        -------
        State
            z, with the mask of x and the fields of ``schema``.
        """

    @abstractmethod
    def prior(self, mask: Tensor, generator: Generator | None = None) -> State:
        """Draw z from its marginal distribution: generation.

        Parameters
        ----------
        mask : Tensor, (B, N) bool
            Real nodes of the structures to generate.
        generator : Generator, optional
            The source of randomness: one stream a structure, or torch's.

        Returns
        -------
        State
            z, with this mask and the fields of ``schema``.
        """
