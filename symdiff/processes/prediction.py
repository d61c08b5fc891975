"""Prediction of real values: a process of one step that starts from nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from symdiff.processes.base import Process, add
from symdiff.random import Generator
from symdiff.state import Field, Real, Schema, State, extent, schema_from_plain, schema_to_plain

Numbers = float | list[float]


class Prediction(Process):
    """Regression in one step: x1 is empty, and a field is mean + standard deviation · (the network's output).

    A prediction is one value and no distribution, so it has no likelihood and is no part of a ``Product``; labels are
    predicted by ``Masked`` with focus 0.

    Parameters
    ----------
    schema : Mapping
        The fields that are predicted, all Real.
    marginals : Mapping, optional
        Not used.
    loss : {"l1", "l2"}
        The mean absolute error of numbers and mean length of the error of vectors (which no rotation changes), or the
        mean squared error of the components. Of standardized values; summed over the fields.
    mean, spread : Mapping of str to float or list of float, optional
        Mean and standard deviation of the data, by the name of a field, in its unit: one number, or one for every
        channel; 0 and 1 where they are left out. Vectors have no mean, since it would not rotate with them.

    Raises
    ------
    ValueError
        For fields that are not Real, and a mean or a standard deviation that does not fit.
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        marginals: Mapping[str, list[float]] | None = None,
        loss: Literal["l1", "l2"] = "l2",
        mean: Mapping[str, Numbers] | None = None,
        spread: Mapping[str, Numbers] | None = None,
    ) -> None:
        self.schema = schema_from_plain(schema)
        self.kind, self.means, self.deviations = loss, dict(mean or {}), dict(spread or {})
        self.register_to_config(schema=schema_to_plain(self.schema))
        self.reals: dict[str, Real] = {}
        for name, field in self.schema.items():
            if not isinstance(field, Real):
                raise ValueError(
                    f"field {name!r} of a Prediction must be Real, got {field}; labels are predicted by Masked with "
                    "focus 0"
                )
            self.reals[name] = field
        for name in [*self.means, *self.deviations]:
            if name not in self.schema:
                raise ValueError(f"mean and spread: expected fields among {sorted(self.schema)}, got {name!r}")
        for name in self.means:
            if self.reals[name].vector:
                raise ValueError(f"mean: {name!r} are vectors, whose mean would break rotations")
        for key, given in (("mean", self.means), ("spread", self.deviations)):
            for name, value in given.items():
                numbers = value if isinstance(value, list | tuple) else [value]
                if len(numbers) not in (1, self.reals[name].dim) or not all(map(math.isfinite, numbers)):
                    raise ValueError(
                        f"{key}.{name}: expected one finite number, or a list of {self.reals[name].dim}, got {value}"
                    )
                if key == "spread" and min(numbers) <= 0:
                    raise ValueError(f"spread.{name}: expected more than 0, got {value}")

    @property
    def renoises(self) -> bool:
        """Never: there is one step."""
        return False

    def noisy_schema(self) -> Schema:
        """Return nothing: the noisy structure lacks the predicted fields."""
        return {}

    def draw_times(self, batch: int, generator: Generator | None = None, like: Tensor | None = None) -> Tensor:
        """Return t = 1 for all."""
        return torch.ones(batch, device=None if like is None else like.device)

    def times(self, steps: int) -> Tensor:
        """Make the grid of the one step, (1, 0).

        Raises
        ------
        ValueError
            For another number of steps.
        """
        if steps != 1:
            raise ValueError(f"a prediction has one step, got {steps}")
        return super().times(steps)

    def prior(self, mask: Tensor, generator: Generator | None = None) -> State:
        """Return a structure without values; nothing is random."""
        return State(mask, {}, {})

    def bridge(self, x0: State, x1: State, t: Tensor, generator: Generator | None = None) -> State:
        """Remove the predicted fields, at any time."""
        return x0.only(*(name for name in x0.schema if name not in self.schema))

    def step(self, x: State, out: State, t: Tensor, s: Tensor, generator: Generator | None = None) -> State:
        """Set every predicted field to mean + standard deviation · output."""
        return x.with_values(self.schema, **{name: self._value(name, out) for name in self.schema})

    def loss(self, out: State, x0: State, x: State, t: Tensor) -> Tensor:
        """Sum the fields' mean errors, in standard deviations of the data."""
        return add(self._error(name, field, out, x0) for name, field in self.reals.items())

    def kl(self, out: State, x0: State, x: State, t: Tensor, s: Tensor) -> Tensor:
        """Refuse.

        Raises
        ------
        ValueError
            Always: one value has no likelihood.
        """
        raise ValueError("a prediction is one value and has no likelihood")

    def prior_kl(self, x0: State) -> Tensor:
        """Refuse.

        Raises
        ------
        ValueError
            Always: one value has no likelihood.
        """
        raise ValueError("a prediction is one value and has no likelihood")

    def _value(self, name: str, out: State) -> Tensor:
        """mean + standard deviation · output, zero in the padding."""
        value = out[name].float()
        mean, std = self._scale(name, value)
        value = mean + std * value
        return torch.where(_present(self.schema[name], out.mask), value, 0.0)

    def _scale(self, name: str, like: Tensor) -> tuple[Tensor, Tensor]:
        """A field's mean and standard deviation, (1,) or (dim,), for vectors (1, 1) or (dim, 1)."""
        mean, std = (
            like.new_tensor(given.get(name, plain)).reshape(-1)
            for given, plain in ((self.means, 0.0), (self.deviations, 1.0))
        )
        return (mean[:, None], std[:, None]) if self.reals[name].vector else (mean, std)

    def _error(self, name: str, field: Real, out: State, x0: State) -> Tensor:
        """The mean error of a field's entries, (B,)."""
        mean, std = self._scale(name, x0[name])
        truth = (x0[name] - mean) / std
        present = _present(field, x0.mask)
        error = torch.where(present, out[name].to(truth) - truth, 0.0)
        if self.kind == "l2":
            error, parts = error.square(), math.prod(field.trailing)
        else:
            # a length has no derivative at 0
            error, parts = (error.square().sum(-1).clamp_min(1e-24).sqrt() if field.vector else error.abs()), field.dim
        return error.flatten(1).sum(1) / (extent(field, x0.mask).reshape(len(x0), -1).sum(1).clamp_min(1) * parts)


def _present(field: Field, mask: Tensor) -> Tensor:
    entries = extent(field, mask)
    return entries.view(*entries.shape, *[1] * len(field.trailing))
