"""Long work in shards that survive: what was done before a kill is read back, not done again."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any, Generic, TypeVar

from symdiff import __version__
from symdiff.storage.atomic import open_file

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int], None]
SHARD = 65_536  # items of cost 1: a minute's work, a few megabytes on disk
MANY = 1_000_000  # records beyond which work is kept without being asked


@dataclass(frozen=True)
class Shards:
    """Where work is kept that must survive a kill.

    Parameters
    ----------
    folder : Path
        The folder.
    above : int
        Work on no more records than this is not kept.
    """

    folder: Path
    above: int = 0


@dataclass(frozen=True)
class Work(Generic[Item, Result]):
    """Work on many items that can be done in portions and written down.

    Parameters
    ----------
    name : str
        Name of its folder.
    run : callable
        Gives the results of a portion in its order and reports how many are done since its last report; a result must
        depend on its own item alone.
    identity : callable
        Gives bytes that differ where two items do.
    plain : callable
        Turns a result into what JSON holds.
    restore : callable
        Turns that back into a result.
    packages : tuple of str
        Packages on whose version results depend.
    cost : int
        Cost of an item, that of judging a SMILES being 1: a shard has the fewer items.
    setting : str
        Whatever else results depend on.
    records : callable
        Gives the number of records that an item holds; progress is reported in these.
    """

    name: str
    run: Callable[[Sequence[Item], Progress | None], Iterable[Result]]
    identity: Callable[[Item], bytes]
    plain: Callable[[Result], object]
    restore: Callable[[Any], Result]
    packages: tuple[str, ...] = ()
    cost: int = 1
    setting: str = ""
    records: Callable[[Item], int] = lambda item: 1

    @property
    def size(self) -> int:
        """Number of items of a shard."""
        return max(1, SHARD // self.cost)


def work_out(
    work: Work[Item, Result], items: Sequence[Item], shards: Shards | None, progress: Progress | None = None
) -> list[Result]:
    """Work out the results of all items, kept in shards if there are enough of them.

    Parameters
    ----------
    work : Work
        What is done.
    items : sequence
        The items.
    shards : Shards, optional
        Where results are kept; the results do not depend on it.
    progress : callable, optional
        Called with the number of records done since its last call.

    Returns
    -------
    list
        The results in the order of the items.
    """
    if shards is None or sum(map(work.records, items)) <= shards.above:
        return list(work.run(items, progress))
    return [result for part in work_in_shards(work, items, shards.folder, progress) for result in part]


def work_in_shards(
    work: Work[Item, Result], items: Sequence[Item], folder: str | Path, progress: Progress | None = None
) -> Iterator[list[Result]]:
    """Work out results shard by shard; those that the folder holds already are read from it.

    A shard's file begins with the SHA-256 of the rest, and with that of its items and of all else that its results
    depend on: other items or another setting are worked on afresh, and a file that is cut or altered counts as missing.
    Files are written whole or not at all; ``discard`` removes them.

    Parameters
    ----------
    work : Work
        What is done.
    items : sequence
        The items.
    folder : str or Path
        Where shards are kept.
    progress : callable, optional
        Called with the number of records done since its last call.

    Returns
    -------
    iterator of list
        The results of each shard in the order of the items.

    Raises
    ------
    UserError
        Where a shard cannot be written.
    """
    for number, start in enumerate(range(0, len(items), work.size)):
        part = items[start : start + work.size]
        digest = _digest(work, part)
        path = Path(folder) / work.name / f"{number:06d}.json.gz"
        stored = _read(path, digest)
        if stored is None:
            results = list(work.run(part, progress))
            _write(path, digest, [work.plain(result) for result in results])
        else:
            results = [work.restore(one) for one in stored]
            if progress is not None:
                progress(sum(map(work.records, part)))
        yield results


def discard(folder: str | Path) -> None:
    """Remove the shards of finished work, and their folder if nothing else is in it.

    Parameters
    ----------
    folder : str or Path
        Where they are; folders within are looked through too.
    """
    folder = Path(folder)
    for path in (*folder.rglob("*.json.gz"), *folder.rglob(".*.json.gz-*")):  # whole ones, and what a kill left of one
        path.unlink()
    for one in (*sorted(path for path in folder.glob("*") if path.is_dir()), folder):
        if one.is_dir() and not any(one.iterdir()):
            one.rmdir()


def _digest(work: Work[Item, Result], items: Sequence[Item]) -> str:
    depends = [
        f"symdiff {__version__}",
        *(f"{name} {metadata.version(name)}" for name in work.packages),
        work.name,
        work.setting,
    ]
    state = hashlib.sha256()
    for part in chain((one.encode() for one in depends), map(work.identity, items)):
        state.update(len(part).to_bytes(8, "little") + part)
    return state.hexdigest()


def _seal(digest: str, body: bytes) -> bytes:
    return f"{hashlib.sha256(body).hexdigest()} {digest}".encode()


def _read(path: Path, digest: str) -> list | None:
    try:
        seal, _, body = gzip.decompress(path.read_bytes()).partition(b"\n")
    except (OSError, EOFError, zlib.error):
        return None  # missing or cut: done again
    return json.loads(body) if seal == _seal(digest, body) else None


def _write(path: Path, digest: str, results: list) -> None:
    body = json.dumps(results, separators=(",", ":")).encode()
    with open_file(path, parents=True) as stream:
        stream.write(gzip.compress(_seal(digest, body) + b"\n" + body, 1, mtime=0))
