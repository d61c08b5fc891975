"""Is the distribution of molecules invariant under renumbering of their atoms?

Only files that number atoms can tell: mol blocks and arrays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rdkit import Chem

from symdiff_evaluation.core.balance import Balance, position_balance, repeated_orbit_balance
from symdiff_evaluation.core.digest import digest


@dataclass(frozen=True)
class Numbering:
    """How a record numbers its atoms.

    Parameters
    ----------
    kinds : tuple of int
        For each atom as written, hydrogens too, its kind by element and number of neighbors, from 0.
    image : int, optional
        64 bits of the heavy-atom graph with its numbers, where the record is strictly valid.
    """

    kinds: tuple[int, ...]
    image: int | None = None


@dataclass(frozen=True)
class NumberedAtoms:
    """A strictly valid molecule as a file numbers it.

    Parameters
    ----------
    name : str
        Canonical SMILES.
    image : int
        64 bits of the heavy-atom graph with its numbers (``hash_image``).
    size : int
        Number of heavy atoms.
    order : int
        Order of the automorphism group.
    """

    name: str
    image: int
    size: int
    order: int


def classify_atoms(mol: Chem.Mol) -> tuple[int, ...]:
    """Number the kinds of the atoms of a molecule as written, by element and number of neighbors.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        Not sanitized.

    Returns
    -------
    tuple of int
        ``Numbering.kinds``.
    """
    labels = [[atom.GetAtomicNum(), atom.GetDegree()] for atom in mol.GetAtoms()]
    return tuple(np.unique(np.array(labels), axis=0, return_inverse=True)[1].ravel().tolist())


def hash_image(labels: Sequence[object], bonds: Mapping[tuple[int, int], str]) -> int:
    """Hash a molecule as its atoms are numbered.

    Parameters
    ----------
    labels : sequence
        The label of each atom in order.
    bonds : mapping of (int, int) to str
        The kind of each bond (i, j).

    Returns
    -------
    int
        64 bits.
    """
    pairs = sorted((min(pair), max(pair), kind) for pair, kind in bonds.items())
    return digest(repr((list(labels), pairs)))


def image_balance(molecules: Sequence[NumberedAtoms], others: int) -> Balance:
    """Test that of each molecule all numberings of its heavy atoms, n! over its automorphisms, are equally frequent.

    Molecules that were seen too rarely (``repeated_orbit_balance``) are undecided.

    Parameters
    ----------
    molecules : sequence of NumberedAtoms
        Strictly valid molecules.
    others : int
        Number of samples that are undecided from the start.

    Returns
    -------
    Balance
        The test.
    """
    test = repeated_orbit_balance(
        [one.name for one in molecules],
        [one.image for one in molecules],
        [math.factorial(one.size) // one.order for one in molecules],
    )
    return Balance(test.statistic, test.mean, test.variance, test.count, test.undecided + others)


def place_balance(numberings: Sequence[Numbering], others: int) -> Balance:
    """Test that atoms of every kind stand at each position of the order equally often, among molecules of one size.

    Molecules of one kind of atom, and the only one of a size, are undecided.

    Parameters
    ----------
    numberings : sequence of Numbering
        How records number their atoms.
    others : int
        Number of samples that are undecided from the start.

    Returns
    -------
    Balance
        The test.
    """
    test = position_balance([np.array(one.kinds, np.float64) for one in numberings])
    return Balance(test.statistic, test.mean, test.variance, test.count, test.undecided + others)
