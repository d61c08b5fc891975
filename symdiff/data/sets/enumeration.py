"""All molecules of C, N, O and F with few heavy atoms, by exhaustive enumeration.

A molecule here is a connected graph whose nodes are C, N, O or F, whose edges are bonds of order 1 to 3, and where no
atom has more bonds than its valence (4, 3, 2, 1); hydrogens fill what is left. So all are neutral and closed-shell.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import permutations, product

import numpy as np

from symdiff.data.dataset import Dataset
from symdiff.data.molecules import molecules, split_by_content
from symdiff.domains.molecule import MolecularGraph
from symdiff.errors import UserError

ATOMS, VALENCE = ("C", "N", "O", "F"), np.array([4, 3, 2, 1])
MAX_ATOMS = 5


def enumerate_molecules(atoms: int) -> tuple[np.ndarray, np.ndarray]:
    """Enumerate the isomorphism classes of molecules, every class once.

    Every connected graph has a node whose removal leaves it connected, and removing an atom breaks no valence: so every
    molecule of n atoms is one of n - 1 atoms with an atom bonded to it, and the least of its relabellings names its
    class.

    Parameters
    ----------
    atoms : int
        The number n of heavy atoms.

    Returns
    -------
    tuple of ndarray
        Labels (M, n), indices into ``ATOMS``, and bond orders (M, n, n), both uint8.

    Raises
    ------
    ValueError
        For fewer than 1 or more than ``MAX_ATOMS`` atoms.
    """
    if not 1 <= atoms <= MAX_ATOMS:
        raise ValueError(f"atoms must be 1 to {MAX_ATOMS}, got {atoms}")
    labels, bonds = np.arange(len(ATOMS), dtype=np.uint8)[:, None], np.zeros((len(ATOMS), 1, 1), np.uint8)
    for _ in range(atoms - 1):
        labels, bonds = _distinct(*_extend(labels, bonds))
    return labels, bonds


def _extend(labels: np.ndarray, bonds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All ways to bond one more atom to every molecule."""
    n = labels.shape[1]
    free = VALENCE[labels] - bonds.sum(2)
    found_labels, found_bonds = [], []
    for orders in product(range(4), repeat=n):
        if not any(orders):
            continue
        fits = (free >= orders).all(1)
        for atom in np.flatnonzero(VALENCE >= sum(orders)):
            new = np.zeros((fits.sum(), n + 1, n + 1), np.uint8)
            new[:, :n, :n] = bonds[fits]
            new[:, n, :n] = new[:, :n, n] = orders
            found_bonds.append(new)
            found_labels.append(np.pad(labels[fits], ((0, 0), (0, 1)), constant_values=atom))
    return np.concatenate(found_labels), np.concatenate(found_bonds)


def _distinct(labels: np.ndarray, bonds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One molecule of every isomorphism class: that with the least code among its relabellings."""
    _, first = np.unique(_code(labels, bonds), return_index=True)
    labels, bonds = labels[first], bonds[first]
    least = _code(labels, bonds)
    for order in permutations(range(labels.shape[1])):
        least = np.minimum(least, _code(labels[:, order], bonds[:, order][:, :, order]))
    _, first = np.unique(least, return_index=True)
    return labels[first], bonds[first]


def _code(labels: np.ndarray, bonds: np.ndarray) -> np.ndarray:
    """Two bits an atom, two bits a pair: a number that determines the labelled graph."""
    code = np.zeros(len(labels), np.int64)
    n = labels.shape[1]
    for i in range(n):
        code = code << 2 | labels[:, i]
    for i in range(n):
        for j in range(i + 1, n):
            code = code << 2 | bonds[:, i, j]
    return code


def small_molecules(atoms: int = MAX_ATOMS) -> Dataset:
    """Make the data set of all molecules of few heavy atoms, split by content.

    Parameters
    ----------
    atoms : int
        The most heavy atoms.

    Returns
    -------
    Dataset
        Of a ``MolecularGraph``.

    Raises
    ------
    UserError
        Where RDKit refuses one of them.
    """
    import torch

    from symdiff.state import State

    domain = MolecularGraph(ATOMS)
    smiles: list[str] = []
    marks: list[bytes] = []
    for size in range(1, atoms + 1):
        enumerated = enumerate_molecules(size)
        marks += [blake2b(atom.tobytes() + bond.tobytes()).digest() for atom, bond in zip(*enumerated, strict=True)]
        labels, bonds = (torch.from_numpy(array).long() for array in enumerated)
        state = State(torch.ones(labels.shape, dtype=torch.bool), domain.schema, {"atom": labels, "bond": bonds})
        for text, reason in domain.codec.inspect(state):
            if text is None:
                raise UserError(f"small-molecules: RDKit refuses an enumerated molecule ({reason})")
            smiles.append(text)
    source = {"title": f"all molecules of {', '.join(ATOMS)} with 1 to {atoms} heavy atoms, enumerated", "files": []}
    meta = {"name": "small-molecules", "source": source}
    return molecules(smiles, split_by_content(marks), meta, max_nodes=64)
