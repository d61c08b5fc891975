"""Hand-made records with every verdict known."""

import pytest

from symdiff.chemistry.parse import parse
from symdiff.chemistry.smiles import record_of
from symdiff.storage.records import Record
from symdiff_evaluation.molecules.samples import from_smiles
from symdiff_evaluation.molecules.stability import count_stable
from symdiff_evaluation.molecules.verdict import judge

# text, canonical (strictly valid), kind of reason, largest fragment, relaxed
ROWS = {
    "empty": ("", None, "empty", None, None),
    "white space": ("C C", None, "syntax", None, None),
    "not SMILES": ("C1CC(", None, "syntax", None, None),
    "not ASCII": ("CÖ", None, "syntax", None, None),
    "wildcard": ("C*", None, "query", None, None),
    "any bond": ("C~C", None, "query", None, None),
    "accepted once only": ("Cb1=C(C)C=C(O)N1", None, "aromaticity", None, None),
    "radical": ("[CH3]", "[CH3]", "", "[CH3]", "[CH3]"),
    "two fragments": ("C.CCO", None, "fragments", "CCO", "CCO"),
    "salt": ("[Na+].[Cl-]", None, "fragments", "[Na+]", "[Na+]"),
    "five bonds of carbon": ("CC(C)(C)(C)C", None, "valence", None, None),
    "four bonds of nitrogen": ("CN(C)(C)C", None, "valence", None, "C[N+](C)(C)C"),
    "three bonds of oxygen": ("CO(C)C.C", None, "valence", None, "C[O+](C)C"),
    "five bonds of nitrogen": ("CN(C)(C)(C)C", None, "valence", None, None),
    "left hand": ("C[C@H](O)F", "CC(O)F", "", "CC(O)F", "CC(O)F"),
    "right hand": ("C[C@@H](O)F", "CC(O)F", "", "CC(O)F", "CC(O)F"),
    "trans": ("C/C=C/C", "CC=CC", "", "CC=CC", "CC=CC"),
    "benzene, aromatic": ("c1ccccc1", "c1ccccc1", "", "c1ccccc1", "c1ccccc1"),
    "benzene, Kekule": ("C1=CC=CC=C1", "c1ccccc1", "", "c1ccccc1", "c1ccccc1"),
    "pyrrole without its hydrogen": ("c1ccnc1", None, "aromaticity", None, None),
    "aromatic chain": ("ccC", None, "aromaticity", None, None),
    "zwitterion": ("C[NH2+]CC(=O)[O-]", "C[NH2+]CC(=O)[O-]", "", "C[NH2+]CC(=O)[O-]", "C[NH2+]CC(=O)[O-]"),
    "explicit hydrogens": ("[H]C([H])([H])O[H]", "CO", "", "CO", "CO"),
    "isotopes": ("[2H]C([2H])([2H])[13CH3]", "CC", "", "CC", "CC"),
    "atom maps": ("[CH3:1][OH:7]", "CO", "", "CO", "CO"),
    "hydrogens beyond a byte": ("[CH260]", None, "syntax", None, None),
    "charge beyond a byte": ("C[CH4+256]", None, "syntax", None, None),
    "hydrogens without end": ("[NH999999999+]", None, "syntax", None, None),
    "charge that no format defines": ("[Xe-99]", None, "too large", None, None),
    "bonds beyond a byte": ("C" + "(=C)" * 70, None, "too large", None, None),
    "too long": ("C" * 10_001, None, "too long", None, None),
    "too many atoms": ("C" * 1_001, None, "too large", None, None),
}


@pytest.mark.parametrize("name", ROWS)
def test_every_verdict(name):
    text, canonical, reason, fragment, relaxed = ROWS[name]
    got = judge(record_of("hand.smi", 1, text))
    assert (got.canonical, got.reason.split(":")[0], got.fragment, got.relaxed) == (
        canonical,
        reason,
        fragment,
        relaxed,
    )
    assert (got.traits is None) == (canonical is None)


def test_neighbors_survive():
    texts = [row[0] for row in ROWS.values()]
    samples = from_smiles(texts)
    assert [judged.canonical for judged in samples.verdicts] == [row[1] for row in ROWS.values()]
    assert len(samples) == len(ROWS)


@pytest.mark.parametrize(
    ("text", "order", "orbits", "rings"),
    [
        ("c1ccccc1", 12, 1, {"6": 1}),
        ("C1=CC=CC=C1C", 2, 5, {"6": 1}),
        ("CC(C)(C)C", 24, 2, {}),
        ("C12C3C4C1C5C2C3C45", 48, 1, {"4": 6}),
        ("C[NH+](C)C", 6, 2, {}),
        ("[O-][N+](=O)C", 1, 4, {}),
        ("O=C=O", 2, 2, {}),
        ("C", 1, 1, {}),
        ("[H][H]", 2, 1, {}),
    ],
)
def test_symmetry_of_molecules(text, order, orbits, rings):
    traits = judge(record_of("hand.smi", 1, text)).traits
    assert (traits.order, traits.orbits, traits.rings) == (order, orbits, rings)


def test_traits():
    traits = judge(record_of("hand.smi", 1, "[O-]C(=O)C[NH3+]")).traits
    assert traits.size == 5 and traits.atoms == {"O-": 1, "C": 2, "O": 1, "N+": 1}
    assert traits.bonds == {"single": 3, "double": 1}
    assert traits.weight == pytest.approx(75.067, abs=1e-3)
    assert judge(record_of("hand.smi", 1, "C[CH2]")).radicals == 1


@pytest.mark.parametrize(
    ("text", "stable", "atoms"),
    [
        ("[H]C([H])([H])[H]", 5, 5),
        ("[H]C([H])[H]", 3, 4),
        ("[H]c1c([H])c([H])c([H])c([H])c1[H]", 12, 12),
        ("[H]N([H])([H])[H]", 4, 5),
        ("[H][N+]([H])([H])[H]", 4, 5),
        ("[H]O[H]", 3, 3),
        ("CO", 0, 2),
        ("[CH4]", 1, 1),
        ("c1ccnc1", 0, 5),
        ("[H]P([H])[H]", 4, 4),
        ("[Na][H]", 1, 2),
    ],
)
def test_stable_atoms(text, stable, atoms):
    assert count_stable(parse(record_of("hand.smi", 1, text))) == (stable, atoms)


def hand_block(*properties):
    rows = ["    0.0000    0.0000    0.0000 C   0  0", "    1.2000    0.0000    0.0000 O   0  0", "  1  2  2  0"]
    return "\n".join(["", "  hand", "", "  2  1  0  0  0  0  0  0  0  0999 V2000", *rows, *properties, "M  END"])


def test_a_mol_block_is_judged_as_written():
    assert judge(Record("hand.sdf", 1, hand_block(), "molblock")).canonical == "C=O"
    assert (
        judge(Record("hand.sdf", 1, hand_block("M  CHG  2   1  -1   2   1", "M  ISO  1   1 100"), "molblock")).canonical
        == "[CH-]=[OH+]"
    )
    # what eight bits cannot hold is not read as something else
    for charges in ("  1   1 256", "  2   2   0   1 900"):
        got = judge(Record("hand.sdf", 1, hand_block("M  CHG" + charges), "molblock"))
        assert got.canonical is None and got.reason.startswith("syntax")
