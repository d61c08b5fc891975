"""What a file expands to is bounded while it is read; other compressions and pickles are refused."""

import bz2
import functools
import gzip
import lzma
import pickle
import tracemalloc

import pytest

from symdiff.errors import UserError
from symdiff.storage.boundary import describe, reading
from symdiff.storage.files import MIN_EXPANDED, lines, open_bytes, open_text, read_text

compress = functools.partial(gzip.compress, mtime=0)  # the same bytes, and so the same names of tests, in every process


def read_lines(path):
    with open_text(path) as stream:
        return [line for line, _ in lines(stream, 1000)]


READERS = (read_text, read_lines)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lzma.compress(b"CCO\n"), "compressed with xz"),
        (bz2.compress(b"CCO\n"), "compressed with bzip2"),
        (b"\x28\xb5\x2f\xfdrest", "compressed with zstd"),
        (pickle.dumps(["CCO"]), "a Python pickle"),
        (pickle.dumps(["CCO"], 2), "a Python pickle"),
        (compress(b"CCO\n" * 999)[:-12], "cannot be read"),
        (compress(compress(b"CCO\n")), "gzipped twice"),
        (compress(pickle.dumps(["CCO"])), "a Python pickle"),
        (compress(lzma.compress(b"CCO\n")), "compressed with xz"),
        (b"\x1f\x8b\x08rest", "cannot be read"),
        (compress(b"CCO\n") + b"more", "cannot be read"),
    ],
)
def test_what_is_not_read(read, content, message, tmp_path):
    path = tmp_path / "a.smi"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("read", READERS)
def test_names_that_are_no_files(read, tmp_path):
    (tmp_path / "a.gz").write_bytes(b"CCO\n")
    for name in ("missing", "a.gz", "", "x" * 5000, "a\x00b"):
        with pytest.raises(UserError):
            read(tmp_path / name)


@pytest.mark.parametrize("read", READERS)
def test_gzip_is_told_by_what_a_file_holds(read, tmp_path):
    for name in ("a.smi", "a.smi.gz"):
        (tmp_path / name).write_bytes(compress(b"\xef\xbb\xbfCCO\r\nCC\n"))
        assert "".join(read(tmp_path / name)).replace("\r", "").replace("\n", "") == "CCOCC"


@pytest.mark.parametrize("read", READERS)
def test_bombs_end_early(read, tmp_path):
    (tmp_path / "bomb.gz").write_bytes(compress(bytes(64 << 20)))
    tracemalloc.start()
    with pytest.raises(UserError, match="more than .* bytes when decompressed"):
        read(tmp_path / "bomb.gz")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 << 20


def test_ordinary_repetition_is_no_bomb(tmp_path):
    (tmp_path / "a.gz").write_bytes(compress(bytes(MIN_EXPANDED)))
    with open_bytes(tmp_path / "a.gz") as stream:
        assert len(stream.read()) == MIN_EXPANDED


def test_an_endless_line_is_cut(tmp_path):
    (tmp_path / "a").write_text("x" * 300_000 + "\nCC\n" + "y" * 12)
    with open_text(tmp_path / "a") as stream:
        assert list(lines(stream, 10)) == [("x" * 10, True), ("CC", False), ("y" * 10, True)]


def test_every_error_is_one_line():
    for error in (
        ValueError("a\nb"),
        KeyError(),
        MemoryError(),
        RecursionError("deep"),
        RuntimeError("x" * 9999),
        OSError(5, "I/O"),
    ):
        with pytest.raises(UserError, match="^f: not readable as GraphML") as caught, reading("f", "GraphML"):
            raise error
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 300 and describe(error)
    with pytest.raises(UserError, match="^mine$"), reading("f", "GraphML"):
        raise UserError("mine")
