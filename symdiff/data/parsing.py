"""Molecules parsed in worker processes: records -> Kekule graphs as flat arrays, or a reason why not.

A worker is ``python -m symdiff.data.parsing``: JSON on its standard input, safetensors on its standard output. So it
shares no memory, imports neither torch nor the user's own script, and nothing is pickled.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np

from symdiff.errors import UserError
from symdiff.storage.records import Broken, Record

Progress = Callable[[int, int | None], None] | None
"""Is told how many records were finished now, and how many there are in all, where that is known."""

WORKERS = 2
CHUNK = 8000


@dataclass(frozen=True)
class Parsed:
    """M records parsed in order.

    Parameters
    ----------
    reason : list of str
        "" where record k is a molecule, else why not, as ``kind: detail``.
    place : list of str
        Where each stands: its file and number.
    split : list of str
        The name of its split, or "".
    note : list of str
        What to know of it, or "".
    num_nodes, num_edges : numpy.ndarray
        (M,), 0 where there is no molecule.
    element, charge, edges, order : numpy.ndarray
        Flat: (sum n,), (sum n,), (sum E, 2), (sum E,).
    """

    reason: list[str]
    place: list[str]
    split: list[str]
    note: list[str]
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
        """How many records were left out, by the kind of their reason, the most frequent first."""
        return count_reasons(self.reason)

    def examples(self) -> dict[str, str]:
        """Of every kind of reason the first record: where it stands, and what is wrong with it."""
        return first_reasons(zip(self.place, self.reason, strict=True))


def count_reasons(reasons: Iterable[str]) -> dict[str, int]:
    """Count reasons by their kind, which stands before the colon.

    Parameters
    ----------
    reasons : iterable of str
        One for each record, empty where it is sound.

    Returns
    -------
    dict of str to int
        The most frequent first.
    """
    return dict(Counter(reason.partition(":")[0] for reason in reasons if reason).most_common())


def first_reasons(places: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Tell of every kind of reason which record had it first.

    Parameters
    ----------
    places : iterable of tuple of str
        The place and the reason of each record, empty where it is sound.

    Returns
    -------
    dict of str to str
        Place and detail, by kind.
    """
    first: dict[str, str] = {}
    for place, reason in places:
        if reason and place:
            kind, _, detail = reason.partition(": ")
            first.setdefault(kind, f"{place}: {detail or kind}")
    return first


_ARRAYS = ("num_nodes", "num_edges", "element", "charge", "edges", "order")
_TEXTS = ("reason", "place", "split", "note")


def parse(
    rows: Iterable[Record | str],
    hydrogens: bool = False,
    max_nodes: int = 512,
    connected: bool = True,
    workers: int | None = None,
    progress: Progress = None,
) -> Parsed:
    """Parse records in worker processes, a few chunks of them in memory at a time.

    Parameters
    ----------
    rows : iterable of Record or str
        A string is a SMILES.
    hydrogens : bool
        Whether hydrogens are nodes.
    max_nodes : int
        Larger molecules are refused.
    connected : bool
        Whether several components are refused.
    workers : int, optional
        Processes; at most 2 without.
    progress : callable, optional
        Is told what was done.

    Returns
    -------
    Parsed
        All of them in their order; the result does not depend on the number of workers.
    """
    settings = {"hydrogens": hydrogens, "max_nodes": max_nodes, "connected": connected}
    total = len(rows) if isinstance(rows, Sized) else None
    several = workers or min(WORKERS, os.cpu_count() or 1)
    parts: list[Parsed] = []
    with ThreadPoolExecutor(several) as pool:
        waiting: deque = deque()
        for chunk in _chunks(rows):
            small = not parts and not waiting and len(chunk) <= CHUNK // 8
            work: Callable[..., Parsed] = parse_here if small else _parse_elsewhere
            waiting.append(pool.submit(work, chunk, **settings))
            while len(waiting) > 2 * several:
                parts.append(_take(waiting, progress, total))
        while waiting:
            parts.append(_take(waiting, progress, total))
    return _join(parts)


def _chunks(rows: Iterable[Record | str]) -> Iterator[list[Record]]:
    source = iter(rows)
    while chunk := [_record(row) for row in islice(source, CHUNK)]:
        yield chunk


