"""Space groups of periodic lattices: laws, orders, orbits, stabilizers, exact canonical forms and their cosets."""

from __future__ import annotations

import pytest
import torch

from symdiff.canonical.sites import Sites
from symdiff.groups.bravais import bravais
from symdiff.groups.finite import images, orbit, stabilizer
from symdiff.groups.lattices import Space
from symdiff.groups.product import DirectProduct
from symdiff.groups.relabel import Relabel
from symdiff.groups.torus import torus
from symdiff.random import Streams
from symdiff.state import Categorical, Logits, Real, Star, State
from symdiff.testing import action_law_error, assert_equivariant, chi_square, difference

FLIP = Relabel(["spin", "field"], 2, [[1, 0]])
COLORS = Relabel(["spin", "field"], 3, [[1, 2, 0], [1, 0, 2]])

CASES = {
    "chain": (Space("chain"), 6, 4, 2),
    "rotations of the chain": (Space("chain", point="rotations"), 5, 2, 2),
    "square": (Space("square"), 16, 8, 3),
    "p4": (Space("square", point="rotations"), 9, 4, 2),
    "p1": (Space("square", point="none"), 9, 4, 2),
    "point group": (Space("square", translations=False), 16, 4, 2),
    "rectangle": (Space("square", [2, 4]), 8, 8, 2),
    "triangular": (Space("triangular"), 9, 12, 2),
    "p6": (Space("triangular", point="rotations"), 16, 6, 2),
    "cubic": (Space("cubic"), 8, 18, 2),
    "box": (Space("cubic", [2, 3, 3]), 18, 6, 2),
    "chain with flips": (DirectProduct([Space("chain"), FLIP]), 6, 2, 2),
    "square with flips": (DirectProduct([Space("square"), FLIP]), 16, 8, 2),
    "triangular with colors": (DirectProduct([Space("triangular"), COLORS]), 9, 6, 3),
}


def make_batch(group, nodes: int, directions: int, classes: int, batch: int, levels: int | None = None) -> State:
    """Random spins, couplings, fields, vectors and a temperature; ``levels``: only so many different real values."""
    draw = torch.Generator().manual_seed(nodes)
    space = group.groups[0] if isinstance(group, DirectProduct) else group
    schema = {
        "coupling": Star("node", directions),
        "field": Logits("node", classes),
        "spin": Categorical("node", classes),
        "velocity": Real("node", 2, vector=space.lattice.dim),
        "temperature": Real("whole", 1),
    }

    def real(*shape: int) -> torch.Tensor:
        if levels is None:
            return torch.randn(shape, generator=draw, dtype=torch.float64)
        return torch.randint(levels, shape, generator=draw).double() - 0.5

    values = {name: real(*field.shape(batch, nodes)) for name, field in schema.items()}
    values["spin"] = torch.randint(classes, (batch, nodes), generator=draw)
    return State(torch.ones(batch, nodes, dtype=torch.bool), schema, values)


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def test_action_laws(case):
    group, nodes, directions, classes = case
    x = make_batch(group, nodes, directions, classes, 40)
    assert action_law_error(group, x, Streams(0, torch.arange(40))) < 1e-12


def test_elements_are_numbered(case):
    group, nodes, _, _ = case
    every = torch.arange(group.count(nodes))
    elements = group.from_number(every, nodes)
    assert torch.equal(group.number(elements, nodes), every)
    mask = torch.ones(1, nodes, dtype=torch.bool)
    assert group.number(group.identity(mask), nodes).item() == 0
    back = group.number(group.inverse(elements), nodes)
    assert torch.equal(back.sort().values, every)
    shifted = group.number(group.compose(elements, group.from_number(every[-1:].expand(len(every)), nodes)), nodes)
    assert torch.equal(shifted.sort().values, every)


@pytest.mark.parametrize("name", ["chain with flips", "p4", "rectangle"])
def test_draws_are_uniform_over_all_elements(name):
    group, nodes, _, _ = CASES[name]
    count = group.count(nodes)
    g = group.sample(torch.ones(400 * count, nodes, dtype=torch.bool), Streams(0, torch.arange(400 * count)))
    assert chi_square(torch.bincount(group.number(g, nodes), minlength=count), torch.ones(count)) > 1e-6


