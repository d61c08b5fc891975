"""Spin lattices: what is known of configurations s = ±1 on a periodic lattice, and the exact values to compare with."""
