"""Pieces of the triangular lattice are different pieces of it, with exact ground states."""

from __future__ import annotations

from itertools import combinations

import networkx as nx
import numpy as np
import torch

from symdiff.data.sets.symmetric_problems import find_optima, satisfied_bonds, triangular
from symdiff.data.sets.triangular import bonds, grow, pieces, shapes


def test_bonds_join_sites_at_the_distance_of_neighbors():
    """In the plane, where the lattice's vectors have length 1 and an angle of 60 degrees."""
    for size in (8, 12, 16):
        sites = grow(size, np.random.default_rng(size))
        plane = np.array([(i + j / 2, j * 3**0.5 / 2) for i, j in sites])
        near = {(u, v) for u, v in combinations(range(size), 2) if abs(np.linalg.norm(plane[u] - plane[v]) - 1) < 1e-9}
        assert {tuple(pair) for pair in bonds(sites).edges.tolist()} == near
        assert nx.is_connected(nx.Graph(list(near))) and len(set(sites)) == size


def test_pieces_are_no_two_isomorphic():
    found = pieces(60)
    x = found.batch(torch.arange(len(found)))
    graphs = [nx.from_numpy_array(x["edge"][k, :n, :n].numpy()) for k, n in enumerate(x.num_nodes.tolist())]
    assert not any(nx.faster_could_be_isomorphic(a, b) and nx.is_isomorphic(a, b) for a, b in combinations(graphs, 2))


def test_known_ground_states():
    """A triangle has energy −1 in six states, two that share a bond −3, and a row of sites is not frustrated."""
    triangle = bonds([(0, 0), (1, 0), (0, 1)])
    best, states = find_optima("triangular", 3, triangle.edges)
    assert (best, len(states)) == (1, 6)
    square = bonds([(0, 0), (1, 0), (0, 1), (1, 1)])
    assert find_optima("triangular", 4, square.edges)[0] == 3
    best, states = find_optima("triangular", 8, bonds([(k, 0) for k in range(8)]).edges)
    assert (best, len(states)) == (7, 2)


def test_rows_are_ground_states_and_shapes_are_to_test():
    found = triangular((10, 2, 30))
    assert [len(found.split(name)) // found.meta["draws"] for name in ("train", "valid", "test")] == [10, 2, 30]
    for name in found.splits:
        part = found.split(name)
        x = part.batch(torch.arange(0, len(part), 5))
        for row, n in enumerate(x.num_nodes.tolist()):
            edges = torch.nonzero(x["edge"][row].triu(1)).numpy()
            spins = 2 * x["node"][row, :n] - 1
            energy = sum(int(spins[u] * spins[v]) for u, v in edges.tolist())
            labels = x["node"][row : row + 1, :n].numpy()
            assert -energy == satisfied_bonds(labels, edges)[0] == find_optima("triangular", n, edges)[0]
    sizes = {len(sites) for sites in shapes()}
    assert min(sizes) >= 8 and max(sizes) <= 16
