"""Long work in shards that survive: what was done before a kill is read back, not done again."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Item, Result = TypeVar("Item"), TypeVar("Result")
SHARD = 65_536  # items: a minute's work, a few megabytes on disk
MANY = 1_000_000  # records beyond which work is kept without being asked


@dataclass(frozen=True)
class Shards:
    """Where work is kept that must survive a kill: in ``folder``, if there are more than ``above`` items."""

    folder: Path
    above: int = 0

    @property
    def asked(self) -> bool:
        """Whether somebody asked for it, whatever the number of items."""
        return self.above == 0


def in_shards(
    items: Sequence[Item],
    work: Callable[[Sequence[Item]], Iterable[Result]],
    folder: str | Path,
    identity: Callable[[Item], str],
    plain: Callable[[Result], object],
    restored: Callable[[object], Result],
    setting: str = "",
    size: int | None = None,
) -> Iterator[list[Result]]:
    """The results of ``work``, shard by shard in the order of ``items``; those that ``folder`` holds already are read from it.

    A shard's file carries a digest of its items (``identity``) and of ``setting`` (whatever else the results depend on), so other
    items or another setting are worked on afresh; a file that is cut or altered counts as missing. ``plain`` turns a
    result into what JSON holds, ``restored`` back. Files are written whole or not at all; ``discard`` removes them.
    """
    folder, size = Path(folder), size or SHARD
    for number, start in enumerate(range(0, len(items), size)):
        part = items[start : start + size]
        name = _digest([setting, *map(identity, part)])
        path = folder / f"{number:06d}.json.gz"
        found = _read(path, name, len(part))
        if found is None:
            results = list(work(part))
            _write(path, {"digest": name, "results": [plain(result) for result in results]})
        else:
            results = [restored(one) for one in found]
        yield results


def discard(folder: str | Path) -> None:
    """Remove the shards of finished work, those in folders within too, and their folder if nothing else is in it."""
    folder = Path(folder)
    for path in sorted(folder.rglob("*.json.gz")):
        path.unlink()
    for one in (*sorted(path for path in folder.glob("*") if path.is_dir()), folder):
        if one.is_dir() and not any(one.iterdir()):
            one.rmdir()


def _digest(texts: Iterable[str]) -> str:
    state = hashlib.blake2b(digest_size=16)
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        state.update(len(data).to_bytes(8, "little") + data)
    return state.hexdigest()


def _read(path: Path, digest: str, count: int) -> list | None:
    try:
        held = json.loads(gzip.decompress(path.read_bytes()))
        return held["results"] if held["digest"] == digest and len(held["results"]) == count else None
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError):
        return None  # missing, cut or altered: done again


def _write(path: Path, held: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with part.open("wb") as stream:
        stream.write(gzip.compress(json.dumps(held, separators=(",", ":")).encode(), 1, mtime=0))
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
