"""A file that will be written: what is wrong with it is said before the work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from symdiff.errors import UserError


@contextmanager
def writing(domain, out: Path) -> Iterator[None]:
    """Fail before the work where ``out`` has an unknown ending or cannot be written, not after it.

    Folders that are missing above it are made.

    Parameters
    ----------
    domain : Domain
        What will be written.
    out : Path
        The file.

    Raises
    ------
    UserError
        Names the file. Where it, or anything in the block, is raised, the folders go again.
    SystemExit
        With code 143 at SIGTERM, so that what is half written goes as well.
    """
    import signal

    if out.is_dir():
        raise UserError(f"{out}: expected a file, got a folder")
    absent = [folder for folder in (out.parent, *out.parent.parents) if not folder.exists()]
    try:
        _probe(domain, out)
        before = signal.signal(signal.SIGTERM, _exit)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)
    except BaseException:
        with suppress(OSError):  # one that is not there, or not empty
            for folder in absent:
                folder.rmdir()
        raise


def _exit(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def _probe(domain, out: Path) -> None:
    import tempfile

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".symdiff-", dir=out.parent) as probe:
            try:
                domain.write([], Path(probe) / out.name)
            except UserError as error:
                raise UserError(
                    str(error).replace(str(Path(probe) / out.name), str(out)).replace(probe, str(out.parent))
                ) from None
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror})") from error
