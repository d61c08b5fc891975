"""Files of arrays, .npz and .safetensors.

Headers are read and checked here, nothing is unpickled, no size is believed.
"""

from __future__ import annotations

import ast
import io
import json
import math
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple

import numpy as np

from symdiff.errors import UserError
from symdiff.storage.atomic import open_file, write_file
from symdiff.storage.boundary import reading
from symdiff.storage.files import MAX_BYTES, MAX_RATIO, PICKLED, open_bytes
from symdiff.storage.numbers import show

ENDINGS = (".npz", ".npy", ".safetensors")
MIN_EXPANDED = 128 << 20
"""Bytes that the arrays of a .npz file may have whatever its size: constant arrays are compressed a thousandfold."""
MAX_ARRAYS = 1_000
MAX_AXES = 8
_HEADER, _HEADERS = 10_000, 1 << 20  # bytes: numpy's own limit, and that of a file of a thousand arrays
_FORMS = ".npz, .npy or .safetensors"
_PORTION = 1 << 20
_MAGIC = b"\x93NUMPY"
_TYPE = re.compile(r"[<>|=]?(?:\?|b1|[iu][1248]|f[248]|[SU][0-9]{1,9})")
_SAFE = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "U16": "<u2",
    "I16": "<i2",
    "U32": "<u4",
    "I32": "<i4",
    "U64": "<u8",
    "I64": "<i8",
}
_SAFE |= {"F16": "<f2", "F32": "<f4", "F64": "<f8"}


@dataclass(frozen=True)
class Header:
    """The type and shape of an array in a file, checked against what the file can hold.

    Parameters
    ----------
    dtype : numpy.dtype
        The type of the values.
    shape : tuple of int
        The sides.
    fortran : bool
        Whether the first axis runs fastest.
    """

    dtype: np.dtype
    shape: tuple[int, ...]
    fortran: bool = False

    @property
    def size(self) -> int:
        """Bytes of the values."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_arrays(path: str | Path, limit: int = MAX_BYTES) -> dict[str, np.ndarray]:
    """Read the arrays of a .npz, .npy or .safetensors file, told apart by their first bytes.

    Parameters
    ----------
    path : str or Path
        The file.
    limit : int
        Bytes that it may have.

    Returns
    -------
    dict of str to numpy.ndarray
        In the order of the file: truth values, integers, floats or text; the one of a .npy file is called ``arr_0``.

    Raises
    ------
    UserError
        For a file that is missing, damaged, too large, or whose headers do not fit what it holds.
    """
    arrays = {}
    with _members(path, limit) as members:
        for name, member in members:
            header = member.header
            with reading(path, _FORMS), member.open() as stream:
                values = _values(path, name, stream, header.size)
                array = np.ndarray(header.shape, header.dtype, values, order="F" if header.fortran else "C")
                if array.dtype.kind == "U":
                    _check_text(path, name, array)
            arrays[name] = array.astype(array.dtype.newbyteorder("="), copy=False)
    return arrays


def read_headers(path: str | Path) -> dict[str, Header]:
    """Read name, type and shape of every array of a file that ``read_arrays`` reads, and no values.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict of str to Header
        In the order of the file.

    Raises
    ------
    UserError
        For a file that is missing, damaged, too large, or whose headers do not fit what it holds.
    """
    with _members(path) as members:
        return {name: member.header for name, member in members}


def write_npz(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as a compressed .npz file that is whole or not there.

    Parameters
    ----------
    path : str or Path
        The file; gzipped as a whole where its name ends in ``.gz``.
    arrays : mapping of str to ndarray
        The arrays, which may lie on the disk.

    Raises
    ------
    UserError
        Where it cannot be written.
    """
    named: dict[str, Any] = dict(arrays)  # numpy's stubs take every keyword for allow_pickle, too
    if Path(path).name.lower().endswith(".gz"):
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **named)
        write_file(path, buffer.getvalue())
        return
    with open_file(path) as file:
        np.savez_compressed(file, **named)


class _Member(NamedTuple):
    """An array in a file; ``open`` gives a stream that begins with its values."""

    header: Header
    open: Callable[[], AbstractContextManager]


