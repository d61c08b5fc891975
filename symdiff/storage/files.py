"""Files that are read safely: their size is bounded while they are read."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from symdiff.errors import UserError

MAX_BYTES = 2 << 30
MAX_RATIO = 100
"""How many times its own size a gzipped file may hold: text and coordinates reach 3 to 20."""
MIN_EXPANDED = 1 << 20
"""Bytes that a gzipped file may hold whatever its size."""
PICKLED = "a Python pickle, which can run code and is not read; evaluation/README.md says how to convert it"
_PORTION = 1 << 20
_SKIPPED = 1 << 16  # characters of an endless line that are passed over at once
_GZIP, _PICKLE = b"\x1f\x8b", b"\x80"
_COMPRESSED = {"xz": b"\xfd7zXZ\x00", "bzip2": b"BZh", "zstd": b"\x28\xb5\x2f\xfd", "compress": b"\x1f\x9d"}


class Unreadable(UserError):
    """A file that ends before its records do: what is read of it must not pass for all of it."""


def ending(path: str | Path, valid: Sequence[str]) -> str:
    """Tell the ending of a file's name; ``.csv.gz`` counts as ``.csv``.

    Parameters
    ----------
    path : str or Path
        The file.
    valid : sequence of str
        The endings that are allowed, such as ``.csv``.

    Returns
    -------
    str
        One of ``valid``.

    Raises
    ------
    UserError
        For another ending.
    """
    name = Path(path).name.lower().removesuffix(".gz")
    for suffix in valid:
        if name.endswith(suffix):
            return suffix
    raise UserError(f"{path}: expected a file that ends in {', '.join(valid)}")


@contextmanager
def open_bytes(path: str | Path, limit: int = MAX_BYTES) -> Iterator[BinaryIO]:
    """Open a file for reading bytes, decompressed where it is gzipped, never more of them than a limit.

    Compression is told by the first bytes, not by the ending. A gzipped file may hold ``MAX_RATIO`` times its size, or
    1 MiB: what expands further is a bomb, or is better unpacked first. Bounds are looked at while the bytes are read.

    Parameters
    ----------
    path : str or Path
        The file.
    limit : int
        Bytes that are read at most, decompressed.

    Yields
    ------
    BinaryIO
        A buffered reader, one that can seek where the file is not gzipped. Reading raises UserError: too large,
        damaged.

    Raises
    ------
    UserError
        Where there is no such file, or one of another compression or of pickled objects.
    """
    path = Path(path)
    check_size(path, limit)
    with ExitStack() as stack:
        with _explain(path):
            file = stack.enter_context(open(path, "rb"))
            start, size = file.read(8), os.fstat(file.fileno()).st_size
            file.seek(0)
        gzipped = start.startswith(_GZIP)
        _check_start(path, start, gzipped)
        if gzipped:
            limit = min(limit, max(MIN_EXPANDED, MAX_RATIO * size))
            file.seek(max(0, size - 4))
            # such a file ends with its size: a bomb that says so is counted before any record of it is worked on
            suspicious = int.from_bytes(file.read(4), "little") > limit
            file.seek(0)
            if suspicious:
                _count(_Bounded(stack.enter_context(gzip.open(file)), path, limit))
                file.seek(0)
            file = stack.enter_context(io.BufferedReader(_Bounded(stack.enter_context(gzip.open(file)), path, limit)))
            within = file.peek(8)[:8]
            if within.startswith(_GZIP):
                raise UserError(f"{path}: gzipped twice; unpack it first")
            _check_start(path, within, gzipped)
        yield file


@contextmanager
def open_text(path: str | Path, limit: int = MAX_BYTES, errors: str = "replace") -> Iterator[TextIO]:
    """Open a file for reading UTF-8 text, with or without a byte order mark; all line ends are "\\n".

    Parameters
    ----------
    path : str or Path
        The file.
    limit : int
        Bytes that are read at most, decompressed.
    errors : str
        "replace": bytes that are no UTF-8 become a character that no format has, so that one record is broken and no
        other. "strict": they raise UnicodeDecodeError.

    Yields
    ------
    TextIO
        The text; read it by ``lines``, which bounds long ones.
    """
    with (
        open_bytes(path, limit) as stream,
        io.TextIOWrapper(stream, encoding="utf-8-sig", errors=errors, newline=None) as text,
    ):
        yield text


def lines(stream: TextIO, limit: int) -> Iterator[tuple[str, bool]]:
    """Lines without their ends, never more of one in memory than ``limit`` characters.

    Parameters
    ----------
    stream : TextIO
        A text.
    limit : int
        Characters of a line that are kept.

    Yields
    ------
    tuple of str and bool
        A line, and whether it was cut.
    """
    while line := stream.readline(limit + 2):
        cut = False
        while not line.endswith("\n") and (more := stream.readline(_SKIPPED)):
            cut, line = True, line[:limit] + ("\n" if more.endswith("\n") else "")
        line = line.rstrip("\r\n")
        yield line[:limit], cut or len(line) > limit


def read_text(path: str | Path, limit: int = MAX_BYTES) -> str:
    """Read the text of a file, decompressed where it is gzipped.

    Parameters
    ----------
    path : str or Path
        The file.
    limit : int
        Bytes that are read at most, decompressed.

    Returns
    -------
    str
        The text, without a byte order mark.

    Raises
    ------
    UserError
        Missing, too large, damaged, not UTF-8.
    """
    with open_bytes(path, limit) as stream:
        data = stream.read()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: expected UTF-8 text, got byte {data[error.start]:#04x} at {error.start}") from error


def check_size(path: str | Path, limit: int = MAX_BYTES) -> None:
    """Check that a file is there and not too large.

    Parameters
    ----------
    path : str or Path
        The file.
    limit : int
        Bytes that it may have.

    Raises
    ------
    UserError
        Where there is no file, or one of more bytes.
    """
    path = Path(path)
    with _explain(path):
        if not path.is_file():
            raise UserError(f"{path}: no such file")
        if path.stat().st_size > limit:
            raise UserError(f"{path}: {path.stat().st_size} bytes, at most {limit} are read")


def _check_start(path: Path, start: bytes, gzipped: bool) -> None:
    for name, magic in _COMPRESSED.items():
        if start.startswith(magic):
            raise UserError(f"{path}: compressed with {name}, which is not read; unpack it, or compress it with gzip")
    # a .safetensors file begins with the length of its header, in eight bytes
    if start[:1] == _PICKLE and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05") and start[2:3] != b"\x00":
        raise UserError(f"{path}: {PICKLED}")
    if path.name.lower().endswith(".gz") and start and not gzipped:
        raise UserError(f"{path}: cannot be read (not a gzipped file)")


@contextmanager
def _explain(path: Path) -> Iterator[None]:
    """Turn what opening a file raises into one line."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error


def _count(stream: _Bounded) -> None:
    portion = bytearray(_PORTION)
    while stream.readinto(portion):
        pass


class _Bounded(io.RawIOBase):
    """A stream that ends in a UserError behind ``limit`` bytes, and where it is damaged."""

    def __init__(self, stream: gzip.GzipFile, path: Path, limit: int) -> None:
        self.stream, self.path, self.limit, self.count = stream, path, limit, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        try:
            count = self.stream.readinto(buffer)
        except (OSError, EOFError, zlib.error) as error:
            raise Unreadable(f"{self.path}: cannot be read ({error})") from error
        self.count += count
        if self.count > self.limit:
            raise Unreadable(
                f"{self.path}: more than {self.limit} bytes when decompressed; unpack it first if it is what it "
                "should be"
            )
        return count
