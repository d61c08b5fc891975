"""``symdiff evaluate``: anybody's samples in, numbers with intervals and a report out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from symdiff.cli.extend import Import

Files = Annotated[
    list[Path],
    typer.Argument(
        help="Samples: .smi .txt .csv .tsv .sdf .xyz .extxyz, optionally .gz, or .npz .safetensors .graphml."
    ),
]
Out = Annotated[Path, typer.Option(help="Folder for report.html, metrics.json, samples.csv and about.json.")]
ProtocolName = Annotated[
    str | None,
    typer.Option(help="Which numbers: a protocol's name or a .yaml file. [default: what goes with the files]"),
]
ReferenceName = Annotated[
    str | None,
    typer.Option(
        help="Compared with: a shipped reference, a data set, a file of SMILES, or none. [default: the protocol's]"
    ),
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Processes; the result is the same. [default: all processors]")
]
ShardsFolder = Annotated[
    Path | None,
    typer.Option(help="Folder in which a killed evaluation goes on. [default: beside --out for over a million]"),
]
McfFile = Annotated[
    Path | None,
    typer.Option(help="MOSES's list of medicinal chemistry filters (its mcf.csv), which moses.filters needs."),
]
Column = Annotated[str | None, typer.Option(help="Column of SMILES in tables. [default: the one called smiles]")]
AtomNames = Annotated[
    str | None, typer.Option(help="What the labels of nodes stand for, in files of graphs, such as C,N,O,F.")
]
Inputs = Annotated[
    list[Path] | None,
    typer.Option(
        "--input", help="File of what each sample was made from, in the same order, such as what was encoded."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print metrics.json instead of a table.")]


def evaluate(
    files: Files,
    out: Out,
    protocol: ProtocolName = None,
    reference: ReferenceName = None,
    workers: Workers = None,
    shards: ShardsFolder = None,
    mcf: McfFile = None,
    column: Column = None,
    atoms: AtomNames = None,
    input_: Inputs = None,
    import_: Import = None,
    as_json: Json = False,
) -> None:
    """Score samples: validity, uniqueness, novelty, distances to a reference, symmetry.

    symdiff evaluate samples.smi --out report

    A killed one goes on where it was, with any number of workers, when it is started again:

    symdiff evaluate many.smi --out report --shards kept --workers 4

    What came out of an autoencoder against what went in:

    symdiff evaluate decoded.smi --input molecules.smi --out report
    """
    from symdiff.cli.progress import stages
    from symdiff.storage.boundary import naming
    from symdiff_evaluation.core.command import count_processors, run, show
    from symdiff_evaluation.core.execution import Execution
    from symdiff_evaluation.core.guess import guess
    from symdiff_evaluation.core.protocol import load
    from symdiff_evaluation.core.sample_files import SampleFiles
    from symdiff_evaluation.core.shards import Shards
    from symdiff_evaluation.core.write import check_folder

    with naming():
        check_folder(out)
        chosen = load(protocol or guess(files, atoms is not None))
        chosen = chosen.with_mcf(mcf) if mcf else chosen
        with stages("samples", as_json) as (begin, advance):
            execution = Execution(workers or count_processors(), shards and Shards(shards), begin, advance)
            target = _reference(reference, chosen, execution)
            samples = SampleFiles(files, column, atoms.split(",") if atoms else None)
            evaluation = run(samples, out, chosen, target, input_, execution)
        show(evaluation, out, as_json)


def _reference(reference: str | None, protocol, execution):
    """A data set becomes the reference that its kind derives from it; the rest is left to the evaluation."""
    from symdiff_evaluation.core.kinds import load_kind
    from symdiff_evaluation.core.storage import list_shipped

    kind = load_kind(protocol.kind)
    if reference is None or reference == "none" or not kind.derives or reference in list_shipped(kind.name):
        return reference
    from symdiff.data.registry import open_dataset  # torch, which files of SMILES do without
    from symdiff.data.sets.table import TABLE

    if reference not in TABLE and not (Path(reference) / "dataset.json").is_file():
        return reference
    return kind.derive(open_dataset(reference), Path(reference).name, protocol.metrics, replace(execution, shards=None))
