"""Molecules in 3D as flat arrays: ``z``, ``pos`` and ``offsets``, with charges and bonds perhaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from symdiff.chemistry.elements import HEAVIEST, formula
from symdiff.chemistry.geometry import Geometry, bare
from symdiff.chemistry.limits import MAX_ATOMS
from symdiff.errors import UserError
from symdiff.storage.records import Broken, Record


def read(
    arrays: Mapping[str, np.ndarray], file: str, max_atoms: int = MAX_ATOMS, bonds: bool = True, place: str = ""
) -> Iterator[tuple[Record, Geometry | None]]:
    """Read the molecules of arrays.

    Parameters
    ----------
    arrays : mapping of str to numpy.ndarray
        ``z`` (atoms,) atomic numbers, ``pos`` (atoms, 3) in angstrom, ``offsets`` (count + 1,): record k owns the atoms
        from offset k to the next. Perhaps ``charge`` (atoms,), and ``edges`` (E, 2), ``order`` (E,), ``edge_offsets``
        (count + 1,). Others are passed over.
    file : str
        The name of their file.
    max_atoms : int
        What is larger is a broken record.
    bonds : bool
        Whether ``edges`` are read.
    place : str
        What errors call the file; without, ``file``.

    Yields
    ------
    tuple of Record and Geometry
        The geometry is None where the record has a reason.

    Raises
    ------
    UserError
        Where the arrays do not fit together.
    """
    place = place or file
    z, pos, charge = _read_atoms(arrays, place)
    stops = read_offsets(arrays, "offsets", len(z), place)
    edge_stops = _edge_offsets(arrays, len(stops), place) if bonds and "edges" in arrays else None
    for k in range(len(stops) - 1):
        part = slice(stops[k], stops[k + 1])
        size = stops[k + 1] - stops[k]
        record = Record(file, k + 1, _formula(z[part]) if size <= max_atoms else "", "geometry")
        try:
            if size > max_atoms:
                raise Broken(f"too large: {size} atoms, at most {max_atoms} are read")
            geometry = bare(z[part], pos[part], charge[part])
            if edge_stops is not None:
                mine = slice(edge_stops[k], edge_stops[k + 1])
                geometry = _add_bonds(geometry, arrays["edges"][mine], arrays["order"][mine])
        except UserError as error:
            yield replace(record, reason=str(error)), None
        else:
            yield record, geometry


def pack(geometries: Sequence[Geometry]) -> dict[str, np.ndarray]:
    """Pack molecules into the arrays that ``read`` reads, with bonds where all of them are known.

    Parameters
    ----------
    geometries : sequence of Geometry
        The molecules.

    Returns
    -------
    dict of str to ndarray
        ``z``, ``pos`` in angstrom, ``charge`` and ``offsets``; perhaps ``edges``, ``order`` and ``edge_offsets``.
    """
    sizes = np.array([0, *(len(one.element) for one in geometries)], np.int64)
    arrays = {
        "offsets": sizes.cumsum(),
        "z": np.concatenate([np.zeros(0, np.uint8), *(one.element for one in geometries)]),
        "pos": np.concatenate([np.zeros((0, 3)), *(one.position for one in geometries)]).astype(np.float32),
        "charge": np.concatenate([np.zeros(0, np.int8), *(one.charge for one in geometries)]),
    }
    bonds = [(one.edges, one.order) for one in geometries if one.edges is not None and one.order is not None]
    if geometries and len(bonds) == len(geometries):
        arrays["edge_offsets"] = np.array([0, *(len(order) for _, order in bonds)], np.int64).cumsum()
        arrays["edges"] = np.concatenate([edges for edges, _ in bonds])
        arrays["order"] = np.concatenate([order for _, order in bonds])
    return arrays


def read_offsets(arrays: Mapping[str, np.ndarray], name: str, total: int, place: str) -> np.ndarray:
    """Check where records begin and end.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        The arrays of a file.
    name : str
        The array of offsets.
    total : int
        The number of entries that the records share.
    place : str
        What errors call the file.

    Returns
    -------
    ndarray, (count + 1,) int64
        The offsets.

    Raises
    ------
    UserError
        Where there are none, or they do not rise from 0 to ``total``.
    """
    stops = arrays.get(name, np.zeros(0))
    if stops.ndim != 1 or stops.dtype.kind not in "iu" or not len(stops):
        raise UserError(f"{place}: {name}: expected whole numbers (count + 1,), got {stops.dtype} {stops.shape}")
    stops = stops.astype(np.int64)
    if stops[0] != 0 or stops[-1] != total or (np.diff(stops) < 0).any():
        raise UserError(f"{place}: {name}: expected them to rise from 0 to {total}, got {stops[0]} to {stops[-1]}")
    return stops


def _read_atoms(arrays: Mapping[str, np.ndarray], place: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``z``, ``pos`` and ``charge`` of all atoms, checked for fitting together."""
    missing = [name for name in ("z", "pos", "offsets") if name not in arrays]
    if missing:
        raise UserError(
            f"{place}: expected the arrays z, pos and offsets, lacks {', '.join(missing)}, got "
            f"{', '.join(arrays)[:100] or 'none'}"
        )
    z, pos = arrays["z"], arrays["pos"]
    charge = arrays.get("charge", np.zeros(z.shape, np.int8))
    if z.ndim != 1 or pos.shape != (len(z), 3) or charge.shape != z.shape:
        raise UserError(
            f"{place}: expected z (n,), pos (n, 3) and charge (n,), got {z.shape}, {pos.shape} and {charge.shape}"
        )
    for name, array in (("z", z), ("pos", pos), ("charge", charge)):
        if array.dtype.kind not in "iuf":
            raise UserError(f"{place}: {name}: expected numbers, got {array.dtype}")
    return z, pos, charge


def _formula(z: np.ndarray) -> str:
    """The sum formula, where there are such atoms."""
    good = z[(z >= 1) & (z <= HEAVIEST)]
    return formula(good.astype(np.int64)) if len(good) == len(z) else ""


def _edge_offsets(arrays: Mapping[str, np.ndarray], stops: int, place: str) -> np.ndarray:
    edges, order = arrays["edges"], arrays.get("order", np.zeros(0))
    if edges.ndim != 2 or edges.shape[1] != 2 or order.shape != (len(edges),) or edges.dtype.kind not in "iu":
        raise UserError(
            f"{place}: expected edges (E, 2) and order (E,), got {edges.dtype} {edges.shape} and {order.dtype} "
            f"{order.shape}"
        )
    places = read_offsets(arrays, "edge_offsets", len(edges), place)
    if len(places) != stops:
        raise UserError(f"{place}: edge_offsets: expected {stops} of them, one more than molecules, got {len(places)}")
    return places


def _add_bonds(atoms: Geometry, edges: np.ndarray, order: np.ndarray) -> Geometry:
    ends = np.sort(edges.astype(np.int64), axis=1)
    if len(ends) and (ends.min() < 0 or ends.max() >= len(atoms.element)):
        raise Broken("graph: a bond to an atom that is not there")
    if (
        (ends[:, 0] == ends[:, 1]).any()
        or len(np.unique(ends, axis=0)) != len(ends)
        or not np.isin(order, (1, 2, 3)).all()
    ):
        raise Broken("graph: expected bonds of order 1, 2 or 3 between different atoms, one for a pair")
    sorted_ends = np.lexsort((ends[:, 1], ends[:, 0]))
    total = int(atoms.charge.sum())
    return replace(
        atoms, edges=ends[sorted_ends].astype(np.int16), order=order[sorted_ends].astype(np.uint8), total=total
    )
