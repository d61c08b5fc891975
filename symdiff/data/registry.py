"""The data sets that have a name, built once into a cache."""

from __future__ import annotations

import gzip
import csv
import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from symdiff.data.dataset import Dataset
from symdiff.data.folder import sha256
from symdiff.data.molecules import molecules
from symdiff.errors import UserError, nearest

_QM9 = "QM9: Ramakrishnan, Dral, Rupp, von Lilienfeld, Scientific Data 1:140022 (2014)"


def cache_folder() -> Path:
    """``$SYMDIFF_CACHE``, else ``~/.cache/symdiff``."""
    return Path(os.environ.get("SYMDIFF_CACHE") or Path.home() / ".cache" / "symdiff")


def source(*parts: str) -> Path:
    """A file in the folder that ``$SYMDIFF_DATA`` names. Raises UserError."""
    root = os.environ.get("SYMDIFF_DATA")
    if not root:
        raise UserError(f"{'/'.join(parts)}: set SYMDIFF_DATA to the folder that holds it")
    path = Path(root).joinpath(*parts)
    if not path.is_file():
        raise UserError(f"{path}: no such file (SYMDIFF_DATA={root})")
    return path


def _origin(title: str, *paths: Path) -> dict:
    files = [{"file": path.name, "sha256": sha256(path), "bytes": path.stat().st_size} for path in paths]
    return {"title": title, "files": files}


def qm9(hydrogens: bool, progress: Callable[[int], None] | None) -> Dataset:
    """The GDB SMILES of QM9 with the split of EDM; the 3,054 uncharacterized molecules are left out."""
    table, geometries = source("qm9", "qm9_smiles.csv.gz"), source("qm9", "qm9_geom.npz")
    with np.load(geometries, allow_pickle=False) as file:
        splits = dict(zip(file["index"].tolist(), file["edm_split"].tolist(), strict=True))
    with gzip.open(table, "rt", newline="") as file:
        rows = [(row["smiles_gdb17"], splits[int(row["index"])]) for row in csv.DictReader(file)]
    kept = [row for row in rows if row[1] != 255]
    meta = {
        "name": "qm9-h" if hydrogens else "qm9",
        "source": _origin(_QM9, table, geometries),
        "left_out": {"uncharacterized": len(rows) - len(kept)},
    }
    smiles, split = zip(*kept, strict=True)
    return molecules(smiles, np.array(split), meta, hydrogens=hydrogens, max_nodes=64, progress=progress)


BUILDERS: dict[str, Callable[[Callable[[int], None] | None], Dataset]] = {
    "qm9": lambda progress: qm9(False, progress),
    "qm9-h": lambda progress: qm9(True, progress),
}


def open_dataset(name_or_path: str | Path, progress: Callable[[int], None] | None = None) -> Dataset:
    """A data set by its name or its folder; a named one is built into the cache at first use. Raises UserError."""
    name = str(name_or_path)
    if name not in BUILDERS:
        if Path(name).is_dir():
            return Dataset.open(name)
        raise UserError(f"no data set or folder {name!r}{nearest(name, BUILDERS)}")
    folder = cache_folder() / "datasets" / name
    if not folder.exists():
        BUILDERS[name](progress).save(folder)
    return Dataset.open(folder)
