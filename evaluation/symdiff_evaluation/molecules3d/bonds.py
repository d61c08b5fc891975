"""One geometry by EDM's rule, in the numbers that its metrics count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symdiff_evaluation.molecules3d.edm import bond_orders, covers, largest_fragment, stable_atoms

if TYPE_CHECKING:
    from symdiff_evaluation.molecules3d.samples import PlacedAtoms


@dataclass(frozen=True)
class EDM:
    """``stable`` atoms of ``atoms``.

    ``smiles`` of the largest fragment, None where RDKit does not sanitize the whole.
    """

    stable: int
    atoms: int
    smiles: str | None


def by_distance(geometry: PlacedAtoms) -> EDM | None:
    """EDM's rule of one geometry; None for elements that its tables lack."""
    if not covers(geometry.numbers):
        return None
    orders = bond_orders(geometry.numbers, geometry.positions)
    smiles = largest_fragment(geometry.numbers, orders)
    return EDM(stable_atoms(geometry.numbers, orders), len(orders), smiles)
