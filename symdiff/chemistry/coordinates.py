"""Whether atoms at their places can be those of a molecule: the same rules for training data and for samples."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist

from symdiff.chemistry.elements import HEAVIEST
from symdiff.chemistry.limits import FARTHEST, MAX_ATOMS, NEAREST


def find_fault(
    numbers: np.ndarray, positions: np.ndarray, max_atoms: int = MAX_ATOMS, nearest: float = NEAREST, near: bool = True
) -> str:
    """Say why these atoms are no molecule.

    Parameters
    ----------
    numbers : numpy.ndarray
        Atomic numbers, (n,).
    positions : numpy.ndarray
        (n, 3), angstrom.
    max_atoms : int
        How many atoms are read.
    nearest : float
        Angstrom; atoms that are closer overlap.
    near : bool
        Whether two atoms might be that close; distances are worked out only then.

    Returns
    -------
    str
        ``kind: detail``, atoms counted from 1; empty where there is no fault.
    """
    if not len(numbers):
        return "empty: no atom"
    if len(numbers) > max_atoms:
        return f"too large: {len(numbers)} atoms, at most {max_atoms} are read"
    if numbers.min() < 1 or numbers.max() > HEAVIEST:
        atom = int(((numbers < 1) | (numbers > HEAVIEST)).argmax())
        return f"element: atom {atom + 1} has the atomic number {numbers[atom]}"
    if not np.abs(positions).max() <= FARTHEST:  # neither is nan
        atom = int((~(np.abs(positions) <= FARTHEST)).any(1).argmax())
        return f"coordinates: atom {atom + 1} is at ({', '.join(f'{value:g}' for value in positions[atom])})"
    if near and len(numbers) > 1 and (distances := pdist(positions)).min() < nearest:
        i, j = (side[distances.argmin()] + 1 for side in np.triu_indices(len(numbers), 1))
        return f"overlap: atoms {i} and {j} are {distances.min():.3f} angstrom apart"
    return ""
