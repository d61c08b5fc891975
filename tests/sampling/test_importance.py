"""Weights make a wrong model's samples count as those of the right law: checked by enumeration."""

import itertools
import math

import numpy as np
import pytest
import torch

from symdiff.breaking.nothing import Nothing
from symdiff.breaking.site_code import SiteCode
from symdiff.breaking.sympe import SymPE
from symdiff.canonical.sites import Sites
from symdiff.denoisers.lattice import LatticeConvolution
from symdiff.diffusion import Diffusion
from symdiff.domains.lattice import SpinLattice
from symdiff.errors import UserError
from symdiff.groups.lattices import Space
from symdiff.groups.product import DirectProduct
from symdiff.groups.relabel import Relabel
from symdiff.pipeline import SymdiffPipeline
from symdiff.processes.flow import Flow
from symdiff.processes.masked import Masked
from symdiff.sampling.ancestral import Ancestral
from symdiff.sampling.chain import Chain
from symdiff.sampling.importance import Importance, Weighted
from symdiff.sampling.request import Request
from symdiff.spins.configuration import Configuration
from symdiff.state import Categorical, State, schema_to_plain
from symdiff.testing import chi_square

SITES, COUNT = 4, 20_000
SCHEMA = {"spin": Categorical("node", 2)}
GROUP = DirectProduct([Space("chain"), Relabel(["spin", "sign"], 2, [[1, 0]])])


def log_density(x: State) -> torch.Tensor:
    """-E/T of a ferromagnetic ring."""
    s = 1 - 2 * x["spin"].double()
    return 0.8 * (s * s.roll(1, 1)).sum(1)


def model(breaker) -> Diffusion:
    """A network that was never trained."""
    torch.manual_seed(0)
    process = Masked(schema_to_plain(SCHEMA), evenly=True)
    plain = {
        "schema": schema_to_plain(SCHEMA),
        "noisy": schema_to_plain(process.noisy_schema()),
        "code": schema_to_plain(breaker.schema),
    }
    denoiser = LatticeConvolution(**plain, lattice="chain", width=16, layers=2)
    for parameter in denoiser.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return Diffusion(denoiser, process, breaker).eval()


def weigh(diffusion: Diffusion, mask: torch.Tensor, seed: int = 0) -> Weighted:
    path = Importance(diffusion, SITES, log_density)(Request.of(mask), torch.Generator().manual_seed(seed))
    return Weighted(path.x, path.log_weights)


def draw(pipeline: SymdiffPipeline, count: int, seed: int, condition: State, batch_size: int | None = None):
    """Samples with weights."""
    return pipeline.sample(
        Request(count, condition=condition, seed=seed),
        Importance(pipeline.diffusion, SITES, pipeline.domain.log_density),
        batch_size,
    )


BREAKERS = {
    "nothing": lambda: Nothing(),
    "anchored": lambda: SymPE(Sites(GROUP, ["spin"]), SiteCode("chain")),
    "unanchored": lambda: SymPE(Sites(GROUP, ["spin"]), SiteCode("chain"), anchor="none"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BREAKERS)
def test_the_norm_and_the_means_are_those_of_the_target(name):
    diffusion = model(BREAKERS[name]())
    mask = torch.ones(COUNT, SITES, dtype=torch.bool)
    found = weigh(diffusion, mask)
    every = torch.tensor(list(itertools.product((0, 1), repeat=SITES)))
    all_of_them = State(torch.ones(len(every), SITES, dtype=torch.bool), SCHEMA, {"spin": every})
    exact = log_density(all_of_them)
    assert abs(found.log_norm - float(exact.logsumexp(0))) < 5 * found.error and found.error < 0.1
    energy = float(exact.softmax(0) @ exact)
    assert found.mean(log_density(found.x)) == pytest.approx(energy, abs=0.15)
    assert 10 < found.effective <= COUNT
    dead = found.log_weights.isinf()
    assert bool(dead.any()) == (name == "anchored") and not bool(dead.all())


def test_samples_are_those_of_the_model_and_other_processes_say_no():
    diffusion = model(BREAKERS["nothing"]())
    mask = torch.ones(8, SITES, dtype=torch.bool)
    a = weigh(diffusion, mask, 1).x
    b = Ancestral(diffusion, SITES)(Request.of(mask), torch.Generator().manual_seed(1)).x
    assert torch.equal(a["spin"], b["spin"])
    flow = Diffusion(diffusion.denoiser, Flow(schema_to_plain(SCHEMA), {"spin": [0.5, 0.5]}), Nothing())
    with pytest.raises(ValueError, match="need a model with the process Masked"):
        weigh(flow, mask)
    assert math.isfinite(float(weigh(diffusion, mask, 2).error))


def test_the_chain_of_weighted_samples_has_the_law_of_the_weights():
    target, count = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.0]).double(), 100_000
    drawn = torch.randint(
        5, (count,), generator=torch.Generator().manual_seed(2)
    )  # a model that knows nothing, and one label that is impossible
    samples = Weighted(State(torch.ones(count, 1, dtype=torch.bool), {}, {}), (5 * target).log()[drawn])
    rows = samples.chain(torch.Generator().manual_seed(3))
    seen = drawn[rows][::10]  # far enough apart to be independent
    assert chi_square(seen.bincount(minlength=5)[:4], target[:4] * len(seen)) > 1e-6
    assert bool((drawn[rows] < 4).all()) and bool((rows <= torch.arange(count)).all() | (drawn[0] == 4))
    alike = Weighted(samples.x, torch.zeros(count))
    assert torch.equal(alike.chain(), torch.arange(count))


