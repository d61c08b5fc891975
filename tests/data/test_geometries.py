"""Geometries get the bonds of their SMILES, atom by atom; what does not fit is counted."""

from __future__ import annotations

import csv
import gzip
import os
from collections import Counter

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from symdiff.chemistry.geometry import Geometry, bare
from symdiff.chemistry.geometry_files import write
from symdiff.chemistry.matching import match
from symdiff.chemistry.perception import BOHR
from symdiff.data.geometries import geometries
from symdiff.data.importer import ImportSettings
from symdiff.data.importing import import_files
from symdiff.data.orders import reorder
from symdiff.data.registry import open_dataset
from symdiff.data.sets.qm9 import smiles_table
from symdiff.data.sets.qm9_3d import match_all
from symdiff.data.summary import summary
from symdiff.domains.molecule3d import Molecule3D
from symdiff.errors import UserError

SMILES = ["C", "O=CN", "C#CC1CC1", "C[NH2+]CC(=O)[O-]", "CC(F)(F)F", "N#Cc1cc[nH]c1"]


def embedded(smiles: str, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Atomic numbers and positions, in no particular order."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(mol, randomSeed=seed)
    AllChem.MMFFOptimizeMolecule(mol)
    order = np.random.RandomState(seed).permutation(mol.GetNumAtoms())
    element = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()], np.uint8)
    return element[order], mol.GetConformer().GetPositions()[order]


@pytest.mark.parametrize("smiles", SMILES)
def test_the_geometry_gets_the_bonds_of_its_smiles(smiles):
    element, position = embedded(smiles)
    found = match(smiles, element, position)
    domain = Molecule3D(["H", "C", "N", "O", "F", "N+", "O-"])
    x = domain.collate([domain.codec.label(found)])
    assert domain.codec.smiles(x) == [Chem.CanonSmiles(smiles)]
    lengths = np.linalg.norm(found.position[found.edges[:, 0]] - found.position[found.edges[:, 1]], axis=1)
    assert lengths.min() > 0.9 and lengths.max() < 1.6
    assert sorted(map(tuple, found.position.tolist())) == sorted(map(tuple, position.tolist()))
    own = domain.encode(found)
    assert np.array_equal(own["atom"], x["atom"][0].numpy()) and np.array_equal(own["edges"], found.edges)


def test_multiple_bonds_are_the_short_ones():
    side = [[0, 0, 0], [1.34, 0, 0], [1.34, 1.57, 0], [0, 1.57, 0]]
    out = [[-0.77, -0.77, 0], [2.11, -0.77, 0], [2.11, 2.34, 0], [-0.77, 2.34, 0]]
    element, position = np.array([6] * 4 + [1] * 4, np.uint8), np.array(side + out)
    found = match("C1=CC=C1", element, position)
    double = found.edges[found.order == 2].astype(int)
    assert np.allclose(np.linalg.norm(found.position[double[:, 0]] - found.position[double[:, 1]], axis=1), 1.34)


@pytest.mark.parametrize(
    ("smiles", "message"),
    [
        ("CCO", "other atoms than the SMILES"),
        ("COC", "other bonds by distance than in the SMILES"),
        ("C[C", "syntax: RDKit cannot read this as SMILES"),
    ],
)
def test_what_does_not_fit_has_a_reason(smiles, message):
    element, position = embedded("CCO" if smiles == "COC" else "CCC")
    with pytest.raises(UserError, match=message):
        match(smiles, element, position)


def test_a_hydrogen_far_from_everything_has_a_reason():
    element, position = embedded("CC")
    position[np.argmax(element == 1)] += 3
    with pytest.raises(UserError, match="a hydrogen is near to two atoms or to none"):
        match("CC", element, position)


def written(folder, smiles: list[str], split: list[int]) -> None:
    """QM9's two files with a few molecules."""
    folder.mkdir()
    found = [embedded(text, seed) for seed, text in enumerate(smiles, 1)]
    found[1][1][0] += 5.0  # one that fell apart
    sizes = [0, *(len(element) for element, _ in found)]
    z, pos = (np.concatenate([one[k] for one in found]) for k in (0, 1))
    np.savez(
        folder / "qm9_geom.npz",
        z=z,
        pos=pos.astype(np.float32),
        offsets=np.cumsum(sizes),
        edm_split=np.array(split, np.uint8),
    )
    with gzip.open(folder / "qm9_smiles.csv.gz", "wt") as file:
        table = csv.writer(file)
        table.writerow(["index", "smiles_gdb17", "smiles_b3lyp", "uncharacterized"])
        table.writerows((k, text, text, int(split[k - 1] == 255)) for k, text in enumerate(smiles, 1))


