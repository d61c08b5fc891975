"""Laws of canonicalizers on small cases."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from symdiff.canonical.molecules import Molecules
from symdiff.canonical.nodes import Nodes
from symdiff.canonical.stored import Stored
from symdiff.groups.permutations import Symmetric
from symdiff.random import Streams
from symdiff.state import Categorical, Logits, Real, State, collate, node_mask, pad
from symdiff.testing import coset_test, difference

SCHEMAS = {
    "molecule": {"atom": Categorical("node", 3), "bond": Categorical("pair", 4, undirected=True)},
    "graph": {"edge": Categorical("pair", 2, undirected=True)},
    "directed": {"arrow": Categorical("pair", 2)},
    "several": {
        "a": Categorical("node", 2),
        "b": Categorical("node", 2),
        "arrow": Categorical("pair", 2),
        "bond": Categorical("pair", 2, undirected=True),
        "size": Categorical("whole", 3),
    },
    "set": {"atom": Categorical("node", 3)},
}


@pytest.fixture(params=SCHEMAS)
def x(request, random_state) -> State:
    sizes = torch.arange(300) % 6 + 1
    return random_state(SCHEMAS[request.param], node_mask(sizes, 6), 0)


def shuffled(x: State, seed: int = 0) -> State:
    group = Symmetric()
    return group.act(group.sample(x.mask, Streams(seed, torch.arange(len(x)))), x)


@pytest.mark.parametrize("order", ["rank", "depth", "breadth"])
def test_relabelled_structures_have_one_representative(x, order):
    nodes, y = Nodes(order), shuffled(x)
    assert difference(nodes.canonical(x), nodes.canonical(y)) == 0
    c = nodes.element(x)
    assert torch.equal(c.sort(1).values, nodes.group.identity(x.mask))
    assert difference(nodes.group.act(c, nodes.canonical(x)), x) == 0


def test_forms_agree_exactly_with_representatives(x):
    nodes = Nodes()
    representative = nodes.canonical(x)
    flat = torch.cat([x.num_nodes[:, None], *(representative[name].reshape(len(x), -1) for name in x.schema)], 1)
    classes = flat.unique(dim=0, return_inverse=True)[1]
    forms = nodes.form(x).unique(return_inverse=True)[1]
    pairs = (classes * len(x) + forms).unique()
    assert len(pairs) == classes.max() + 1 == forms.max() + 1
    assert torch.equal(nodes.form(x), nodes.form(shuffled(x)))


def test_automorphisms_agree_with_enumeration(x):
    small = x.select(x.num_nodes <= 4)
    counts = torch.zeros(len(small), dtype=torch.float64)
    for p in itertools.permutations(range(4)):
        g = torch.tensor([*p, 4, 5]).expand(len(small), -1)
        keeps = (small.mask | (g == torch.arange(6))).all(1)
        moved = Symmetric().act(g, small)
        same = torch.stack([(moved[n] == small[n]).reshape(len(small), -1).all(1) for n in x.schema]).all(0)
        counts += keeps & same
    nodes = Nodes()
    assert torch.equal(nodes.automorphisms(small), counts)
    assert torch.allclose(nodes.log_automorphisms(small).exp(), counts)


def test_padding_and_batch_change_nothing(x):
    nodes = Nodes()
    alone = [x.select([k]) for k in range(60)]
    assert torch.equal(torch.cat([nodes.form(row) for row in alone]), nodes.form(x)[:60])
    assert torch.equal(torch.cat([nodes.element(row) for row in alone]), nodes.element(x)[:60])
    wide = pad(x, 9)
    assert torch.equal(nodes.form(wide), nodes.form(x))
    assert torch.equal(nodes.element(wide)[:, :6], nodes.element(x))
    assert (nodes.element(wide)[:, 6:] == torch.arange(6, 9)).all()


def graphs(*edges: list[tuple[int, int]], nodes: list[int]) -> State:
    mask = node_mask(torch.tensor(nodes))
    values = torch.zeros(len(edges), *mask.shape[1:] * 2, dtype=torch.int64)
    for row, pairs in enumerate(edges):
        for i, j in pairs:
            values[row, i, j] = values[row, j, i] = 1
    return State(mask, {"edge": Categorical("pair", 2, undirected=True)}, {"edge": values})


def test_padding_decides_nothing_where_refinement_sees_nothing():
    """Regular graphs, which are told apart by the search alone: the same form however many nodes are padded."""
    import networkx as nx

    regular = [nx.random_regular_graph(3, 10, seed=seed) for seed in range(40)]
    x, nodes = graphs(*(list(one.edges) for one in regular), nodes=[10] * 40), Nodes()
    for width in (11, 13, 16):
        wide = pad(x, width)
        assert torch.equal(nodes.form(wide), nodes.form(x))
        assert torch.equal(nodes.form(pad(shuffled(x), width)), nodes.form(x))
        assert torch.equal(nodes.log_automorphisms(wide), nodes.log_automorphisms(x))


def cycle(n: int, start: int = 0) -> list[tuple[int, int]]:
    return [(start + i, start + (i + 1) % n) for i in range(n)]


def symmetric_graphs() -> State:
    complete = list(itertools.combinations(range(4), 2))
    bipartite = [(i, j) for i in range(3) for j in range(3, 6)]
    prism = cycle(3) + cycle(3, 3) + [(i, i + 3) for i in range(3)]
    return graphs(
        [], cycle(4), cycle(5), cycle(6), complete, [(0, i) for i in range(1, 5)], bipartite, cycle(3) + cycle(3, 3),
        prism,
        [(0, 1), (2, 3), (4, 5)], [(0, 1), (1, 2), (3, 4)],
        nodes=[4, 4, 5, 6, 4, 5, 6, 6, 6, 6, 5],
    )  # fmt: skip


def test_draws_are_uniform_on_the_whole_coset():
    pvalues = coset_test(Nodes(), symmetric_graphs(), generator=torch.Generator().manual_seed(0), draws=7200)
    assert (pvalues > 1e-7).all(), pvalues


@pytest.mark.parametrize("order", ["depth", "breadth"])
def test_draws_of_traversals_are_uniform_too(order):
    x = symmetric_graphs().select([1, 5, 7, 10])
    assert (coset_test(Nodes(order), x, generator=torch.Generator().manual_seed(1)) > 1e-7).all()


def test_draws_are_uniform_with_labels_and_directions():
    arrows = torch.zeros(2, 5, 5, dtype=torch.int64)
    for i, j in cycle(5):
        arrows[0, i, j] = 1
    arrows[1, 0, 1:4] = 2
    labels = torch.tensor([[1, 1, 1, 1, 1], [0, 1, 1, 1, 0]])
    x = State(
        node_mask(torch.tensor([5, 4])),
        {"atom": Categorical("node", 2), "arrow": Categorical("pair", 3)},
        {"atom": labels, "arrow": arrows},
    )
    assert Nodes().automorphisms(x).tolist() == [5, 6]
    assert (coset_test(Nodes(), x, generator=torch.Generator().manual_seed(2)) > 1e-7).all()


class _InGivenOrder(Nodes):
    """Decides ties as ``Nodes`` does, but does not randomize them."""

    def sample(self, x, generator=None):
        return self.element(x)


def test_the_coset_test_finds_what_is_not_uniform():
    x = symmetric_graphs().select([1, 9])
    assert (coset_test(_InGivenOrder(), x) < 1e-9).all()


def test_the_law_of_draws_is_equivariant_for_a_canonicalizer_that_misses_orbits(random_state):
    x = random_state(SCHEMAS["molecule"], node_mask(torch.tensor([4])), 5)
    blind, h = Nodes(fields=["atom"]), torch.tensor([[2, 0, 3, 1]])
    draws = 24_000
    rows = torch.arange(draws)
    group = Symmetric()
    here = blind.sample(group.act(h, x).select([0] * draws), Streams(0, rows))
    there = group.compose(h.expand(draws, -1), blind.sample(x.select([0] * draws), Streams(1, rows)))
    code = 4 ** torch.arange(4)
    first = torch.bincount((here * code).sum(1), minlength=256).double()
    second = torch.bincount((there * code).sum(1), minlength=256).double()
    assert ((first > 0) == (second > 0)).all()
    seen = first > 0
    statistic = ((first - second)[seen] ** 2 / (first + second)[seen]).sum()
    p = torch.special.gammaincc(torch.tensor((int(seen.sum()) - 1) / 2, dtype=torch.float64), statistic / 2)
    assert p > 1e-6


def traversal(edges: list[tuple[int, int]], rank: list[int], order: str) -> list[int]:
    """The textbook's stack and queue."""
    nodes = sorted(range(len(rank)), key=rank.__getitem__)
    near = {i: [j for j in nodes if (i, j) in edges or (j, i) in edges] for i in nodes}
    visited: list[int] = []

    def descend(i: int) -> None:
        visited.append(i)
        for j in near[i]:
            if j not in visited:
                descend(j)

    for start in nodes:
        if start in visited:
            continue
        if order == "depth":
            descend(start)
            continue
        queue = [start]
        while queue:
            i = queue.pop(0)
            if i not in visited:
                visited.append(i)
                queue += [j for j in near[i] if j not in visited]
    return visited


