"""Molecules as atoms in space: what metrics of the kind "molecule-3d" are given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from symdiff.chemistry.coordinates import find_fault
from symdiff.chemistry.elements import RADII, formula
from symdiff.chemistry.limits import MAX_ATOMS, NEAREST
from symdiff.errors import UserError
from symdiff.storage.records import Record
from symdiff_evaluation.core.limits import Limits, Undetermined
from symdiff_evaluation.core.shards import Shards, work_out

_BLOCK = 1 << 20  # distances in memory at once
_COLUMNS = {  # of samples.csv, by what they are worked out of
    "edm": ("edm_stable_atoms", "edm_smiles"),
    "perceptions": ("perceived", "perceived_reason"),
    "strains": ("strain_mmff",),
    "shapes": ("point_group_0.1", "point_group_0.3"),
}


class PlacedAtoms(NamedTuple):
    """One molecule.

    Parameters
    ----------
    numbers : numpy.ndarray, (n,) uint8
        Atomic numbers.
    positions : numpy.ndarray, (n, 3) float64
        In ångström.
    charge : int
        The total charge.
    """

    numbers: np.ndarray
    positions: np.ndarray
    charge: int = 0


@dataclass(frozen=True)
class Geometries:
    """A set of molecules in 3D, with their atoms in flat arrays.

    What is worked out of them (bonds, strain, symmetry) is worked out when first asked for, within ``limits``; no
    number depends on their ``workers``.

    Parameters
    ----------
    records : tuple of Record
        In the order of the files.
    reasons : tuple of str
        Why a record is no molecule, "" for the others.
    offsets : numpy.ndarray, (count + 1,)
        Record k has the atoms ``offsets[k]:offsets[k + 1]``; a broken one has none.
    z : numpy.ndarray, (atoms,) uint8
        Atomic numbers.
    pos : numpy.ndarray, (atoms, 3) float64
        In ångström.
    charges : numpy.ndarray, (count,)
        Total charges, 0 where the file does not say.
    limits : Limits
        Processes, and time and memory for one molecule.
    progress : callable, optional
        Called with the name of what is worked out and the number of records done since its last call.
    shards : Shards, optional
        Where it is kept.
    """

    records: tuple[Record, ...]
    reasons: tuple[str, ...]
    offsets: np.ndarray
    z: np.ndarray
    pos: np.ndarray
    charges: np.ndarray
    limits: Limits = Limits()
    progress: Callable[[str, int], None] | None = field(default=None, compare=False, repr=False)
    shards: Shards | None = field(default=None, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> PlacedAtoms:
        here = slice(self.offsets[index], self.offsets[index + 1])
        return PlacedAtoms(self.z[here], self.pos[here], int(self.charges[index]))

    def select(self, which: Sequence[int]) -> Geometries:
        """Select records.

        Parameters
        ----------
        which : sequence of int
            Their numbers.

        Returns
        -------
        Geometries
            A set of its own.
        """
        parts = [np.arange(self.offsets[k], self.offsets[k + 1]) for k in which]
        atoms = np.concatenate([np.zeros(0, np.int64), *parts])
        return replace(
            self,
            records=tuple(self.records[k] for k in which),
            reasons=tuple(self.reasons[k] for k in which),
            offsets=np.cumsum([0, *map(len, parts)]),
            z=self.z[atoms],
            pos=self.pos[atoms],
            charges=self.charges[list(which)],
            shards=None,
        )

    @cached_property
    def readable(self) -> tuple[int, ...]:
        """Indices of the records that are molecules."""
        return tuple(k for k, reason in enumerate(self.reasons) if not reason)

    @cached_property
    def edm(self) -> tuple:
        """EDM's rule for each readable record: ``bonds.EDM``, None for elements that its tables lack."""
        from symdiff_evaluation.molecules3d.bonds import apply_edm

        return self._each("EDM's rule", apply_edm, "edm")

    @cached_property
    def perceptions(self) -> tuple:
        """Perceived bonds of each readable record: ``perception.PerceivedMolecule`` or ``Undetermined``."""
        from symdiff_evaluation.molecules3d.perception import perceive

        return self._each("bonds", perceive, "perceptions")

    @cached_property
    def internal(self) -> tuple:
        """Lengths and angles of bonds by label, one row a valid molecule: ``internal_coordinates.measure_rows``."""
        from symdiff_evaluation.molecules3d.internal_coordinates import measure_rows

        return measure_rows(self)

    @cached_property
    def strains(self) -> tuple:
        """Strain of each readable record: ``strain.Strain`` or ``Undetermined``."""
        from symdiff_evaluation.molecules3d.strain import measure_strain

        return self._each("strain", measure_strain, "strains")

    @cached_property
    def xtb_strains(self) -> tuple:
        """Strain by GFN2-xTB of each readable record: ``xtb.relax``."""
        from symdiff_evaluation.molecules3d.xtb import relax

        return self._each("strain by xTB", relax, "xtb_strains")

    @cached_property
    def shapes(self) -> tuple:
        """Symmetry of each readable record: ``symmetry.Shape`` or ``Undetermined``."""
        from symdiff_evaluation.molecules3d.symmetry import measure_shape

        return self._each("symmetry", measure_shape, "shapes")

    @cached_property
    def poses(self) -> tuple:
        """PoseBusters' checks of each readable record by name: ``poses.run_checks``."""
        from symdiff_evaluation.molecules3d.poses import run_checks

        return self._each("PoseBusters", run_checks, "poses")

    def row(self, index: int) -> dict[str, object]:
        """Make the columns of samples.csv for one record.

        Parameters
        ----------
        index : int
            Number of the record.

        Returns
        -------
        dict of str to object
            What was worked out already; "" where it has no value.
        """
        atoms = self[index].numbers
        columns = {"atoms": len(atoms), "formula": formula(atoms), "reason": self.reasons[index]}
        place = self._place.get(index)
        for name in ("edm", "perceptions", "strains", "shapes"):
            if name in vars(self):
                columns |= _columns(name, None if place is None else getattr(self, name)[place])
        return columns

    @cached_property
    def _place(self) -> dict[int, int]:
        return {index: place for place, index in enumerate(self.readable)}

    def _each(self, what: str, work: Callable[[PlacedAtoms], object], name: str) -> tuple:
        from symdiff_evaluation.molecules3d.works import make_work

        tell = None if self.progress is None else partial(self.progress, what)
        return tuple(work_out(make_work(name, work, self.limits), [self[k] for k in self.readable], self.shards, tell))


