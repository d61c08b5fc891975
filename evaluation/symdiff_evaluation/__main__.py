"""``python -m symdiff_evaluation FILE... --out FOLDER``: the command ``symdiff evaluate`` by another name."""

from __future__ import annotations

import sys


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : list of str, optional
        What stands behind the command; None for those of this process.

    Returns
    -------
    int
        Exit code: 0, or 2 with one line on stderr for what a user can put right.
    """
    from symdiff.cli.main import app

    try:
        app(["evaluate", *(sys.argv[1:] if arguments is None else arguments)], prog_name="symdiff")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
