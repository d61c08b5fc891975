"""Molecules with coordinates -> a data set: QM9's geometries, with the bonds and charges that their SMILES say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from symdiff.chemistry import kekule
from symdiff.chemistry.geometry import Geometry
from symdiff.chemistry.matching import match
from symdiff.chemistry.perception import prepared
from symdiff.chemistry.reading import read_geometries
from symdiff.data.dataset import Dataset
from symdiff.data.molecules import describe_records, digests, no_molecule, split_by_content
from symdiff.data.parsing import Progress, first_reasons
from symdiff.data.qm9 import TITLE, smiles_table
from symdiff.data.sources import local, origin
from symdiff.domains.arrays import pack
from symdiff.domains.molecule3d import Molecule3D
from symdiff.domains.properties import Property
from symdiff.errors import UserError
from symdiff.guidance import marker
from symdiff.state import Categorical
from symdiff.storage.arrays import read_arrays
from symdiff.storage.boundary import describe
from symdiff.storage.records import Broken

EXCLUDED = 255
_REPORT = 500


COLUMNS = {"mu": ("mu_D", "D", 1.0), "alpha": ("alpha_a03", "a0^3", 1.0), "gap": ("gap_Ha", "eV", 27.211386245988)}
"""Dipole moment, polarizability, gap between the frontier orbitals: the column of QM9's table, the unit, and what it is multiplied by."""


def qm9(progress: Progress = None, given: str | None = None) -> Dataset:
    """The characterized molecules of QM9 with B3LYP geometries, all hydrogens, in the split of EDM. Raises UserError.

    ``given``: a property (of ``COLUMNS``) that every molecule comes with, as a condition.

    The files have no bonds: those of the GDB SMILES are laid over the geometry, and a molecule is left out, and counted, where
    that cannot be done: where it rearranged as it was relaxed, for the most part.
    """
    paths = [local("qm9", name) for name in ("qm9_geom.npz", "qm9_smiles.csv.gz")]
    geometry, smiles = read_arrays(paths[0]), [text for text, _ in smiles_table(paths[1])]
    missing = {"z", "pos", "offsets", "edm_split"} - set(geometry)
    if missing:
        raise UserError(f"{paths[0]}: the array {sorted(missing)[0]!r} is missing")
    if len(geometry["offsets"]) != len(smiles) + 1 or len(geometry["edm_split"]) != len(smiles):
        raise UserError(f"{paths[0]}: expected {len(smiles)} molecules, as {paths[1].name} has")
    rows = np.nonzero(geometry["edm_split"] != EXCLUDED)[0]
    values = None if given is None else {given: _column(paths, given, len(smiles))[rows]}
    found = matched([smiles[k] for k in rows], geometry, rows, progress)
    meta = {
        "name": "qm9-3d" if given is None else f"qm9-3d-{given}",
        "source": origin(TITLE, paths),
        "rows": len(smiles),
        "left_out": {"uncharacterized": len(smiles) - len(rows)},
    }
    return geometries(found, geometry["edm_split"][rows], meta, max_nodes=64, values=values)


def _column(paths: list[Path], given: str, count: int) -> np.ndarray:
    """A property of all molecules, (count,), in its unit; its file joins ``paths``. Raises UserError."""
    paths.append(local("qm9", "qm9_props.npz"))
    table = read_arrays(paths[-1])
    name, _, factor = COLUMNS[given]
    if not {"props", "names"} <= set(table) or name not in table["names"].tolist() or len(table["props"]) != count:
        raise UserError(f"{paths[-1]}: expected the arrays names, with {name}, and props of {count} molecules")
    return table["props"][:, table["names"].tolist().index(name)] * factor


def matched(smiles: Sequence[str], geometry: Mapping[str, np.ndarray], rows: np.ndarray, progress: Progress = None) -> Iterable[Geometry | UserError]:
    """For each of ``rows`` the geometry with the bonds of its SMILES, or the reason why there is none; arrays as in qm9_geom.npz."""
    z, pos, stops = geometry["z"], geometry["pos"], geometry["offsets"]
    for place, (text, k) in enumerate(zip(smiles, rows.tolist(), strict=True), 1):
        part = slice(stops[k], stops[k + 1])
        try:
            yield match(text, z[part], pos[part].astype(np.float64))
        except UserError as error:
            yield error
        if progress is not None and (place % _REPORT == 0 or place == len(rows)):
            progress(place % _REPORT or _REPORT, len(rows))


