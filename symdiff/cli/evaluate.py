"""``symdiff evaluate``: anybody's samples in, numbers with intervals and a report out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_ROWS = 4096  # structures decoded at once


def evaluate(
    files: Annotated[list[Path], typer.Argument(help="Samples: .smi .txt .csv .sdf, optionally .gz, or .npz of spins.")],
    out: Annotated[Path, typer.Option(help="Folder for report.html, metrics.json, samples.csv and about.json.")],
    protocol: Annotated[
        str | None, typer.Option(help="Which numbers: a protocol's name or a .yaml file. [default: what goes with the files]")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(help="Compared with: a shipped reference, a data set, a file of SMILES, or none. [default: the protocol's]"),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; the result is the same. [default: all processors]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print metrics.json instead of a table.")] = False,
) -> None:
    """Score samples: validity, uniqueness, novelty, distances to a reference, symmetry.

    symdiff evaluate samples.smi --out report
    """
    from symdiff_evaluation.command import available_processors, run
    from symdiff_evaluation.guess import guess
    from symdiff_evaluation.protocol import load
    from symdiff_evaluation.writing import check

    check(out)
    protocol = load(protocol or guess(files))
    run(files, out, protocol, _reference(reference, protocol, workers or available_processors()), workers, as_json)


def _reference(reference: str | None, protocol, workers: int):
    """A data set becomes the statistics of its train and test splits, kept in the cache; the rest is left to the evaluation."""
    if reference is None or protocol.kind != "molecule-graph":
        return reference
    from symdiff.data.registry import BUILDERS, open_dataset

    if reference not in BUILDERS and not (Path(reference) / "dataset.json").is_file():
        return reference
    from symdiff.data.sources import cache_folder
    from symdiff.domains.molecule import MolecularGraph
    from symdiff.errors import UserError
    from symdiff_evaluation.kinds.molecules import asks_fcd
    from symdiff_evaluation.reference import load as kept
    from symdiff_evaluation.reference import write

    splits = ("train", "test") if asks_fcd(protocol.metrics) else ("train",)
    dataset = open_dataset(reference)
    if not isinstance(dataset.domain, MolecularGraph):
        raise UserError(f"{reference}: expected a data set of molecules, got {type(dataset.domain).__name__}")
    stem = cache_folder() / "references" / f"{Path(reference).name}-{_digest(dataset.path)}-{'-'.join(splits)}"
    if not stem.with_name(f"{stem.name}.json").is_file():
        write(_derived(dataset, splits, Path(reference).name, workers), stem)
    return kept(stem.with_name(f"{stem.name}.json"))


def _digest(folder: Path) -> str:
    """What tells data sets apart: their description, which holds the SHA-256 of the arrays."""
    from hashlib import sha256

    return sha256((folder / "dataset.json").read_bytes()).hexdigest()[:16]


def _derived(dataset, splits: tuple[str, ...], name: str, workers: int):
    """The statistics of a data set of molecules; minutes for 100,000 of them."""
    from rdkit import Chem

    from symdiff.cli.progress import bar
    from symdiff_evaluation.building import build

    smiles: dict[str, list[str]] = {}
    for split in splits:
        part = dataset.split(split)
        rows = [range(start, min(start + _ROWS, len(part))) for start in range(0, len(part), _ROWS)]
        smiles[split] = [Chem.MolToSmiles(mol) for some in rows for mol in part.domain.decode(part.batch(list(some)))]
    with bar(f"statistics of {name}", sum(map(len, smiles.values())), "molecules") as advance:
        return build(smiles, name, str(dataset.meta.get("source", {}).get("title", name)), "test" in splits, workers, advance)