def test_the_named_set_is_built_from_the_folder(tmp_path, monkeypatch):
    written(tmp_path / "qm9", SMILES, [0, 0, 1, 255, 2, 0])
    monkeypatch.setenv("SYMDIFF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SYMDIFF_DATA", str(tmp_path))
    told: list[int] = []
    dataset = open_dataset("qm9-3d", order="smiles", progress=lambda done, total: told.append(done))
    assert len(dataset) == 4 and dataset.meta["rows"] == 6 and sum(told) == 5
    assert sorted(dataset.meta["left_out"].values()) == [1, 1] and dataset.meta["left_out"]["uncharacterized"] == 1
    assert dataset.meta["splits"] == {"train": 2, "valid": 1, "test": 1} and dataset.meta["duplicates"] == 0
    assert dataset.domain.atoms[:2] == ("H", "C") and dataset.domain.spec == open_dataset("qm9-3d").domain.spec
    x = dataset.batch(range(4))
    assert dataset.domain.codec.smiles(x) == [Chem.CanonSmiles(SMILES[k]) for k in (0, 2, 4, 5)]
    assert x["position"].sum(1).abs().max() < 1e-4
    info = summary(dataset)
    assert info["labels"]["bond"]["triple"] > 0 and info["symmetry"]["largest_group"] == 36  # of CF3 and CH3
    moved = reorder(dataset, "rank").batch(range(4))
    assert np.allclose(moved["position"].norm(dim=-1).sort(1).values, x["position"].norm(dim=-1).sort(1).values)


def test_files_that_do_not_belong_together_are_told(tmp_path, monkeypatch):
    written(tmp_path / "qm9", SMILES, [0, 0, 1, 255, 2, 0])
    monkeypatch.setenv("SYMDIFF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SYMDIFF_DATA", str(tmp_path))
    with np.load(tmp_path / "qm9" / "qm9_geom.npz") as file:
        arrays = dict(file)
    np.savez(tmp_path / "qm9" / "qm9_geom.npz", **{**arrays, "offsets": arrays["offsets"][:-1]})
    with pytest.raises(UserError, match="expected 6 molecules, as qm9_smiles.csv.gz has"):
        open_dataset("qm9-3d")
    np.savez(tmp_path / "qm9" / "qm9_geom.npz", z=arrays["z"])
    with pytest.raises(UserError, match="the array 'edm_split' is missing"):
        open_dataset("qm9-3d")


def test_nothing_to_read_is_told():
    with pytest.raises(UserError, match="nothing: no molecule could be read"):
        geometries([UserError("broken")], np.zeros(1, np.uint8), {"name": "nothing"})


needs_data = pytest.mark.skipif(
    not os.path.isfile(os.path.join(os.environ.get("SYMDIFF_DATA", ""), "qm9", "qm9_geom_sample2000.npz")),
    reason="QM9's own geometries: SYMDIFF_DATA does not name a folder with qm9/qm9_geom_sample2000.npz",
)


@pytest.mark.slow
@needs_data
def test_nearly_all_of_qm9_matches():
    folder = os.path.join(os.environ["SYMDIFF_DATA"], "qm9")
    with np.load(os.path.join(folder, "qm9_geom_sample2000.npz"), allow_pickle=False) as file:
        arrays = dict(file)
    table = smiles_table(os.path.join(folder, "qm9_smiles.csv.gz"))
    rows = np.nonzero(arrays["edm_split"] != 255)[0]
    texts = [table[arrays["index"][k] - 1][0] for k in rows]
    found = list(match_all(texts, arrays, rows))
    broken = Counter(str(one) for one in found if isinstance(one, UserError))
    assert sum(broken.values()) <= 0.003 * len(rows)
    dataset = geometries(found, arrays["edm_split"][rows], {"name": "sample"})
    assert dataset.domain.atoms[:4] == ("H", "C", "O", "N")
    kept = [text for text, one in zip(texts, found, strict=True) if not isinstance(one, UserError)]
    same = [Chem.MolToSmiles(Chem.MolFromSmiles(text), isomericSmiles=False) for text in kept]
    assert dataset.domain.codec.smiles(dataset.batch(range(len(dataset)))) == same


