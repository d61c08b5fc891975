"""An evaluation as a folder: report.html, metrics.json, samples.csv, about.json; all of them or none."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from symdiff.errors import UserError
from symdiff.storage import atomic
from symdiff_evaluation.core.cells import escape
from symdiff_evaluation.core.evaluation import Evaluation

FILES = ("report.html", "metrics.json", "samples.csv", "about.json")
COLUMNS = ("index", "file", "record")  # and those of the kind


def check_folder(out: str | Path) -> Path:
    """Check that a folder may be written: absent, empty, or an evaluation written before.

    Parameters
    ----------
    out : str or Path
        The folder.

    Returns
    -------
    Path
        The same.

    Raises
    ------
    UserError
        For a file, and for a folder that holds something else.
    """
    out = Path(out)
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: expected a folder to write into, got a file")
    others = sorted(path.name for path in out.iterdir() if path.name not in FILES) if out.is_dir() else []
    if others:
        raise UserError(f"{out}: expected an empty folder or an earlier evaluation, got one that holds {others[0]!r}")
    return out


def write(evaluation: Evaluation, out: str | Path) -> Path:
    """Write the folder, whole or not at all; an earlier evaluation stays as it is until the new one takes its place.

    Parameters
    ----------
    evaluation : Evaluation
        What to write.
    out : str or Path
        The folder.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UserError
        Where it cannot be written: a full disk, a read-only folder, one that holds something else.
    """
    from symdiff_evaluation.core.report import make_report

    out = check_folder(out)
    contents = {"metrics.json": format_metrics, "about.json": format_about, "report.html": make_report}

    def fill(folder: Path) -> None:
        # names of files may be no UTF-8
        for name, content in contents.items():
            (folder / name).write_bytes(content(evaluation).encode(errors="backslashreplace"))
        with (folder / "samples.csv").open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            write_rows(evaluation, stream)

    try:
        atomic.write_folder(out.resolve(), fill, lambda folder: check_folder(folder).is_dir())
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror or error})") from error
    return out


def format_metrics(evaluation: Evaluation) -> str:
    """Format metrics.json: each id with its value, interval, count and undecided.

    Parameters
    ----------
    evaluation : Evaluation
        What to write.

    Returns
    -------
    str
        JSON.
    """
    return json.dumps({name: estimate.plain() for name, estimate in evaluation.estimates.items()}, indent=1) + "\n"


def format_about(evaluation: Evaluation) -> str:
    """Format about.json: what was evaluated against what, so that the numbers can be repeated.

    Parameters
    ----------
    evaluation : Evaluation
        What to write.

    Returns
    -------
    str
        JSON.
    """
    from importlib.metadata import version

    reference, protocol = evaluation.reference, evaluation.protocol
    plain = {
        "files": [{"path": file, "sha256": _sha256(file)} for file in evaluation.files],
        "records": evaluation.total,
        "failures": dict(sorted(evaluation.kind.count_failures(evaluation.samples).items())),
        "protocol": {
            "name": protocol.name,
            "kind": protocol.kind,
            "samples": protocol.samples,
            "metrics": list(protocol.metrics),
        },
        "mcf": protocol.mcf
        and {"path": protocol.mcf.path, "sha256": protocol.mcf.sha256, "patterns": len(protocol.mcf.smarts)},
        "reference": reference and {"name": reference.name, "count": reference.count, "source": reference.source},
        "sidecars": [one and asdict(one) for one in evaluation.origin.sidecars],
        "notes": evaluation.notes,
        "versions": {name: version(name) for name in ("rdkit", "numpy", "scipy")},
    }
    return json.dumps(plain, indent=1) + "\n"


def _sha256(file: str) -> str:
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_rows(evaluation: Evaluation, stream: TextIO) -> None:
    """Write samples.csv, one row a record; what a spreadsheet would run is escaped (``cells``).

    Parameters
    ----------
    evaluation : Evaluation
        What to write.
    stream : text stream
        Opened with ``newline=""``.
    """
    rows = csv.writer(stream)
    rows.writerow((*COLUMNS, *evaluation.kind.columns))
    for index, row in enumerate(evaluation.kind.list_rows(evaluation.samples, evaluation.reference), 1):
        rows.writerow((index, *map(escape, row)))
