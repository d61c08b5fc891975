"""A sealed folder: it appears whole or not at all, and says itself whether it is still what was written."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

SUMS = "SHA256SUMS"
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)?")
_SWAP, _HERE = 2, -100  # RENAME_EXCHANGE and AT_FDCWD of Linux


def create(target: Path, fill: Callable[[Path], None], replaceable: Callable[[Path], bool] | None = None) -> None:
    """Let ``fill`` write files into a temporary folder beside ``target``, then put it in the target's place at once.

    Every file, and the folders, reach the disk before the rename. What is at ``target`` already stays, unless
    ``replaceable(target)``: then it is exchanged for the new folder in one step (on Linux) and deleted.

    Raises
    ------
    FileExistsError
        Where something is at ``target`` that is not to be replaced.
    OSError
        Where it cannot be written (a full disk); ``target`` is then what it was before, and nothing is left beside it.
    """
    target = Path(target).absolute()
    there = target.exists() or target.is_symlink()
    if there and (replaceable is None or not replaceable(target)):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:  # a file: not to be mistaken for something at the target
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target.parent)) from None
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        temporary.chmod(0o755)
        fill(temporary)
        for path in files(temporary):
            path.chmod(0o644)
            _sync(path)
        for path in [*(p for p in temporary.iterdir() if p.is_dir()), temporary]:
            _sync(path)
        _place(temporary, target, there)
        _sync(target.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)  # after an exchange this is what was there before


def is_empty_or_has(folder: Path, name: str) -> bool:
    """Whether ``folder`` is one, no link, and holds a file ``name`` or nothing: no more than that is ever replaced."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    return (folder / name).is_file() or not any(folder.iterdir())


def sign(folder: Path) -> None:
    """List the SHA-256 of every file of ``folder`` in SHA256SUMS, as ``sha256sum`` does."""
    names = [path.relative_to(folder).as_posix() for path in files(folder)]
    (folder / SUMS).write_bytes("".join(f"{sha256(folder / name)}  {name}\n" for name in sorted(names)).encode())


def damage(folder: Path, endings: tuple[str, ...], beside: Collection[str] = ()) -> str | None:
    """What is wrong with a signed folder, in one line, or None: it must hold the files of SHA256SUMS, unaltered, no others.

    Only files that end in one of ``endings`` may be listed, at most one folder deep; links are never followed. Entries of
    the folder that are named in ``beside`` are not looked at.
    """
    try:
        lines = (folder / SUMS).read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return f"{SUMS} is missing or unreadable"
    listed: dict[str, str] = {}
    for line in lines:
        digest, gap, name = line.partition("  ")
        allowed = gap and re.fullmatch("[0-9a-f]{64}", digest) and _FILE.fullmatch(name) and name.endswith(endings)
        if not allowed or name in listed:
            return f"{SUMS} has a line that is not allowed: {line[:120]!r}"
        listed[name] = digest
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name.split("/")[0] in beside:
            continue
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            return f"{name} is a link or no plain file, which is not allowed"
        if path.is_file() and name not in listed and name != SUMS:
            return f"{name} is not listed in {SUMS}"
    for name, digest in listed.items():
        if not (folder / name).is_file():
            return f"{name} is missing"
        if sha256(folder / name) != digest:
            return f"{name} was altered: its SHA-256 is not the one in {SUMS}"
    return None


def files(folder: Path) -> list[Path]:
    """All files of a folder and its folders, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Force a file or a folder to the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folders, and its file systems journal renames
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)  # Windows syncs what is open for writing
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _place(temporary: Path, target: Path, replace: bool) -> None:
    if not replace:
        temporary.rename(target)
        return
    if sys.platform == "linux":
        exchange = getattr(ctypes.CDLL(None), "renameat2", None)
        if exchange is not None and exchange(_HERE, os.fsencode(temporary), _HERE, os.fsencode(target), _SWAP) == 0:
            return
    # elsewhere a folder cannot be exchanged in one step; a crash in between leaves the earlier one under its second name
    aside = temporary.with_name(f"{temporary.name}-earlier")
    target.rename(aside)
    try:
        temporary.rename(target)
    except OSError:
        aside.rename(target)
        raise
    shutil.rmtree(aside)
