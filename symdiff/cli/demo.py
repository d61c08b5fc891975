"""``symdiff demo``: molecules, a picture of them and a report, from the bundled checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symdiff.cli.options import Json

MOST = 48


def demo(
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("demo"),
    count: Annotated[int, typer.Option(help="How many molecules.", min=1)] = 1000,
    checkpoint: Annotated[str, typer.Option(help="The checkpoint to sample from.")] = "qm9-graph",
    seed: Annotated[int, typer.Option(help="Same seed, same molecules.")] = 0,
    as_json: Json = False,
) -> None:
    """Sample molecules from the bundled model, score them and draw them."""
    import time

    from symdiff.cli.progress import bar, report
    from symdiff.cli.sample import find_device
    from symdiff.cli.writing import writing
    from symdiff.errors import UserError
    from symdiff.pipeline import Pipeline
    from symdiff.sampling.request import Request
    from symdiff.storage import sidecar

    pipeline = Pipeline.load(checkpoint)
    if not hasattr(pipeline.domain.codec, "inspect"):
        raise UserError(
            f"{checkpoint}: the demo draws molecules, but this model makes a {type(pipeline.domain).__name__}"
        )
    smiles, picture, scores = out / "molecules.smi", out / "molecules.png", out / "report"
    start = time.perf_counter()
    with writing(pipeline.domain, smiles), bar("sampling", count, "molecules") as advance:
        samples = pipeline.sample(Request(count, seed=seed), device=find_device(None), progress=advance)
        samples.write(smiles)
    seconds = time.perf_counter() - start
    sidecar.write(smiles, checkpoint, pipeline.dataset, seed, count, pipeline.default_steps)
    valid = draw(samples, picture)
    evaluation = _evaluate(smiles, scores, as_json)
    values = {
        "molecules": str(smiles),
        "picture": str(picture) if valid else None,
        "report": str(scores / "report.html"),
        "count": count,
        "seconds": seconds,
        "per_second": count / seconds,
        "metrics": {name: estimate.plain() for name, estimate in evaluation.estimates.items()},
    }
    lines = [f"{count:,} molecules ({count / seconds:,.0f}/s): {smiles}"]
    lines += [f"a picture of {valid} of them: {picture}"] if valid else ["no picture: none of them is valid"]
    report(values, "\n".join([*lines, f"how good they are: {scores / 'report.html'}"]), as_json)


def _evaluate(smiles: Path, scores: Path, as_json: bool):
    """Score the file into a folder, with the table on the terminal unless one JSON object is asked for."""
    from symdiff.cli.progress import stages
    from symdiff_evaluation.core.command import count_processors, run, show
    from symdiff_evaluation.core.execution import Execution

    with stages("molecules", as_json) as (begin, advance):
        evaluation = run([smiles], scores, execution=Execution(count_processors(), begin=begin, progress=advance))
    if not as_json:
        show(evaluation, scores)
    return evaluation


def draw(samples, path: Path) -> int:
    """Draw the first valid molecules as one picture.

    Parameters
    ----------
    samples : Samples
        Of molecular graphs.
    path : Path
        A .png file.

    Returns
    -------
    int
        How many are drawn.
    """
    from itertools import islice

    from symdiff_evaluation.molecules.draw import draw_grid

    valid = list(islice((text for text in map(_smiles, samples.objects()) if text is not None), MOST))
    if valid:
        draw_grid(valid, path, columns=8)
    return len(valid)


def _smiles(mol) -> str | None:
    """The SMILES of a connected molecule that sanitizes, else None."""
    from rdkit import Chem

    from symdiff.chemistry import kekule

    mol = Chem.Mol(mol)
    if kekule.problem(mol) is not None:
        return None
    text = Chem.MolToSmiles(mol)
    return None if "." in text else text
