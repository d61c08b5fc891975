"""How far a figure is from being carried onto itself: for reflections, rotations and rotoreflections, the best axis
each.

For an operation R the measure is the RMSD in angstrom between the figure and its image, atoms paired within elements at
least cost (Hungarian method). For given pairs the best axis has a closed form, so axes and pairs are improved in turn.
Source of idea: Zabrodsky, Peleg, Avnir, Continuous symmetry measures, J. Am. Chem. Soc. 114 (1992).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from symdiff_evaluation.molecules3d.point_groups import operation

ANGLES = {"m": (0.0, True), "i": (math.pi, True)}  # each kind's angle, and whether it is improper
ANGLES |= {f"C{n}": (2 * math.pi / n, False) for n in range(2, 13)} | {
    f"S{n}": (2 * math.pi / n, True) for n in range(4, 13, 2)
}
_PAIRS, _TRIPLES, _ATOMS = 48, 48, 32  # candidate axes from each source
_KEPT = 12  # candidates of a kind whose atoms are paired at least cost
_CERTAIN = 0.1  # angstrom: these all are followed
_HOPELESS = (
    0.8  # angstrom: a candidate whose atoms are farther from their nearest neighbors in the image is not followed
)
_FAR = 1e6  # squared angstrom between different elements
_SHORT = 0.3  # angstrom: shorter vectors have no direction
_ROUNDS = 3
_MANY, _ALIKE = 7, 0.1  # atoms that look alike, and the mean difference in angstrom of their distances to all others
_ON_AXIS = 1.0  # angstrom: atoms that an axis of high order may hold, or that stand a little off it


def turn_of(kind: str) -> tuple[float, bool]:
    """Give the angle of a kind of operation.

    Parameters
    ----------
    kind : str
        "m", "i", "C2", "S4", ...; of axes C13 and above, too.

    Returns
    -------
    tuple
        The angle in radians, and whether the operation is improper.
    """
    return ANGLES[kind] if kind in ANGLES else (2 * math.pi / int(kind[1:]), False)


@dataclass(frozen=True)
class Element:
    """One symmetry element.

    Parameters
    ----------
    kind : str
        "m", "i", "C2", "S4", ...
    axis : numpy.ndarray, (3,)
        Unit vector along the axis; a mirror's normal.
    deviation : float
        RMSD in ångström between the figure and its image.
    """

    kind: str
    axis: np.ndarray
    deviation: float


class Figure:
    """Atoms about their centroid, which every operation that carries them onto themselves keeps.

    Parameters
    ----------
    numbers : numpy.ndarray, (n,)
        Atomic numbers.
    positions : numpy.ndarray, (n, 3)
        In ångström.
    """

    def __init__(self, numbers: np.ndarray, positions: np.ndarray) -> None:
        self.positions = positions - positions.mean(0)
        self.size = len(numbers)
        self._squares = (self.positions**2).sum(1)
        self._apart = np.where(numbers[:, None] == numbers, 0.0, _FAR)
        self._order = np.arange(self.size)
        self._kinds = [np.flatnonzero(numbers == number) for number in np.unique(numbers)]
        self._distances = np.linalg.norm(self.positions[:, None] - self.positions, axis=2)
        self._views = np.concatenate([np.sort(self._distances[:, kind], 1) for kind in self._kinds], 1)

    def pair(self, operations: np.ndarray) -> np.ndarray:
        """Pair each atom with the one that an operation takes it to, at least cost.

        Parameters
        ----------
        operations : numpy.ndarray, (k, 3, 3)
            Orthogonal matrices.

        Returns
        -------
        numpy.ndarray, (k, n)
            Number of the partner of each atom.
        """
        costs = self._costs(operations)
        return self._assign(costs, costs.argmin(2))

    def _select_promising(self, operations: np.ndarray) -> np.ndarray:
        """The pairs of those operations that bring atoms near to alike ones, each once; of one operation at least."""
        costs = self._costs(operations)
        nearest = costs.argmin(2)
        floor = np.take_along_axis(costs, nearest[..., None], 2).sum((1, 2)) / self.size
        which = np.argsort(floor, kind="stable")
        enough = max(_KEPT, int((floor <= _CERTAIN**2).sum()))
        which = which[:enough][floor[which[:enough]] <= max(_HOPELESS**2, floor[which[0]])]
        return _drop_repeats(self._assign(costs[which], nearest[which]))

    def _costs(self, operations: np.ndarray) -> np.ndarray:
        images = self.positions @ np.swapaxes(operations, 1, 2)
        return (self._squares[:, None] + self._squares + self._apart) - 2 * images @ self.positions.T

    def _assign(self, costs: np.ndarray, nearest: np.ndarray) -> np.ndarray:
        # where the nearest neighbors are all different, they are the pairs at least cost
        for k in np.flatnonzero((np.sort(nearest, 1) != self._order).any(1)):
            nearest[k] = linear_sum_assignment(costs[k])[1]
        return nearest

    def deviations(self, operations: np.ndarray, pairs: np.ndarray) -> np.ndarray:
        """Compute the RMSD between the figure and its images.

        Parameters
        ----------
        operations : numpy.ndarray, (k, 3, 3)
            Orthogonal matrices.
        pairs : numpy.ndarray, (k, n)
            Partners of the atoms.

        Returns
        -------
        numpy.ndarray, (k,)
            In ångström.
        """
        gaps = self.positions @ np.swapaxes(operations, 1, 2) - self.positions[pairs]
        return np.sqrt((gaps**2).sum(2).mean(1))

    def best_axes(self, pairs: np.ndarray, kind: str) -> np.ndarray:
        """Find the axes about which an operation fits given pairs best.

        Parameters
        ----------
        pairs : numpy.ndarray, (k, n)
            Partners of the atoms.
        kind : str
            The kind of the operation.

        Returns
        -------
        numpy.ndarray, (k, 3)
            Unit vectors.
        """
        angle, improper = turn_of(kind)
        partners = self.positions[pairs]
        moments = np.swapaxes(partners, 1, 2) @ self.positions
        factor = -(1 + math.cos(angle)) if improper else 1 - math.cos(angle)
        crossed = moments - np.swapaxes(moments, 1, 2)
        turning = np.stack([crossed[:, 2, 1], crossed[:, 0, 2], crossed[:, 1, 0]], 1) * math.sin(angle)
        return _highest(
            factor * (moments + np.swapaxes(moments, 1, 2)) / 2, turning if math.sin(angle) > 1e-9 else None
        )

    def elements(self, kind: str, axes: np.ndarray) -> list[Element]:
        """Find the best operations of a kind that candidate axes lead to.

        Parameters
        ----------
        kind : str
            The kind.
        axes : numpy.ndarray, (k, 3)
            Where the search starts.

        Returns
        -------
        list of Element
            Each once, the best first.
        """
        if not len(axes):
            return []
        angle, improper = turn_of(kind)
        pairs = self._select_promising(operation(axes, angle, improper))
        for _ in range(_ROUNDS):
            axes = self.best_axes(pairs, kind)
            again = self.pair(operation(axes, angle, improper))
            if (again == pairs).all():
                break
            pairs = _drop_repeats(again)
            axes = self.best_axes(pairs, kind)
        operations = operation(axes, angle, improper)
        deviations = self.deviations(operations, pairs)
        order = np.argsort(deviations, kind="stable")
        axes, deviations = axes[order], deviations[order]
        same = np.tril(np.abs(axes @ axes.T) > 1 - 1e-4, -1).any(1)
        return [Element(kind, axes[k], float(deviations[k])) for k in np.flatnonzero(~same)]

    def could_have(self, order: int, axes: np.ndarray) -> np.ndarray:
        """Select the axes about which the atoms could form rings, by their numbers on and off the axis.

        Parameters
        ----------
        order : int
            Number of like atoms of a ring.
        axes : numpy.ndarray, (k, 3)
            Unit vectors.

        Returns
        -------
        numpy.ndarray, (m, 3)
            Those of them.
        """
        heights = self.positions @ axes.T
        beside = self._squares[:, None] - heights**2 >= _ON_AXIS**2
        possible, rings = np.ones(len(axes), bool), np.zeros(len(axes), bool)
        for kind in self._kinds:
            fewest = -(-beside[kind].sum(0) // order)  # rings that hold all atoms beside the axis
            possible &= fewest * order <= len(kind)
            rings |= len(kind) >= order
        return axes[possible & rings]

    @property
    def most_alike(self) -> int:
        """Number of atoms of the most frequent element."""
        return max(map(len, self._kinds))

    def inversion(self) -> Element:
        """Measure the inversion through the centroid."""
        pairs = self.pair(-np.eye(3)[None])
        return Element("i", np.array([0.0, 0, 1]), float(self.deviations(-np.eye(3)[None], pairs)[0]))

    def principal_axes(self) -> np.ndarray:
        """Find the principal axes of the tensor of gyration: unit vectors (3, 3), one a row, the longest first."""
        return np.linalg.eigh(self.positions.T @ self.positions)[1].T[::-1]

    def reversal(self, heights: np.ndarray) -> float:
        """Compute the mean square difference between heights on a line and their negatives, like atoms paired at least
        cost.

        Parameters
        ----------
        heights : numpy.ndarray, (n,)
            In ångström.

        Returns
        -------
        float
            In squared ångström.
        """
        return (
            sum(float(((np.sort(heights[kind]) + np.sort(heights[kind])[::-1]) ** 2).sum()) for kind in self._kinds)
            / self.size
        )

    def candidate_axes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """List unit axes (k, 3) to try: normals of mirrors, twofold axes, and axes of more than twofold.

        A mirror or a twofold axis exchanges two like atoms, or all atoms lie in or on it and it is a principal one;
        like atoms that a rotation takes to each other in turn lie in a plane across its axis.
        """
        x, principal = self.positions, self.principal_axes()
        first, second, alike = self._alike()
        atoms = _units(x[np.argsort(-self._squares, kind="stable")[:_ATOMS]])
        one, other, normals = self._orbit()
        mirrors = _units(np.concatenate([x[first] - x[second], x[one] - x[other]]))
        twofold = _units(np.concatenate([x[first] + x[second], x[one] + x[other]]))
        normals = _units(np.concatenate([self._normals(alike), normals]))
        return (
            np.concatenate([principal, mirrors]),
            np.concatenate([principal, twofold, atoms]),
            np.concatenate([principal, normals, atoms]),
        )

    def _alike(self) -> tuple[np.ndarray, np.ndarray, dict[int, list[int]]]:
        """Pairs of atoms with the most similar distances to all others, and each atom's partners among them."""
        distances, views = self._distances, self._views
        first, second = np.nonzero(np.triu(self._apart == 0, 1))
        unlike = np.abs(views[first] - views[second]).mean(1)
        # of equally alike pairs the close ones first; rounded, so that the order of atoms does not decide
        chosen = np.lexsort((distances[first, second].round(4), unlike.round(2)))[:_PAIRS]
        first, second = first[chosen], second[chosen]
        partners: dict[int, list[int]] = {}
        for i, j in zip(first.tolist(), second.tolist(), strict=True):
            partners.setdefault(i, []).append(j)
            partners.setdefault(j, []).append(i)
        return first, second, partners

    def _orbit(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pairs of two atoms with all that look like them, and normals of triples about them: none where few atoms look
        alike.

        An operation takes an atom to one that looks like it, so in a figure of many operations these tell of all of
        them, where the most similar pairs tell of few.
        """
        classes = []
        for kind in self._kinds:
            unlike = np.abs(self._views[kind][:, None] - self._views[kind]).mean(2)
            classes += [kind[row] for row in unlike < _ALIKE if row.sum() >= _MANY]
        if not classes:
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 3))
        smallest = min(classes, key=len)
        first, second, normals = [], [], []
        for atom in smallest[:2].tolist():
            others = smallest[smallest != atom]
            first += [atom] * len(others)
            second += others.tolist()
            steps = self.positions[others] - self.positions[atom]
            i, j = np.triu_indices(len(others), 1)
            uneven = np.abs(self._distances[atom, others[i]] - self._distances[atom, others[j]])
            even = np.argsort(uneven, kind="stable")[: 2 * len(others)]
            normals.append(np.cross(steps[i[even]], steps[j[even]]))
        return np.array(first), np.array(second), np.concatenate(normals)

    def _normals(self, partners: dict[int, list[int]]) -> np.ndarray:
        triples = [
            (i, j, k) for j, around in partners.items() for place, i in enumerate(around) for k in around[:place]
        ]  # fmt: skip
        if not triples:
            return np.zeros((0, 3))
        i, j, k = np.array(triples).T
        one, other = self.positions[j] - self.positions[i], self.positions[k] - self.positions[j]
        uneven = np.abs(np.linalg.norm(one, axis=1) - np.linalg.norm(other, axis=1))
        return np.cross(one, other)[np.argsort(uneven.round(2), kind="stable")[:_TRIPLES]]


def _units(vectors: np.ndarray) -> np.ndarray:
    """Those long enough to have a direction, as unit vectors."""
    spans = np.linalg.norm(vectors, axis=1)
    return vectors[spans > _SHORT] / spans[spans > _SHORT, None]


def _highest(quadratic: np.ndarray, linear: np.ndarray | None) -> np.ndarray:
    """Unit vectors a (k, 3) of largest a·Q a + b·a: (λ - Q) a = b / 2 with λ not below Q's largest eigenvalue."""
    values, vectors = np.linalg.eigh(quadratic)
    if linear is None:
        return vectors[:, :, 2]
    half = (linear[:, None] @ vectors)[:, 0] / 2
    level = values[:, 2] + np.abs(half[:, 2])
    scale = 1e-12 * (1 + np.abs(values).max(1))
    for _ in range(10):  # Newton on 1 - 1/|a|: from below it rises to the root and stays below
        gaps = np.maximum(level[:, None] - values, scale[:, None])
        squares = (half / gaps) ** 2
        size, slope = squares.sum(1), (squares / gaps).sum(1)
        if (size <= 1 + 1e-12).all():
            break
        level = level + np.where(size > 1, (size / np.maximum(slope, 1e-300)) * (np.sqrt(size) - 1), 0.0)
    parts = half / np.maximum(level[:, None] - values, scale[:, None])
    rest = (parts[:, :2] ** 2).sum(1)
    parts[:, :2] /= np.sqrt(np.maximum(rest, 1.0))[:, None]
    # what is left belongs to the largest eigenvalue, also where b has nothing along it
    parts[:, 2] = np.where(half[:, 2] < 0, -1.0, 1.0) * np.sqrt(np.maximum(1 - np.minimum(rest, 1.0), 0.0))
    axes = (vectors @ parts[..., None])[..., 0]
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


def _drop_repeats(rows: np.ndarray) -> np.ndarray:
    """Each row once, in the order of their first places."""
    return rows[sorted({row.tobytes(): k for k, row in reversed(list(enumerate(rows)))}.values())]
