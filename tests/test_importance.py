"""Weights make a wrong model's samples count as those of the right law: checked by enumeration."""

import itertools
import math

import pytest
import torch

from symdiff.breaking.nothing import Nothing
from symdiff.breaking.site_code import SiteCode
from symdiff.breaking.sympe import SymPE
from symdiff.canonical.sites import Sites
from symdiff.denoisers.lattice import LatticeConvolution
from symdiff.diffusion import Diffusion
from symdiff.groups.lattices import Space
from symdiff.groups.product import Product
from symdiff.groups.relabel import Relabel
from symdiff.importance import Weighted, weighted
from symdiff.processes.flow import Flow
from symdiff.processes.masked import Masked
from symdiff.state import Categorical, State, schema_to_plain
from symdiff.testing import chi_square

SITES, COUNT = 4, 20_000
SCHEMA = {"spin": Categorical("node", 2)}
GROUP = Product([Space("chain"), Relabel(["spin", "sign"], 2, [[1, 0]])])


def log_density(x: State) -> torch.Tensor:
    """-E/T of a ferromagnetic ring."""
    s = 1 - 2 * x["spin"].double()
    return 0.8 * (s * s.roll(1, 1)).sum(1)


def model(breaker) -> Diffusion:
    """A network that was never trained."""
    torch.manual_seed(0)
    process = Masked(schema_to_plain(SCHEMA), evenly=True)
    plain = {"schema": schema_to_plain(SCHEMA), "noisy": schema_to_plain(process.noisy_schema()), "code": schema_to_plain(breaker.schema)}
    denoiser = LatticeConvolution(**plain, lattice="chain", width=16, layers=2)
    for parameter in denoiser.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return Diffusion(denoiser, process, breaker).eval()


BREAKERS = {
    "nothing": lambda: Nothing(),
    "anchored": lambda: SymPE(Sites(GROUP, ["spin"]), SiteCode("chain")),
    "unanchored": lambda: SymPE(Sites(GROUP, ["spin"]), SiteCode("chain"), anchor="none"),
}


@pytest.mark.parametrize("name", BREAKERS)
def test_the_norm_and_the_means_are_those_of_the_target(name):
    diffusion = model(BREAKERS[name]())
    mask = torch.ones(COUNT, SITES, dtype=torch.bool)
    found = weighted(diffusion, mask, SITES, log_density, torch.Generator().manual_seed(0))
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
    a = weighted(diffusion, mask, SITES, log_density, torch.Generator().manual_seed(1)).x
    b = diffusion.sample(mask, SITES, torch.Generator().manual_seed(1))
    assert torch.equal(a["spin"], b["spin"])
    flow = Diffusion(diffusion.denoiser, Flow(schema_to_plain(SCHEMA), {"spin": [0.5, 0.5]}), Nothing())
    with pytest.raises(ValueError, match="need the process Masked"):
        weighted(flow, mask, SITES, log_density)
    assert math.isfinite(float(weighted(diffusion, mask, SITES, log_density).error))


def test_the_chain_of_weighted_samples_has_the_law_of_the_weights():
    target, count = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.0]).double(), 100_000
    drawn = torch.randint(5, (count,), generator=torch.Generator().manual_seed(2))  # a model that knows nothing, and one label that is impossible
    samples = Weighted(State(torch.ones(count, 1, dtype=torch.bool), {}, {}), (5 * target).log()[drawn])
    rows = samples.chain(torch.Generator().manual_seed(3))
    seen = drawn[rows][::10]  # far enough apart to be independent
    assert chi_square(seen.bincount(minlength=5)[:4], target[:4] * len(seen)) > 1e-6
    assert bool((drawn[rows] < 4).all()) and bool((rows <= torch.arange(count)).all() | (drawn[0] == 4))
    alike = Weighted(samples.x, torch.zeros(count))
    assert torch.equal(alike.chain(), torch.arange(count))
