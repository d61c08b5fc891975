"""Where the named data sets come from: the folder ``$SYMDIFF_DATA``, or the public originals."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from symdiff.data.download import Remote, download
from symdiff.errors import UserError
from symdiff.storage.bundled import cache_folder
from symdiff.storage.sealed import sha256


def data_folder() -> Path | None:
    """``$SYMDIFF_DATA``, or None where it is not set."""
    root = os.environ.get("SYMDIFF_DATA")
    return Path(root) if root else None


def local(*parts: str) -> Path:
    """Find a file in the folder ``$SYMDIFF_DATA``.

    Parameters
    ----------
    *parts : str
        The names of folders, then of the file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UserError
        Where the variable is not set or the file is missing.
    """
    root = data_folder()
    if root is None:
        raise UserError(
            f"{'/'.join(parts)}: no copy with a known checksum can be downloaded; set SYMDIFF_DATA to the folder that "
            "holds it"
        )
    path = root.joinpath(*parts)
    if not path.is_file():
        raise UserError(f"{path}: no such file (SYMDIFF_DATA is {root})")
    return path


def fetch(remotes: Sequence[Remote], progress: Callable[[int], None] | None = None) -> list[Path]:
    """Download public originals, once into the cache.

    Parameters
    ----------
    remotes : sequence of Remote
        The files.
    progress : callable, optional
        Called with the number of bytes of every block.

    Returns
    -------
    list of Path
        The files, in the same order.

    Raises
    ------
    UserError
        For what ``download`` cannot get; the message names SYMDIFF_DATA as the other way.
    """
    try:
        return [download(remote, cache_folder() / "downloads", progress) for remote in remotes]
    except UserError as error:
        raise UserError(f"{error}; or set SYMDIFF_DATA to a folder that holds the data") from error


def origin(title: str, paths: Sequence[Path]) -> dict:
    """Describe where data come from, as ``dataset.json`` has it.

    Parameters
    ----------
    title : str
        What the data are and who published them.
    paths : sequence of Path
        The files that were read.

    Returns
    -------
    dict
        ``title``, and ``files`` with name, SHA-256 and size of each.
    """
    files = [{"file": path.name, "sha256": sha256(path), "bytes": path.stat().st_size} for path in paths]
    return {"title": title, "files": files}
