"""Exact references against brute force and against each other; Monte Carlo against the exact laws."""

from __future__ import annotations

import math

import pytest
import torch

from symdiff.groups.torus import torus
from symdiff.spins.autocorrelation import memory
from symdiff.spins.coloring import sublattices
from symdiff.spins.exact import ground_states, log_partition, mean_energy, sample_boltzmann, sample_ground_states
from symdiff.spins.hamiltonian import Hamiltonian, gaussian_bonds, interaction, ising_field, random_bonds, random_fields
from symdiff.spins.heat_bath import HeatBath
from symdiff.spins.max_flow import ground_states_in_fields
from symdiff.spins.mixed import rounds
from symdiff.spins.onsager import CRITICAL, kaufman_energy, kaufman_log_partition, onsager_energy, yang_magnetization
from symdiff.spins.tempering import Tempering
from symdiff.spins.transfer import Boltzmann
from symdiff.spins.wolff import Wolff, reflections
from symdiff.testing import chi_square

ISING = interaction("ising")


def all_configurations(h: Hamiltonian) -> torch.Tensor:
    sites, states = h.torus.sites, h.states
    return torch.arange(states**sites)[:, None] // states ** torch.arange(sites) % states


def make(
    kind: str, sides, model: str = "ising", states: int = 2, shells: int = 1, couplings=None, field: float = 0.0
) -> Hamiltonian:
    """Gaussian couplings and fields unless couplings are given."""
    piece, draw = torus(kind, sides), torch.Generator().manual_seed(3)
    h = field * torch.randn(piece.sites, states, generator=draw, dtype=torch.float64)
    couplings = gaussian_bonds(piece, 0.2, 1.0, 1, draw, shells) if couplings is None else couplings
    return Hamiltonian.make(piece, interaction(model, states), couplings, h)


SMALL = {
    "Ising, L = 4": lambda: make("square", 4, couplings=[1.0]),
    "J1-J2, L = 4": lambda: make("square", 4, couplings=[1.0, 1.0, -0.5, -0.5]),
    "anisotropic antiferromagnet in a field, L = 4": lambda: make("square", 4, couplings=[-1.0, -0.5], field=1.0),
    "random bonds, L = 4": lambda: make("square", 4),
    "random bonds and fields of two shells, L = 4": lambda: make("square", 4, shells=2, field=1.0),
    "signs, L = 4": lambda: Hamiltonian.make(
        torus("square", 4), ISING, random_bonds(torus("square", 4), 0.5, 1, torch.Generator().manual_seed(0))
    ),
    "rectangle": lambda: make("square", [2, 5], shells=2, field=0.5),
    "chain": lambda: make("chain", 11, shells=2, field=0.3),
    "triangular antiferromagnet": lambda: make("triangular", 3, couplings=[-1.0]),
    "triangular, two shells": lambda: make("triangular", [3, 4], shells=2),
    "cubic": lambda: make("cubic", [2, 2, 3], field=0.1),
    "Potts": lambda: make("square", 3, "potts", 3, field=0.5),
    "triangular Potts, uniform": lambda: make("triangular", 3, "potts", 3, couplings=[1.0]),
    "clock": lambda: make("square", [2, 3], "clock", 5, field=0.2),
}


@pytest.mark.parametrize("name", SMALL)
def test_the_transfer_matrix_is_brute_force(name):
    h = SMALL[name]()
    energy = h.total(all_configurations(h))
    for temperature in (0.3, 2.2):
        assert log_partition(h, temperature).item() == pytest.approx(
            torch.logsumexp(-energy / temperature, 0).item(), rel=1e-10
        )
    weights = (-energy / 2.2).softmax(0)
    assert mean_energy(h, 2.2).item() == pytest.approx((weights * energy).sum().item() / h.torus.sites, abs=1e-8)
    found = ground_states(h)
    assert found.energy.item() == pytest.approx(energy.min().item() / h.torus.sites, abs=1e-10)
    assert found.count.item() == (energy < energy.min() + 1e-8).sum().item()


def counted(h: Hamiltonian, spins: torch.Tensor) -> torch.Tensor:
    return torch.bincount((spins * h.states ** torch.arange(h.torus.sites)).sum(1), minlength=h.states**h.torus.sites)


