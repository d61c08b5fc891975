"""A user's files -> a validated data set folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from symdiff.data import configurations, geometries, graphs, molecules  # noqa: F401, each registers its importer
from symdiff.data.dataset import Dataset
from symdiff.data.importer import IMPORTERS, ImportSettings
from symdiff.data.sources import origin
from symdiff.domains.file_kinds import Wanted
from symdiff.domains.kinds import describe, recognize
from symdiff.errors import UserError

TOLERATED = 0.2
TABLE_SETTINGS = ("column", "split_column", "hydrogens")
"""Settings of files that list molecules as text."""


def import_files(files: Sequence[str | Path], out: str | Path, settings: ImportSettings | None = None) -> Dataset:
    """Read files, all of one kind, write a data set and open it.

    Broken records are counted by the kind of their reason and left out. The split is by a hash of the content,
    80/10/10, where the files have none. A file is recognized by what it holds; all but arrays may be gzipped.

    Parameters
    ----------
    files : sequence of str or Path
        Molecules: a SMILES a line, tables, .sdf. Molecules in 3D: .xyz, .extxyz, .npz (z, pos, offsets), and with
        ``coordinates`` .sdf. Graphs: .graphml, .npz and .safetensors edge lists. Spins: .npz as ``SpinLattice.write``
        writes it, lattices of any size.
    out : str or Path
        The folder to write.
    settings : ImportSettings, optional
        What is said of the files; the defaults where none are given.

    Returns
    -------
    Dataset
        Opened from ``out``.

    Raises
    ------
    UserError
        Where ``out`` exists, a file cannot be read, or more than a fifth of the records is broken; nothing is written
        then.
    """
    paths, out, settings = [Path(file) for file in files], Path(out), settings or ImportSettings()
    if not paths:
        raise UserError("no files to import")
    if out.exists():
        raise UserError(f"{out}: exists already")
    kind = _common_kind(paths, Wanted(settings.coordinates, settings.atoms is not None))
    if kind not in IMPORTERS:
        raise UserError(f"{paths[0]}: holds {describe(kind)}, which are not imported")
    importer, meta = IMPORTERS[kind], {"name": out.name}
    if settings.atoms is not None and "atoms" not in importer.takes:
        raise UserError(
            f"--atoms: only labels of molecules as graphs stand for atoms; these are files of {describe(kind)}"
        )
    for name in TABLE_SETTINGS:
        if getattr(settings, name) and name not in importer.takes:
            raise UserError(
                f"columns and hydrogens are settings for molecules as graphs; these are files of {describe(kind)}"
            )
    dataset = _tolerable(importer.read(paths, meta, settings))
    dataset.meta["source"] = origin(", ".join(path.name for path in paths), paths)
    dataset.save(out)
    return Dataset.open(out)


def _common_kind(paths: Sequence[Path], wanted: Wanted) -> str:
    """What all files hold. Raises UserError where they differ."""
    kinds = {path: recognize(path, wanted) for path in paths}
    if len(set(kinds.values())) > 1:
        held = "; ".join(
            f"{describe(kind)} in {', '.join(path.name for path in paths if kinds[path] == kind)}"
            for kind in dict.fromkeys(kinds.values())
        )
        raise UserError(f"expected files of one kind, got {held}: import each by itself")
    return kinds[paths[0]]


def _tolerable(dataset: Dataset) -> Dataset:
    rows, report, examples = dataset.meta["rows"], dataset.meta["left_out"], dataset.meta.get("examples", {})
    broken = sum(report.values())
    if broken > TOLERATED * rows:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in report.items())
        first = next((f"; the first is {place}" for place in examples.values()), "")
        raise UserError(
            f"{broken} of {rows} rows are broken, at most a fifth may be ({reasons}{first}); nothing was written"
        )
    return dataset
