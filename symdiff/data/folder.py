"""A data set on disk: ``dataset.json`` and ``arrays.safetensors``, checksummed, whole or not there."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from symdiff.errors import UserError

FORMAT, VERSION = "symdiff-dataset", 1
META, ARRAYS = "dataset.json", "arrays.safetensors"


def sha256(path: Path) -> str:
    """The SHA-256 of a file, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_folder(path: Path, meta: Mapping, arrays: Mapping[str, np.ndarray], replace: bool = False) -> None:
    """Write a data set folder: to a temporary folder beside it, fsynced, then renamed.

    Raises UserError when ``path`` exists (unless ``replace``), or when the disk is full or not writable: then nothing
    is left behind.
    """
    from safetensors.numpy import save

    def fill(folder: Path) -> None:
        content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
        (folder / ARRAYS).write_bytes(content)  # not save_file: a full disk must be an OSError
        entry = {"file": ARRAYS, "sha256": sha256(folder / ARRAYS), "bytes": (folder / ARRAYS).stat().st_size}
        text = json.dumps({"format": FORMAT, "version": VERSION, **meta, "arrays": entry}, indent=1)
        (folder / META).write_text(text + "\n")

    write_atomically(path, fill, replace)


def write_atomically(path: Path, fill: Callable[[Path], None], replace: bool = False) -> None:
    """Let ``fill`` write a folder that appears at ``path`` whole or not at all. Raises UserError."""
    if path.exists() and not replace:
        raise UserError(f"{path}: exists already")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error
    try:
        fill(temporary)
        for file in temporary.iterdir():
            _sync(file)
        _sync(temporary)
        temporary.chmod(0o755)
        if replace and path.exists():
            shutil.rmtree(path)
        temporary.rename(path)
        _sync(path.parent)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise UserError(f"{path}: exists already") from error
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_folder(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """What ``write_folder`` wrote. Raises UserError, one line, for anything missing, altered or of another format."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not (path / META).is_file():
        raise UserError(f"{path}: not a data set folder ({META} is missing)")
    try:
        meta = json.loads((path / META).read_text())
    except (ValueError, OSError) as error:
        raise UserError(f"{path / META}: not readable as JSON ({str(error).splitlines()[0]})") from error
    if not isinstance(meta, dict) or (meta.get("format"), meta.get("version")) != (FORMAT, VERSION):
        raise UserError(f"{path / META}: expected format {FORMAT!r} version {VERSION}")
    file, entry = path / ARRAYS, meta.get("arrays")
    if not file.is_file():
        raise UserError(f"{path}: {ARRAYS} is missing")
    if not isinstance(entry, dict) or entry.get("sha256") != sha256(file):
        raise UserError(f"{file}: altered or damaged (its SHA-256 is not the one in {META})")
    try:
        return meta, load_file(file)
    except (SafetensorError, ValueError, OSError) as error:
        raise UserError(f"{file}: not readable as safetensors ({error})") from error
