"""How much of a molecule is read: sizes are checked before the costly steps."""

from __future__ import annotations

MAX_CHARACTERS = 10_000
"""Of one SMILES, 10 for an atom."""
MAX_BLOCK = 2_000_000
"""Characters of one mol block."""
MAX_LINE = 4_000
"""Characters of one line of an xyz file."""
MAX_ATOMS = 1_000
MAX_CHARGE = 15
"""Of an atom; SMILES and mol blocks define no more."""
MAX_TOTAL_CHARGE = 999
"""Of a molecule."""
MAX_VALENCE = 99
"""Bonds and hydrogens of an atom; RDKit counts them in eight bits."""
MAX_CYCLES = 200
"""Independent cycles, bonds - atoms + components: the perception of rings is slow far beyond."""
FARTHEST = 10_000.0
"""Angstrom from the origin; coordinates beyond are those of no molecule, and in single precision not exact to 0.001."""
NEAREST = 0.1
"""Angstrom; no two nuclei of a molecule are closer, however strained it is."""
