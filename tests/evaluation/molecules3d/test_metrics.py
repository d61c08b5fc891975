"""Numbers of molecules in 3D: every count known, distances of known laws, intervals that cover."""

import math
import os
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from symdiff.errors import UserError
from symdiff_evaluation.core.limits import Limits
from symdiff_evaluation.molecules3d.internal_coordinates import measure_angles, measure_lengths
from symdiff_evaluation.molecules3d.metrics import METRICS
from symdiff_evaluation.molecules3d.metrics.distances import weigh
from symdiff_evaluation.molecules3d.metrics.edm import EDMRule
from symdiff_evaluation.molecules3d.metrics.poses import Poses
from symdiff_evaluation.molecules3d.metrics.shapes import asymmetric_curve
from symdiff_evaluation.molecules3d.metrics.strain import median
from symdiff_evaluation.molecules3d.metrics.xtb import XTBStrainEnergy
from symdiff_evaluation.molecules3d.reference import build, load, write
from symdiff_evaluation.molecules3d.samples import PlacedAtoms, from_arrays
from symdiff_evaluation.molecules3d.strain import measure_strain
from symdiff_evaluation.molecules3d.xtb import relax

DATA = Path(os.environ.get("SYMDIFF_DATA", "absent"), "qm9", "qm9_geom.npz")
WATER = ([8, 1, 1], [[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
METHANE = (
    [6, 1, 1, 1, 1],
    [[0, 0, 0], *(1.09 / math.sqrt(3) * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]))],
)
HYDROXYL = ([8, 1], [[0, 0, 0], [0.96, 0, 0]])
TWO = (WATER[0] * 2, [*WATER[1], *(np.array(WATER[1]) + [6, 0, 0])])
BROKEN = ([8, 1], [[0, 0, 0], [0, 0, np.nan]])
HYDROGEN_CHLORIDE = ([17, 1], [[0, 0, 0], [0, 0, 1.27]])


def gathered(*molecules):
    offsets = np.cumsum([0, *(len(z) for z, _ in molecules)])
    some = from_arrays(
        offsets,
        np.concatenate([z for z, _ in molecules]),
        np.concatenate([np.array(p, float) for _, p in molecules]),
        "list",
    )
    return replace(some, limits=Limits(workers=0))


@pytest.fixture(scope="module")
def seven():
    return gathered(WATER, METHANE, HYDROXYL, TWO, BROKEN, HYDROGEN_CHLORIDE, WATER)


@pytest.fixture(scope="module")
def found(seven):
    reference = build(gathered(*[WATER] * 60, METHANE), "two")
    numbers = {}
    for metric in METRICS:
        if metric.title not in ("PoseBusters", "Strain (GFN2-xTB)"):
            without, with_it = metric(seven, None), metric(seven, reference)
            assert set(with_it) == set(metric.about) and set(without) == set(metric.about) - metric.compares
            assert all(with_it[name] == without[name] for name in without)
            numbers |= with_it
    return numbers


@pytest.mark.slow
@pytest.mark.parametrize(("name", "hits", "count", "undecided"), [
    # undecided: chlorine for EDM's tables; of shares of atoms also the record that cannot be read
    ("edm.atom_stability", 3 + 5 + 1 + 6 + 3, 3 + 5 + 2 + 6 + 3, 2), ("edm.molecule_stability", 4, 6, 1),
    ("edm.validity", 5, 6, 1),
    ("edm.uniqueness", 3, 5, 0), ("edm.valid_and_unique", 3, 6, 1),
    ("perceived.validity", 4, 7, 0), ("perceived.validity.default", 5, 7, 0), ("perceived.undetermined", 0, 6, 0),
    ("perceived.uniqueness", 3, 4, 0), ("perceived.valid_and_unique", 3, 7, 0), ("perceived.connected", 4, 5, 2),
    ("perceived.novelty", 1, 3, 0), ("perceived.vun", 1, 7, 0), ("strain.mmff_typed", 3, 4, 3),
    ("shape.asymmetric_share", 0, 6, 1), ("shape.achiral_share", 6, 6, 1), ("mirror.chiral_share", 0, 4, 0),
])  # fmt: skip
def test_every_count_is_known(found, name, hits, count, undecided):
    one = found[name]
    assert (one.value, one.count, one.undecided) == (pytest.approx(hits / count), count, undecided)
    assert one.low <= one.value <= one.high


def test_values_of_known_shapes(found):
    # C2v (twice, and the pair of waters is planar: Cs), Td; the two pairs of atoms are linear
    assert (
        found["shape.log_order"].value == pytest.approx((2 * math.log(4) + math.log(24) + math.log(2)) / 4)
        and found["shape.log_order"].undecided == 3
    )
    assert found["shape.chirality"].value < 1e-3 and found["mirror.balance"].value is None
    # water's hydrogens and methane's: graph automorphisms 2 and 24, all of them are operations; HCl has one of each
    assert found["shape.breaking_gap"].value == pytest.approx(0) and found["shape.breaking_gap"].count == 4
    assert (
        found["shape.point_group_distance"].value == pytest.approx((60 / 61 - 2 / 6 + 1 / 6 - 1 / 61 + 3 / 6) / 2)
        and found["geometry.bond_length.C=O"].value is None
    )


@pytest.mark.slow
def test_a_reference_comes_back_from_its_files(tmp_path):
    one = build(gathered(*[WATER] * 60, METHANE, BROKEN), "two", "by hand")
    write(one, tmp_path / "two")
    two = load(tmp_path / "two.json")
    assert (two.name, two.count, two.source, two.counts) == (one.name, 62 - 1, "by hand", one.counts)
    assert two.counts["bond"] == {"C-H": 4, "H-O": 120} and two.counts["point_group.0.1"] == {"C2v": 60, "Td": 1}
    assert two.knows(["O", "N", "C"]).tolist() == [True, False, True] and two.quantiles.keys() == one.quantiles.keys()
    assert (
        two.quantiles["length.H-O"] == pytest.approx(one.quantiles["length.H-O"]) and "length.C-H" not in two.quantiles
    )
    with pytest.raises(UserError, match="no molecule"):
        build(gathered(BROKEN), "none")
    (tmp_path / "two.safetensors").write_bytes(b"other")
    with pytest.raises(UserError, match="SHA-256"):
        load(tmp_path / "two.json")


def test_lengths_and_angles():
    bonds = np.array([[0, 1, 2], [0, 2, 1], [0, 3, 1]])
    one = PlacedAtoms(np.array([6, 8, 1, 1]), np.array([[0, 0, 0], [0, 0, 1.2], [1, 0, 0], [-1, 0, -1]]))
    assert {k: v.tolist() for k, v in measure_lengths(one, bonds).items()} == {
        "C=O": [1.2],
        "C-H": pytest.approx([1, math.sqrt(2)]),
    }
    assert {k: sorted(v.tolist()) for k, v in measure_angles(one, bonds).items()} == {
        "H-C-O": pytest.approx([90, 135]),
        "H-C-H": pytest.approx([135]),
    }


def test_mean_wasserstein_distance():
    rows = [{"a": np.array([1.0, 2.0])}, {"a": np.array([3.0]), "b": np.array([5.0])}, {"c": np.array([0.0])}]
    laws = {"a": np.array([2.0, 3.0, 4.0]), "b": np.array([5.5]), "d": np.array([1.0])}
    assert weigh(rows, laws, {"a": 3, "b": 1, "d": 9}).value == pytest.approx((3 * 1 + 0.5) / 4)
    assert weigh(rows, laws, {"a": 0}).value is None and weigh(rows, {}, {"a": 1}).count == 0
    rng, hits = np.random.default_rng(0), 0
    target = {"a": rng.normal(size=20000)}
    for _ in range(200):  # lengths of one molecule belong together: its center is drawn, and the law is shifted by one
        sets = [{"a": 1 + math.sqrt(0.5) * (rng.normal() + rng.normal(size=rng.integers(1, 6)))} for _ in range(100)]
        one = weigh(sets, target, {"a": 1})
        hits += one.low <= 1 <= one.high
    assert 177 <= hits  # 95 % of 200 less more than four standard deviations


def test_medians_cover():
    rng = np.random.default_rng(1)
    found = [median(rng.exponential(size=41)) for _ in range(500)]
    covered = sum(one.low <= math.log(2) <= one.high for one in found)
    assert (
        covered >= 450 and median([1.0, 3.0]).value == 2 and median([1.0, 3.0]).low is None and median([]).value is None
    )


def test_strain_falls_to_zero_at_the_minimum():
    mol = Chem.AddHs(Chem.MolFromSmiles("CCO"))
    AllChem.EmbedMolecule(mol, randomSeed=1)
    assert AllChem.MMFFOptimizeMolecule(mol, "MMFF94s", 5000) == 0
    numbers = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()])
    relaxed = PlacedAtoms(numbers, mol.GetConformer().GetPositions())
    stretched = relaxed._replace(positions=relaxed.positions * 1.03)
    assert measure_strain(relaxed).energy < 1e-2 and measure_strain(relaxed).shift < 1e-2
    assert measure_strain(stretched).energy > 1 and measure_strain(stretched).shift > 0.02
    turned = stretched._replace(positions=stretched.positions @ np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1.0]]) + 3)
    assert measure_strain(turned).energy == pytest.approx(measure_strain(stretched).energy, rel=1e-3)
    assert measure_strain(PlacedAtoms(np.array([6]), np.zeros((1, 3)))).reason.startswith("radical")
    boron = PlacedAtoms(
        np.array([5, 9, 9, 9]), np.array([[0, 0, 0], [1.3, 0, 0], [-0.65, 1.126, 0], [-0.65, -1.126, 0]])
    )
    assert measure_strain(boron).reason.startswith("type")


