"""Any subgroup: colors of ordered pairs leave a permutation-equivariant network exactly the 2-closure of the group."""

from __future__ import annotations

import pytest
import torch

from symdiff.breaking.orbits import Orbits, color_by_nodes
from symdiff.denoisers import EquivariantMLP, GATv2, GraphTransformer, NodeTransformer, OrbitMLP
from symdiff.groups.named import parse_group
from symdiff.random import Streams
from symdiff.state import Categorical, Logits, State, node_mask, schema_to_plain
from symdiff.testing import equivariance_error

SCHEMA = {"token": Categorical("node", 3), "bond": Categorical("pair", 2, undirected=True)}
GROUPS = {  # the group, and one that properly contains its 2-closure
    "cyclic 6": "dihedral 6",
    "dihedral 6": "symmetric 6",
    "reversal 6": "dihedral 6",
    "wreath (symmetric 3, symmetric 2)": "symmetric 6",
    "product (symmetric 3, symmetric 3)": "wreath (symmetric 3, symmetric 2)",
    "translations 2 3": "symmetric 6",
    "identity 6": "reversal 6",
    "grid 2 3": "symmetric 6",
    "blocks 2 4 2": "symmetric 8",
    "hypercube 3": "symmetric 8",
    "torus 3 3": "symmetric 9",
}
BASES = {
    "nodes": (NodeTransformer, {"heads": 2}),
    "graph": (GraphTransformer, {"heads": 2}),
    "mlp": (EquivariantMLP, {"pair_width": 8}),
    "gat": (GATv2, {"heads": 2}),
    "orbits": (OrbitMLP, {}),
}


def structures(nodes: int = 6) -> State:
    mask = node_mask(torch.tensor([nodes, nodes]))
    generator = torch.Generator().manual_seed(0)
    token = torch.randint(0, 3, (2, nodes), generator=generator)
    bond = torch.randint(0, 2, (2, nodes, nodes), generator=generator).triu(1)
    return State(mask, SCHEMA, {"token": token, "bond": bond + bond.mT})


@pytest.fixture
def x() -> State:
    return structures()


def network(base: str, breaker: Orbits):
    torch.manual_seed(1)
    kind, settings = BASES[base]
    plain = schema_to_plain(SCHEMA)
    f = kind(plain, plain, schema_to_plain(breaker.schema), width=16, layers=2, **settings).double().eval()
    for parameter in f.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return f


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("name", GROUPS)
def test_equivariant_under_the_group_and_under_no_larger_one(base: str, name: str):
    torch.manual_seed(0)
    breaker, x = Orbits(name, dim=4).double(), structures(parse_group(name).nodes)
    f, t = network(base, breaker), torch.full((2,), 0.5, dtype=torch.float64)

    def broken(x: State) -> State:
        return f(x, t, breaker.sample(x))

    with torch.no_grad():
        assert equivariance_error(broken, parse_group(name), x, generator=Streams(0, torch.arange(2))) < 1e-9
        assert equivariance_error(broken, parse_group(GROUPS[name]), x, generator=Streams(0, torch.arange(2))) > 1e-3


def test_a_network_that_symmetrizes_pairs_makes_rotations_into_reflections_too(x: State):
    breaker = Orbits("cyclic 6", dim=4).double()

    def symmetrizing(x: State) -> State:
        colors = breaker.sample(x)["orbit"]
        colors = colors + colors.transpose(1, 2)
        h = (colors * x["token"][:, None, :, None].double()).sum(2)
        return State(x.mask, {"token": Logits("node", 4)}, {"token": h.sin()})

    with torch.no_grad():
        assert (
            equivariance_error(symmetrizing, parse_group("dihedral 6"), x, generator=Streams(0, torch.arange(2))) < 1e-9
        )


def test_colors_by_orbits_of_nodes_keep_the_product_of_symmetric_groups():
    colors = color_by_nodes(parse_group("reversal 6").orbits())
    swap = [5, 1, 2, 3, 4, 0]  # one of the swaps that the reversal is a product of
    assert torch.equal(colors[swap][:, swap], colors)
    assert not torch.equal(
        parse_group("reversal 6").pair_orbits()[swap][:, swap], parse_group("reversal 6").pair_orbits()
    )


def test_together_with_another_breaker_and_through_a_file(tmp_path, x: State):
    spec = {"kind": "Noise", "dim": 3}
    breaker = Orbits("cyclic 6", dim=4, breaker=spec)
    z = breaker.sample(x, Streams(0, torch.arange(2)))
    assert list(z.schema) == ["orbit", "code"] and z["code"].shape == (2, 6, 3)
    breaker.save_pretrained(tmp_path)
    again = Orbits.from_pretrained(tmp_path)
    assert torch.equal(again.sample(x, Streams(0, torch.arange(2)))["orbit"], z["orbit"])


def test_a_group_of_another_degree_is_refused():
    with pytest.raises(ValueError, match="degree 6: expected structures of 6 nodes, got"):
        Orbits("cyclic 6").prior(node_mask(torch.tensor([5])))
