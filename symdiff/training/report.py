"""What a run's folder says of its training, while it goes on and afterwards."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from symdiff.config import recipe as recipes
from symdiff.errors import UserError
from symdiff.storage.files import read_text
from symdiff.training.folder import find_holder

MOST_BYTES = 1 << 30
RECENT = 10
"""Lines of the log that the rate and the time left are taken from."""


@dataclass(frozen=True)
class RunReport:
    """A run, as far as it has come.

    Attributes
    ----------
    name, dataset : str
        Of the recipe.
    steps : int
        That the recipe names.
    train, samples, notes : sequence of dict
        The lines of log.jsonl of each kind.
    state : str
        ``finished``, ``running``, ``stopped`` (it goes on with --resume) or ``diverged``.
    """

    name: str
    dataset: str
    steps: int
    train: Sequence[dict]
    samples: Sequence[dict]
    notes: Sequence[dict]
    state: str

    @property
    def step(self) -> int:
        """The last step that is in the log."""
        return self.train[-1]["step"] if self.train else 0

    @property
    def seconds(self) -> float:
        """Seconds of training until then."""
        return self.train[-1]["seconds"] if self.train else 0.0

    @property
    def samples_per_second(self) -> float | None:
        """Structures a second over the last lines of the log, without what is sampled and saved between them."""
        rates = [line["samples_per_second"] for line in self.train[-RECENT:]]
        return sum(rates) / len(rates) if rates else None

    @property
    def seconds_left(self) -> float | None:
        """Seconds that the steps that are left will take, at the pace of the last lines; None before the first."""
        if not self.train:
            return None
        before = self.train[-RECENT - 1] if len(self.train) > RECENT else {"step": 0, "seconds": 0.0}
        pace = (self.seconds - before["seconds"]) / (self.step - before["step"])
        return pace * (self.steps - self.step)

    def loss(self, start: float, end: float) -> float | None:
        """Average the loss of the lines between two parts of the log; lines without a finite loss do not count.

        Parameters
        ----------
        start, end : float
            Where the lines begin and end, as shares of the log's length.

        Returns
        -------
        float or None
            None where there is no such line.
        """
        count = len(self.train)
        part = self.train[math.floor(start * count) : math.ceil(end * count)]
        finite = [line["loss"] for line in part if line["loss"] is not None]
        return sum(finite) / len(finite) if finite else None

    def plain(self) -> dict:
        """All of it as plain names and numbers."""
        return {
            "name": self.name,
            "dataset": self.dataset,
            "state": self.state,
            "step": self.step,
            "steps": self.steps,
            "seconds": self.seconds,
            "seconds_left": self.seconds_left,
            "samples_per_second": self.samples_per_second,
            "skipped": self.train[-1]["skipped"] if self.train else 0,
            "loss": {
                "first_tenth": self.loss(0, 0.1),
                "tenth_before_last": self.loss(0.8, 0.9),
                "last_tenth": self.loss(0.9, 1),
            },
            "samples": list(self.samples),
            "notes": [f"step {note['step']}: {note['text']}" for note in self.notes],
        }


def read_run(folder: str | Path) -> RunReport:
    """Read the report of a run.

    Parameters
    ----------
    folder : str or Path
        The run's folder, which is not written to.

    Returns
    -------
    RunReport

    Raises
    ------
    UserError
        For a folder that is none of a run, and a log that is damaged before its last line.
    """
    folder = Path(folder)
    log, record = folder / "log.jsonl", folder / "recipe.yaml"
    if not record.is_file() or not log.is_file():
        missing = record.name if not record.is_file() else log.name
        raise UserError(f"{folder}: expected the folder of a training run, {missing} is missing")
    recipe = recipes.load(record, earlier_keys=True)
    lines = list(_read_lines(log))
    train, samples, notes = ([line for line in lines if line["kind"] == kind] for kind in ("train", "sample", "note"))
    summary = folder / "summary.json"
    ended = json.loads(read_text(summary, MOST_BYTES)) if summary.is_file() else None
    if ended is not None:
        state = "diverged" if ended.get("diverged") else "finished"
    else:
        state = "running" if find_holder(folder) else "stopped"
    steps = recipe.training.steps
    return RunReport(recipe.name, recipe.data.dataset, steps, train, samples, notes, state)


def _read_lines(log: Path) -> Iterator[dict]:
    """The objects of a log; a last line that a kill cut short, or that is being written, is left out."""
    lines = read_text(log, MOST_BYTES).splitlines()
    for number, line in enumerate(lines, 1):
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            if number < len(lines):
                raise UserError(f"{log}: line {number} is damaged: not JSON") from None


def picture(report: RunReport) -> bytes:
    """Draw the loss, what was measured of samples, and the throughput over the steps.

    Parameters
    ----------
    report : RunReport
        Of a run, finished or not.

    Returns
    -------
    bytes
        A PNG.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    measured = _series(report.samples)
    figure = Figure(figsize=(8, 2.6 * (2 + bool(measured))), layout="constrained")
    FigureCanvasAgg(figure)
    rows = iter(figure.subplots(2 + bool(measured), 1, sharex=True))
    losses = [(line["step"], line["loss"]) for line in report.train if line["loss"] is not None]
    axes = next(rows)
    if losses:
        axes.plot(*zip(*losses, strict=True), linewidth=1)
    if losses and min(loss for _, loss in losses) > 0:
        axes.set_yscale("log")
    axes.set_ylabel("loss")
    axes.set_title(f"{report.name} on {report.dataset}, {report.state}", fontsize=10)
    if measured:
        axes = next(rows)
        for name, points in measured.items():
            axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
        axes.set_ylabel("of samples")
        axes.legend(fontsize=8)
    axes = next(rows)
    axes.plot([line["step"] for line in report.train], [line["samples_per_second"] for line in report.train])
    axes.set_ylabel("structures a second")
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, report.steps)
    axes.set_xlabel("step")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _series(samples: Sequence[dict]) -> dict[str, list[tuple[int, float]]]:
    """What was measured of samples: for each name the steps and the values; counts and texts are none."""
    series: dict[str, list[tuple[int, float]]] = {}
    for line in samples:
        for name, value in line.items():
            if isinstance(value, float):
                series.setdefault(name, []).append((line["step"], value))
    return series
