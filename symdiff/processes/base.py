"""A process: how structures are noised and how noise is undone, field by field."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from typing import ClassVar

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
    """Name the finest floating type of a device: float64, or float32 where it has nothing finer.

    Parameters
    ----------
    device : torch.device
        Where a computation runs.

    Returns
    -------
    torch.dtype
        The floating type in which small differences (levels of noise, sums of a bound) are computed there.
    """
    return torch.float32 if device.type in SINGLE else torch.float64


def add(terms: Iterable[Tensor]) -> Tensor:
    """Add tensors from left to right; there must be at least one.

    Parameters
    ----------
    terms : iterable of Tensor
        Tensors of one shape; at least one.

    Returns
    -------
    Tensor
        Their sum, in the shape of a term.
    """
    return reduce(torch.add, terms)


class Process(SchedulerMixin, ConfigMixin, ABC):
    """How structures are noised, and how noise is undone.

    Time runs from t = 0 (data, x0) to t = 1 (prior, x1); generation steps from t down to s < t. A process drives some
    fields of a structure; all others pass unchanged: they are conditions. Randomness comes from ``generator`` alone.

    Attributes
    ----------
    schema : Mapping of str to Field
        The fields that are driven, as they are in the data.
    reveals : bool
        Whether what is hidden has a label of its own and what is shown stays, so that a trajectory may start from a
        structure that is partly known.
    """

    config_name = "process_config.json"
    supplied: ClassVar = ("schema", "marginals")
    """What the constructor gets from the data, not from a recipe."""

    schema: Schema
    reveals: bool = False

    def fields(self) -> Iterator[tuple[str, Field, Process]]:
        """Iterate over the driven fields.

        Yields
        ------
        tuple
            The name, the field as it is in the data, and the process that drives it alone.
        """
        yield from ((name, field, self) for name, field in self.schema.items())

    @property
    def centered(self) -> tuple[str, ...]:
        """The fields of vectors whose mean over the nodes is zero, noise and data alike."""
        return ()

    @property
    @abstractmethod
    def renoises(self) -> bool:
        """Whether a step draws fresh noise for what was already denoised, so that the path forgets its x1."""

    @property
    def corrects(self) -> bool:
        """Whether a step from t to s is followed by one from s to s: the grid has its inner times twice."""
        return False

    @property
    def couples(self) -> bool:
        """Whether the noise that training pairs a structure with depends on the structure."""
        return False

    def couple(self, x0: State, x1: State) -> State:
        """Move x1, drawn from the prior, by symmetries of the prior toward x0.

        On data that have these symmetries, too, the distribution of the result is still the prior.

        Parameters
        ----------
        x0, x1 : State
            Clean structures, and noise over ``noisy_schema()``.

        Returns
        -------
        State
            Like ``x1``.
        """
        return x1

    def noisy_schema(self) -> Schema:
        """Return the driven fields as they are at t > 0 (``Masked`` has one more label).

        Returns
        -------
        Schema
            By field name; like ``schema`` where noise lives in the same space as data.
        """
        return self.schema

    @abstractmethod
    def prior(self, mask: Tensor, generator: Generator | None = None) -> State:
        """Draw x1 from the prior.

        Parameters
        ----------
        mask : Tensor
            (B, N) bool, the real nodes.
        generator : Generator, optional

        Returns
        -------
        State
            Over ``noisy_schema()``.
        """

    @abstractmethod
    def bridge(self, x0: State, x1: State, t: Tensor, generator: Generator | None = None) -> State:
        """Draw x_t given its two ends. With x1 from the prior this is the forward noising of x0.

        Parameters
        ----------
        x0, x1 : State
            Clean structures with their conditions, and noise.
        t : Tensor
            (B,) times.
        generator : Generator, optional

        Returns
        -------
        State
            ``x0`` with the driven fields at time t.
        """

    @abstractmethod
    def step(self, x: State, out: State, t: Tensor, s: Tensor, generator: Generator | None = None) -> State:
        """Draw x_s given x_t and the denoiser's prediction of x0.

        Parameters
        ----------
        x : State
            x_t with its conditions.
        out : State
            The prediction: logits for labels, reals for reals.
        t, s : Tensor
            (B,) times, s <= t.
        generator : Generator, optional

        Returns
        -------
        State
            ``x`` with the driven fields at time s.
        """

    def again(self, x: State, s: Tensor, t: Tensor, generator: Generator | None = None) -> State:
        """Draw x_t given x_s, which has less noise.

        Parameters
        ----------
        x : State
            x_s with its conditions.
        s, t : Tensor
            (B,) times, s <= t.
        generator : Generator, optional

        Returns
        -------
        State
            ``x`` with the driven fields at time t.

        Raises
        ------
        ValueError
            For a process whose noising has no such steps.
        """
        raise ValueError(f"{type(self).__name__} cannot noise again what is noisy")

    @abstractmethod
    def loss(self, out: State, x0: State, x: State, t: Tensor) -> Tensor:
        """Evaluate the training loss of every structure.

        Parameters
        ----------
        out : State
            The denoiser's prediction from ``x``: logits for labels, reals for reals.
        x0, x : State
            Clean structures, and x_t with its conditions.
        t : Tensor
            (B,) times in (0, 1].

        Returns
        -------
        Tensor
            (B,); its mean over a batch is minimized. In nats for labels, weighted squared errors for reals.
        """

    @abstractmethod
    def kl(self, out: State, x0: State, x: State, t: Tensor, s: Tensor) -> Tensor:
        """Evaluate one term of the variational bound, KL(q(x_s | x_t, x0) || p(x_s | x_t)).

        With s = 0 it is −log p(x0 | x_t).

        Parameters
        ----------
        out : State
            The prediction of x0 from ``x``.
        x0, x : State
            Clean structures, and x_t.
        t, s : Tensor
            (B,) times, s < t.

        Returns
        -------
        Tensor
            (B,), in nats.
        """

    @abstractmethod
    def prior_kl(self, x0: State) -> Tensor:
        """Evaluate the first term of the variational bound, KL(q(x_1 | x0) || prior).

        Parameters
        ----------
        x0 : State
            Clean structures.

        Returns
        -------
        Tensor
            (B,), in nats; zero for processes whose noising ends exactly in the prior.
        """

    def evidence(self, predict: Predict, known: State, rounds: int, generator: Generator | None = None) -> Tensor:
        """Estimate log p of the entries that are known, each part of them predicted from those before.

        Parameters
        ----------
        predict : Predict
            The denoiser with its z.
        known : State
            Over ``noisy_schema()``, hidden where an entry is not known.
        rounds : int
            The number of random parts, in which the entries are shown.
        generator : Generator, optional

        Returns
        -------
        Tensor
            (B,), in nats.

        Raises
        ------
        ValueError
            For a process that has no label for what is not known.
        """
        raise ValueError(f"{type(self).__name__} cannot start from a structure that is partly known; Masked can")

    def log_probability(self, x: State, y: State, out: State) -> Tensor:
        """Evaluate log p of the labels that a step from ``x`` to ``y`` has shown, as ``out`` predicts them.

        Parameters
        ----------
        x, y : State
            Before and after the step.
        out : State
            The prediction from ``x``.

        Returns
        -------
        Tensor
            (B,) float64, in nats.

        Raises
        ------
        ValueError
            For a process whose steps have no such probability.
        """
        raise ValueError(f"the steps of {type(self).__name__} have no probability that is known; those of Masked have")

    # around a part that is known: for one field

    def read(self, out: State, x: State, t: Tensor) -> State:
        """Turn the network's output into a prediction of x0, where it is something else (see ``Gaussian``).

        Parameters
        ----------
        out : State
            The output of the denoiser for ``x`` and ``t``.
        x : State
            x_t with its conditions.
        t : Tensor
            (B,) times.

        Returns
        -------
        State
            Like ``out``: logits of x0's labels, and x0 itself for reals.
        """
        return out

    def noiseless(self, name: str, value: Tensor, t: Tensor) -> Tensor:
        """Return the mean of x_t where x0 is ``value``.

        Parameters
        ----------
        name : str
            The field.
        value : Tensor
            Clean values of the field, (B, ...).
        t : Tensor
            (B,) times.

        Returns
        -------
        Tensor
            Like ``value``.
        """
        return value

    def overwrite(self, name: str, out: State, value: Tensor, there: Tensor, x: State, t: Tensor) -> Tensor:
        """Replace a part of the prediction by what is known.

        Parameters
        ----------
        name : str
            The field.
        out : State
            The prediction, as ``read`` returns it.
        value : Tensor
            The known values of the field.
        there : Tensor
            Which entries are known, bool.
        x : State
            x_t.
        t : Tensor
            (B,) times.

        Returns
        -------
        Tensor
            The field of a prediction, as ``step`` takes it.

        Raises
        ------
        ValueError
            For a process that cannot generate around a known part.
        """
        raise ValueError(f"{type(self).__name__} cannot generate around what is known")

    def log_likelihood(self, name: str, out: State, value: Tensor, there: Tensor, mask: Tensor, t: Tensor) -> Tensor:
        """Evaluate log p(x0 = value | x_t) of the known entries, up to a constant that depends on t.

        Parameters
        ----------
        name : str
            The field.
        out : State
            The prediction, as ``read`` returns it.
        value : Tensor
            The known values of the field.
        there : Tensor
            Which entries are known, bool.
        mask : Tensor
            (B, N) bool: the nodes that are known.
        t : Tensor
            (B,) times.

        Returns
        -------
        Tensor
            (B,), in nats.

        Raises
        ------
        ValueError
            For a process that cannot generate around a known part.
        """
        raise ValueError(f"{type(self).__name__} cannot generate around what is known")

    def pull(self, name: str, value: Tensor, gradient: Tensor, t: Tensor) -> Tensor:
        """Move the prediction of x0 along the gradient of a log-likelihood, by Tweedie's formula.

        Parameters
        ----------
        name : str
            The field.
        value : Tensor
            The prediction of the field.
        gradient : Tensor
            Of the log-likelihood with respect to x_t, like ``value``.
        t : Tensor
            (B,) times.

        Returns
        -------
        Tensor
            The moved prediction, like ``value``.

        Raises
        ------
        ValueError
            For labels.
        """
        raise ValueError(f"{type(self).__name__} has no gradient in x")

    def draw_times(self, batch: int, generator: Generator | None = None, like: Tensor | None = None) -> Tensor:
        """Draw the times of a training batch.

        Parameters
        ----------
        batch : int
            The number of structures B.
        generator : Generator, optional
            The source of randomness.
        like : Tensor, optional
            A tensor whose device and floating type the times get.

        Returns
        -------
        Tensor
            (B,), in (0, 1].
        """
        return uniform((batch,), generator, like)

    def times(self, steps: int) -> Tensor:
        """Make the grid of a trajectory.

        Parameters
        ----------
        steps : int
            Evaluations of the network, one for every step.

        Returns
        -------
        Tensor
            (steps + 1,) float64, from 1 down to 0.

        Raises
        ------
        ValueError
            For fewer than one step, or a number that the process cannot take.
        """
        if steps < 1:
            raise ValueError(f"steps must be at least 1, got {steps}")
        return torch.linspace(1, 0, steps + 1, dtype=torch.float64)
