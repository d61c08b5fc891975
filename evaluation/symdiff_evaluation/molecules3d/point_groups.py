"""Point groups as sets of orthogonal matrices: main axis along z, second axis (or a mirror plane) along x."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

AXIAL = tuple(range(2, 13))  # orders of main axes that are known
CUBIC = ("Ih", "I", "Oh", "O", "Th", "Td", "T")
_I, _SIGMA_H, _C2X, _SIGMA_V = -np.eye(3), np.diag([1.0, 1, -1]), np.diag([1.0, -1, -1]), np.diag([1.0, -1, 1])
_GOLDEN = (1 + math.sqrt(5)) / 2


def operation(axis: np.ndarray, angle: float, improper: bool = False) -> np.ndarray:
    """Make rotations, or rotoreflections.

    Parameters
    ----------
    axis : numpy.ndarray, (..., 3)
        Unit axes.
    angle : float
        In radians.
    improper : bool
        Whether a reflection along the axis follows.

    Returns
    -------
    numpy.ndarray, (..., 3, 3)
        Orthogonal matrices.
    """
    axis = np.asarray(axis, np.float64)
    cosine = math.cos(angle)
    outer = axis[..., :, None] * axis[..., None, :]
    return cosine * np.eye(3) + (1 - cosine - 2 * improper) * outer + math.sin(angle) * crosses(axis)


def crosses(vectors: np.ndarray) -> np.ndarray:
    """Make the matrices that take b to the cross product of a vector with b.

    Parameters
    ----------
    vectors : numpy.ndarray, (..., 3)
        The vectors.

    Returns
    -------
    numpy.ndarray, (..., 3, 3)
        Antisymmetric matrices.
    """
    result = np.zeros((*vectors.shape, 3))
    result[..., 0, 1], result[..., 0, 2], result[..., 1, 2] = (
        -vectors[..., 2],
        vectors[..., 1],
        -vectors[..., 0],
    )
    return result - np.swapaxes(result, -1, -2)


@cache
def matrices(name: str) -> np.ndarray:
    """List the operations of a finite group.

    Parameters
    ----------
    name : str
        Schoenflies symbol.

    Returns
    -------
    numpy.ndarray, (order, 3, 3)
        Orthogonal matrices, the identity first.
    """
    generators = _generators(name)
    elements = [np.eye(3)]
    for one in elements:  # grows while it is walked through: the closure
        for generator in generators:
            image = generator @ one
            if not any(np.abs(image - other).max() < 1e-6 for other in elements):
                elements.append(image)
    return np.array(elements)


def turns(n: int) -> np.ndarray:
    """List the rotations by multiples of 2π/n about z.

    Parameters
    ----------
    n : int
        Any order.

    Returns
    -------
    numpy.ndarray, (n, 3, 3)
        Orthogonal matrices.
    """
    return np.stack([operation(np.array([0.0, 0, 1]), 2 * math.pi * k / n) for k in range(n)])


def order(name: str) -> float:
    """Count the operations of a group.

    Parameters
    ----------
    name : str
        Schoenflies symbol.

    Returns
    -------
    float
        Infinite for C∞v, D∞h and the single atom's K∞h.
    """
    return math.inf if "∞" in name else len(matrices(name))


def has_improper(name: str) -> bool:
    """Tell whether a figure with this group is its own mirror image.

    Parameters
    ----------
    name : str
        Schoenflies symbol.

    Returns
    -------
    bool
        Whether the group has an improper operation.
    """
    return "∞" in name or bool((np.linalg.det(matrices(name)) < 0).any())


def _generators(name: str) -> list[np.ndarray]:
    if name in ("C1", "Ci", "Cs"):
        return {"C1": [], "Ci": [_I], "Cs": [_SIGMA_H]}[name]
    threefold = operation(np.ones(3) / math.sqrt(3), 2 * math.pi / 3)
    main = {
        "T": _turn(2),
        "O": _turn(4),
        "I": operation(np.array([0, 1, _GOLDEN]) / math.hypot(1, _GOLDEN), 2 * math.pi / 5),
    }
    if name == "Td":
        return [_rotoreflection(4), threefold]
    if name[0] in main:
        return [main[name[0]], _turn(2), _C2X, threefold] + ([_I] if name.endswith("h") else [])
    n, kind = int(name[1]) if len(name) < 3 or not name[2].isdigit() else int(name[1:3]), name.lstrip("CDS0123456789")
    if name[0] == "S":
        return [_rotoreflection(n)]
    if name[0] == "C":
        return [_turn(n), *{"": [], "h": [_SIGMA_H], "v": [_SIGMA_V]}[kind]]
    return [*{"": [_turn(n)], "h": [_turn(n), _SIGMA_H], "d": [_rotoreflection(2 * n)]}[kind], _C2X]


def _turn(n: int) -> np.ndarray:
    return operation(np.array([0.0, 0, 1]), 2 * math.pi / n)


def _rotoreflection(n: int) -> np.ndarray:
    return operation(np.array([0.0, 0, 1]), 2 * math.pi / n, improper=True)