def test_the_curve_falls(seven):
    curve = asymmetric_curve(seven.shapes, [0, 0.1, 0.5])
    assert curve[1:] == [0, 0] and asymmetric_curve([], [0.1]) == [1.0]


@pytest.mark.skipif(find_spec("tblite") is not None, reason="tblite is installed")
def test_xtb_is_asked_for_in_one_line(seven):
    with pytest.raises(UserError, match="needs the package tblite"):
        XTBStrainEnergy()(seven, None)


@pytest.mark.skipif(find_spec("tblite") is None, reason="the extra tblite is not installed")
def test_xtb():
    stretched = WATER[0], np.array(WATER[1]) * 1.1
    found = XTBStrainEnergy()(gathered(WATER, stretched, TWO, BROKEN), None)
    assert (found["strain.xtb"].count, found["strain.xtb"].undecided) == (2, 2)
    ordinary, more = (relax(gathered(one)[0]) for one in (WATER, stretched))
    assert 0 < ordinary.energy < 1 < more.energy < 20 and 0 < ordinary.shift < more.shift < 0.2


@pytest.mark.skipif(find_spec("posebusters") is not None, reason="posebusters is installed")
def test_posebusters_is_asked_for_in_one_line(seven):
    with pytest.raises(UserError, match="needs the package posebusters"):
        Poses()(seven, None)


