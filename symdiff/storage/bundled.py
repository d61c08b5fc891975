"""Where the recipes, checkpoints and protocols are that come with the package: in the source tree or in the wheel."""

from __future__ import annotations

import os
import re
from pathlib import Path

from symdiff.errors import UserError, nearest

_PACKAGE = Path(__file__).resolve().parent.parent


def cache_folder() -> Path:
    """``$SYMDIFF_CACHE``, else ``~/.cache/symdiff``."""
    return Path(os.environ.get("SYMDIFF_CACHE") or Path.home() / ".cache" / "symdiff")


def folder(name: str) -> Path:
    """The folder ``recipes`` or ``checkpoints``: beside the package in a source tree, within it in a wheel."""
    within = _PACKAGE / "bundled_files" / name
    return within if within.is_dir() else _PACKAGE.parent / name


def recipes() -> dict[str, Path]:
    """The bundled recipes by name: the file's name without its ending."""
    return {path.stem: path for path in sorted(folder("recipes").glob("**/*.yaml"))}


def checkpoints() -> dict[str, Path]:
    """The bundled checkpoints by name."""
    return {path.parent.name: path.parent for path in sorted(folder("checkpoints").glob("*/model_index.json"))}


def recipe(source: str | Path) -> Path:
    """The file of a recipe: a path that exists, else a bundled recipe's name.

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


def checkpoint(source: str | Path) -> Path:
    """The folder of a checkpoint: a folder that exists, a bundled checkpoint's name, or a hub id, downloaded.

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
    if re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", str(source)):
        return _download(str(source))
    raise UserError(f"{path}: no such folder and no bundled checkpoint of that name{nearest(str(source), known)}")


def _download(name: str) -> Path:
    """The files of a hub repository in our cache: those that a checkpoint may have, nothing else."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    target = cache_folder() / "hub" / name.replace("/", "--")
    patterns = ["SHA256SUMS", *(f"{place}*{end}" for place in ("", "*/") for end in (".json", ".safetensors", ".yaml", ".md"))]
    try:
        snapshot_download(name, local_dir=target, allow_patterns=patterns)
    except LocalEntryNotFoundError:
        raise UserError(f"{name}: no such folder, and the hub, where it might be, cannot be reached") from None
    except (OSError, HfHubHTTPError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{name}: no such folder, and no download from the hub: {reason}") from None
    return target
