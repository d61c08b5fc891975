"""Cycles and spectra against counting by hand."""

from __future__ import annotations

from itertools import permutations

import networkx
import torch

from symdiff.nn.structure import adjacency, cycles, features, spectrum, walks
from symdiff.state import Categorical, State, extent, node_mask


def random_graphs(count: int, nodes: int, seed: int) -> torch.Tensor:
    half = (torch.rand(count, nodes, nodes, generator=torch.Generator().manual_seed(seed)) < 0.5).double().triu(1)
    return half + half.mT


def test_cycles_are_those_that_are_counted_one_by_one():
    graphs = random_graphs(12, 6, 0)
    for graph, counted in zip(graphs, cycles(graphs), strict=True):
        want = torch.zeros(6, 3, dtype=torch.float64)
        for length in (3, 4, 5):
            for path in permutations(range(6), length):
                closed = all(graph[path[i], path[(i + 1) % length]] for i in range(length))
                if closed and path[0] == min(path) and path[1] < path[-1]:
                    want[list(path), length - 3] += 1
        assert torch.equal(want, counted)


def test_spectrum_counts_components_and_ignores_padding():
    graphs = random_graphs(8, 6, 1) * (random_graphs(8, 6, 2) > 0)
    mask = node_mask(torch.full((8,), 6), 6)
    found = spectrum(graphs, mask)
    for graph, row in zip(graphs, found, strict=True):
        plain = networkx.from_numpy_array(graph.numpy())
        parts = networkx.number_connected_components(plain)
        eigenvalues = sorted(networkx.laplacian_spectrum(plain))[parts:][:5]
        want = torch.tensor([parts / 6, *eigenvalues, *[0.0] * (5 - len(eigenvalues))], dtype=torch.float64)
        assert torch.allclose(row, want, atol=1e-9)
    padded = torch.nn.functional.pad(graphs, (0, 3, 0, 3))
    assert torch.allclose(spectrum(padded, node_mask(torch.full((8,), 6), 9)), found, atol=1e-9)


def test_walks_return_as_the_powers_of_the_transition_matrix_say():
    cycle = networkx.to_numpy_array(networkx.cycle_graph(4))
    back = walks(torch.tensor(cycle)[None], torch.ones(1, 4, dtype=torch.bool))[0]
    assert torch.allclose(back, torch.tensor([0, 0.5] * 4, dtype=torch.float64).expand(4, 8))


def test_features_read_undirected_labels_only(random_state):
    schema = {
        "bond": Categorical("pair", 3, undirected=True),
        "arrow": Categorical("pair", 2),
        "atom": Categorical("node", 2),
    }
    x = random_state(schema, node_mask(torch.tensor([3, 5])), 0)
    assert torch.equal(adjacency(x), ((x["bond"] > 0) & extent(schema["bond"], x.mask)).float())
    nodes, whole = features(x, ["cycles", "walks", "spectrum"])
    assert nodes.shape == (2, 5, 11) and whole.shape == (2, 6)
    bare = features(State(x.mask, {}, {}), [])
    assert bare[0].shape == (2, 5, 0) and bare[1].shape == (2, 0)
