"""``symdiff report``: how a training goes, or went."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from symdiff.cli.options import Json

SHOWN = 10
"""Looks at samples that are printed, the last ones."""


def report_(
    run: Annotated[Path, typer.Argument(help="The folder of a run, which may still be going on.")],
    out: Annotated[
        Path | None, typer.Option(help="Where the picture goes, a .png file.", show_default="RUN/report.png")
    ] = None,
    as_json: Json = False,
) -> None:
    """Report on a training: the curve of its loss, its samples over the steps, throughput and the time left."""
    from symdiff.cli.progress import report
    from symdiff.errors import UserError
    from symdiff.storage.atomic import write_file
    from symdiff.training.report import picture, read_run

    out = out or run / "report.png"
    if out.suffix.lower() != ".png":
        raise UserError(f"--out {out}: expected a .png file")
    state = read_run(run)
    write_file(out, picture(state))
    values = state.plain()
    report({"run": str(run), "picture": str(out), **values}, "\n".join(_lines(run, out, values)), as_json)


def _lines(run: Path, out: Path, values: dict) -> Iterator[str]:
    """What people read."""
    ended = {"running": "", "stopped": f"; go on with symdiff train --resume {run}"}.get(values["state"], "")
    place = f"{values['state']}, step {values['step']} of {values['steps']}{ended}"
    yield f"{values['name']} on {values['dataset']}: {place}"
    if values["seconds_left"] is not None:
        left = f", {_clock(values['seconds_left'])} left" if values["state"] in ("running", "stopped") else ""
        yield f"trained for {_clock(values['seconds'])}{left}, {values['samples_per_second']:,.1f} structures/s"
        told = {name: "-" if loss is None else f"{loss:.4g}" for name, loss in values["loss"].items()}
        yield (
            f"loss: {told['first_tenth']} over the first tenth of the log, {told['tenth_before_last']} over the tenth "
            f"before the last, {told['last_tenth']} over the last"
        )
    if values["skipped"]:
        yield f"steps that were skipped, as their loss or gradient was not finite: {values['skipped']}"
    yield from _table(values["samples"])
    yield from values["notes"]
    yield f"a picture: {out}"


def _table(samples: list[dict]) -> Iterator[str]:
    """What was measured of samples, a line a look."""
    names = list(dict.fromkeys(key for one in samples for key, value in one.items() if isinstance(value, float)))
    if not names:
        return
    yield f"{'step':>8}  " + "  ".join(f"{name:>10}" for name in names)
    for one in samples[-SHOWN:]:
        yield f"{one['step']:>8}  " + "  ".join(
            f"{one[name]:>10.4f}" if name in one else f"{'-':>10}" for name in names
        )


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"