def law_pvalue(h: Hamiltonian, spins: torch.Tensor, weights: torch.Tensor) -> float:
    """Chi-square of configurations against probabilities; rare ones are counted together."""
    counts, law = counted(h, spins), weights / weights.sum()
    rare = law * len(spins) < 10
    if rare.any() and law[rare].sum() * len(spins) < 10:
        rare |= law == law[~rare].min()
    merged = torch.cat([counts[~rare], counts[rare].sum()[None]]), torch.cat([law[~rare], law[rare].sum()[None]])
    return chi_square(merged[0], merged[1])


TINY = {
    "Ising": lambda: make("square", [2, 4], couplings=[1.0]),
    "random bonds and fields": lambda: make("square", [2, 4], field=0.7),
    "J1-J2 with signs": lambda: make("square", [3, 3], couplings=[1.0, 1.0, -0.5, -0.5]),
    "odd chain": lambda: make("chain", 7, couplings=[-1.0]),
    "Potts": lambda: make("triangular", [2, 3], "potts", 3, couplings=[0.7]),
    "clock in a field": lambda: make("chain", 4, "clock", 4, field=0.5),
}


@pytest.mark.parametrize("name", TINY)
def test_exact_samples_follow_boltzmanns_law(name):
    h = TINY[name]()
    spins = sample_boltzmann(h, 1.7, 30_000, torch.Generator().manual_seed(0))
    assert law_pvalue(h, spins, (-h.total(all_configurations(h)) / 1.7).exp()) > 1e-6


@pytest.mark.parametrize(
    "name", ["triangular antiferromagnet", "signs, L = 4", "J1-J2, L = 4", "triangular Potts, uniform"]
)
def test_exact_ground_states_are_uniform(name):
    h = SMALL[name]()
    energy = h.total(all_configurations(h))
    spins = sample_ground_states(h, 5000, torch.Generator().manual_seed(0))
    assert chi_square(counted(h, spins), energy < energy.min() + 1e-8) > 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_heat_bath_follows_boltzmanns_law(name):
    h = TINY[name]()
    bath = HeatBath(h, 1.7, 30_000, torch.Generator().manual_seed(1))
    bath.sweep(60)
    assert torch.allclose(bath.energy(), h.energy(bath.spins), atol=1e-6)
    assert law_pvalue(h, bath.spins, (-h.total(all_configurations(h)) / 1.7).exp()) > 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in TINY if "field" not in name] + ["random bonds", "clock"])
def test_wolff_follows_boltzmanns_law(name):
    more = {"random bonds": lambda: make("square", [2, 4]), "clock": lambda: make("chain", 4, "clock", 4)}
    h = {**TINY, **more}[name]()
    wolff = Wolff(h, 1.7, 30_000, torch.Generator().manual_seed(2))
    wolff.update(60)
    assert law_pvalue(h, wolff.spins, (-h.total(all_configurations(h)) / 1.7).exp()) > 1e-6


def test_tempering_follows_boltzmanns_law_at_every_temperature():
    h = make("square", [2, 4], field=0.7)
    ladder = Tempering(h, [3.0, 1.0, 1.7], 10_000, torch.Generator().manual_seed(3))
    ladder.sweep(40)
    for level, temperature in enumerate([1.0, 1.7, 3.0]):
        law = (-h.total(all_configurations(h)) / temperature).exp()
        assert law_pvalue(h, ladder.spins[:, level], law) > 1e-6
    assert (ladder.exchanges > 0.3).all() and (ladder.exchanges < 1).all()
    assert torch.allclose(ladder.energy()[:, 1], h.energy(ladder.spins[:, 1]))


def test_chains_with_their_own_hamiltonians_and_temperatures():
    piece, draw = torus("square", [2, 4]), torch.Generator().manual_seed(4)
    three = Hamiltonian.make(piece, ISING, gaussian_bonds(piece, 0.0, 1.0, 3, draw), random_fields(piece, 0.5, 3, draw))
    temperatures = torch.tensor([2.0, 3.0, 5.0])
    each = 8000
    bath = HeatBath(
        three.select(torch.arange(3).repeat_interleave(each)), temperatures.repeat_interleave(each), 3 * each, draw
    )
    bath.sweep(60)
    for k, part in enumerate(bath.spins.split(each)):
        h = three.select([k])
        assert law_pvalue(h, part, (-h.total(all_configurations(h)) / temperatures[k]).exp()) > 1e-6


