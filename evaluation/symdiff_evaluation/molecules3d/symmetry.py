"""The point group of a figure at every tolerance, and how far it is from each kind of symmetry.

A figure has a group at the tolerance t where every operation of the group carries it onto itself within t angstrom
RMSD, about one set of axes; its group at t is the largest. As t grows the group only grows: the steps are the curve
between.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from symdiff_evaluation.molecules3d.operations import Element, Figure
from symdiff_evaluation.molecules3d.point_groups import AXIAL, CUBIC, crosses, matrices, operation, order, turns

if TYPE_CHECKING:
    from symdiff_evaluation.molecules3d.samples import PlacedAtoms

LIMIT = 0.5  # angstrom: the largest tolerance
UNDECIDED = "undecided"  # the name of the groups that are not known
TIGHT, LOOSE = 0.1, 0.3  # angstrom: the tolerances that numbers are given at
RESOLUTION = 0.005  # angstrom: a group is not looked for where a larger one is this near
_FOLLOWED = 8  # twofold and threefold axes that are tried as fourfold and sixfold ones
_IMPROPER = (
    "m",
    "i",
    "S4",
    "S6",
    "S8",
)  # every improper operation of a finite group is one of these, or a power of it is
_HIGH = tuple(n for n in AXIAL if n > 6)
_BEYOND = 16  # axes that are tried for orders above those of AXIAL
_ASKEW = 0.35  # sine of the angle by which found axes may miss what a group wants, before they are put right


class SymmetryLevel(NamedTuple):
    """The group that a figure has from a deviation on.

    Parameters
    ----------
    deviation : float
        In ångström.
    group : str
        Schoenflies symbol.
    order : float
        Order of the group; infinite for lines and where undecided.
    permutations : int
        How many different permutations of its atoms the operations are.
    """

    deviation: float
    group: str
    order: float
    permutations: int = 1


@dataclass(frozen=True)
class Shape:
    """The point group of a figure at every tolerance.

    Parameters
    ----------
    levels : tuple of SymmetryLevel
        By growing deviation and order, from C1 at 0 to ``LIMIT``.
    measures : mapping of str to float
        RMSD in ångström to the best operation of a kind: "m" (mirror), "i" (inversion), "C2" to "C6", "S4", "S6",
        higher ones where there are as many like atoms, and "linear" (twice the root mean square distance to a line:
        what turning about it by half moves). A measure above ``LIMIT`` is an upper bound.
    """

    levels: tuple[SymmetryLevel, ...]
    measures: Mapping[str, float]

    def at(self, tolerance: float) -> SymmetryLevel:
        """Find the level at a tolerance.

        Parameters
        ----------
        tolerance : float
            In ångström, at most ``LIMIT``.

        Returns
        -------
        SymmetryLevel
            The level.

        Raises
        ------
        ValueError
            For a larger tolerance.
        """
        if not 0 <= tolerance <= LIMIT:
            raise ValueError(f"tolerance: expected 0 to {LIMIT} angstrom, got {tolerance}")
        return [level for level in self.levels if level.deviation <= tolerance][-1]

    def group(self, tolerance: float) -> str:
        """Find the point group at a tolerance.

        Parameters
        ----------
        tolerance : float
            In ångström, at most ``LIMIT``.

        Returns
        -------
        str
            Schoenflies symbol.
        """
        return self.at(tolerance).group

    @property
    def chirality(self) -> float:
        """RMSD in angstrom to the nearest operation that turns the figure into its mirror image.

        0 for what is achiral.
        """
        return min(self.measures.get(kind, math.inf) for kind in _IMPROPER)


def measure_shape(geometry: PlacedAtoms) -> Shape:
    """Measure the symmetry of a geometry; its elements tell atoms apart, nothing else does.

    Parameters
    ----------
    geometry : PlacedAtoms
        The geometry.

    Returns
    -------
    Shape
        From where an axis of an order above 12 keeps it, its group is ``UNDECIDED``.
    """
    if len(geometry.numbers) == 1:
        return Shape(
            (SymmetryLevel(0.0, "K∞h", math.inf),),
            dict.fromkeys(("m", "i", "C2", "C3", "C4", "C5", "C6", "S4", "S6", "linear"), 0.0),
        )
    figure = Figure(geometry.numbers, geometry.positions)
    elements = _elements(figure)
    measures = {kind: min((one.deviation for one in part), default=math.inf) for kind, part in elements.items()}
    line, ends = _line(figure)
    levels = [
        SymmetryLevel(line, "C∞v", math.inf),
        SymmetryLevel(ends, "D∞h", math.inf, 2),
        SymmetryLevel(_beyond(figure), UNDECIDED, math.inf),
    ]
    near = {kind: [one for one in part if one.deviation <= LIMIT] for kind, part in elements.items()}
    for name, axes, bound in sorted(_candidates(near), key=lambda one: (-order(one[0]), one[2])):
        size = order(name)
        if bound > LIMIT or any(level.order >= size and level.deviation <= bound + RESOLUTION for level in levels):
            continue
        deviation, permutations = fit_group(figure, matrices(name), axes)
        if deviation <= LIMIT:
            levels.append(SymmetryLevel(deviation, name, size, permutations))
    return Shape(_frontier(levels), measures | {"linear": line})


def fit_group(figure: Figure, operations: np.ndarray, axes: np.ndarray, rounds: int = 4) -> tuple[float, int]:
    """Fit a group to a figure: find the axes about which the largest RMSD of its operations is least.

    Parameters
    ----------
    figure : Figure
        The figure.
    operations : numpy.ndarray, (g, 3, 3)
        The operations of the group.
    axes : numpy.ndarray, (3, 3)
        Columns x, y, z: where the search starts.
    rounds : int
        Number of improvements.

    Returns
    -------
    tuple
        The largest RMSD in ångström, and how many different permutations of atoms the operations are. The RMSD is
        infinite where the pairs of atoms do not follow the group's multiplication, or the nearest figure that has the
        group would bring atoms together.
    """
    x = figure.positions
    turned = axes @ operations @ axes.T
    pairs = figure.pair(turned)
    for _ in range(rounds - 1):
        images = x @ np.swapaxes(turned, 1, 2)
        slopes = np.einsum("gab,nbc->gnac", turned, crosses(x)) - crosses(images)
        gaps = images - x[pairs]
        normal = np.einsum("gnab,gnac->bc", slopes, slopes)
        turn = np.linalg.pinv(normal, rcond=1e-9, hermitian=True) @ np.einsum("gnab,gna->b", slopes, gaps)
        axes = _rotation(-turn) @ axes
        turned = axes @ operations @ axes.T
        pairs = figure.pair(turned)
    nearest = np.take_along_axis(x[None] @ np.swapaxes(turned, 1, 2), np.argsort(pairs, 1)[..., None], 1).mean(0)
    follows = np.abs(nearest @ np.swapaxes(turned, 1, 2) - nearest[pairs]).max() < 1e-6
    along = np.linalg.svd(nearest, compute_uv=False)
    if along[1] < 1e-6 * along[0]:  # on a line: its group is infinite, and measured as such
        return math.inf, 0
    if not follows or (_distances(nearest) < 0.5 * _distances(x)).any():
        return math.inf, 0
    return float(figure.deviations(turned, pairs).max()), len({row.tobytes() for row in pairs})


def _elements(figure: Figure) -> dict[str, list[Element]]:
    mirrors, twofold, manifold = figure.candidate_axes()
    elements = {"m": figure.elements("m", mirrors), "i": [figure.inversion()], "C2": figure.elements("C2", twofold)}
    elements["C3"], elements["C5"] = figure.elements("C3", manifold), figure.elements("C5", manifold)
    # the others contain one of these, so its axis is theirs
    halves, thirds = _axes(elements["C2"])[:_FOLLOWED], _axes(elements["C3"])[:_FOLLOWED]
    elements["C4"], elements["S4"] = figure.elements("C4", halves), figure.elements("S4", halves)
    elements["C6"], elements["S6"] = figure.elements("C6", thirds), figure.elements("S6", thirds)
    for n in _HIGH:
        axes = figure.could_have(n, manifold)
        if len(axes):
            elements[f"C{n}"] = figure.elements(f"C{n}", axes)
    for n in (8, 10, 12):  # half of the atoms that they carry into each other are on either side of the mirror
        if f"C{n // 2}" in elements:
            axes = figure.could_have(n, _axes(elements[f"C{n // 2}"])[:_FOLLOWED])
            if len(axes):
                elements[f"S{n}"] = figure.elements(f"S{n}", axes)
    return elements


def _beyond(figure: Figure) -> float:
    """From which deviation on there is an axis of an order above those in ``AXIAL``; infinite where there is none."""
    least = math.inf
    if figure.most_alike <= AXIAL[-1] or _line(figure)[0] <= LIMIT:
        return least
    axes = figure.candidate_axes()[2][:_BEYOND]
    for n in range(AXIAL[-1] + 1, figure.most_alike + 1):
        for one in figure.elements(f"C{n}", figure.could_have(n, axes)):
            if one.deviation <= min(LIMIT, least):
                least = min(least, fit_group(figure, turns(n), _frame(one.axis))[0])
    return least if least <= LIMIT else math.inf


def _axes(elements: Sequence[Element]) -> np.ndarray:
    return np.array([one.axis for one in elements])


def _candidates(near: Mapping[str, Sequence[Element]]) -> Iterator[tuple[str, np.ndarray, float]]:
    """Groups that found elements may generate.

    Symbol, axes (columns x, y, z) and a deviation that it cannot be below.
    """
    for kind, name in (("i", "Ci"), ("m", "Cs"), *((f"S{n}", f"S{n}") for n in range(4, 13, 2))):
        for one in near.get(kind, ()):
            yield name, _frame(one.axis), one.deviation
    for n in AXIAL:
        for main in near.get(f"C{n}", ()):
            yield f"C{n}", _frame(main.axis), main.deviation
            for mirror in near["m"]:
                bound = max(main.deviation, mirror.deviation)
                if abs(main.axis @ mirror.axis) < _ASKEW:
                    yield f"C{n}v", _frame(main.axis, np.cross(main.axis, mirror.axis)), bound
                elif np.linalg.norm(np.cross(main.axis, mirror.axis)) < _ASKEW:
                    yield f"C{n}h", _frame(main.axis), bound
            for other in near["C2"]:
                if abs(main.axis @ other.axis) < _ASKEW:
                    bound = max(main.deviation, other.deviation)
                    for kind in ("h", "d", ""):
                        yield f"D{n}{kind}", _frame(main.axis, other.axis), bound
    yield from _cubic(near)


def _cubic(near: Mapping[str, Sequence[Element]]) -> Iterator[tuple[str, np.ndarray, float]]:
    """All of them have three twofold axes across each other and threefold ones along the diagonals between."""
    if not near["C3"]:
        return
    for place, main in enumerate(near["C2"]):
        for other in near["C2"][:place]:
            if abs(main.axis @ other.axis) >= _ASKEW:
                continue
            frame = _frame(main.axis, other.axis)
            corner = frame.sum(1) / math.sqrt(3)
            threefold = min((one.deviation for one in near["C3"] if abs(one.axis @ corner) > 0.93), default=math.inf)
            bound = max(main.deviation, other.deviation, threefold)
            if bound <= LIMIT:
                for name in CUBIC:
                    yield name, frame, bound
                    if name[0] == "I":  # its fivefold axes may be on either side of the twofold ones
                        yield name, frame[:, [1, 0, 2]] * [1, -1, 1], bound


def _frame(main: np.ndarray, second: np.ndarray | None = None) -> np.ndarray:
    """Axes with z along ``main`` and x as near ``second`` as it can be, a right-handed set of columns."""
    if second is None:
        second = np.eye(3)[np.abs(main).argmin()]
    x = second - (second @ main) * main
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(main, x), main], 1)


def _frontier(levels: Sequence[SymmetryLevel]) -> tuple[SymmetryLevel, ...]:
    """The levels that no nearer group is as large as, from C1 on."""
    kept = [SymmetryLevel(0.0, "C1", 1)]
    for level in sorted(levels, key=lambda one: (one.deviation, -one.order, one.group == "C∞v")):
        larger = level.order > kept[-1].order or (level.group == "D∞h" and kept[-1].group == "C∞v")
        if level.deviation <= LIMIT and larger:
            kept.append(level)
    return tuple(kept)


def _line(figure: Figure) -> tuple[float, float]:
    """Deviations from C∞v and from D∞h: the largest RMSD over their operations about the longest principal axis."""
    along = figure.principal_axes()[0]
    heights = figure.positions @ along
    across = figure.positions - heights[:, None] * along
    line = 4 * float((across**2).sum(1).mean())
    return math.sqrt(line), math.sqrt(line + figure.reversal(heights))


def _rotation(turn: np.ndarray) -> np.ndarray:
    angle = float(np.linalg.norm(turn))
    if angle < 1e-12:
        return np.eye(3)
    return operation(turn / angle, angle)


def _distances(positions: np.ndarray) -> np.ndarray:
    return np.linalg.norm(positions[:, None] - positions, axis=2)
