"""Which protocol goes with a file, where the user named none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from symdiff.errors import UserError

_SMILES = (".smi", ".smiles", ".txt", ".csv", ".tsv")


def guess(files: Sequence[str | Path], atoms: bool = False) -> str:
    """Find the protocol that goes with files, by what they hold.

    Parameters
    ----------
    files : sequence of str or Path
        The samples.
    atoms : bool
        Whether labels of graphs stand for atoms.

    Returns
    -------
    str
        Name of the protocol.

    Raises
    ------
    UserError
        For files of several kinds, and for those that cannot be recognized.
    """
    protocols = {_recognize(Path(file)) for file in files}
    if atoms:
        protocols = {"molecule-graph" if kind == "graph" else kind for kind in protocols}
    if len(protocols) > 1:
        raise UserError(
            f"expected samples of one kind, got {' and '.join(sorted(protocols))}: say which with --protocol"
        )
    return protocols.pop()


def _recognize(path: Path) -> str:
    if _holds_smiles(path):
        return "molecule-graph"
    from symdiff.domains.kinds import recognize

    try:
        return recognize(path)
    except UserError as error:
        hint = ": say it with --protocol" if "cannot tell what it holds" in str(error) else ""
        raise UserError(f"{error}{hint}") from None


def _holds_smiles(path: Path) -> bool:
    """Whether a file is one of SMILES.

    Asked first, since to import the domains, and torch with them, takes as long as many thousand SMILES.
    """
    from symdiff.chemistry import formats
    from symdiff.graphs import files as graphs

    name = path.name.lower().removesuffix(".gz")
    return (
        name.endswith(_SMILES)
        and path.is_file()
        and graphs.recognize(path) is None
        and formats.recognize(path) in ("smiles", "table")
    )
