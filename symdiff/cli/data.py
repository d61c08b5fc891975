"""``symdiff data``: import a user's files, and say what a data set holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from symdiff.cli.groups import groups

Progress = Callable[[int, int | None], None] | None

app = typer.Typer(help="Import data sets and look into them.", no_args_is_help=True)
app.command("groups", epilog="Example: symdiff data groups 'cyclic 10' --out pairs.png")(groups)

_JSON = Annotated[bool, typer.Option("--json", help="Print one machine-readable object.")]


@app.command("import", epilog="Example: symdiff data import molecules.csv --column smiles --out my-molecules")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Molecules (.smi .txt .csv .tsv .sdf, in 3D .xyz .extxyz .npz), graphs (.graphml .npz .safetensors) "
            "or spins (.npz)."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The folder to write; it must not exist.")],
    column: Annotated[
        str | None, typer.Option(help="Column of SMILES in tables; default: the one called smiles.")
    ] = None,
    split_column: Annotated[str | None, typer.Option(help="Column with train, valid or test in tables.")] = None,
    hydrogens: Annotated[bool, typer.Option("--hydrogens", help="Make hydrogens nodes of their own.")] = False,
    max_nodes: Annotated[int, typer.Option(min=1, max=32767, help="Larger molecules and graphs are left out.")] = 512,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that parse; default: at most 2.")] = None,
    coordinates: Annotated[bool, typer.Option("--coordinates", help="Take .sdf as molecules in 3D.")] = False,
    bonds: Annotated[
        bool, typer.Option(help="Keep the bonds of molecules in 3D, perceived where a file has none.")
    ] = True,
    atoms: Annotated[
        str | None, typer.Option(help="What the labels of nodes stand for, in files of graphs, such as C,N,O,F.")
    ] = None,
    properties: Annotated[
        list[str] | None,
        typer.Option(
            "--property",
            help="A number to keep of every structure, as a condition of models: activity, activity[nM], or "
            "activity='IC50 value'[nM] for a column of another name. A column of a table, a data field of .sdf, a key "
            "of an .extxyz comment, a graph attribute of .graphml, an array of .npz; may be given several times.",
        ),
    ] = None,
    as_json: _JSON = False,
) -> None:
    """Read files into a validated, checksummed data set; broken rows are counted by reason and left out."""
    from symdiff.data.columns import read_asked
    from symdiff.data.importer import ImportSettings
    from symdiff.data.importing import import_files

    asked = [read_asked(text) for text in properties or ()]
    with _progress(as_json) as progress:
        settings = ImportSettings(
            column,
            split_column,
            hydrogens,
            coordinates,
            bonds,
            atoms and atoms.split(","),
            max_nodes,
            workers,
            progress,
            asked,
        )
        dataset = import_files(files, out, settings)
    meta = dataset.meta
    report = {
        name: meta[name]
        for name in ("rows", "count", "splits", "left_out", "examples", "notes", "duplicates", "missing")
        if name in meta
    }
    if as_json:
        typer.echo(json.dumps({"path": str(out), **report}))
        return
    typer.echo(f"{out}: {meta['count']} of {meta['rows']} rows ({_pairs(meta['splits'])})")
    for reason, count in meta["left_out"].items():
        first = meta.get("examples", {}).get(reason)
        typer.echo(f"left out: {count} {reason}" + (f", the first is {first}" if first else ""))
    for note in meta.get("notes", []):
        typer.echo(f"note: {note}")
    typer.echo(f"duplicates kept: {meta['duplicates']}")
    for name, one in dataset.domain.properties.items():
        typer.echo(f"{name}: {one.seen} in training, mean {one.mean:g}; {meta['missing'][name]} structures have none")


@app.command(epilog="Example: symdiff data info small-molecules")
def info(
    dataset: Annotated[str, typer.Argument(help="The folder of a data set, or the name of one such as qm9.")],
    as_json: _JSON = False,
) -> None:
    """Print counts, splits, sizes, label frequencies, what was left out and why, and automorphisms."""
    from symdiff.data.registry import open_dataset
    from symdiff.data.summary import summary

    with _progress(as_json) as progress:
        opened = open_dataset(dataset, progress=progress)
    about = summary(opened)
    if as_json:
        typer.echo(json.dumps(about))
    else:
        typer.echo("\n".join(_lines(about)))


def _lines(about: dict) -> Iterator[str]:
    """What ``info`` says to people."""
    yield f"{about['name']}: {about['count']} structures ({_pairs(about['splits'])})"
    yield f"path: {about['path']}"
    yield f"source: {(about['source'] or {}).get('title', 'not recorded')}"
    yield f"order of nodes: {about['order'] or 'not recorded'}"
    yield "domain: " + "; ".join(f"{name} {_told(value)}" for name, value in about["domain"].items())
    for place in ("nodes", "edges"):
        yield f"{place}: {about[place]['least']} to {about[place]['most']}, mean {about[place]['mean']:.2f}"
    yield "sizes:"
    most = max(about["sizes"].values())
    for size, count in about["sizes"].items():
        yield f"  {size:>5} {count:>8} {'#' * round(40 * count / most)}".rstrip()
    for field, shares in about["labels"].items():
        yield f"{field}: " + ", ".join(f"{label} {share:.5f}" for label, share in shares.items())
    left_out = ", ".join(f"{reason}: {count}" for reason, count in about["left_out"].items())
    yield f"left out: {left_out or 'nothing'}; duplicates: {about['duplicates']}"
    yield f"symmetry: {_symmetry(about['symmetry'])}"


def _symmetry(seen: dict) -> str:
    line = "of no structure were automorphisms looked for"
    if seen["count"]:
        share, order = f"{seen['symmetric_share']:.4f}", f"{seen['largest_group']:.0f}"
        line = (
            f"{share} of {seen['count']} structures have a nontrivial automorphism, the largest group has order {order}"
        )
    left_out = [
        f"{seen[key]} {why}" for key, why in (("too_large", "too large"), ("undecided", "undecided")) if seen[key]
    ]
    return f"{line} ({', '.join(left_out)})" if left_out else line


def _told(value: object) -> str:
    """A setting of a domain in a line: names and numbers, a list of them, or none."""
    if isinstance(value, list | tuple):
        return ", ".join(map(_told, value)) or "none"
    return "none" if value is None else str(value)


def _pairs(counts: dict) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


@contextmanager
def _progress(silent: bool) -> Iterator[Progress]:
    """A bar on stderr where that is a terminal: rows, rate and time left.

    The number of rows is known once the files are read.
    """
    if silent:
        yield None
        return
    from symdiff.progress import make_bar

    with make_bar("rows", transient=True, terminal_only=True) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda count, total: bar.update(task, advance=count, total=total)
