"""``symdiff evaluate``: anybody's samples in, numbers with intervals and a report out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symdiff.cli.extend import Import

_ROWS = 4096  # structures decoded at once


def evaluate(
    files: Annotated[list[Path], typer.Argument(help="Samples: .smi .txt .csv .tsv .sdf .xyz .extxyz, optionally .gz, or .npz .safetensors .graphml.")],
    out: Annotated[Path, typer.Option(help="Folder for report.html, metrics.json, samples.csv and about.json.")],
    protocol: Annotated[
        str | None, typer.Option(help="Which numbers: a protocol's name or a .yaml file. [default: what goes with the files]")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(help="Compared with: a shipped reference, a data set, a file of SMILES, or none. [default: the protocol's]"),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; the result is the same. [default: all processors]")] = None,
    shards: Annotated[
        Path | None,
        typer.Option(help="Folder in which a killed evaluation goes on. [default: beside --out for over a million]"),
    ] = None,
    mcf: Annotated[
        Path | None, typer.Option(help="MOSES's list of medicinal chemistry filters (its mcf.csv), which moses.filters needs.")
    ] = None,
    column: Annotated[str | None, typer.Option(help="Column of SMILES in tables. [default: the one called smiles]")] = None,
    atoms: Annotated[str | None, typer.Option(help="What the labels of nodes stand for, in files of graphs, such as C,N,O,F.")] = None,
    import_: Import = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print metrics.json instead of a table.")] = False,
) -> None:
    """Score samples: validity, uniqueness, novelty, distances to a reference, symmetry.

    symdiff evaluate samples.smi --out report

    A killed one goes on where it was, with any number of workers, when it is started again:

    symdiff evaluate many.smi --out report --shards kept --workers 4
    """
    from symdiff.cli.progress import stages
    from symdiff.storage.boundary import naming
    from symdiff_evaluation.core.command import available_processors, run, show
    from symdiff_evaluation.core.guess import guess
    from symdiff_evaluation.core.protocol import load
    from symdiff_evaluation.core.writing import check

    with naming():
        check(out)
        protocol = load(protocol or guess(files, atoms is not None))
        protocol = protocol.with_mcf(mcf) if mcf else protocol
        target = _reference(reference, protocol, workers or available_processors())
        with stages("samples", as_json) as (begin, advance):
            labels = atoms and atoms.split(",")
            evaluation = run(files, out, protocol, target, workers, shards, column=column, atoms=labels, begun=begin, progress=advance)
        show(evaluation, out, as_json)


def _reference(reference: str | None, protocol, workers: int):
    """A data set becomes the statistics of its train and test splits, kept in the cache; the rest is left to the evaluation."""
    if reference is None or protocol.kind not in ("molecule-graph", "graph"):
        return reference
    if protocol.kind == "graph":
        return _graphs(reference) if (Path(reference) / "dataset.json").is_file() else reference
    from symdiff.data.registry import open_dataset
    from symdiff.data.sets.table import TABLE

    if reference not in TABLE and not (Path(reference) / "dataset.json").is_file():
        return reference
    from symdiff.domains.molecule import MolecularGraph
    from symdiff.errors import UserError
    from symdiff.storage.bundled import cache_folder
    from symdiff_evaluation.molecules.kind import asks_fcd, asks_moses
    from symdiff_evaluation.molecules.reference import load as kept
    from symdiff_evaluation.molecules.reference import write

    fcd, moses = asks_fcd(protocol.metrics), asks_moses(protocol.metrics)
    splits = ("train", "test") if fcd or moses else ("train",)
    dataset = open_dataset(reference)
    if not isinstance(dataset.domain, MolecularGraph):
        raise UserError(f"{reference}: expected a data set of molecules, got {type(dataset.domain).__name__}")
    stem = cache_folder() / "references" / f"{Path(reference).name}-{_digest(dataset.path)}-{'-'.join(splits)}{'-fcd' * fcd}{'-moses' * moses}"
    if not stem.with_name(f"{stem.name}.json").is_file():
        write(_derived(dataset, splits, Path(reference).name, workers, fcd, moses), stem)
    return kept(stem.with_name(f"{stem.name}.json"))


def _digest(folder: Path) -> str:
    """What tells data sets apart: their description, which holds the SHA-256 of the arrays."""
    from hashlib import sha256

    return sha256((folder / "dataset.json").read_bytes()).hexdigest()[:16]


def _derived(dataset, splits: tuple[str, ...], name: str, workers: int, fcd: bool, moses: bool):
    """The statistics of a data set of molecules; minutes for 100,000 of them."""
    from rdkit import Chem

    from symdiff.cli.progress import bar
    from symdiff_evaluation.molecules.building import build

    smiles: dict[str, list[str]] = {}
    for split in splits:
        part = dataset.split(split)
        rows = [range(start, min(start + _ROWS, len(part))) for start in range(0, len(part), _ROWS)]
        smiles[split] = [Chem.MolToSmiles(mol) for some in rows for mol in part.domain.decode(part.batch(list(some)))]
    with bar(f"statistics of {name}", sum(map(len, smiles.values())), "molecules") as advance:
        return build(smiles, name, str(dataset.meta.get("source", {}).get("title", name)), fcd, workers, advance, moses)


def _graphs(folder: str):
    """The statistics of a data set of graphs: its training split, and its test split where it has one."""
    from symdiff.data.registry import open_dataset
    from symdiff.domains.graph import Graph as Domain
    from symdiff.errors import UserError
    from symdiff_evaluation.graphs.graph import Graph
    from symdiff_evaluation.graphs.reference import build
    from symdiff_evaluation.graphs.samples import from_graphs

    dataset = open_dataset(folder)
    domain, name = dataset.domain, Path(folder).name
    if not isinstance(domain, Domain):
        raise UserError(f"{folder}: expected a data set of graphs, got one of {type(domain).__name__}")

    def part(split: str):
        rows = dataset.split(split)
        found = []
        for record in domain.records(rows.batch(range(len(rows)))):
            nodes = record["node"] if domain.node_classes > 1 else None
            kinds = record["edge"] if domain.edge_classes > 2 else None
            found.append(Graph(len(record["node"]), record["edges"], nodes, kinds))
        return from_graphs(found, f"{name}/{split}")

    return build(part("train"), part("test") if dataset.meta["splits"].get("test") else None, "any", name, folder)
