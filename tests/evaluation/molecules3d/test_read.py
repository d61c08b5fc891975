"""Molecules in 3D from arrays and files: a broken record keeps its place and costs no other."""

import gzip

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from symdiff.chemistry.elements import formula, number_of
from symdiff.errors import UserError
from symdiff_evaluation.molecules3d.read import read
from symdiff_evaluation.molecules3d.samples import from_arrays, hint_units, join

WATER = [("O", 0, 0, 0), ("H", 0.96, 0, 0), ("H", -0.24, 0.93, 0)]


def xyz(atoms=WATER, comment="water", count=None):
    rows = "".join(f"{name} {x} {y} {z}\n" for name, x, y, z in atoms)
    return f"{len(atoms) if count is None else count}\n{comment}\n{rows}"


def arrays(*molecules):
    offsets = np.cumsum([0, *(len(z) for z, _ in molecules)])
    return (
        offsets,
        np.concatenate([np.array(z, int) for z, _ in molecules]),
        np.concatenate([np.reshape(p, (-1, 3)) for _, p in molecules]),
    )


def test_arrays_keep_broken_records_in_place():
    far = [[0, 0, 0], [0, 0, 1.1]]
    found = from_arrays(
        *arrays(([8, 1], far), ([6, 0], far), ([], np.zeros((0, 3))), ([6, 6], [[0, 0, 0], [0, np.nan, 0]]),
                ([6, 6], [[0, 0, 0], [0, 0.05, 0]]), ([6, 300], far), ([6, 1], [[0, 0, 0], [0, 1e9, 0]]),
                ([9, 1], far)),
        place="some.npz",
    )  # fmt: skip
    assert len(found) == 8 and found.readable == (0, 7)
    assert [reason.split(":")[0] for reason in found.reasons] == [
        "",
        "element",
        "empty",
        "coordinates",
        "overlap",
        "element",
        "coordinates",
        "",
    ]
    assert "atom 2" in found.reasons[3] and "atoms 1 and 2 are 0.050" in found.reasons[4] and "300" in found.reasons[5]
    assert [record.number for record in found.records] == list(range(1, 9)) and found.records[0].file == "some.npz"
    assert found[7].numbers.tolist() == [9, 1] and found[7].positions.tolist() == far and found[7].charge == 0
    part = found.select([7, 2, 0])
    assert (
        part.readable == (0, 2)
        and part[0].numbers.tolist() == [9, 1]
        and part[2].numbers.tolist() == [8, 1]
        and part.records[1].number == 3
    )
    both = join([found, part])
    assert (
        both.readable == (0, 7, 8, 10)
        and both[8].numbers.tolist() == [9, 1]
        and both[10].positions.tolist() == far
        and join([part]) is part
    )
    assert found.row(7) == {"atoms": 2, "formula": "FH", "reason": ""} and found.row(2)["reason"] == "empty: no atom"


@pytest.mark.parametrize(("change", "says"), [
    ({"offsets": np.array([0, 1])}, "rise from 0 to the 2 atoms"), ({"offsets": np.array([0, 2, 1, 2])}, "rise"),
    ({"z": np.array([1.0, 2.0])}, "z: expected whole numbers"), ({"pos": np.zeros((2, 2))}, "pos: expected"),
    ({"charges": np.zeros(3, int)}, "charges"), ({"offsets": np.zeros((2, 2), int)}, "offsets"),
])  # fmt: skip
def test_arrays_that_do_not_fit_are_told(change, says):
    good = {
        "offsets": np.array([0, 2]),
        "z": np.array([1, 1]),
        "pos": np.array([[0, 0, 0], [0, 0, 0.7]]),
        "place": "a.npz",
    }
    assert len(from_arrays(**good)) == 1
    with pytest.raises(UserError, match=f"a.npz: .*{says}|{says}"):
        from_arrays(**{**good, **change})


def test_xyz(tmp_path):
    file = tmp_path / "some.xyz.gz"
    text = xyz() + "\n" + xyz([("c", 0, 0, 0), ("8", 0, 0, 1.13)], "4", None) + xyz([("H", 0, 0, 0)], "charge=1 other")
    with gzip.open(file, "wt") as stream:
        stream.write(text)
    found = read(file)
    assert len(found) == 3 and found.reasons == ("", "", "") and found.charges.tolist() == [0, 0, 1]
    assert found[1].numbers.tolist() == [6, 8] and found[1].positions[1].tolist() == [0, 0, 1.13]