def from_arrays(
    offsets: np.ndarray, z: np.ndarray, pos: np.ndarray, place: str = "", charges: np.ndarray | None = None
) -> Geometries:
    """Make a set of the flat arrays of a file.

    Parameters
    ----------
    offsets : numpy.ndarray, (count + 1,) int
        Record k has the atoms ``offsets[k]:offsets[k + 1]``.
    z : numpy.ndarray, (atoms,) int
        Atomic numbers.
    pos : numpy.ndarray, (atoms, 3)
        In ångström.
    place : str
        Name of the file.
    charges : numpy.ndarray, (count,) int, optional
        Total charges.

    Returns
    -------
    Geometries
        A record that is no molecule is broken and costs no other.

    Raises
    ------
    UserError
        Where the arrays do not fit together.
    """
    if offsets.ndim != 1 or offsets.dtype.kind not in "iu" or not len(offsets):
        raise UserError(f"{place}: offsets: expected whole numbers (count + 1,), got {offsets.dtype} {offsets.shape}")
    if z.ndim != 1 or z.dtype.kind not in "iu":
        raise UserError(f"{place}: z: expected whole numbers (atoms,), got {z.dtype} {z.shape}")
    if pos.shape != (len(z), 3) or pos.dtype.kind not in "iuf":
        raise UserError(f"{place}: pos: expected numbers ({len(z)}, 3), got {pos.dtype} {pos.shape}")
    offsets = offsets.astype(np.int64)
    if offsets[0] != 0 or offsets[-1] != len(z) or (np.diff(offsets) < 0).any():
        raise UserError(
            f"{place}: offsets: expected them to rise from 0 to the {len(z)} atoms, got {offsets[0]} to {offsets[-1]}"
        )
    if charges is not None and (charges.shape != (len(offsets) - 1,) or charges.dtype.kind not in "iu"):
        raise UserError(
            f"{place}: charges: expected whole numbers ({len(offsets) - 1},), got {charges.dtype} {charges.shape}"
        )
    pairs = [(z[a:b], pos[a:b].astype(np.float64)) for a, b in zip(offsets[:-1], offsets[1:], strict=True)]
    records = [Record(place, number, formula(atoms), "geometry") for number, (atoms, _) in enumerate(pairs, 1)]
    return collect(records, pairs, charges)


