"""Laplacian eigenvectors: they are eigenvectors, and drawn from an equivariant distribution."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import torch

from symdiff.breaking import Laplacian
from symdiff.groups import Symmetric
from symdiff.random import Streams
from symdiff.state import Categorical, State, node_mask, pad

SCHEMA = {"node": Categorical("node", 1), "edge": Categorical("pair", 2, undirected=True)}
GRAPHS = [nx.cycle_graph(6), nx.path_graph(4), nx.complete_graph(5), nx.empty_graph(3)]


def batch(graphs: list[nx.Graph], nodes: int = 6) -> State:
    mask = node_mask(torch.tensor([len(graph) for graph in graphs]), nodes)
    edge = torch.zeros(len(graphs), nodes, nodes, dtype=torch.int64)
    for row, graph in enumerate(graphs):
        edge[row, : len(graph), : len(graph)] = torch.from_numpy(nx.to_numpy_array(graph)).long()
    return State(mask, SCHEMA, {"node": torch.zeros_like(mask, dtype=torch.int64), "edge": edge})


def test_they_are_eigenvectors():
    x = batch(GRAPHS)
    code = Laplacian(dim=8).sample(x, Streams(0, torch.arange(4)))["code"].double()
    for row, graph in enumerate(GRAPHS):
        n = len(graph)
        assert not code[row, n:].any() and not code[row, :, n - 1 :].any()
        vectors, laplacian = code[row, :n, : n - 1], nx.normalized_laplacian_matrix(graph).toarray()
        values = np.linalg.eigvalsh(laplacian)[1:]
        np.testing.assert_allclose(laplacian @ vectors.numpy(), vectors.numpy() * values, atol=1e-5)
        np.testing.assert_allclose(vectors.T @ vectors, n * np.eye(n - 1), atol=1e-4)


def test_the_distribution_is_equivariant():
    """E[z zᵀ] of every channel is the same at pairs of nodes that an automorphism carries into each other."""
    draws = 20_000
    x = batch([GRAPHS[0]] * draws)
    code = Laplacian(dim=4).sample(x, Streams(1, torch.arange(draws)))["code"]
    products = torch.einsum("bik,bjk->bijk", code, code)
    mean, error = products.mean(0), products.std(0) / draws**0.5
    turned = mean.roll((1, 1), (0, 1))
    assert ((mean - turned).abs() < 6 * error + 1e-6).all()
    assert code.mean(0).abs().max() < 6 / draws**0.5 * 1.5


def test_numbering_and_padding():
    x, breaker, group = batch(GRAPHS[1:2]), Laplacian(dim=3), Symmetric()
    streams = Streams(0, torch.arange(1))
    plain = breaker.sample(x, Streams(5, torch.arange(1)))
    assert torch.equal(plain["code"], breaker.sample(pad(x, 9), Streams(5, torch.arange(1)))["code"][:, :6])
    g = group.sample(x.mask, streams)
    moved = breaker.sample(group.act(g, x), Streams(5, torch.arange(1)))["code"]  # simple eigenvalues: up to signs
    torch.testing.assert_close(moved.abs(), group.act(g, plain)["code"].abs(), atol=1e-5, rtol=0)


def test_there_must_be_a_graph():
    with pytest.raises(ValueError, match="none can be drawn before"):
        Laplacian().prior(node_mask(torch.tensor([3])))
    with pytest.raises(ValueError, match="expected labels of pairs"):
        Laplacian().sample(batch(GRAPHS).only("node"))
    with pytest.raises(ValueError, match="expected labels of pairs, such as bonds, got bond"):
        Laplacian(field="bond").sample(batch(GRAPHS))
