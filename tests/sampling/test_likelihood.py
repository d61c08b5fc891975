"""``Diffusion.nll`` bounds −log p(x0) from above, and tends to it for exact predictions.

By enumeration, up to 4 nodes.
"""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from symdiff.breaking.codes import NodeCode
from symdiff.breaking.nothing import Nothing
from symdiff.breaking.sympe import SymPE
from symdiff.diffusion import Diffusion
from symdiff.processes.discrete import Discrete
from symdiff.processes.flow import Flow
from symdiff.processes.marginal import Marginal
from symdiff.processes.masked import Masked
from symdiff.random import Streams
from symdiff.sampling.likelihood import nll
from symdiff.state import Categorical, State
from tests.exact import Smallest, Space, Table, forward_law, sampled_law

ENTRY = Space({"atom": Categorical("node", 3)}, 1)
PAIR = Space({"atom": Categorical("node", 3), "bond": Categorical("pair", 2, undirected=True)}, 2)
TRIPLE = Space({"atom": Categorical("node", 2), "bond": Categorical("pair", 2, undirected=True)}, 3)
GRAPHS = Space({"bond": Categorical("pair", 2, undirected=True)}, 4)
WEIGHTS = {"atom": [0.6, 0.3, 0.1], "bond": [0.7, 0.3]}
PROCESSES = {
    "flow": (Flow, {}),
    "flow, stochastic": (Flow, {"prior": "uniform", "stochasticity": 1.0, "distortion": 2.0}),
    "marginal": (Marginal, {}),
    "masked": (Masked, {}),
    "masked evenly": (Masked, {"evenly": True}),
}


def make_process(name: str, space: Space) -> Discrete:
    cls, settings = PROCESSES[name]
    return cls(
        space.schema, {field: WEIGHTS[field][: space.schema[field].classes] for field in space.schema}, **settings
    )


def plain(process: Discrete, space: Space, law: Tensor) -> Diffusion:
    return Diffusion(Table(process, space, law[None]), process, Nothing())


def anchored(process: Discrete, space: Space, law: Tensor) -> Diffusion:
    table = Table(process, space, space.kernel() * law * len(space.group))
    return Diffusion(table, process, SymPE(Smallest(space), NodeCode(space.nodes, 1), "data"))


def bounds(diffusion: Diffusion, steps: int, identity: bool = False) -> Tensor:
    """E[nll] of every structure of the space (S,), by enumeration of all x_t; with ``identity`` for z = v, unmoved."""
    process, table = diffusion.process, diffusion.denoiser
    space, noisy = table.space, table.noisy
    x0, x = space.everything, noisy.everything
    pairs = forward_law(process, space, noisy, torch.tensor(0.5)).nonzero()
    left, right = x0.select(pairs[:, 0]), x.select(pairs[:, 1])
    z = State(right.mask, {}, {})
    if identity:
        rank = torch.arange(space.nodes).expand(len(pairs), -1)
        z = State(right.mask, diffusion.breaker.schema, {"rank": rank, "code": torch.zeros(len(pairs), space.nodes, 1)})
    total = process.prior_kl(x0).double()
    for t, s in itertools.pairwise(process.times(steps)):
        t, s = t.expand(len(pairs)), s.expand(len(pairs))
        terms = process.kl(table(right, t, z), left, right, t, s).double()
        reached = visited(process, space, noisy, t[0])[*pairs.T]
        total.index_add_(0, pairs[:, 0], torch.where(reached > 0, reached * terms, 0.0))
    return total


def visited(process: Discrete, space: Space, noisy: Space, t: Tensor) -> Tensor:
    """q(x_t | x0), (S0, St); ``evenly`` hides a fixed number of entries, any as likely as others."""
    if not (isinstance(process, Masked) and process.evenly):
        return forward_law(process, space, noisy, t)
    hidden = torch.stack(
        [noisy.labels[:, e] == process.schema[name].classes for e, (name, _) in enumerate(noisy.places)], 1
    )
    agrees = (hidden[None] | (space.labels[:, None, :] == noisy.labels[None])).all(-1)
    count = round(float(t) * len(noisy.places))
    return (agrees & (hidden.sum(1) == count)).double() / math.comb(len(noisy.places), count)


@pytest.mark.parametrize("name", PROCESSES)
def test_one_entry_is_bounded_exactly_with_any_number_of_steps(name):
    process, law = make_process(name, ENTRY), ENTRY.invariant_law(0)
    for steps in (1, 2, 7):
        torch.testing.assert_close(
            law @ bounds(plain(process, ENTRY, law), steps), -(law @ law.log()), atol=1e-10, rtol=0
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PROCESSES if name != "masked evenly"])
@pytest.mark.parametrize("space", [PAIR, GRAPHS], ids=["pair", "graphs of 4 nodes"])
def test_the_bound_is_above_the_entropy_and_tends_to_it(space, name):
    process, law = make_process(name, space), space.invariant_law(1)
    entropy = -(law @ law.log())
    gaps = [float(law @ bounds(plain(process, space, law), steps) - entropy) for steps in (4, 8, 16)]
    assert gaps[0] > 1.5 * gaps[1] > 1.5**2 * gaps[2] > 0, gaps
    first = [2 * gaps[1] - gaps[0], 2 * gaps[2] - gaps[1]]
    assert abs(4 * first[1] - first[0]) / 3 < 5e-3, gaps  # extrapolated by errors in 1/K and 1/K²


