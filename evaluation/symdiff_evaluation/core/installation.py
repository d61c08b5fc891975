"""Where the protocols and references lie: inside the installed package, or beside it in the source tree."""

from __future__ import annotations

from pathlib import Path


def find_folder(name: str) -> Path:
    """Find a folder of the installation, inside the package or beside it in the source tree.

    Parameters
    ----------
    name : str
        "protocols" or "reference".

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FileNotFoundError
        For an installation that lacks it.
    """
    package = Path(__file__).resolve().parents[1]
    for place in (package / name, package.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"the installation of symdiff_evaluation lacks its folder {name!r}; install it again")
