"""MOSES's formulas: by hand, against RDKit's own programs, and their intervals against simulations."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem, DataStructs, RDConfig
from rdkit.Chem import rdFingerprintGenerator

from symdiff_evaluation import evaluate
from symdiff_evaluation.molecules import moses, synthesis
from symdiff_evaluation.molecules.similarity import cosine, internal_diversity, nearest_similarity

TEXTS = [
    "CCO", "c1ccccc1", "CC(=O)Nc1ccc(O)cc1", "CC(=O)Oc1ccccc1C(=O)O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "C1CC2CCC1C2",
    "C1CCC2(CC1)CCCC2",
    "CC(C)Cc1ccc(cc1)C(C)C(=O)O", "C12C3C4C1C5C2C3C45", "OC1CCCCCCCCCCC1", "FC(Cl)(Br)I", "[O-][N+](=O)c1ccccc1", "C",
    "C#N",
]  # fmt: skip


def mols():
    return [Chem.MolFromSmiles(text) for text in TEXTS]


def packed(rows):
    return np.stack([np.frombuffer(row, np.uint8) for row in rows])


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("CCO", ["CCO"]),
        ("CC(=O)Nc1ccccc1", ["[1*]C(C)=O", "[16*]c1ccccc1", "[5*]N[5*]"]),
        ("c1ccccc1Oc1ccccc1", ["[16*]c1ccccc1", "[16*]c1ccccc1", "[3*]O[3*]"]),
    ],
)
def test_fragments(text, pieces):
    assert sorted(moses.find_fragments(Chem.MolFromSmiles(text))) == sorted(pieces)


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("CCO", None),
        ("Cc1ccccc1", None),
        ("CCc1ccc2ccccc2c1", "c1ccc2ccccc2c1"),
        ("Oc1ccccc1Oc1ccccc1", "c1ccc(Oc2ccccc2)cc1"),
    ],
)
def test_scaffolds(text, frame):
    assert moses.find_scaffold(Chem.MolFromSmiles(text)) == frame


def test_filters():
    rules = {"CCO": True, "C[O-]": False, "C[Si](C)C": False, "C1CCCCCCC1": False, "C1CCCCCC1": True}
    assert {text: moses.passes_rules(Chem.MolFromSmiles(text)) for text in rules} == rules
    assert moses.passes_pains(Chem.MolFromSmiles("CCO"))
    assert not moses.passes_pains(Chem.MolFromSmiles("O=C1NC(=S)SC1=Cc1ccccc1"))  # a rhodanine


@pytest.mark.slow
def test_synthetic_accessibility_is_rdkits():
    place = f"{RDConfig.RDContribDir}/SA_Score/sascorer.py"
    if not Path(place).is_file():
        pytest.skip("this installation of RDKit lacks Contrib/SA_Score")
    spec = importlib.util.spec_from_file_location("sascorer", place)
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    for mol in mols():
        assert synthesis.synthetic_accessibility(mol) == pytest.approx(theirs.calculateScore(mol), abs=1e-9)


def test_fingerprints_and_similarities_are_rdkits():
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=1024)
    theirs = [generator.GetFingerprint(mol) for mol in mols()]
    table = np.array([DataStructs.BulkTanimotoSimilarity(one, theirs) for one in theirs])
    ours = packed([moses.compute_fingerprint(mol) for mol in mols()])
    paper, program = internal_diversity(ours)
    assert paper[1].value == pytest.approx(1 - table.mean(), abs=1e-6) == program[1].value
    assert paper[2].value == pytest.approx(1 - math.sqrt((table**2).mean()), abs=1e-6)
    assert program[2].value == pytest.approx(1 - np.sqrt((table**2).mean(1)).mean(), abs=1e-6)
    assert nearest_similarity(ours[:5], ours[5:]).value == pytest.approx(table[:5, 5:].max(1).mean(), abs=1e-6)
    assert nearest_similarity(ours, ours).value == 1 and nearest_similarity(ours, ours[:0]).value is None


def test_repeats_count_and_order_does_not():
    ours = packed([moses.compute_fingerprint(mol) for mol in mols()])
    many = ours[np.random.default_rng(0).permutation(np.arange(len(ours)).repeat(3))]
    one, two = internal_diversity(ours)[0], internal_diversity(many)[0]
    assert one[1].value == pytest.approx(two[1].value, abs=1e-6) and two[1].count == 42
    assert internal_diversity(ours[:1])[0][1].value == pytest.approx(0)
    assert internal_diversity(ours[:0])[0][2].value is None


def test_blocks_do_not_matter(monkeypatch):
    ours = packed([moses.compute_fingerprint(mol) for mol in mols()])
    whole, near = internal_diversity(ours), nearest_similarity(ours[:9], ours[4:])
    monkeypatch.setattr("symdiff_evaluation.molecules.similarity._BLOCK", 3)
    pieces = internal_diversity(ours)
    for kind in (0, 1):
        for p in (1, 2):
            assert pieces[kind][p].value == pytest.approx(whole[kind][p].value, abs=1e-6)
    assert nearest_similarity(ours[:9], ours[4:]).value == pytest.approx(near.value, abs=1e-6)


def test_cosine_by_hand():
    got = cosine([{"a": 1}, {"a": 1, "b": 1}, {}], {"a": 2, "c": 1})
    assert got.value == pytest.approx(4 / math.sqrt(5 * 5)) and got.count == 3
    assert cosine([{"a": 1}], {"a": 7}).value == 1 and cosine([{}], {"a": 1}).value is None
    assert cosine([{"a": 1}], {"b": 1}).value == 0


@pytest.mark.slow
def test_intervals_cover():
    """95 % intervals hold the law's own value in 93 to 97 % of 500 simulated sets."""
    rng, count, hits = np.random.default_rng(7), 400, np.zeros(4)
    kinds = np.packbits(rng.random((12, 64)) < 0.3, axis=1)
    share = rng.dirichlet(np.full(12, 2.0))
    bits = np.unpackbits(kinds, axis=1).astype(float)
    common = bits @ bits.T
    table = common / (bits.sum(1)[:, None] + bits.sum(1) - common)
    target = {str(k): int(n) for k, n in enumerate(rng.integers(1, 50, 12))}
    weight = np.array(list(target.values()))
    truth = [
        share @ weight / math.sqrt((share**2).sum() * (weight**2).sum()),
        share @ table[:, :4].max(1),
        1 - math.sqrt(share @ table**2 @ share),
        1 - share @ np.sqrt(table**2 @ share),
    ]
    for _ in range(500):
        drawn = rng.choice(12, count, p=share)
        paper, program = internal_diversity(kinds[drawn])
        found = [
            cosine([{str(k): 1} for k in drawn], target),
            nearest_similarity(kinds[drawn], kinds[:4]),
            paper[2],
            program[2],
        ]
        hits += [one.low <= value <= one.high for one, value in zip(found, truth, strict=True)]
    assert (hits / 500 >= 0.93).all() and (hits / 500 <= 0.97).all()


def test_the_shipped_reference_has_what_moses_numbers_compare_with():
    names = ["moses.fragments", "moses.scaffolds", "moses.snn", "distance.sa"]
    found = evaluate(["CCO", "c1ccccc1", "CC1CC2CC1C2"], names, "qm9-train")
    assert all(found[name].value is not None for name in names)
