"""The synthetic accessibility score, 1 (easy) to 10 (hard).

Source: Ertl and Schuffenhauer, Estimation of synthetic accessibility score of drug-like molecules, J. Cheminform. 1
(2009), in the form of RDKit's Contrib/SA_Score (version 1.1: a correction for symmetric molecules, one penalty for
macrocycles), whose table of fragment scores comes with RDKit and is read as data, never executed.
"""

from __future__ import annotations

import gzip
import math
import pickletools
from functools import lru_cache
from pathlib import Path

import numpy as np
from rdkit import Chem, RDConfig, rdBase
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors

from symdiff.errors import UserError

_UNKNOWN = -4.0  # score of a fragment that the table lacks
_MACROCYCLE = 8


def available() -> bool:
    """Whether this RDKit brings the table."""
    return _table_file().is_file()


def accessibility(smiles: str) -> float | None:
    """The score of a SMILES; None where RDKit does not read it. Raises ``UserError`` where RDKit lacks the table."""
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
        return None if mol is None else synthetic_accessibility(mol)


def synthetic_accessibility(mol: Chem.Mol) -> float:
    """The score of a sanitized molecule with at least one atom. Raises ``UserError`` where RDKit lacks the table."""
    ids, scores = _table()
    found = _generator().GetSparseCountFingerprint(mol).GetNonzeroElements()
    keys, counts = np.fromiter(found, np.uint32, len(found)), np.fromiter(found.values(), np.float64, len(found))
    place = np.searchsorted(ids, keys).clip(max=len(ids) - 1)
    known = np.where(ids[place] == keys, scores[place], _UNKNOWN)
    atoms = mol.GetNumAtoms()
    centers = len(Chem.FindMolChiralCenters(mol, includeUnassigned=True))
    macrocycle = any(len(ring) > _MACROCYCLE for ring in mol.GetRingInfo().AtomRings())
    penalty = (
        atoms**1.005
        - atoms
        + math.log10(centers + 1)
        + math.log10(rdMolDescriptors.CalcNumSpiroAtoms(mol) + 1)
        + math.log10(rdMolDescriptors.CalcNumBridgeheadAtoms(mol) + 1)
        + (math.log10(2) if macrocycle else 0.0)
    )
    symmetric = 0.5 * math.log(atoms / len(found)) if atoms > len(found) else 0.0
    raw = float((known * counts).sum() / counts.sum()) - penalty + symmetric
    score = 11 - (raw + 5) / 6.5 * 9  # raw runs from -4 to 2.5
    if score > 8:
        score = 8 + math.log(score - 8)
    return min(max(score, 1.0), 10.0)


def numbers(data: bytes) -> list[list[float]]:
    """The numbers in a list of lists that was pickled: the text of the file is read, nothing is unpickled.

    Raises ``UserError``.
    """
    rows: list[list[float]] = []
    for operation, value, _ in pickletools.genops(data):
        match operation.name:
            case "LIST":
                rows.append([])
            case "FLOAT" | "INT" | "LONG":
                rows[-1].append(float(value or 0))
            case "MARK" | "PUT" | "APPEND" | "STOP":
                pass
            case strange:
                raise UserError(f"{_table_file()}: expected numbers in lists, got the operation {strange}")
    return rows[1:]


def _table_file() -> Path:
    return Path(RDConfig.RDContribDir) / "SA_Score" / "fpscores.pkl.gz"


@lru_cache(maxsize=1)
def _table() -> tuple[np.ndarray, np.ndarray]:
    """Sorted fragment ids (uint32) and their scores."""
    if not available():
        raise UserError(
            f"the synthetic accessibility score needs {_table_file()}, which this installation of RDKit lacks"
        )
    with gzip.open(_table_file()) as stream:
        rows = numbers(stream.read())
    ids = np.concatenate([np.array(row[1:], np.uint32) for row in rows])
    scores = np.repeat([float(row[0]) for row in rows], [len(row) - 1 for row in rows])
    # where an id stands twice the later row counts
    names, last = np.unique(ids[::-1], return_index=True)
    return names, scores[::-1][last]


@lru_cache(maxsize=1)
def _generator() -> rdFingerprintGenerator.FingerprintGenerator64:
    return rdFingerprintGenerator.GetMorganGenerator(radius=2)
