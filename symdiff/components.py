"""The components that a pipeline may have: the abstract class of each, and its folder in a checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch

from symdiff.autoencoders.base import Decoder, Encoder
from symdiff.breaking.base import SymmetryBreaker
from symdiff.config import recipe
from symdiff.config.recipe import build
from symdiff.denoisers.base import Denoiser
from symdiff.errors import UserError, nearest
from symdiff.nn.allocation import limit_shapes
from symdiff.processes.base import Process
from symdiff.storage import checkpoint


@dataclass(frozen=True)
class Component:
    """A kind of component.

    Parameters
    ----------
    base : type
        Its abstract class: nothing else can be named by a checkpoint under this name.
    """

    base: Any

    @property
    def supplied(self) -> tuple[str, ...]:
        """What its constructor gets from the data and from the other components, not from a recipe."""
        return getattr(self.base, "supplied", ())


COMPONENTS: dict[str, Component] = {
    "denoiser": Component(Denoiser),
    "breaker": Component(SymmetryBreaker),
    "process": Component(Process),
    "encoder": Component(Encoder),
    "decoder": Component(Decoder),
}
"""By name. A new kind is one line more; pipelines, checkpoints and the hub take it from here."""
DIFFUSION = ("denoiser", "breaker", "process")
AUTOENCODER = ("encoder", "decoder", "breaker")
"""Those that belong together: a pipeline has all of a diffusion, of an autoencoder, or of both, which is a diffusion of
latents; the breaker is then the autoencoder's."""


SETTINGS = ("_class_name", "_diffusers_version", "domain", "size_histogram")
"""The other keys of ``model_index.json``."""


def check_names(names: Iterable[str], place: str) -> None:
    """Check that the names of a pipeline's components are known and make a whole.

    Parameters
    ----------
    names : iterable of str
        Keys of ``COMPONENTS``, in any order.
    place : str
        What stands before the message of an error: a file or a recipe's key.

    Raises
    ------
    UserError
        For an unknown name, none at all, and a diffusion or an autoencoder without one of its components. A diffusion
        of latents may come without the encoder: it samples all the same.
    """
    names = list(names)
    for name in names:
        if name not in COMPONENTS:
            raise UserError(
                f"{place}: {str(name)[:80]}: no component of that name{nearest(str(name)[:80], COMPONENTS)}"
            )
    groups = [group for group in (DIFFUSION, AUTOENCODER) if {*group} & {*names} - {"breaker"}]
    if not {*names} - {"breaker"}:
        groups = [DIFFUSION]
    spared = {"encoder"} if "denoiser" in names else set()
    missing = [name for group in groups for name in group if name not in names and name not in spared]
    if missing:
        raise UserError(f"{place}: the component {missing[0]} is missing")


def check_entry(name: str, entry: object, place: str) -> None:
    """Check what ``model_index.json`` says of a component.

    Parameters
    ----------
    name : str
        The component, a key of ``COMPONENTS``.
    entry : object
        What the file holds; expected is the pair [module, class] of strings.
    place : str
        What stands before the message of an error: the file.

    Raises
    ------
    UserError
        For what is neither a class of ours nor one that was imported.
    """
    if not isinstance(entry, list) or len(entry) != 2:
        raise UserError(f"{place}: {name}: expected [module, class], got {entry!r}")
    module = str(entry[0])[:80]
    try:
        kind = recipe.find(COMPONENTS[name].base, entry[1], where=f"{place}: {name}")
    except UserError as error:
        if module.startswith("symdiff."):
            raise
        raise UserError(f"{error}; where you trust the module {module}, name it by --import {module}") from error
    if kind.__module__ != entry[0]:
        raise UserError(f"{place}: {name}: {entry[1]} is in {kind.__module__}, got {module!r}")


def read_index(folder: Path, class_name: str) -> dict:
    """Read ``model_index.json``, which names classes of ours only.

    Parameters
    ----------
    folder : Path
        The folder of a checkpoint.
    class_name : str
        The class of the pipeline that the file must name.

    Returns
    -------
    dict
        The content: ``domain``, ``size_histogram``, and [module, class] of every component.

    Raises
    ------
    UserError
        Names the file, what was expected and what came.
    """
    path = folder / "model_index.json"
    index = checkpoint.read_json(path)
    missing = [key for key in SETTINGS if key not in index]
    if missing or index["_class_name"] != class_name:
        raise UserError(f"{path}: expected a {class_name} with the keys {', '.join((*SETTINGS, *DIFFUSION))}")
    names = [name for name in index if name not in SETTINGS]
    check_names(names, str(path))
    shares = index["size_histogram"]
    if (
        not isinstance(shares, list)
        or not all(type(share) in (int, float) and 0 <= share <= 1 for share in shares)
        or sum(shares) <= 0
    ):
        raise UserError(f"{path}: size_histogram: expected shares between 0 and 1, not all zero")
    if not isinstance(index["domain"], dict):
        raise UserError(f"{path}: domain: expected a mapping with the key 'kind'")
    for name in names:
        check_entry(name, index[name], str(path))
    return index


def write(folder: Path, name: str, component: Any, half: bool = False) -> list[str]:
    """Write a component's folder: its config and, where it has some, its weights.

    Parameters
    ----------
    folder : Path
        The folder of the checkpoint, which has no folder ``name`` yet.
    name : str
        The component, a key of ``COMPONENTS``.
    component : object
        A diffusers model or process of ours, with ``config`` and ``config_name``.
    half : bool
        Whether the weights are written as float16.

    Returns
    -------
    list of str
        Its entry in ``model_index.json``.
    """
    (folder / name).mkdir()
    config = {key: value for key, value in component.config.items() if not key.startswith("_")}
    header = {"_class_name": type(component).__name__, "_diffusers_version": diffusers.__version__}
    checkpoint.write_json(folder / name / component.config_name, {**header, **config})
    if isinstance(component, torch.nn.Module):
        checkpoint.write_weights(folder / name / checkpoint.WEIGHTS, component, half)
    return [type(component).__module__, type(component).__name__]


def read(folder: Path, name: str, expected: str) -> Any:
    """Build a component of the class ``expected`` from its config and give it its weights.

    Parameters
    ----------
    folder : Path
        The folder of a checkpoint.
    name : str
        The component, a key of ``COMPONENTS``.
    expected : str
        The name of its class, as ``model_index.json`` has it.

    Returns
    -------
    object
        The component; networks are in evaluation mode.

    Raises
    ------
    UserError
        Names the file, what was expected and what came.
    """
    kind = COMPONENTS[name]
    path = folder / name / kind.base.config_name
    config: Mapping = checkpoint.read_json(path)
    if config.get("_class_name") != expected:
        raise UserError(
            f"{path}: _class_name: model_index.json says {expected}, got {str(config.get('_class_name'))[:80]!r}"
        )
    given = {key: config[key] for key in kind.supplied if key in config}
    settings = {key: value for key, value in config.items() if not key.startswith("_") and key not in given}
    weights = path.with_name(checkpoint.WEIGHTS)
    fitting = limit_shapes(checkpoint.read_shapes(weights).values()) if weights.is_file() else nullcontext()
    try:
        with fitting:
            component = build(kind.base, {**settings, "kind": expected}, where=str(path), **given)
    except (TypeError, KeyError) as error:
        raise UserError(f"{path}: the config does not fit {expected}: {error}") from error
    if isinstance(component, torch.nn.Module):
        checkpoint.read_weights(weights, component)
        component.eval()
    return component