def test_a_step_keeps_the_law_on_a_larger_lattice():
    """Chains that begin in exact samples stay there in energy and magnetization, at L = 6 and criticality."""
    h, draw = make("square", 6, couplings=[1.0]), torch.Generator().manual_seed(5)
    spins = sample_boltzmann(h, CRITICAL, 4000, draw)
    exact, width = mean_energy(h, CRITICAL).item(), (h.energy(spins).std() / 4000**0.5).item()
    assert abs(h.energy(spins).mean().item() - exact) < 5 * width
    for sampler in (HeatBath(h, CRITICAL, 4000, draw), Wolff(h, CRITICAL, 4000, draw)):
        sampler.spins = spins
        (sampler.sweep if isinstance(sampler, HeatBath) else sampler.update)(3)
        assert abs(sampler.energy().mean().item() - exact) < 5 * width
        up = (sampler.spins.sum(1) < 18).sum(), (sampler.spins.sum(1) > 18).sum()
        assert chi_square(torch.tensor(up), torch.ones(2)) > 1e-6


def test_reflections():
    assert reflections(ISING).tolist() == [[1, 0]]
    assert len(reflections(interaction("potts", 3))) == 3 and len(reflections(interaction("potts", 4))) >= 6
    clock = reflections(interaction("clock", 5))
    assert len(clock) == 5


def test_sublattices_have_no_bonds_inside():
    for h, size in (
        (make("square", 6), 2),
        (make("square", 4, couplings=[1.0, 1.0, 0.5, 0.5]), 4),
        (make("square", 5), None),
    ):
        parts = sublattices(h)
        assert size in (None, len(parts))
        assert torch.cat(parts).sort().values.tolist() == list(range(h.torus.sites))
        start, end, coupling = h.bonds()
        color = torch.zeros(h.torus.sites, dtype=torch.int64)
        for k, part in enumerate(parts):
            color[part] = k
        assert (color[start] != color[end])[coupling[0] != 0].all()


def test_minimum_cuts_are_ground_states():
    draw = torch.Generator().manual_seed(0)
    piece = torus("square", 5)
    couplings = torch.rand(6, 25, 2, generator=draw, dtype=torch.float64)
    h = Hamiltonian.make(piece, ISING, couplings, random_fields(piece, 1.5, 6, draw))
    cuts, exact = ground_states_in_fields(h), ground_states(h)
    assert torch.allclose(cuts.energy, exact.energy, atol=1e-6, rtol=0) and (cuts.energy >= exact.energy - 1e-12).all()
    assert (cuts.energy - exact.energy <= cuts.resolution).all() and (cuts.resolution < 1e-5).all()
    assert cuts.unique.all() and (exact.count == 1).all()
    plain = Hamiltonian.make(piece, ISING)
    even = ground_states_in_fields(plain)
    assert even.energy.item() == -2 and not even.unique.item() and even.resolution.item() == 0
    with pytest.raises(ValueError, match="at least 0"):
        ground_states_in_fields(make("square", 4, couplings=[-1.0]))
    with pytest.raises(ValueError, match="for Ising spins"):
        ground_states_in_fields(make("square", 3, "potts", 3, couplings=[1.0]))


@pytest.mark.parametrize("temperature", [1.0, 2.0, CRITICAL, 2.5, 5.0])
def test_kaufmans_torus_is_the_transfer_matrix(temperature):
    for rows, columns in ((3, 3), (4, 6), (5, 4)):
        h = make("square", [rows, columns], couplings=[1.0])
        assert kaufman_log_partition(rows, columns, temperature) == pytest.approx(
            log_partition(h, temperature).item(), rel=1e-12
        )
        assert kaufman_energy(rows, columns, temperature) == pytest.approx(mean_energy(h, temperature).item(), abs=1e-8)


@pytest.mark.slow
def test_tori_of_side_10():
    """The largest that the transfer matrix is promised for.

    Kaufman's ln Z, known ground states, and uniform draws of them.
    """
    plain = make("square", 10, couplings=[1.0])
    assert log_partition(plain, 2.27).item() == pytest.approx(kaufman_log_partition(10, 10, 2.27), rel=1e-12)
    stripes = ground_states(make("square", 8, couplings=[0.5, 0.5, -1.0, -1.0]))
    assert stripes.energy.item() == pytest.approx(-2.0, abs=1e-12) and stripes.count.item() == 4
    glass = Hamiltonian.make(
        torus("square", 10), ISING, random_bonds(torus("square", 10), 0.5, 1, torch.Generator().manual_seed(6))
    )
    found = ground_states(glass)
    assert torch.allclose(
        glass.energy(sample_ground_states(glass, 20, torch.Generator().manual_seed(7))), found.energy.expand(20)
    )
    limit = log_partition(glass, 0.05).item() + found.energy.item() * 100 / 0.05
    assert limit == pytest.approx(math.log(found.count.item()), abs=1e-6)


