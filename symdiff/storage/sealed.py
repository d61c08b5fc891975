"""A sealed folder says itself whether it is still what was written: every file stands in SHA256SUMS."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from pathlib import Path

SUMS = "SHA256SUMS"
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)?")


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
