"""What MOSES looks at in one molecule: BRICS fragments, the scaffold, a fingerprint, filters.

Source: Polykovskiy et al., Molecular Sets (MOSES): A Benchmarking Platform for Molecular Generation Models,
Front. Pharmacol. 11 (2020); where the paper leaves a choice, that of https://github.com/molecularsets/moses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import FilterCatalog, rdFingerprintGenerator
from rdkit.Chem.Scaffolds import MurckoScaffold

from symdiff.errors import UserError
from symdiff_evaluation.core.filters import passes
from symdiff_evaluation.molecules.synthesis import synthetic_accessibility

BITS = 1024
_FEWEST_RINGS = 2
_ELEMENTS = {"C", "N", "S", "O", "F", "Cl", "Br", "H"}
_LARGEST_RING = 7


@dataclass(frozen=True)
class Features:
    """One molecule as MOSES sees it.

    Parameters
    ----------
    fragments : tuple of str
        SMILES of its BRICS fragments.
    scaffold : str, optional
        SMILES of its Bemis-Murcko scaffold; None where that has fewer than two rings.
    fingerprint : bytes
        The packed Morgan fingerprint, 128 bytes.
    accessibility : float, optional
        The synthetic accessibility score, 1 to 10.
    rules, pains, mcf : bool
        Whether it passes these filters; ``mcf`` is None without a list of them.
    """

    fragments: tuple[str, ...]
    scaffold: str | None
    fingerprint: bytes
    accessibility: float | None
    rules: bool
    pains: bool
    mcf: bool | None = None


def read(smiles: str, smarts: Sequence[str] = ()) -> Features | None:
    """Find the features of a SMILES.

    Parameters
    ----------
    smiles : str
        Canonical SMILES.
    smarts : sequence of str
        MOSES's list of medicinal chemistry filters, if it is at hand.

    Returns
    -------
    Features or None
        None where RDKit does not read it, as happens with a few exotic rings, or fails.
    """
    with rdBase.BlockLogs():
        try:
            mol = Chem.MolFromSmiles(smiles)
            return None if mol is None else find_features(mol, smarts)
        except UserError:
            raise
        except Exception:  # what a library raises for one molecule costs that molecule, and no other
            return None


def to_plain(one: Features | None) -> dict | None:
    """Turn features into what JSON holds.

    Parameters
    ----------
    one : Features or None
        The features.

    Returns
    -------
    dict or None
        The fingerprint as hexadecimal text.
    """
    return one and {**asdict(one), "fingerprint": one.fingerprint.hex()}


def restore(columns: dict | None) -> Features | None:
    """Turn what ``to_plain`` gave back into features.

    Parameters
    ----------
    columns : dict or None
        As read from JSON.

    Returns
    -------
    Features or None
        The features.
    """
    if columns is None:
        return None
    return Features(
        **{**columns, "fragments": tuple(columns["fragments"]), "fingerprint": bytes.fromhex(columns["fingerprint"])}
    )


def find_features(mol: Chem.Mol, smarts: Sequence[str] = ()) -> Features:
    """Find the features of a molecule.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        Sanitized.
    smarts : sequence of str
        MOSES's list of medicinal chemistry filters, if it is at hand.

    Returns
    -------
    Features
        The features.
    """
    return Features(
        fragments=tuple(find_fragments(mol)),
        scaffold=find_scaffold(mol),
        fingerprint=compute_fingerprint(mol),
        accessibility=synthetic_accessibility(mol),
        rules=passes_rules(mol),
        pains=passes_pains(mol),
        mcf=passes(mol, smarts) if smarts else None,
    )


def find_fragments(mol: Chem.Mol) -> list[str]:
    """Cut all BRICS bonds of a molecule.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        Sanitized.

    Returns
    -------
    list of str
        SMILES of the pieces, attachment points marked by the kind of bond.
    """
    return Chem.MolToSmiles(Chem.FragmentOnBRICSBonds(mol)).split(".")


def find_scaffold(mol: Chem.Mol) -> str | None:
    """Find the Bemis-Murcko scaffold of a molecule.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        Sanitized.

    Returns
    -------
    str or None
        Its SMILES; None where it has fewer than two rings.
    """
    frame = MurckoScaffold.GetScaffoldForMol(mol)
    return Chem.MolToSmiles(frame) if frame.GetRingInfo().NumRings() >= _FEWEST_RINGS else None


def compute_fingerprint(mol: Chem.Mol) -> bytes:
    """Compute the Morgan fingerprint of radius 2, folded to 1,024 bits.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        Sanitized.

    Returns
    -------
    bytes
        Packed, 128 bytes.
    """
    return np.packbits(_generator().GetFingerprintAsNumPy(mol)).tobytes()


def passes_rules(mol: Chem.Mol) -> bool:
    """Tell whether no atom is charged, all are C, N, S, O, F, Cl, Br or H, and no ring has eight or more atoms.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        Sanitized.

    Returns
    -------
    bool
        Whether all of it holds.
    """
    atoms = all(atom.GetFormalCharge() == 0 and atom.GetSymbol() in _ELEMENTS for atom in mol.GetAtoms())
    return atoms and all(len(ring) <= _LARGEST_RING for ring in mol.GetRingInfo().AtomRings())


def passes_pains(mol: Chem.Mol) -> bool:
    """Tell whether a molecule has no substructure of the PAINS list, as RDKit's FilterCatalog holds it.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        Sanitized.

    Returns
    -------
    bool
        Whether there is none.

    References
    ----------
    Baell and Holloway, New substructure filters for removal of pan assay interference compounds (PAINS), J. Med. Chem.
    53 (2010).
    """
    return not _catalog().HasMatch(mol)


@lru_cache(maxsize=1)
def _generator() -> rdFingerprintGenerator.FingerprintGenerator64:
    return rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=BITS)


@lru_cache(maxsize=1)
def _catalog() -> FilterCatalog.FilterCatalog:
    kinds = FilterCatalog.FilterCatalogParams()
    kinds.AddCatalog(FilterCatalog.FilterCatalogParams.FilterCatalogs.PAINS)
    return FilterCatalog.FilterCatalog(kinds)
