"""Names that a shell may complete."""

from __future__ import annotations


def checkpoints(incomplete: str) -> list[str]:
    """The bundled checkpoints whose names begin as what was typed."""
    from symdiff.storage import bundled

    return [name for name in bundled.checkpoints() if name.startswith(incomplete)]


def recipes(incomplete: str) -> list[str]:
    """The bundled recipes whose names begin as what was typed."""
    from symdiff.storage import bundled

    return [name for name in bundled.recipes() if name.startswith(incomplete)]
