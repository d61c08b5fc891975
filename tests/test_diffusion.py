"""What a diffusion samples is the data law, for every exact combination of process and breaker."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import chisquare

from symdiff.breaking.codes import NodeCode
from symdiff.breaking.noise import Noise
from symdiff.breaking.nothing import Nothing
from symdiff.breaking.sympe import SymPE
from symdiff.diffusion import Diffusion
from symdiff.objectives.denoising import Denoising
from symdiff.processes.discrete import Discrete
from symdiff.processes.flow import Flow
from symdiff.processes.marginal import Marginal
from symdiff.processes.masked import Masked
from symdiff.random import Streams
from symdiff.sampling.ancestral import Ancestral
from symdiff.sampling.request import Request
from symdiff.state import Categorical, collate
from tests.exact import Smallest, Space, Table, prior_law, sampled_law, variation

PAIR = Space({"atom": Categorical("node", 3), "bond": Categorical("pair", 2, undirected=True)}, 2)
TRIPLE = Space({"atom": Categorical("node", 2), "bond": Categorical("pair", 2, undirected=True)}, 3)
EDGES = Space({"bond": Categorical("pair", 3, undirected=True)}, 3)
WEIGHTS = {"atom": [0.6, 0.3, 0.1], "bond": [0.7, 0.2, 0.1]}

TRANSPORTING = {
    "flow": (Flow, {}),
    "flow, uniform prior, distorted": (Flow, {"prior": "uniform", "distortion": 1.5}),
    "masked": (Masked, {}),
    "masked evenly": (Masked, {"evenly": True}),
}
RENOISING = {
    "marginal": (Marginal, {}),
    "marginal, uniform prior": (Marginal, {"prior": "uniform", "levels": 4000}),
    "flow, stochastic": (Flow, {"stochasticity": 0.5}),
    "flow, stochastic, distorted": (Flow, {"stochasticity": 0.7, "distortion": 2.0}),
}
PROCESSES = {**TRANSPORTING, **RENOISING}


def make_process(name: str, space: Space) -> Discrete:
    cls, settings = PROCESSES[name]
    marginals = {field: WEIGHTS[field][: space.schema[field].classes] for field in space.schema}
    return cls(space.schema, marginals, **settings)


def make_diffusion(
    process: Discrete, space: Space, anchor: str, law: torch.Tensor
) -> tuple[Diffusion, torch.Tensor | None]:
    """A diffusion with the exact denoiser for the data law, and the ranks of all z where z matters."""
    if anchor == "nothing":
        return Diffusion(Table(process, space, law[None]), process, Nothing()), None
    if anchor == "noise":
        return Diffusion(Table(process, space, law[None]), process, Noise(2)), None
    given, origin, seen = law.expand(len(space.group), -1), None, space
    if anchor == "data":
        given = space.kernel() * law * len(space.group)
    if anchor == "prior":
        seen = Space(process.noisy_schema(), space.nodes)
        origin = seen.kernel() * prior_law(process, seen) * len(space.group)
    breaker = SymPE(Smallest(seen), NodeCode(space.nodes, 1), anchor)
    return Diffusion(Table(process, space, given, origin), process, breaker), space.group


def limit(diffusion: Diffusion, ranks: torch.Tensor | None, steps: int) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The sampled law extrapolated to many steps (errors in 1/K and 1/K²) from K, 2K and 4K steps, and those three."""
    laws = [sampled_law(diffusion, steps * 2**k, ranks=ranks) for k in range(3)]
    first = [2 * laws[1] - laws[0], 2 * laws[2] - laws[1]]
    return (4 * first[1] - first[0]) / 3, laws


CASES = [(name, anchor) for name in PROCESSES for anchor in ("nothing", "none", "data")]
CASES += [(name, "prior") for name in TRANSPORTING]


@pytest.mark.parametrize(("name", "anchor"), CASES)
@pytest.mark.parametrize("space", [PAIR, pytest.param(EDGES, marks=pytest.mark.slow)], ids=["pair", "edges"])
def test_the_sampled_law_is_the_data_law(space, name, anchor):
    process, law = make_process(name, space), space.invariant_law(0)
    diffusion, ranks = make_diffusion(process, space, anchor, law)
    if isinstance(process, Masked) and process.evenly:  # one entry at a time: exact without any limit
        torch.testing.assert_close(sampled_law(diffusion, len(space.places), ranks=ranks), law, atol=1e-12, rtol=0)
        return
    extrapolated, laws = limit(diffusion, ranks, 20)
    errors = [variation(found, law) for found in laws]
    assert errors[0] > 1.5 * errors[1] > 1.5**2 * errors[2], errors
    assert variation(extrapolated, law) < 2e-3


