"""``symdiff show``: what a checkpoint is, without loading its weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from symdiff.cli.extend import Import
from symdiff.cli.names import checkpoints
from symdiff.cli.options import Json


def show(
    checkpoint: Annotated[
        str,
        typer.Argument(help="A folder, the name of a bundled checkpoint, or a hub id.", autocompletion=checkpoints),
    ],
    import_: Import = None,
    as_json: Json = False,
) -> None:
    """Show a checkpoint: its parts and sizes, what its samples can be asked for, its figures and its card."""
    from symdiff.cli.progress import report
    from symdiff.storage import bundled

    values = describe(bundled.checkpoint(checkpoint))
    report({"checkpoint": checkpoint, **values}, "\n".join([checkpoint, *_lines(values)]), as_json)


def describe(folder: Path) -> dict:
    """What is known of a checkpoint.

    Parameters
    ----------
    folder : Path
        Its folder.

    Returns
    -------
    dict
        ``path``, ``domain``, ``parts`` (class and number of weights of each), ``bytes`` of all files, ``nodes`` (least,
        mean and most of the training structures), ``dataset`` and ``steps`` of the recipe, ``options`` of ``symdiff
        sample``, ``figures`` as in ``evaluation.json``, and the ``card``.

    Raises
    ------
    UserError
        For a folder that is no whole checkpoint.
    """
    from symdiff import components
    from symdiff.config import recipe as recipes
    from symdiff.domains.base import domain_from_spec
    from symdiff.pipeline import Pipeline
    from symdiff.storage import checkpoint as storage

    storage.verify(folder)
    index = components.read_index(folder, Pipeline.__name__)
    recipe, figures, card = (folder / name for name in ("recipe.yaml", "evaluation.json", "README.md"))
    trained = recipes.load(recipe, earlier_keys=True) if recipe.is_file() else None
    shares = index["size_histogram"]
    sizes = [size for size, share in enumerate(shares) if share]
    options = domain_from_spec(index["domain"]).options.help if "denoiser" in index else {}
    return {
        "path": str(folder),
        "domain": index["domain"],
        "parts": {name: _part(folder / name, index[name][1]) for name in index if name not in components.SETTINGS},
        "bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        "nodes": {
            "least": sizes[0],
            "mean": sum(size * share for size, share in enumerate(shares)) / sum(shares),
            "most": sizes[-1],
        },
        "dataset": trained.data.dataset if trained else None,
        "steps": trained.sampling.steps if trained and trained.denoiser else None,
        "options": dict(options),
        "figures": storage.read_json(figures) if figures.is_file() else None,
        "card": card.read_text(encoding="utf-8") if card.is_file() else None,
    }


def _part(folder: Path, name: str) -> dict:
    """The class of a component, and how many weights it has."""
    from math import prod

    from symdiff.storage import checkpoint as storage

    weights = folder / storage.WEIGHTS
    return {"class": name, "weights": sum(map(prod, storage.read_shapes(weights).values())) if weights.is_file() else 0}


def _lines(values: dict) -> Iterator[str]:
    """What people read."""
    yield f"path: {values['path']} ({values['bytes'] / 1e6:.1f} MB)"
    yield "domain: " + "; ".join(f"{name} {_told(value)}" for name, value in values["domain"].items())
    for name, part in values["parts"].items():
        weights = f", {part['weights']:,} weights" if part["weights"] else ""
        yield f"{name}: {part['class']}{weights}"
    nodes = values["nodes"]
    yield f"nodes: {nodes['least']} to {nodes['most']}, mean {nodes['mean']:.1f}"
    yield f"data set: {values['dataset'] or 'not recorded'}"
    if values["steps"] is not None:
        yield f"evaluations of the network a sample: {values['steps']}"
        yield "options of symdiff sample:" + ("" if values["options"] else " none of its own")
        width = max(map(len, values["options"]), default=0)
        yield from (f"  --{name:<{width}}  {text}" for name, text in values["options"].items())
    yield from _figures(values["figures"])
    if values["card"]:
        yield from ("", values["card"].rstrip())


def _figures(figures: dict | None) -> Iterator[str]:
    """The metrics of an evaluation as a table; a record of another form is in the card."""
    metrics = {
        name: one
        for name, one in (figures or {}).items()
        if isinstance(one, dict) and {"value", "low", "high"} <= {*one}
    }
    if not metrics:
        yield "figures: " + ("none" if figures is None else "in evaluation.json, and in the card")
        return
    width = max(map(len, metrics))
    yield f"{'figures':<{width}}  {'value':>9}  {'95 % interval':>20}"
    for name, one in metrics.items():
        low, high = (f"{one[end]:.4f}" if one[end] is not None else "-" for end in ("low", "high"))
        value = f"{one['value']:.4f}" if one["value"] is not None else "-"
        yield f"{name:<{width}}  {value:>9}  {f'{low} .. {high}':>20}"


def _told(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_told, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_told(each)}" for name, each in value.items()) or "none"
    return "none" if value is None else str(value)