def ring(temperature: bool = True) -> SymdiffPipeline:
    """Spins on a chain at a temperature, by a network that was never trained."""
    torch.manual_seed(0)
    domain = SpinLattice("chain", conditions=["temperature"] if temperature else [])
    process = Masked(schema_to_plain(SCHEMA), evenly=True)
    noisy = schema_to_plain({**process.noisy_schema(), **{name: domain.schema[name] for name in domain.conditions}})
    denoiser = LatticeConvolution(schema_to_plain(SCHEMA), noisy, {}, lattice="chain", width=16, layers=2)
    for parameter in denoiser.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return SymdiffPipeline.of(Diffusion(denoiser, process, Nothing()), domain, [0.0] * SITES + [1.0])


def test_a_pipeline_corrects_its_samples_to_boltzmanns_law():
    pipeline, temperature = ring(), 3.0
    given = pipeline.domain.options.read_condition({"temperature": str(temperature), "size": str(SITES)})
    samples = draw(pipeline, COUNT, 3, given, 4096)
    labels = (next(Chain(3)([samples])).state()["spin"] * 2 ** torch.arange(SITES)).sum(1)
    every = torch.tensor(list(itertools.product((0, 1), repeat=SITES)))
    s = 1 - 2 * every.double()
    exact = torch.zeros(2**SITES, dtype=torch.float64).index_put(
        ((every * 2 ** torch.arange(SITES)).sum(1),), ((s * s.roll(1, 1)).sum(1) / temperature).softmax(0)
    )
    seen = labels[::20]
    assert chi_square(seen.bincount(minlength=2**SITES), exact * len(seen)) > 1e-6
    raw = (samples.state()["spin"] * 2 ** torch.arange(SITES)).sum(1)[::20]
    assert chi_square(raw.bincount(minlength=2**SITES), exact * len(raw)) < 1e-6  # it was not so before
    found = samples.weigh()
    assert abs(found.log_norm - float(((s * s.roll(1, 1)).sum(1) / temperature).logsumexp(0))) < 5 * found.error


def test_a_row_of_the_chain_depends_on_the_seed_and_the_rows_before():
    pipeline = ring()
    given = pipeline.domain.options.read_condition({"temperature": "1.5", "size": str(SITES)})
    many = next(Chain(1)([draw(pipeline, 200, 1, given)])).state()["spin"]
    few = next(Chain(1)([draw(pipeline, 70, 1, given, 32)])).state()["spin"]
    assert torch.equal(many[:70], few)
    assert not torch.equal(many[:70], next(Chain(2)([draw(pipeline, 70, 2, given)])).state()["spin"])


def test_samples_without_a_law_or_of_several_have_no_chain():
    pipeline = ring()
    given = pipeline.domain.condition(
        pipeline.domain.codec.hamiltonian_of(Configuration(np.ones(SITES, np.int8))), [1.0, 2.0]
    )
    with pytest.raises(UserError, match="one condition for all"):
        next(Chain()([draw(pipeline, 2, 0, given)]))
    with pytest.raises(ValueError, match="have no weights"):
        next(Chain()([pipeline.sample(Request(2, condition=given), SITES)]))
    with pytest.raises(UserError, match="a distribution that is known"):
        draw(ring(temperature=False), 2, 0, None)
    hidden = State(given.mask, pipeline.process.noisy_schema(), {"spin": torch.full((2, SITES), 2)})
    with pytest.raises(UserError, match="nothing may be fixed"):
        pipeline.sample(Request(2, condition=given, known=hidden), Importance(pipeline.diffusion, SITES, log_density))