def test_orders():
    sizes = {"chain": (6, 12), "square": (16, 8 * 16), "triangular": (9, 12 * 9), "cubic": (27, 48 * 27)}
    for kind, (nodes, order) in sizes.items():
        assert Space(kind).count(nodes) == order
    assert Space("square").count(4096) == 8 * 4096
    assert Space("square", [3, 4]).count(12) == 4 * 12
    assert Space("square", [2, 4]).count(8) == 4 * 8
    assert DirectProduct([Space("square"), FLIP]).count(16) == 256


def test_operations_keep_lengths_and_shells():
    neighbors = {"chain": (2, 2), "square": (4, 4), "triangular": (6, 6), "cubic": (6, 12)}
    for kind, sizes in neighbors.items():
        lattice = bravais(kind)
        assert tuple(map(len, lattice.shells)) == sizes
        for shell in lattice.shells:
            lengths = (shell.double() @ lattice.cell).norm(dim=1)
            assert torch.allclose(lengths, lengths[0].expand(len(lengths)))
        turns = lattice.rotations()
        assert torch.allclose(turns @ turns.mT, torch.eye(lattice.dim, dtype=torch.float64).expand_as(turns))
        proper = torch.linalg.det(turns).round()
        assert (proper[: len(turns) // 2] == 1).all() and (proper[len(turns) // 2 :] == -1).all()


def test_bonds_stay_bonds(case):
    """A coupling stands at both ends of its bond, before and after any motion.

    Stars are couplings, not just channels.
    """
    group, nodes, directions, classes = case
    space = group.groups[0] if isinstance(group, DirectProduct) else group
    piece = space.torus(nodes)
    x = make_batch(group, nodes, directions, classes, 10)
    start, end, way = piece.bonds(directions)
    star = x["coupling"].clone()
    star[:, end, piece.lattice.opposite(directions)[way]] = star[:, start, way]
    moved = group.act(group.sample(x.mask, Streams(0, torch.arange(10))), x.with_values(coupling=star))["coupling"]
    assert torch.equal(moved[:, end, piece.lattice.opposite(directions)[way]], moved[:, start, way])
    assert len(start) == nodes * directions // 2


def test_the_energy_of_bonds_is_invariant(case):
    group, nodes, directions, classes = case
    piece = (group.groups[0] if isinstance(group, DirectProduct) else group).torus(nodes)

    def energy(x: State) -> torch.Tensor:
        spins = x["spin"]
        alike = (spins[:, piece.neighbors(directions)] == spins[:, :, None]).double()
        bonds = (alike * x["coupling"][..., 0]).sum((1, 2)) / 2
        return bonds + x["field"].gather(-1, spins[..., None]).sum((1, 2)) + x["temperature"][:, 0]

    assert_equivariant(
        energy, group, make_batch(group, nodes, directions, classes, 10), generator=Streams(0, torch.arange(10))
    )


def test_orbits_and_stabilizers():
    group, draw = DirectProduct([Space("square"), FLIP]), torch.Generator().manual_seed(0)
    schema = {"spin": Categorical("node", 2)}
    columns = torch.arange(16).remainder(2)[None]
    board = (torch.arange(4)[:, None] + torch.arange(4)).remainder(2).view(1, 16)
    known = {"up": (torch.zeros(1, 16), 2), "columns": (columns, 4), "checkerboard": (board, 2)}
    for spins, size in [*known.values(), (torch.randint(2, (1, 16), generator=draw), None)]:
        x = State(torch.ones(1, 16, dtype=torch.bool), schema, {"spin": spins.long()})
        stable = stabilizer(group, x)
        assert torch.equal(stable, Sites(group).stabilizer(x))
        images_of_x = orbit(group, x)
        assert len(stable) * len(images_of_x) == group.count(16) == 256
        assert size in (None, len(images_of_x))
        assert len(stable) == Sites(group).automorphisms(x).item()
    assert Space("square", translations=False).orbits(16).tolist() == [0, 1, 2, 1, 1, 3, 4, 3, 2, 4, 5, 4, 1, 3, 4, 3]
    assert not Space("square").orbits(16).any()


def comparable(x: State) -> State:
    return x.only("coupling", "field", "spin", "temperature")


def test_moved_structures_have_one_representative(case):
    group, nodes, directions, classes = case
    for levels in (None, 1, 2):
        x = comparable(make_batch(group, nodes, directions, classes, 30, levels))
        sites = Sites(group)
        moved = group.act(group.sample(x.mask, Streams(1, torch.arange(30))), x)
        assert difference(sites.canonical(x), sites.canonical(moved)) == 0
        assert difference(group.act(sites.element(x), sites.canonical(x)), x) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["chain with flips", "p4", "rectangle", "point group", "cubic", "triangular with colors"]
)
def test_representatives_separate_orbits(name):
    """All configurations of some spins, against the smallest image by enumeration of the group."""
    group, nodes, _, classes = CASES[name]
    count = min(classes**nodes, 300)
    digits = torch.randperm(classes**nodes, generator=torch.Generator().manual_seed(0))[:count]
    spins = digits[:, None] // classes ** torch.arange(nodes) % classes
    x = State(torch.ones(count, nodes, dtype=torch.bool), {"spin": Categorical("node", classes)}, {"spin": spins})
    code = torch.tensor(
        [min(_codes(moved, classes).min().item() for _, moved in images(group, x.select([k]))) for k in range(count)]
    )
    ours = _codes(Sites(group).canonical(x), classes)
    both = torch.stack([code, ours], 1).unique(dim=0)
    assert len(both) == len(code.unique()) == len(ours.unique())


def _codes(x: State, classes: int) -> torch.Tensor:
    return (x["spin"] * classes ** torch.arange(x.mask.shape[1])).sum(1)


def _kernel_pvalue(sites: Sites, x: State, draws: int, elements: torch.Tensor) -> float:
    """Whether draws are uniform on {g : g⁻¹·x canonical}, which is enumerated."""
    group, nodes = sites.group, x.mask.shape[1]
    every = group.from_number(torch.arange(group.count(nodes)), nodes)
    carried = group.act(group.inverse(every), x.select([0] * group.count(nodes)))
    representative, inside = sites.canonical(x), torch.ones(group.count(nodes), dtype=torch.bool)
    for name in x.schema:
        inside &= (carried[name] == representative[name]).flatten(1).all(1)
    return chi_square(torch.bincount(elements, minlength=len(inside)), inside)


@pytest.mark.parametrize("through", ["all smallest images", "a random image"])
@pytest.mark.parametrize(
    "spins", [[0] * 16, [0, 1] * 8, [0, 1, 1, 0] * 4, [0] * 15 + [1], [0, 0, 1, 0, 1, 1, 0, 1] * 2]
)
def test_the_inversion_kernel_is_uniform_on_the_coset(spins, through):
    group = DirectProduct([Space("square"), FLIP])
    sites = Sites(group)
    x = State(torch.ones(1, 16, dtype=torch.bool), {"spin": Categorical("node", 2)}, {"spin": torch.tensor([spins])})
    draws = 8 * int(sites.automorphisms(x).item()) + 2000
    many, streams = x.select([0] * draws), Streams(3, torch.arange(draws))
    draw = sites.sample if through == "all smallest images" else super(Sites, sites).sample
    assert _kernel_pvalue(sites, x, draws, group.number(draw(many, streams), 16)) > 1e-6


SYMMETRIC = {  # a group, and a pattern that some of its elements keep, in terms of a site's coordinates
    "chain with flips": lambda n: n[:, 0] % 2,
    "rectangle": lambda n: n[:, 1] // 2 % 2,
    "p4": lambda n: (n[:, 0] == 0) ^ (n[:, 1] == 0),
    "triangular with colors": lambda n: (n[:, 0] - n[:, 1]) % 3,
    "cubic": lambda n: n.sum(1) % 2,
    "point group": lambda n: n[:, 0] == 0,
}


@pytest.mark.parametrize("name", SYMMETRIC)
def test_the_kernel_is_uniform_on_every_lattice(name):
    group, nodes, _, classes = CASES[name]
    space = group.groups[0] if isinstance(group, DirectProduct) else group
    spins = SYMMETRIC[name](space.torus(nodes).positions()).long()[None]
    x = State(torch.ones(1, nodes, dtype=torch.bool), {"spin": Categorical("node", classes)}, {"spin": spins})
    sites = Sites(group)
    size = int(sites.automorphisms(x).item())
    assert 1 < size < group.count(nodes)
    draws = 12 * size + 1000
    drawn = sites.sample(x.select([0] * draws), Streams(5, torch.arange(draws)))
    assert _kernel_pvalue(sites, x, draws, group.number(drawn, nodes)) > 1e-6


def test_couplings_and_a_field_leave_their_common_symmetry():
    """Stripes of couplings along one axis, a staggered field.

    The stabilizer is that of both, and no flip is in it alone.
    """
    group = DirectProduct([Space("square"), FLIP])
    n = Space("square").torus(16).positions()
    star = torch.tensor([1.0, 0.5, 1.0, 0.5]).expand(1, 16, 4)[..., None]
    h = (1.0 - 2 * (n.sum(1) % 2))[None]
    schema = {"coupling": Star("node", 4), "field": Logits("node", 2)}
    c = State(torch.ones(1, 16, dtype=torch.bool), schema, {"coupling": star, "field": torch.stack([h, -h], -1)})
    sites = Sites(group)
    assert torch.equal(sites.stabilizer(c), stabilizer(group, c))
    assert (
        sites.automorphisms(c).item() == 4 * 16
    )  # half of the translations with a flip, half without; two axes' mirrors
    draws = 3000
    drawn = sites.sample(c.select([0] * draws), Streams(6, torch.arange(draws)))
    assert _kernel_pvalue(sites, c, draws, group.number(drawn, 16)) > 1e-6


def test_with_a_condition_the_draw_is_in_the_conditions_coset():
    """The marginal over spins with the condition's symmetry is uniform on γ(c)·Stab(c); each spin's draw lies in it."""
    group = DirectProduct([Space("square"), FLIP])
    sites = Sites(group, ["coupling", "spin"])
    star = torch.tensor([1.0, -1.0, 1.0, -1.0]).expand(1, 16, 4)[..., None]  # unlike along rows and columns
    mask = torch.ones(1, 16, dtype=torch.bool)
    c = State(mask, {"coupling": Star("node", 4)}, {"coupling": star})
    assert sites.automorphisms(c).item() == 4 * 16 * 2
    draws = 4000
    stripes = torch.stack([torch.arange(16) // 4 % 2, 1 - torch.arange(16) // 4 % 2])[
        torch.randint(2, (draws,), generator=torch.Generator().manual_seed(0))
    ]
    x = c.select([0] * draws).with_values({"spin": Categorical("node", 2)}, spin=stripes)
    for drawn in (
        sites.sample(x, Streams(0, torch.arange(draws))),
        sites.sample(c.select([0] * draws), Streams(1, torch.arange(draws))),
    ):
        assert _kernel_pvalue(sites, c, draws, group.number(drawn, 16)) > 1e-6
    chosen = sites.sample(x, Streams(2, torch.arange(draws)))
    representatives = group.act(group.inverse(chosen), x)
    assert len(representatives["spin"].unique(dim=0)) == 1


def test_a_batch_is_canonicalized_row_by_row(monkeypatch):
    group = DirectProduct([Space("square"), FLIP])
    x = comparable(make_batch(group, 16, 4, 2, 7, 2)).only("spin")
    whole = Sites(group).minimizers(x)
    monkeypatch.setattr("symdiff.canonical.sites.PORTION", 600)
    parts = Sites(group).minimizers(x)
    assert torch.equal(whole[0], parts[0]) and torch.equal(whole[1], parts[1])


def test_large_lattices_need_no_table():
    group = DirectProduct([Space("square"), FLIP])
    x = State(
        torch.ones(1, 4096, dtype=torch.bool),
        {"spin": Categorical("node", 2)},
        {"spin": torch.zeros(1, 4096, dtype=torch.int64)},
    )
    x["spin"][0, 77] = 1
    assert Sites(group).automorphisms(x).item() == 8
    moved = group.act(group.sample(x.mask, Streams(0, torch.arange(1))), x)
    assert difference(Sites(group).canonical(x), Sites(group).canonical(moved)) == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Space("hexagonal"), "unknown lattice 'hexagonal'"),
        (lambda: Space("squares"), "did you mean 'square'"),
        (lambda: Space("square", [4]), "has 2 periodic sides of at least 2 sites, got \\[4\\]"),
        (lambda: Space("square", point="half"), "point must be one of"),
        (lambda: Space("square").count(12), "has 9 or 16 sites, got 12"),
        (lambda: Space("square", [3, 4]).count(16), "3 x 4 has 12 sites, got 16"),
        (lambda: Space("square").identity(torch.tensor([[True, True, True, False]])), "same number of sites"),
        (lambda: bravais("square").star(5), "has 4 or 8 directions, got 5"),
        (lambda: Sites(FLIP), "needs a Space"),
        (lambda: Sites(Space(), "spin"), "list of names"),
        (lambda: torus("cubic", 3, 26), "27 sites, got 26"),
    ],
)
def test_what_does_not_fit_is_told(make, message):
    with pytest.raises(ValueError, match=message):
        make()