@contextmanager
def _members(path: str | Path, limit: int = MAX_BYTES) -> Iterator[list[tuple[str, _Member]]]:
    """The arrays of a file by name, as long as it is open."""
    with open_bytes(path, limit) as file, reading(path, _FORMS), ExitStack() as stack:
        if not file.seekable():
            raise UserError(f"{path}: arrays are not read from a gzipped file; unpack it first")
        start = file.read(8)
        file.seek(0)
        if start.startswith(b"PK"):
            yield _npz(path, stack.enter_context(zipfile.ZipFile(file)))
        elif start.startswith(_MAGIC):
            header = _npy_header(path, "arr_0", file, Path(path).stat().st_size)
            yield [("arr_0", _Member(header, lambda: nullcontext(file)))]
        else:
            yield _safetensors(path, file)


def _npz(path: str | Path, archive: zipfile.ZipFile) -> list[tuple[str, _Member]]:
    """The arrays of a .npz file, with what the archive's own list says checked before anything is read."""
    infos = archive.infolist()
    if len(infos) > MAX_ARRAYS:
        raise UserError(f"{path}: {len(infos)} arrays, at most {MAX_ARRAYS} are read")
    limit = min(MAX_BYTES, max(MIN_EXPANDED, MAX_RATIO * sum(info.compress_size for info in infos)))
    if sum(info.file_size for info in infos) > limit:
        raise UserError(f"{path}: more than {limit} bytes when decompressed")
    members: dict[str, _Member] = {}
    for info in infos:
        name = info.filename.removesuffix(".npy")
        if name.endswith(".pkl"):
            raise UserError(f"{path}: {PICKLED}")
        if name == info.filename or not name.isprintable():
            raise UserError(f"{path}: expected the arrays of a .npz file, got {show(info.filename)}")
        if name in members:
            raise UserError(f"{path}: two arrays are called {show(name)}")
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            how = (
                "encrypted"
                if info.flag_bits & 1
                else "compressed in a way that is not read; np.savez_compressed writes what is"
            )
            raise UserError(f"{path}: {name[:80]} is {how}")
        with archive.open(info) as stream:
            header = _npy_header(path, name[:80], stream, info.file_size)
        members[name] = _Member(header, partial(_open_values, archive, info, header.size))
    return list(members.items())


def _open_values(archive: zipfile.ZipFile, info: zipfile.ZipInfo, size: int):
    stream = archive.open(info)
    stream.read(info.file_size - size)
    return stream


def _npy_header(path: str | Path, name: str, stream: IO[bytes], total: int) -> Header:
    """The header of a .npy file of ``total`` bytes, behind which the stream is left.

    Raises
    ------
    UserError
        Where it is no header, or claims what the file does not hold.

    References
    ----------
    numpy.lib.format: the format of .npy files. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
    """
    start = stream.read(8)
    if len(start) < 8 or not start.startswith(_MAGIC) or start[6] not in (1, 2, 3):
        raise UserError(f"{path}: {name} is no array of numpy")
    field = stream.read(2 if start[6] == 1 else 4)
    length = int.from_bytes(field, "little")
    text = stream.read(min(length, _HEADER))
    if len(text) < length:
        raise UserError(f"{path}: {name} has a header that is none")
    plain = ast.literal_eval(text.decode("utf-8" if start[6] == 3 else "latin-1").strip())
    if (
        not isinstance(plain, dict)
        or plain.keys() != {"descr", "fortran_order", "shape"}
        or type(plain["fortran_order"]) is not bool
    ):
        raise UserError(f"{path}: {name} has a header that is none")
    header = Header(_dtype(path, name, plain["descr"]), _shape(path, name, plain["shape"]), plain["fortran_order"])
    _check_claim(path, name, header, total - len(start) - len(field) - len(text))
    return header


