"""Whatever a file holds, both verbs end in one line or in reasons of records, and within bounds of memory."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

pytestmark = pytest.mark.slow  # starts processes that import torch

ROOT = Path(__file__).parents[2]
MEMORY = 512
"""MiB that one file may take beyond what was in memory before: some hundred times the largest of these files."""
ADDRESSES = 12 << 30
"""Bytes of address space: torch alone maps several GiB of libraries."""

XYZ = "3\ncharge=0\nO 0 0 0.12\nH 0 0.76 -0.48\nH 0 -0.76 -0.48\n"
MOL = (
    "\n  made by hand\n\n  2  1  0  0  0  0  0  0  0  0999 V2000\n"
    "    0.0000    0.0000    0.0000 C   0  0\n    1.5000    0.0000    0.0000 O   0  0\n  1  2  1  0\nM  END\n$$$$\n"
)
GRAPHML = (
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><key id="l" for="node" attr.name="label" attr.type="long"/>'
    '<graph edgedefault="undirected">'
    '<node id="a"><data key="l">1</data></node><node id="b"/><edge source="a" target="b"/></graph></graphml>'
)
DUMP = "N=3\nX: \n0 1 0 \nE: \n0 1 0 \n1 0 1 \n0 1 0 \n\nN=1\nX: \n0 \nE: \n0 \n\n"


def npz(write=np.savez_compressed, **arrays) -> bytes:
    buffer = io.BytesIO()
    write(buffer, **{name: np.asarray(value) for name, value in arrays.items()})
    return buffer.getvalue()


COLUMNS = {"num_nodes": np.array([2, 3]), "edge_ptr": np.array([0, 1, 3]), "edges": np.array([[0, 1], [0, 1], [1, 2]])}
WATER = {
    "z": np.array([8, 1, 1], np.uint8),
    "pos": np.array([[0, 0, 0.12], [0, 0.76, -0.48], [0, -0.76, -0.48]]),
    "offsets": np.array([0, 3]),
}
SEEDS = {
    "a.smi": b"CCO\nc1ccccc1\nC\n",
    "a.csv": b"name,smiles\nx,CCO\ny,C\n",
    "a.sdf": 2 * MOL.encode(),
    "a.xyz": 2 * XYZ.encode(),
    "a.graphml": GRAPHML.encode(),
    "dump.txt": DUMP.encode(),
    "columns.npz": npz(**COLUMNS),
    "stored.npz": npz(np.savez, **COLUMNS),
    "columns.safetensors": save(COLUMNS),
    "atoms.npz": npz(**COLUMNS, element=[6, 8, 6, 6, 7], charge=[0] * 5, order=[1, 1, 3]),
    "dense.npz": npz(arr_0=np.ones((4, 4), int) - np.eye(4, dtype=int)),
    "dense.npy": np.lib.format.magic(1, 0) + struct.pack("<H",
        70) + b"{'descr': '<i8', 'fortran_order': False, 'shape': (2, 2), }".ljust(69) + b"\n" + np.array([[0, 1],
            [1, 0]]).tobytes(),
    "water.npz": npz(**WATER),
    "spins.npz": npz(spins=np.ones((3, 4, 4), np.int8), lattice="square", model="ising", states=2,
        coupling=np.ones((4, 4, 2)), temperature=[1.0, 2, 3]),
}  # fmt: skip


def bomb(name: str, dtype: str, shape: tuple[int, ...], others: dict, value: int = 0) -> bytes:
    """A .npz file whose array ``name`` is truly as large as it says, of one value."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    buffer = io.BytesIO(npz(**others))
    with (
        zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open(f"{name}.npy", "w", force_zip64=True) as member,
    ):
        np.lib.format.write_array_header_1_0(member, {"descr": dtype, "fortran_order": False, "shape": shape})
        for start in range(0, size, 1 << 22):
            member.write(bytes([value]) * min(1 << 22, size - start))
    return buffer.getvalue()