@pytest.mark.skipif(find_spec("posebusters") is None, reason="the extra posebusters is not installed")
def test_posebusters():
    mol = Chem.AddHs(Chem.MolFromSmiles("CCO"))
    AllChem.EmbedMolecule(mol, randomSeed=1)
    AllChem.MMFFOptimizeMolecule(mol)
    good = [atom.GetAtomicNum() for atom in mol.GetAtoms()], mol.GetConformer().GetPositions()
    found = Poses()(gathered(good, TWO, BROKEN), None)["poses.valid"]
    assert (found.value, found.count) == (pytest.approx(1 / 3), 3)


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_file(), reason="SYMDIFF_DATA names no folder with qm9/qm9_geom.npz")
def test_the_published_row_of_qm9_as_a_metric():
    with np.load(DATA, allow_pickle=False) as file:
        offsets, numbers, positions, split = (file[name] for name in ("offsets", "z", "pos", "edm_split"))
    rows = np.flatnonzero(split == 2)[::9]
    chosen = np.concatenate([np.arange(offsets[row], offsets[row + 1]) for row in rows])
    some = from_arrays(
        np.cumsum([0, *(offsets[rows + 1] - offsets[rows])]), numbers[chosen], positions[chosen], DATA.name
    )
    found = EDMRule()(some, None)
    # of the whole split 0.9522, 0.9774 and 0.9774
    assert found["edm.molecule_stability"].low < 0.9522 < found["edm.molecule_stability"].high
    assert found["edm.validity"].low < 0.9774 < found["edm.validity"].high
    assert found["edm.uniqueness"].value == 1
