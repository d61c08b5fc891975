"""Small spaces of labelled structures, written out: laws as vectors, steps as matrices, denoisers as tables."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn

from symdiff.canonical.base import Canonicalizer
from symdiff.denoisers.base import prediction_schema
from symdiff.diffusion import Diffusion
from symdiff.groups.permutations import Symmetric
from symdiff.processes.discrete import Discrete
from symdiff.processes.masked import Masked
from symdiff.state import Schema, State, support


class Space:
    """All structures of ``nodes`` nodes over Categorical fields.

    ``labels``: (S, E), one row each; entries in a fixed order.
    """

    def __init__(self, schema: Schema, nodes: int) -> None:
        self.schema, self.nodes = schema, nodes
        mask = torch.ones(1, nodes, dtype=torch.bool)
        self.places = [
            (name, tuple(place))
            for name, field in schema.items()
            for place in support(field, mask)[0].nonzero().tolist()
        ]
        self.classes = [schema[name].classes for name, _ in self.places]
        self.labels = torch.tensor(list(itertools.product(*map(range, self.classes))))
        self.radix = torch.tensor([math.prod(self.classes[e + 1 :]) for e in range(len(self.classes))])
        self.group = torch.tensor(list(itertools.permutations(range(nodes))))
        self.everything = self.states(torch.arange(len(self.labels)))
        self.moved = torch.stack([self.index(self.act(g, self.everything)) for g in self.group])  # (G, S): g·x

    def __len__(self) -> int:
        return len(self.labels)

    def states(self, index: Tensor) -> State:
        mask = torch.ones(len(index), self.nodes, dtype=torch.bool)
        values = {name: torch.zeros(field.shape(*mask.shape), dtype=torch.long) for name, field in self.schema.items()}
        for entry, (name, place) in enumerate(self.places):
            values[name][:, *place] = self.labels[index, entry]
        for name, field in self.schema.items():
            if field.symmetric:
                values[name] = values[name] + values[name].mT
        return State(mask, self.schema, values)

    def entries(self, x: State) -> Tensor:
        return torch.stack([x[name][:, *place] for name, place in self.places], 1)

    def index(self, x: State) -> Tensor:
        return (self.entries(x) * self.radix).sum(1)

    def act(self, g: Tensor, x: State) -> State:
        return Symmetric().act(g.expand(len(x), -1), x)

    @property
    def representative(self) -> Tensor:
        """The smallest of the orbit, (S,)."""
        return self.moved.min(0).values

    @property
    def automorphisms(self) -> Tensor:
        """|Aut| of every structure, (S,)."""
        return (self.moved == torch.arange(len(self))).sum(0)

    def kernel(self) -> Tensor:
        """The inversion kernel (G, S): uniform over the g that carry the representative to x."""
        reaches = (self.moved[:, self.representative] == torch.arange(len(self))).double()
        return reaches / reaches.sum(0)

    def invariant_law(self, seed: int) -> Tensor:
        """A random law over the structures that no permutation changes, (S,)."""
        weights = torch.rand(len(self), generator=torch.Generator().manual_seed(seed), dtype=torch.float64) ** 2
        law = (
            weights[self.representative] / torch.bincount(self.representative, minlength=len(self))[self.representative]
        )
        return law / law.sum()


class Smallest(Canonicalizer):
    """The representative is the smallest structure of the orbit, by enumeration."""

    group = Symmetric()

    def __init__(self, space: Space) -> None:
        self.space = space
        self.choice = space.kernel().argmax(0)

    def element(self, x: State) -> Tensor:
        return self.space.group[self.choice[self.space.index(x)]]


class Table(nn.Module):
    """The exact posterior means p(x0 entry | x_t, z) by Bayes' rule over all x0.

    ``given``: p(x0 | z = g) (G, S), or (1, S) where z is not used. ``origin``: p(x1 | z = g) (G, S1) where z tells
    something of x1 (else x1 is from the prior).
    """

    def __init__(self, process: Discrete, space: Space, given: Tensor, origin: Tensor | None = None) -> None:
        super().__init__()
        self.process, self.space, self.given, self.origin = process, space, given, origin
        self.noisy = Space(process.noisy_schema(), space.nodes)

    def likelihood(self, seen: Tensor, alpha: Tensor, g: Tensor) -> Tensor:
        """q(x_t | x0, g): (B, S0) for the entries ``seen`` (B, E) of x_t."""
        alpha = alpha.double()[:, None]
        if self.origin is None:
            total = torch.ones(len(seen), len(self.space), dtype=torch.float64)
            for entry, (name, _) in enumerate(self.noisy.places):
                fresh = self.process.priors[name][seen[:, entry]]
                total *= alpha * (seen[:, entry, None] == self.space.labels[:, entry]) + (1 - alpha) * fresh[:, None]
            return total
        total = self.origin[g][:, None, :].repeat(1, len(self.space), 1)
        for entry in range(len(self.noisy.places)):
            kept = seen[:, entry, None] == self.space.labels[:, entry]
            new = seen[:, entry, None] == self.noisy.labels[:, entry]
            total *= alpha[..., None] * kept[:, :, None] + (1 - alpha[..., None]) * new[:, None, :]
        return total.sum(-1)

    def posterior(self, x: State, t: Tensor, z: State) -> Tensor:
        """p(x0 | x_t, z), (B, S0)."""
        g = torch.zeros(len(x), dtype=torch.long)
        if len(self.given) > 1:
            g = (z["rank"][:, None, :] == self.space.group).all(-1).long().argmax(1)
        weight = self.given[g] * self.likelihood(self.noisy.entries(x), self.process.alpha(t), g)
        total = weight.sum(1, keepdim=True)
        return torch.where(total > 0, weight / total, 1 / len(self.space))

    def forward(self, x: State, t: Tensor, z: State) -> State:
        law = self.posterior(x, t, z)
        schema = prediction_schema(self.space.schema)
        values = {name: torch.zeros(field.shape(*x.mask.shape), dtype=torch.float64) for name, field in schema.items()}
        for entry, (name, place) in enumerate(self.space.places):
            shares = torch.zeros(len(x), self.space.classes[entry], dtype=torch.float64)
            shares.index_add_(1, self.space.labels[:, entry], law)
            values[name][:, *place] = shares.log()
            if schema[name].symmetric:
                values[name][:, *place[::-1]] = shares.log()
        return State(x.mask, schema, values)


def prior_law(process: Discrete, space: Space) -> Tensor:
    """The law of x1 over ``space``, (S,)."""
    law = torch.ones(len(space), dtype=torch.float64)
    for entry, (name, _) in enumerate(space.places):
        law = law * process.priors[name][space.labels[:, entry]]
    return law


def forward_law(process: Discrete, space: Space, noisy: Space, t: Tensor) -> Tensor:
    """q(x_t | x0), (S0, St)."""
    law = torch.ones(len(space), len(noisy), dtype=torch.float64)
    alpha = process.alpha(t)
    for entry, (name, _) in enumerate(noisy.places):
        same = space.labels[:, entry, None] == noisy.labels[None, :, entry]
        law = law * (alpha * same + (1 - alpha) * process.priors[name][noisy.labels[:, entry]])
    return law


def step_matrix(process: Discrete, noisy: Space, out: State, t: Tensor, s: Tensor, rule: str = "transition") -> Tensor:
    """p(x_s | x_t), (St, Ss), for predictions ``out`` at every x_t of ``noisy``."""
    x, rows = noisy.everything, len(noisy)
    law = {
        name: getattr(process, rule)(name, process.predict(name, out, x), x[name], t.expand(rows), s.expand(rows))
        for name in process.schema
    }
    if isinstance(process, Masked) and process.evenly:
        return _one_by_one(process, noisy, {name: process.predict(name, out, x) for name in process.schema})
    matrix = torch.ones(rows, rows, dtype=torch.float64)
    for entry, (name, place) in enumerate(noisy.places):
        matrix = matrix * law[name][:, *place][:, noisy.labels[:, entry]]
    return matrix


def _one_by_one(process: Masked, noisy: Space, law: dict[str, Tensor]) -> Tensor:
    """One hidden entry, any with the same chance, is revealed: the step of ``evenly`` with as many steps as entries."""
    hidden = torch.stack(
        [noisy.labels[:, e] == process.schema[name].classes for e, (name, _) in enumerate(noisy.places)], 1
    )
    same = noisy.labels[:, None, :] == noisy.labels[None, :, :]
    matrix = torch.zeros(len(noisy), len(noisy), dtype=torch.float64)
    for entry, (name, place) in enumerate(noisy.places):
        others = torch.cat([same[..., :entry], same[..., entry + 1 :]], -1).all(-1)
        shown = ~hidden[None, :, entry]
        matrix += hidden[:, entry, None] * shown * others * law[name][:, *place][:, noisy.labels[:, entry]]
    return matrix / hidden.sum(1, keepdim=True).clamp_min(1)


def sampled_law(diffusion: Diffusion, steps: int, rule: str = "transition", ranks: Tensor | None = None) -> Tensor:
    """The law of what ``diffusion`` samples with its Table, over the clean space: the chain's exact propagation.

    ``ranks``: (G, n), the z to average over with equal weight; None where the table ignores z.
    """
    table, process = diffusion.denoiser, diffusion.process
    noisy, total = table.noisy, 0.0
    times = process.times(steps)
    for number, rank in enumerate([None] if ranks is None else ranks):
        z = State(noisy.everything.mask, {}, {})
        if rank is not None:
            values = {**_blank(diffusion, noisy), "rank": rank.expand(len(noisy), -1)}
            z = State(noisy.everything.mask, diffusion.breaker.schema, values)
        law = prior_law(process, noisy) if table.origin is None else table.origin[number]
        for t, s in itertools.pairwise(times):
            out = table(noisy.everything, t.expand(len(noisy)), z)
            law = law @ step_matrix(process, noisy, out, t, s, rule)
        total = total + law / (1 if ranks is None else len(ranks))
    return total[noisy.index(table.space.everything)]


def _blank(diffusion: Diffusion, noisy: Space) -> dict[str, Tensor]:
    return {
        name: torch.zeros(field.shape(len(noisy), noisy.nodes))
        for name, field in diffusion.breaker.schema.items()
        if name != "rank"
    }


def variation(p: Tensor, q: Tensor) -> float:
    """Total variation distance."""
    return float((p - q).abs().sum() / 2)
