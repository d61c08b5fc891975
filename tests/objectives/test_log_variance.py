"""The model's own samples are brought to a law that is known: gradients and the law reached, by enumeration."""

import itertools

import pytest
import torch

from symdiff.breaking.nothing import Nothing
from symdiff.breaking.site_code import SiteCode
from symdiff.breaking.sympe import SymPE
from symdiff.canonical.sites import Sites
from symdiff.denoisers.lattice import LatticeConvolution
from symdiff.diffusion import Diffusion
from symdiff.domains.lattice import SpinLattice
from symdiff.groups.lattices import Space
from symdiff.objectives.log_variance import LogVariance
from symdiff.processes.flow import Flow
from symdiff.processes.masked import Masked
from symdiff.random import Streams
from symdiff.sampling.ancestral import Ancestral
from symdiff.sampling.importance import Importance
from symdiff.sampling.request import Request
from symdiff.state import State, schema_to_plain

SITES, DOMAIN = 4, SpinLattice("chain", conditions=["temperature"])
DRIVEN = {"spin": DOMAIN.schema["spin"]}
EVERY = torch.tensor(list(itertools.product((0, 1), repeat=SITES)))


def parts(seed: int = 0) -> tuple[LatticeConvolution, Masked]:
    torch.manual_seed(seed)
    process = Masked(schema_to_plain(DRIVEN), evenly=True)
    noisy = schema_to_plain({**process.noisy_schema(), "temperature": DOMAIN.schema["temperature"]})
    denoiser = LatticeConvolution(schema_to_plain(DRIVEN), noisy, {}, lattice="chain", width=16, layers=2)
    for parameter in denoiser.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return denoiser, process


def structures(temperatures: list[float]) -> State:
    """Spins that are all up, at temperatures."""
    mask = torch.ones(len(temperatures), SITES, dtype=torch.bool)
    values = {
        "temperature": torch.tensor(temperatures)[:, None],
        "spin": torch.zeros(len(temperatures), SITES, dtype=torch.int64),
    }
    return State(mask, DOMAIN.schema, values)


def divergence(diffusion: Diffusion, temperature: float, count: int = 4000) -> float:
    """Half the variance of log w."""
    given = structures([temperature] * count).only("temperature")
    return float(
        Importance(diffusion, SITES, DOMAIN.log_density)(
            Request.of(given.mask, given), torch.Generator().manual_seed(9)
        ).log_weights.var()
        / 2
    )


@pytest.mark.slow
def test_training_on_its_own_samples_leads_to_boltzmanns_law():
    denoiser, process = parts()
    diffusion = Diffusion(denoiser, process, Nothing(), LogVariance(DOMAIN.log_density, SITES, draws=64))
    before = {t: divergence(diffusion, t) for t in (1.5, 3.0)}
    optimizer = torch.optim.Adam(diffusion.parameters(), 1e-2)
    for step in range(150):
        optimizer.zero_grad()
        diffusion(structures([1.5, 2.0, 2.5, 3.0]), Streams(0, torch.arange(4), step)).mean().backward()
        optimizer.step()
    assert all(divergence(diffusion, t) < 0.05 * value for t, value in before.items()) and min(before.values()) > 0.1
    given = structures([2.0] * 4000).only("temperature")
    seen = (
        Ancestral(diffusion, SITES)(Request.of(given.mask, given), torch.Generator().manual_seed(1)).x["spin"]
        * 2 ** torch.arange(SITES)
    ).sum(1)
    s = 1 - 2 * EVERY.double()
    law = torch.zeros(2**SITES, dtype=torch.float64).index_put(
        ((EVERY * 2 ** torch.arange(SITES)).sum(1),), ((s * s.roll(1, 1)).sum(1) / 2).softmax(0)
    )
    assert float((seen.bincount(minlength=2**SITES) / len(seen) - law).abs().sum()) / 2 < 0.05


