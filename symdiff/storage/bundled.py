"""Where the recipes, checkpoints and protocols are that come with the package: in the source tree or in the wheel."""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path
from typing import Any

from symdiff.errors import UserError, nearest
from symdiff.storage import hub

_PACKAGE = Path(__file__).resolve().parent.parent


def cache_folder() -> Path:
    """Locate the cache: ``$SYMDIFF_CACHE``, else ``~/.cache/symdiff``."""
    return Path(os.environ.get("SYMDIFF_CACHE") or Path.home() / ".cache" / "symdiff")


def folder(name: str) -> Path:
    """Locate the bundled recipes or checkpoints: beside the package in a source tree, within it in a wheel.

    Parameters
    ----------
    name : str
        "recipes" or "checkpoints".

    Returns
    -------
    Path
        The folder.
    """
    within = _PACKAGE / "bundled_files" / name
    return within if within.is_dir() else _PACKAGE.parent / name


def recipes() -> dict[str, Path]:
    """List the bundled recipes by name: the file's name without its ending."""
    return {path.stem: path for path in sorted(folder("recipes").glob("**/*.yaml"))}


def checkpoints() -> dict[str, Path]:
    """List the bundled checkpoints by name."""
    return {path.parent.name: path.parent for path in sorted(folder("checkpoints").glob("*/model_index.json"))}


def describe(path: Path) -> str:
    """Describe a recipe or a checkpoint by the first sentence of its comment, or of its card.

    Parameters
    ----------
    path : Path
        The file of a recipe, or the folder of a checkpoint.

    Returns
    -------
    str
        A line; empty where there is neither comment nor card.
    """
    if path.is_dir():
        card = path / "README.md"
        text = card.read_text(encoding="utf-8") if card.is_file() else ""
        text = re.sub(r"\A---\n.*?^---\n", "", text, flags=re.DOTALL | re.MULTILINE)  # the hub's own header
        paragraphs = (part for part in text.split("\n\n") if part.strip() and not part.lstrip().startswith(("#", "!")))
        words = next(paragraphs, "").split()
    else:
        comment = itertools.takewhile(lambda line: line.startswith("#"), path.read_text(encoding="utf-8").splitlines())
        words = " ".join(line.lstrip("#") for line in comment).split()
    line = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", " ".join(words))  # the text of links
    return re.split(r"(?<=[.!?]) (?=[A-Z])", line)[0].rstrip(".")


def recipe(source: str | Path) -> Path:
    """Find the file of a recipe.

    Parameters
    ----------
    source : str or Path
        A file, or the name of a bundled recipe.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UserError
        When it is neither.
    """
    path = Path(source)
    if path.is_file():
        return path
    known = recipes()
    if str(source) in known:
        return known[str(source)]
    if path.is_dir():
        raise UserError(f"{path}: expected a recipe file, got a folder")
    raise UserError(f"{path}: no such file and no bundled recipe of that name{nearest(str(source), known)}")


def checkpoint(source: str | Path, **options: Any) -> Path:
    """Find the folder of a checkpoint: a folder that exists, a bundled checkpoint's name, or a hub id, downloaded.

    Parameters
    ----------
    source : str or Path
        The folder, name or hub id.
    **options
        Those of ``hub.download``; they say nothing of a folder.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UserError
        When it is none of them, or cannot be downloaded.
    """
    path = Path(source)
    if path.is_dir():
        return path
    known = checkpoints()
    if str(source) in known:
        return known[str(source)]
    if path.exists():
        raise UserError(f"{path}: expected a checkpoint folder, got a file")
    if hub.is_name(str(source)):
        return hub.download(str(source), **options)
    raise UserError(f"{path}: no such folder and no bundled checkpoint of that name{nearest(str(source), known)}")
