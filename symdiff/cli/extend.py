"""``--import MODULE``: classes of one's own, for the verbs that name classes."""

from __future__ import annotations

from typing import Annotated

import typer


def _import(names: list[str] | None) -> list[str] | None:
    from symdiff.config.extensions import import_modules

    import_modules(names or [])
    return names


Import = Annotated[
    list[str] | None,
    typer.Option(
        "--import",
        metavar="MODULE",
        help="Import a Python module, whose classes can then be named; may be repeated.",
        callback=_import,
        is_eager=True,
        show_default=False,
    ),
]
