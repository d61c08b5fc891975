"""How often 95 % intervals hold the truth, for every kind of interval that the evaluation gives.

    PYTHONPATH=.:evaluation python benchmarks/intervals.py [--count 2000] [--only word] [--json FILE]

Each row simulates sets of a law whose value is known in closed form, or by a far larger simulation, and counts the
intervals that hold it; of 500 correct ones 93 to 97 % do. Intervals that are conservative by construction, and those at
the edge of a range, say so.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from symdiff_evaluation.core.distances import total_variation, wasserstein
from symdiff_evaluation.core.estimate import Estimate, distinct, fraction, mean, ratio
from symdiff_evaluation.graphs.discrepancy import bound
from symdiff_evaluation.graphs.mmd import estimate, gaussian_tv, kernel
from symdiff_evaluation.molecules.chemnet import fit_gaussian, frechet
from symdiff_evaluation.molecules.metrics.fcd import GROUPS, Parts, distance
from symdiff_evaluation.molecules.similarity import cosine, internal_diversity, nearest_similarity
from symdiff_evaluation.molecules3d.metrics.distances import weigh
from symdiff_evaluation.molecules3d.metrics.strain import median
from symdiff_evaluation.spins.correlation import exponential_length, second_moment_length
from symdiff_evaluation.spins.metrics.reference import difference
from symdiff_evaluation.spins.series import series_mean
from symdiff_evaluation.spins.thermodynamics import binder_cumulant, specific_heat, susceptibility

Generator = np.random.Generator
CASES: dict[str, Callable[[Generator], Iterator[tuple[Estimate, float]]]] = {}


def case(name: str):
    def keep(simulate):
        CASES[name] = simulate
        return simulate

    return keep


@case("Wilson: 0.93 of 400")
def _(rng):
    while True:
        yield fraction(int(rng.binomial(400, 0.93)), 400), 0.93


@case("Wilson: 0.998 of 400")
def _(rng):
    while True:
        yield fraction(int(rng.binomial(400, 0.998)), 400), 0.998


def _kinds(number: int, drawn: int):
    def simulate(rng):
        truth = number * (1 - (1 - 1 / number) ** drawn) / drawn
        while True:
            yield distinct(rng.integers(number, size=drawn).tolist(), drawn), truth

    return simulate


for number in (1_000, 2_000, 100_000):
    CASES[f"distinct kinds: 1,000 draws of {number:,}"] = _kinds(number, 1_000)


@case("normal: mean of 400 exponential")
def _(rng):
    while True:
        x = rng.exponential(size=400)
        yield mean(x.sum(), (x * x).sum(), 400), 1.0


@case("delta method: share of atoms, 200 records")
def _(rng):
    while True:
        sizes = rng.integers(5, 30, 200)
        stable = rng.binomial(sizes, rng.beta(9, 1, 200))
        yield ratio(list(zip(stable.tolist(), sizes.tolist(), strict=True))), 0.9


@case("delta method: total variation, 400 records")
def _(rng):
    while True:
        rows = [{str(k): int(n) for k, n in enumerate(row)} for row in rng.multinomial(5, [0.5, 0.3, 0.2], 400)]
        yield total_variation(rows, {"0": 2, "1": 2, "2": 6}), 0.4


@case("delta method: Wasserstein, 400 records")
def _(rng):
    grid = np.linspace(-12, 15, 200_001)
    from scipy.stats import norm

    target = norm.ppf((np.arange(4096) + 0.5) / 4096)
    law = np.searchsorted(target, grid, "right") / len(target)
    truth = float(np.abs(norm.cdf((grid - 0.5) / 2) - law).sum() * (grid[1] - grid[0]))
    while True:
        yield wasserstein(rng.normal(0.5, 2, 400), target), truth


@case("delta method: Wasserstein over kinds of bonds")
def _(rng):
    target = {"a": np.zeros(1), "b": np.ones(1)}
    while True:
        rows = [
            {"a": np.abs(rng.normal(1, 0.3, k)) + 0.5 * own, "b": 2 + rng.exponential(1, 2)}
            for k, own in zip(rng.integers(1, 5, 200), rng.random(200), strict=True)
        ]
        truth = 0.75 * _ABS + 0.25 * 2
        yield weigh(rows, target, {"a": 3, "b": 1}), truth


_ABS = (
    0.25 + math.sqrt(2 / math.pi) * 0.3 * math.exp(-1 / 0.18) + math.erf(1 / (0.3 * math.sqrt(2)))
)  # E|N(1, .3)| + E u / 2


@case("order statistics: median of 200 exponential")
def _(rng):
    while True:
        yield median(rng.exponential(size=200)), math.log(2)


def _prints(rng, number: int = 12, even: float = 2.0):
    """Fingerprints of kinds of molecules, their shares (more alike the larger ``even``) and similarities."""
    kinds = np.packbits(rng.random((number, 64)) < 0.3, axis=1)
    bits = np.unpackbits(kinds, axis=1).astype(float)
    common = bits @ bits.T
    return kinds, rng.dirichlet(np.full(number, even)), common / (bits.sum(1)[:, None] + bits.sum(1) - common)


@case("delta method: cosine of counts, 400 records")
def _(rng):
    share, weight = rng.dirichlet(np.full(12, 2.0)), rng.integers(1, 50, 12)
    truth = share @ weight / math.sqrt((share**2).sum() * (weight**2).sum())
    target = {str(k): int(n) for k, n in enumerate(weight)}
    while True:
        yield cosine([{str(k): 1} for k in rng.choice(12, 400, p=share)], target), truth


@case("normal: similarity to the nearest, 400 records")
def _(rng):
    kinds, share, table = _prints(rng)
    while True:
        yield nearest_similarity(kinds[rng.choice(12, 400, p=share)], kinds[:4]), float(share @ table[:, :4].max(1))


def _diverse(which: int, p: int, number: int, even: float, count: int):
    def simulate(rng):
        kinds, share, _ = _prints(rng, number, even)

        def drawn():
            return internal_diversity(kinds[rng.choice(number, count, p=share)])[which][p]

        truth = float(np.mean([drawn().value for _ in range(4_000)]))
        while True:
            yield drawn(), truth

    return simulate


for which, p, told in (
    (0, 1, "U-statistic: internal diversity"),
    (0, 2, "U-statistic: internal diversity, p = 2"),
    (1, 2, "jackknife, 32 groups: as published"),
):
    CASES[f"{told}, 400 of 12 kinds"] = _diverse(which, p, 12, 2.0, 400)
    CASES[f"{told}, 400 of 100 kinds"] = _diverse(which, p, 100, 1.0, 400)
    CASES[f"{told}, 400 of 1,000 kinds"] = _diverse(which, p, 1_000, 1e6, 400)
    CASES[f"{told}, 100 of 1,000 kinds"] = _diverse(which, p, 1_000, 1e6, 100)
    CASES[f"{told}, 400 of 12 kinds alike (edge)"] = _diverse(which, p, 12, 1e6, 400)


def _frechet(width: int, count: int, shift: float, mixing: float):
    def simulate(rng):
        law = fit_gaussian(rng.normal(size=(4_000, width)))
        mixed = np.eye(width) + mixing * rng.normal(size=(width, width)) / math.sqrt(width)

        def drawn():
            return shift + rng.normal(size=(count, width)) @ mixed

        truth = float(np.mean([frechet(fit_gaussian(drawn()), law) for _ in range(6_000)]))
        while True:
            yield distance(Parts.of(drawn(), rng.permutation(count) % GROUPS), law), truth

    return simulate


for width, count, shift, mixing, told in (
    (8, 1_000, 0.4, 0.3, "far"),
    (8, 1_000, 0.05, 0.05, "near"),
    (8, 1_000, 0.0, 0.0, "one law"),
    (32, 400, 0.0, 0.0, "one law, 32 wide (edge)"),
):
    CASES[f"jackknife, 10 groups: Frechet distance, {told}"] = _frechet(width, count, shift, mixing)


def _mmd(kind: str, sizes: tuple[int, int], tilt: float, sigma: float = 0.3, kinds: int = 300):
    """Draws from two laws over the same histograms, whose distance is known exactly.

    With ``tilt`` 0 they are one law.
    """

    def simulate(rng):
        rows = np.eye(2) if kinds == 2 else rng.dirichlet([4, 3, 2, 1], kinds)
        level = (rows[:, 0] - rows[:, 0].mean()) / rows[:, 0].std()
        laws = [np.exp(one * level) / np.exp(one * level).sum() for one in (tilt, 0.0)]
        table = gaussian_tv(rows, rows, sigma)
        fixed = rng.choice(kinds, sizes[1], p=laws[1])
        if kind == "biased":  # against this very reference, and what sets of this size give on average
            laws[1] = np.bincount(fixed, minlength=kinds) / sizes[1]
        gap = laws[0] - laws[1]
        truth = float(gap @ table @ gap)
        if kind == "biased":
            truth += float(1 - laws[0] @ table @ laws[0]) / sizes[0]
        while True:
            x, y = (
                rng.choice(kinds, sizes[0], p=laws[0]),
                fixed if kind == "biased" else rng.choice(kinds, sizes[1], p=laws[1]),
            )
            yield estimate(kernel(rows[x], rows[y], sigma), kind), truth

    return simulate


for n, m in ((60, 40), (30, 30), (200, 200)):
    for tilt, told in ((0.0, "one law"), (0.2, "near"), (0.8, "far")):
        CASES[f"squared distance: MMD, unbiased, {n} against {m}, {told}"] = _mmd("unbiased", (n, m), tilt)
for tilt, told in ((0.0, "one law"), (0.2, "near"), (0.8, "far")):
    CASES[f"squared distance: MMD, unbiased, 60 against 40, wide, {told}"] = _mmd("unbiased", (60, 40), tilt, 1.0)
    CASES[f"squared distance: MMD, unbiased, 60 against 40, narrow, {told}"] = _mmd("unbiased", (60, 40), tilt, 0.05)
    CASES[f"squared distance: MMD, biased, 60 against 40, {told}"] = _mmd("biased", (60, 40), tilt)
CASES["squared distance: MMD, unbiased, 60 against 40, two kinds (edge)"] = _mmd("unbiased", (60, 40), 0.0, 1.0, 2)


@case("first order: PolyGraph discrepancy of a classifier")
def _(rng):
    # the classifier that says log-odds x of normal laws one deviation apart; its bound by quadrature
    grid = np.linspace(-9, 10, 40_001)
    step = grid[1] - grid[0]
    laws = [np.exp(-((grid - shift) ** 2) / 2) / math.sqrt(2 * math.pi) for shift in (1.0, 0.0)]
    score = [-np.logaddexp(0, sign * (0.5 - grid)) / math.log(2) for sign in (1, -1)]
    truth = math.sqrt(1 + sum(float((law * one).sum()) * step for law, one in zip(laws, score, strict=True)) / 2)
    while True:
        held = [rng.normal(shift, 1, 100) for shift in (1.0, 0.0)]
        logs = [-np.logaddexp(0, sign * (0.5 - x)) / math.log(2) for sign, x in zip((1, -1), held, strict=True)]
        yield bound(*logs, 200, 0), truth


def _chain(count: int, memory: float, rng: Generator) -> np.ndarray:
    """A stationary Gaussian chain with autocorrelation memory^t and variance 1."""
    noise = rng.normal(size=count) * math.sqrt(1 - memory**2)
    noise[0] = rng.normal()
    return lfilter([1], [1, -memory], noise)


def _series(memory: float, chains: int):
    def simulate(rng):
        count = 4_000
        number = np.repeat(np.arange(chains), count // chains) if memory else None
        while True:
            yield (
                series_mean(np.concatenate([_chain(count // chains, memory, rng) for _ in range(chains)]), number),
                0.0,
            )

    return simulate


CASES["series: 4,000 independent"] = _series(0.0, 1)
CASES["series: one chain of 4,000, memory 0.8"] = _series(0.8, 1)
CASES["series: 20 chains of 200, memory 0.8"] = _series(0.8, 20)


@case("delta method: Binder cumulant, 2,000 configurations")
def _(rng):
    x, w = np.polynomial.hermite_e.hermegauss(60)
    m = np.concatenate([0.6 + 0.2 * x, -0.6 + 0.2 * x])
    w = np.concatenate([w, w]) / w.sum() / 2
    truth = 1 - (w @ m**4) / (3 * (w @ m**2) ** 2)
    while True:
        yield binder_cumulant(rng.choice([-0.6, 0.6], 2_000) + rng.normal(0, 0.2, 2_000)), float(truth)


@case("delta method: specific heat, a chain of 4,000, memory 0.5")
def _(rng):
    while True:
        yield specific_heat(-1.5 + 0.1 * _chain(4_000, 0.5, rng), 100, 2.0, np.zeros(4_000, int)), 100 * 0.01 / 4


@case("delta method: susceptibility, 2,000 configurations")
def _(rng):
    truth = 64 / 2.0 * 0.09 * (1 - 2 / math.pi)  # of |m| with m ~ N(0, 0.3)
    while True:
        yield susceptibility(rng.normal(0, 0.3, 2_000), 64, 2.0), truth


LENGTH, SIZE = 3.0, 32
DECAY = math.exp(-1 / LENGTH)


def _ring(rng: Generator, count: int) -> np.ndarray:
    """Exact configurations of the Ising ring with that correlation length."""
    steps = np.where(rng.random((2 * count + 200, SIZE)) < (1 + DECAY) / 2, 1, -1)
    steps = steps[steps.prod(1) == 1][:count]
    return (np.cumprod(steps, 1) * rng.choice([-1, 1], (len(steps), 1))).astype(np.int8)


@case("delta method: second-moment length, 2,000 rings")
def _(rng):
    line = np.array([(DECAY**t + DECAY ** (SIZE - t)) / (1 + DECAY**SIZE) for t in range(SIZE)])
    factor = np.fft.fft(line).real
    truth = math.sqrt(factor[0] / factor[1] - 1) / (2 * math.sin(math.pi / SIZE))
    while True:
        yield second_moment_length(_ring(rng, 2_000), (0,)), truth


@case("twenty groups: exponential length, 1,000 rings")
def _(rng):
    while True:
        yield exponential_length(_ring(rng, 1_000), (0,)), LENGTH


@case("both errors: difference to another set")
def _(rng):
    while True:
        x, y = rng.normal(0.3, 1, 500), rng.normal(0, 2, 700)
        yield difference(series_mean(x), series_mean(y)), 0.3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--only", default="", help="cases whose name holds this word")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    rows = {}
    for index, (name, simulate) in enumerate(CASES.items()):
        if chosen.only not in name:
            continue
        begun, low, high, value, left = time.perf_counter(), 0, 0, 0.0, 0
        drawn = simulate(np.random.default_rng([chosen.seed, index]))
        for _ in range(chosen.count):
            one, truth = next(drawn)
            if one.low is None:
                left += 1
                continue
            low, high, value = low + (truth < one.low), high + (truth > one.high), value + one.value
        made = chosen.count - left
        rows[name] = {
            "coverage": 1 - (low + high) / made,
            "below": low / made,
            "above": high / made,
            "mean": value / made,
            "truth": truth,
            "none": left,
        }
        row = rows[name]
        print(
            f"{name:66} {100 * row['coverage']:5.1f} %  truth below {100 * row['below']:4.1f} % above "
            f"{100 * row['above']:4.1f} %"
            f"  truth {truth:.5g} mean {row['mean']:.5g}  {left} without  {time.perf_counter() - begun:.0f} s",
            flush=True,
        )
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
