"""``symdiff evaluate``: anybody's samples in, numbers with intervals and a report out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    files: Annotated[list[Path], typer.Argument(help="Samples: .smi .txt .csv .sdf, optionally .gz.")],
    out: Annotated[Path, typer.Option(help="Folder for report.html, metrics.json, samples.csv and about.json.")],
    protocol: Annotated[str, typer.Option(help="Which numbers: a protocol's name or a .yaml file.")] = "molecule-graph",
    reference: Annotated[
        str | None,
        typer.Option(help="Compared with: a shipped reference, a data set, a file of SMILES, or none. [default: the protocol's]"),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; the result is the same. [default: all processors]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print metrics.json instead of a table.")] = False,
) -> None:
    """Score samples: validity, uniqueness, novelty, distances to a reference, symmetry."""
    from symdiff.errors import UserError
    from symdiff_evaluation.command import run

    try:
        run(files, out, protocol, _reference(reference, protocol, out), workers, as_json)
    except UserError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error


def _reference(reference: str | None, protocol: str, out: Path):
    """A data set's folder becomes the statistics of its train and test splits; anything else is left to the evaluation."""
    if reference is None or not (Path(reference) / "dataset.json").is_file():
        return reference
    from rdkit import Chem

    from symdiff.data.dataset import Dataset
    from symdiff_evaluation.building import build
    from symdiff_evaluation.evaluation import asks_fcd
    from symdiff_evaluation.protocol import load
    from symdiff_evaluation.writing import check

    check(out)
    asked = load(protocol)
    dataset = Dataset.open(reference)
    smiles = {}
    for split in ("train", "test"):
        part = dataset.split(split)
        if len(part):
            mols = dataset.domain.decode(part.batch(range(len(part))))
            smiles[split] = [mol if isinstance(mol, str) else Chem.MolToSmiles(mol) for mol in mols]
    return build(smiles, Path(reference).name, str(reference), asks_fcd(asked))
