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
    """Give a unit vector for every label.

    Their products are the correlators: (q·δ - 1)/(q - 1) for Potts spins, whose vectors are the corners of a simplex,
    and cos(2π(s - s')/q) for clock spins. Both are s s' at q = 2.

    Parameters
    ----------
    model : str
        "potts" or "clock".
    states : int
        q.

    Returns
    -------
    numpy.ndarray, (C, q) float64
        One component a row.
    """
    if model == "potts":
        return (np.eye(states) - 1 / states) * math.sqrt(states / (states - 1))
    angle = 2 * math.pi * np.arange(states) / states
    return np.stack([np.cos(angle), np.sin(angle)])


def components(labels: np.ndarray, model: str, states: int) -> Iterator[np.ndarray]:
    """Give the spins as vectors, one component after the other.

    Parameters
    ----------
    labels : numpy.ndarray, (count, L1, ..., Ld)
        0 to q - 1.
    model : str
        "potts" or "clock".
    states : int
        q.

    Returns
    -------
    iterator of numpy.ndarray
        Each of the labels' shape, float64.
    """
    return (row[labels] for row in directions(model, states))


def energy(labels: np.ndarray, hamiltonian: Hamiltonian, model: str, states: int) -> np.ndarray:
    """Compute the energy per site, -Σ J w(s, s'), w being δ for Potts spins and cos(2π(s - s')/q) for clock spins.

    Parameters
    ----------
    labels : numpy.ndarray, (count, L1, ..., Ld)
        0 to q - 1.
    hamiltonian : Hamiltonian
        One for all, or one a configuration.
    model : str
        "potts" or "clock".
    states : int
        q.

    Returns
    -------
    numpy.ndarray, (count,) float64
        In J.
    """
    rows = np.eye(states) if model == "potts" else directions(model, states)
    return sum((bonds.energy(row[labels], hamiltonian) for row in rows), np.zeros(len(labels)))


def unsatisfied_share(labels: np.ndarray, hamiltonian: Hamiltonian, model: str, states: int) -> np.ndarray:
    """Compute the share of the bonds with J != 0 whose energy is not the lowest that one bond can have.

    Parameters
    ----------
    labels : numpy.ndarray, (count, L1, ..., Ld)
        0 to q - 1.
    hamiltonian : Hamiltonian
        One for all, or one a configuration.
    model : str
        "potts" or "clock".
    states : int
        q.

    Returns
    -------
    numpy.ndarray, (count,) float64
        nan where there is no bond.
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
    """Compute how much of each configuration has each label.

    Parameters
    ----------
    labels : numpy.ndarray, (count, L1, ..., Ld)
        0 to q - 1.
    states : int
        q.

    Returns
    -------
    numpy.ndarray, (count, q) float64
        Shares.
    """
    flat = labels.reshape(len(labels), math.prod(labels.shape[1:]))
    return np.stack([(flat == label).mean(1) for label in range(states)], 1)


def order_parameter(labels: np.ndarray, model: str, states: int) -> np.ndarray:
    """Compute the order parameter: (q · max share - 1)/(q - 1) for Potts spins, |mean of exp(2πi s/q)| for clock spins;
    |m| at q = 2.

    Parameters
    ----------
    labels : numpy.ndarray, (count, L1, ..., Ld)
        0 to q - 1.
    model : str
        "potts" or "clock".
    states : int
        q.

    Returns
    -------
    numpy.ndarray, (count,)
        From 0 to 1.

    References
    ----------
    Wu, The Potts model, Rev. Mod. Phys. 54 (1982).
    """
    share = label_shares(labels, states)
    if model == "potts":
        return (states * share.max(1) - 1) / (states - 1)
    return np.hypot(*(share @ directions(model, states).T).T)
