"""Which protocol goes with a file, where the user named none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from symdiff.domains.kinds import recognize
from symdiff.errors import UserError


def guess(files: Sequence[str | Path], atoms: bool = False) -> str:
    """The protocol for files, by what they hold; ``atoms``: labels of graphs stand for atoms. Raises ``UserError``: none, or several."""
    found = {_recognize(Path(file)) for file in files}
    if atoms:
        found = {"molecule-graph" if kind == "graph" else kind for kind in found}
    if len(found) > 1:
        raise UserError(f"expected samples of one kind, got {' and '.join(sorted(found))}: say which with --protocol")
    return found.pop()


def _recognize(path: Path) -> str:
    try:
        return recognize(path)
    except UserError as error:
        hint = ": say it with --protocol" if "cannot tell what it holds" in str(error) else ""
        raise UserError(f"{error}{hint}") from None