@pytest.mark.parametrize("space", [PAIR, TRIPLE, GRAPHS], ids=["pair", "triple", "graphs of 4 nodes"])
def test_one_entry_at_a_time_the_bound_of_exact_predictions_is_the_entropy(space):
    process, law = make_process("masked evenly", space), space.invariant_law(1)
    found = law @ bounds(plain(process, space, law), len(space.places))
    torch.testing.assert_close(found, -(law @ law.log()), atol=1e-10, rtol=0)


@pytest.mark.parametrize("name", PROCESSES)
def test_the_bound_holds_for_wrong_predictions(name):
    """−log of what the ancestral chain samples, structure by structure, for the denoiser of another law."""
    process, other = make_process(name, PAIR), PAIR.invariant_law(2)
    diffusion, steps = plain(process, PAIR, other), len(PAIR.places)
    exact = -sampled_law(diffusion, steps, rule="posterior").log()
    assert bool((bounds(diffusion, steps) >= exact - 1e-9).all())


@pytest.mark.parametrize("space", [PAIR, TRIPLE, GRAPHS], ids=["pair", "triple", "graphs of 4 nodes"])
def test_labelled_is_unlabelled_plus_the_number_of_labellings(space):
    """For z anchored in the data, by orbits: −log p(orbit) <= E nll(x0 | z), and −log p(x0) is log(n!/|Aut|) more."""
    law = space.invariant_law(3)
    process = make_process("masked evenly", space)
    labellings = (math.factorial(space.nodes) / space.automorphisms.double()).log()
    torch.testing.assert_close(torch.bincount(space.representative)[space.representative].double().log(), labellings)
    orbit = torch.zeros(len(space), dtype=torch.float64).index_add_(0, space.representative, law)[space.representative]
    torch.testing.assert_close(-law.log(), -orbit.log() + labellings, atol=1e-9, rtol=0)

    representatives = space.representative == torch.arange(len(space))
    given = torch.where(representatives, orbit, 0.0)  # p(x0 | z = v)
    unlabelled = bounds(anchored(process, space, law), len(space.places), identity=True)
    torch.testing.assert_close(
        (given * unlabelled)[representatives].sum(), -torch.xlogy(given, given).sum(), atol=1e-9, rtol=0
    )
    labelled = bounds(plain(process, space, law), len(space.places))
    torch.testing.assert_close(
        law @ labelled, (given * (unlabelled + labellings))[representatives].sum(), atol=1e-9, rtol=0
    )


@pytest.mark.parametrize("name", ["flow", "marginal", "masked"])
def test_the_anchored_bound_holds_for_wrong_predictions(name):
    """The unlabelled bound with the denoiser of another law, against the probability of the orbit that it samples."""
    process, other = make_process(name, PAIR), PAIR.invariant_law(4)
    diffusion, steps = anchored(process, PAIR, other), 6
    representatives = PAIR.representative == torch.arange(len(PAIR))
    law = sampled_law(diffusion, steps, rule="posterior", ranks=PAIR.group)
    orbit = torch.zeros(len(PAIR), dtype=torch.float64).index_add_(0, PAIR.representative, law)
    unlabelled = bounds(diffusion, steps, identity=True)
    assert bool((unlabelled >= -orbit.log() - 1e-9)[representatives].all())


@pytest.mark.parametrize("make", [plain, anchored])
@pytest.mark.parametrize("name", PROCESSES)
def test_nll_estimates_the_bound(name, make):
    process, law = make_process(name, PAIR), PAIR.invariant_law(5)
    diffusion = make(process, PAIR, law)
    index = int(PAIR.representative[7])
    x0 = PAIR.states(torch.full((3000,), index))
    exact = bounds(diffusion, 6, identity=make is anchored)[index]
    for draws in (None, 2):
        found = nll(diffusion, x0, 6, Streams(1, torch.arange(len(x0))), draws).double()
        error = found.std() / len(x0) ** 0.5
        assert abs(found.mean() - exact) < 5 * error + 1e-4, (draws, found.mean(), exact, error)


def test_nll_refuses_what_it_cannot_bound():
    process, law = make_process("flow", PAIR), PAIR.invariant_law(5)
    table = Table(process, PAIR, law.expand(len(PAIR.group), -1))
    diffusion = Diffusion(table, process, SymPE(Smallest(PAIR), NodeCode(2, 1), "prior"))
    with pytest.raises(ValueError, match="no likelihood bound with a breaker anchored in the prior sample"):
        nll(diffusion, PAIR.everything, 4)
    with pytest.raises(ValueError, match="draws must be between 1 and steps = 4, got 5"):
        nll(plain(process, PAIR, law), PAIR.everything, 4, draws=5)
