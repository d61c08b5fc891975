"""Names that a shell may complete."""

from __future__ import annotations


def checkpoints(incomplete: str) -> list[str]:
    """Complete the name of a bundled checkpoint.

    Parameters
    ----------
    incomplete : str
        What was typed.

    Returns
    -------
    list of str
        The names that begin so.
    """
    from symdiff.storage import bundled

    return [name for name in bundled.checkpoints() if name.startswith(incomplete)]


def recipes(incomplete: str) -> list[str]:
    """Complete the name of a bundled recipe.

    Parameters
    ----------
    incomplete : str
        What was typed.

    Returns
    -------
    list of str
        The names that begin so.
    """
    from symdiff.storage import bundled

    return [name for name in bundled.recipes() if name.startswith(incomplete)]
