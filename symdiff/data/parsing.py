"""Molecules parsed in worker processes: rows of text -> Kekule graphs as flat arrays, or a reason why not.

A worker is ``python -m symdiff.data.parsing``: JSON on its standard input, safetensors on its standard output. So it
shares no memory, imports neither torch nor the user's own script, and nothing is pickled.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from symdiff.errors import UserError

Progress = Callable[[int, int], None] | None
"""Is told how many rows were finished now, and how many there are in all."""

WORKERS = 2
CHUNK = 8000


@dataclass(frozen=True)
class Parsed:
    """M rows parsed in order.

    ``reason[k]`` is "" where row k is a molecule; ``num_nodes``, ``num_edges`` (M,) are 0 elsewhere. ``element``,
    ``charge`` (sum n,), ``edges`` (sum E, 2) and ``order`` (sum E,) are flat.
    """

    reason: list[str]
    num_nodes: np.ndarray
    num_edges: np.ndarray
    element: np.ndarray
    charge: np.ndarray
    edges: np.ndarray
    order: np.ndarray

    @property
    def valid(self) -> np.ndarray:
        """(M,) bool."""
        return np.array([not reason for reason in self.reason], bool)

    def report(self) -> dict[str, int]:
        """How many rows were left out, by reason, the most frequent first."""
        return dict(Counter(reason for reason in self.reason if reason).most_common())


_ARRAYS = ("num_nodes", "num_edges", "element", "charge", "edges", "order")


def parse(
    rows: Sequence[str],
    form: str = "smiles",
    hydrogens: bool = False,
    max_nodes: int = 512,
    connected: bool = True,
    workers: int | None = None,
    progress: Progress = None,
) -> Parsed:
    """Parse ``rows`` (``form``: "smiles" or "molblock")."""
    chunks = [list(rows[k : k + CHUNK]) for k in range(0, len(rows), CHUNK)]
    settings = {"form": form, "hydrogens": hydrogens, "max_nodes": max_nodes, "connected": connected}

    def work(chunk: list[str]) -> Parsed:
        parsed = parse_here(chunk, **settings) if len(rows) <= CHUNK // 8 else _parse_elsewhere(chunk, settings)
        if progress is not None:
            progress(len(chunk), len(rows))
        return parsed

    with ThreadPoolExecutor(workers or min(WORKERS, os.cpu_count() or 1)) as pool:
        return _join(list(pool.map(work, chunks)))


def parse_here(
    rows: Sequence[str], form: str = "smiles", hydrogens: bool = False, max_nodes: int = 512, connected: bool = True
) -> Parsed:
    """Parse in this process."""
    from symdiff.chemistry import kekule

    read = {"smiles": kekule.parse_smiles, "molblock": kekule.parse_molblock}[form]
    reasons, graphs = [], []
    for row in rows:
        try:
            if form == "smiles" and len(row) > 20 * max_nodes:
                raise UserError(f"more than {max_nodes} atoms")
            graph = kekule.to_kekule(read(row), hydrogens)
            if len(graph.element) > max_nodes:
                raise UserError(f"more than {max_nodes} atoms")
            if connected and not _connected(len(graph.element), graph.edges):
                raise UserError("several fragments")
            graphs.append(graph)
            reasons.append("")
        except UserError as error:
            graphs.append(kekule.EMPTY)
            reasons.append(str(error))
    columns = {name: np.concatenate([getattr(g, name) for g in [kekule.EMPTY, *graphs]]) for name in _ARRAYS[2:]}
    sizes = np.array([len(g.element) for g in graphs], np.int32)
    return Parsed(reasons, sizes, np.array([len(g.order) for g in graphs], np.int32), **columns)


def _connected(nodes: int, edges: np.ndarray) -> bool:
    root = list(range(nodes))
    parts = nodes
    for i, j in edges.tolist():
        while root[i] != i:
            i = root[i]
        while root[j] != j:
            j = root[j]
        if i != j:
            root[i] = j
            parts -= 1
    return parts == 1


def _parse_elsewhere(chunk: list[str], settings: dict) -> Parsed:
    from safetensors.numpy import load

    command = [sys.executable, "-m", "symdiff.data.parsing"]
    path = os.pathsep.join(part for part in sys.path if part)
    done = subprocess.run(
        command,
        input=json.dumps({"rows": chunk, **settings}).encode(),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise UserError(f"a worker that read {chunk[0][:40]!r} to {chunk[-1][:40]!r} ended with code {done.returncode} ({last})")
    arrays = load(done.stdout)
    reasons = json.loads(arrays.pop("reason").tobytes())
    return Parsed(reasons, **arrays)


def _join(parts: list[Parsed]) -> Parsed:
    parts = [parse_here([]), *parts]
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS}
    return Parsed([reason for part in parts for reason in part.reason], **columns)


def main() -> None:
    """The worker."""
    from safetensors.numpy import save

    parsed = parse_here(**json.load(sys.stdin))
    arrays = {name: np.ascontiguousarray(getattr(parsed, name)) for name in _ARRAYS}
    arrays["reason"] = np.frombuffer(json.dumps(parsed.reason).encode(), np.uint8)
    sys.stdout.buffer.write(save(arrays))


if __name__ == "__main__":
    main()
