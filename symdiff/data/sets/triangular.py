"""Open pieces of the triangular lattice, as graphs of their bonds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from symdiff.canonical import Nodes
from symdiff.data.dataset import Dataset
from symdiff.data.graphs import graphs
from symdiff.graphs.edge_list import EdgeList
from symdiff.graphs.graph_set import collect

SIZES = (8, 16)
"""Sites of the smallest and of the largest piece."""
_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1), (1, -1), (-1, 1))

Site = tuple[int, int]


def pieces(count: int, seed: int = 0) -> Dataset:
    """Pieces of 8 to 16 sites, every isomorphism class once: first the regular shapes, then pieces grown at random.

    A piece grows by one site at a time, each of those that touch it as likely as any other; its bonds are all pairs of
    neighbors in it, so its boundary is open. All are in one split.

    Parameters
    ----------
    count : int
        How many pieces.
    seed : int
        Of the growth.

    Returns
    -------
    Dataset
        Of a ``Graph``, in the order in which they were first met.

    Raises
    ------
    ValueError
        Where not as many different pieces are found.
    """
    random = np.random.default_rng(seed)
    drawn = [*shapes(), *(grow(int(random.integers(SIZES[0], SIZES[1] + 1)), random) for _ in range(2 * count))]
    every = graphs(collect("triangular", (bonds(sites) for sites in drawn)), {"name": "triangular"})
    forms = Nodes().form(every.batch(torch.arange(len(every)))).numpy()
    first = np.sort(np.unique(forms, return_index=True)[1])[:count]
    if len(first) < count:
        raise ValueError(f"expected {count} different pieces, found {len(first)}")
    return graphs(collect("triangular", (bonds(drawn[k]) for k in first)), {"name": "triangular"})


def shapes() -> Iterator[list[Site]]:
    """Parallelograms, trapezoids and triangles of 8 to 16 sites."""
    shaped = [[(i, j) for i in range(a) for j in range(b)] for a in range(2, 5) for b in range(a, 9)]
    shaped += [[(i, j) for j in range(rows) for i in range(a - j)] for a in range(3, 9) for rows in range(2, a + 1)]
    yield from (sites for sites in shaped if SIZES[0] <= len(sites) <= SIZES[1])


def grow(size: int, random: np.random.Generator) -> list[Site]:
    """Grow a connected piece site by site.

    Parameters
    ----------
    size : int
        The number of sites.
    random : numpy.random.Generator
        The source of randomness.

    Returns
    -------
    list of Site
        Coordinates along the two axes of the lattice, the first (0, 0).
    """
    sites = [(0, 0)]
    while len(sites) < size:
        around = sorted({(i + a, j + b) for i, j in sites for a, b in _STEPS} - set(sites))
        sites.append(around[random.integers(len(around))])
    return sites


def bonds(sites: list[Site]) -> EdgeList:
    """Make the graph of all pairs of neighbors among some sites.

    Parameters
    ----------
    sites : list of Site
        Coordinates along the two axes of the lattice.

    Returns
    -------
    EdgeList
        Nodes in the order of the sites.
    """
    number = {site: k for k, site in enumerate(sites)}
    near = ((number[i, j], number.get((i + a, j + b), -1)) for i, j in sites for a, b in _STEPS)
    pairs = sorted((u, v) for u, v in near if u < v)
    return EdgeList(len(sites), np.array(pairs, np.int64).reshape(-1, 2))
