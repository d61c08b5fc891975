"""A data set on disk: ``dataset.json`` and ``arrays.safetensors``, checksummed, whole or not there."""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from symdiff.errors import UserError
from symdiff.storage import atomic, sealed
from symdiff.storage.arrays import read_arrays
from symdiff.storage.boundary import reading
from symdiff.storage.files import read_text

FORMAT, VERSION = "symdiff-dataset", 1
META, ARRAYS = "dataset.json", "arrays.safetensors"
_MOST_BYTES = 64 << 20  # of the description


def write_folder(path: Path, meta: Mapping, arrays: Mapping[str, np.ndarray], replace: bool = False) -> None:
    """Write a data set folder, whole or not at all.

    Parameters
    ----------
    path : Path
        The folder.
    meta : mapping
        What ``dataset.json`` says beside format, version and arrays.
    arrays : mapping of str to ndarray
        Flat arrays.
    replace : bool
        Whether an earlier data set at ``path`` gives way to it.

    Raises
    ------
    UserError
        When ``path`` exists (unless ``replace``), or when the disk is full or not writable: then nothing is left
        behind.
    """
    from safetensors.numpy import save

    def fill(folder: Path) -> None:
        content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
        (folder / ARRAYS).write_bytes(content)  # not save_file: a full disk must be an OSError
        entry = {"file": ARRAYS, "sha256": sealed.sha256(folder / ARRAYS), "bytes": len(content)}
        text = json.dumps({"format": FORMAT, "version": VERSION, **meta, "arrays": entry}, indent=1)
        (folder / META).write_text(text + "\n", encoding="utf-8")

    try:
        atomic.write_folder(path, fill, (lambda folder: atomic.is_empty_or_has(folder, META)) if replace else None)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise UserError(f"{path}: exists already") from error
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error


def read_folder(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """Read what ``write_folder`` wrote.

    Parameters
    ----------
    path : Path
        The folder.

    Returns
    -------
    dict
        The content of ``dataset.json``.
    dict of str to ndarray
        The arrays.

    Raises
    ------
    UserError
        For anything missing, altered or of another format.
    """
    if not (path / META).is_file():
        raise UserError(f"{path}: not a data set folder ({META} is missing)")
    text = read_text(path / META, _MOST_BYTES)
    with reading(path / META, "JSON"):
        meta = json.loads(text)
    if not isinstance(meta, dict) or (meta.get("format"), meta.get("version")) != (FORMAT, VERSION):
        raise UserError(f"{path / META}: expected format {FORMAT!r} version {VERSION}")
    file, entry = path / ARRAYS, meta.get("arrays")
    if not file.is_file():
        raise UserError(f"{path}: {ARRAYS} is missing")
    if not isinstance(entry, dict) or entry.get("sha256") != sealed.sha256(file):
        raise UserError(f"{file}: altered or damaged (its SHA-256 is not the one in {META})")
    # as large as it may be: an array takes no more memory than its file has bytes
    return meta, read_arrays(file, sys.maxsize)
