"""Whatever a library raises over a file is one line for the user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from symdiff.errors import UserError
from symdiff.storage.numbers import show

_LONGEST = 200


@contextmanager
def reading(path: str | Path, form: str) -> Iterator[None]:
    """Turn every error of a reader into a UserError that names the file.

    Parsers raise whatever their input leads them to: no list of exceptions is complete, so none is kept here.

    Parameters
    ----------
    path : str or Path
        The file that is read.
    form : str
        What it should be, such as "GraphML".

    Raises
    ------
    UserError
        For any ``Exception`` within, unchanged where it is a UserError already.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{path}: not readable as {form} ({describe(error)})") from error


@contextmanager
def naming() -> Iterator[None]:
    """Turn what the system says of a file that a user named (its name is too long, it may not be read) into one line.

    Raises
    ------
    UserError
        For an ``OSError`` that has the name of a file; others are no mistake of the user.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise
        raise UserError(f"{show(str(error.filename))}: {error.strerror}") from error


def describe(error: BaseException) -> str:
    """Describe an error in one line: what it says, or its kind where it says nothing.

    Parameters
    ----------
    error : BaseException
        Of any library.

    Returns
    -------
    str
        At most some 200 characters without line breaks.
    """
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " ..."