def test_files_are_imported_and_broken_entries_counted(tmp_path):
    water = "O 0 0 0\nH 0.76 0.59 0\nH -0.76 0.59 0\n"
    good = [
        "".join(f"{z} {x:.4f} {y:.4f} {w:.4f}\n" for z, (x, y, w) in zip(*embedded(text), strict=True))
        for text in (*SMILES, *SMILES)
    ]
    broken = [
        water.replace("O", "Xx"),
        water.replace("0.59", "nan"),
        water.replace("0.76", "0.01", 2),
        "H 0 0 0\n" * 1000,
        "",
    ]
    blocks = [*good, water, *broken, *good]
    (tmp_path / "a.xyz").write_text("".join(f"{block.count(chr(10))}\n\n{block}" for block in blocks))
    dataset = import_files([tmp_path / "a.xyz"], tmp_path / "out")
    assert len(dataset) == 25 and dataset.meta["rows"] == 30 and dataset.meta["duplicates"] == 18
    assert dataset.meta["left_out"] == {"element": 1, "coordinates": 1, "overlap": 1, "too large": 1, "empty": 1}
    assert "bond" in dataset.domain.schema and "N+" in dataset.domain.atoms
    dataset.domain.write(dataset.domain.decode(dataset.batch(range(25))), tmp_path / "b.sdf")
    again = import_files([tmp_path / "b.sdf"], tmp_path / "again", ImportSettings(coordinates=True))
    assert again.domain.spec == dataset.domain.spec and len(again) == 25 and not again.meta["left_out"]
    plain = import_files([tmp_path / "b.sdf"], tmp_path / "plain", ImportSettings(coordinates=True, bonds=False))
    assert set(plain.domain.schema) == {"atom", "position"} and sum(plain.meta["splits"].values()) == 25
    with pytest.raises(UserError, match="expected files of one kind, got molecules in 3D in a.xyz; molecules in b.sdf"):
        import_files([tmp_path / "a.xyz", tmp_path / "b.sdf"], tmp_path / "both")
    with pytest.raises(
        UserError,
        match="columns and hydrogens are settings for molecules as graphs; these are files of molecules in 3D",
    ):
        import_files([tmp_path / "a.xyz"], tmp_path / "both", ImportSettings(hydrogens=True))
    (tmp_path / "c.xyz").write_text("".join(f"{block.count(chr(10))}\n\n{block}" for block in [*good[:3], *broken]))
    with pytest.raises(UserError, match="5 of 8 rows are broken"):
        import_files([tmp_path / "c.xyz"], tmp_path / "both")
    assert not (tmp_path / "both").exists()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["xyz", "extxyz", "npz", "sdf"])
def test_every_kind_of_file_counts_what_is_broken_and_keeps_the_rest(suffix, tmp_path):
    """Overlaps, coordinates that are not finite or in bohr, no atoms, far too many, unknown elements, charges.

    One reason each.
    """
    good = [
        Geometry(element, np.zeros(len(element), np.int8), position)
        for element, position in (embedded(text) for text in SMILES[:3])
    ]
    first = good[0].position
    huge = 100_000 if suffix != "sdf" else 1000

    def methane(position=first, element=good[0].element, total=0) -> Geometry:
        return bare(element, position, total=total)

    far, close = first.copy(), first.copy()
    far[2] = [1e20, 0, 0]
    close[1] = close[0] + 0.1
    broken = {
        "coordinates: atom 3 is at": methane(far),
        "overlap: atoms 1 and 2": methane(close),
        "unit: coordinates look like bohr": methane(first * BOHR),
        "empty: no atom": bare(np.zeros(0, int), np.zeros((0, 3))),
        "too large": bare(np.ones(huge, int), np.arange(3.0 * huge).reshape(-1, 3)),
    }
    if suffix in ("xyz", "extxyz"):
        broken["charge: +7 in all"] = methane(total=7)
    if suffix != "sdf":  # RDKit writes no such block
        broken["coordinates: atom 2 is at (nan"] = methane(np.where(np.arange(3) == 1, np.nan, first))
    path = tmp_path / f"a.{suffix}"
    write([*good * 6, *broken.values(), *good * 6], path)
    dataset = import_files([path], tmp_path / "out", ImportSettings(coordinates=True, bonds=False))
    assert len(dataset) == 36 and dataset.meta["rows"] == 36 + len(broken)
    assert dataset.meta["left_out"] == dict(Counter(reason.partition(":")[0] for reason in broken))
