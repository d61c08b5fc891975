"""The enumeration of small molecules, against Burnside's count and against RDKit."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from math import factorial

import numpy as np
import pytest
import torch
from rdkit import Chem

from symdiff.canonical.nodes import Nodes
from symdiff.chemistry import kekule
from symdiff.data.sets.enumeration import ATOMS, VALENCE, enumerate_molecules, small_molecules
from symdiff.domains.molecule import MolecularGraph
from symdiff.state import State

KNOWN = {1: 4, 2: 19, 3: 94, 4: 621, 5: 4715}
DOMAIN = MolecularGraph(ATOMS)


def state(labels: np.ndarray, bonds: np.ndarray) -> State:
    mask = torch.ones(labels.shape, dtype=torch.bool)
    return State(mask, DOMAIN.schema, {"atom": torch.from_numpy(labels).long(), "bond": torch.from_numpy(bonds).long()})


def burnside(n: int) -> int:
    """The number of orbits of labelled molecules under S_n: the mean number of molecules that a permutation fixes.

    A permutation fixes a molecule whose bonds are constant on its cycles of pairs and whose labels are constant on its
    cycles of nodes; so its count is a sum over bond patterns of products of the numbers of elements that each node
    allows.
    """
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    allowed = np.array([(VALENCE >= degree).sum() for degree in range(3 * n)])
    kinds = Counter(
        tuple(sorted(len(c) for c in orbits(range(n), lambda i, g=g: g[i]))) for g in permutations(range(n))
    )
    total = 0
    for lengths, permutations_of_kind in kinds.items():
        g = representative(lengths)
        cycles = orbits(range(n), lambda i, g=g: g[i])
        pair_cycles = orbits(pairs, lambda p, g=g: tuple(sorted((g[p[0]], g[p[1]]))))
        bonds = np.zeros((4 ** len(pair_cycles), n, n), np.uint8)
        for column, cycle in enumerate(pair_cycles):
            for i, j in cycle:
                bonds[:, i, j] = bonds[:, j, i] = np.arange(len(bonds)) >> 2 * column & 3
        degrees = bonds.sum(2, dtype=np.uint8)
        bonds, degrees = bonds[(degrees <= 4).all(1)], degrees[(degrees <= 4).all(1)]
        reach = (bonds > 0) | np.eye(n, dtype=bool)
        for _ in range(3):
            reach = (reach.astype(np.uint8) @ reach.astype(np.uint8)) > 0
        fixed = np.prod([allowed[degrees[:, cycle[0]]] for cycle in cycles], axis=0) * reach.all((1, 2))
        total += permutations_of_kind * int(fixed.sum())
    assert total % factorial(n) == 0
    return total // factorial(n)


def representative(lengths: tuple[int, ...]) -> list[int]:
    """A permutation with cycles of these lengths."""
    g: list[int] = []
    for length in lengths:
        g += [len(g) + (k + 1) % length for k in range(length)]
    return g


def orbits(items, move) -> list[list]:
    left, found = set(items), []
    while left:
        cycle, item = [], next(iter(left))
        while item in left:
            left.remove(item)
            cycle.append(item)
            item = move(item)
        found.append(cycle)
    return found


@pytest.mark.parametrize("atoms", [1, 2, 3, 4, 5])
def test_the_count_is_burnsides(atoms):
    assert len(enumerate_molecules(atoms)[0]) == burnside(atoms) == KNOWN[atoms]


@pytest.mark.parametrize("atoms", [2, 3, 4, 5])
def test_each_class_stands_once_and_is_valid(atoms):
    labels, bonds = enumerate_molecules(atoms)
    assert len(labels) == KNOWN[atoms]
    assert (bonds == bonds.transpose(0, 2, 1)).all() and (bonds.sum(2) <= VALENCE[labels]).all()
    x = state(labels, bonds)
    assert len(Nodes().form(x).unique()) == len(x)
    smiles = DOMAIN.codec.smiles(x)
    assert None not in smiles and len(set(smiles)) == len(smiles) and not any("." in text for text in smiles)


@pytest.mark.slow
def test_every_listed_molecule_that_fits_is_found():
    from pathlib import Path

    known = {text for n in KNOWN for text in DOMAIN.codec.smiles(state(*enumerate_molecules(n)))}
    listed = 0
    for line in (Path(__file__).parents[2] / "molecules.smi").read_text().splitlines():
        mol = Chem.MolFromSmiles(line.split()[0])
        plain = all(atom.GetSymbol() in ATOMS and not atom.GetFormalCharge() for atom in mol.GetAtoms())
        if plain and mol.GetNumAtoms() <= 5:
            listed += 1
            assert Chem.MolToSmiles(mol, isomericSmiles=False) in known, line
    assert listed > 50


def test_saturated_hydrocarbons_are_the_alkanes():
    for atoms, isomers in {1: 1, 2: 1, 3: 1, 4: 2, 5: 3}.items():
        labels, bonds = enumerate_molecules(atoms)
        carbon = (labels == 0).all(1) & (bonds.sum((1, 2)) // 2 == atoms - 1)
        assert carbon.sum() == isomers


def test_more_atoms_than_were_checked_are_refused():
    with pytest.raises(ValueError, match="atoms must be 1 to 5"):
        enumerate_molecules(6)


def test_the_data_set_is_complete_and_stays_the_same():
    dataset = small_molecules(4)
    assert len(dataset) == sum(KNOWN[n] for n in range(1, 5))
    assert dataset.meta["left_out"] == {} and dataset.meta["duplicates"] == 0
    again = small_molecules(4)
    assert torch.equal(dataset.columns.arrays["split"], again.columns.arrays["split"])
    assert [len(dataset.split(name)) for name in ("train", "valid", "test")] == [571, 79, 88]
    assert all(kekule.problem(mol) is None for mol in DOMAIN.decode(dataset.batch(torch.arange(len(dataset)))))
