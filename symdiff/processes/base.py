"""A process: how structures are noised and how noise is undone, field by field."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

import torch
from diffusers.configuration_utils import ConfigMixin
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from torch import Tensor

from symdiff.random import Generator, uniform
from symdiff.state import Field, Schema, State

Predict = Callable[[State, Tensor], State]
"""A denoiser with its z: x_t and t (B,) in, the prediction of x0 out."""

SINGLE = {"mps"}
"""The types of device that have no float64."""


def finest(device: torch.device) -> torch.dtype:
    """float64, or float32 where the device has nothing finer."""
    return torch.float32 if device.type in SINGLE else torch.float64


class Process(SchedulerMixin, ConfigMixin, ABC):
    """Time runs from t = 0 (data, x0) to t = 1 (prior, x1); generation steps from t down to s < t.

    ``fields`` are the names that the process drives; all other fields of a structure pass unchanged (they are
    conditions). Randomness comes from ``generator`` alone.
    """

    config_name = "process_config.json"

    schema: Schema
    """The fields that are driven, as they are in the data."""

    centered: tuple[str, ...] = ()
    """The fields of vectors whose mean over the nodes is zero, noise and data alike."""

    reveals = False
    """Whether what is hidden has a label of its own and what is shown stays.

    A trajectory may then start from a structure that is partly known.
    """

    def fields(self) -> Iterator[tuple[str, Field, Process]]:
        """The driven fields: the name, the field as it is in the data, and the process that drives it alone."""
        yield from ((name, field, self) for name, field in self.schema.items())

    @property
    @abstractmethod
    def renoises(self) -> bool:
        """Whether a step draws fresh noise for what was already denoised, so that the path forgets its x1."""

    @property
    def corrects(self) -> bool:
        """Whether a step from t to s is followed by one from s to s, so that the inner times of the grid stand
        there twice."""
        return False

    @property
    def couples(self) -> bool:
        """Whether training leads a structure to noise that depends on it."""
        return False

    def couple(self, x0: State, x1: State) -> State:
        """x1 drawn from the prior, moved by symmetries of the prior toward x0.

        On data that have these symmetries, too, its law is still the prior.
        """
        return x1

    def noisy_schema(self) -> Schema:
        """The driven fields as they are at t > 0 (Masked has one more label)."""
        return self.schema

    @abstractmethod
    def prior(self, mask: Tensor, generator: Generator | None = None) -> State:
        """Draw x1: a State over ``noisy_schema()``."""

    @abstractmethod
    def bridge(self, x0: State, x1: State, t: Tensor, generator: Generator | None = None) -> State:
        """Draw x_t given its two ends; ``t``: (B,). With x1 from the prior this is the forward noising of x0."""

    @abstractmethod
    def step(self, x: State, out: State, t: Tensor, s: Tensor, generator: Generator | None = None) -> State:
        """Draw x_s given x_t and the denoiser's prediction of x0; ``t`` and ``s``: (B,), s <= t."""

    def again(self, x: State, s: Tensor, t: Tensor, generator: Generator | None = None) -> State:
        """Draw x_t given x_s, noisier: ``s`` and ``t``: (B,), s <= t.

        Raises
        ------
        ValueError
            For a process whose noising has no such steps.
        """
        raise ValueError(f"{type(self).__name__} cannot noise again what is noisy")

    @abstractmethod
    def loss(self, out: State, x0: State, x: State, t: Tensor) -> Tensor:
        """The training loss of every structure, (B,)."""

    @abstractmethod
    def kl(self, out: State, x0: State, x: State, t: Tensor, s: Tensor) -> Tensor:
        """One term of the variational bound, in nats: KL(q(x_s | x_t, x0) || p(x_s | x_t)), (B,).

        With s = 0 it is −log p(x0 | x_t).
        """

    @abstractmethod
    def prior_kl(self, x0: State) -> Tensor:
        """The bound's first term, in nats: KL(q(x_1 | x0) || prior), (B,)."""

    def evidence(self, predict: Predict, known: State, rounds: int, generator: Generator | None = None) -> Tensor:
        """log p of the entries of ``known`` that are known, in nats, (B,); ``known``: a State over ``noisy_schema()``.

        They are shown in ``rounds`` random parts, each predicted from those before.

        Raises
        ------
        ValueError
            For a process that has no label for what is not known.
        """
        raise ValueError(f"{type(self).__name__} cannot start from a structure that is partly known; Masked can")

    def log_probability(self, x: State, y: State, out: State) -> Tensor:
        """log p of the labels that a step from ``x`` to ``y`` has shown, predicted by ``out``, in nats, (B,) float64.

        Raises
        ------
        ValueError
            For a process whose steps have no such probability.
        """
        raise ValueError(f"the steps of {type(self).__name__} have no probability that is known; those of Masked have")

    # around a part that is known: for one field

    def read(self, out: State, x: State, t: Tensor) -> State:
        """The prediction ``out`` with x0 itself in the driven fields, where the network's output is something else."""
        return out

    def noiseless(self, name: str, value: Tensor, t: Tensor) -> Tensor:
        """x_t where it has no noise and x0 is ``value``."""
        return value

    def overwrite(self, name: str, out: State, value: Tensor, there: Tensor, x: State, t: Tensor) -> Tensor:
        """A field of the prediction, as ``step`` reads it, that says ``value`` for the entries that are ``there``;
        ``out`` is as ``read`` returns it.

        Raises
        ------
        ValueError
            For a process that cannot generate around a known part.
        """
        raise ValueError(f"{type(self).__name__} cannot generate around what is known")

    def log_likelihood(self, name: str, out: State, value: Tensor, there: Tensor, mask: Tensor, t: Tensor) -> Tensor:
        """log p(x0 = value | x_t) of the entries that are ``there``, those of ``mask``, up to a constant of t: their
        sum, (B,).

        Raises
        ------
        ValueError
            For a process that cannot generate around a known part.
        """
        raise ValueError(f"{type(self).__name__} cannot generate around what is known")

    def pull(self, name: str, value: Tensor, gradient: Tensor, t: Tensor) -> Tensor:
        """The prediction ``value`` of x0, moved up the ``gradient`` in x_t of a log-likelihood, by Tweedie's formula.

        Raises
        ------
        ValueError
            For labels.
        """
        raise ValueError(f"{type(self).__name__} has no gradient in x")

    def draw_times(self, batch: int, generator: Generator | None = None, like: Tensor | None = None) -> Tensor:
        """The times of a training batch, (B,) in (0, 1]."""
        return uniform((batch,), generator, like)

    def times(self, steps: int) -> Tensor:
        """The grid of a trajectory.

        ``steps + 1`` times from 1 down to 0, one evaluation of the network for every step between them.
        """
        if steps < 1:
            raise ValueError(f"steps must be at least 1, got {steps}")
        return torch.linspace(1, 0, steps + 1, dtype=torch.float64)