def test_onsager_and_yang():
    for temperature in (1.2, 1.8, 3.0, 6.0):
        assert onsager_energy(temperature) == pytest.approx(kaufman_energy(256, 256, temperature), abs=1e-6)
    assert onsager_energy(CRITICAL) == pytest.approx(-math.sqrt(2), abs=1e-9)
    assert onsager_energy(0.001) == pytest.approx(-2)
    assert onsager_energy(1e4) == pytest.approx(-2e-4, rel=1e-3)
    assert yang_magnetization(2.0) == pytest.approx(0.911319377877, abs=1e-11)
    assert yang_magnetization(2.27) == 0 and yang_magnetization(0.001) == 1
    for function in (onsager_energy, yang_magnetization, lambda t: kaufman_log_partition(4, 4, t)):
        with pytest.raises(ValueError, match="more than 0"):
            function(0.0)


def test_memory_of_an_autoregressive_chain():
    draw = torch.Generator().manual_seed(0)
    noise = torch.randn(4000, 32, generator=draw, dtype=torch.float64)
    series = torch.zeros_like(noise)
    series[0] = noise[0] / (1 - 0.8**2) ** 0.5
    for t in range(1, len(noise)):
        series[t] = 0.8 * series[t - 1] + noise[t]
    found = memory(series)
    assert abs(found.time - 4.5) < 5 * found.error < 1
    assert abs(found.mean) < 5 * found.deviation
    assert found.effective == pytest.approx(4000 * 32 / 9, rel=0.1)
    with pytest.raises(ValueError, match="too short"):
        memory(torch.arange(50.0)[:, None].expand(-1, 4) + torch.randn(50, 4, generator=draw))
    with pytest.raises(ValueError, match="without any change"):
        memory(torch.ones(10, 2))


def test_what_cannot_be_done_is_told():
    h = make("square", 4)
    with pytest.raises(ValueError, match="needs .* steps"):
        log_partition(make("square", 14), 2.0)
    with pytest.raises(ValueError, match="more than 0"):
        Boltzmann(0.0)
    with pytest.raises(ValueError, match="more than 0"):
        HeatBath(h, -1.0, 4)
    with pytest.raises(ValueError, match="4 chains need 1 or 4 Hamiltonians, got 3"):
        HeatBath(h.select([0, 0, 0]), 1.0, 4)
    with pytest.raises(ValueError, match="without a field"):
        Wolff(make("square", 4, field=1.0), 1.0, 4)
    with pytest.raises(ValueError, match="2 ladders need 1 or 2"):
        Tempering(h.select([0, 0, 0]), [1.0, 2.0], 2)
    with pytest.raises(ValueError, match="bond to itself"):
        sublattices(make("chain", 2, shells=2))
    with pytest.raises(ValueError, match="one Hamiltonian is swept"):
        sample_boltzmann(h.select([0, 0]), 1.0, 2)


def test_polarized_fields():
    h = Hamiltonian.make(torus("square", 4), ISING, field=ising_field(torch.tensor(0.3, dtype=torch.float64)))
    found = ground_states(h)
    assert found.energy.item() == pytest.approx(-2.3) and found.count.item() == 1
    assert not sample_ground_states(h, 10).any()


@pytest.mark.slow
def test_clusters_and_heat_bath_in_turn_have_the_exact_energies_at_every_temperature():
    h, temperatures = make("square", 8, couplings=[1.0]), torch.tensor([1.8, 2.27, 3.0])
    series = rounds(h, temperatures.repeat_interleave(200), 600, 70, torch.Generator().manual_seed(0))
    found = torch.stack([spins.clone() for k, spins in enumerate(series) if k >= 30 and k % 10 == 9])
    assert found.shape == (4, 600, 64)
    for k, temperature in enumerate(temperatures.tolist()):
        spins = found[:, 200 * k : 200 * (k + 1)].flatten(0, 1).long()
        energy = h.energy(spins)
        assert (
            abs(energy.mean().item() - kaufman_energy(8, 8, temperature)) < 6 * energy.std().item() / len(energy) ** 0.5
        )
        up = (1 - 2 * spins).sum(1)
        assert chi_square(torch.stack([(up > 0).sum(), (up < 0).sum()]), torch.ones(2)) > 1e-6
