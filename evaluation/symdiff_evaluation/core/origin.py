"""What samples are compared with where nobody says.

The data set of their checkpoint, if the file beside them names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from symdiff.errors import UserError
from symdiff.storage import sidecar
from symdiff.storage.sidecar import Sidecar
from symdiff_evaluation.core.storage import find_reference, list_shipped


@dataclass(frozen=True)
class Origin:
    """Where files of samples come from.

    Parameters
    ----------
    sidecars
        What lies beside each file, None where nothing does.
    reference
        Name of the shipped reference of their data set, or None.
    problem
        Why there is none, in one sentence, else "".
    """

    sidecars: tuple[Sidecar | None, ...] = ()
    reference: str | None = None
    problem: str = ""


def trace(files: Sequence[str | Path], kind: str) -> Origin:
    """Find the reference that goes with files by the data set that their sidecars name.

    Parameters
    ----------
    files : sequence of str or Path
        The samples.
    kind : str
        What the samples are.

    Returns
    -------
    Origin
        Without a reference where a file has no sidecar, where the sidecars name several data sets, or where no
        reference is shipped for it.
    """
    try:
        sidecars = tuple(sidecar.read(file) for file in files)
    except UserError as error:
        return Origin(problem=f"{error}.")
    if not files:
        return Origin(problem="nothing says which data set the model of these structures was trained on.")
    for file, one in zip(files, sidecars, strict=True):
        if one is None or one.dataset is None:
            return Origin(
                sidecars,
                problem=f"no {sidecar.place(file).name} says which data set the model of the samples was trained on.",
            )
    datasets = sorted({one.dataset for one in sidecars if one is not None and one.dataset})
    if len(datasets) > 1:
        return Origin(sidecars, problem=f"the samples come from models of several data sets: {', '.join(datasets)}.")
    reference = find_reference(datasets[0], kind)
    problem = (
        ""
        if reference
        else f"the model was trained on {datasets[0]}, of which no statistics are shipped "
        f"(--reference {datasets[0]} derives them)."
    )
    return Origin(sidecars, reference, problem)


def advise(kind: str, of: str) -> str:
    """Say how to name a reference.

    Parameters
    ----------
    kind : str
        What the samples are.
    of : str
        What a reference is a number of, in the plural.

    Returns
    -------
    str
        One sentence.
    """
    names = ", ".join(list_shipped(kind))
    if not names:
        return f"Name another file of {of} with --reference."
    return f"Name one with --reference: {names}, a file of {of}, or a data set."