def of_files(paths: Sequence[Path], meta: Mapping, bonds: bool = True, chiral: bool = False, max_nodes: int = 512) -> Dataset:
    """A data set in memory of the molecules in .sdf, .xyz, .extxyz and .npz files; the split is by the graph's content.

    Bonds that a file does not have are perceived. Raises UserError for a file that cannot be read.
    """
    found, places, notes = [], [], []
    for path in paths:
        for record, geometry in read_geometries(path, max_nodes):
            molecule = Broken(record.reason) if geometry is None else _prepare(geometry, bonds, max_nodes)
            found.append(molecule)
            places.append((f"{record.file}, record {record.number}", "" if isinstance(molecule, Geometry) else str(molecule)))
            notes.append(record.note)
    return geometries(found, None, {**meta, **describe_records(first_reasons(places), notes)}, bonds, chiral, max_nodes)


def _prepare(geometry: Geometry, bonds: bool, max_nodes: int) -> Geometry | UserError:
    try:
        return prepared(geometry, bonds, max_nodes)
    except UserError as error:
        return error
    except Exception as error:  # RDKit raises whatever a molecule leads it to
        return Broken(f"perception: {describe(error)}")


def geometries(
    found: Iterable[Geometry | UserError],
    split: np.ndarray | None,
    meta: Mapping,
    bonds: bool = True,
    chiral: bool = False,
    max_nodes: int = 512,
    values: Mapping[str, np.ndarray] | None = None,
) -> Dataset:
    """A data set in memory of molecules whose atoms are in their order; reasons are counted in ``meta["left_out"]``.

    ``split``: (M,) of 0, 1, 2, one for every molecule or reason, or None for one by the content of the graph. The
    atoms of the domain are those of the data, the most frequent first. Molecules whose graphs are stored identically count as duplicates, and stay. ``values``: properties, each (M,) in the unit that ``COLUMNS``
    says, which the domain has as conditions.
    """
    kept, reasons, valid = [], Counter(), []
    for entry in found:
        valid.append(isinstance(entry, Geometry))
        if isinstance(entry, Geometry):
            kept.append(entry)
        else:
            reasons[str(entry).partition(":")[0]] += 1  # what stands behind the colon is where
    if not kept:
        raise no_molecule(meta, dict(reasons.most_common()), meta.get("examples", {}))
    labels = np.concatenate([one.element.astype(np.int32) * 64 + one.charge + 32 for one in kept])
    kinds, counts = np.unique(labels, return_counts=True)
    atoms = [kekule.label(kinds[k] // 64, kinds[k] % 64 - 32) for k in np.argsort(-counts, kind="stable")]
    plain = Molecule3D(atoms, bonds=bonds, chiral=chiral, max_nodes=max_nodes)
    arrays = pack([plain.label(one) for one in kept], plain.schema)
    left_out = {**meta.get("left_out", {}), **dict(reasons.most_common())}
    marks = digests(arrays, {name: field for name, field in plain.schema.items() if isinstance(field, Categorical)})
    arrays["split"] = split_by_content(marks) if split is None else np.asarray(split, np.uint8)[valid]
    properties = {}
    for name, column in (values or {}).items():
        mine, train = np.asarray(column)[valid], arrays["split"] == 0
        properties[name] = Property.of(mine[train], arrays["num_nodes"][train], COLUMNS[name][1])
        arrays[name], arrays[marker(name)] = properties[name].standard(mine)[:, None], np.zeros(len(mine), np.uint8)
    given = {name: dict(vars(one)) for name, one in properties.items()}
    domain = Molecule3D(atoms, bonds=bonds, chiral=chiral, max_nodes=max_nodes, properties=given)
    report = {"rows": len(valid), "left_out": left_out, "duplicates": len(marks) - len(set(marks))}
    return Dataset.from_arrays(domain, arrays, {"order": "smiles", **report, **meta, "left_out": left_out})
