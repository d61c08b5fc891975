"""Files that come and go safely: sizes are checked before reading, and a written file is whole or not there."""

from __future__ import annotations

import gzip
import io
import os
import tempfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from symdiff.errors import UserError

MAX_BYTES = 2 << 30


def ending(path: str | Path, valid: Sequence[str]) -> str:
    """The ending of a file among ``valid`` (such as ``.csv``); ``.csv.gz`` counts as ``.csv``. Raises UserError."""
    name = Path(path).name.lower().removesuffix(".gz")
    for suffix in valid:
        if name.endswith(suffix):
            return suffix
    raise UserError(f"{path}: expected a file that ends in {', '.join(valid)}")


def read_text(path: str | Path, limit: int = MAX_BYTES) -> str:
    """The text of a file, decompressed if it ends in ``.gz``. Raises UserError: missing, too large, damaged, not UTF-8."""
    path = Path(path)
    check_size(path, limit)
    try:
        opened = gzip.open(path, "rb") if path.name.lower().endswith(".gz") else open(path, "rb")
        with opened as file:
            data = file.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: cannot be read ({error})") from error
    if len(data) > limit:
        raise UserError(f"{path}: more than {limit} bytes when decompressed")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: expected UTF-8 text, got byte {data[error.start]:#04x} at {error.start}") from error


def check_size(path: str | Path, limit: int = MAX_BYTES) -> None:
    """Raises UserError where there is no file, or one of more than ``limit`` bytes."""
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    if path.stat().st_size > limit:
        raise UserError(f"{path}: {path.stat().st_size} bytes, at most {limit} are read")


def write_file(path: str | Path, content: str | bytes) -> None:
    """Write a temporary file beside ``path``, fsync it, rename it. Raises UserError; nothing is left behind then."""
    path = Path(path)
    data = content.encode() if isinstance(content, str) else content
    if path.name.lower().endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def read_npz(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of a .npz file. Raises UserError; nothing is unpickled, sizes are checked before arrays are made."""
    check_size(path)
    arrays = {}
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
                raise UserError(f"{path}: more than {MAX_BYTES} bytes when decompressed")
            for info in archive.infolist():
                with archive.open(info) as file:
                    version = np.lib.format.read_magic(file)
                    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
                    shape, _, dtype = read[version](file)
                    if dtype.hasobject:
                        raise UserError(f"{path}: {info.filename} holds Python objects, which are not read")
                    if np.prod([int(n) for n in shape], dtype=object) * dtype.itemsize > info.file_size:
                        raise UserError(f"{path}: {info.filename} claims shape {shape}, which is more than the file holds")
                with archive.open(info) as file:
                    arrays[info.filename.removesuffix(".npy")] = np.lib.format.read_array(file, allow_pickle=False)
    except UserError:
        raise
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise UserError(f"{path}: not readable as .npz ({error})") from error
    return arrays


def npz_names(path: str | Path) -> list[str]:
    """The names of the arrays of a .npz file, none of which is read. Raises UserError."""
    check_size(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise UserError(f"{path}: not readable as .npz ({error})") from error


def write_npz(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as a compressed .npz file, as ``write_file`` does."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_file(path, buffer.getvalue())
