"""Spin lattices against enumeration, hand counts and closed forms; intervals against simulated chains."""

import math

import numpy as np
import pytest
import torch

from symdiff.spins.autocorrelation import integrated_time
from symdiff.spins.onsager import CRITICAL, onsager_energy, onsager_specific_heat, yang_magnetization
from symdiff.spins.transfer_matrix import TransferMatrix
from symdiff_evaluation.spins.bonds import energy, unsatisfied_share
from symdiff_evaluation.spins.correlation import exponential_length, second_moment_length, structure_factor, two_point
from symdiff_evaluation.spins.observables import domain_walls, magnetization, order_parameter, phase_name, waves
from symdiff_evaluation.spins.series import estimate_function, series_mean
from symdiff_evaluation.spins.thermodynamics import binder_cumulant, specific_heat
from tests.oracles.offset_hamiltonian import OffsetHamiltonian, j1j2, nearest


def every(*shape):
    """All configurations of a small lattice."""
    sites = math.prod(shape)
    return (1 - 2 * ((np.arange(2**sites)[:, None] >> np.arange(sites)) & 1)).reshape(-1, *shape).astype(np.int8)


UP, CHECKERS = np.ones((1, 4, 4), np.int8), (1 - 2 * (np.indices((4, 4)).sum(0) % 2)).astype(np.int8)[None]
ROWS = (1 - 2 * (np.indices((4, 4))[0] % 2)).astype(np.int8)[None]


@pytest.mark.parametrize(
    ("spins", "uniform", "antiferro", "diagonal", "walls"),
    [(UP, -2, 2, -4, 0), (CHECKERS, 2, -2, 0, 1), (ROWS, 0, 0, 2, 0.5)],
)
def test_energies_by_hand(spins, uniform, antiferro, diagonal, walls):
    assert energy(spins, nearest(2).on(4, 4)) == uniform and energy(spins, nearest(2, -1.0).on(4, 4)) == antiferro
    assert energy(spins, j1j2(1.0, 1.0).on(4, 4)) == diagonal and domain_walls(spins) == walls
    assert energy(ROWS, j1j2(0.0, -1.0).on(4, 4)) == -2
    assert energy(UP, nearest(2, 1.0, field=0.5).on(4, 4)) == -2.5
    assert energy(np.ones((1, 3, 4, 5), np.int8), nearest(3).on(3, 4, 5)) == -3
    assert energy(np.ones((2, 7)), nearest(1).on(7)).tolist() == [-1, -1]


OFFSETS = {
    "near": ("square", (3, 4), [(1, 0), (0, 1)]),
    "any order": ("square", (4, 3), [(0, -1), (-1, 1), (1, 0)]),
    "far": ("square", (5, 4), [(2, 1), (0, 3)]),
    "around": ("square", (2, 3), [(2, 0), (1, 1)]),
    "triangular": ("triangular", (3, 4), [(1, -1), (2, -1), (0, 1)]),
    "cubic": ("cubic", (2, 3, 4), [(0, 0, 1), (1, -1, 0)]),
    "chain": ("chain", (6,), [(-1,), (3,)]),
}


