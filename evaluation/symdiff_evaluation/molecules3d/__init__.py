"""Molecules in 3D: reading, bonds, shape and its symmetry."""
