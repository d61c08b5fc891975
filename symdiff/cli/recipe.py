"""``symdiff recipe``: a recipe for one's own data, to edit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symdiff.cli.extend import Import
from symdiff.cli.options import Json

app = typer.Typer(help="Make recipes.", no_args_is_help=True)


@app.callback()
def recipe() -> None:
    """Make recipes."""


@app.command(epilog="Example: symdiff recipe new mine --out mine.yaml")
def new(
    dataset: Annotated[str, typer.Argument(help="The folder of a data set, or the name of one such as qm9.")],
    out: Annotated[Path, typer.Option(help="The file to write; it must not exist.")],
    minutes: Annotated[float, typer.Option(help="Time for training, which the size of the network follows.")] = 10.0,
    import_: Import = None,
    as_json: Json = False,
) -> None:
    """Write the recipe that symdiff train DATASET would take, to edit."""
    from symdiff.cli.progress import report
    from symdiff.errors import UserError
    from symdiff.storage.atomic import write_file
    from symdiff.training.own_recipe import write_recipe

    if out.exists():
        raise UserError(f"{out}: exists already")
    if not 0 < minutes < 1e6:
        raise UserError(f"--minutes: expected a number above 0, got {minutes:g}")
    write_file(out, write_recipe(dataset, minutes), parents=True)
    report({"dataset": dataset, "recipe": str(out)}, f"{out}: train it with symdiff train {out}", as_json)
