"""Colors of a given graph move with it, are its orbits, and leave a network the graph's symmetries alone."""

from __future__ import annotations

import networkx as nx
import pytest
import torch

from symdiff.breaking import GraphOrbits
from symdiff.breaking.graph_orbits import walk_colors
from symdiff.denoisers import NodeTransformer
from symdiff.groups import Symmetric, parse_group
from symdiff.groups.permutation_group import PermutationGroup
from symdiff.random import Streams
from symdiff.state import Categorical, State, node_mask, pad, schema_to_plain
from symdiff.testing import equivariance_error

SCHEMA = {"bond": Categorical("pair", 2, undirected=True), "spin": Categorical("node", 2)}
GRAPHS = {
    "dihedral 8": nx.cycle_graph(8),
    "torus 3 4": nx.convert_node_labels_to_integers(nx.grid_graph([4, 3], periodic=True), ordering="sorted"),
    "hypercube 3": nx.convert_node_labels_to_integers(nx.hypercube_graph(3), ordering="sorted"),
}


def batch(graphs: list[nx.Graph], nodes: int) -> State:
    mask = node_mask(torch.tensor([len(graph) for graph in graphs]), nodes)
    bond = torch.zeros(len(graphs), nodes, nodes, dtype=torch.int64)
    for row, graph in enumerate(graphs):
        bond[row, : len(graph), : len(graph)] = torch.from_numpy(nx.to_numpy_array(graph)).long()
    spin = torch.randint(2, mask.shape, generator=torch.Generator().manual_seed(0)) * mask
    return State(mask, SCHEMA, {"bond": bond, "spin": spin})


@pytest.mark.parametrize("name", GRAPHS)
def test_colors_are_the_orbits_of_pairs(name):
    """The same within an orbit and, for these graphs, another one for every orbit."""
    graph, group = GRAPHS[name], parse_group(name)
    x = batch([graph], len(graph))
    colors = walk_colors(x["bond"] != 0, x.mask)[0].flatten(0, 1)
    orbits = group.pair_orbits().flatten()
    means = torch.stack([colors[orbits == k].mean(0) for k in orbits.unique()])
    torch.testing.assert_close(colors, means[orbits], atol=1e-9, rtol=0)
    apart = torch.cdist(means, means) + torch.eye(len(means))
    assert apart.min() > 1e-3


def test_probabilities_of_walks():
    """One step of a lazy walk on a ring stays with 1/2 and goes to each neighbor with 1/4."""
    colors = walk_colors(batch([nx.cycle_graph(5)], 5)["bond"] != 0, torch.ones(1, 5, dtype=torch.bool))
    probability = ((colors - 1) * 10).exp() - 1e-8
    torch.testing.assert_close(probability.sum(2), torch.ones(1, 5, 12, dtype=torch.float64), atol=1e-9, rtol=0)
    expected = torch.tensor([0.5, 0.25, 0, 0, 0.25], dtype=torch.float64)
    torch.testing.assert_close(probability[0, 0, :, 0], expected, atol=1e-9, rtol=0)
    three = torch.linalg.matrix_power(torch.stack([expected.roll(k) for k in range(5)]), 3)
    torch.testing.assert_close(probability[0, :, :, 2], three, atol=1e-9, rtol=0)


def test_they_move_with_the_graph_and_know_no_padding():
    x, breaker = batch([nx.path_graph(5), nx.star_graph(3), nx.path_graph(5)], 6), GraphOrbits("bond").double()
    streams, group = Streams(0, torch.arange(3)), Symmetric()
    z = breaker.sample(x)
    g = group.sample(x.mask, streams)
    torch.testing.assert_close(breaker.sample(group.act(g, x))["orbit"], group.act(g, z)["orbit"], atol=1e-12, rtol=0)
    torch.testing.assert_close(breaker.sample(pad(x, 9))["orbit"][:, :6, :6], z["orbit"], atol=1e-12, rtol=0)
    assert torch.equal(z["orbit"][0], z["orbit"][2])


@pytest.mark.parametrize("name", GRAPHS)
def test_a_network_keeps_the_symmetries_of_the_graph_alone(name):
    graph = GRAPHS[name]
    x = batch([graph], len(graph))
    breaker = GraphOrbits("bond", dim=4).double()
    spin = {"spin": SCHEMA["spin"]}
    network = NodeTransformer(
        schema_to_plain(spin), schema_to_plain(spin), schema_to_plain(breaker.schema), width=32, layers=2, heads=4
    ).double()
    t = torch.tensor([0.5])

    def subgroup_network(part: State) -> State:
        return network(part, t, breaker.sample(x))  # the graph stays where it is

    def jointly(structure: State) -> State:
        return network(structure.only("spin"), t, breaker.sample(structure))

    with torch.no_grad():
        only = x.only("spin")
        assert equivariance_error(subgroup_network, parse_group(name), only) < 1e-9
        assert equivariance_error(subgroup_network, parse_group(f"symmetric {len(graph)}"), only) > 1e-3
        assert equivariance_error(jointly, Symmetric(), x) < 1e-9
    assert isinstance(parse_group(name), PermutationGroup)


def test_there_must_be_a_graph():
    with pytest.raises(ValueError, match="there are none before one is given"):
        GraphOrbits("bond").prior(node_mask(torch.tensor([3])))
    with pytest.raises(ValueError, match="expected labels of pairs in 'edge'"):
        GraphOrbits("edge").sample(batch([nx.path_graph(3)], 3))