@pytest.mark.parametrize("name", OFFSETS)
@pytest.mark.parametrize("count", [1, 5])
def test_energies_are_those_written_a_second_time(name, count):
    kind, shape, offsets = OFFSETS[name]
    rng = np.random.default_rng(0)
    spins = rng.choice([-1, 1], (5, *shape))
    values = [rng.normal(size=(count, *shape)) * rng.choice([0, 1], shape) for _ in range(len(offsets) + 1)]
    written = OffsetHamiltonian(dict(zip(offsets, values[1:], strict=True)), values[0])
    hamiltonian = written.on(*shape, kind=kind)
    labels = torch.from_numpy((1 - spins) // 2).reshape(5, -1)
    assert energy(spins, hamiltonian) == pytest.approx(written.energy(spins), abs=1e-12)
    assert hamiltonian.energy(labels).numpy() == pytest.approx(written.energy(spins), abs=1e-12)
    assert unsatisfied_share(spins, hamiltonian) == pytest.approx(written.unsatisfied(spins))
    again = hamiltonian.select(slice(None))
    assert (
        again == hamiltonian
        and hash(again) == hash(hamiltonian)
        and hamiltonian != written.on(*shape, kind=kind).select([0] * 3)
    )


def test_couplings_that_are_none():
    with pytest.raises(ValueError, match="opposite"):
        OffsetHamiltonian({(1, 0): 1.0, (-1, 0): 1.0}).on(4, 4)
    with pytest.raises(ValueError, match="opposite"):
        OffsetHamiltonian({(0, 0): 1.0}).on(4, 4)
    with pytest.raises(ValueError, match="finite"):
        nearest(2, math.nan).on(4, 4)


def test_orders():
    assert [phase_name(wave) for wave in waves((4, 4))] == ["uniform", "stripes_y", "stripes_x", "checkerboard"]
    assert waves((3, 4)) == [(0, 0), (0, 1)]
    both = np.concatenate([UP, -CHECKERS, ROWS])
    assert order_parameter(both, (0, 0)).tolist() == [1, 0, 0] and order_parameter(both, (1, 1)).tolist() == [0, -1, 0]
    assert order_parameter(both, (1, 0)).tolist() == [0, 0, 1] and magnetization(both).tolist() == [1, 0, 0]


def test_two_point_function_and_structure_factor():
    spins = np.random.default_rng(1).choice([-1, 1], (6, 4, 5))
    for axis, half in ((0, 2), (1, 2)):
        got = two_point(spins, axis)
        want = [(spins * np.roll(spins, -t, axis + 1)).mean((1, 2)) for t in range(half + 1)]
        assert got == pytest.approx(np.stack(want, 1))
    factor = structure_factor(spins)
    assert factor.shape == (4, 5) and factor.mean() == pytest.approx(1)  # Parseval: s^2 = 1
    assert structure_factor(CHECKERS)[2, 2] == pytest.approx(16)


@pytest.mark.parametrize("shape", [(4, 4), (3, 4), (4, 3), (2, 4)])
def test_transfer_matrix_is_enumeration(shape):
    written = OffsetHamiltonian({(1, 0): 0.7, (0, 1): 1.1, (1, 1): -0.3, (1, -1): 0.2}, 0.15)
    spins, sites, temperature = every(*shape), math.prod(shape), 1.7
    total, m = written.energy(spins) * sites, magnetization(spins)
    weight = -total / temperature
    log_z = weight.max() + math.log(np.exp(weight - weight.max()).sum())
    law, torus = np.exp(weight - log_z), TransferMatrix(written.on(*shape), temperature)
    assert torus.log_z == pytest.approx(log_z, abs=1e-12)
    assert torus.energy == pytest.approx(law @ total / sites, abs=1e-12)
    heat = (law @ total**2 - (law @ total) ** 2) / temperature**2 / sites
    assert torus.specific_heat == pytest.approx(heat, abs=1e-8)
    assert torus.abs_magnetization == pytest.approx(law @ abs(m), abs=1e-12)
    assert torus.binder == pytest.approx(1 - law @ m**4 / (3 * (law @ m**2) ** 2), abs=1e-12)
    assert torus.row_correlation == pytest.approx(law @ two_point(spins, 1), abs=1e-12)
    turned = TransferMatrix(written.on(*shape), temperature, turned=True)
    assert turned.log_z == pytest.approx(log_z, abs=1e-12)
    assert turned.row_correlation == pytest.approx(law @ two_point(spins, 0), abs=1e-12)


def test_transfer_matrix_at_low_temperature_is_the_ground_state():
    torus = TransferMatrix(j1j2(1.0, -1.0).on(8, 8), 0.05)
    assert torus.log_z + torus.energy * 64 / 0.05 == pytest.approx(math.log(4), abs=1e-9)
    assert TransferMatrix(nearest(2, -1.0).on(6, 6), 0.05).energy == pytest.approx(-2)


def test_the_torus_tends_to_onsager():
    """Far from the critical point finite tori differ from the infinite lattice by exp(-L/xi)."""
    for temperature in (1.2, 5.0):
        torus = TransferMatrix(nearest(2).on(8, 8), temperature)
        assert torus.energy == pytest.approx(onsager_energy(temperature), abs=3e-4)
        assert torus.specific_heat == pytest.approx(onsager_specific_heat(temperature), abs=5e-3)
    assert TransferMatrix(nearest(2).on(8, 8), 1.2).abs_magnetization == pytest.approx(
        yang_magnetization(1.2), abs=1e-6
    )


def test_the_infinite_lattice():
    assert math.isinf(onsager_specific_heat(CRITICAL)) and onsager_specific_heat(0.05) == pytest.approx(0, abs=1e-12)
    step = 1e-4
    for temperature in (1.5, 2.2, 2.4, 4.0):
        slope = (onsager_energy(temperature + step) - onsager_energy(temperature - step)) / (2 * step)
        assert onsager_specific_heat(temperature) == pytest.approx(slope, rel=1e-5)


def chain_of(count, memory, rng):
    """A stationary Gaussian chain with autocorrelation memory^t and variance 1."""
    from scipy.signal import lfilter

    noise = rng.normal(size=count) * math.sqrt(1 - memory**2)
    noise[0] = rng.normal()
    return lfilter([1], [1, -memory], noise)


def test_integrated_time_of_a_known_chain():
    """An autoregressive chain has tau = 1/2 (1 + a) / (1 - a)."""
    rng = np.random.default_rng(3)
    for memory in (0.0, 0.5, 0.9):
        values = chain_of(200_000, memory, rng)
        got, _ = integrated_time(values, np.zeros(len(values), int))
        assert got == pytest.approx(0.5 * (1 + memory) / (1 - memory), rel=0.08)
    assert integrated_time(values)[0] == 0.5
    split = np.repeat(np.arange(20), 10_000)
    assert integrated_time(np.concatenate([chain_of(10_000, 0.9, rng) for _ in range(20)]), split)[0] == pytest.approx(
        9.5, rel=0.08
    )
    assert integrated_time(np.ones(50), np.zeros(50, int))[0] == 0.5


@pytest.mark.slow
@pytest.mark.parametrize("memory", [0.0, 0.8])
def test_intervals_over_chains_cover(memory):
    """95 % intervals of the mean and of a function of means hold the truth in 93 to 97 % of 500 simulations."""
    rng, count, hits = np.random.default_rng(int(10 * memory)), 10_000, np.zeros(2)
    chain = np.zeros(count, int) if memory else None
    for _ in range(500):
        values = 2 + chain_of(count, memory, rng)
        one = series_mean(values, chain)
        two = estimate_function(lambda m: m[1] / m[0] ** 2, np.stack([values, values**2], 1), chain)
        hits += [one.low <= 2 <= one.high, two.low <= 5 / 4 <= two.high]
    assert (0.93 <= hits / 500).all() and (hits / 500 <= 0.97).all()


def test_fluctuations():
    rng = np.random.default_rng(4)
    assert binder_cumulant(rng.choice([-0.9, 0.9], 100)).value == pytest.approx(2 / 3)
    gaussian = binder_cumulant(rng.normal(size=40_000))
    assert gaussian.low < 0 < gaussian.high
    energy = rng.normal(-1.5, 0.1, 40_000)
    heat = specific_heat(energy, 100, 2.0)
    assert heat.low < 100 * 0.01 / 4 < heat.high
    assert specific_heat(energy, 100, None).value is None


def test_samples_of_the_exact_law_agree_with_exact_values():
    """Draws from the enumerated Boltzmann law of a 4 x 4 torus: every estimate within 5 standard errors."""
    hamiltonian, temperature, rng = nearest(2), 2.5, np.random.default_rng(5)
    spins = every(4, 4)
    weight = np.exp(-16 * hamiltonian.energy(spins) / temperature)
    drawn = spins[rng.choice(len(spins), 20_000, p=weight / weight.sum())]
    torus, m = TransferMatrix(hamiltonian.on(4, 4), temperature), magnetization(drawn)
    for got, want in [
        (series_mean(hamiltonian.energy(drawn)), torus.energy),
        (series_mean(np.abs(m)), torus.abs_magnetization),
        (binder_cumulant(m), torus.binder),
        (specific_heat(hamiltonian.energy(drawn), 16, temperature), torus.specific_heat),
        (series_mean(two_point(drawn, 1)[:, 2]), torus.row_correlation[2]),
    ]:
        assert abs(got.value - want) < 5 * (got.high - got.low) / 3.92


def test_correlation_lengths_of_a_known_chain():
    """The ring with tanh(1/T) = exp(-1/xi): the exponential fit finds xi, the second moment its own closed form."""
    length, size, rng = 3.0, 32, np.random.default_rng(6)
    decay = math.exp(-1 / length)
    steps = np.where(rng.random((8000, size)) < (1 + decay) / 2, 1, -1)
    steps = steps[steps.prod(1) == 1]  # the ring closes
    spins = (np.cumprod(steps, 1) * rng.choice([-1, 1], (len(steps), 1))).astype(np.int8)
    got = exponential_length(spins, (0,))
    assert got.low - 0.2 < length < got.high + 0.2
    line = np.array([(decay**t + decay ** (size - t)) / (1 + decay**size) for t in range(size)])
    factor = np.fft.fft(line).real
    want = math.sqrt(factor[0] / factor[1] - 1) / (2 * math.sin(math.pi / size))
    got = second_moment_length(spins, (0,))
    assert abs(got.value - want) < 5 * (got.high - got.low) / 3.92
    staggered = spins * (1 - 2 * (np.arange(size) % 2))
    assert second_moment_length(staggered, (1,)).value == pytest.approx(got.value)
    assert exponential_length(np.ones((100, 8), np.int8), (0,)).value is None  # a plateau has no length
