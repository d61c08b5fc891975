"""Sends every file of a folder through import and evaluation, and prints what came of it and its memory as JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
import traceback
import warnings
from pathlib import Path

from rdkit import RDLogger

from symdiff.data.importer import ImportSettings
from symdiff.data.importing import import_files
from symdiff.errors import UserError
from symdiff_evaluation.core.evaluation import evaluate
from symdiff_evaluation.core.guess import guess
from symdiff_evaluation.core.kinds import load_kind
from symdiff_evaluation.core.sample_files import SampleFiles


def import_(path: Path) -> str:
    dataset = import_files(
        [path], path.parent.with_name("sets") / path.name, ImportSettings(max_nodes=1024, bonds=False)
    )
    return f"{len(dataset)} of {dataset.meta['rows']}"


def evaluate_(path: Path) -> str:
    if guess([path]) == "molecule-3d":  # whose numbers are worked out in processes that take seconds to start
        return f"{len(load_kind('molecule-3d').read(SampleFiles([path])))} records"
    found = evaluate([path], reference="none")
    return f"{found.total - sum(found.kind.count_failures(found.samples).values())} of {found.total}"


def main(folder: Path) -> None:
    folder.with_name("sets").mkdir(exist_ok=True)
    RDLogger.DisableLog("rdApp.*")
    warnings.simplefilter("error")
    for path in sorted(folder.iterdir()):
        for verb in (import_, evaluate_):
            before, start = peak(), time.monotonic()
            try:
                line, outcome = verb(path), "read"
            except UserError as error:
                line, outcome = str(error), "refused"
            except BaseException:
                line, outcome = traceback.format_exc(), "raised"
            told = {"file": path.name, "verb": verb.__name__, "outcome": outcome, "line": line}
            print(
                json.dumps({**told, "mebibytes": peak() - before, "seconds": round(time.monotonic() - start, 1)}),
                flush=True,
            )


def peak() -> int:
    """The most memory that this process has had, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


if __name__ == "__main__":
    main(Path(sys.argv[1]))
