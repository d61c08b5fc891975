"""A user's files -> a validated data set folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from symdiff.data.configurations import configurations
from symdiff.data.dataset import SPLITS, Dataset
from symdiff.data.geometries import of_files
from symdiff.data.graphs import graphs
from symdiff.data.molecules import molecules
from symdiff.data.parsing import Progress
from symdiff.data.sources import origin
from symdiff.storage.files import ending
from symdiff.chemistry.geometry_files import READ as SPATIAL
from symdiff.graphs.files import read_graphs
from symdiff.graphs.graph_set import merge
from symdiff.domains.molecule_files import READ as MOLECULES
from symdiff.domains.molecule_files import read_rows
from symdiff.domains.spin_files import holds_spins
from symdiff.errors import UserError, nearest

GRAPHS = (".graphml", ".npz", ".safetensors")
XYZ = (".xyz", ".extxyz")
TOLERATED = 0.2
_SPLIT_NAMES = {"train": 0, "training": 0, "valid": 1, "val": 1, "validation": 1, "test": 2}


def import_files(
    files: Sequence[str | Path],
    out: str | Path,
    column: str | None = None,
    split_column: str | None = None,
    hydrogens: bool = False,
    max_nodes: int = 512,
    workers: int | None = None,
    progress: Progress = None,
    coordinates: bool = False,
    bonds: bool = True,
) -> Dataset:
    """Read ``files`` (all of molecules, of graphs or of spins), write the folder ``out`` and open it.

    Molecules: .smi, .txt, .csv (``column`` of SMILES, ``split_column`` with train, valid, test), .sdf. Graphs: .graphml,
    .npz and .safetensors edge lists. Molecules in space: .xyz and .extxyz, and with ``coordinates`` .sdf and .npz (z, pos, offsets), without
    bonds unless ``bonds``: those that a file does not have are perceived. Spins: .npz as ``SpinLattice.write`` writes it, lattices of any size.
    All but .npz and .safetensors may end in .gz. Broken rows are counted by reason and left out. The split is by a hash of the content,
    80/10/10, where the files have none.

    Raises UserError, and writes nothing, where ``out`` exists, a file cannot be read, or more than a fifth of the rows is broken.
    """
    paths, out = [Path(file) for file in files], Path(out)
    if not paths:
        raise UserError("no files to import")
    if out.exists():
        raise UserError(f"{out}: exists already")
    endings = {ending(path, SPATIAL if coordinates else (*MOLECULES, *GRAPHS, *XYZ)) for path in paths}
    coordinates = coordinates or endings <= set(XYZ)
    kinds = {suffix in MOLECULES for suffix in endings}
    spins = [path for path in paths if not coordinates and path.name.lower().endswith(".npz") and holds_spins(path)]
    if spins and len(spins) < len(paths):
        raise UserError("import spins by themselves: " + ", ".join(path.name for path in paths if path not in spins) + " holds none")
    if not coordinates and endings & set(XYZ):
        raise UserError("import files with coordinates by themselves: " + ", ".join(path.name for path in paths))
    if not coordinates and len(kinds) > 1:
        raise UserError("import molecules or graphs, not both: " + ", ".join(path.name for path in paths))
    meta = {"name": out.name}
    if coordinates and (column or split_column or hydrogens):
        raise UserError("columns and hydrogens are no settings for molecules with coordinates, whose hydrogens are always atoms")
    if coordinates:
        dataset = _tolerable(of_files(paths, meta, bonds, max_nodes=max_nodes))
    elif kinds == {True}:
        dataset = _molecules(paths, column, split_column, meta, hydrogens, max_nodes, workers, progress)
    elif column or split_column or hydrogens:
        raise UserError("columns and hydrogens are settings for molecules; these are files of " + ("spins" if spins else "graphs"))
    elif spins:
        dataset = _tolerable(configurations(paths, meta, progress))
    else:
        dataset = _graphs(paths, meta, max_nodes)
    dataset.meta["source"] = origin(", ".join(path.name for path in paths), paths)
    dataset.save(out)
    return Dataset.open(out)


def _molecules(
    paths: Sequence[Path],
    column: str | None,
    split_column: str | None,
    meta: dict,
    hydrogens: bool,
    max_nodes: int,
    workers: int | None,
    progress: Progress,
) -> Dataset:
    rows: dict[str, list[str]] = {"smiles": [], "molblock": []}
    names: list[str] = []
    for path in paths:
        form, found, split = read_rows(path, column, split_column)
        rows[form] += found
        names += split
    if all(rows.values()):
        raise UserError("import SMILES or SDF files, not both at once")
    form = "molblock" if rows["molblock"] else "smiles"
    if not rows[form]:
        raise UserError(f"{paths[0]}: no rows")
    split = np.array([_split(name) for name in names], np.uint8) if names else None
    dataset = molecules(rows[form], split, meta, form, hydrogens, max_nodes, workers, progress)
    return _tolerable(dataset)


def _split(name: str) -> int:
    known = _SPLIT_NAMES.get(name.strip().lower())
    if known is None:
        raise UserError(f"split: expected one of {', '.join(SPLITS)}, got {name!r}{nearest(name, _SPLIT_NAMES)}")
    return known


def _graphs(paths: Sequence[Path], meta: dict, max_nodes: int) -> Dataset:
    found = merge(read_graphs(path, max_nodes) for path in paths)
    if not len(found):
        raise UserError(f"{paths[0]}: no graphs")
    return _tolerable(graphs(found, meta, max_nodes))


def _tolerable(dataset: Dataset) -> Dataset:
    rows, report = dataset.meta["rows"], dataset.meta["left_out"]
    broken = sum(report.values())
    if broken > TOLERATED * rows:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in report.items())
        raise UserError(f"{broken} of {rows} rows are broken, at most a fifth may be ({reasons}); nothing was written")
    return dataset
