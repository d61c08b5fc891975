"""``symdiff train``: a recipe becomes a run folder with a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symdiff.cli import names
from symdiff.cli.extend import Import
from symdiff.errors import UserError


def train(
    recipe: Annotated[
        str | None, typer.Argument(help="A recipe file, or the name of a bundled recipe.", autocompletion=names.recipes)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run.", show_default="runs/<name of the recipe>")
    ] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with the run in this folder.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="path/to/key=value", help="Change the recipe; may be repeated.")
    ] = None,
    import_: Import = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train a model from a recipe."""
    from symdiff.config import recipe as recipes

    if resume is not None and out is not None and out != resume:
        raise UserError(f"--out {out} and --resume {resume}: a resumed run stays in its folder, give one of them")
    if resume is not None and not (resume / "recipe.yaml").is_file():
        raise UserError(f"{resume}: no training run to resume: recipe.yaml is missing")
    if recipe is not None:
        chosen = recipes.load(recipe)
    elif resume is not None:
        chosen = recipes.load(resume / "recipe.yaml", earlier_keys=True)
    else:
        raise UserError("train: expected a recipe file, the name of a bundled recipe, or --resume RUN")
    for assignment in set_ or []:
        chosen = recipes.set(chosen, assignment)
    folder = resume or out or Path("runs") / chosen.name

    from symdiff.pipeline import check_parts

    check_parts(chosen)

    from symdiff.cli.progress import report
    from symdiff.training.run import train as run

    outcome = run(chosen, folder, resume is not None)
    if not _first_process():
        return
    import json

    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    values = {**summary, "run": str(folder), "checkpoint": str(folder / "checkpoint")}
    if outcome.begin == outcome.steps:
        report(
            values,
            f"{folder}: nothing was left to do, all {outcome.steps} steps were trained before: {folder / 'checkpoint'}",
            as_json,
        )
    else:
        report(values, f"trained {chosen.name}: {folder / 'checkpoint'}", as_json)


def _first_process() -> bool:
    """Whether this is the process that reports: the only one, or the first of torchrun's."""
    import os

    return os.environ.get("RANK", "0") == "0"
