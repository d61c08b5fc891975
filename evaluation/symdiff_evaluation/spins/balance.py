"""Is the distribution of configurations invariant under the lattice's symmetries?

Three tests, from coarse to fine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from symdiff.spins.autocorrelation import integrated_time
from symdiff_evaluation.core.balance import Balance, combine, frequency_balance, orbit_balance
from symdiff_evaluation.spins.labels import label_shares
from symdiff_evaluation.spins.observables import waves
from symdiff_evaluation.spins.relabelings import Relabelings
from symdiff_evaluation.spins.symmetry import Subgroup, phases, state_name, variants

_DUST = 1e-9  # of a Fourier component's size: below, it has no phase


@dataclass(frozen=True)
class Variants:
    """How often each variant of a broken symmetry occurs.

    Parameters
    ----------
    counts : tuple of dict of str to int
        Counts by name, one mapping for each set of variants that the symmetries exchange.
    balance : Balance
        The test that they are equally frequent.
    """

    counts: tuple[dict[str, int], ...]
    balance: Balance


def variant_balance(orders: np.ndarray, group: Subgroup, chain: np.ndarray | None = None) -> Variants:
    """Test that up and down, the two checkerboards, the stripes of both directions ... are equally frequent.

    A configuration's variant is its strongest order parameter with its sign; where two are equally strong, or the sign
    is zero, it is undecided. Only variants that ``group`` exchanges are compared.

    Parameters
    ----------
    orders : numpy.ndarray, (count, waves)
        What ``observables.orders`` gave.
    group : Subgroup
        The symmetries of couplings and field.
    chain : numpy.ndarray, (count,), optional
        Number of the Markov chain of each configuration; None: independent.

    Returns
    -------
    Variants
        Counts and the test.
    """
    (best, sign), known = phases(orders), waves(group.shape)
    by_orbit, tests = [], []
    for orbit in variants(group.shape, group):
        counts = [int(((best == known.index(wave)) & (sign == s)).sum()) for wave, s in orbit]
        if sum(counts):
            by_orbit.append({state_name(state): count for state, count in zip(orbit, counts, strict=True)})
            if len(orbit) > 1:
                slow = 2 * integrated_time(orders[:, known.index(orbit[0][0])], chain)[0]
                tests.append(frequency_balance(counts, max(slow, 1.0)))
    test = combine(tests)
    return Variants(
        tuple(by_orbit), Balance(test.statistic, test.mean, test.variance, test.count, len(orders) - test.count)
    )


def label_balance(labels: np.ndarray, states: int, chain: np.ndarray | None = None) -> Variants:
    """Test that each of the q labels is equally often the most frequent one of a configuration of Potts or clock spins.

    So is each of the q ground states of a ferromagnet. A configuration where two labels are equally frequent is
    undecided.

    Parameters
    ----------
    labels : numpy.ndarray, (count, L1, ..., Ld)
        0 to q - 1.
    states : int
        q.
    chain : numpy.ndarray, (count,), optional
        Number of the Markov chain of each configuration; None: independent.

    Returns
    -------
    Variants
        Counts and the test.
    """
    share = label_shares(labels, states)
    most = share == share.max(1, keepdims=True)
    counts = most[most.sum(1) == 1].sum(0).tolist()
    slow = max((2 * integrated_time(column, chain)[0] for column in share.T), default=1.0)
    test = frequency_balance(counts, max(slow, 1.0)) if sum(counts) else Balance(0.0, 0.0, 0.0, 0)
    named = {f"label {label}": count for label, count in enumerate(counts)}
    return Variants((named,), Balance(test.statistic, test.mean, test.variance, test.count, len(labels) - test.count))


def image_balance(least: np.ndarray, own: np.ndarray, sizes: np.ndarray) -> Balance:
    """Test that all images of a configuration are equally frequent; for lattices of at most 64 sites, independent
    samples.

    Parameters
    ----------
    least, own : numpy.ndarray, (count,) uint64
        What ``symmetry.images`` or ``relabelings.images`` gave.
    sizes : numpy.ndarray, (count,)
        How many images each configuration has.

    Returns
    -------
    Balance
        The test.
    """
    orbits, which = (np.unique(names, return_inverse=True)[1] for names in (least, own))
    return orbit_balance(orbits, which, sizes)


def place_balance(spins: np.ndarray, group: Subgroup | Relabelings) -> Balance:
    """Test that configurations stand everywhere equally often: also where no two are alike, as on large lattices.

    For each axis, the phase of the longest wave along it, in steps of one site: a translation by t moves it by t steps,
    so under an invariant distribution it is uniform over the L values.

    Parameters
    ----------
    spins : numpy.ndarray, (count, L1, ..., Ld)
        One component of the spins.
    group : Subgroup or Relabelings
        The symmetries; without all translations among them nothing is tested.

    Returns
    -------
    Balance
        The test.
    """
    if not group.allowed[0].all():
        return Balance(0.0, 0.0, 0.0, 0, len(spins))
    tests = []
    for axis, size in enumerate(group.shape):
        profile = spins.mean(tuple(a for a in range(1, spins.ndim) if a != axis + 1), dtype=np.float64)
        wave = profile @ np.exp(2j * math.pi * np.arange(size) / size)
        clear = np.abs(wave) > _DUST * size
        step = np.angle(wave[clear]) % (2 * math.pi) * size / (2 * math.pi)
        # configurations that a reflection keeps lie exactly between two steps: half a step aside, they do not
        place = np.floor(step + 0.25 + _DUST).astype(int) % size
        tests.append(frequency_balance(np.bincount(place, minlength=size)))
    test = combine(tests)
    return Balance(test.statistic, test.mean, test.variance, test.count, len(spins) * len(group.shape) - test.count)
