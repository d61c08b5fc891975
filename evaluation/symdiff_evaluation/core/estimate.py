"""A number that carries its interval, its denominator and what could not be decided."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

Z95 = 1.959963984540054  # the 97.5 % point of the standard normal distribution


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval and its denominator.

    Parameters
    ----------
    value : float or None
        The number; None where nothing could be counted (uniqueness of no valid molecule).
    low, high : float or None
        Ends of the 95 % interval; None where no interval is defined.
    count : int
        The denominator.
    undecided : int
        Number of records that it leaves out, since they could not be decided.
    """

    value: float | None
    low: float | None
    high: float | None
    count: int
    undecided: int = 0

    def clip(self, least: float = -math.inf, most: float = math.inf) -> Estimate:
        """Limit the interval to a range.

        Parameters
        ----------
        least, most : float
            The range.

        Returns
        -------
        Estimate
            The same value with ``low`` at least ``least`` and ``high`` at most ``most``.
        """
        if self.low is None or self.high is None:
            return self
        return replace(self, low=max(self.low, least), high=min(self.high, most))

    def plain(self) -> dict[str, float | int | None]:
        """Give the estimate as it stands in metrics.json."""
        return asdict(self)


def nothing(undecided: int = 0) -> Estimate:
    """Make the estimate of a number that has no denominator.

    Parameters
    ----------
    undecided : int
        Number of records that could not be decided.

    Returns
    -------
    Estimate
        Without a value.
    """
    return Estimate(None, None, None, 0, undecided)


def wilson(share: float, count: float) -> tuple[float, float]:
    """Compute the 95 % score interval of a binomial share.

    Parameters
    ----------
    share : float
        Successes over trials.
    count : float
        Number of trials; may be an effective number.

    Returns
    -------
    tuple of float
        Ends of the interval.

    References
    ----------
    Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    square = Z95 * Z95 / count
    center = (share + square / 2) / (1 + square)
    half = math.sqrt(share * (1 - share) * square + square * square / 4) / (1 + square)
    # at 0 and 1 the interval reaches the end exactly; rounding must not say otherwise
    return (0.0 if share == 0 else center - half, 1.0 if share == 1 else center + half)


def fraction(hits: int, count: int, undecided: int = 0) -> Estimate:
    """Estimate a share of independent records.

    Parameters
    ----------
    hits : int
        Number of records that qualify.
    count : int
        Number of records.
    undecided : int
        Number of records that are left out.

    Returns
    -------
    Estimate
        ``hits / count`` with Wilson's interval.
    """
    if count == 0:
        return nothing(undecided)
    share = hits / count
    return Estimate(share, *wilson(share, count), count, undecided)


def distinct(kinds: Iterable[object], count: int, undecided: int = 0) -> Estimate:
    """Estimate the number of different kinds per record, such as uniqueness.

    The number D of kinds among ``count`` independent draws is no binomial: with f_k kinds that occur k times, its
    variance is estimated without bias (up to 1/count) by ``f_1 - f_2 + f_3 - ... - f_1^2/count`` (Good and Toulmin's
    estimate of the kinds that as many draws again would add, less what fixing the number of draws takes away). The
    interval is Wilson's with the number of trials that has this variance; with no kind twice it is Wilson's own.
    Simulated coverage is 94 to 96 % for shares above one half; below, the estimated variance is noisy (90 % at 0.43).

    Parameters
    ----------
    kinds : iterable of hashable
        The kind of each record that qualifies, such as its canonical SMILES.
    count : int
        Number of records.
    undecided : int
        Number of records that are left out.

    Returns
    -------
    Estimate
        Number of different kinds over ``count``.

    References
    ----------
    Good and Toulmin, The number of new species, and the increase in population coverage, when a sample is increased,
    Biometrika 43 (1956).
    """
    if count == 0:
        return nothing(undecided)
    seen = Counter(kinds)
    times = Counter(seen.values())
    share = len(seen) / count
    variance = sum((-1) ** (k + 1) * number for k, number in times.items()) - times[1] ** 2 / count
    binomial = count * share * (1 - share)
    trials = count * binomial / max(variance, 1.0) if binomial > 0 else count
    return Estimate(share, *wilson(share, trials), count, undecided)


def mean(total: float, squares: float, count: int, undecided: int = 0) -> Estimate:
    """Estimate a mean of independent numbers.

    Parameters
    ----------
    total, squares : float
        Sum of the numbers, and of their squares.
    count : int
        How many they are.
    undecided : int
        Number of records that are left out.

    Returns
    -------
    Estimate
        The mean with the normal interval; no interval for one number.
    """
    if count == 0:
        return nothing(undecided)
    center = total / count
    if count == 1:
        return Estimate(center, None, None, 1, undecided)
    error = math.sqrt(max(squares / count - center * center, 0.0) / (count - 1))
    return Estimate(center, center - Z95 * error, center + Z95 * error, count, undecided)


def ratio(pairs: Sequence[tuple[int, int]], undecided: int = 0) -> Estimate:
    """Estimate a ratio of sums over records, such as stable atoms over atoms.

    The interval is the normal one of the first-order variance over records: atoms of one molecule are not independent.

    Parameters
    ----------
    pairs : sequence of (int, int)
        Part and whole of each record.
    undecided : int
        Number of records that are left out.

    Returns
    -------
    Estimate
        Sum of the parts over the sum of the wholes, which is ``count``.
    """
    records, whole = len(pairs), sum(size for _, size in pairs)
    if not whole:
        return nothing(undecided)
    share = sum(part for part, _ in pairs) / whole
    if records < 2:
        return Estimate(share, None, None, whole, undecided)
    squares = sum((part - share * size) ** 2 for part, size in pairs)
    half = Z95 * math.sqrt(squares * records / (records - 1)) / whole
    return Estimate(share, max(share - half, 0.0), min(share + half, 1.0), whole, undecided)