@pytest.mark.parametrize("order", ["depth", "breadth"])
def test_traversals_agree_with_the_textbook(order, random_state):
    schema = {"edge": Categorical("pair", 2, undirected=True)}
    x = random_state(schema, node_mask(torch.arange(60) % 9 + 1, 9), 4)
    thin = random_state(schema, x.mask, 5)["edge"]
    x = x.with_values(edge=x["edge"] * thin)
    ranks, positions = Nodes().element(x), Nodes(order).element(x)
    for row, size in enumerate(x.num_nodes.tolist()):
        edges = [(i, j) for i, j in x["edge"][row].nonzero().tolist()]
        assert positions[row, :size].argsort().tolist() == traversal(edges, ranks[row, :size].tolist(), order)


def test_huge_groups_of_twins_are_cheap():
    n = 200
    x = State(torch.ones(1, n, dtype=torch.bool), {"atom": Categorical("node", 2)}, {"atom": torch.arange(n)[None] % 2})
    assert math.isclose(Nodes().log_automorphisms(x).item(), 2 * math.lgamma(101), rel_tol=1e-12)


def test_fields_may_be_chosen(random_state):
    x = random_state({**SCHEMAS["molecule"], "position": Real("node", 1, vector=3)}, node_mask(torch.tensor([5, 3])), 1)
    with pytest.raises(ValueError, match="'position' needs labels"):
        Nodes().element(x)
    with pytest.raises(ValueError, match="'charge' is not in the structure"):
        Nodes(fields=["charge"]).element(x)
    with pytest.raises(ValueError, match="order must be one of"):
        Nodes("random")
    nodes = Nodes(fields=["atom", "bond"])
    assert difference(nodes.canonical(x), nodes.canonical(shuffled(x))) < 1e-12
    with pytest.raises(ValueError, match="joint labels"):
        Nodes().element(random_state({"a": Categorical("node", 2**40)}, x.mask, 0))
    with pytest.raises(ValueError, match="got Logits"):
        Nodes().element(random_state({"a": Logits("node", 2)}, x.mask, 0))


