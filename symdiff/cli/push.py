"""``symdiff push``: a checkpoint goes to the hub."""

from __future__ import annotations

from typing import Annotated

import typer

from symdiff.cli.options import Json
from symdiff.cli.progress import report


def push(
    checkpoint: Annotated[str, typer.Argument(help="A folder, or the name of a bundled checkpoint.")],
    name: Annotated[str, typer.Argument(help="The repository on the hub.", metavar="USER/NAME")],
    private: Annotated[
        bool | None, typer.Option("--private/--public", help="Who sees a new repository.", show_default="the account's")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="The branch.", show_default="main")] = None,
    message: Annotated[str | None, typer.Option(help="The commit's message.")] = None,
    as_json: Json = False,
) -> None:
    """Push a checkpoint to the hub in one commit.

    HF_TOKEN, or a login by `hf auth login`, tells who pushes; HF_ENDPOINT tells to which hub.
    """
    from symdiff.storage import bundled, hub

    folder = bundled.checkpoint(checkpoint)
    url = hub.push(folder, name, message, private, revision=revision)
    report({"checkpoint": str(folder), "repository": name, "commit": url}, f"pushed {checkpoint}: {url}", as_json)