@pytest.mark.slow
@pytest.mark.parametrize(("name", "anchor"), [("flow, uniform prior, distorted", "data"), ("marginal", "nothing")])
def test_the_sampled_law_is_the_data_law_with_labels_and_bonds_on_three_nodes(name, anchor):
    process, law = make_process(name, TRIPLE), TRIPLE.invariant_law(1)
    diffusion, ranks = make_diffusion(process, TRIPLE, anchor, law)
    assert variation(limit(diffusion, ranks, 20)[0], law) < 1e-3


@pytest.mark.parametrize("name", [name for name in PROCESSES if name != "masked evenly"])
def test_one_entry_is_exact_with_any_number_of_steps(name):
    space = Space({"atom": Categorical("node", 3)}, 1)
    process, law = make_process(name, space), space.invariant_law(2)
    diffusion, _ = make_diffusion(process, space, "nothing", law)
    for steps in (1, 2, 5):
        torch.testing.assert_close(sampled_law(diffusion, steps), law, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", RENOISING)
def test_renoising_with_a_prior_anchor_is_refused(name):
    process, law = make_process(name, PAIR), PAIR.invariant_law(0)
    with pytest.raises(
        ValueError, match=r"SymPE anchored in the prior sample needs steps that transport it, but \w+ noises afresh"
    ):
        make_diffusion(process, PAIR, "prior", law)


@pytest.mark.slow
@pytest.mark.parametrize("name", RENOISING)
def test_renoising_with_a_prior_anchor_would_sample_another_law(name, monkeypatch):
    process, law = make_process(name, PAIR), PAIR.invariant_law(0)
    monkeypatch.setattr(type(process), "renoises", False)  # past the refusal
    diffusion, ranks = make_diffusion(process, PAIR, "prior", law)
    extrapolated, laws = limit(diffusion, ranks, 20)
    errors = [variation(found, law) for found in laws]
    assert errors[2] > 0.75 * errors[1]  # more steps do not help,
    assert variation(extrapolated, law) > 1e-2  # and what is left is no error of the extrapolation


@pytest.mark.parametrize("anchor", ["nothing", "noise", "none", "data", "prior"])
@pytest.mark.parametrize("name", PROCESSES)
def test_samples_follow_the_chain(name, anchor):
    """What ``sample`` draws, by its own loop and its own z, has the law of the chain with as many steps."""
    if anchor == "prior" and name in RENOISING:
        return
    process, law = make_process(name, PAIR), PAIR.invariant_law(3)
    diffusion, ranks = make_diffusion(process, PAIR, anchor, law)
    count, steps = 4000, 3
    mask = torch.ones(count, PAIR.nodes, dtype=torch.bool)
    found = torch.bincount(PAIR.index(Ancestral(diffusion, steps)(Request.of(mask, seed=5)).x), minlength=len(PAIR))
    expected = sampled_law(diffusion, steps, ranks=ranks) * count
    assert found[expected < 1e-9].sum() == 0
    seen = expected >= 1e-9
    assert chisquare(found[seen], expected[seen]).pvalue > 1e-6


@pytest.mark.parametrize("anchor", ["noise", "data"])
@pytest.mark.parametrize("name", PROCESSES)
def test_a_sample_depends_on_its_seed_and_row_alone(name, anchor):
    process, law = make_process(name, TRIPLE), TRIPLE.invariant_law(3)
    diffusion, _ = make_diffusion(process, TRIPLE, anchor, law)
    rows, mask = torch.arange(12), torch.ones(12, TRIPLE.nodes, dtype=torch.bool)
    whole = Ancestral(diffusion, 8)(Request.of(mask, seed=7)).x
    split = collate([Ancestral(diffusion, 8)(Request.of(mask, seed=7).part(part)).x for part in rows.split([1, 4, 7])])
    other = Ancestral(diffusion, 8)(Request.of(mask, seed=8)).x
    assert torch.equal(TRIPLE.entries(whole), TRIPLE.entries(split))
    assert not torch.equal(TRIPLE.entries(whole), TRIPLE.entries(other))


def test_the_loss_of_the_exact_denoiser_is_least():
    """Any other prediction has a larger expected loss, for z anchored in the data too."""
    process, law = make_process("flow", PAIR), PAIR.invariant_law(4)
    diffusion, _ = make_diffusion(process, PAIR, "data", law)
    diffusion.objective = Denoising()
    count = 20000
    x0 = PAIR.states(torch.multinomial(law, count, replacement=True, generator=torch.Generator().manual_seed(0)))
    best = diffusion(x0, Streams(0, torch.arange(count)))
    diffusion.denoiser.given = law.expand(len(PAIR.group), -1)  # the posterior that does not know z
    worse = diffusion(x0, Streams(0, torch.arange(count)))
    gap = worse - best
    assert gap.mean() > 5 * gap.std() / count**0.5
