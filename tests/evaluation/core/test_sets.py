"""Numbers of small sets, counted by hand; and what must not change them."""

import hashlib
import random

import numpy as np
import pytest

from symdiff.errors import UserError
from symdiff_evaluation.core import protocol as protocols
from symdiff_evaluation.core.digest import digest
from symdiff_evaluation.core.kinds import load_kind
from symdiff_evaluation.core.sample_files import SampleFiles
from symdiff_evaluation.molecules.build import build, build_reference
from symdiff_evaluation.molecules.chemnet import FeatureGaussian, frechet
from symdiff_evaluation.molecules.reference import load
from symdiff_evaluation.molecules.samples import from_smiles

TEXTS = ["CCO", "OCC", "C[C@H](O)F", "C[C@@H](O)F", "c1ccccc1", "C.CC", "CN(C)(C)C", "", "[CH3]", "CCC"]
TRAIN = ["CCO", "CO", "C", "CC"]


@pytest.fixture(scope="module")
def reference():
    return build({"train": TRAIN}, "tiny", fcd=False)


@pytest.fixture(scope="module")
def found(reference):
    return load_kind("molecule-graph").measure(from_smiles(TEXTS), reference, protocols.load("molecule-graph").metrics)


@pytest.mark.parametrize(
    ("name", "hits", "count", "undecided"),
    [
        ("validity.strict", 7, 10, 0),
        ("validity.largest_fragment", 8, 10, 0),
        ("validity.relaxed_digress", 9, 10, 0),
        ("connected", 8, 9, 1),
        ("radical_share", 1, 7, 0),
        ("uniqueness", 5, 7, 0),
        ("uniqueness.largest_fragment", 6, 8, 0),
        ("uniqueness.relaxed_digress", 7, 9, 0),
        ("novelty", 4, 5, 0),
        ("novelty.relaxed_digress", 5, 7, 0),
        ("vun", 4, 10, 0),
        ("symmetry.asymmetric_share", 5, 7, 0),
    ],
)
def test_numbers_by_hand(found, name, hits, count, undecided):
    got = found[name]
    assert got.value == pytest.approx(hits / count) and (got.count, got.undecided) == (count, undecided)
    assert 0 <= got.low <= got.value <= got.high <= 1


FIFTEEN = {
    "CCO": "valid, in the training set", "OCC": "the same, written backwards", "": "empty", "[CH3]": "radical",
    "CC.CCO": "two fragments", "C[C@H](O)F": "left hand", "C[C@@H](O)F": "right hand", "F/C=C/F": "trans",
    "F/C=C\\F": "cis",
    "c1ccccc1": "aromatic", "C1=CC=CC=C1": "the same as Kekule wrote it", "c1ccnc1": "pyrrole without its hydrogen",
    "CN(C)(C)C": "four bonds of nitrogen", "CC(C)(C)(C)C": "five bonds of carbon", "C1CC(": "no SMILES",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "hits", "count", "undecided"),
    [
        ("validity.strict", 9, 15, 0),  # CCO twice, the radical, both hands, both of difluoroethene, benzene twice
        ("validity.largest_fragment", 10, 15, 0),
        ("validity.relaxed_digress", 11, 15, 0),  # and the ammonium that DiGress charges
        ("connected", 12, 13, 2),
        ("radical_share", 1, 9, 0),
        ("uniqueness", 5, 9, 0),
        ("uniqueness.largest_fragment", 5, 10, 0),  # of CC.CCO it is CCO again
        ("uniqueness.relaxed_digress", 6, 11, 0),
        ("novelty", 4, 5, 0),
        ("novelty.relaxed_digress", 5, 6, 0),
        ("vun", 4, 15, 0),
        ("symmetry.asymmetric_share", 5, 9, 0),  # CCO twice, the radical, both hands
    ],
)
def test_fifteen_by_hand(reference, name, hits, count, undecided):
    assert len(FIFTEEN) == 15
    got = load_kind("molecule-graph").measure(
        from_smiles(list(FIFTEEN)), reference, protocols.load("molecule-graph").metrics
    )[name]
    assert got.value == pytest.approx(hits / count) and (got.count, got.undecided) == (count, undecided)


def test_the_gap_by_hand(tmp_path):
    """Benzene to fluorobenzene, benzene to itself, methane to ethane, no molecule, no input, an output that is none."""
    rows = [("Fc1ccccc1", "c1ccccc1"), ("c1ccccc1", "c1ccccc1"), ("CC", "C"), ("CC", "C("), ("CC", ""), ("C(", "CC")]
    (tmp_path / "a.csv").write_text("\n".join(["smiles,input", *(",".join(row) for row in rows)]))
    samples = load_kind("molecule-graph").read(SampleFiles([tmp_path / "a.csv"]))
    found = load_kind("molecule-graph").measure(samples, None, ["symmetry.breaking_gap", "symmetry.broken_share"])
    gap, share = found["symmetry.breaking_gap"], found["symmetry.broken_share"]
    assert gap.value == pytest.approx((np.log(12 / 2) + 0 - np.log(2)) / 3) and (gap.count, gap.undecided) == (3, 3)
    assert (share.value, share.count, share.undecided) == (0.5, 2, 3)
    assert (
        load_kind("molecule-graph")
        .measure(from_smiles(["CC"]), None, ["symmetry.breaking_gap"])["symmetry.breaking_gap"]
        .value
        is None
    )


def test_distances_by_hand(found):
    assert found["symmetry.log_order"].value == pytest.approx((np.log(12) + np.log(2)) / 7)
    assert found["distance.size"].value == pytest.approx(
        (abs(1 / 7 - 1 / 4) + abs(0 - 2 / 4) + abs(3 / 7 - 1 / 4) + 2 / 7 + 1 / 7) / 2
    )
    assert found["atom_stability"].value is None


