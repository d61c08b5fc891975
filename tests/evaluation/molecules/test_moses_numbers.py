"""MOSES's numbers of small sets, counted by hand, and what they need of a reference."""

import json
import math

import numpy as np
import pytest

from symdiff_evaluation.__main__ import main
from symdiff_evaluation.core import protocol as protocols
from symdiff_evaluation.core.kinds import load_kind
from symdiff_evaluation.molecules.build import build, build_reference
from symdiff_evaluation.molecules.reference import load
from symdiff_evaluation.molecules.samples import from_smiles
from symdiff_evaluation.molecules.similarity import internal_diversity
from symdiff_evaluation.molecules.synthesis import accessibility

TRAIN = ["CCO", "CO", "C"]
TEST = ["CC(=O)Nc1ccccc1", "Oc1ccccc1Oc1ccccc1", "c1ccc2ccccc2c1", "CCO"]
TEXTS = ["CC(=O)Nc1ccccc1", "CC(=O)Nc1ccccc1", "Cc1ccc2ccccc2c1", "C[NH3+]", "C(", "OCC"]
NAMES = [
    name
    for name in protocols.load("molecule-graph-moses").metrics
    if name not in protocols.load("molecule-graph").metrics
]


@pytest.fixture(scope="module")
def reference():
    return build({"train": TRAIN, "test": TEST}, "tiny", fcd=False, moses=True)


@pytest.fixture(scope="module")
def found(reference):
    return load_kind("molecule-graph").measure(from_smiles(TEXTS), reference, NAMES)


def test_the_default_does_not_pay_for_it():
    samples = from_smiles(TEXTS)
    load_kind("molecule-graph").measure(samples, None, protocols.load("molecule-graph").metrics)
    assert "features" not in vars(samples)


def test_fragments_and_scaffolds_by_hand(found):
    """Ours.

    Two amides of three pieces each, three whole molecules. Test: the amide, an ether of three pieces, naphthalene,
    ethanol.
    """
    ours = {"acyl": 2, "amine": 2, "phenyl": 2, "methylnaphthalene": 1, "methylammonium": 1, "ethanol": 1}
    theirs = {
        "acyl": 1,
        "amine": 1,
        "phenyl": 1,
        "hydroxyphenyl": 1,
        "oxygen": 1,
        "phenyl of ether": 1,
        "naphthalene": 1,
        "ethanol": 1,
    }
    theirs["phenyl"] += theirs.pop("phenyl of ether")  # both are [16*]c1ccccc1
    dot = sum(number * theirs.get(name, 0) for name, number in ours.items())
    want = dot / math.sqrt(sum(n * n for n in ours.values()) * sum(n * n for n in theirs.values()))
    assert found["moses.fragments"].value == pytest.approx(want) and found["moses.fragments"].count == 5
    assert found["moses.scaffolds"].value == pytest.approx(
        1 / math.sqrt(2)
    )  # naphthalene, of naphthalene and diphenyl ether


def test_the_rest_by_hand(found, reference):
    assert found["moses.filters.without_mcf"].value == pytest.approx(4 / 5)  # the ion fails
    assert (found["moses.filters.without_mcf"].count, found["moses.filters.without_mcf"].undecided) == (5, 0)
    assert found["moses.filters"].value is None and found["moses.filters"].undecided == 5  # there is no list
    prints = [
        from_smiles([text]).features
        for text in ("CC(=O)Nc1ccccc1", "CC(=O)Nc1ccccc1", "Cc1ccc2ccccc2c1", "C[NH3+]", "CCO")
    ]
    packed = np.stack([np.frombuffer(one.fingerprint, np.uint8) for some in prints for one in some.values()])
    assert found["moses.internal_diversity"].value == pytest.approx(internal_diversity(packed)[0][1].value)
    assert found["moses.snn"].value > 3 / 5  # three of five are test molecules
    scores = [
        accessibility(text) for text in ("CC(=O)Nc1ccccc1", "CC(=O)Nc1ccccc1", "Cc1ccc2ccccc2c1", "C[NH3+]", "CCO")
    ]
    assert found["sa"].value == pytest.approx(np.mean(scores))
    for estimate in found.values():
        assert estimate.low is None or estimate.low <= estimate.value <= estimate.high


def test_the_test_set_itself(reference):
    got = load_kind("molecule-graph").measure(from_smiles(TEST), reference, NAMES)
    for name in ("moses.fragments", "moses.scaffolds", "moses.snn"):
        assert got[name].value == pytest.approx(1), name
    assert load_kind("molecule-graph").measure(from_smiles(TRAIN), reference, NAMES)[
        "distance.sa"
    ].value == pytest.approx(0, abs=1e-6)


def test_order_and_workers_do_not_matter(found, reference):
    samples = from_smiles((TEXTS * 60)[::-1], workers=2)  # two chunks of records, one of molecules
    again = load_kind("molecule-graph").measure(samples, reference, NAMES)
    for name, estimate in found.items():
        if not name.startswith("unique@"):  # it falls with the number of samples
            assert again[name].value == pytest.approx(estimate.value), name


def test_it_survives_writing(tmp_path, reference, found):
    build_reference({"train": TRAIN, "test": TEST}, tmp_path / "tiny", fcd=False, moses=True)
    again = load(tmp_path / "tiny.json")
    assert again.moses.fragments == reference.moses.fragments and again.moses.split == "test"
    assert np.array_equal(again.moses.fingerprints, reference.moses.fingerprints)
    got = load_kind("molecule-graph").measure(from_smiles(TEXTS), again, NAMES)
    assert {name: one.value for name, one in got.items()} == pytest.approx(
        {name: one.value for name, one in found.items()}, abs=1e-6
    )


def test_a_reference_without_it_gives_no_number():
    plain = build({"train": TRAIN}, "plain", fcd=False)
    got = load_kind("molecule-graph").measure(from_smiles(TEXTS), plain, NAMES)
    for name in ("moses.fragments", "moses.scaffolds", "moses.snn", "distance.sa"):
        assert got[name].value is None and got[name].undecided == 5, name
    assert "compare with" in " ".join(
        load_kind("molecule-graph").list_notes(protocols.load("molecule-graph-moses"), plain)
    )
    empty = load_kind("molecule-graph").measure(from_smiles(["C("]), None, NAMES)
    assert all(one.value is None for one in empty.values())


def test_the_command_with_a_file_as_reference(tmp_path, capsys):
    (tmp_path / "a.smi").write_text("\n".join(TEXTS))
    (tmp_path / "train.smi").write_text("\n".join(TEST))
    out = tmp_path / "out"
    arguments = [
        str(tmp_path / "a.smi"),
        "--out",
        str(out),
        "--protocol",
        "molecule-graph-moses",
        "--reference",
        str(tmp_path / "train.smi"),
    ]
    assert main([*arguments, "--workers", "1"]) == 0
    assert "no test split" in capsys.readouterr().out.replace("\n", " ")
    assert json.loads((out / "metrics.json").read_text())["moses.scaffolds"]["value"] == pytest.approx(1 / math.sqrt(2))