@pytest.mark.slow
def test_the_gradient_is_that_of_the_divergence():
    """E ∂(½ Var log w) = ∂ KL(model | law), by finite differences of the exact divergence."""
    denoiser, process = parts(seed=1)
    denoiser.double()
    diffusion = Diffusion(denoiser, process, Nothing(), LogVariance(DOMAIN.log_density, SITES, draws=2000))
    x0 = structures([2.0] * 20)
    x0 = x0.with_values(temperature=x0["temperature"].double())
    diffusion(x0, Streams(0, torch.arange(20))).mean().backward()
    name, parameter = max(
        ((n, p) for n, p in denoiser.named_parameters() if p.requires_grad), key=lambda item: float(item[1].grad.norm())
    )
    direction = parameter.grad / parameter.grad.norm()

    def exact(shift: float) -> float:
        with torch.no_grad():
            parameter.add_(direction, alpha=shift)
            found = joint_divergence(denoiser, 2.0)
            parameter.sub_(direction, alpha=shift)
        return found

    slope = (exact(1e-4) - exact(-1e-4)) / 2e-4
    assert float(parameter.grad.norm()) == pytest.approx(slope, rel=0.1), name


def joint_divergence(denoiser, temperature: float) -> float:
    """KL of (order, spins) under the model to Boltzmann's law with a uniform order, by enumeration."""
    orders = list(itertools.permutations(range(SITES)))
    given = structures([temperature] * len(EVERY))
    given = given.with_values(temperature=given["temperature"].double())
    log_law = DOMAIN.log_density(given.with_values(spin=EVERY)).log_softmax(0)
    total = 0.0
    for order in orders:
        log_model = torch.zeros(len(EVERY), dtype=torch.float64)
        for k, site in enumerate(order):
            seen = torch.full_like(EVERY, 2)
            seen[:, list(order[:k])] = EVERY[:, list(order[:k])]
            x = State(
                given.mask,
                {
                    **Masked(schema_to_plain(DRIVEN), evenly=True).noisy_schema(),
                    "temperature": DOMAIN.schema["temperature"],
                },
                {"spin": seen, "temperature": given["temperature"]},
            )
            t = torch.full((len(EVERY),), 1 - k / SITES, dtype=torch.float64)
            out = denoiser(x, t, State(x.mask, {}, {}))
            log_model += out["spin"][:, site].log_softmax(-1).gather(1, EVERY[:, site, None])[:, 0]
        total += float((log_model.exp() * (log_model - log_law)).sum()) / len(orders)
    return total


def test_a_row_depends_on_its_own_noise_alone():
    diffusion = Diffusion(*parts(), Nothing(), LogVariance(DOMAIN.log_density, SITES, draws=8))
    x0 = structures([1.5, 2.0, 3.0])
    both = diffusion(x0, Streams(0, torch.arange(3), 5))
    one = diffusion(x0.select(torch.tensor([2])), Streams(0, torch.tensor([2]), 5))
    assert torch.allclose(both[2:], one)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"draws": 1}, "at least 2"),
        ({"log_density": None}, "a distribution that is known"),
        ({"process": Flow(schema_to_plain(DRIVEN), {"spin": [0.5, 0.5]})}, "the process Masked"),
        ({"breaker": SymPE(Sites(Space("chain"), ["spin"]), SiteCode("chain"))}, "anchored in 'data'"),
    ],
)
def test_what_has_no_likelihood_says_so(change, told):
    denoiser, process = parts()
    settings = {
        "denoiser": denoiser,
        "process": process,
        "breaker": Nothing(),
        "log_density": DOMAIN.log_density,
        "draws": 4,
        "steps": SITES,
        **change,
    }
    with pytest.raises(ValueError, match=told):
        objective = LogVariance(**{name: settings.pop(name) for name in ("log_density", "draws", "steps")})
        Diffusion(**settings, objective=objective)(structures([2.0]), Streams(0, torch.arange(1)))
