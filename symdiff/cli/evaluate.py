"""``symdiff evaluate``: anybody's samples in, numbers with intervals and a report out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_ROWS = 4096  # structures decoded at once


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
    from symdiff_evaluation.command import run
    from symdiff_evaluation.writing import check

    check(out)
    run(files, out, protocol, _reference(reference, protocol), workers, as_json)


def _reference(reference: str | None, protocol: str):
    """A data set's folder becomes the statistics of its train and test splits; anything else is left to the evaluation."""
    if reference is None or not (Path(reference) / "dataset.json").is_file():
        return reference
    from rdkit import Chem

    from symdiff.data.dataset import Dataset
    from symdiff.domains.molecule import MolecularGraph
    from symdiff.errors import UserError
    from symdiff_evaluation.building import build
    from symdiff_evaluation.evaluation import asks_fcd
    from symdiff_evaluation.protocol import load

    asked = load(protocol)
    dataset = Dataset.open(reference)
    if not isinstance(dataset.domain, MolecularGraph):
        raise UserError(f"{reference}: expected a data set of molecules, got {type(dataset.domain).__name__}")
    smiles: dict[str, list[str]] = {}
    for split in ("train", "test"):
        part = dataset.split(split)
        rows = [range(start, min(start + _ROWS, len(part))) for start in range(0, len(part), _ROWS)]
        smiles[split] = [Chem.MolToSmiles(mol) for some in rows for mol in part.domain.decode(part.batch(list(some)))]
    return build({split: texts for split, texts in smiles.items() if texts}, Path(reference).name, str(reference), asks_fcd(asked))
