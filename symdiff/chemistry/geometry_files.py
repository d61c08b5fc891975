"""Files of molecules with coordinates: .sdf, .xyz, .extxyz, .npz, and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from rdkit import Chem
from rdkit.rdBase import BlockLogs

from symdiff.chemistry import xyz
from symdiff.chemistry.geometry import Geometry, bare, geometry_of, to_rdkit
from symdiff.errors import UserError
from symdiff.storage.arrays import read_arrays, write_npz
from symdiff.storage.atomic import write_file
from symdiff.storage.files import ending, read_text

READ = (".sdf", ".xyz", ".extxyz", ".npz")
WRITE = (*READ, ".png")
MAX_ATOMS = 512


def read(path: str | Path, max_atoms: int = MAX_ATOMS) -> list[Chem.Mol]:
    """The molecules of a file, unsanitized as ``Molecule3D.decode`` gives them. Raises UserError for a broken entry."""
    found = []
    for place, entry in enumerate(entries(path, max_atoms), 1):
        if isinstance(entry, UserError):
            raise UserError(f"{path}: molecule {place}: {entry}") from entry
        found.append(to_rdkit(entry))
    return found


def entries(path: str | Path, max_atoms: int = MAX_ATOMS) -> Iterator[Geometry | UserError]:
    """The molecules of a file one after the other; a broken one is its reason, and the others come all the same.

    Raises UserError where the file itself cannot be read.
    """
    suffix = ending(path, READ)
    if suffix == ".npz":
        yield from _arrays(path, max_atoms)
    elif suffix == ".sdf":
        blocks = read_text(path).replace("\r\n", "\n").split("$$$$\n")
        yield from (_molblock(block, max_atoms) for block in blocks if block.removesuffix("$$$$").strip())
    else:
        yield from xyz.entries(read_text(path), max_atoms)


def write(objs: Sequence, path: str | Path) -> None:
    """One entry a molecule, as it stands: whatever ``geometry_of`` reads. Raises UserError.

    .xyz and .extxyz have no bonds. .npz: ``z`` (sum n,) uint8, ``pos`` (sum n, 3) float32 in angstrom and ``offsets`` (M + 1,) of the
    atoms, ``charge`` (sum n,) int8; where all bonds are known ``edges`` (sum E, 2), ``order`` (sum E,) and ``edge_offsets`` (M + 1,).
    """
    suffix = ending(path, WRITE)
    geometries = []
    for place, obj in enumerate(objs, 1):
        try:
            geometries.append(geometry_of(obj, strict=False))
        except UserError as error:
            raise UserError(f"{path}: molecule {place}: {error}") from error
    if suffix == ".sdf":
        write_file(path, "".join(_block(geometry) for geometry in geometries))
    elif suffix == ".npz":
        write_npz(path, _flat(geometries))
    elif suffix == ".png":
        from symdiff.chemistry.geometry_picture import picture

        write_file(path, picture(geometries))
    else:
        write_file(path, "".join(xyz.entry(geometry, extended=suffix == ".extxyz") for geometry in geometries))


def _molblock(block: str, max_atoms: int) -> Geometry | UserError:
    try:
        with BlockLogs():
            mol = Chem.MolFromMolBlock(block, sanitize=False, removeHs=False)
        if mol is None:
            raise UserError(_reason(block))
        if mol.GetNumAtoms() > max_atoms:
            raise UserError(f"too many atoms: {mol.GetNumAtoms()}, at most {max_atoms}")
        return geometry_of(mol, strict=False)
    except UserError as error:
        return error


def _reason(block: str) -> str:
    """Why RDKit reads no molecule in a block of the usual version, V2000, with its atoms from line 5 on."""
    lines = block.split("\n")
    head = lines[3] if len(lines) > 3 else ""
    count = int(head[:3]) if head[:3].strip().isdigit() else 0
    for place, line in enumerate(lines[4 : 4 + count], 5):
        words = line.split()
        if any(word.lower().lstrip("+-") in ("nan", "inf", "infinity") for word in words[:3]):
            return f"coordinates are not finite: {line[:30].strip()!r} in line {place} of its block"
        if len(words) > 3 and xyz.SYMBOLS.get(words[3]) is None:
            return f"unknown element: {words[3][:40]!r} in line {place} of its block"
    return "not a mol block"


def _block(geometry: Geometry) -> str:
    mol = to_rdkit(geometry)
    mol.UpdatePropertyCache(strict=False)
    if not np.isfinite(geometry.position).all():
        raise UserError("an .sdf file holds finite coordinates only, got others; write .npz or .extxyz")
    return f"{Chem.MolToMolBlock(mol, kekulize=False)}$$$$\n"


def _flat(geometries: Sequence[Geometry]) -> dict[str, np.ndarray]:
    sizes = np.array([0, *(len(one.element) for one in geometries)], np.int64)
    arrays = {
        "offsets": sizes.cumsum(),
        "z": np.concatenate([np.zeros(0, np.uint8), *(one.element for one in geometries)]),
        "pos": np.concatenate([np.zeros((0, 3)), *(one.position for one in geometries)]).astype(np.float32),
        "charge": np.concatenate([np.zeros(0, np.int8), *(one.charge for one in geometries)]),
    }
    if geometries and all(one.bonded for one in geometries):
        arrays["edge_offsets"] = np.array([0, *(len(one.order) for one in geometries)], np.int64).cumsum()
        arrays["edges"] = np.concatenate([one.edges for one in geometries])
        arrays["order"] = np.concatenate([one.order for one in geometries])
    return arrays


def _arrays(path: str | Path, max_atoms: int) -> Iterator[Geometry | UserError]:
    arrays = read_arrays(path)
    missing = [name for name in ("z", "pos", "offsets") if name not in arrays]
    if missing:
        raise UserError(f"{path}: the array {missing[0]!r} is missing")
    z, pos = arrays["z"], arrays["pos"]
    charge = arrays.get("charge", np.zeros(z.shape, np.int8))
    if z.ndim != 1 or pos.shape != (len(z), 3) or charge.shape != z.shape:
        raise UserError(f"{path}: expected z (n,), pos (n, 3) and charge (n,), got {z.shape}, {pos.shape} and {charge.shape}")
    for name, array in (("z", z), ("pos", pos), ("charge", charge)):
        if array.dtype.kind not in "iuf":
            raise UserError(f"{path}: {name}: expected numbers, got {array.dtype}")
    stops = _offsets(path, arrays, "offsets", len(z))
    bonds = None
    if "edges" in arrays:
        count = len(arrays["edges"])
        if arrays["edges"].shape != (count, 2) or arrays.get("order", np.zeros(0)).shape != (count,):
            raise UserError(f"{path}: expected edges (E, 2) and order (E,)")
        bonds = _offsets(path, arrays, "edge_offsets", count)
    for k in range(len(stops) - 1):
        part = slice(stops[k], stops[k + 1])
        try:
            if stops[k + 1] - stops[k] > max_atoms:
                raise UserError(f"too many atoms: {stops[k + 1] - stops[k]}, at most {max_atoms}")
            found = bare(z[part], pos[part], charge[part])
            if bonds is not None:
                edges, order = (arrays[name][bonds[k] : bonds[k + 1]] for name in ("edges", "order"))
                found = _bonded(found, edges, order)
        except UserError as error:
            found = error
        yield found


def _offsets(path: str | Path, arrays: dict[str, np.ndarray], name: str, total: int) -> np.ndarray:
    stops = arrays.get(name, np.zeros(0))
    if stops.ndim != 1 or stops.dtype.kind not in "iu" or not len(stops):
        raise UserError(f"{path}: {name}: expected (M + 1,) integers")
    stops = stops.astype(np.int64)
    if stops[0] != 0 or stops[-1] != total or (np.diff(stops) < 0).any():
        raise UserError(f"{path}: {name}: expected numbers that grow from 0 to {total}")
    return stops


def _bonded(atoms: Geometry, edges: np.ndarray, order: np.ndarray) -> Geometry:
    ends = np.sort(edges.astype(np.int64), axis=1)
    if len(ends) and (ends.min() < 0 or ends.max() >= len(atoms.element)):
        raise UserError("a bond to an atom that is not there")
    if (ends[:, 0] == ends[:, 1]).any() or len(np.unique(ends, axis=0)) != len(ends) or not np.isin(order, (1, 2, 3)).all():
        raise UserError("expected bonds of order 1, 2 or 3 between different atoms, one for a pair")
    place = np.lexsort((ends[:, 1], ends[:, 0]))
    total = int(atoms.charge.sum())
    return Geometry(atoms.element, atoms.charge, atoms.position, ends[place].astype(np.int16), order[place].astype(np.uint8), total)
