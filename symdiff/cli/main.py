"""The command ``symdiff``: verbs, and how they fail. Nothing heavy is imported before a verb runs."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from symdiff.cli import data, decode, demo, doctor, encode, evaluate, listing, push, recipe, report, sample, show, train
from symdiff.cli.own_options import OwnOptions
from symdiff.errors import UserError
from symdiff.storage.boundary import naming

UsageError: Any = typer.BadParameter.__mro__[1]  # of whichever click typer brings along


class Verbs(TyperGroup):
    """A user's mistake is one line on stderr and exit code 2; anything else keeps its traceback."""

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run a verb and exit: 0, or 2 for a user's mistake, 130 for an interruption, 1 where nobody reads the output.

        Parameters
        ----------
        *args, **extra : object
            As for typer's own.
        standalone_mode : bool
            Without, the verb's result is returned and its errors are raised.
        """
        if not standalone_mode:
            return super().main(*args, standalone_mode=False, **extra)
        try:
            with naming():
                status = super().main(*args, standalone_mode=False, **extra)
        except UserError as error:
            status = _fail(str(error))
        except UsageError as error:
            if type(error).__name__ == "NoArgsIsHelpError":
                print(error.ctx.get_help())
                sys.exit(0)
            status = _fail(error.format_message())
        except (typer.Abort, KeyboardInterrupt):
            print("interrupted", file=sys.stderr)
            status = 130
        except BrokenPipeError:
            sys.stdout = None  # whoever read our output has left: nothing can be flushed to it any more
            status = 1
        sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str) -> int:
    line = " ".join(message.split()).encode(errors="backslashreplace").decode()  # names of files may be no UTF-8
    print(f"error: {line}", file=sys.stderr)
    return 2


def _version(asked: bool) -> None:
    if asked:
        from symdiff import __version__

        print(f"symdiff {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="symdiff",
    cls=Verbs,
    help="Generative models that can break symmetry: train, sample, evaluate.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def symdiff(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Generative models that can break symmetry: train, sample, evaluate."""


app.command("train")(train.train)
app.command("sample", cls=OwnOptions, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(
    sample.sample
)
app.command("encode", epilog=encode.EXAMPLE)(encode.encode)
app.command("decode", epilog=decode.EXAMPLE)(decode.decode)
app.command("evaluate")(evaluate.evaluate)
app.add_typer(data.app, name="data")
app.add_typer(recipe.app, name="recipe")
app.command("list", epilog="Example: symdiff list metrics")(listing.list_)
app.command("show", epilog="Example: symdiff show qm9-graph")(show.show)
app.command("report", epilog="Example: symdiff report runs/tiny")(report.report_)
app.command("push")(push.push)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """The console script."""
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files may be no UTF-8
    if "OMP_WAIT_POLICY" not in os.environ:
        # threads that spin while they wait starve each other on cores that are shared: training was nine times slower
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    app()
