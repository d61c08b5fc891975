"""``symdiff data``: import a user's files, and say what a data set holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from symdiff.errors import UserError

app = typer.Typer(help="Import data sets and look into them.", no_args_is_help=True)

_JSON = Annotated[bool, typer.Option("--json", help="Print one machine-readable object.")]


@app.command("import", epilog="Example: symdiff data import molecules.csv --column smiles --out my-molecules")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Molecules (.smi .txt .csv .sdf) or graphs (.graphml .npz .safetensors).")],
    out: Annotated[Path, typer.Option(help="The folder to write; it must not exist.")],
    column: Annotated[str | None, typer.Option(help="Column of SMILES in .csv files; default: the one called smiles.")] = None,
    split_column: Annotated[str | None, typer.Option(help="Column with train, valid or test in .csv files.")] = None,
    hydrogens: Annotated[bool, typer.Option("--hydrogens", help="Make hydrogens nodes of their own.")] = False,
    max_nodes: Annotated[int, typer.Option(min=1, max=32767, help="Larger structures are left out.")] = 512,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that parse; default: at most 2.")] = None,
    as_json: _JSON = False,
) -> None:
    """Read files into a validated, checksummed data set; broken rows are counted by reason and left out."""
    _guard(lambda: _import(files, out, column, split_column, hydrogens, max_nodes, workers, as_json))


@app.command(epilog="Example: symdiff data info small-molecules")
def info(
    dataset: Annotated[str, typer.Argument(help="The folder of a data set, or the name of one such as qm9.")],
    as_json: _JSON = False,
) -> None:
    """Print counts, splits, sizes, label frequencies, what was left out and why, and how symmetric the structures are."""
    _guard(lambda: _info(dataset, as_json))


def _guard(command) -> None:
    try:
        command()
    except UserError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None


def _import(files, out, column, split_column, hydrogens, max_nodes, workers, as_json) -> None:
    from symdiff.data.importing import import_files

    with _progress(as_json) as progress:
        dataset = import_files(files, out, column, split_column, hydrogens, max_nodes, workers, progress)
    meta = dataset.meta
    report = {name: meta[name] for name in ("rows", "count", "splits", "left_out", "duplicates")}
    if as_json:
        typer.echo(json.dumps({"path": str(out), **report}))
        return
    typer.echo(f"{out}: {meta['count']} of {meta['rows']} rows ({_pairs(meta['splits'])})")
    for reason, count in meta["left_out"].items():
        typer.echo(f"left out: {count} {reason}")
    typer.echo(f"duplicates kept: {meta['duplicates']}")


def _info(name: str, as_json: bool) -> None:
    from symdiff.data.registry import open_dataset
    from symdiff.data.summary import summary

    with _progress(as_json) as progress:
        dataset = open_dataset(name, progress=progress)
    found = summary(dataset)
    if as_json:
        typer.echo(json.dumps(found))
        return
    source = found["source"] or {}
    typer.echo(f"{found['name']}: {found['count']} structures ({_pairs(found['splits'])})")
    typer.echo(f"path: {found['path']}")
    typer.echo(f"source: {source.get('title', 'not recorded')}")
    typer.echo(f"order of nodes: {found['order']}")
    for place in ("nodes", "edges"):
        typer.echo(f"{place}: {found[place]['least']} to {found[place]['most']}, mean {found[place]['mean']:.2f}")
    most = max(found["sizes"].values())
    typer.echo("sizes:")
    for size, count in found["sizes"].items():
        typer.echo(f"  {size:>5} {count:>8} {'#' * round(40 * count / most)}")
    for field, shares in found["labels"].items():
        typer.echo(f"{field}: " + ", ".join(f"{label} {share:.5f}" for label, share in shares.items()))
    left_out = ", ".join(f"{reason}: {count}" for reason, count in found["left_out"].items())
    typer.echo(f"left out: {left_out or 'nothing'}; duplicates: {found['duplicates']}")
    seen = found["symmetry"]
    typer.echo(
        f"symmetry: {seen['symmetric_share']:.4f} of {seen['count']} structures have a nontrivial automorphism, "
        f"the largest group has order {seen['largest_group']:.0f}"
    )


def _pairs(counts: dict) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


class _progress:
    """A bar on the terminal that counts rows; silent for ``--json``, whose output is one object."""

    def __init__(self, silent: bool) -> None:
        self.silent = silent

    def __enter__(self):
        if self.silent:
            return None
        from rich.console import Console
        from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("rows"), MofNCompleteColumn(), TimeElapsedColumn())
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
        task = self.bar.add_task("rows", total=None)
        self.bar.start()
        return lambda count: self.bar.advance(task, count)

    def __exit__(self, *_) -> None:
        if not self.silent:
            self.bar.stop()
