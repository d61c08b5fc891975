"""``symdiff train``: a recipe becomes a run folder with a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symdiff.cli import names
from symdiff.cli.extend import Import
from symdiff.cli.options import Json
from symdiff.errors import UserError

RecipeName = Annotated[
    str | None,
    typer.Argument(
        help="A recipe file, the name of a bundled recipe, or a data set by its folder or name.",
        autocompletion=names.recipes,
    ),
]
Out = Annotated[Path | None, typer.Option(help="Folder of the run.", show_default="runs/<name of the recipe>")]
Resume = Annotated[Path | None, typer.Option(help="Go on with the run in this folder.")]
Changes = Annotated[
    list[str] | None, typer.Option("--set", metavar="path/to/key=value", help="Change the recipe; may be repeated.")
]
Minutes = Annotated[
    float | None,
    typer.Option(
        help="Train for so long, with as many steps as fit on this machine.",
        show_default="the recipe's steps; 10 where they are auto",
    ),
]


def train(
    recipe: RecipeName = None,
    out: Out = None,
    resume: Resume = None,
    set_: Changes = None,
    minutes: Minutes = None,
    import_: Import = None,
    as_json: Json = False,
) -> None:
    """Train a model from a recipe, or on data of one's own.

    symdiff data import mine.csv --out mine && symdiff train mine --minutes 30

    A data set is trained on with a recipe that is chosen for its kind; symdiff recipe new writes that one to edit.
    """
    from symdiff.config import recipe as recipes

    _check_options(out, resume, minutes)
    chosen = _choose(recipe, resume)
    for assignment in [*(set_ or []), *(["training/steps=auto"] if minutes is not None else [])]:
        chosen = recipes.set(chosen, assignment)
    folder = resume or out or Path("runs") / chosen.name

    from symdiff.pipeline import check_parts

    if not chosen.auto:
        check_parts(chosen)

    from symdiff.cli.progress import report
    from symdiff.training.run import train as run

    outcome = run(chosen, folder, resume is not None, minutes)
    if not _first_process():
        return
    import json

    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    checkpoint = folder / "checkpoint"
    line = f"trained {chosen.name}: {checkpoint}"
    if outcome.begin == outcome.steps:
        line = f"{folder}: nothing was left to do, all {outcome.steps} steps were trained before: {checkpoint}"
    report({**summary, "run": str(folder), "checkpoint": str(checkpoint)}, line, as_json)


def _check_options(out: Path | None, resume: Path | None, minutes: float | None) -> None:
    """Raise UserError for options that do not go together."""
    if resume is not None and out is not None and out != resume:
        raise UserError(f"--out {out} and --resume {resume}: a resumed run stays in its folder, give one of them")
    if resume is not None and not (resume / "recipe.yaml").is_file():
        raise UserError(f"{resume}: no training run to resume: recipe.yaml is missing")
    if minutes is not None and (resume is not None or not 0 < minutes < 1e6):
        expected = "none, as a resumed run keeps its steps" if resume is not None else "a number above 0"
        raise UserError(f"--minutes: expected {expected}, got {minutes:g}")


def _choose(recipe: str | None, resume: Path | None):
    """The recipe that is named, that of a data set that is named, or that of the run that goes on. Raises UserError."""
    from symdiff.config import recipe as recipes

    if recipe is None:
        if resume is None:
            raise UserError(
                "train: expected a recipe file, the name of a bundled recipe or a data set, or --resume RUN"
            )
        return recipes.load(resume / "recipe.yaml", earlier_keys=True)
    from symdiff.training.own_recipe import find_dataset, own_recipe

    return own_recipe(recipe) if find_dataset(recipe) else recipes.load(recipe)


def _first_process() -> bool:
    """Whether this is the process that reports: the only one, or the first of torchrun's."""
    import os

    return os.environ.get("RANK", "0") == "0"
