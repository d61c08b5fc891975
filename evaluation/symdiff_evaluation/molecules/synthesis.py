"""The synthetic accessibility score, 1 (easy) to 10 (hard).

Source: Ertl and Schuffenhauer, Estimation of synthetic accessibility score of drug-like molecules, J. Cheminform. 1
(2009), in the form of RDKit's Contrib/SA_Score (version 1.1: a correction for symmetric molecules, one penalty for
macrocycles). ``benchmarks/fragment_scores.py`` derives the table of fragment scores from the one in RDKit.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors
from safetensors.numpy import load_file

_UNKNOWN = -4.0  # score of a fragment that the table lacks
_MACROCYCLE = 8


def accessibility(smiles: str) -> float | None:
    """Compute the synthetic accessibility score of a SMILES.

    Parameters
    ----------
    smiles : str
        The molecule.

    Returns
    -------
    float or None
        1 (easy) to 10 (hard); None where RDKit does not read it.
    """
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
        return None if mol is None else synthetic_accessibility(mol)


def synthetic_accessibility(mol: Chem.Mol) -> float:
    """Compute the synthetic accessibility score.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        Sanitized, with at least one atom.

    Returns
    -------
    float
        1 (easy) to 10 (hard).

    References
    ----------
    Ertl and Schuffenhauer, Estimation of synthetic accessibility score of drug-like molecules based on molecular
    complexity and fragment contributions, J. Cheminform. 1 (2009).
    """
    ids, scores = _table()
    fragments = _generator().GetSparseCountFingerprint(mol).GetNonzeroElements()
    keys, counts = np.fromiter(fragments, np.uint32), np.fromiter(fragments.values(), np.float64)
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
    symmetric = 0.5 * math.log(atoms / len(fragments)) if atoms > len(fragments) else 0.0
    raw = float((known * counts).sum() / counts.sum()) - penalty + symmetric
    score = 11 - (raw + 5) / 6.5 * 9  # raw runs from -4 to 2.5
    if score > 8:
        score = 8 + math.log(score - 8)
    return min(max(score, 1.0), 10.0)


@lru_cache(maxsize=1)
def _table() -> tuple[np.ndarray, np.ndarray]:
    """Sorted fragment ids (uint32) and their scores (float64)."""
    arrays = load_file(Path(__file__).with_name("fragment_scores.safetensors"))
    return arrays["fragment"], arrays["score"][arrays["level"]]


@lru_cache(maxsize=1)
def _generator() -> rdFingerprintGenerator.FingerprintGenerator64:
    return rdFingerprintGenerator.GetMorganGenerator(radius=2)
