"""A denoiser for lattices that are revealed from coarse to fine: it looks at the sublattice that is being filled alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from symdiff.denoisers.base import Denoiser, prediction_schema
from symdiff.denoisers.lattice import LatticeConvolution
from symdiff.domains.spins.hamiltonian import Model, interaction
from symdiff.groups.bravais import Kind
from symdiff.groups.torus import torus_of
from symdiff.groups.tower import Tower, tower
from symdiff.state import Categorical, State, schema_from_plain, schema_to_plain

COARSEST = 16
"""Stages are told to the network as shares of so many."""


class SublatticeConvolution(Denoiser):
    """``LatticeConvolution`` on one sublattice of a ``Tower``, the same network for all, told how coarse the sublattice is.

    For the process ``Masked`` with the order ``CoarseToFine``. A stage costs what its sublattice has sites, so that all together cost
    little more than the last ones. Equivariant under the space group, since every sublattice has the point group of the whole, and
    under the flip of two labels. Nothing breaks the symmetry but the order and the spins that are shown; before the first one all labels are equally likely.

    ``last``: "heat bath": where all neighbors of what is hidden are shown, and couplings are 1 between nearest neighbors, the labels
    have a known law, exp(Σ w(a, b)/T) with the interaction w of ``model``: no network is needed. It needs the condition
    ``temperature``. "learned": the network predicts them, too. ``width``, ``widening``, ``layers``: as in ``LatticeConvolution``.
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        noisy: Mapping,
        code: Mapping,
        lattice: Kind = "square",
        model: Model = "ising",
        last: Literal["heat bath", "learned"] = "heat bath",
        width: int = 96,
        widening: int = 2,
        layers: int = 4,
    ) -> None:
        super().__init__()
        schema, noisy, code = map(schema_from_plain, (schema, noisy, code))
        self.predicted = prediction_schema(schema)
        if len(schema) != 1 or any(field.axes != "node" or not isinstance(field, Categorical) for field in schema.values()):
            raise ValueError(f"this network predicts one label of every site, got {', '.join(schema)}")
        ((self.name, field),) = schema.items()
        others = [name for name, other in {**noisy, **code}.items() if other.axes != "whole" and name != self.name]
        if others:
            raise ValueError(f"this network sees sublattices, where {', '.join(others)} would not be what they are on the whole lattice")
        if last == "heat bath" and "temperature" not in noisy:
            raise ValueError("last: heat bath needs the condition temperature")
        self.classes, self.exact, self.lattice = field.classes, last == "heat bath", lattice
        self.register_buffer("interaction", interaction(model, field.classes).float(), persistent=False)
        flips = (self.name,) if field.classes == 2 else ()
        schemas = (schema_to_plain(schema), schema_to_plain(noisy), schema_to_plain(code))
        self.network = LatticeConvolution(*schemas, lattice=lattice, flips=flips, width=width, widening=widening, layers=layers)

    def forward(self, x: State, t: Tensor, z: State) -> State:
        piece, shown = tower(torus_of(self.lattice, x.mask.shape[1])), x[self.name] < self.classes
        logits = torch.zeros(*x.mask.shape, self.classes, dtype=self.network.enter.dtype, device=x.device)
        count = shown.sum(1)
        stages = piece.stage(count)
        for stage in stages[count > 0].unique().tolist():
            rows = ((stages == stage) & (count > 0)).nonzero()[:, 0]
            logits = logits.index_put((rows,), self._stage(piece, stage, x.select(rows), z.select(rows), shown[rows]))
        return State(x.mask, self.predicted, {self.name: logits})

    def _stage(self, piece: Tower, stage: int, x: State, z: State, shown: Tensor) -> Tensor:
        """Logits (B, N, classes) where the sublattice ``stage`` is being filled, 0 elsewhere."""
        known = min(stage + 1, piece.top)
        inside = piece.cosets(known)[1].to(x.device)[piece.fullest(shown, known), 0]
        coset, members = (part.to(x.device) for part in piece.cosets(stage))
        sites = members[coset[inside]]  # (B, n)
        seen = x[self.name].gather(1, sites)
        if bool(((seen < self.classes).sum(1) != shown.sum(1)).any()):
            raise ValueError("the network needs spins that are shown from coarse to fine, none may be given elsewhere")
        if stage == 0 and self.exact and bool((shown.sum(1) == piece.size(1)).all()):
            return self._heat_bath(piece, x)
        part = x.mask.gather(1, sites)
        sub = State(part, x.schema, {**x.values, self.name: seen})
        scale = (x.mask.shape[1] / shown.sum(1)).log2() / COARSEST
        out = self.network.on(sub, scale.to(self.network.enter.dtype), State(part, z.schema, z.values), piece.stencil(stage).to(x.device), self._behind(piece, stage).to(x.device))
        logits = out[self.name]
        return logits.new_zeros(*x.mask.shape, self.classes).scatter(1, sites[..., None].expand_as(logits), logits).to(self.network.enter.dtype)

    def _behind(self, piece: Tower, stage: int) -> Tensor:
        stencil, lattice = piece.stencil(stage), piece.torus.lattice
        opposite = lattice.opposite(stencil.shape[1] - 1)
        return torch.cat([stencil[:, opposite], stencil[:, -1:]], 1)

    def _heat_bath(self, piece: Tower, x: State) -> Tensor:
        """Σ w(a, b)/T over the nearest neighbors' labels b, in at least float32."""
        near = piece.stencil(0)[:, :-1].to(x.device)
        labels = x[self.name][:, near].clamp_max(self.classes - 1)  # where one is hidden the site itself is shown
        pull = self.interaction.to(self.network.enter.dtype)[labels].sum(2)
        return pull / x["temperature"].to(pull)[:, None]
