"""Spin lattices as a domain: Hamiltonians against brute force and symmetry, conditions, codecs and files."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
import torch

from symdiff.domains.base import domain_from_spec
from symdiff.domains.hamiltonian_files import read_hamiltonians
from symdiff.domains.lattice import SpinLattice
from symdiff.errors import UserError
from symdiff.groups.torus import torus
from symdiff.random import Streams
from symdiff.spins.configuration import Configuration
from symdiff.spins.hamiltonian import (
    Hamiltonian,
    gaussian_bonds,
    half,
    interaction,
    ising_field,
    random_bonds,
    random_fields,
)
from symdiff.state import State
from symdiff.testing import assert_equivariant, difference

ALL = ("coupling", "field", "temperature")
DOMAINS = {
    "chain": (SpinLattice("chain", shells=2, conditions=ALL), (7,)),
    "square": (SpinLattice("square", conditions=ALL), (4, 4)),
    "J1-J2": (SpinLattice("square", shells=2, conditions=["field", "coupling"]), (4, 4)),
    "plain": (SpinLattice("square"), (5, 5)),
    "rectangle": (SpinLattice("square", [3, 4], conditions=["temperature"]), (3, 4)),
    "triangular Potts": (SpinLattice("triangular", model="potts", states=3, conditions=ALL), (3, 3)),
    "clock": (SpinLattice("square", model="clock", states=4, conditions=ALL), (3, 3)),
    "cubic": (SpinLattice("cubic", shells=2, conditions=["coupling"]), (3, 3, 3)),
}


@pytest.fixture(params=DOMAINS)
def case(request):
    return DOMAINS[request.param]


def make_state(domain: SpinLattice, sides: tuple[int, ...], batch: int = 5) -> State:
    """Random spins with random conditions."""
    piece, draw = torus(domain.lattice, sides), torch.Generator().manual_seed(0)
    settings = {}
    if "coupling" in domain.conditions:
        settings["couplings"] = gaussian_bonds(piece, 0.0, 1.0, batch, draw, domain.shells).float().double()
    if "field" in domain.conditions:
        settings["field"] = torch.randn(batch, piece.sites, domain.states, generator=draw).double()
        if domain.model == "ising":
            settings["field"] = ising_field(settings["field"][..., 0])
    h = Hamiltonian.make(piece, domain.interaction, **settings)
    temperature = torch.rand(batch, generator=draw) + 1 if "temperature" in domain.conditions else None
    spins = torch.randint(domain.states, (batch, piece.sites), generator=draw)
    if not domain.conditions:
        return State(torch.ones_like(spins, dtype=torch.bool), domain.schema, {"spin": spins})
    return domain.condition(h, temperature).with_values(domain.schema, spin=spins)


def test_energies_by_hand():
    ising = interaction("ising")
    square = torus("square", 4)
    up, board = torch.zeros(1, 16, dtype=torch.int64), ((torch.arange(16) // 4 + torch.arange(16)) % 2)[None]
    rows = (torch.arange(16) // 4 % 2)[None]
    plain = Hamiltonian.make(square, ising)
    assert plain.energy(up).item() == -2 and plain.energy(board).item() == 2 and plain.energy(rows).item() == 0
    j1j2 = Hamiltonian.make(square, ising, [1.0, 1.0, -0.7, -0.7])
    assert torch.allclose(
        j1j2.energy(torch.cat([up, board, rows])), torch.tensor([-0.6, 3.4, -1.4], dtype=torch.float64)
    )
    along = Hamiltonian.make(square, ising, [1.0, -0.25])  # axis 0, axis 1
    assert along.energy(rows).item() == pytest.approx(1 + 0.25)
    field = Hamiltonian.make(square, ising, field=torch.tensor([0.5, -0.5]))
    assert field.energy(up).item() == -2.5 and field.energy(1 - up).item() == -1.5
    assert field.has_field and not plain.has_field
    potts = Hamiltonian.make(torus("triangular", 3), interaction("potts", 3))
    assert potts.energy(torch.zeros(1, 9, dtype=torch.int64)).item() == -3
    clock = interaction("clock", 4)
    assert torch.allclose(clock[0], torch.tensor([1.0, 0.0, -1.0, 0.0], dtype=torch.float64))


def test_energies_against_the_sum_over_pairs():
    draw = torch.Generator().manual_seed(1)
    for kind, sides, shells in (
        ("chain", (5,), 2),
        ("square", (3, 4), 2),
        ("triangular", (3, 3), 2),
        ("cubic", (2, 3, 3), 1),
    ):
        piece, w = torus(kind, sides), interaction("clock", 3)
        directions = len(piece.lattice.directions(shells))
        couplings = gaussian_bonds(piece, 0.3, 1.0, 2, draw, shells)
        field = torch.randn(2, piece.sites, 3, generator=draw, dtype=torch.float64)
        spins = torch.randint(3, (2, piece.sites), generator=draw)
        want = torch.zeros(2, dtype=torch.float64)
        star = piece.lattice.star(directions)[half(piece, directions)]
        for b, n, k in itertools.product(range(2), range(piece.sites), range(directions // 2)):
            other = piece.index(piece.positions()[n] + star[k])
            want[b] -= couplings[b, n, k] * w[spins[b, n], spins[b, other]]
        for b, n in itertools.product(range(2), range(piece.sites)):
            want[b] -= field[b, n, spins[b, n]]
        assert torch.allclose(Hamiltonian.make(piece, w, couplings, field).total(spins), want)


def test_energies_are_invariant(case):
    domain, sides = case
    x = make_state(domain, sides)
    assert_equivariant(
        lambda y: domain.hamiltonian(y).total(y["spin"]),
        domain.group,
        x,
        generator=Streams(0, torch.arange(len(x))),
        tolerance=1e-9,
    )


def test_conditions_say_the_hamiltonian(case):
    domain, sides = case
    x = make_state(domain, sides)
    again = domain.condition(domain.hamiltonian(x), x["temperature"][:, 0] if "temperature" in x.schema else None)
    assert difference(again.select(range(len(again))), x.only(*domain.conditions).select(range(len(again)))) == 0


def test_records_and_files_come_back(case, tmp_path):
    domain, sides = case
    x = make_state(domain, sides)
    objs = domain.decode(x)
    assert objs[0].spins.shape == sides
    assert difference(domain.collate([domain.encode(obj) for obj in objs]), x) == 0
    domain.write(objs, tmp_path / "spins.npz")
    back = domain.read(tmp_path / "spins.npz")
    assert difference(domain.collate([domain.encode(obj) for obj in back]), x) == 0
    again = domain_from_spec(domain.spec)
    assert again.spec == domain.spec and dict(again.schema) == dict(domain.schema)
    domain.write(objs, tmp_path / "spins.png")
    assert (tmp_path / "spins.png").read_bytes().startswith(b"\x89PNG")
    hamiltonians = read_hamiltonians(tmp_path / "spins.npz", domain)
    energies = torch.cat(
        [domain.codec.hamiltonian_of(obj).total(x["spin"][k : k + 1]) for k, obj in enumerate(hamiltonians)]
    )
    assert torch.allclose(energies, domain.hamiltonian(x).total(x["spin"]))


def test_hamiltonians_from_yaml(tmp_path):
    file, domain = tmp_path / "h.yaml", SpinLattice(sides=[4, 6], shells=2, conditions=ALL)
    file.write_text("sides: [4, 6]\ncoupling: [1, 0.5, -0.25, -0.25]\nfield: 0.1\ntemperature: 2.5\n")
    (one,) = read_hamiltonians(file, domain)
    assert one.coupling.shape == (4, 6, 4) and one.temperature == 2.5 and (one.field == 0.1).all()
    assert domain.codec.hamiltonian_of(one).energy(torch.zeros(1, 24, dtype=torch.int64)).item() == pytest.approx(-1.1)


def test_hamiltonians_of_one_lattice_from_npz(tmp_path):
    domain = SpinLattice(conditions=["coupling"])
    np.savez(tmp_path / "h.npz", coupling=np.ones((4, 4, 2)))
    (one,) = read_hamiltonians(tmp_path / "h.npz", domain)
    assert domain.codec.hamiltonian_of(one).energy(torch.zeros(1, 16, dtype=torch.int64)).item() == -2


def test_random_hamiltonians():
    square, draw = torus("square", 8), torch.Generator().manual_seed(0)
    signs = random_bonds(square, 0.25, 100, draw)
    assert signs.shape == (100, 64, 2) and 0.22 < (signs < 0).double().mean() < 0.28
    fields = random_fields(square, 2.0, 100, draw)
    assert torch.equal(fields[..., 0], -fields[..., 1]) and 1.9 < fields[..., 0].std() < 2.1
    assert gaussian_bonds(square, 1.0, 0.5, 3, draw, shells=2).shape == (3, 64, 4)


def test_conditions_from_options(tmp_path):
    domain = SpinLattice(shells=2, conditions=ALL)
    c = domain.options.read_condition({"size": "4", "coupling": "1,1,-0.5,-0.5", "field": "0.25", "temperature": "2.0"})
    up = torch.zeros(1, 16, dtype=torch.int64)
    assert domain.hamiltonian(c).energy(up).item() == -1.25 and c["temperature"].item() == 2.0
    assert (
        domain.hamiltonian(domain.options.read_condition({"size": "4x4", "temperature": "1"})).energy(up).item() == -2
    )
    plain = SpinLattice(conditions=["temperature"])
    assert plain.options.read_condition({"size": "8", "temperature": "2.27"}).mask.shape == (1, 64)
    assert set(plain.options.help) == {"size", "temperature", "fixed"} and not plain.pads
    assert SpinLattice().options.read_condition({"size": "8"}).schema == {}
    assert SpinLattice(sides=[3, 4]).options.read_condition({}).mask.shape == (1, 12)
    (tmp_path / "h.yaml").write_text("sides: [4, 4]\nfield: 0.5\n")
    c = domain.options.read_condition({"hamiltonian": str(tmp_path / "h.yaml"), "temperature": "3"})
    assert domain.hamiltonian(c).energy(up).item() == -2.5 and c["temperature"].item() == 3
    np.savez(tmp_path / "h.npz", coupling=np.ones((3, 4, 4, 2)), temperature=np.array([1.0, 2.0, 3.0]))
    assert domain.options.read_condition({"hamiltonian": str(tmp_path / "h.npz")})["temperature"][:, 0].tolist() == [
        1,
        2,
        3,
    ]


def _saved(path, **arrays):
    np.savez(path / "x.npz", **arrays)
    return path / "x.npz"


def _text(path, text):
    (path / "x.yaml").write_text(text)
    return path / "x.yaml"


FULL = SpinLattice(conditions=ALL)
UP = np.ones((4, 4), np.int8)
BAD = {
    "lattice": (lambda p: SpinLattice("squere"), "did you mean 'square'"),
    "model": (lambda p: SpinLattice(model="heisenberg"), "unknown model 'heisenberg'"),
    "states": (lambda p: SpinLattice(model="ising", states=3), "needs 2 states"),
    "condition": (lambda p: SpinLattice(conditions=["fields"]), "did you mean 'field'"),
    "shells": (lambda p: SpinLattice(shells=3), "shells must be 1 to 2"),
    "open": (lambda p: SpinLattice(sides=[4, 1]), "periodic sides of at least 2"),
    "labels": (lambda p: FULL.encode(Configuration(UP * 0, temperature=1.0)), "expected -1 and 1"),
    "floats": (lambda p: SpinLattice().encode(Configuration(UP * 1.0)), "expected integers"),
    "unequal": (lambda p: SpinLattice().encode(Configuration(UP[:, :3])), "expected equal sides, got \\[4, 3\\]"),
    "other sides": (
        lambda p: SpinLattice(sides=[3, 4]).encode(Configuration(UP)),
        "expected sides \\[3, 4\\], got \\[4, 4\\]",
    ),
    "axes": (lambda p: SpinLattice().encode(Configuration(UP[0])), "2 periodic sides"),
    "nan": (
        lambda p: FULL.encode(Configuration(UP, np.full((4, 4, 2), np.nan), temperature=1.0)),
        "coupling: expected finite numbers",
    ),
    "no temperature": (lambda p: FULL.encode(Configuration(UP)), "temperature: the model needs one"),
    "cold": (lambda p: FULL.encode(Configuration(UP, temperature=0.0)), "temperature: expected more than 0"),
    "field": (
        lambda p: SpinLattice(conditions=["temperature"]).encode(
            Configuration(UP, field=np.ones((4, 4)), temperature=1.0)
        ),
        "field: the model is symmetric under flips",
    ),
    "field's shape": (
        lambda p: FULL.encode(Configuration(UP, field=np.ones((3, 4)), temperature=1.0)),
        "field: expected 16 sites",
    ),
    "coupling": (
        lambda p: SpinLattice(conditions=["field"]).encode(Configuration(UP, -np.ones((4, 4, 2)))),
        "coupling: the model is for J = 1",
    ),
    "next neighbors": (
        lambda p: FULL.encode(Configuration(UP, np.ones((4, 4, 4)), temperature=1.0)),
        "knows 4 bonds a site, got 8",
    ),
    "object": (lambda p: FULL.encode(UP), "expected a Configuration"),
    "array": (lambda p: FULL.read(_saved(p, spin=UP)), "did you mean 'spins'"),
    "nothing": (lambda p: FULL.read(_saved(p, temperature=np.ones(3))), "expected spins, coupling or field"),
    "other model": (lambda p: FULL.read(_saved(p, spins=UP, model=np.array("potts"))), "has 'ising', the file 'potts'"),
    "two lattices": (lambda p: FULL.read(_saved(p, spins=UP[None], field=np.ones((1, 2, 8)))), "of one lattice"),
    "counts": (
        lambda p: FULL.read(_saved(p, spins=UP[None].repeat(3, 0), temperature=np.ones(2))),
        "expected 1 or 3 entries, got 2",
    ),
    "row": (
        lambda p: FULL.read(_saved(p, spins=np.stack([UP, UP * 2]), temperature=np.ones(1))),
        "configuration 2: spins",
    ),
    "directions": (
        lambda p: read_hamiltonians(
            _saved(p, coupling=np.ones((4, 4, 2)), directions=np.array([[0, 1], [1, 0]])), FULL
        ),
        "directions: expected \\[\\[1, 0\\], \\[0, 1\\]\\]",
    ),
    "odd couplings": (
        lambda p: read_hamiltonians(_saved(p, coupling=np.ones((4, 4, 3))), FULL),
        "has 4 or 8 directions, got 6",
    ),
    "no sides": (lambda p: read_hamiltonians(_text(p, "field: 1\n"), FULL), "with the key 'sides'"),
    "key": (lambda p: read_hamiltonians(_text(p, "sides: [4, 4]\nJ: 1\n"), FULL), "unknown key 'J'"),
    "not a number": (
        lambda p: read_hamiltonians(_text(p, "sides: [4, 4]\nfield: up\n"), FULL),
        "field: expected numbers",
    ),
    "fraction": (lambda p: read_hamiltonians(_text(p, "sides: [4, 4.5]\n"), FULL), "sides: expected whole numbers"),
    "two fields": (
        lambda p: read_hamiltonians(_text(p, "sides: [4, 4]\nfield: [1, 2]\n"), FULL),
        "field: expected a number",
    ),
    "no size": (lambda p: SpinLattice().options.read_condition({}), "--size: expected a number"),
    "size": (lambda p: SpinLattice().options.read_condition({"size": "4.5"}), "--size: expected a number"),
    "two sizes": (
        lambda p: SpinLattice().options.read_condition({"size": "4x6"}),
        "expected equal sides, got \\[4, 6\\]",
    ),
    "no temperature given": (lambda p: FULL.options.read_condition({"size": "4"}), "temperature: the model needs one"),
    "words": (
        lambda p: FULL.options.read_condition({"size": "4", "temperature": "hot"}),
        "--temperature: expected numbers",
    ),
    "twice": (
        lambda p: FULL.options.read_condition({"size": "4", "hamiltonian": "h.yaml"}),
        "--size: the file --hamiltonian says it",
    ),
    "two temperatures": (
        lambda p: FULL.options.read_condition({"size": "4", "temperature": "1,2"}),
        "--temperature: expected one number, got \\[1.0, 2.0\\]",
    ),
    "two of a file": (
        lambda p: FULL.options.read_condition({"hamiltonian": str(_text(p, "sides: [4, 4]\n")), "temperature": "1,2"}),
        "--temperature: expected one number",
    ),
    "two in a file": (
        lambda p: read_hamiltonians(_text(p, "sides: [4, 4]\ntemperature: [1, 2]\n"), FULL),
        "temperature: expected one number",
    ),
    "two fields given": (
        lambda p: FULL.options.read_condition({"size": "4", "temperature": "1", "field": "1,1"}),
        "--field: expected a number",
    ),
    "nan given": (
        lambda p: FULL.options.read_condition({"size": "4", "temperature": "1", "coupling": "nan"}),
        "--coupling: expected numbers",
    ),
    "beyond single precision": (
        lambda p: FULL.encode(Configuration(UP, np.full((4, 4, 2), 1e300), temperature=1.0)),
        "coupling: expected numbers of single precision, got one of size 1e\\+300",
    ),
    "huge": (
        lambda p: FULL.options.read_condition({"size": "99999999", "temperature": "1"}),
        "--size: expected at most 1048576 sites",
    ),
    "huge disorder": (
        lambda p: read_hamiltonians(_text(p, "sides: [50000, 50000]\ncoupling: {law: signs}\n"), FULL),
        "sides: expected at most",
    ),
    "endless number": (
        lambda p: read_hamiltonians(_text(p, f"sides: [4, 4]\nfield: 1{'0' * 400}\n"), FULL),
        "field: expected a number, got a number of over 40 digits",
    ),
    "superscript": (lambda p: SpinLattice().options.read_condition({"size": "4²"}), "--size: expected a number"),
    "no number": (
        lambda p: FULL.options.read_condition({"size": "4", "temperature": "1", "field": "1e400"}),
        "--field: expected numbers",
    ),
    "one side": (
        lambda p: read_hamiltonians(_saved(p, coupling=np.ones((1, 4, 2)), directions=np.eye(2, dtype=int)), FULL),
        "periodic sides of at least 2",
    ),
    "endless seed": (
        lambda p: read_hamiltonians(_text(p, f"sides: [4, 4]\ncoupling: {{law: signs, seed: {10**30}}}\n"), FULL),
        "coupling: seed: expected a whole number",
    ),
    "law's list": (
        lambda p: read_hamiltonians(_text(p, "sides: [4, 4]\ncoupling: {law: [signs]}\n"), FULL),
        "law: expected signs or normal",
    ),
    "no Hamiltonian": (
        lambda p: FULL.options.read_condition({"hamiltonian": str(_saved(p, coupling=np.ones((0, 4, 4, 2))))}),
        "at least one Hamiltonian",
    ),
    "fixed of another model": (
        lambda p: FULL.options.read_known({"fixed": str(_saved(p, spins=UP, model=np.array("potts")))}),
        "has 'ising', the file 'potts'",
    ),
    "many states": (lambda p: SpinLattice(model="potts", states=200), "needs 2 to 127 states, got 200"),
    "ending": (lambda p: FULL.write([Configuration(UP, temperature=1.0)], p / "x.csv"), "ends in .npz, .png"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_told_in_one_line(name, tmp_path):
    make, message = BAD[name]
    with pytest.raises(UserError, match=message) as error:
        make(tmp_path)
    assert "\n" not in str(error.value)


LISTS = {
    "couplings": (
        FULL,
        "sides: [1024, 1024]\ncoupling: [{ones}]\n",
        120,
        "coupling: expected 1 or 2 or 4 numbers, got 120",
    ),
    "endless": (
        FULL,
        "sides: [1024, 1024]\ncoupling: [{ones}]\n",
        256,
        "coupling: expected numbers, at most 128, got 256 of them",
    ),
    "fields": (
        SpinLattice(model="potts", states=120, conditions=["field"]),
        "sides: [1024, 1024]\nfield: [{ones}]\n",
        120,
        "at most 135300 sites",
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_few_lines_take_little_memory(name, tmp_path):
    domain, text, count, message = LISTS[name]
    tracemalloc.start()
    with pytest.raises(UserError, match=message):
        read_hamiltonians(_text(tmp_path, text.format(ones=", ".join(["1"] * count))), domain)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20


@pytest.mark.slow
def test_many_hamiltonians_take_little_memory(tmp_path):
    file = _saved(tmp_path, coupling=np.ones((1 << 17, 8, 8, 2), np.int8))
    with pytest.raises(UserError, match="at most 33,554,432 couplings and fields, got 131,072 Hamiltonians"):
        FULL.options.read_condition({"hamiltonian": str(file), "temperature": "1"})


def test_hamiltonians_need_both_ends_of_a_bond():
    square = torus("square", 3)
    star = torch.ones(1, 9, 4, dtype=torch.float64)
    star[0, 0, 0] = 2
    with pytest.raises(ValueError, match="same coupling at both of its ends"):
        Hamiltonian(square, star, torch.zeros(1, 9, 2, dtype=torch.float64), interaction("ising"))
    with pytest.raises(ValueError, match="couplings need shape"):
        Hamiltonian(square, star[:, :4], torch.zeros(1, 9, 2, dtype=torch.float64), interaction("ising"))


def test_fixed_spins_and_the_size_that_they_say(tmp_path):
    domain = SpinLattice(conditions=["temperature"])
    spins = np.zeros((4, 4), np.int8)
    spins[0], spins[2, 1] = 1, -1
    np.savez(tmp_path / "a.npz", spins=spins)
    known = domain.options.read_known({"fixed": str(tmp_path / "a.npz")})
    assert known["spin"].tolist() == [[0] * 4 + [2] * 4 + [2, 1, 2, 2] + [2] * 4]
    assert domain.options.read_condition({"fixed": str(tmp_path / "a.npz"), "temperature": "2"}).mask.shape == (1, 16)
    assert domain.options.read_known({}) is None
    np.savez(tmp_path / "b.npz", spins=spins + 2)
    with pytest.raises(UserError, match=r"b.npz: spins: expected -1 and 1"):
        domain.options.read_known({"fixed": str(tmp_path / "b.npz")})
    np.savez(tmp_path / "c.npz", spin=spins)
    with pytest.raises(UserError, match="unknown array 'spin' .did you mean 'spins'"):
        domain.options.read_known({"fixed": str(tmp_path / "c.npz")})
    np.savez(tmp_path / "d.npz", spins=spins[0])
    with pytest.raises(UserError, match="expected integers 'spins' with 2 or 3 axes"):
        domain.options.read_known({"fixed": str(tmp_path / "d.npz")})


def test_disorder_from_a_file(tmp_path):
    domain = SpinLattice(conditions=ALL)
    text = "sides: [6, 6]\ncoupling: {law: signs, share: 0.5, seed: 3}\nfield: {law: normal, width: 0.1}\n"
    (tmp_path / "a.yaml").write_text(text)
    one, again = (
        domain.options.read_condition({"hamiltonian": str(tmp_path / "a.yaml"), "temperature": "1"}) for _ in range(2)
    )
    assert torch.equal(one["coupling"], again["coupling"]) and set(one["coupling"].unique().tolist()) == {-1.0, 1.0}
    assert 0.02 < float(one["field"].std()) < 0.3
    (tmp_path / "a.yaml").write_text(text.replace("seed: 3", "seed: 4"))
    assert not torch.equal(
        domain.options.read_condition({"hamiltonian": str(tmp_path / "a.yaml"), "temperature": "1"})["coupling"],
        one["coupling"],
    )
    for old, new, told in [
        ("signs", "sign", "did you mean 'signs'"),
        ("share", "chance", "unknown key 'chance'"),
        ("0.5", "1.5", "a share from 0 to 1"),
        ("seed: 3", "seed: x", "expected a whole number"),
    ]:
        (tmp_path / "b.yaml").write_text(text.replace(old, new))
        with pytest.raises(UserError, match=told):
            domain.options.read_condition({"hamiltonian": str(tmp_path / "b.yaml"), "temperature": "1"})


@pytest.mark.parametrize("name", ["x.npz", "x.png"])
def test_no_configuration_is_a_file_too(name, tmp_path):
    FULL.write([], tmp_path / name)
    assert (tmp_path / name).stat().st_size > 100