def test_an_empty_batch_is_labelled(graph_batch):
    none = graph_batch.select(slice(0, 0))
    assert Nodes().element(none).shape == (0, 6)
    assert Nodes().form(none).shape == Nodes().automorphisms(none).shape == (0,)


def test_stored_structures_keep_their_order(graph_batch):
    stored = Stored()
    identity = stored.group.identity(graph_batch.mask)
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    assert torch.equal(stored.sample(graph_batch, generator), identity)
    assert torch.equal(generator.get_state(), before)
    assert difference(stored.canonical(graph_batch), graph_batch) == 0


def test_stored_elements_lie_in_the_coset_of_structures_put_into_canonical_order(graph_batch):
    nodes, stored = Nodes(), Stored()
    x = nodes.canonical(graph_batch)
    assert difference(nodes.group.act(nodes.group.inverse(stored.sample(x)), x), nodes.canonical(x)) == 0


def test_the_loss_is_the_same_at_every_element_of_the_coset(graph_batch):
    """The reason that ``Stored`` gives, for a network whose input is the code g·v."""
    nodes = Nodes()
    x = nodes.canonical(graph_batch)
    group, generator = nodes.group, torch.Generator().manual_seed(0)
    code = torch.randn(6, 3, generator=generator, dtype=torch.float64)

    def loss(atoms: torch.Tensor, g: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        z = code.expand(len(x), -1, -1).gather(1, g[..., None].expand(-1, -1, 3))
        noisy = torch.nn.functional.one_hot(atoms, 4) + noise
        return ((noisy.cumsum(-1) * z.sum(-1, keepdim=True).tanh()).sin() * x.mask[..., None]).sum((1, 2))

    noise = torch.randn(len(x), 6, 4, generator=generator, dtype=torch.float64)
    for _ in range(20):
        k = nodes.sample(x, generator)  # x is canonical: k is an automorphism
        moved = noise.gather(1, k[..., None].expand(-1, -1, 4))
        assert torch.allclose(loss(x["atom"], k, moved), loss(x["atom"], group.identity(x.mask), noise))


@pytest.mark.parametrize("order", ["rank", "smiles"])
def test_rdkit_orders_do_not_depend_on_the_given_order(order):
    schema = {"atom": Categorical("node", 4), "bond": Categorical("pair", 4, undirected=True)}

    def molecule(atoms: list[int], bonds: list[tuple[int, int, int]]) -> State:
        values = torch.zeros(1, len(atoms), len(atoms), dtype=torch.int64)
        for i, j, kind in bonds:
            values[0, i, j] = values[0, j, i] = kind
        return State(
            torch.ones(1, len(atoms), dtype=torch.bool), schema, {"atom": torch.tensor([atoms]), "bond": values}
        )

    x = collate(
        [
            molecule([0, 0, 1, 0, 2], [(0, 1, 1), (1, 2, 1), (2, 3, 3), (1, 4, 2)]),
            molecule([0, 3, 2, 2], [(0, 1, 1), (1, 2, 2), (1, 3, 1)]),
            molecule([0] * 6, [(i, (i + 1) % 6, 1 + i % 2) for i in range(6)]),
            molecule([0, 2, 2, 1], [(0, 1, 2), (0, 2, 3), (0, 3, 3)]),  # no valence allows this one
        ]
    )
    canonicalizer = Molecules(["C", "N", "O", "N+"], order)
    for seed in range(10):
        assert difference(canonicalizer.canonical(x), canonicalizer.canonical(shuffled(x, seed))) == 0
    draws = canonicalizer.sample(x, Streams(0, torch.arange(4)))
    assert torch.equal(draws.sort(1).values, canonicalizer.group.identity(x.mask))
    if order == "smiles":
        assert canonicalizer.canonical(x)["bond"][0].diagonal(1)[:3].all()
    with pytest.raises(ValueError, match="got 'N3'"):
        Molecules(["N3"])
