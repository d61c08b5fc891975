"""Relaxed equivariance: bases of equivariant maps against the nullspace, layers and networks against the definition."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from symdiff.canonical.nodes import Nodes
from symdiff.groups.closure import tuple_orbits
from symdiff.groups.named import parse_group
from symdiff.groups.permutation_group import PermutationGroup
from symdiff.nn.emlp import EMLP, EquivariantLinear, RelaxedLinear, act, basis, check_permutation_safe
from symdiff.random import Generator, Streams, normal
from symdiff.state import Categorical, Real, State, node_mask
from symdiff.testing import equivariant_elements, relaxed_equivariance_error

GROUPS = [
    "cyclic 6", "dihedral 5", "symmetric 4", "alternating 4", "wreath (symmetric 2, symmetric 2)", "grid 2 3",
    "hypercube 2",
    "affine 5", "fano", "identity 3",
]  # fmt: skip


def represent(permutation: list[int], order: int) -> Tensor:
    """The matrix of a permutation on tensors of an order, by Kronecker products."""
    matrix = torch.ones(1, 1, dtype=torch.float64)
    for _ in range(order):
        matrix = torch.kron(matrix, torch.eye(len(permutation), dtype=torch.float64)[torch.tensor(permutation)])
    return matrix


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("inputs", [0, 1, 2])
@pytest.mark.parametrize("outputs", [0, 1, 2])
def test_the_basis_is_the_nullspace(name: str, inputs: int, outputs: int):
    group = parse_group(name)
    n = group.nodes
    if n ** (inputs + outputs) > 700:
        pytest.skip("the dense nullspace of this many entries takes too long")
    layer = EquivariantLinear(group, inputs, outputs, 1, 1)
    conditions = []
    for g in group.generators or [list(range(n))]:
        left, right = represent(g, outputs), represent(g, inputs)
        conditions.append(
            torch.kron(left, torch.eye(n**inputs, dtype=torch.float64))
            - torch.kron(torch.eye(n**outputs, dtype=torch.float64), right.T.contiguous())
        )
        for w in basis(layer):
            assert torch.equal(left @ w, w @ right)
    matrix = torch.cat(conditions)
    assert layer.dimension == matrix.shape[1] - int(torch.linalg.matrix_rank(matrix))
    if inputs + outputs:
        assert layer.dimension == int(tuple_orbits(group, inputs + outputs).max()) + 1


@pytest.mark.parametrize(
    "name", ["cyclic 12", "dihedral 12", "hypercube 3", "grid 3 4", "wreath (symmetric 4, symmetric 3)", "symmetric 12"]
)
def test_the_dimension_is_the_number_of_orbits_at_degree_12(name: str):
    group = parse_group(name)
    for inputs, outputs in ((1, 1), (2, 1), (1, 2), (2, 2)):
        assert (
            EquivariantLinear(group, inputs, outputs, 1, 1).dimension
            == int(tuple_orbits(group, inputs + outputs).max()) + 1
        )


@pytest.mark.parametrize("name", ["cyclic 6", "affine 5", "wreath (symmetric 3, symmetric 2)"])
@pytest.mark.parametrize(("inputs", "outputs"), [(0, 2), (1, 0), (1, 1), (2, 1), (1, 2), (2, 2)])
def test_layers_commute_with_the_group_and_with_nothing_else(name: str, inputs: int, outputs: int):
    torch.manual_seed(0)
    group = parse_group(name)
    layer = EquivariantLinear(group, inputs, outputs, 2, 3).double()
    nn.init.normal_(layer.bias)
    x = torch.randn(4, *[group.nodes] * inputs, 2, dtype=torch.float64)
    g = group.sample(node_mask(torch.full((4,), group.nodes)), Streams(0, torch.arange(4)))
    torch.testing.assert_close(layer(act(g, x, inputs)), act(g, layer(x), outputs), atol=1e-9, rtol=0)
    if (
        inputs + outputs > 1 and inputs and name != "affine 5"
    ):  # affine 5 needs three nodes to differ from all permutations
        swap = torch.tensor([1, 0, *range(2, group.nodes)]).expand(4, -1)
        swap = swap if [1, 0, *range(2, group.nodes)] not in group else swap.roll(1, 1)
        if swap[0].tolist() not in group:
            assert (layer(act(swap, x, inputs)) - act(swap, layer(x), outputs)).abs().max() > 1e-3


def symmetric_graph() -> State:
    """A square, which eight of the 24 permutations of its nodes keep."""
    ring = torch.eye(4, dtype=torch.long).roll(1, 0) + torch.eye(4, dtype=torch.long).roll(-1, 0)
    schema = {"bond": Categorical("pair", 2, undirected=True)}
    return State(node_mask(torch.tensor([4])), schema, {"bond": ring[None]})


def decode(network: EMLP | RelaxedLinear, draws: bool):
    """The network on bonds, as a function of a structure and a generator; without draws g̃ is always the identity."""
    canonicalizer = Nodes(fields=["bond"])

    def f(x: State, generator: Generator | None) -> State:
        g = canonicalizer.sample(x, generator) if draws else canonicalizer.group.identity(x.mask)
        out = network(x["bond"][..., None].double(), g)
        return State(x.mask, {"charge": Real("node", 1)}, {"charge": out})

    return f


@pytest.mark.parametrize("kept", ["symmetric 4", "cyclic 4", "reversal 4", "identity 4"])
def test_relaxed_networks_meet_the_definition(kept: str):
    torch.manual_seed(0)
    group = parse_group("symmetric 4")
    network = EMLP(group, (2, 1, 1), (1, 8, 1), kept=parse_group(kept)).double()
    f = decode(network, draws=True)
    verdict = relaxed_equivariance_error(f, group, symmetric_graph(), draws=400)
    assert verdict.error < 1e-9 and verdict.pvalue > 1e-3 and verdict.stabilizer == 8
    charges = f(symmetric_graph(), Streams(0, torch.arange(1)))["charge"]
    if kept in (
        "symmetric 4",
        "identity 4",
    ):  # the equivariant network cannot break the square's symmetry, the relaxed one does
        assert (charges.std() < 1e-9) == (kept == "symmetric 4")


def test_a_relaxed_layer_alone_meets_the_definition():
    torch.manual_seed(0)
    group = parse_group("symmetric 4")
    verdict = relaxed_equivariance_error(
        decode(RelaxedLinear(parse_group("identity 4"), 2, 1, 1, 1).double(), True), group, symmetric_graph(), draws=400
    )
    assert verdict.error < 1e-9 and verdict.pvalue > 1e-3


def test_an_arbitrary_network_and_unrelated_noise_fail_the_definition():
    torch.manual_seed(0)
    group = parse_group("symmetric 4")
    arbitrary = decode(EMLP(group, (2, 1, 1), (1, 8, 1), kept=parse_group("identity 4")).double(), draws=False)
    assert relaxed_equivariance_error(arbitrary, group, symmetric_graph()).error > 1e-3

    def noisy(x: State, generator: Generator | None) -> State:
        noise = normal((*x.mask.shape, 1), generator, torch.empty(0, dtype=torch.float64))
        return State(x.mask, {"charge": Real("node", 1)}, {"charge": x["bond"].double() @ noise})

    assert relaxed_equivariance_error(noisy, group, symmetric_graph()).error > 1e-3


def test_a_draw_that_prefers_one_image_fails_in_distribution():
    group = parse_group("symmetric 4")

    def corner(x: State, generator: Generator | None) -> State:
        """Marks a node of the square, but the first one four times as often as each other."""
        weights = torch.tensor([4.0, 1.0, 1.0, 1.0]).double()
        u = normal((len(x), 1), generator, torch.empty(0, dtype=torch.float64))
        place = torch.searchsorted(weights.cumsum(0) / weights.sum(), 0.5 * (1 + torch.erf(u / 2**0.5))).clamp_max(3)
        return State(
            x.mask, {"charge": Real("node", 1)}, {"charge": torch.eye(4, dtype=torch.float64)[place[:, 0]][..., None]}
        )

    verdict = relaxed_equivariance_error(corner, group, symmetric_graph(), draws=400)
    assert verdict.error < 1e-9 and verdict.pvalue < 1e-6


@pytest.mark.parametrize("kept", ["symmetric 4", "cyclic 4", "reversal 4", "identity 4"])
def test_the_degree_is_the_subgroup_that_is_kept(kept: str):
    torch.manual_seed(0)
    group, subgroup = parse_group("symmetric 4"), parse_group(kept)
    layer = EquivariantLinear(subgroup, 1, 1, 1, 1).double()
    x = State(
        node_mask(torch.tensor([4])), {"charge": Real("node", 1)}, {"charge": torch.randn(1, 4, 1, dtype=torch.float64)}
    )
    numbers = equivariant_elements(lambda x: x.with_values(charge=layer(x["charge"])), group, x)
    kept_elements = {tuple(g) for g in group.from_number(numbers, 4).tolist()}
    assert kept_elements == {tuple(g) for g in subgroup.elements().tolist()}


def test_unsafe_nonlinearities_and_subgroups_that_are_none_are_refused():
    group = parse_group("cyclic 4")
    for unsafe in (
        lambda x: x * torch.arange(x.shape[1]).view(1, -1, *[1] * (x.ndim - 2)),
        lambda x: x.cumsum(1),
        lambda x: x.sort(1)[0],
        nn.Flatten(),
    ):
        with pytest.raises(ValueError, match="commute with permutations"):
            check_permutation_safe(unsafe)
        with pytest.raises(ValueError, match="commute with permutations"):
            EMLP(group, (1, 1, 1), (1, 4, 1), nonlinearity=unsafe)
    for safe in (torch.sin, nn.ReLU(), lambda x: x.relu() ** 2, lambda x: x.softmax(-1)):
        check_permutation_safe(safe)
    with pytest.raises(ValueError, match="must lie in the group"):
        EMLP(group, (1, 1), (1, 1), kept=PermutationGroup(4, [[1, 0, 2, 3]]))
    with pytest.raises(ValueError, match="tensor orders"):
        EquivariantLinear(group, 3, 1, 1, 1)


def test_a_layer_for_thousands_of_nodes_never_lists_their_triples():
    layer = EquivariantLinear(parse_group("cyclic 512"), 2, 1, 1, 1)
    assert layer.dimension == 512**2