def test_the_protocol_orders_the_numbers(found):
    assert list(found) == list(protocols.load("molecule-graph").metrics)


def test_order_does_not_matter(reference, found):
    texts = list(TEXTS)
    for seed in range(3):
        random.Random(seed).shuffle(texts)
        again = load_kind("molecule-graph").measure(
            from_smiles(texts), reference, protocols.load("molecule-graph").metrics
        )
        for name, estimate in found.items():
            assert again[name].plain() == pytest.approx(estimate.plain(), abs=1e-12, nan_ok=False), name


@pytest.mark.slow
def test_workers_do_not_matter():
    texts = (TEXTS * 60)[:520]  # three chunks
    assert from_smiles(texts, workers=2).verdicts == from_smiles(texts, workers=1).verdicts


def test_the_training_set_itself(reference):
    got = load_kind("molecule-graph").measure(from_smiles(TRAIN), reference, protocols.load("molecule-graph").metrics)
    assert got["novelty"].value == 0 and got["vun"].value == 0 and got["uniqueness"].value == 1
    for name, estimate in got.items():
        if "distance" in name and name != "distance.rings":  # there is no ring to compare
            assert estimate.value == pytest.approx(0, abs=1e-6), name


def test_no_valid_sample_gives_no_number(reference):
    got = load_kind("molecule-graph").measure(
        from_smiles(["", "C("]), reference, protocols.load("molecule-graph").metrics
    )
    assert got["validity.strict"].value == 0 and got["vun"].value == 0
    for name in ("uniqueness", "novelty", "distance.logp", "symmetry.log_order", "symmetry.log_order_distance"):
        assert got[name].value is None, name


def test_stability_of_a_set():
    texts = ["[H]C([H])([H])[H]", "[H]C([H])[H]", "C(", "[H]O[H]"]
    got = load_kind("molecule-graph").measure(from_smiles(texts), None, protocols.load("molecule-graph").metrics)
    assert got["atom_stability"].value == pytest.approx((5 + 3 + 3) / 12) and got["atom_stability"].count == 12
    assert got["molecule_stability"].value == pytest.approx(2 / 3) and got["molecule_stability"].undecided == 1
    assert "novelty" not in got


@pytest.mark.parametrize(
    ("explicit", "implied", "value"),
    [(0, 4, None), (1, 4, None), (4, 4, None), (5, 4, 5 / 9), (4, 1, 4 / 5), (4, 0, 1)],
)
def test_most_records_decide_whether_hydrogens_are_atoms(explicit, implied, value):
    molecules = load_kind("molecule-graph")
    samples = from_smiles(["[H]O[H]"] * explicit + ["CO"] * implied + ["C("])
    found = molecules.measure(samples, None, ["molecule_stability", "atom_stability"])
    assert found["molecule_stability"].value == (None if value is None else pytest.approx(value))
    assert (found["atom_stability"].value is None) == (value is None)
    notes = molecules.list_remarks(samples)
    if 0 in (explicit, implied):
        assert notes == []
    else:
        assert len(notes) == 1 and f"{explicit} of {explicit + implied} records" in notes[0]
        assert ("no value" in notes[0]) == (value is None)


def test_references_survive_writing(tmp_path):
    made = build_reference(TRAIN, tmp_path / "tiny", "by hand", fcd=False)
    again = load(tmp_path / "tiny.json")
    assert again.counts == made.counts and again.count == 4 and again.source == "by hand"
    assert np.array_equal(again.hashes, made.hashes)
    assert again.knows(["CCO", "CCN"]).tolist() == [True, False]
    packed = (tmp_path / "tiny.safetensors").read_bytes()
    (tmp_path / "tiny.safetensors").write_bytes(packed[:-1] + b"x")
    with pytest.raises(UserError, match="SHA-256"):
        load(tmp_path / "tiny.json")


def test_digest_is_fixed():
    assert digest("CCO") == int.from_bytes(hashlib.blake2b(b"CCO", digest_size=8).digest(), "big")


def test_the_shipped_reference():
    shipped = load("qm9-train")
    assert shipped.count == 100_000 and len(shipped.hashes) == 99_953
    assert set(shipped.gaussians) == {"train", "test"} and sum(shipped.counts["order"].values()) == 100_000
    assert (np.diff(shipped.hashes.astype(object)) > 0).all()
    assert shipped.knows(["C", "CCCCCCCCCCCC"]).tolist()[1] is False


def test_frechet_of_gaussians_by_hand():
    """In one dimension the distance is (m1 - m2)^2 + (s1 - s2)^2; diagonal covariances add up."""
    one = FeatureGaussian(np.array([0.0, 1.0]), np.diag([4.0, 1.0]))
    two = FeatureGaussian(np.array([3.0, 1.0]), np.diag([1.0, 9.0]))
    assert frechet(one, two) == pytest.approx(9 + 1 + 4)
    assert frechet(one, one) == pytest.approx(0, abs=1e-9)


@pytest.mark.slow
def test_fcd_is_the_packages():
    fcd = pytest.importorskip("fcd", reason="the extra fcd is not installed")
    import warnings

    from symdiff_evaluation.molecules.chemnet import compute_activations, fit_gaussian

    rng = random.Random(0)
    sets = [["".join(rng.choices("CNO", k=rng.randint(2, 9))) for _ in range(40)] for _ in range(2)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package's own deprecations
        want = fcd.get_fcd(*sets, device="cpu")
    assert frechet(*(fit_gaussian(compute_activations(texts)) for texts in sets)) == pytest.approx(want, abs=1e-3)
