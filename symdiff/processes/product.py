"""Several processes at once, each on fields of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from symdiff.config.recipe import build
from symdiff.errors import UserError
from symdiff.processes.base import Process, add
from symdiff.random import Generator
from symdiff.state import Field, Schema, State, schema_from_plain, schema_to_plain


class Product(Process):
    """Several processes that run in the same time, each on fields of its own.

    Loss (weighted), bound and prior term are sums over the parts.

    Parameters
    ----------
    schema : Mapping
        All driven fields.
    parts : list of Mapping
        ``{"fields": [names], "process": spec or Process, "weight": 1.0}`` each; together they name every field once.
    marginals : Mapping of str to list of float, optional
        Frequencies of the labels of each field in the data.
    distortion, focus : float
        As for ``Flow``, for all parts alike; the training times that a part would draw by itself (an EDM schedule's)
        are not used.

    Raises
    ------
    UserError
        For parts that do not name every field once, or whose grids differ.
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        parts: list[Mapping],
        marginals: Mapping[str, list[float]] | None = None,
        distortion: float = 1.0,
        focus: float = 1.0,
    ) -> None:
        if min(distortion, focus) <= 0:
            raise ValueError(f"expected distortion > 0 and focus > 0, got {distortion} and {focus}")
        self.schema, self.distortion, self.focus = schema_from_plain(schema), distortion, focus
        self.parts: list[Process] = []
        self.weights: list[float] = []
        specs, named = [], []
        for place, part in enumerate(parts):
            where = f"parts[{place}]"
            if set(part) - {"weight"} != {"fields", "process"}:
                raise UserError(f"{where}: expected the keys fields, process and maybe weight, got {sorted(part)}")
            named += part["fields"]
            process = self._build(part["fields"], part["process"], marginals or {}, where)
            if getattr(process, "focus", 1.0) != 1.0:
                raise UserError(
                    f"{where}.process.focus: the parts are trained at the same times, give focus to the Product"
                )
            self.parts.append(process)
            self.weights.append(float(part.get("weight", 1.0)))
            specs.append({"fields": list(part["fields"]), "process": _spec(process), "weight": self.weights[-1]})
        if sorted(named) != sorted(self.schema):
            raise UserError(f"parts: expected each of the fields {sorted(self.schema)} once, got {sorted(named)}")
        if len({tuple(part.times(2).tolist()) for part in self.parts}) > 1:
            raise UserError("parts: expected processes with the same grid of times, got different distortions")
        self.register_to_config(schema=schema_to_plain(self.schema), parts=specs)

    def _build(self, fields: list[str], spec: Mapping | Process, marginals: Mapping, where: str) -> Process:
        missing = sorted(set(fields) - set(self.schema))
        if missing or not fields:
            raise UserError(f"{where}.fields: expected names among {sorted(self.schema)}, got {list(fields)}")
        schema = {name: self.schema[name] for name in fields}
        given = {name: marginals[name] for name in fields if name in marginals}
        process = build(Process, spec, where=f"{where}.process", schema=schema, marginals=given)
        if dict(process.schema) != schema:
            raise UserError(f"{where}: expected a process on {schema}, got one on {dict(process.schema)}")
        return process

    def fields(self) -> Iterator[tuple[str, Field, Process]]:
        """Iterate over the fields of all parts, in their order."""
        for part in self.parts:
            yield from part.fields()

    @property
    def centered(self) -> tuple[str, ...]:
        """The centered fields of all parts."""
        return tuple(name for part in self.parts for name in part.centered)

    @property
    def renoises(self) -> bool:
        """Whether any part does."""
        return any(part.renoises for part in self.parts)

    @property
    def corrects(self) -> bool:
        """Whether any part does; the others skip the corrections."""
        return any(part.corrects for part in self.parts)

    @property
    def couples(self) -> bool:
        """Whether any part does."""
        return any(part.couples for part in self.parts)

    def couple(self, x0: State, x1: State) -> State:
        """Let every part move its own fields."""
        for part in self.parts:
            x1 = part.couple(x0, x1)
        return x1

    def noisy_schema(self) -> Schema:
        """Return the noisy fields of all parts together."""
        return {name: field for part in self.parts for name, field in part.noisy_schema().items()}

    def times(self, steps: int) -> Tensor:
        """Make the grid that the parts share, to the power of ``distortion``."""
        grids = [part.times(steps) for part in self.parts]  # every part may refuse; all agree but on corrections
        return grids[[part.corrects for part in self.parts].index(self.corrects)] ** self.distortion

    def draw_times(self, batch: int, generator: Generator | None = None, like: Tensor | None = None) -> Tensor:
        """Draw u^``focus`` with u uniform, for all parts alike."""
        return super().draw_times(batch, generator, like) ** self.focus

    def prior(self, mask: Tensor, generator: Generator | None = None) -> State:
        """Draw the parts' fields independently."""
        states = [part.prior(mask, generator) for part in self.parts]
        return State(mask, self.noisy_schema(), {name: state[name] for state in states for name in state.schema})

    def bridge(self, x0: State, x1: State, t: Tensor, generator: Generator | None = None) -> State:
        """Noise the fields of one part after the other."""
        x = x0
        for part in self.parts:
            x = part.bridge(x, x1, t, generator)
        return x

    def step(self, x: State, out: State, t: Tensor, s: Tensor, generator: Generator | None = None) -> State:
        """Step part by part, all from the same prediction; in a correction only those that correct."""
        correction = self.corrects and bool((t == s).all())
        for part in self.parts:
            if part.corrects or not correction:
                x = part.step(x, out, t, s, generator)
        return x

    def again(self, x: State, s: Tensor, t: Tensor, generator: Generator | None = None) -> State:
        """Noise part by part."""
        for part in self.parts:
            x = part.again(x, s, t, generator)
        return x

    def read(self, out: State, x: State, t: Tensor) -> State:
        """Read the output of every part."""
        for part in self.parts:
            out = part.read(out, x, t)
        return out

    def loss(self, out: State, x0: State, x: State, t: Tensor) -> Tensor:
        """Sum the losses of the parts by their weights."""
        losses = [weight * part.loss(out, x0, x, t) for part, weight in zip(self.parts, self.weights, strict=True)]
        return torch.stack(losses).sum(0)

    def kl(self, out: State, x0: State, x: State, t: Tensor, s: Tensor) -> Tensor:
        """Sum the terms of the parts: given x_t and the prediction they step independently."""
        return add(part.kl(out, x0, x, t, s) for part in self.parts)

    def prior_kl(self, x0: State) -> Tensor:
        """Sum the terms of the parts."""
        return add(part.prior_kl(x0) for part in self.parts)


def _spec(process: Process) -> dict:
    """The process as a spec: its config less what the data supply."""
    settings = {key: value for key, value in process.config.items() if not key.startswith("_")}
    return {"kind": type(process).__name__, **{k: v for k, v in settings.items() if k not in ("schema", "marginals")}}
