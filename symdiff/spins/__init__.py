"""Spin models on periodic lattices: Hamiltonians, exact references, Monte Carlo."""
