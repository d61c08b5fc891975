"""Broken files of samples: every one is evaluated or refused in a line, in 5 seconds of work and 1 GB of memory.

    python benchmarks/fuzz_evaluation.py [--count 5000] [--seed 0] [--minutes 60] [--only .npz] [--out fuzz.json]

Small files of all endings and kinds are mutated: bytes, numbers and lines of text, arrays of arrays. Each goes through
the whole command in a process of its own, forked from one that has the modules. Told are the number of files by ending
that were evaluated and refused, the slowest and the largest, and every failure: a traceback, a signal, a limit, an
error of several lines or one that does not name the file, a row of samples.csv that does not name file and record, or
that is not valid and does not say why.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import os
import random
import re
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import numpy as np

SECONDS, MEGABYTES = 5, 1024
SMILES = ["CCO", "c1ccccc1O", "CC(=O)N", "C[C@H](N)C(=O)O", "C.C", "[NH4+]", "C1CC1C#N", "OC1CCCCC1"]
NUMBERS = ["0", "-1", "1e308", "nan", "inf", "999999999", "2147483648", "1.5", "", "007", "99999999999999999999", "x"]


def originals() -> dict[str, tuple[bytes | dict[str, np.ndarray], list[str]]]:
    """Small good files by name: their bytes or arrays, and arguments of the command."""
    text = "\n".join(f"{smiles} name{k}" for k, smiles in enumerate(SMILES)).encode()
    table = "\n".join(["id,SMILES,mass", *(f"{k},{smiles},{k * 1.5}" for k, smiles in enumerate(SMILES))]).encode()
    z, pos, offsets = np.array([8, 1, 1, 6, 1, 1, 1, 1], np.uint8), _positions(), np.array([0, 3, 8])
    frames = []
    for start, stop in zip(offsets, offsets[1:], strict=False):
        rows = [
            f"{'HHHHHHCNO'[n]} {x:.4f} {y:.4f} {w:.4f}"
            for n, (x, y, w) in zip(z[start:stop], pos[start:stop], strict=True)
        ]
        frames.append("\n".join([str(stop - start), 'Properties=species:S:1:pos:R:3 pbc="F F F"', *rows]))
    xyz = ("\n".join(frames) + "\n").encode()
    graphs = {
        "num_nodes": np.array([4, 3, 6]),
        "edge_ptr": np.array([0, 4, 6, 12]),
        "edges": np.array(
            [[0, 1], [1, 2], [2, 3], [0, 3], [0, 1], [1, 2], [0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [0, 5]]
        ),
        "node_label": np.arange(13) % 3,
    }
    spins = {
        "spins": np.where(np.random.default_rng(0).random((12, 4, 4)) < 0.5, 1, -1).astype(np.int8),
        "temperature": np.full(12, 2.0),
    }
    three = ["--protocol", "molecule-3d"]
    found: dict[str, tuple[bytes | dict[str, np.ndarray], list[str]]] = {
        "a.smi": (text, []), "a.txt": (text, []), "a.csv": (table, []), "a.smi.gz": (text, []), "a.csv.gz": (table, []),
        "a.sdf": (_blocks(), []), "b.sdf": (_blocks(), three), "a.xyz": (xyz, []), "a.extxyz": (xyz, []),
        "a.xyz.gz": (xyz, []),
        "g.npz": (graphs, []), "g.safetensors": (graphs, []), "g.graphml": (_graphml(), []),
        "b.npz": (_molecules(), []), "b.safetensors": (_molecules(), []), "b.graphml": (_molecules_drawn(), []),
        "m.npz": ({"offsets": offsets, "z": z, "pos": pos}, three), "s.npz": (spins, []), "s.safetensors": (spins, []),
    }  # fmt: skip
    return found


def packed(content: bytes | dict[str, np.ndarray], name: str) -> bytes:
    """The file as it should be."""
    if isinstance(content, dict):
        return pack(content, name)
    return gzip.compress(content, 1, mtime=0) if name.endswith(".gz") else content


def mutated(content: bytes | dict[str, np.ndarray], name: str, rng: random.Random) -> bytes:
    """A file that is a little, or very, wrong."""
    if isinstance(content, dict):
        packed = pack({key: np.array(value) for key, value in content.items()}, name)
        if rng.random() < 0.25:
            return broken_bytes(packed, rng)
        arrays = {key: np.array(value) for key, value in content.items()}
        for _ in range(rng.randint(1, 3)):
            arrays = broken_arrays(arrays, rng)
        return pack(arrays, name)
    for _ in range(rng.randint(1, 4)):
        content = rng.choice((broken_bytes, broken_numbers, broken_lines))(content, rng)
    if name.endswith(".gz"):
        content = gzip.compress(content, 1, mtime=0)
        return broken_bytes(content, rng) if rng.random() < 0.3 else content
    return content


def broken_bytes(data: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, put in, left out or repeated; or the end cut off."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 3, 20))):
        place, size = rng.randint(0, len(out)), rng.choice((1, 1, 4, 64))
        match rng.randrange(5):
            case 0 if place < len(out):
                out[place] = rng.randrange(256)
            case 1:
                out[place:place] = bytes(rng.randrange(256) for _ in range(size))
            case 2:
                del out[place : place + size]
            case 3:
                out[place:place] = out[place : place + size] * rng.choice((1, 2, 50))
            case 4 if rng.random() < 0.2:
                del out[place:]
    return bytes(out)


def broken_numbers(data: bytes, rng: random.Random) -> bytes:
    """One number in a text is another."""
    found = list(re.finditer(rb"-?\d+(\.\d+)?", data))
    if not found:
        return data
    one = rng.choice(found)
    return data[: one.start()] + rng.choice(NUMBERS).encode() + data[one.end() :]


def broken_lines(data: bytes, rng: random.Random) -> bytes:
    """Lines exchanged, left out, repeated, joined, or endless."""
    lines = data.split(b"\n")
    place, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(5):
        case 0:
            lines[place], lines[other] = lines[other], lines[place]
        case 1:
            del lines[place]
        case 2:
            lines[place:place] = [lines[other]] * rng.choice((1, 5, 200))
        case 3:
            lines[place] += rng.choice((b"", b" ", b"\t", b",", b"\0")) + lines[other]
        case 4:
            lines[place] *= rng.choice((2, 100, 5000))
    return b"\n".join(lines)


def broken_arrays(arrays: dict[str, np.ndarray], rng: random.Random) -> dict[str, np.ndarray]:
    """One array with other values, another shape or type, another name, or none."""
    name = rng.choice(sorted(arrays)) if arrays else "x"
    value = np.array(arrays.get(name, np.zeros(3)))
    with np.errstate(all="ignore"):
        match rng.randrange(9):
            case 0 | 1 | 2 if value.size and value.dtype.kind in "biufc":
                strange = rng.choice((0, -1, 1, 7, 255, 1000, 2**31, 2**62, 1e30, float("nan"), float("inf")))
                flat = value.astype(np.float64 if isinstance(strange, float) else np.int64).ravel()
                flat[[rng.randrange(flat.size) for _ in range(rng.choice((1, 1, flat.size)))]] = strange
                value = (
                    flat.reshape(value.shape) if rng.random() < 0.5 else flat.reshape(value.shape).astype(value.dtype)
                )
            case 3:
                value = value[: rng.randint(0, len(value))] if value.ndim else value
            case 4:
                value = np.concatenate([value] * rng.choice((2, 3, 100))) if value.ndim else value
            case 5:
                value = rng.choice(
                    (
                        value.ravel(),
                        value[..., None],
                        value.T,
                        value[None],
                        np.zeros((0,) + value.shape[1:]),
                        np.array(3),
                    )
                )
            case 6:
                value = value.astype(
                    rng.choice((np.float16, np.float64, np.int8, np.uint64, np.bool_, np.complex64, "U8"))
                )
            case 7:
                return {key: one for key, one in arrays.items() if key != name}
            case 8:
                return {
                    **arrays,
                    rng.choice(
                        ("x", "split", "input_edges", "coupling", "field", "chain", "charge", "edge_label")
                    ): value,
                }
    return {**arrays, name: value}


def pack(arrays: dict[str, np.ndarray], name: str) -> bytes:
    """Arrays as a file of that ending."""
    if name.endswith(".npz"):
        stream = io.BytesIO()
        np.savez(stream, **arrays)
        return stream.getvalue()
    from safetensors.numpy import save

    kinds = "biuf"  # what the format holds
    return save(
        {
            key: np.ascontiguousarray(
                value
                if value.dtype.kind in kinds
                else value.real.astype(np.float64)
                if value.dtype.kind == "c"
                else np.zeros(3)
            )
            for key, value in arrays.items()
        }
    )


def _positions() -> np.ndarray:
    water = [[0, 0, 0.12], [0, 0.76, -0.48], [0, -0.76, -0.48]]
    methane = [[0, 0, 0], [0.63, 0.63, 0.63], [-0.63, -0.63, 0.63], [-0.63, 0.63, -0.63], [0.63, -0.63, -0.63]]
    return np.array(water + methane, np.float32)


def _blocks() -> bytes:
    from rdkit import Chem
    from rdkit.Chem import AllChem

    blocks = []
    for smiles in ("CCO", "C1CC1", "O"):
        mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
        AllChem.EmbedMolecule(mol, randomSeed=1)
        blocks.append(Chem.MolToMolBlock(mol) + "$$$$\n")
    return "".join(blocks).encode()


def _molecules() -> dict[str, np.ndarray]:
    """Ethanol, hydrogen cyanide, ammonium, carbon monoxide."""
    return {
        "num_nodes": np.array([3, 2, 1, 2]), "edge_ptr": np.array([0, 2, 3, 3, 4]),
        "edges": np.array([[0, 1], [1, 2], [0, 1], [0, 1]]),
        "element": np.array([6, 6, 8, 6, 7, 7, 6, 8]), "charge": np.array([0, 0, 0, 0, 0, 1, -1, 1]),
        "order": np.array([1, 1, 3, 3]),
    }  # fmt: skip


def _molecules_drawn() -> bytes:
    import networkx as nx

    source = nx.path_graph(4)
    nx.set_node_attributes(source, dict(zip(source, "CCNO", strict=True)), "element")
    nx.set_node_attributes(source, {0: 0, 1: 0, 2: 1, 3: -1}, "charge")
    nx.set_edge_attributes(source, 1, "order")
    return "\n".join(nx.generate_graphml(source)).encode()


def _graphml() -> bytes:
    import networkx as nx

    source = nx.cycle_graph(5)
    nx.set_node_attributes(source, {k: k % 2 for k in source}, "label")
    return "\n".join(nx.generate_graphml(source)).encode()


def command(path: Path, arguments: list[str], out: Path) -> int:
    """The whole command in this process."""
    from symdiff_evaluation.__main__ import main

    return main([str(path), "--out", str(out), "--json", *arguments])


def alone(path: Path, arguments: list[str], folder: Path) -> tuple[str, str, float, float]:
    """What the command does in a process with limits.

    "evaluated", "refused" or what went wrong, details, seconds, megabytes.
    """
    told, grown = folder / "told.txt", folder / "grown.txt"
    child = os.fork()
    if child == 0:
        code = 99
        try:
            used = _kilobytes("VmSize")
            resource.setrlimit(resource.RLIMIT_AS, ((used + (MEGABYTES << 10)) << 10,) * 2)
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
            with told.open("w") as stream, open(os.devnull, "w") as nowhere:
                sys.stdout, sys.stderr = nowhere, stream
                try:
                    code = command(path, arguments, folder / "out")
                except BaseException:  # whatever it is, it is what this script looks for
                    traceback.print_exc(file=stream)
            grown.write_text(str(_kilobytes("VmPeak") - used))
        finally:
            os._exit(code)
    _, status, usage = os.wait4(child, 0)
    said = told.read_text(errors="replace") if told.exists() else ""
    silent = unexplained(folder / "out" / "samples.csv", path.name)
    shutil.rmtree(folder / "out", ignore_errors=True)
    used = usage.ru_utime + usage.ru_stime, int(grown.read_text()) / 1024 if grown.exists() else MEGABYTES
    grown.unlink(missing_ok=True)
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}", said[-500:], *used
    match os.WEXITSTATUS(status):
        case 0 if silent:
            return "a row that does not say its file, record and reason", silent, *used
        case 0:
            return "evaluated", "", *used
        case 2 if said.startswith("error: ") and said.count("\n") == 1 and path.name in said:
            return "refused", said, *used
        case 2:
            return "an error that does not name the file in a line", said[-500:], *used
        case _:
            return "traceback", said[-1500:], *used


def unexplained(table: Path, name: str) -> str:
    """The first row of samples.csv that is not of file ``name`` and a record of it, or is not valid without a reason.

    "" for none.
    """
    if not table.is_file():
        return ""
    with table.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            why = any(value for column, value in row.items() if column.endswith("reason"))
            if row["file"] != name or not row["record"].isdigit() or (row["valid"] == "false" and not why):
                return str(row)
    return ""


def _kilobytes(name: str) -> int:
    """Of this process's address space: what it has (VmSize), or had at most (VmPeak)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--only", default="", help="files whose name ends so")
    parser.add_argument("--keep", type=Path, help="folder for the files that failed")
    parser.add_argument("--out", type=Path, help="what is told at the end, as JSON")
    arguments = parser.parse_args()
    import symdiff_evaluation.core.command as evaluation

    evaluation.available_processors = lambda: 0  # all in one process: the limits here are those that count
    rng, begun = random.Random(arguments.seed), time.monotonic()
    sources = {name: one for name, one in originals().items() if name.endswith(arguments.only)}
    verdicts: Counter[tuple[str, str]] = Counter()
    slowest = largest = 0.0
    failures: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name, (content, more) in sources.items():  # loads all modules once, before forking
            (folder / name).write_bytes(packed(content, name))
            with open(os.devnull, "w") as nowhere:
                shown, sys.stdout = sys.stdout, nowhere
                code = command(folder / name, more, folder / "out")
                sys.stdout = shown
            shutil.rmtree(folder / "out")
            assert code == 0, name
        print(f"{len(sources)} good files, loaded in {time.monotonic() - begun:.0f} s", flush=True)
        for number in range(arguments.count):
            if time.monotonic() - begun > 60 * arguments.minutes:
                break
            name = sorted(sources)[number % len(sources)]
            content, more = sources[name]
            path = folder / name
            path.write_bytes(mutated(content, name, rng))
            verdict, said, seconds, megabytes = alone(path, more, folder)
            if number % 250 == 249:
                print(
                    f"{number + 1} files, slowest {slowest:.2f} s, largest {largest:.0f} MB, "
                    f"{time.monotonic() - begun:.0f} s",
                    flush=True,
                )
            verdicts[name.split(".", 1)[1], verdict] += 1
            slowest, largest = max(slowest, seconds), max(largest, megabytes)
            if verdict not in ("evaluated", "refused"):
                print(f"\nfile {number} ({name}): {verdict}, {seconds:.1f} s, {megabytes:.0f} MB\n{said}", flush=True)
                failures.append(
                    {
                        "number": number,
                        "file": name,
                        "verdict": verdict,
                        "seconds": seconds,
                        "megabytes": megabytes,
                        "said": said,
                    }
                )
                if arguments.keep:
                    arguments.keep.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, arguments.keep / f"{number}-{name}")
    for (ending, verdict), count in sorted(verdicts.items()):
        print(f".{ending:12} {verdict:12} {count}")
    done, took = sum(verdicts.values()), time.monotonic() - begun
    print(f"{done} files, {len(failures)} failures; slowest {slowest:.2f} s, largest {largest:.0f} MB; {took:.0f} s")
    if arguments.out:
        by_ending = {
            ending: {v: n for (e, v), n in sorted(verdicts.items()) if e == ending}
            for ending in sorted({e for e, _ in verdicts})
        }
        about = {
            "asked": arguments.count,
            "files": done,
            "seed": arguments.seed,
            "limit_seconds": SECONDS,
            "limit_megabytes": MEGABYTES,
        }
        told = {
            **about,
            "by_ending": by_ending,
            "slowest_seconds": slowest,
            "largest_megabytes": largest,
            "seconds": took,
            "failures": failures,
        }
        arguments.out.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