def collect(
    records: Sequence[Record],
    pairs: Sequence[tuple[np.ndarray, np.ndarray] | None],
    charges: Sequence[int] | np.ndarray | None = None,
) -> Geometries:
    """Make a set of the atoms of each record.

    Parameters
    ----------
    records : sequence of Record, (count,)
        The records; one with a reason of its own is broken.
    pairs : sequence of (numpy.ndarray, numpy.ndarray) or None, (count,)
        Atomic numbers (n,) and positions (n, 3); without atoms, or with a fault, a record is broken.
    charges : sequence of int, (count,), optional
        Total charges.

    Returns
    -------
    Geometries
        The set.
    """
    near = _too_near([None if pair is None else pair[1] for pair in pairs])
    reasons, atoms, places = [], [np.zeros(0, np.uint8)], [np.zeros((0, 3))]
    sizes = np.zeros(len(records) + 1, np.int64)
    for k, (record, pair) in enumerate(zip(records, pairs, strict=True)):
        reason = record.reason or ("empty: no atom" if pair is None else find_fault(*pair, near=near[k]))
        reasons.append(reason)
        if not reason and pair is not None:
            atoms.append(pair[0].astype(np.uint8))
            places.append(np.asarray(pair[1], np.float64))
            sizes[k + 1] = len(pair[0])
    charged = np.zeros(len(records), np.int64) if charges is None else np.asarray(charges, np.int64)
    return Geometries(
        tuple(records), tuple(reasons), sizes.cumsum(), np.concatenate(atoms), np.concatenate(places), charged
    )


def join(parts: Sequence[Geometries]) -> Geometries:
    """Join several sets, in their order.

    Parameters
    ----------
    parts : sequence of Geometries
        The sets.

    Returns
    -------
    Geometries
        One set.
    """
    if len(parts) == 1:
        return parts[0]
    sizes = np.concatenate([np.zeros(1, np.int64), *(np.diff(part.offsets) for part in parts)])
    return Geometries(
        tuple(record for part in parts for record in part.records),
        tuple(reason for part in parts for reason in part.reasons),
        sizes.cumsum(),
        np.concatenate([part.z for part in parts]),
        np.concatenate([part.pos for part in parts]),
        np.concatenate([part.charges for part in parts]),
    )


def _too_near(figures: Sequence[np.ndarray | None]) -> np.ndarray:
    """Which figures may have two atoms nearer than ``NEAREST``; those of one size are looked at together."""
    sizes = np.array([0 if one is None else len(one) for one in figures], np.int64)
    near = sizes > MAX_ATOMS
    for size in np.unique(sizes[(sizes > 1) & ~near]).tolist():
        rows = np.flatnonzero(sizes == size)
        for part in np.array_split(rows, -(-len(rows) * size * size // _BLOCK)):
            x = np.stack([one for k in part if (one := figures[k]) is not None])
            first, second = np.triu_indices(size, 1)
            with np.errstate(invalid="ignore", over="ignore"):
                squares = ((x[:, first] - x[:, second]) ** 2).sum(2)
            near[part] = ~(squares.min(1) > (2 * NEAREST) ** 2)
    return near


def hint_units(geometries: Geometries, most: int = 200) -> str:
    """Say whether the coordinates look like another unit than ångström.

    An atom's nearest neighbor is at about the sum of their covalent radii; in bohr at 1.89 times that, in nanometers at
    a tenth.

    Parameters
    ----------
    geometries : Geometries
        The set.
    most : int
        Number of molecules that are looked at, from the first on.

    Returns
    -------
    str
        A sentence, or "".
    """
    ratios = []
    for k in geometries.readable[:most]:
        numbers, positions, _ = geometries[k]
        if len(numbers) > 1:
            distances = np.linalg.norm(positions[:, None] - positions, axis=-1) / (
                RADII[numbers][:, None] + RADII[numbers]
            )
            np.fill_diagonal(distances, np.inf)
            ratios.append(float(np.median(distances.min(1))))
    ratio = float(np.median(ratios)) if ratios else 1.0
    for unit, low, high in (("bohr", 1.6, 2.3), ("nanometers", 0.05, 0.2)):
        if low < ratio < high:
            return (
                f"nearest atoms stand {ratio:.2f} times as far apart as bonds are long: "
                f"expected angstrom, this looks like {unit}"
            )
    return ""


def _columns(name: str, value: Any) -> dict[str, object]:
    """What one record's result says in the table."""
    undetermined = isinstance(value, Undetermined)
    if value is None or undetermined:
        empty: dict[str, object] = dict.fromkeys(_COLUMNS[name], "")
        if name != "perceptions":
            return empty
        return {
            **empty,
            "perceived_reason": f"undetermined: {value}" if undetermined else "",
            "undetermined": undetermined,
        }
    if name == "edm":
        return {"edm_stable_atoms": value.stable, "edm_smiles": value.smiles or ""}
    if name == "perceptions":
        return {"perceived": value.canonical or "", "perceived_reason": value.reason, "undetermined": False}
    if name == "strains":
        return {"strain_mmff": "" if value.energy is None else f"{value.energy:.3f}"}
    return {f"point_group_{tolerance}": value.group(tolerance) for tolerance in (0.1, 0.3)}