def _record(row: Record | str) -> Record:
    return row if isinstance(row, Record) else Record("", 0, row, reason="" if row.strip() else "empty: no text")


def _take(waiting: deque, progress: Progress, total: int | None) -> Parsed:
    parsed = waiting.popleft().result()
    if progress is not None:
        progress(len(parsed.reason), total)
    return parsed


def parse_here(
    rows: Sequence[Record | str], hydrogens: bool = False, max_nodes: int = 512, connected: bool = True
) -> Parsed:
    """Parse records in this process.

    Parameters
    ----------
    rows : sequence of Record or str
        A string is a SMILES.
    hydrogens : bool
        Whether hydrogens are nodes.
    max_nodes : int
        Larger molecules are refused.
    connected : bool
        Whether several components are refused.

    Returns
    -------
    Parsed
        All of them in their order; those that are no molecules have a reason.
    """
    from symdiff.chemistry import kekule
    from symdiff.storage.boundary import describe

    records, reasons, graphs = [_record(row) for row in rows], [], []
    for record in records:
        graph, reason = kekule.EMPTY, ""
        try:
            graph = _graph(record, hydrogens, max_nodes, connected)
        except UserError as error:
            reason = str(error)
        except Exception as error:  # RDKit raises whatever a record leads it to
            reason = f"sanitization: {describe(error)}"
        graphs.append(graph)
        reasons.append(reason)
    columns = {name: np.concatenate([getattr(g, name) for g in [kekule.EMPTY, *graphs]]) for name in _ARRAYS[2:]}
    sizes, counts = (np.array([len(getattr(g, name)) for g in graphs], np.int32) for name in ("element", "order"))
    places = [f"{record.file}, record {record.number}" if record.file else "" for record in records]
    return Parsed(
        reasons,
        places,
        [record.split for record in records],
        [record.note for record in records],
        sizes,
        counts,
        **columns,
    )


def _graph(record: Record, hydrogens: bool, max_nodes: int, connected: bool):
    """The Kekule graph of a record.

    Raises UserError with the same verdict as an evaluation, and for what such a graph cannot hold.
    """
    from symdiff.chemistry import kekule
    from symdiff.chemistry.limits import MAX_ATOMS
    from symdiff.chemistry.parse import identify, parse, sanitize, strip_marks
    from symdiff.chemistry.smiles import longest_smiles

    most = max(MAX_ATOMS, max_nodes)
    if record.form == "smiles" and len(record.text) > longest_smiles(most):
        raise Broken(f"too long: over {longest_smiles(most)} characters")
    mol = identify(record, most) if connected else strip_marks(sanitize(parse(record, most)))
    graph = kekule.to_kekule(mol, hydrogens)
    if len(graph.element) > max_nodes:
        raise Broken(f"too large: {len(graph.element)} atoms, at most {max_nodes} are read")
    return graph


def _parse_elsewhere(chunk: list[Record], **settings) -> Parsed:
    from safetensors.numpy import load

    command = [sys.executable, "-m", "symdiff.data.parsing"]
    path = os.pathsep.join(part for part in sys.path if part)
    done = subprocess.run(
        command,
        input=json.dumps({"records": [asdict(record) for record in chunk], **settings}).encode(),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise UserError(
            f"a worker that read {chunk[0].text[:40]!r} to {chunk[-1].text[:40]!r} ended with code {done.returncode} "
            f"({last})"
        )
    columns: dict[str, Any] = dict(load(done.stdout))
    return Parsed(**json.loads(columns.pop("texts").tobytes()), **columns)


def _join(parts: list[Parsed]) -> Parsed:
    parts = [parse_here([]), *parts]
    columns: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS}
    columns |= {name: [text for part in parts for text in getattr(part, name)] for name in _TEXTS}
    return Parsed(**columns)


def main() -> None:
    """The worker."""
    from safetensors.numpy import save

    given = json.load(sys.stdin)
    parsed = parse_here([Record(**plain) for plain in given.pop("records")], **given)
    arrays = {name: np.ascontiguousarray(getattr(parsed, name)) for name in _ARRAYS}
    arrays["texts"] = np.frombuffer(json.dumps({name: getattr(parsed, name) for name in _TEXTS}).encode(), np.uint8)
    sys.stdout.buffer.write(save(arrays))


if __name__ == "__main__":
    main()
