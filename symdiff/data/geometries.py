"""Molecules with coordinates -> a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from rdkit import Chem

from symdiff.chemistry import kekule
from symdiff.chemistry.geometry import Geometry, to_rdkit
from symdiff.chemistry.perception import prepare
from symdiff.chemistry.reading import read_geometries
from symdiff.data.columns import PropertyColumns, add_properties, read_attributes
from symdiff.data.dataset import Dataset
from symdiff.data.importer import ImportSettings, imports
from symdiff.data.molecules import describe_records, digests, no_molecule, split_by_content
from symdiff.data.parsing import first_reasons
from symdiff.domains.arrays import pack
from symdiff.domains.molecule3d import Molecule3D
from symdiff.errors import UserError
from symdiff.state import Categorical
from symdiff.storage.boundary import describe
from symdiff.storage.records import Broken


def of_files(
    paths: Sequence[Path],
    meta: Mapping,
    bonds: bool = True,
    chiral: bool = False,
    max_nodes: int = 512,
    columns: PropertyColumns | None = None,
) -> Dataset:
    """Make a data set in memory of the molecules in .sdf, .xyz, .extxyz and .npz files, split by the graph's content.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    meta : mapping
        What the data set says of itself: ``name``, ``source``.
    bonds : bool
        Whether bonds are part of the structure; those that a file does not have are perceived.
    chiral : bool
        Whether mirror images are different structures.
    max_nodes : int
        Larger molecules are left out.
    columns : PropertyColumns, optional
        The properties that are kept.

    Returns
    -------
    Dataset
        Of a ``Molecule3D``; ``meta`` as for ``geometries``.

    Raises
    ------
    UserError
        For a file that cannot be read, and where no record is a molecule.
    """
    entries, places, notes, columns = [], [], [], columns or PropertyColumns(())
    for path in paths:
        values = read_attributes(path, columns.columns) if columns.asked else None
        for record, geometry in read_geometries(path, max_nodes, properties=() if values else columns.columns):
            record = columns.take(record if values is None else replace(record, values=values[record.number - 1]))
            geometry = None if record.reason else geometry
            molecule = Broken(record.reason) if geometry is None else _prepare(geometry, bonds, max_nodes)
            entries.append(molecule)
            places.append(
                (f"{record.file}, record {record.number}", "" if isinstance(molecule, Geometry) else str(molecule))
            )
            notes.append(record.note)
    return geometries(
        entries,
        None,
        {**meta, **describe_records(first_reasons(places), notes)},
        bonds,
        chiral,
        max_nodes,
        columns=columns,
    )


@imports("molecule-3d")
def import_geometries(paths: Sequence[Path], meta: Mapping, settings: ImportSettings) -> Dataset:
    """Make a data set of files of molecules with coordinates.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    meta : mapping
        What the data set says of itself.
    settings : ImportSettings
        Of which ``bonds``, ``max_nodes`` and ``properties`` are used.

    Returns
    -------
    Dataset
        As ``of_files`` returns it.
    """
    return of_files(
        paths, meta, settings.bonds, max_nodes=settings.max_nodes, columns=PropertyColumns(settings.properties)
    )


def _prepare(geometry: Geometry, bonds: bool, max_nodes: int) -> Geometry | UserError:
    try:
        molecule = prepare(geometry, bonds, max_nodes)
        if bonds and (components := len(Chem.GetMolFrags(to_rdkit(molecule)))) > 1:
            raise Broken(f"fragments: {components} components")
        return molecule
    except UserError as error:
        return error
    except Exception as error:  # RDKit raises whatever a molecule leads it to
        return Broken(f"perception: {describe(error)}")


def geometries(
    entries: Iterable[Geometry | UserError],
    split: np.ndarray | None,
    meta: Mapping,
    bonds: bool = True,
    chiral: bool = False,
    max_nodes: int = 512,
    values: Mapping[str, np.ndarray] | None = None,
    units: Mapping[str, str] | None = None,
    columns: PropertyColumns | None = None,
) -> Dataset:
    """Make a data set in memory of molecules whose atoms are in their order.

    The atoms of the domain are those of the data, the most frequent first. Molecules whose graphs are stored
    identically count as duplicates, and stay.

    Parameters
    ----------
    entries : iterable of Geometry or UserError
        M molecules with positions in ångström, or the reasons why there is none, which are counted in
        ``meta["left_out"]``.
    split : ndarray or None
        (M,) of 0, 1, 2, one for every molecule or reason; None for one by the content of the graph.
    meta : mapping
        What the data set says of itself: ``name``, ``source``.
    bonds : bool
        Whether bonds are part of the structure.
    chiral : bool
        Whether mirror images are different structures.
    max_nodes : int
        Atoms of the largest molecule that the domain reads.
    values : mapping of str to ndarray, optional
        Properties, each (M,), which the domain has as conditions.
    units : mapping of str to str, optional
        Their units.
    columns : PropertyColumns, optional
        The properties of all records, in place of ``values``.

    Returns
    -------
    Dataset
        Of a ``Molecule3D``.

    Raises
    ------
    UserError
        Where there is no molecule.
    """
    molecules, reasons, valid = [], Counter(), []
    for entry in entries:
        valid.append(isinstance(entry, Geometry))
        if isinstance(entry, Geometry):
            molecules.append(entry)
        else:
            reasons[str(entry).partition(":")[0]] += 1  # what stands behind the colon is where
    if not molecules:
        raise no_molecule(meta, dict(reasons.most_common()), meta.get("examples", {}))
    labels = np.concatenate([one.element.astype(np.int32) * 64 + one.charge + 32 for one in molecules])
    kinds, counts = np.unique(labels, return_counts=True)
    atoms = [kekule.label(int(kinds[k]) // 64, int(kinds[k]) % 64 - 32) for k in np.argsort(-counts, kind="stable")]
    plain = Molecule3D(atoms, bonds=bonds, chiral=chiral, max_nodes=max_nodes)
    arrays = pack([plain.codec.label(one) for one in molecules], plain.schema)
    left_out = {**meta.get("left_out", {}), **dict(reasons.most_common())}
    marks = digests(arrays, {name: field for name, field in plain.schema.items() if isinstance(field, Categorical)})
    arrays["split"] = split_by_content(marks) if split is None else np.asarray(split, np.uint8)[valid]
    domain, about = plain, {}
    if columns is not None and columns.asked:
        domain, arrays, about = columns.join(plain, arrays, np.array(valid))
    elif values:
        mine = {name: np.asarray(column)[valid] for name, column in values.items()}
        domain, arrays = add_properties(plain, arrays, mine, units or {})
    report = {"rows": len(valid), "left_out": left_out, "duplicates": len(marks) - len(set(marks))}
    return Dataset.from_arrays(domain, arrays, {"order": "smiles", **report, **about, **meta, "left_out": left_out})