def lying(name: str, shape: str, arrays: dict) -> bytes:
    """A .npz file whose array ``name`` claims another shape than it has."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for key, value in arrays.items():
            part = io.BytesIO()
            np.save(part, value)
            claimed = shape if key == name else value.shape
            header = f"{{'descr': '{value.dtype.str}', 'fortran_order': False, 'shape': {claimed}, }}".encode()
            body = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + value.tobytes()
            archive.writestr(f"{key}.npy", body)
    return buffer.getvalue()


def bombs() -> dict[str, bytes]:
    large = 200 << 20
    spins = {"lattice": np.array("square"), "model": np.array("ising"), "states": np.array(2)}
    return {
        "zeros.smi.gz": gzip.compress(bytes(large), 1),
        "lines.smi.gz": gzip.compress((b" " * 99 + b"\n") * (2 << 14)),
        "methane.csv.gz": gzip.compress(b"smiles,x\n" + (b"C," + b"x" * 99 + b"\n") * (2 << 14)),
        "commas.csv": b"smiles" + b"," * 300_000 + b"\nC\n",
        "blocks.sdf.gz": gzip.compress((b"x" * 999 + b"\n\n\n\n$$$$\n") * (1 << 12)),
        "counts.xyz.gz": gzip.compress((b"1\n" + b"x" * 3999 + b"\nH 0 0 0\n") * (1 << 10)),
        "counts.xyz": b"999999999\n\nH 0 0 0\n" * 2000,
        "nodes.graphml.gz": gzip.compress(GRAPHML.replace("<node id", "<node/>" * (1 << 18) + "<node id", 1).encode()),
        "deep.graphml": GRAPHML.replace("<graph ", "<graph>" * 20_000 + "<graph ", 1).encode(),
        "entities.graphml": ('<!DOCTYPE x [<!ENTITY a "' + "x" * 50_000 + '">]>' + GRAPHML).encode(),
        "sizes.txt": b"N=999999999\nX:\n0\nE:\n0\n" * 2000,
        "dump.txt.gz": gzip.compress(b"N=1024\nX:\n" + b"0 " * (1 << 20)),
        "bomb.npz": bomb("edges", "<i8", (large // 16, 2), {"num_nodes": [2], "edge_ptr": [0, 1]}),
        "graphs.npz": bomb("num_nodes", "|i1", (16 << 20,), {"edge_ptr": [0, 1], "edges": [[0, 1]]}, 1),
        "atoms.npz": bomb("z", "|u1", (16 << 20,), {"pos": np.zeros((1, 3)), "offsets": [0, 1]}, 1),
        "spins.npz": bomb("spins", "|i1", (20 << 10, 100, 100), spins, 1),
        "coupling.npz": bomb("coupling", "|i1", (4, 4, 1 << 22), {**spins, "spins": np.ones((2, 4, 4), np.int8)}, 1),
        "states.npz": npz(**{**spins, "model": "potts", "states": 10**9}, spins=np.ones((2, 4, 4), np.int8)),
        "matrices.npz": bomb("arr_0", "|b1", (30, 1024, 1024), {}),
        "long.npz": lying("num_nodes", "(1000000000,)", COLUMNS),
        "product.npz": lying("edges", "(4611686018427387904, 4)", COLUMNS),
        "nothing.npz": lying("num_nodes", "(0, 9223372036854775807)", COLUMNS),
        "spins-lie.npz": lying("spins", "(1000000, 1000, 1000)", {"spins": np.ones((2, 4, 4), np.int8)}),
        "pickled.npz": npz(num_nodes=np.array([{}], object), edge_ptr=[0], edges=[[0, 1]]),
        "methods.npz": zipped(zipfile.ZIP_LZMA),
        "offsets.npz": npz(**{**WATER, "offsets": np.array([0, 2**62])}),
        "numbers.npz": npz(**{**COLUMNS, "num_nodes": np.array([2**62, 2**62])}),
        "labels.npz": npz(**COLUMNS, node_label=np.array([2**62] * 5)),
    }


def zipped(method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("num_nodes.npy", b"x" * 100)
    return buffer.getvalue()


def mutants() -> dict[str, bytes]:
    """Every seed cut, with other first bytes, with a byte changed here and there, and packed as what it is not."""
    rng, found = random.Random(0), {}
    for name, content in SEEDS.items():
        stem, _, suffix = name.partition(".")
        for k in (1, 2, 3):
            found[f"{stem}-cut{k}.{suffix}"] = content[: len(content) * k // 4]
            changed = bytearray(content)
            for _ in range(k):
                changed[rng.randrange(len(content))] = rng.randrange(256)
            found[f"{stem}-changed{k}.{suffix}"] = bytes(changed)
        found[f"{stem}-empty.{suffix}"] = b""
        found[f"{stem}-magic.{suffix}"] = b"\x93NUMPY" + content
        found[f"{stem}-cut.{suffix}.gz"] = gzip.compress(content)[:-9]
        found[f"{stem}-twice.{suffix}.gz"] = gzip.compress(gzip.compress(content))
    for digits in ("\u00b2", "9" * 4301, "-1", "1e400", "nan"):
        tag = digits[:3].encode().hex()
        found[f"count-{tag}.xyz"] = XYZ.replace("3", digits, 1).encode()
        found[f"place-{tag}.xyz"] = XYZ.replace("0.12", digits, 1).encode()
        found[f"charge-{tag}.xyz"] = XYZ.replace("charge=0", f"charge={digits}", 1).encode()
        found[f"counts-{tag}.sdf"] = MOL.replace("  2  1  0", f"{digits[:3]:>3}  1  0", 1).encode()
        found[f"label-{tag}.graphml"] = GRAPHML.replace(">1<", f">{digits}<").encode()
        found[f"label-{tag}.txt"] = DUMP.replace("0 1 0", f"0 {digits} 0", 1).encode()
        found[f"size-{tag}.txt"] = DUMP.replace("N=3", f"N={digits}", 1).encode()
    return found


def run(folder: Path, files: dict[str, bytes]) -> list[dict]:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    limit = (
        f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({ADDRESSES}, {ADDRESSES})); "
        f"import runpy, sys; sys.argv = ['hostile', {str(folder)!r}]; "
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            limit + f"runpy.run_path({str(Path(__file__).with_name('hostile.py'))!r}, run_name='__main__')",
        ],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "evaluation")]),
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert {one["file"] for one in outcomes} == files.keys()
    return outcomes


@pytest.mark.parametrize("files", [bombs, mutants])
def test_every_file_ends_in_a_line_or_in_reasons(files, tmp_path):
    for one in run(tmp_path / "files", files()):
        assert one["outcome"] != "raised", (one["file"], one["verb"], one["line"])
        assert "\n" not in one["line"] and len(one["line"]) < 2000, one
        assert one["mebibytes"] < MEMORY, one
        if one["file"].endswith(".gz"):  # cut or a bomb: what was read until then must not pass for all of it
            assert one["outcome"] == "refused", one


def test_the_seeds_are_read(tmp_path):
    for one in run(tmp_path / "files", SEEDS):
        assert one["outcome"] == "read", one
