"""One geometry by EDM's rule, in the numbers that its metrics count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symdiff_evaluation.molecules3d.edm import count_stable, covers, find_bond_orders, find_largest_fragment

if TYPE_CHECKING:
    from symdiff_evaluation.molecules3d.samples import PlacedAtoms


@dataclass(frozen=True)
class EDM:
    """A molecule by EDM's rule.

    Parameters
    ----------
    stable : int
        Number of stable atoms.
    atoms : int
        Number of atoms.
    smiles : str, optional
        SMILES of the largest fragment; None where RDKit does not sanitize the whole.
    """

    stable: int
    atoms: int
    smiles: str | None


def apply_edm(geometry: PlacedAtoms) -> EDM | None:
    """Apply EDM's rule to a geometry.

    Parameters
    ----------
    geometry : PlacedAtoms
        The molecule.

    Returns
    -------
    EDM or None
        None for elements that its tables lack.
    """
    if not covers(geometry.numbers):
        return None
    orders = find_bond_orders(geometry.numbers, geometry.positions)
    smiles = find_largest_fragment(geometry.numbers, orders)
    return EDM(count_stable(geometry.numbers, orders), len(orders), smiles)
