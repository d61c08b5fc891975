"""Where a file of samples comes from, in a small JSON beside it: ``samples.smi.symdiff.json``."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from symdiff.errors import UserError
from symdiff.storage.atomic import write_file

ENDING = ".symdiff.json"
_LARGEST = 64 * 1024  # bytes


@dataclass(frozen=True)
class Sidecar:
    """What made a file of samples.

    Parameters
    ----------
    checkpoint : str
        The folder, name or hub id that was sampled.
    dataset : str or None
        Name of the data set that the checkpoint was trained on, or None where it does not say.
    seed : int
        The seed of the samples.
    count : int
        Number of samples.
    steps : int
        Network evaluations a sample.
    symdiff : str
        Version of the package.
    sha256 : str
        Of the file of samples, so that a sidecar that was left behind beside another file is recognized.
    """

    checkpoint: str
    dataset: str | None
    seed: int
    count: int
    steps: int
    symdiff: str
    sha256: str


def place(file: str | Path) -> Path:
    """Name the sidecar of a file of samples.

    Parameters
    ----------
    file : str or Path
        The file of samples.

    Returns
    -------
    Path
        The path of the sidecar.
    """
    return Path(f"{file}{ENDING}")


def write(file: str | Path, checkpoint: str, dataset: str | None, seed: int, count: int, steps: int) -> Path:
    """Write the sidecar of a file of samples that is there already.

    Parameters
    ----------
    file : str or Path
        The file of samples.
    checkpoint : str
        The folder, name or hub id that was sampled.
    dataset : str or None
        The data set of the checkpoint.
    seed : int
        The seed of the samples.
    count : int
        Number of samples.
    steps : int
        Network evaluations a sample.

    Returns
    -------
    Path
        The sidecar.

    Raises
    ------
    UserError
        Where it cannot be written.
    """
    from symdiff import __version__

    sidecar = Sidecar(str(checkpoint), dataset, seed, count, steps, __version__, digest(file))
    write_file(place(file), json.dumps(asdict(sidecar), indent=1) + "\n")
    return place(file)


def read(file: str | Path) -> Sidecar | None:
    """Read the sidecar of a file of samples.

    Parameters
    ----------
    file : str or Path
        The file of samples.

    Returns
    -------
    Sidecar or None
        None where there is none.

    Raises
    ------
    UserError
        For a sidecar that cannot be read, or is that of another file.
    """
    path = place(file)
    try:
        exists = path.is_file()
    except OSError:  # a name that no file can have, as the ending makes it too long
        exists = False
    if not exists:
        return None
    try:
        with path.open("rb") as stream:
            plain = json.loads(stream.read(_LARGEST))
        types = {
            "checkpoint": str,
            "dataset": str | None,
            "seed": int,
            "count": int,
            "steps": int,
            "symdiff": str,
            "sha256": str,
        }
        sidecar = Sidecar(**{key: plain[key] for key in types})
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(
            f"{path}: cannot be read as the sidecar of a file of samples ({type(error).__name__})"
        ) from error
    for key, kind in types.items():
        if not isinstance(getattr(sidecar, key), kind):
            raise UserError(f"{path}: {key}: expected {getattr(kind, '__name__', kind)}, got {plain[key]!r:.60}")
    if sidecar.sha256 != digest(file):
        raise UserError(f"{path}: belongs to other samples than {Path(file).name} holds: their SHA-256 differ")
    return sidecar


def digest(file: str | Path) -> str:
    """Compute the SHA-256 of a file.

    Parameters
    ----------
    file : str or Path
        The file.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    with Path(file).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
