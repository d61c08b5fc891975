"""Spins on tori of several lattices: energies, files, what the command line says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from symdiff.data.sets.tori import TRAINED, spin_tori
from symdiff.domains import SpinLattice, SpinTori
from symdiff.domains.base import domain_from_spec
from symdiff.domains.tori import total_energy
from symdiff.domains.tori_bonds import bonds_of, recognize
from symdiff.errors import UserError
from symdiff.random import Streams
from symdiff.spins.configuration import Configuration

SHAPES = {"chain": (7,), "square": (3, 5), "triangular": (4, 3), "cubic": (3, 4, 3)}


def configurations(kind: str, count: int = 3) -> list[Configuration]:
    random = np.random.default_rng(0)
    return [
        Configuration(random.choice([-1, 1], SHAPES[kind]).astype(np.int8), temperature=1.5 + k, lattice=kind)
        for k in range(count)
    ]


@pytest.mark.parametrize("kind", SHAPES)
def test_energies_are_those_of_the_lattice(kind):
    domain, lattice = SpinTori(), SpinLattice(kind, SHAPES[kind], conditions=["temperature"])
    objs = configurations(kind)
    x = domain.collate([domain.encode(obj) for obj in objs])
    y = lattice.collate([lattice.encode(obj) for obj in objs])
    torch.testing.assert_close(total_energy(x), lattice.hamiltonian(y).total(y["spin"]))
    torch.testing.assert_close(domain.log_density(x), lattice.log_density(y))
    g = domain.group.sample(x.mask, Streams(0, torch.arange(3)))
    torch.testing.assert_close(total_energy(domain.group.act(g, x)), total_energy(x))


@pytest.mark.parametrize("kind", SHAPES)
def test_round_trips(kind, tmp_path):
    domain, objs = domain_from_spec(SpinTori().spec), configurations(kind)
    decoded = domain.decode(domain.collate([domain.encode(obj) for obj in objs]))
    domain.write(decoded, tmp_path / "spins.npz")
    for again in (decoded, domain.read(tmp_path / "spins.npz")):
        assert [(o.lattice, o.temperature, o.spins.tolist()) for o in again] == [
            (o.lattice, o.temperature, o.spins.tolist()) for o in objs
        ]
    assert recognize(bonds_of(kind, SHAPES[kind]), int(np.prod(SHAPES[kind]))) == (kind, SHAPES[kind])
    domain.write(decoded, tmp_path / "spins.png")


def test_several_sizes_share_a_batch():
    domain = SpinTori()
    objs = [configurations(kind, 1)[0] for kind in SHAPES]
    assert [o.lattice for o in domain.decode(domain.collate([domain.encode(o) for o in objs]))] == list(SHAPES)


@pytest.mark.parametrize(
    ("group", "kind", "sides"),
    [("dihedral 9", "chain", (9,)), ("torus 4 4", "square", (4, 4)), ("torus 3 3 3", "cubic", (3, 3, 3))],
)
def test_a_group_says_the_lattice(group, kind, sides):
    options = SpinTori().options
    condition = options.read_condition({"group": group, "temperature": "2.5"})
    words = {"lattice": kind, "size": "x".join(map(str, sides)), "temperature": "2.5"}
    plain = options.read_condition(words)
    assert torch.equal(condition["bond"], plain["bond"]) and float(condition["temperature"]) == 2.5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"lattice": "square", "size": "8"}, "--temperature: the model needs one"),
        ({"lattice": "sqare", "size": "8", "temperature": "1"}, "did you mean.*square"),
        ({"lattice": "square", "size": "2", "temperature": "1"}, "--size: expected a side such as 8"),
        ({"lattice": "square", "size": "3x3x3", "temperature": "1"}, "--size: a square lattice has 2 sides"),
        ({"lattice": "chain", "size": "99999", "temperature": "1"}, "at most 4096 sites"),
        ({"group": "symmetric 5", "temperature": "1"}, "--group.*those of no torus"),
        ({"group": "cyclic 5", "size": "5", "temperature": "1"}, "--group: says the lattice"),
        ({"group": "cyclic 5", "temperature": "-1"}, "-1"),
    ],
)
def test_what_does_not_fit_is_one_line(words, message):
    with pytest.raises(UserError, match=message):
        SpinTori().options.read_condition(words)


def test_a_file_is_of_one_lattice(tmp_path):
    domain = SpinTori()
    with pytest.raises(UserError, match="expected spins on one lattice, got chain and square"):
        domain.write([configurations("chain")[0], configurations("square")[0]], tmp_path / "spins.npz")
    with pytest.raises(UserError, match="expected at least one"):
        domain.write([], tmp_path / "spins.npz")
    with pytest.raises(UserError, match="name of its lattice"):
        domain.encode(Configuration(np.ones((4, 4), np.int8)))


def test_data_are_at_their_temperatures():
    """Hot and cold halves of every lattice differ in energy, and chains have the exact energy −tanh(1/T)."""
    data = spin_tori(chains=40, rounds=20, seed=3)
    assert len(data) == 4 * 800 and data.domain.spec == SpinTori().spec
    for number, kind in enumerate(TRAINED):
        x = data.batch(torch.arange(number * 800, (number + 1) * 800))
        energy, temperature = total_energy(x) / 64, x["temperature"][:, 0].double()
        middle = temperature.median()
        assert energy[temperature < middle].mean() < energy[temperature > middle].mean() - 0.05
        if kind == "chain":
            excess = energy + torch.tanh(1 / temperature)
            assert abs(excess.mean()) < 5 * excess.std() / len(excess) ** 0.5
