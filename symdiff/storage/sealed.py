"""A sealed folder says itself whether it is still what was written: every file stands in SHA256SUMS."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from pathlib import Path

from symdiff.errors import UserError

SUMS = "SHA256SUMS"
CHECKPOINT = (".json", ".safetensors", ".yaml", ".md")
"""What the files of a checkpoint end in."""
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)?")


def sign(folder: Path) -> None:
    """List the SHA-256 of every file of a folder in its SHA256SUMS, as ``sha256sum`` does.

    Parameters
    ----------
    folder : Path
        The folder, with all of its files.
    """
    names = [path.relative_to(folder).as_posix() for path in files(folder)]
    (folder / SUMS).write_bytes("".join(f"{sha256(folder / name)}  {name}\n" for name in sorted(names)).encode())


def list_names(folder: Path, endings: tuple[str, ...]) -> list[str]:
    """List the names in a folder's SHA256SUMS.

    Parameters
    ----------
    folder : Path
        The folder.
    endings : tuple of str
        How a listed file may end.

    Returns
    -------
    list of str
        Paths within the folder.

    Raises
    ------
    UserError
        Where one is not allowed, see ``damage``.
    """
    return list(_read_sums(folder, endings))


def damage(
    folder: Path, endings: tuple[str, ...], beside: Collection[str] = (), links: Path | None = None
) -> str | None:
    """Say what is wrong with a signed folder: it must hold the files of SHA256SUMS, unaltered, and no others.

    Parameters
    ----------
    folder : Path
        The folder. Links in it are not allowed.
    endings : tuple of str
        How a listed file may end; it is at most one folder deep.
    beside : collection of str
        Entries of the folder that are not looked at.
    links : Path, optional
        A folder into which links may lead.

    Returns
    -------
    str or None
        One line, or None where nothing is wrong.
    """
    try:
        expected = _read_sums(folder, endings)
    except UserError as error:
        return str(error)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name.split("/")[0] in beside:
            continue
        if path.is_symlink() and not (links is not None and path.resolve().parent == links.resolve()):
            return f"{name} is a link or no plain file, which is not allowed"
        if not (path.is_dir() or path.is_file()):
            return f"{name} is a link or no plain file, which is not allowed"
        if path.is_file() and name not in expected and name != SUMS:
            return f"{name} is not listed in {SUMS}"
    for name, digest in expected.items():
        if name in beside:
            continue
        if not (folder / name).is_file():
            return f"{name} is missing"
        if sha256(folder / name) != digest:
            return f"{name} was altered: its SHA-256 is not the one in {SUMS}"
    return None


def _read_sums(folder: Path, endings: tuple[str, ...]) -> dict[str, str]:
    """The SHA-256 of every listed file, by its name. Raises UserError."""
    try:
        lines = (folder / SUMS).read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UserError(f"{SUMS} is missing or unreadable") from None
    expected: dict[str, str] = {}
    for line in lines:
        digest, gap, name = line.partition("  ")
        allowed = gap and re.fullmatch("[0-9a-f]{64}", digest) and _FILE.fullmatch(name) and name.endswith(endings)
        if not allowed or name in expected:
            raise UserError(f"{SUMS} has a line that is not allowed: {line[:120]!r}")
        expected[name] = digest
    return expected


def files(folder: Path) -> list[Path]:
    """List all files of a folder and its folders.

    Parameters
    ----------
    folder : Path
        The folder.

    Returns
    -------
    list of Path
        Sorted.
    """
    return sorted(path for path in folder.rglob("*") if path.is_file())


def sha256(path: Path) -> str:
    """Compute the SHA-256 of a file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
