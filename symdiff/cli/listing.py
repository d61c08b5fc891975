"""``symdiff list``: what comes with the package, by name, with a line of help each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from symdiff.cli.extend import Import
from symdiff.cli.options import Json


def list_(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="recipes, checkpoints, datasets, protocols or metrics.",
            autocompletion=lambda: list(KINDS),
            show_default="all",
        ),
    ] = None,
    import_: Import = None,
    as_json: Json = False,
) -> None:
    """List recipes, checkpoints, data sets, protocols and metrics, with a line of help each."""
    from symdiff.cli.progress import report
    from symdiff.errors import UserError, nearest

    if kind is not None and kind not in KINDS:
        raise UserError(f"list: expected one of {', '.join(KINDS)}, got {kind!r}{nearest(kind, KINDS)}")
    entries = {name: KINDS[name]() for name in ([kind] if kind else KINDS)}
    parts = ["\n".join(([f"{name}:"] if kind is None else []) + _lines(entries[name])) for name in entries]
    report(entries, "\n\n".join(parts), as_json)


def _lines(entries: list[dict[str, str]]) -> list[str]:
    """A line an entry, in columns that are as wide as their widest; the last one ends the line."""
    widths = {key: max(len(entry[key]) for entry in entries) for key in (entries[0] if entries else ())}
    return ["  ".join(f"{value:<{widths[key]}}" for key, value in entry.items()).rstrip() for entry in entries]


def _recipes() -> list[dict[str, str]]:
    from symdiff.storage import bundled

    return [{"name": name, "about": bundled.describe(path)} for name, path in bundled.recipes().items()]


def _checkpoints() -> list[dict[str, str]]:
    from symdiff.storage import bundled

    return [{"name": name, "about": bundled.describe(path)} for name, path in bundled.checkpoints().items()]


def _datasets() -> list[dict[str, str]]:
    from symdiff.data.sets.table import TABLE

    return [{"name": name, "about": named.about} for name, named in TABLE.items()]


def _protocols() -> list[dict[str, str]]:
    from symdiff_evaluation.core import protocol

    return [{"name": one.name, "about": one.about.rstrip(".")} for one in map(protocol.load, protocol.list_shipped())]


def _metrics() -> list[dict[str, str]]:
    from symdiff_evaluation.core.kinds import KINDS as kinds
    from symdiff_evaluation.core.kinds import load_kind

    return [
        {"kind": name, "name": metric_id, "about": metric.about[metric_id]}
        for name in kinds
        for metric_id, metric in load_kind(name).metrics_by_id.items()
    ]


KINDS: dict[str, Callable[[], list[dict[str, str]]]] = {
    "recipes": _recipes,
    "checkpoints": _checkpoints,
    "datasets": _datasets,
    "protocols": _protocols,
    "metrics": _metrics,
}
"""What can be listed, and what lists it: every entry has a name and what it is about."""
