"""A user's files -> a validated data set folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from symdiff.chemistry.limits import MAX_ATOMS
from symdiff.data.configurations import configurations
from symdiff.data.dataset import Dataset
from symdiff.data.geometries import of_files
from symdiff.data.graphs import graphs
from symdiff.data.molecules import molecules
from symdiff.data.parsing import Progress
from symdiff.data.sources import origin
from symdiff.domains.kinds import Kind, recognize
from symdiff.domains.molecule_files import read_records
from symdiff.errors import UserError
from symdiff.graphs.files import ENDINGS as GRAPHS
from symdiff.graphs.files import read_graphs
from symdiff.graphs.graph_set import merge

TOLERATED = 0.2
_NAMES: dict[Kind, str] = {"molecule-graph": "molecules", "molecule-3d": "molecules in 3D", "graph": "graphs", "lattice": "spins"}


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
    atoms: Sequence[str] | None = None,
) -> Dataset:
    """Read files, all of one kind, write a data set and open it.

    Broken records are counted by the kind of their reason and left out. The split is by a hash of the content, 80/10/10, where the files
    have none. A file is recognized by what it holds; all but arrays may be gzipped.

    Parameters
    ----------
    files : sequence of str or Path
        Molecules: a SMILES a line, tables, .sdf. Molecules in 3D: .xyz, .extxyz, .npz (z, pos, offsets), and with ``coordinates`` .sdf. Graphs: .graphml,
        .npz and .safetensors edge lists. Spins: .npz as ``SpinLattice.write`` writes it, lattices of any size.
    out : str or Path
        The folder to write.
    column : str, optional
        The column of SMILES in tables.
    split_column : str, optional
        The column of tables with train, valid, test.
    hydrogens : bool
        Whether hydrogens of molecules are nodes.
    max_nodes : int
        Larger structures are left out.
    workers : int, optional
        Processes that parse.
    progress : callable, optional
        Is told what was done.
    coordinates : bool
        Whether .sdf files are molecules in 3D.
    bonds : bool
        Whether molecules in 3D have bonds: those that a file does not have are perceived.
    atoms : sequence of str, optional
        What the labels of nodes stand for, from 0, in files of labeled graphs, which are then molecules.

    Returns
    -------
    Dataset
        Opened from ``out``.

    Raises
    ------
    UserError
        Where ``out`` exists, a file cannot be read, or more than a fifth of the records is broken; nothing is written then.
    """
    paths, out = [Path(file) for file in files], Path(out)
    if not paths:
        raise UserError("no files to import")
    if out.exists():
        raise UserError(f"{out}: exists already")
    kind = _common_kind(paths, coordinates, atoms is not None)
    meta = {"name": out.name}
    if atoms is not None and kind != "molecule-graph":
        raise UserError(f"--atoms: only labels of molecules as graphs stand for atoms; these are files of {_NAMES[kind]}")
    if kind != "molecule-graph" and (column or split_column or hydrogens):
        raise UserError(f"columns and hydrogens are settings for molecules as graphs; these are files of {_NAMES[kind]}")
    if kind == "molecule-graph":
        records = (record for path in paths for record in read_records(path, column, split_column, max(MAX_ATOMS, max_nodes), atoms))
        dataset = _tolerable(molecules(records, None, meta, hydrogens, max_nodes, workers, progress))
    elif kind == "molecule-3d":
        dataset = _tolerable(of_files(paths, meta, bonds, max_nodes=max_nodes))
    elif kind == "lattice":
        dataset = _tolerable(configurations(paths, meta, progress))
    else:
        dataset = _graphs(paths, meta, max_nodes)
    dataset.meta["source"] = origin(", ".join(path.name for path in paths), paths)
    dataset.save(out)
    return Dataset.open(out)


def _common_kind(paths: Sequence[Path], coordinates: bool, atoms: bool) -> Kind:
    """What all files hold. Raises UserError where they differ."""
    kinds = {path: _recognize(path, coordinates, atoms) for path in paths}
    if len(set(kinds.values())) > 1:
        held = "; ".join(f"{_NAMES[kind]} in {', '.join(path.name for path in paths if kinds[path] == kind)}" for kind in dict.fromkeys(kinds.values()))
        raise UserError(f"expected files of one kind, got {held}: import each by itself")
    return kinds[paths[0]]


def _recognize(path: Path, coordinates: bool, atoms: bool) -> Kind:
    kind = recognize(path)
    if atoms and kind == "graph":
        return "molecule-graph"
    in_space = coordinates and kind == "molecule-graph" and not path.name.lower().removesuffix(".gz").endswith(GRAPHS)
    return "molecule-3d" if in_space else kind


def _graphs(paths: Sequence[Path], meta: dict, max_nodes: int) -> Dataset:
    found = merge(read_graphs(path, max_nodes) for path in paths)
    if not len(found):
        raise UserError(f"{paths[0]}: no graphs")
    return _tolerable(graphs(found, meta, max_nodes))


def _tolerable(dataset: Dataset) -> Dataset:
    rows, report, examples = dataset.meta["rows"], dataset.meta["left_out"], dataset.meta.get("examples", {})
    broken = sum(report.values())
    if broken > TOLERATED * rows:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in report.items())
        first = next((f"; the first is {place}" for place in examples.values()), "")
        raise UserError(f"{broken} of {rows} rows are broken, at most a fifth may be ({reasons}{first}); nothing was written")
    return dataset
