"""Balance of numberings of molecules.

Uniform p-values for invariant laws, none for sorted atoms; SMILES say nothing.
"""

import json
import math
from collections import Counter
from dataclasses import asdict

import numpy as np
import pytest
from rdkit import Chem

from symdiff.domains import molecule_graphs
from symdiff.storage.records import Record
from symdiff_evaluation.core.evaluation import evaluate
from symdiff_evaluation.core.kinds import load_kind
from symdiff_evaluation.molecules.numbering import NumberedAtoms, Numbering, image_balance, place_balance
from symdiff_evaluation.molecules.samples import MoleculeSamples, from_smiles
from symdiff_evaluation.molecules.verdict import judge, restore

TEXTS = ["CCO", "C=O", "OCO", "C1CC1", "CN(C)C", "C1=CC=CC=C1", "OC(F)Cl"]
IDS = ["balance.images", "balance.places"]


def written(text, order=None, hydrogens=False):
    mol = Chem.MolFromSmiles(text)
    mol = Chem.AddHs(mol) if hydrogens else mol
    order = np.arange(mol.GetNumAtoms()) if order is None else order(mol)
    return Chem.MolToMolBlock(Chem.RenumberAtoms(mol, [int(k) for k in order]))


def judged(blocks):
    records = tuple(Record("a.sdf", k, block, "molblock") for k, block in enumerate(blocks, 1))
    return MoleculeSamples(records, tuple(judge(record) for record in records))


def measured(samples):
    return [load_kind("molecule-graph").measure(samples, None, IDS)[name] for name in IDS]


def test_all_numberings_of_a_molecule_have_as_many_names_as_the_orbit():
    for text in TEXTS[:5]:
        mol = Chem.MolFromSmiles(text)
        size = mol.GetNumAtoms()
        orders = np.array(np.meshgrid(*[range(size)] * size)).reshape(size, -1).T
        orders = [order for order in orders.tolist() if len(set(order)) == size]
        found = judged([written(text, lambda mol, order=order: order) for order in orders]).verdicts
        images = Counter(one.numbering.image for one in found)
        assert len(images) == math.factorial(size) // found[0].traits.order and len(set(images.values())) == 1
        assert len({one.canonical for one in found}) == 1


def test_an_invariant_law_gives_uniform_p_values():
    """Images and orders are drawn here, as RDKit is slow.

    That judging tells all images apart, and no more, stands above.
    """
    rng, found = np.random.default_rng(1), []
    known = judged([written(text) for text in TEXTS]).verdicts
    for _ in range(150):
        which = [known[k] for k in rng.integers(len(known), size=80)]
        ways = [math.factorial(one.traits.size) // one.traits.order for one in which]
        images = [
            NumberedAtoms(one.canonical, int(rng.integers(number)), one.traits.size, one.traits.order)
            for one, number in zip(which, ways, strict=True)
        ]
        places = [Numbering(tuple(rng.permutation(one.numbering.kinds).tolist())) for one in which]
        found.append((image_balance(images, 0).p_value, place_balance(places, 0).p_value))
    for values in np.array(found).T:
        counts = np.histogram(values, 5, (0, 1))[0]
        assert ((counts - 30) ** 2 / 30).sum() < 33, counts  # chi-square with 4 degrees of freedom: 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("hydrogens", [False, True])
def test_renumbered_molecules_are_balanced_and_sorted_ones_are_not(hydrogens):
    rng = np.random.default_rng(3)
    chosen = [TEXTS[k] for k in rng.integers(len(TEXTS), size=200)]
    fair = measured(
        judged([written(text, lambda mol: rng.permutation(mol.GetNumAtoms()), hydrogens) for text in chosen])
    )
    assert all(one.value > 1e-4 for one in fair)
    assert fair[1].count + fair[1].undecided == 200 and fair[0].count + fair[0].undecided == 200
    ranked = judged(
        [
            written(
                text,
                lambda mol: np.argsort([-atom.GetAtomicNum() for atom in mol.GetAtoms()], kind="stable"),
                hydrogens,
            )
            for text in chosen
        ]
    )
    assert all(one.value < 1e-6 for one in measured(ranked))
    assert all(one.low is None for one in fair)


def test_one_order_for_each_molecule_is_seen_even_if_it_is_random():
    """No two molecules are alike but in their own fixed order: only the images tell."""
    rng = np.random.default_rng(4)
    blocks = [written(text, lambda mol: rng.permutation(mol.GetNumAtoms())) for text in TEXTS]
    images, places = measured(judged([blocks[k] for k in rng.integers(3, size=60)]))
    assert images.value < 1e-6 and images.count > 0


def test_smiles_say_nothing(tmp_path):
    (tmp_path / "a.smi").write_text("\n".join(TEXTS * 20 + ["C("]))
    found = evaluate([tmp_path / "a.smi"], reference="none").estimates
    assert [(found[name].value, found[name].count, found[name].undecided) for name in IDS] == [
        (None, 0, 140),
        (None, 0, 141),
    ]
    assert all(one.numbering is None for one in from_smiles(TEXTS).verdicts)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".npz", ".safetensors", ".graphml"])
def test_arrays_number_atoms(tmp_path, ending):
    rng = np.random.default_rng(5)
    mols = [Chem.MolFromSmiles(TEXTS[k]) for k in rng.integers(3, size=60)]
    molecule_graphs.write(
        [Chem.RenumberAtoms(mol, rng.permutation(mol.GetNumAtoms()).tolist()) for mol in mols], tmp_path / f"a{ending}"
    )
    molecule_graphs.write(mols, tmp_path / f"b{ending}")
    fair, sorted_ = (evaluate([tmp_path / f"{name}{ending}"], reference="none").estimates for name in "ab")
    assert all(fair[name].value > 1e-4 and fair[name].count > 20 for name in IDS)
    assert all(sorted_[name].value < 1e-6 for name in IDS)


def test_molecules_of_one_kind_of_atom_and_rare_ones_say_nothing():
    images, places = measured(judged([written("C1CC1")] * 9 + [written("CC(C)CC(O)CN")] * 2))
    assert images.value is None  # of the ring all numberings are one image; of the other 8! were possible
    assert (images.count, images.undecided) == (0, 11) and (places.count, places.undecided) == (2, 9)


def test_a_broken_one_costs_no_other_and_comes_back_from_a_shard():
    found = judged([written("OC(F)Cl"), "", written("CO").replace(" O ", " Xx")]).verdicts
    assert found[0].numbering.kinds == (1, 0, 2, 3) and found[0].numbering.image is not None
    assert all(one.numbering is None for one in found[1:])
    assert restore(json.loads(json.dumps(asdict(found[0])))) == found[0]