def _safetensors(path: str | Path, file: BinaryIO) -> list[tuple[str, _Member]]:
    """The arrays of a .safetensors file, whose places must fill it without overlaps and gaps.

    References
    ----------
    The format of safetensors. https://github.com/huggingface/safetensors#format
    """
    total = Path(path).stat().st_size
    length = int.from_bytes(file.read(8), "little")
    if total < 10 or not 2 <= length <= min(total - 8, _HEADERS):
        raise UserError(f"{path}: not readable as {_FORMS} (it is none of them)")
    plain = json.loads(file.read(length).decode("utf-8"))
    if not isinstance(plain, dict) or len(plain) > MAX_ARRAYS + 1:
        raise UserError(f"{path}: not readable as {_FORMS} (its header is no list of at most {MAX_ARRAYS} arrays)")
    members, places = [], []
    for name, entry in plain.items():
        if name == "__metadata__":
            continue
        if not name.isprintable() or not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
            raise UserError(f"{path}: {show(name)} is no array")
        place = entry["data_offsets"]
        if (
            not isinstance(place, list)
            or len(place) != 2
            or not all(type(end) is int and 0 <= end <= total for end in place)
        ):
            raise UserError(f"{path}: {name[:80]} has no place in the file")
        kind = entry["dtype"]
        dtype = _dtype(path, name[:80], _SAFE.get(kind, kind) if isinstance(kind, str) else kind)
        header = Header(dtype, _shape(path, name[:80], entry["shape"]))
        _check_claim(path, name[:80], header, place[1] - place[0])
        members.append((name, _Member(header, partial(_seek, file, 8 + length + place[0]))))
        places.append(tuple(place))
    end = 0
    for start, stop in sorted(places):
        if start != end:
            raise UserError(f"{path}: not readable as {_FORMS} (its arrays overlap or leave gaps)")
        end = stop
    if end != total - 8 - length:
        raise UserError(
            f"{path}: not readable as {_FORMS} (its arrays are {end} bytes, the file holds {total - 8 - length})"
        )
    return members


def _seek(file: BinaryIO, place: int):
    file.seek(place)
    return nullcontext(file)


def _dtype(path: str | Path, name: str, plain: object) -> np.dtype:
    if isinstance(plain, str) and plain.lstrip("|") == "O":
        raise UserError(f"{path}: {name} holds Python objects, which can run code and are not read")
    if not isinstance(plain, str) or not _TYPE.fullmatch(plain) or not np.dtype(plain).itemsize:
        raise UserError(
            f"{path}: {name} is of a type that is not read, {show(plain)}; expected truth values, integers, floats or "
            "text"
        )
    return np.dtype(plain)


def _shape(path: str | Path, name: str, plain: object) -> tuple[int, ...]:
    sides = tuple(plain) if isinstance(plain, tuple | list) and len(plain) <= MAX_AXES else None
    # beside a side of 0 numpy multiplies the others all the same
    if (
        sides is None
        or not all(type(n) is int and 0 <= n < 2**48 for n in sides)
        or math.prod(n for n in sides if n) >= 2**48
    ):
        raise UserError(f"{path}: {name} has a shape that is none; expected at most {MAX_AXES} sides")
    return sides


def _check_claim(path: str | Path, name: str, header: Header, held: int) -> None:
    if header.size != held:
        claim = f"the shape {header.shape} of {header.dtype}, {header.size} bytes"
        raise UserError(f"{path}: {name} claims {claim}; the file holds {held}")


def _check_text(path: str | Path, name: str, array: np.ndarray) -> None:
    codes = np.ndarray((array.nbytes // 4,), array.dtype.str[0] + "u4", array.tobytes())
    if ((codes > 0x10FFFF) | ((codes >= 0xD800) & (codes < 0xE000))).any():
        raise UserError(f"{path}: {name} holds text with characters that are none")


def _values(path: str | Path, name: str, stream: BinaryIO, size: int) -> bytearray:
    """So many bytes, taken as they come: what a header claims is not allocated before it is there."""
    values = bytearray()
    while len(values) < size:
        portion = stream.read(min(_PORTION, size - len(values)))
        if not portion:
            raise UserError(f"{path}: {name[:80]} ends after {len(values)} of {size} bytes")
        values += portion
    return values
