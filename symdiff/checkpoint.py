"""A checkpoint folder: written whole or not at all, read strictly, never unpickled."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from symdiff.errors import UserError

SUMS = "SHA256SUMS"
WEIGHTS = "diffusion_pytorch_model.safetensors"
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)?")
_ENDINGS = (".json", ".safetensors", ".yaml", ".md")
_HUB = {".gitattributes", ".cache"}  # what a download from the hub leaves beside the files; not read
_SWAP, _HERE = 2, -100  # RENAME_EXCHANGE and AT_FDCWD of Linux


def write(target: Path, fill: Callable[[Path], None]) -> None:
    """Let ``fill`` write files into a temporary folder beside ``target``, then put it in the target's place at once.

    Every file, and the folder, reach the disk before the rename; SHA256SUMS is added. An earlier checkpoint at
    ``target`` is exchanged for the new one in one step (on Linux) and then deleted.

    Raises
    ------
    UserError
        When it cannot be written (a full disk); ``target`` is then what it was before.
    """
    target = Path(target).absolute()
    if target.is_symlink() or (target.exists() and not _replaceable(target)):
        raise UserError(f"{target}: exists and is no checkpoint folder, nothing was written")
    temporary = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        temporary.chmod(0o755)
        fill(temporary)
        sums = {path.relative_to(temporary).as_posix(): sha256(path) for path in files(temporary)}
        (temporary / SUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))
        for path in files(temporary):
            path.chmod(0o644)
            _sync(path)
        for path in [*(p for p in temporary.iterdir() if p.is_dir()), temporary]:
            _sync(path)
        _place(temporary, target)
        _sync(target.parent)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        kept = "the earlier checkpoint is untouched" if target.exists() else "nothing was written"
        raise UserError(f"{target}: cannot save the checkpoint: {reason}; {kept}") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)  # after an exchange this is the earlier checkpoint


def verify(folder: Path) -> None:
    """Check that the folder holds exactly the files of SHA256SUMS, unaltered, and no links, code or pickles.

    Raises
    ------
    UserError
        Names the first file that is missing, altered, extra or not allowed.
    """
    try:
        lines = (folder / SUMS).read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UserError(f"{folder}: {SUMS} is missing or unreadable: not a complete checkpoint") from None
    listed: dict[str, str] = {}
    for line in lines:
        digest, gap, name = line.partition("  ")
        if not gap or not re.fullmatch("[0-9a-f]{64}", digest) or name in listed or not _allowed(name):
            raise UserError(f"{folder}: {SUMS} has a line that is not allowed: {line[:120]!r}")
        listed[name] = digest
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name.split("/")[0] in _HUB or name == SUMS:
            continue
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise UserError(f"{folder}: {name} is a link or no plain file, which a checkpoint must not contain")
        if path.is_file() and name not in listed:
            raise UserError(f"{folder}: {name} is not listed in {SUMS}")
    for name, digest in listed.items():
        if not (folder / name).is_file():
            raise UserError(f"{folder}: {name} is missing")
        if sha256(folder / name) != digest:
            raise UserError(f"{folder}: {name} was altered: its SHA-256 is not the one in {SUMS}")


def files(folder: Path) -> list[Path]:
    """All files of a folder and its folders, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> dict:
    """The object in a JSON file. Raises UserError for anything else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise UserError(f"{path}: not JSON") from None
    if not isinstance(value, dict):
        raise UserError(f"{path}: expected a JSON object, got {type(value).__name__}")
    return value


def write_json(path: Path, value: Mapping) -> None:
    """Keys stay in their order: the order of a schema's fields means something."""
    path.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def write_weights(path: Path, module: nn.Module) -> None:
    """The module's parameters and buffers as safetensors; a module without any gets a file without tensors."""
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in module.state_dict().items()}
    save_file(tensors, path, metadata={"format": "pt"})


def read_weights(path: Path, module: nn.Module) -> None:
    """Load a module's weights: exactly its tensors, in their shapes and types, all of them finite.

    Raises
    ------
    UserError
        Names the file, the tensor, what was expected and what came.
    """
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: not a whole safetensors file: {' '.join(str(error).split())}") from None
    wanted = module.state_dict()
    for name in wanted.keys() - tensors.keys():
        raise UserError(f"{path}: the tensor {name!r} is missing")
    for name in sorted(tensors.keys() - wanted.keys()):
        raise UserError(f"{path}: the tensor {name!r} does not belong to {type(module).__name__}")
    for name, tensor in tensors.items():
        want, got = (f"{tuple(each.shape)} {str(each.dtype).removeprefix('torch.')}" for each in (wanted[name], tensor))
        if want != got:
            raise UserError(f"{path}: the tensor {name!r} needs {want}, got {got}")
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise UserError(f"{path}: the tensor {name!r} has entries that are not finite")
    module.load_state_dict(tensors)


def _allowed(name: str) -> bool:
    return _FILE.fullmatch(name) is not None and name.endswith(_ENDINGS)


def _replaceable(target: Path) -> bool:
    """An empty folder, or an earlier checkpoint: nothing else is ever deleted."""
    return target.is_dir() and ((target / "model_index.json").is_file() or not any(target.iterdir()))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _place(temporary: Path, target: Path) -> None:
    if not target.exists():
        temporary.rename(target)
        return
    if sys.platform == "linux":
        exchange = getattr(ctypes.CDLL(None), "renameat2", None)
        if exchange is not None and exchange(_HERE, os.fsencode(temporary), _HERE, os.fsencode(target), _SWAP) == 0:
            return
    # elsewhere a folder cannot be exchanged in one step; a crash in between leaves the earlier one under its second name
    aside = temporary.with_name(f"{temporary.name}-earlier")
    target.rename(aside)
    try:
        temporary.rename(target)
    except OSError:
        aside.rename(target)
        raise
    shutil.rmtree(aside)
