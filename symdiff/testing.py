"""Checks of symmetry, for this package's tests and for users' own networks, groups and canonicalizers.

>>> assert_equivariant(network, Symmetric(), x, t, z)  # doctest: +SKIP

Each check draws group elements itself. Randomness in what is checked (dropout, sampling) has to be switched off or
seeded, for equivariance in distribution is not what ``equivariance_error`` measures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Protocol

import torch
from torch import Tensor

from symdiff.groups.base import Element, Group
from symdiff.groups.finite import Numbered, images, stabilizer
from symdiff.random import Generator, Streams
from symdiff.state import Categorical, State, extent


class Randomized(Protocol):
    """What draws from an inversion kernel: a ``Canonicalizer`` is one."""

    group: Group[Any]

    def sample(self, x: State, generator: Generator | None = None) -> Element:
        """Draw g such that g⁻¹·x is canonical, as ``Canonicalizer.sample`` does.

        Parameters
        ----------
        x : State
            B structures.
        generator : Generator, optional
            The source of randomness.

        Returns
        -------
        Element
            B elements.
        """
        ...

    def canonical(self, x: State) -> State:
        """Compute the representatives of the orbits, as ``Canonicalizer.canonical`` does.

        Parameters
        ----------
        x : State
            B structures.

        Returns
        -------
        State
            The representative of every structure.
        """
        ...


def difference(x: State, y: State) -> float:
    """Compute the greatest absolute difference of two structures' entries.

    Parameters
    ----------
    x, y : State
        Batches of structures.

    Returns
    -------
    float
        The difference; inf where masks or fields differ or an entry is nan.
    """
    if x.mask.shape != y.mask.shape or not torch.equal(x.mask, y.mask) or dict(x.schema) != dict(y.schema):
        return float("inf")
    gaps = [(x[name].double() - y[name].double()).abs().max().item() for name in x.schema if x[name].numel()]
    return max((float("inf") if gap != gap else gap for gap in gaps), default=0.0)


def equivariance_error(
    f: Callable, group: Group, x: State, *others: State | Tensor, generator: Generator | None = None, draws: int = 20
) -> float:
    """Compute the greatest absolute difference between g·f(x, ...) and f(g·x, g·...), over random g.

    Labels count as numbers, so that a wrong label counts at least 1.

    Parameters
    ----------
    f : callable
        Takes x and the others; returns a State, or a tensor for what should be invariant (a loss, an energy).
    group : Group
        The group, which gives every structure an element of its own.
    x : State
        The structures.
    *others : State or Tensor
        Further arguments of f: every State is moved, tensors (times, sizes) are not.
    generator : Generator, optional
        The source of the elements.
    draws : int
        How many elements are drawn for every structure.

    Returns
    -------
    float
        The error; inf for nan.
    """
    with torch.no_grad():
        plain = f(x, *others)
        worst = 0.0
        for _ in range(draws):
            g = group.sample(x.mask, generator)
            moved = f(*(group.act(g, each) if isinstance(each, State) else each for each in (x, *others)))
            if isinstance(plain, State):
                gap = difference(group.act(g, plain), moved)
            else:
                gap = (plain.double() - moved.double()).abs().max().item()
            worst = max(worst, float("inf") if gap != gap else gap)
    return worst


def assert_equivariant(
    f: Callable,
    group: Group,
    x: State,
    *others: State | Tensor,
    tolerance: float | None = None,
    generator: Generator | None = None,
    draws: int = 20,
) -> None:
    """Raise AssertionError where ``equivariance_error`` is above a tolerance.

    Parameters
    ----------
    f : callable
        Takes x and the others; returns a State, or a tensor for what should be invariant.
    group : Group
        The group, which gives every structure an element of its own.
    x : State
        The structures.
    *others : State or Tensor
        Further arguments of f: every State is moved, tensors (times, sizes) are not.
    tolerance : float, optional
        The greatest error allowed; without it 1e-9 where the first result of f is float64, else 1e-4.
    generator : Generator, optional
        The source of the elements.
    draws : int
        How many elements are drawn for every structure.

    Raises
    ------
    AssertionError
        Where the error is above the tolerance.
    """
    if tolerance is None:
        with torch.no_grad():
            result = f(x, *others)
        tensors = list(result.values.values()) if isinstance(result, State) else [result]
        exact = all(tensor.dtype == torch.float64 for tensor in tensors if tensor.is_floating_point())
        tolerance = 1e-9 if exact else 1e-4
    error = equivariance_error(f, group, x, *others, generator=generator, draws=draws)
    if not error <= tolerance:
        name = getattr(f, "__name__", type(f).__name__)
        raise AssertionError(
            f"{name} is not equivariant under {type(group).__name__}: error {error:.3g}, tolerance {tolerance:.3g}"
        )


@dataclass(frozen=True)
class Relaxation:
    """How far a function is from relaxed equivariance.

    Parameters
    ----------
    error : float
        The greatest distance of f(g·x) from the orbit g·G_x·f(x), over draws and over all g that were tried.
    pvalue : float
        Of the hypothesis that draws of f(x) are uniform on their orbit under G_x; 1 where f(x) is as symmetric as x.
    stabilizer : int
        The order of G_x, enumerated.
    """

    error: float
    pvalue: float
    stabilizer: int


def relaxed_equivariance_error(
    f: Callable[[State, Generator | None], State],
    group: Numbered,
    x: State,
    elements: int = 20,
    draws: int = 200,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> Relaxation:
    """Measure whether f(g·x) lies in g·G_x·f(x), draw by draw, and whether f chooses uniformly among the orbit.

    f is relaxed equivariant when for every g some g' in g·G_x has f(g·x) = g'·f(x). The stabilizer G_x is enumerated,
    so the group must be small.

    Parameters
    ----------
    f : callable
        Takes a structure and a generator (one stream a row) and returns a State.
    group : Numbered
        A finite group whose elements have numbers, such as ``PermutationGroup``.
    x : State
        One structure.
    elements : int
        How many g are tried, spread evenly over the numbers of the group's elements.
    draws : int
        Draws of f(x) for the p-value.
    tolerance : float
        Two outputs closer than this are the same output.
    seed : int
        The seed of the generators that f takes.

    Returns
    -------
    Relaxation
        The error and the p-value.

    Raises
    ------
    ValueError
        For more than one structure.

    References
    ----------
    Kaba, Ravanbakhsh: Symmetry Breaking and Equivariant Neural Networks (2023).
    """
    fixing = stabilizer(group, x)
    nodes, count = x.mask.shape[1], len(fixing)

    def draw(one: State, start: int, rows: int) -> State:
        return f(one.select([0] * rows), Streams(seed, torch.arange(start, start + rows)))

    with torch.no_grad():
        y = draw(x, 0, 1)
        images_of_y = _flatten(group.act(group.from_number(fixing, nodes), y.select([0] * count)))
        chosen = torch.linspace(0, group.count(nodes) - 1, elements, dtype=torch.float64).round().long()
        worst = 0.0
        for k, number in enumerate(chosen):
            g = group.from_number(number[None], nodes)
            back = _flatten(group.act(group.inverse(g), draw(group.act(g, x), 1 + k, 1)))
            worst = max(worst, (images_of_y - back).abs().amax(1).min().item())
        results = _flatten(draw(x, 1 + elements, draws))
    distinct = _distinct(images_of_y, tolerance)
    gaps = torch.cdist(results, distinct, p=float("inf"))
    worst = max(worst, gaps.amin(1).max().item())
    if len(distinct) == 1:
        return Relaxation(worst, 1.0, count)
    counts = torch.bincount(gaps.argmin(1), minlength=len(distinct))
    return Relaxation(worst, chi_square(counts, torch.ones(len(distinct))), count)


def equivariant_elements(f: Callable[[State], State], group: Numbered, x: State, tolerance: float = 1e-6) -> Tensor:
    """Find the elements g with f(g·x) = g·f(x): the part of the group under which f is equivariant at x.

    For a generic x they are the subgroup under which f is equivariant; their share of ``group.count`` is the degree of
    equivariance.

    Parameters
    ----------
    f : callable
        From structures to a State.
    group : Numbered
        A finite group; all of its elements are tried.
    x : State
        One structure.
    tolerance : float
        The greatest difference of an entry that counts as none.

    Returns
    -------
    Tensor, (M,) int64
        The numbers of these elements.
    """
    with torch.no_grad():
        y, keeps = f(x), []
        for number, moved in images(group, x):
            gap = _flatten(f(moved)) - _flatten(
                group.act(group.from_number(number, x.mask.shape[1]), y.select([0] * len(number)))
            )
            keeps.append(number[gap.abs().amax(1) <= tolerance])
    return torch.cat(keeps)


def _flatten(x: State) -> Tensor:
    return torch.cat([x[name].double().flatten(1) for name in x.schema], 1)


def _distinct(rows: Tensor, tolerance: float) -> Tensor:
    """The rows that differ by more than ``tolerance`` from all rows before."""
    kept: list[Tensor] = []
    for row in rows:
        if all((row - other).abs().max() > tolerance for other in kept):
            kept.append(row)
    return torch.stack(kept)


def action_law_error(group: Group, x: State, generator: Generator | None = None, draws: int = 20) -> float:
    """Measure how far a group is from acting on x, over random g and h.

    The greatest difference of g·(h·x) from (gh)·x, of 1·x and of g⁻¹·(g·x) from x, of (g1)·x and (1g)·x from g·x, and
    of the padding of g·x from zero.

    Parameters
    ----------
    group : Group
        The group.
    x : State
        B structures.
    generator : Generator, optional
        The source of the elements.
    draws : int
        How many pairs of elements are drawn for every structure.

    Returns
    -------
    float
        The greatest difference; inf where an action changes the mask.
    """
    one, worst = group.identity(x.mask), difference(group.act(group.identity(x.mask), x), x)
    for _ in range(draws):
        g, h = group.sample(x.mask, generator), group.sample(x.mask, generator)
        moved = group.act(g, x)
        gaps = [
            difference(group.act(g, group.act(h, x)), group.act(group.compose(g, h), x)),
            difference(group.act(group.inverse(g), moved), x),
            difference(group.act(group.compose(g, one), x), moved),
            difference(group.act(group.compose(one, g), x), moved),
            float("inf") if not torch.equal(moved.mask, x.mask) else _padding(moved),
        ]
        worst = max(worst, *gaps)
    return worst


def chi_square(counts: Tensor, probabilities: Tensor) -> float:
    """Compute the p-value of counts by Pearson's test.

    Parameters
    ----------
    counts : Tensor, (K,)
        How often each outcome was drawn.
    probabilities : Tensor, (K,)
        The hypothesis; normalized here.

    Returns
    -------
    float
        The p-value; 0 where an impossible outcome was drawn.

    Raises
    ------
    ValueError
        For an expected count below 5, with which the test is not valid.
    """
    counts, probabilities = counts.double(), probabilities.double() / probabilities.double().sum()
    possible = probabilities > 0
    if counts[~possible].any():
        return 0.0
    expected = probabilities[possible] * counts.sum()
    if expected.min() < 5:
        raise ValueError(f"chi-square needs expected counts of at least 5, got {expected.min().item():.2g}; draw more")
    statistic = ((counts[possible] - expected) ** 2 / expected).sum()
    freedom = int(possible.sum()) - 1
    if freedom == 0:
        return 1.0
    return torch.special.gammaincc(torch.tensor(freedom / 2, dtype=torch.float64), statistic.cpu() / 2).item()


def coset_test(canonicalizer: Randomized, x: State, draws: int = 4000, generator: Generator | None = None) -> Tensor:
    """Test whether ``sample`` is uniform on the whole coset {g : g⁻¹·x canonical}.

    The coset is enumerated over all permutations of the nodes. For canonicalizers of node orders that separate all
    orbits.

    Parameters
    ----------
    canonicalizer : Randomized
        What is tested.
    x : State
        Structures of at most 6 nodes.
    draws : int
        Draws for every structure.
    generator : Generator, optional
        The source of the draws.

    Returns
    -------
    Tensor, (B,) float64
        A p-value for every structure; 0 where a draw is outside of the coset.

    Raises
    ------
    ValueError
        For more than 6 nodes.
    """
    group, pvalues = canonicalizer.group, []
    for row in range(len(x)):
        one = x.select([row])
        nodes = int(one.num_nodes)
        if nodes > 6:
            raise ValueError(f"all permutations of at most 6 nodes are enumerated, got {nodes} nodes")
        padding = list(range(nodes, x.mask.shape[1]))
        every = torch.tensor([list(p) + padding for p in permutations(range(nodes))])
        carried = group.act(group.inverse(every), one.select([0] * len(every)))
        representative = canonicalizer.canonical(one)
        inside = torch.ones(len(every), dtype=torch.bool)
        for name in one.schema:
            inside &= (carried[name] == representative[name]).flatten(1).all(1)
        base = x.mask.shape[1] ** torch.arange(x.mask.shape[1])
        coset = (every[inside] * base).sum(1).sort().values
        drawn = canonicalizer.sample(one.select([0] * draws), generator)
        assert isinstance(drawn, Tensor)
        codes = (drawn.cpu() * base).sum(1)
        place = torch.searchsorted(coset, codes).clamp(max=len(coset) - 1)
        if (coset[place] != codes).any():
            pvalues.append(0.0)
            continue
        counts = torch.bincount(place, minlength=len(coset))
        pvalues.append(chi_square(counts, torch.ones(len(coset))))
    return torch.tensor(pvalues, dtype=torch.float64)


def _padding(x: State) -> float:
    """The greatest absolute entry where x has no node, no pair, or the diagonal of an undirected field."""
    worst = 0.0
    for name, field in x.schema.items():
        outside = ~extent(field, x.mask)
        entries = x[name] if isinstance(field, Categorical) else x[name].flatten(outside.ndim)
        left = entries[outside].double().abs()
        worst = max(worst, left.max().item() if left.numel() else 0.0)
    return worst