@pytest.mark.parametrize(("broken", "kind"), [
    (xyz(count=4), "syntax: expected 4 atoms, got 3"), (xyz(count=2), "syntax: expected 2 atoms, more follow"),
    (xyz(count=99999999), "too large"), ("0\nnothing\n", "empty"),
    ("three\n" + xyz()[2:], "syntax: expected the number of atoms, got 'three'"),
    (xyz([("Xx", 0, 0, 0)]), "element: atom 1 is 'Xx'"), (xyz([("H", "nan", 0, 0)]), "coordinates"),
    (xyz([("H", "one", 0, 0)]), "syntax: atom 1"), ("1\nshort\nH 0 0\n", "syntax: atom 1"),
    (xyz([("H", 0, 0, 0), ("H", 0, 0, 0)]), "overlap"), ("1\nProperties=pos:R:3\nH 0 0 0\n", "syntax: Properties"),
    ("1\nProperties=species:S:x:pos:R:3\nH 0 0 0\n", "syntax: Properties"),
    ("²\n\nH 0 0 0\n", "syntax: expected the number"),
])  # fmt: skip
def test_a_broken_record_costs_no_neighbor(tmp_path, broken, kind):
    file = tmp_path / "some.xyz"
    file.write_text(xyz() + broken + xyz([("F", 0, 0, 0)]), encoding="utf-8")
    found = read(file)
    assert found.reasons[0] == "" and found.reasons[-1] == "" and found[len(found) - 1].numbers.tolist() == [9]
    assert any(reason.startswith(kind) for reason in found.reasons)


def test_extxyz_columns(tmp_path):
    file = tmp_path / "some.extxyz"
    file.write_text('1\nLattice="1 0 0" Properties=id:I:1:pos:R:3:species:S:1 charge=-1\n7 1.0 2.0 3.0 Cl\n')
    assert (
        read(file)[0].numbers.tolist() == [17]
        and read(file)[0].positions.tolist() == [[1, 2, 3]]
        and read(file)[0].charge == -1
    )


def test_sdf(tmp_path):
    mol = Chem.AddHs(Chem.MolFromSmiles("CO"))
    flat = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))
    AllChem.EmbedMolecule(mol, randomSeed=1)
    (tmp_path / "some.sdf").write_text(
        Chem.MolToMolBlock(mol) + "$$$$\nrubbish\n$$$$\n" + flat + "$$$$\n" + Chem.MolToMolBlock(mol) + "$$$$\n"
    )
    found = read(tmp_path / "some.sdf")
    assert len(found) == 4 and found.readable == (0, 3)
    assert found.reasons[1].startswith("syntax") and found.reasons[2].startswith("flat")
    assert formula(found[0].numbers) == "CH4O"
    assert found[3].positions == pytest.approx(mol.GetConformer().GetPositions(), abs=1e-4)


def test_arrays_in_files(tmp_path):
    columns = {
        "offsets": np.array([0, 2, 3]),
        "z": np.array([1, 9, 11], np.uint8),
        "pos": np.zeros((3, 3), np.float32),
        "charge": np.array([0, 0, 1], np.int8),
    }
    columns["pos"][1, 2] = 0.92
    np.savez(tmp_path / "some.npz", **columns, other=np.zeros(2))
    found = read(tmp_path / "some.npz")
    assert found.readable == (0, 1) and found.charges.tolist() == [0, 1] and found.records[1].file == "some.npz"
    np.savez(tmp_path / "none.npz", z=columns["z"])
    with pytest.raises(UserError, match="lacks pos, offsets"):
        read(tmp_path / "none.npz")
    np.savez(tmp_path / "bad.npz", **{**columns, "charge": np.array([0.5, 0.0, 1.0])})
    assert read(tmp_path / "bad.npz").reasons == ("charge: expected a whole number, got 0.5", "")


def test_files_that_are_not_there_or_of_another_kind(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read(tmp_path / "no.xyz")
    with pytest.raises(UserError, match="did you mean '.xyz'"):
        read(tmp_path / "no.xy")
    (tmp_path / "bad.xyz.gz").write_bytes(b"\x1f\x8bnot")
    with pytest.raises(UserError, match="cannot be read"):
        read(tmp_path / "bad.xyz.gz")


def test_coordinates_in_bohr_are_noticed():
    z, pos = [8, 1, 1], np.array([row[1:] for row in WATER], float)
    assert hint_units(from_arrays(*arrays((z, pos)))) == ""
    assert "bohr" in hint_units(from_arrays(*arrays((z, pos / 0.529177))))
    assert "nanometers" in hint_units(from_arrays(*arrays((z, pos * 0.11))))


def test_elements():
    assert [number_of(text) for text in ("H", "cl", "D", "6", "119", "Xx", "0", "²")] == [
        1,
        17,
        1,
        6,
        None,
        None,
        None,
        None,
    ]
    assert formula([1, 6, 1, 1, 17]) == "CH3Cl" and formula([1, 8, 1]) == "H2O" and formula([]) == ""
