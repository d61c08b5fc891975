"""``symdiff sample CHECKPOINT --help``: the options that this model has of its own."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


class OwnOptions(TyperCommand):
    """A command whose help lists, where a checkpoint is named before or behind ``--help``, what its model takes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Note all words before they are parsed: ``--help`` is answered first.

        Parameters
        ----------
        ctx : click.Context
            Of the command.
        args : list of str
            The words behind the verb.

        Returns
        -------
        list of str
            As click returns it.
        """
        ctx.meta["words"] = list(args)  # --help is answered before arguments are read
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the options of the checkpoint that is named behind those of the command.

        Parameters
        ----------
        ctx : click.Context
            With the words that ``parse_args`` noted.
        formatter : click.HelpFormatter
            Which is written to.
        """
        values, _, _ = self.make_parser(ctx).parse_args(list(ctx.meta.get("words", [])))
        checkpoint = values.get("checkpoint")
        if not isinstance(checkpoint, str):
            return
        from symdiff.pipeline import Pipeline

        options = Pipeline.read_domain(checkpoint).options.help
        with formatter.section(f"Options of {checkpoint}"):
            if options:
                formatter.write_dl([(f"--{name} TEXT", text) for name, text in options.items()])
            else:
                formatter.write_text("none beside those above")
