"""Which protocol goes with a file, where the user named none."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from symdiff.errors import UserError

_ENDINGS = {
    "molecule-graph": (".smi", ".smiles", ".txt", ".csv", ".sdf"),
    "molecule-3d": (".xyz", ".extxyz"),
}
_ARRAYS = {"lattice": {"spins"}, "molecule-graph": {"num_nodes", "edges", "element", "order"}, "graph": {"num_nodes", "edges"}, "molecule-3d": {"z", "pos"}}

_MOLECULES, _HEAD = 'attr.name="element"', 1 << 14


def guess(files: Sequence[str | Path]) -> str:
    """The protocol for files, by their endings or, for .npz, the names of their arrays. Raises ``UserError``: none, or several."""
    found = {_one(Path(file)) for file in files}
    if len(found) > 1:
        raise UserError(f"expected samples of one kind, got {' and '.join(sorted(found))}: say which with --protocol")
    return found.pop()


def _one(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".graphml"):
        return "molecule-graph" if _MOLECULES in _head(path) else "graph"
    for protocol, endings in _ENDINGS.items():
        if name.endswith(endings):
            return protocol
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    names = _names(path) if name.endswith((".npz", ".safetensors")) else set()
    for protocol, needed in _ARRAYS.items():
        if needed <= names:
            return protocol
    told = f"the arrays {', '.join(sorted(names))}"[:200] if names else f"the ending {path.suffix!r}"
    raise UserError(f"{path}: cannot tell what samples it holds, got {told}: say it with --protocol")


def _head(path: Path) -> str:
    """The beginning of a document, in which GraphML declares what nodes and edges have."""
    try:
        with (gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")) as stream:
            return stream.read(_HEAD).decode("utf-8", "replace")
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error


def _names(path: Path) -> set[str]:
    try:
        if path.suffix.lower() == ".npz":
            with zipfile.ZipFile(path) as archive:
                return {name.removesuffix(".npy") for name in archive.namelist()}
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, "np") as tensors:
                return set(tensors.keys())
        except SafetensorError as error:
            raise UserError(f"{path}: cannot be read ({error})") from error
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: cannot be read ({error})") from error
