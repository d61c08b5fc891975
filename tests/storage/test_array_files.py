"""Files of arrays.

What numpy and safetensors write is read alike, what lies or is damaged is one line within bounds.
"""

import io
import json
import struct
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save

from symdiff.errors import UserError
from symdiff.storage.arrays import read_arrays, read_headers

ARRAYS = {
    "a": np.arange(6, dtype=np.int16).reshape(2, 3),
    "f": np.linspace(0, 1, 5, dtype=np.float32),
    "b": np.array([True, False]),
    "none": np.zeros((0, 2), np.int64),
    "one": np.array(3.5),
}
TEXT = {
    "lattice": np.array("square"),
    "empty": np.array([], "U3"),
    "bytes": np.array([b"H", b"Cl"]),
    "order": np.asfortranarray(ARRAYS["a"]),
    "big": np.arange(3, dtype=">i4"),
}


def npy(header: bytes, body: bytes = b"", version: bytes = b"\x01\x00", length: int | None = None) -> bytes:
    size = struct.pack("<H" if version[0] == 1 else "<I", len(header) if length is None else length)
    return b"\x93NUMPY" + version + size + header + body


def header(descr="<i8", shape="(2,)", fortran="False") -> bytes:
    return f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n".encode()


def zipped(content: bytes, name="a.npy", method=zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def safe(entries: object, body: bytes = b"") -> bytes:
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + body


GOOD = npy(header(), bytes(16))
BODIES = {
    "no magic": b"hello",
    "empty": b"",
    "version 9": npy(header(), bytes(16), b"\x09\x00"),
    "header longer than the file": npy(header(), bytes(16), length=60_000),
    "header of 4 GB": npy(header(), bytes(16), b"\x02\x00", length=2**32 - 1),
    "header that is none": npy(b"hello", bytes(16)),
    "header of brackets": npy(b"(" * 5000, bytes(16)),
    "header of a list": npy(b"[1, 2]", bytes(16)),
    "header with a key more": npy(b"{'descr': '<i8', 'fortran_order': False, 'shape': (2,), 'x': 1}", bytes(16)),
    "header with a long number": npy(header(shape="(" + "9" * 5000 + ",)"), bytes(16)),
    "header that is called": npy(b"__import__('os')", bytes(16)),
    "objects": npy(header("|O"), bytes(16)),
    "structures": npy(b"{'descr': [('a', '<i8')], 'fortran_order': False, 'shape': (2,)}", bytes(16)),
    "dates": npy(header("<M8[s]"), bytes(16)),
    "complex": npy(header("<c16"), bytes(32)),
    "nothing as text": npy(header("<U0", f"({2**40},)"), b""),
    "no such type": npy(header("<i3"), bytes(6)),
    "text of no characters": npy(header("<U1"), b"\xff" * 8),
    "half characters": npy(header("<U1", "(1,)"), b"\x00\xd8\x00\x00"),
    "more than it holds": npy(header(shape="(1000000000,)"), bytes(16)),
    "less than it holds": npy(header(shape="(1,)"), bytes(16)),
    "overflow": npy(header(shape=f"({2**40}, {2**40})"), bytes(16)),
    "overflow beside 0": npy(header(shape=f"(0, {2**47}, {2**47})"), b""),
    "negative": npy(header(shape="(-2,)"), bytes(16)),
    "true": npy(header(shape="(True, 2)"), bytes(16)),
    "fraction": npy(header(shape="(2.0,)"), bytes(16)),
    "many axes": npy(header(shape="(" + "1, " * 70 + ")"), bytes(8)),
    "cut": GOOD[:-1],
}
ZIPS = {
    **{f"zip: {name}": zipped(body) for name, body in BODIES.items()},
    **{f"npy: {name}": body for name, body in BODIES.items() if body.startswith(b"\x93NUMPY")},
    "lzma": zipped(GOOD, method=zipfile.ZIP_LZMA),
    "bzip2": zipped(GOOD, method=zipfile.ZIP_BZIP2),
    "pickle": zipped(b"\x80\x02}q\x00.", "archive/data.pkl"),
    "other member": zipped(b"hello", "notes.txt"),
    "line break": zipped(GOOD, "a\nb.npy"),
    "cut zip": zipped(GOOD)[:-30],
    "damaged": zipped(GOOD).replace(GOOD[10:14], b"\x00\xff\x00\xff", 1)
    if GOOD[10:14] in zipped(GOOD)
    else zipped(GOOD)[:60] + b"\xff\xff\xff" + zipped(GOOD)[63:],
    "no zip": b"PK\x03\x04 and no more",
}
_ONE = {"dtype": "I64", "shape": [2], "data_offsets": [0, 16]}
SAFE = {
    "short": b"\x10",
    "long header": struct.pack("<Q", 2**62) + b"{}",
    "no json": safe(b"{hello}"),
    "no utf-8": safe(b"\xff\xfe\xff\xfe"),
    "deep": safe(b"[" * 5000),
    "long number": safe(b'{"a": ' + b"9" * 5000 + b"}"),
    "a list": safe([1]),
    "no entry": safe({"a": 3}, bytes(16)),
    "no type": safe({"a": {**_ONE, "dtype": "OBJECT"}}, bytes(16)),
    "a list as type": safe({"a": {**_ONE, "dtype": []}}, bytes(16)),
    "half floats of brains": safe({"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}, bytes(4)),
    "more than it holds": safe({"a": {**_ONE, "shape": [10**9]}}, bytes(16)),
    "shape that is none": safe({"a": {**_ONE, "shape": "2"}}, bytes(16)),
    "places beyond": safe({"a": {**_ONE, "data_offsets": [0, 32], "shape": [4]}}, bytes(16)),
    "places that are none": safe({"a": {**_ONE, "data_offsets": ["0", 16]}}, bytes(16)),
    "overlap": safe({"a": _ONE, "b": _ONE}, bytes(16)),
    "gap": safe({"a": {**_ONE, "data_offsets": [16, 32]}}, bytes(32)),
    "more bytes": safe({"a": _ONE}, bytes(17)),
    "text": b"N=3\nX:\n6 6 8\nE:\n0 1 0\n",
}


@pytest.mark.parametrize("content", [*ZIPS.values(), *SAFE.values()], ids=[*ZIPS, *SAFE])
def test_what_is_no_file_of_arrays_is_one_line(content, tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    tracemalloc.start()
    with warnings.catch_warnings(), pytest.raises(UserError) as caught:
        warnings.simplefilter("error")
        read_arrays(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value) and len(str(caught.value)) < 600
    assert peak < 64 << 20


@pytest.mark.slow
def test_bombs_end_before_they_expand(tmp_path):
    with (
        zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.npy", "w") as member,
    ):
        member.write(npy(header("|u1", f"({300 << 20},)")))
        for _ in range(300):
            member.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(UserError, match="when decompressed"):
        read_arrays(tmp_path / "a.npz")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 << 20


def test_a_member_whose_size_lies_is_not_believed(tmp_path):
    claimed = header("|u1", f"({100 << 20},)")
    body = npy(claimed, bytes(1000))
    content = zipped(body)
    lie = struct.pack("<I", len(body) - 1000 + (100 << 20))
    content = content.replace(struct.pack("<I", len(body)), lie)
    (tmp_path / "a.npz").write_bytes(content)
    tracemalloc.start()
    with pytest.raises(UserError):
        read_arrays(tmp_path / "a.npz")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 << 20


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_truncations(cut, tmp_path):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **ARRAYS)
    for content in (buffer.getvalue(), save(dict(ARRAYS))):
        (tmp_path / "a").write_bytes(content[: len(content) * cut // 400])
        with pytest.raises(UserError):
            read_arrays(tmp_path / "a")


def test_what_numpy_writes_is_read(tmp_path):
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "a.npz", **ARRAYS, **TEXT)
        arrays, headers = read_arrays(tmp_path / "a.npz"), read_headers(tmp_path / "a.npz")
        assert list(arrays) == list(headers) == [*ARRAYS, *TEXT]
        for name, value in {**ARRAYS, **TEXT}.items():
            np.testing.assert_array_equal(arrays[name], value)
            assert arrays[name].dtype == value.dtype.newbyteorder("=") and arrays[name].flags.writeable
            assert headers[name].shape == value.shape and headers[name].size == value.nbytes
    np.save(tmp_path / "a.npy", ARRAYS["a"])
    np.testing.assert_array_equal(read_arrays(tmp_path / "a.npy")["arr_0"], ARRAYS["a"])


def test_what_safetensors_writes_is_read(tmp_path):
    for pad in range(0, 900, 8):  # among them a header of 640 bytes, whose length looks like the start of a pickle
        (tmp_path / "a.safetensors").write_bytes(save(ARRAYS, {"about": "x" * pad}))
        arrays = read_arrays(tmp_path / "a.safetensors")
        assert arrays.keys() == read_headers(tmp_path / "a.safetensors").keys() == ARRAYS.keys()
        for name, value in ARRAYS.items():
            np.testing.assert_array_equal(arrays[name], value)
            assert arrays[name].dtype == value.dtype
