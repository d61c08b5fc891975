"""Statistics of data sets in files: arrays beside a json that names their SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from symdiff.errors import UserError, nearest
from symdiff.storage.arrays import read_arrays
from symdiff.storage.atomic import write_file
from symdiff.storage.files import read_text
from symdiff_evaluation.core.installation import find_folder

KIND = "molecule-graph"
"""What a json without the key ``kind`` is of."""
_MOST_BYTES = 64 << 20  # of a json


def write_files(about: Mapping, arrays: Mapping[str, np.ndarray], out: str | Path) -> None:
    """Write ``OUT.safetensors`` and ``OUT.json``.

    Parameters
    ----------
    about : mapping
        What JSON holds; the SHA-256 of the arrays is added.
    arrays : mapping of str to numpy.ndarray
        The arrays.
    out : str or Path
        Path without ending.
    """
    out = Path(out)
    packed = save(dict(arrays))
    plain = {**about, "sha256": hashlib.sha256(packed).hexdigest()}
    # the json comes last: it is what makes a reference exist
    for ending, content in ((".safetensors", packed), (".json", (json.dumps(plain, indent=1) + "\n").encode())):
        write_file(out.with_name(out.name + ending), content, parents=True)


def read_files(name_or_path: str | Path, kind: str) -> tuple[dict, dict[str, np.ndarray]]:
    """Read what ``write_files`` wrote.

    Parameters
    ----------
    name_or_path : str or Path
        Path of either file, or the name of a shipped reference.
    kind : str
        The kind that it must be of.

    Returns
    -------
    tuple of dict
        What stands in the json, and the arrays.

    Raises
    ------
    UserError
        Where it is missing, was altered, or is of another kind.
    """
    stem = _stem(name_or_path)
    if not stem.with_name(stem.name + ".json").is_file():
        raise UserError(
            f"reference {str(name_or_path)!r} does not exist{nearest(str(name_or_path), list_shipped(kind))}"
        )
    try:
        about = json.loads(read_text(stem.with_name(stem.name + ".json"), _MOST_BYTES))
        actual = about.get("kind", KIND)
        if actual != kind:
            raise UserError(f"reference {str(name_or_path)!r}: expected one of {kind}, got one of {actual}")
        tensors = stem.with_name(stem.name + ".safetensors")
        if hashlib.sha256(tensors.read_bytes()).hexdigest() != about["sha256"]:
            raise UserError(f"reference {tensors}: its SHA-256 is not the one that its json names")
        return about, read_arrays(tensors)
    except (OSError, KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        raise unreadable(name_or_path, error) from error


def unreadable(name_or_path: str | Path, error: Exception) -> UserError:
    """Make the error for files in which something is missing.

    Parameters
    ----------
    name_or_path : str or Path
        The reference.
    error : Exception
        What went wrong.

    Returns
    -------
    UserError
        To be raised.
    """
    return UserError(f"reference {str(name_or_path)!r} cannot be read: {type(error).__name__}: {error}")


def list_shipped(kind: str = KIND) -> list[str]:
    """List the references of one kind that come with the package.

    Parameters
    ----------
    kind : str
        What they are references of.

    Returns
    -------
    list of str
        Their names.
    """
    names = []
    for path in sorted(find_folder("reference").glob("*.json")):
        if json.loads(path.read_text(encoding="utf-8")).get("kind", KIND) == kind:
            names.append(path.stem)
    return names


def find_reference(dataset: str, kind: str) -> str | None:
    """Find the shipped reference that holds the statistics of a data set.

    Parameters
    ----------
    dataset : str
        Name of the data set.
    kind : str
        What it must be a reference of.

    Returns
    -------
    str or None
        Its name, None where there is none.
    """
    for name in list_shipped(kind):
        about = json.loads((find_folder("reference") / f"{name}.json").read_text(encoding="utf-8"))
        if dataset in about.get("datasets", ()):
            return name
    return None


def _stem(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    if path.suffix in (".json", ".safetensors"):
        return path.with_suffix("")
    return find_folder("reference") / path.name if path.name == str(name_or_path) else path
