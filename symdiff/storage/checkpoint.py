"""A checkpoint folder: written whole or not at all, read strictly, never unpickled."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import nn

from symdiff.errors import UserError
from symdiff.storage import atomic, sealed

WEIGHTS = "diffusion_pytorch_model.safetensors"
_INDEX = "model_index.json"
_HUB = (".gitattributes", ".cache")  # what a download from the hub leaves beside the files; not read
_CARD = "README.md"  # people edit it on the hub


def write(target: Path, fill: Callable[[Path], None]) -> None:
    """Write a checkpoint folder with its SHA256SUMS; an earlier checkpoint at the same place is replaced.

    Parameters
    ----------
    target : Path
        The folder to be.
    fill : callable
        Writes the files into the temporary folder that it is given.

    Raises
    ------
    UserError
        Where something else is there, or it cannot be written (a full disk); ``target`` is then what it was before.
    """

    def complete(folder: Path) -> None:
        fill(folder)
        sealed.sign(folder)

    try:
        atomic.write_folder(target, complete, lambda folder: atomic.is_empty_or_has(folder, _INDEX))
    except FileExistsError:
        raise UserError(f"{target}: exists and is no checkpoint folder, nothing was written") from None
    except OSError as error:
        outcome = "the earlier checkpoint is untouched" if Path(target).exists() else "nothing was written"
        raise UserError(f"{target}: cannot save the checkpoint: {error.strerror}; {outcome}") from error


def verify(folder: Path) -> None:
    """Check that the folder holds exactly the files of SHA256SUMS, unaltered, and no links, code or pickles.

    In the hub's cache, ``snapshots/<commit>``, files may be links to the cache's ``blobs``, and the card may have been
    edited.

    Parameters
    ----------
    folder : Path
        The folder of a checkpoint.

    Raises
    ------
    UserError
        Names the first file that is missing, altered, extra or not allowed.
    """
    blobs = folder.absolute().parent.parent / "blobs"
    cached = folder.absolute().parent.name == "snapshots" and blobs.is_dir()
    wrong = sealed.damage(folder, sealed.CHECKPOINT, (*_HUB, _CARD) if cached else _HUB, blobs if cached else None)
    if wrong is not None:
        raise UserError(f"{folder}: not a whole checkpoint: {wrong}")


def read_json(path: Path) -> dict:
    """Read the object in a JSON file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict
        The object.

    Raises
    ------
    UserError
        For anything else.
    """
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
    """Write an object as JSON, keys in their order: the order of a schema's fields means something.

    Parameters
    ----------
    path : Path
        The file.
    value : mapping
        Plain values; numbers must be finite.
    """
    path.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def write_weights(path: Path, module: nn.Module, half: bool = False) -> None:
    """Write a module's parameters and buffers as safetensors; without any the file has no tensors.

    Parameters
    ----------
    path : Path
        The file.
    module : torch.nn.Module
        The module.
    half : bool
        Whether float32 is written as float16: 11 significant bits, in half the space.
    """
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in module.state_dict().items()}
    if half:
        tensors = {name: tensor.half() if tensor.dtype == torch.float32 else tensor for name, tensor in tensors.items()}
    path.write_bytes(save(tensors, metadata={"format": "pt"}))  # not save_file: a full disk must be an OSError


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Read the shape of every tensor of a safetensors file, and no values.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to tuple of int
        The shapes.

    Raises
    ------
    UserError
        For a file that is damaged or no safetensors file.
    """
    try:
        with safe_open(path, "pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118, a safe_open is no mapping
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: not a whole safetensors file: {' '.join(str(error).split())}") from None


def read_weights(path: Path, module: nn.Module) -> None:
    """Load a module's weights: exactly its tensors, in their shapes and types, all of them finite.

    A tensor of float16 may stand for one of float32.

    Parameters
    ----------
    path : Path
        The file.
    module : torch.nn.Module
        The module; it is changed where the whole file fits.

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
        types = (wanted[name].dtype, tensor.dtype)
        halved = types == (torch.float32, torch.float16) and wanted[name].shape == tensor.shape
        if want != got and not halved:
            raise UserError(f"{path}: the tensor {name!r} needs {want}, got {got}")
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise UserError(f"{path}: the tensor {name!r} has entries that are not finite")
    module.load_state_dict(tensors)
