"""Prediction of real values: a process of one step that starts from nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from symdiff.processes.base import Process
from symdiff.random import Generator
from symdiff.state import Field, Real, Schema, State, extent, schema_from_plain, schema_to_plain

Numbers = float | list[float]


class Prediction(Process):
    """x1 is nothing: what is driven is not seen, and one step says it, mean + spread · (the network's output).

    ``loss``: ``l1``, the mean absolute error of numbers and the mean length of the error of vectors, which no rotation
    changes; or ``l2``, the mean squared error of the components. Both are of (value − mean)/spread and means over a
    field's entries, summed over the fields. ``mean`` and ``spread``: of the data, by the name of a field, in its unit,
    0 and 1 where they are not given; one number, or a list with one for every channel. Vectors have no mean, it would
    not turn with them. ``marginals`` are not used. A prediction is one value and no law, so it has no likelihood and is
    no part of a ``Product``; labels are predicted by ``Masked`` with focus 0.
    """

    renoises = False

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
        self.kind, self.means, self.spreads = loss, dict(mean or {}), dict(spread or {})
        self.register_to_config(schema=schema_to_plain(self.schema))
        for name, field in self.schema.items():
            if not isinstance(field, Real):
                raise ValueError(
                    f"field {name!r} of a Prediction must be Real, got {field}; labels are predicted by Masked with "
                    "focus 0"
                )
        for name in [*self.means, *self.spreads]:
            if name not in self.schema:
                raise ValueError(f"mean and spread: expected fields among {sorted(self.schema)}, got {name!r}")
        for name in self.means:
            if self.schema[name].vector:
                raise ValueError(f"mean: {name!r} are vectors, whose mean would break rotations")
        for key, given in (("mean", self.means), ("spread", self.spreads)):
            for name, value in given.items():
                numbers = value if isinstance(value, list | tuple) else [value]
                if len(numbers) not in (1, self.schema[name].dim) or not all(map(math.isfinite, numbers)):
                    raise ValueError(
                        f"{key}.{name}: expected one finite number, or a list of {self.schema[name].dim}, got {value}"
                    )
                if key == "spread" and min(numbers) <= 0:
                    raise ValueError(f"spread.{name}: expected more than 0, got {value}")

    def noisy_schema(self) -> Schema:
        return {}

    def draw_times(self, batch: int, generator: Generator | None = None, like: Tensor | None = None) -> Tensor:
        return torch.ones(batch, device=None if like is None else like.device)

    def times(self, steps: int) -> Tensor:
        if steps != 1:
            raise ValueError(f"a prediction has one step, got {steps}")
        return super().times(steps)

    def prior(self, mask: Tensor, generator: Generator | None = None) -> State:
        return State(mask, {}, {})

    def bridge(self, x0: State, x1: State, t: Tensor, generator: Generator | None = None) -> State:
        return x0.only(*(name for name in x0.schema if name not in self.schema))

    def step(self, x: State, out: State, t: Tensor, s: Tensor, generator: Generator | None = None) -> State:
        return x.with_values(self.schema, **{name: self._value(name, out) for name in self.schema})

    def loss(self, out: State, x0: State, x: State, t: Tensor) -> Tensor:
        return sum(self._error(name, field, out, x0) for name, field in self.schema.items())

    def kl(self, out: State, x0: State, x: State, t: Tensor, s: Tensor) -> Tensor:
        raise ValueError("a prediction is one value and has no likelihood")

    def prior_kl(self, x0: State) -> Tensor:
        raise ValueError("a prediction is one value and has no likelihood")

    def _value(self, name: str, out: State) -> Tensor:
        """mean + spread · output, zero in the padding."""
        value = out[name].float()
        mean, spread = self._scale(name, value)
        value = mean + spread * value
        return torch.where(_present(self.schema[name], out.mask), value, 0.0)

    def _scale(self, name: str, like: Tensor) -> tuple[Tensor, Tensor]:
        """A field's mean and spread, (1,) or (dim,), for vectors (1, 1) or (dim, 1)."""
        mean, spread = (
            like.new_tensor(given.get(name, plain)).reshape(-1)
            for given, plain in ((self.means, 0.0), (self.spreads, 1.0))
        )
        return (mean[:, None], spread[:, None]) if self.schema[name].vector else (mean, spread)

    def _error(self, name: str, field: Field, out: State, x0: State) -> Tensor:
        """The mean error of a field's entries, (B,)."""
        mean, spread = self._scale(name, x0[name])
        truth = (x0[name] - mean) / spread
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
