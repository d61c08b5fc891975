"""A denoiser for lattices that are revealed from coarse to fine.

It looks at the sublattice that is being filled alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from symdiff.config.ranges import Factor, Layers, Width
from symdiff.denoisers.base import Denoiser, prediction_schema
from symdiff.denoisers.lattice import LatticeConvolution
from symdiff.groups.bravais import LatticeKind
from symdiff.groups.torus import torus_of
from symdiff.groups.tower import Tower, tower
from symdiff.spins.hamiltonian import Model, interaction
from symdiff.state import Categorical, State, schema_from_plain, schema_to_plain

COARSEST = 16
"""Stages enter the network as shares of so many."""


class SublatticeConvolution(Denoiser):
    """``LatticeConvolution`` on one sublattice of a ``Tower``, the same network for all of them.

    How coarse the sublattice is enters as a number. For the process ``Masked`` with the order ``CoarseToFine``. A stage
    costs what its sublattice has sites, so that all together cost little more than the last ones. Equivariant under the
    space group, since every sublattice has the point group of the lattice, and under the flip of two labels. Nothing
    breaks the symmetry but the order and the spins that are shown; before the first one all labels are equally likely.

    Parameters
    ----------
    schema : Mapping
        What is predicted, as in the data: fields by name, as ``schema_to_plain`` writes them.
    noisy : Mapping
        What is seen of the noisy structure, in the same form.
    code : Mapping
        The symmetry-breaking input z, in the same form; empty where nothing is broken.
    lattice : {"chain", "square", "triangular", "cubic"}
        The kind of lattice.
    model : {"ising", "potts", "clock"}
        Whose interaction w gives the last stage, with ``last`` "heat bath".
    last : {"heat bath", "learned"}
        "heat bath": couplings are 1 between nearest neighbors, so that the last stage and the last group of the one
        before have known distributions, by the interaction w of ``model``: no network is needed. It needs the condition
        ``temperature``. "learned": the network predicts them, too.
    width, widening, layers : int
        As in ``LatticeConvolution``.

    Raises
    ------
    ValueError
        Where anything but one label of every site is predicted, a field other than it is not graph-level, or the
        temperature is missing.
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        noisy: Mapping,
        code: Mapping,
        lattice: LatticeKind = "square",
        model: Model = "ising",
        last: Literal["heat bath", "learned"] = "heat bath",
        width: Width = 96,
        widening: Factor = 2,
        layers: Layers = 4,
    ) -> None:
        super().__init__()
        schema, noisy, code = map(schema_from_plain, (schema, noisy, code))
        self.predicted = prediction_schema(schema)
        if len(schema) != 1 or any(
            field.axes != "node" or not isinstance(field, Categorical) for field in schema.values()
        ):
            raise ValueError(f"this network predicts one label of every site, got {', '.join(schema)}")
        ((self.name, field),) = schema.items()
        assert isinstance(field, Categorical)
        others = [name for name, other in {**noisy, **code}.items() if other.axes != "whole" and name != self.name]
        if others:
            raise ValueError(
                f"this network sees sublattices, where {', '.join(others)} would not be what they are on the whole "
                "lattice"
            )
        if last == "heat bath" and "temperature" not in noisy:
            raise ValueError("last: heat bath needs the condition temperature")
        self.classes, self.exact, self.lattice = field.classes, last == "heat bath", lattice
        self.register_buffer("interaction", interaction(model, field.classes).float(), persistent=False)
        flips = (self.name,) if field.classes == 2 else ()
        schemas = (schema_to_plain(schema), schema_to_plain(noisy), schema_to_plain(code))
        self.network = LatticeConvolution(
            *schemas, lattice=lattice, flips=flips, width=width, widening=widening, layers=layers
        )

    def forward(self, x: State, t: Tensor, z: State) -> State:
        """Predict the sites that come next, stage by stage; before any site is shown all labels are equally likely."""
        piece, shown = tower(torus_of(self.lattice, x.mask.shape[1])), x[self.name] < self.classes
        logits = torch.zeros(*x.mask.shape, self.classes, dtype=self.network.enter.dtype, device=x.device)
        count = shown.sum(1)
        stages = piece.stage(count)
        for stage in stages[count > 0].unique().tolist():
            rows = (stages == stage) & (count > 0)
            known = count == _enough(piece, stage) if self.exact else torch.zeros_like(rows)
            for which, evaluate in ((rows & known, self._solve), (rows & ~known, self._predict)):
                if bool(which.all()):
                    logits = evaluate(piece, stage, x, z, shown)
                elif bool(which.any()):
                    logits = logits.index_put(
                        (which.nonzero()[:, 0],), evaluate(piece, stage, x.select(which), z.select(which), shown[which])
                    )
        return State(x.mask, self.predicted, {self.name: logits})

    def _predict(self, piece: Tower, stage: int, x: State, z: State, shown: Tensor) -> Tensor:
        """The network's logits where the sublattice ``stage`` is being filled, 0 elsewhere: (B, N, classes)."""
        sites, seen = self._sublattice(piece, stage, x, shown)
        part = torch.ones_like(sites, dtype=torch.bool)
        scale = (x.mask.shape[1] / shown.sum(1)).log2() / COARSEST
        stencil, opposite = piece.stencil(stage), piece.torus.lattice.opposite(piece.stencil(stage).shape[1] - 1)
        behind = torch.cat([stencil[:, opposite], stencil[:, -1:]], 1)
        sub = State(part, x.schema, {**x.values, self.name: seen})
        out = self.network.on(
            sub,
            scale.to(self.network.enter.dtype),
            State(part, z.schema, z.values),
            stencil.to(x.device),
            behind.to(x.device),
        )
        return self._put(x, sites, out[self.name])

    def _solve(self, piece: Tower, stage: int, x: State, z: State, shown: Tensor) -> Tensor:
        """The logits of the last group of the last stage, or of the one before: (B, N, classes).

        Neighbors b act on a label a by w(a, b)/T. In the last stage they are all shown; in the one before they are not,
        and ln Σ_b exp(w(a, b)/T + Σ_c w(b, c)/T) with their other neighbors c takes the place of w(a, b)/T.
        """
        places, seen = self._sublattice(piece, stage, x, shown)
        own = (seen == self.classes).nonzero()[:, 1].view(len(seen), -1)
        sites = places.gather(1, own)  # (B, m)
        near, directions = piece.stencil(0)[:, :-1].to(x.device), piece.stencil(0).shape[1] - 1
        w = (
            self.interaction.to(self.network.enter.dtype) / x["temperature"].to(self.network.enter.dtype)[:, :, None]
        )  # (B, q, q)

        def pull(others: Tensor) -> Tensor:
            """Σ w(·, b)/T over the labels b of ``others`` (B, ..., D): (B, ..., q)."""
            labels = x[self.name].gather(1, others.flatten(1))
            weights = w.gather(1, labels[..., None].expand(-1, -1, self.classes))
            return weights.view(*others.shape, self.classes).sum(-2)

        if stage == 0:
            return self._put(x, sites, pull(near[sites]))
        opposite = piece.torus.lattice.opposite(directions)
        rest = torch.stack([torch.arange(directions)[torch.arange(directions) != back] for back in opposite]).to(
            x.device
        )  # (D, D − 1)
        beyond = near[near[sites][..., None], rest]  # (B, m, D, D − 1)
        both = pull(beyond)[..., None, :] + w[:, None, None]
        return self._put(x, sites, both.logsumexp(-1).sum(2))

    def _sublattice(self, piece: Tower, stage: int, x: State, shown: Tensor) -> tuple[Tensor, Tensor]:
        """The sites of the sublattice that is being filled, and their labels: (B, n) each."""
        known = min(stage + 1, piece.top)
        inside = piece.cosets(known)[1].to(x.device)[piece.fullest(shown, known), 0]
        coset, members = (part.to(x.device) for part in piece.cosets(stage))
        sites = members[coset[inside]]
        seen = x[self.name].gather(1, sites)
        if bool(((seen < self.classes).sum(1) != shown.sum(1)).any()):
            raise ValueError("the network needs spins that are shown from coarse to fine, none may be given elsewhere")
        return sites, seen

    def _put(self, x: State, sites: Tensor, logits: Tensor) -> Tensor:
        logits = logits.to(self.network.enter.dtype)
        return logits.new_zeros(*x.mask.shape, self.classes).scatter(1, sites[..., None].expand_as(logits), logits)


def _enough(piece: Tower, stage: int) -> int:
    """How many sites are shown when what is left of a stage has a known distribution, −1 for never."""
    last, before = piece.size(1), piece.size(2) + (piece.size(3) if piece.torus.lattice.dim == 2 else 0)
    return last if stage == 0 else before if stage == 1 < piece.top - piece.torus.lattice.dim + 1 else -1
