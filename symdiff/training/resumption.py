"""Whether a run may go on in a folder: under the recipe that it was begun with."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from symdiff.config import recipe as recipes
from symdiff.config.automatic import look_up
from symdiff.config.recipe import Recipe
from symdiff.errors import UserError
from symdiff.storage.run_states import Checkpoints

HARMLESS = "training.save.", "training.sample.", "training.log."
"""What may change between a run and its resumption: no weight and no random number depends on it."""


def settle_as_before(recipe: Recipe, out: Path) -> Recipe:
    """Put the values for ``auto`` that the run in a folder was begun with.

    Parameters
    ----------
    recipe : Recipe
        In which some values are ``auto``.
    out : Path
        The folder of the run.

    Returns
    -------
    Recipe
        Without ``auto`` where the folder holds a recipe that has all of these values.
    """
    record = out / "recipe.yaml"
    if not record.is_file():
        return recipe  # which ``check_folder`` refuses
    before = recipes.load(record, earlier_keys=True).plain()
    values = {}
    for place in recipe.auto:
        with suppress(KeyError):
            values[place] = look_up(before, place)
    return recipes.fill(recipe, values)


def check_folder(recipe: Recipe, out: Path, resume: bool) -> None:
    """Check that a run may begin, or go on, in a folder.

    Parameters
    ----------
    recipe : Recipe
        Of the run.
    out : Path
        The folder.
    resume : bool
        Whether the run goes on.

    Raises
    ------
    UserError
        For a new run where there is one already, and for a resumed one where there is none or that had another recipe.
    """
    record = out / "recipe.yaml"
    if not resume:
        if Checkpoints(out / "state").steps() or (out / "checkpoint").exists():
            raise UserError(
                f"{out}: a training run is there already; go on with --resume {out}, or choose another folder"
            )
        return
    if not record.is_file():
        raise UserError(f"{out}: no training run to resume: recipe.yaml is missing")
    before = recipes.load(record, earlier_keys=True).plain()
    changed = [key for key in compare(before, recipe.plain()) if not key.startswith(HARMLESS)]
    if changed:
        raise UserError(
            f"{record}: the recipe differs from that of the run in {', '.join(changed)}; a resumed run keeps its recipe"
        )


def compare(before: Mapping, now: Mapping, path: str = "") -> list[str]:
    """Name the keys whose values differ between two plain recipes.

    Parameters
    ----------
    before, now : mapping
        Nested settings.
    path : str
        What stands before every key: the place of the two in a recipe.

    Returns
    -------
    list of str
        As ``section.key``.
    """
    keys = []
    for key in dict.fromkeys([*before, *now]):
        place = f"{path}.{key}" if path else str(key)
        one, other = before.get(key), now.get(key)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            keys += compare(one, other, place)
        elif one != other:
            keys.append(place)
    return keys
