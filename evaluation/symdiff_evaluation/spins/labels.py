"""Potts and clock spins.

Labels 0..q-1 as vectors, whose products are the model's interaction and the standard correlator.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from symdiff.spins.hamiltonian import Hamiltonian
from symdiff_evaluation.spins import bonds
from symdiff_evaluation.spins.bonds import list_couplings, shift

MOST_STATES = {"potts": 14, "clock": 127}
"""Of Potts spins such that the order of all symmetries, 14! times those of the largest lattice, is counted in 64
bits."""
_DUST = 1e-9


def directions(model: str, states: int) -> np.ndarray:
    """A unit vector for every label, one component a row: (C, q) float64.

    Their products are the correlators: (q·δ - 1)/(q - 1) for Potts spins, whose vectors are the corners of a simplex,
    and cos(2π(s - s')/q) for clock spins. Both are s s' at q = 2.
    """
    if model == "potts":
        return (np.eye(states) - 1 / states) * math.sqrt(states / (states - 1))
    angle = 2 * math.pi * np.arange(states) / states
    return np.stack([np.cos(angle), np.sin(angle)])


def components(labels: np.ndarray, model: str, states: int) -> Iterator[np.ndarray]:
    """The spins as vectors, one component after the other, each of the labels' shape, float64."""
    return (row[labels] for row in directions(model, states))


def energy(labels: np.ndarray, hamiltonian: Hamiltonian, model: str, states: int) -> np.ndarray:
    """Energy per site of -Σ J w(s, s'), w being δ for Potts spins and cos(2π(s - s')/q) for clock spins.

    (count,) float64.
    """
    rows = np.eye(states) if model == "potts" else directions(model, states)
    return sum((bonds.energy(row[labels], hamiltonian) for row in rows), np.zeros(len(labels)))


def unsatisfied_share(labels: np.ndarray, hamiltonian: Hamiltonian, model: str, states: int) -> np.ndarray:
    """Share of the bonds with J != 0 whose energy is not the lowest that one bond can have.

    (count,) float64, nan where there is none.
    """
    vectors = directions(model, states)
    product = vectors.T @ vectors
    axes = tuple(range(1, labels.ndim))
    wrong, all_bonds = np.zeros(len(labels)), np.zeros(len(labels))
    for offset, coupling in list_couplings(hamiltonian):
        sign = np.broadcast_to(np.sign(coupling), labels.shape)
        of_bond = product[labels, shift(labels, offset)]
        best = np.where(sign > 0, product.max(), product.min())
        wrong += ((sign != 0) & (np.abs(of_bond - best) > _DUST)).sum(axes)
        all_bonds += (sign != 0).sum(axes)
    return np.divide(wrong, all_bonds, out=np.full(len(labels), np.nan), where=all_bonds > 0)


def label_shares(labels: np.ndarray, states: int) -> np.ndarray:
    """How much of each configuration has each label: (count, q) float64."""
    flat = labels.reshape(len(labels), math.prod(labels.shape[1:]))
    return np.stack([(flat == label).mean(1) for label in range(states)], 1)


def order_parameter(labels: np.ndarray, model: str, states: int) -> np.ndarray:
    """(q · max share - 1)/(q - 1) for Potts spins, |mean of exp(2πi s/q)| for clock spins: (count,) from 0 to 1; |m| at
    q = 2.

    Source of the first: Wu, The Potts model, Rev. Mod. Phys. 54 (1982).
    """
    share = label_shares(labels, states)
    if model == "potts":
        return (states * share.max(1) - 1) / (states - 1)
    return np.hypot(*(share @ directions(model, states).T).T)
