"""Files and folders that are whole or not there: written beside their place, forced to the disk, then renamed."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import BinaryIO

from symdiff.errors import UserError

_SWAP, _HERE = 2, -100  # RENAME_EXCHANGE and AT_FDCWD of Linux


@contextmanager
def open_file(path: str | Path, parents: bool = False) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its place when the block ends, and leaves no trace where the block raises.

    Parameters
    ----------
    path : str or Path
        The file to be. Until the block has ended, what is there stays as it is.
    parents : bool
        Whether folders that are missing above it are made.

    Yields
    ------
    BinaryIO
        What is written to it counts only if all of it reaches the disk.

    Raises
    ------
    UserError
        Where it cannot be written: a full disk, a read-only folder, a name that is too long.
    """
    path = Path(path)
    try:
        with make_folders(path.parent) if parents else nullcontext():
            handle, name = tempfile.mkstemp(prefix=_prefix(path), dir=path.parent)
            temporary = Path(name)
            try:
                with open(handle, "wb") as file:
                    yield file
                temporary.chmod(0o644)
                put(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error})") from error


def write_file(path: str | Path, content: str | bytes, parents: bool = False) -> None:
    """Write a whole file, compressed where its name ends in ``.gz``.

    Parameters
    ----------
    path : str or Path
        The file.
    content : str or bytes
        Text is written as UTF-8.
    parents : bool
        Whether folders that are missing above it are made.

    Raises
    ------
    UserError
        As ``open_file``; what was there before is untouched.
    """
    with open_output(path, parents) as write:
        write(content)


@contextmanager
def open_output(path: str | Path, parents: bool = False) -> Iterator[Callable[[str | bytes], None]]:
    """Open a file as ``open_file`` does, compressed where its name ends in ``.gz``, and written part by part.

    Parameters
    ----------
    path : str or Path
        The file to be.
    parents : bool
        Whether folders that are missing above it are made.

    Yields
    ------
    callable
        Writes bytes, or text as UTF-8, behind what it wrote before.

    Raises
    ------
    UserError
        As ``open_file``.
    """
    # header and trailer come from zlib: they name neither the file nor the time
    packer = zlib.compressobj(9, wbits=31) if Path(path).name.lower().endswith(".gz") else None
    with open_file(path, parents) as file:

        def write(content: str | bytes) -> None:
            data = content.encode() if isinstance(content, str) else content
            file.write(data if packer is None else packer.compress(data))

        yield write
        if packer is not None:
            file.write(packer.flush())


def write_folder(
    target: str | Path, fill: Callable[[Path], None], replaceable: Callable[[Path], bool] | None = None
) -> None:
    """Write a whole folder.

    Parameters
    ----------
    target : str or Path
        The folder to be. Folders that are missing above it are made.
    fill : callable
        Writes the files into the temporary folder that it is given.
    replaceable : callable, optional
        Whether what is at ``target`` already gives way, which by default it never does; it is exchanged in one step (on
        Linux) and deleted.

    Raises
    ------
    FileExistsError
        Where something is at ``target`` that is not to be replaced.
    OSError
        Where it cannot be written (a full disk); ``target`` is then what it was before, and nothing is left beside it.
    """
    target = Path(target).absolute()
    exists = target.exists() or target.is_symlink()
    if exists and (replaceable is None or not replaceable(target)):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    with make_folders(target.parent):
        temporary = Path(tempfile.mkdtemp(prefix=_prefix(target), dir=target.parent))
        try:
            temporary.chmod(0o755)
            fill(temporary)
            for path in sorted(path for path in temporary.rglob("*") if path.is_file()):
                path.chmod(0o644)
                _sync(path)
            for path in sorted(path for path in temporary.rglob("*") if path.is_dir()):
                _sync(path)
            put(temporary, target, exists)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)  # after an exchange this is what was there before


def put(temporary: Path, target: Path, exchange: bool = False) -> None:
    """Force a finished file or folder to the disk and rename it to ``target``.

    Parameters
    ----------
    temporary : Path
        The finished file or folder, in the folder of ``target``.
    target : Path
        Where it belongs.
    exchange : bool
        Whether a folder is at ``target``, which then moves to ``temporary`` or is deleted.

    Raises
    ------
    OSError
        Where the disk is full or the folder cannot be written to.
    """
    _sync(temporary)
    if exchange:
        _exchange(temporary, target)
    else:
        temporary.replace(target)
    _sync(target.parent)


def is_empty_or_has(folder: Path, name: str) -> bool:
    """Tell whether a folder may be replaced: it is no link, and is empty or holds a certain file.

    Parameters
    ----------
    folder : Path
        The folder.
    name : str
        The name of the file that marks it as one of ours.

    Returns
    -------
    bool
        Whether it may; False for anything but a folder.
    """
    if folder.is_symlink() or not folder.is_dir():
        return False
    return (folder / name).is_file() or not any(folder.iterdir())


@contextmanager
def make_folders(folder: Path) -> Iterator[None]:
    """Make a folder and those above it; where the block raises, those that were made go again.

    Parameters
    ----------
    folder : Path
        The folder to be.

    Raises
    ------
    NotADirectoryError
        Where a file is in its place.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError:  # a file: not to be mistaken for something at the target
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from None
        yield
    except BaseException:
        for each in missing:
            with suppress(OSError):  # never made, or not empty: somebody else uses it meanwhile
                each.rmdir()
        raise


def _prefix(path: Path) -> str:
    """How a temporary name begins: hidden, and no longer than a name may be."""
    return f".{path.name[:40]}-"


def _sync(path: Path) -> None:
    """Force a file or the entries of a folder to the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folders, and its file systems journal renames
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)  # Windows syncs what is open for writing
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not (error.errno == errno.EINVAL and path.is_dir()):  # file systems that sync no folders
            raise
    finally:
        os.close(descriptor)


def _exchange(temporary: Path, target: Path) -> None:
    if sys.platform == "linux":
        rename = getattr(ctypes.CDLL(None), "renameat2", None)
        if rename is not None and rename(_HERE, os.fsencode(temporary), _HERE, os.fsencode(target), _SWAP) == 0:
            return
    # elsewhere a folder cannot be exchanged in one step; a crash in between leaves the earlier one under another name
    aside = temporary.with_name(f"{temporary.name}-earlier")
    target.rename(aside)
    try:
        temporary.rename(target)
    except OSError:
        aside.rename(target)
        raise
    shutil.rmtree(aside)
