"""What the command ``evaluate`` does: a folder, and a table when it is done."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from symdiff.storage.boundary import naming
from symdiff_evaluation.core.estimate import Estimate
from symdiff_evaluation.core.evaluation import Evaluation, evaluate
from symdiff_evaluation.core.execution import Execution
from symdiff_evaluation.core.kind import AnyReference
from symdiff_evaluation.core.parallel import share_pool
from symdiff_evaluation.core.protocol import Protocol
from symdiff_evaluation.core.sample_files import SampleFiles
from symdiff_evaluation.core.shards import MANY, Shards, discard
from symdiff_evaluation.core.write import check_folder, format_metrics, write

_WIDEST = 200  # characters of the table


@naming()
def run(
    files: Sequence[str | Path],
    out: str | Path,
    protocol: str | Path | Protocol | None = None,
    reference: str | Path | AnyReference | None = None,
    inputs: Sequence[str | Path] | None = None,
    execution: Execution | None = None,
) -> Evaluation:
    """Evaluate files and write the folder.

    Parameters
    ----------
    files : sequence of str or Path
        The samples; ``SampleFiles`` where a column or atoms are to be named.
    out : str or Path
        The folder to write.
    protocol, reference
        As in ``evaluate``.
    inputs : sequence of str or Path, optional
        Files of what each sample was made from.
    execution : Execution, optional
        Processes, shards and progress; None for all processors. Shards are removed when all is written; with over a
        million records there are some beside ``out`` if none are named.

    Returns
    -------
    Evaluation
        What was written.

    Raises
    ------
    UserError
        For what a user can put right; nothing is written then.
    """
    out = check_folder(out)
    execution = execution or Execution(count_processors())
    shards = execution.shards or Shards(out.absolute().parent / f".{out.name[:200]}-shards", MANY)
    with share_pool():
        evaluation = evaluate(
            files if isinstance(files, SampleFiles) else [Path(file) for file in files],
            protocol,
            reference,
            None if inputs is None else [Path(file) for file in inputs],
            replace(execution, shards=shards),
        )
        write(evaluation, out)
        discard(shards.folder)
    return evaluation


def count_processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def show(evaluation: Evaluation, out: Path, as_json: bool = False) -> None:
    """Print the estimates as a table, then what has no value, why samples are not valid, and the notes.

    Parameters
    ----------
    evaluation : Evaluation
        What to print.
    out : Path
        The folder of the report, named in the last line.
    as_json : bool
        Print metrics.json instead.
    """
    if as_json:
        print(format_metrics(evaluation), end="")
        return
    against = evaluation.reference.name if evaluation.reference else "nothing"
    title = _printable(f"{evaluation.total:,} samples, {evaluation.protocol.name}, against {against}")
    table = Table(title=title, box=SIMPLE_HEAD, pad_edge=False)  # no frame: ids need the room
    table.add_column("metric", no_wrap=True)
    for head in ("value", "95 % interval", "of"):
        table.add_column(head, justify="right", no_wrap=True)
    last = None
    for name, estimate in evaluation.estimates.items():
        if estimate.value is None:
            continue
        title = evaluation.kind.metrics_by_id[name].title
        if last is not None and title != last:
            table.add_section()
        last = title
        interval = "" if estimate.low is None else f"{format_number(estimate.low)} .. {format_number(estimate.high)}"
        table.add_row(name, format_number(estimate.value), interval, _of(estimate))
    console = Console()
    # a line that is too long is continued by the terminal: no id is cut in two
    Console(
        width=max(console.width, Measurement.get(console, console.options.update(width=_WIDEST), table).maximum)
    ).print(table)
    lines = []
    if empty := [
        name + (f" ({one.undecided:,} undecided)" if one.undecided else "")
        for name, one in evaluation.estimates.items()
        if one.value is None
    ]:
        lines.append("no value: " + ", ".join(empty))
    if failed := evaluation.kind.count_failures(evaluation.samples):
        lines.append("not valid: " + ", ".join(f"{count:,} {reason}" for reason, count in failed.most_common()))
    lines += [f"note: {note}" for note in evaluation.notes]
    for line in (*lines, f"report: {out / 'report.html'}"):
        console.print(_printable(line), markup=False, highlight=False, soft_wrap=True)


def _printable(text: str) -> str:
    """The text with a backslash for what the terminal cannot show: names of files need not be UTF-8."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def format_number(value: float | None) -> str:
    """Format a number for the table.

    Parameters
    ----------
    value : float or None
        The number.

    Returns
    -------
    str
        Four digits behind the point, one from 100 on, "-" for None.
    """
    if value is None:
        return "-"
    return f"{value:.4f}" if abs(value) < 100 else f"{value:.1f}"


def _of(estimate: Estimate) -> str:
    return f"{estimate.count:,}" + (f" (+{estimate.undecided:,} undecided)" if estimate.undecided else "")
