"""A recipe for a data set: the one that its domain has, with the data set in it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from symdiff.config import recipe as recipes
from symdiff.config.recipe import Recipe
from symdiff.data.dataset import Dataset
from symdiff.data.folder import META
from symdiff.data.registry import open_dataset
from symdiff.data.sets.table import TABLE
from symdiff.errors import UserError
from symdiff.storage import bundled
from symdiff.training.auto import MINUTES, describe, settle_by_data


def find_dataset(name: str) -> bool:
    """Tell whether a name that stands where a recipe may stand is one of a data set; recipes come first.

    Parameters
    ----------
    name : str
        A file, a folder or a name.

    Returns
    -------
    bool
        True for the folder or the name of a data set.
    """
    if (Path(name) / META).is_file():
        return True
    return not Path(name).is_file() and name not in bundled.recipes() and name in TABLE


def own_recipe(name: str) -> Recipe:
    """Make the recipe for a data set, in which ``auto`` stands for what follows from the data.

    Parameters
    ----------
    name : str
        The folder or the name of a data set.

    Returns
    -------
    Recipe
        The one that its domain names, with this data set in it.

    Raises
    ------
    UserError
        For a data set that cannot be opened, or is of a domain that has no recipe of its own.
    """
    return recipes.load(_put_in(_template(open_dataset(name), name), name))


def write_recipe(name: str, minutes: float = MINUTES) -> str:
    """Write the text of ``own_recipe``, to be edited: it begins with what ``auto`` stands for at present.

    Parameters
    ----------
    name : str
        The folder or the name of a data set.
    minutes : float
        For training.

    Returns
    -------
    str
        YAML.

    Raises
    ------
    UserError
        As ``own_recipe``.
    """
    dataset = open_dataset(name)
    text = _put_in(_template(dataset, name), name)
    recipe = recipes.load(text)
    decided = settle_by_data(recipe, dataset, minutes)
    told = describe(recipe, decided).removeprefix("auto: ")
    lines = "".join(f"#   {line}\n" for line in told.split(", "))
    return (
        f"# {len(dataset):,} structures of up to {int(dataset.num_nodes.max())} nodes: symdiff train THIS_FILE "
        f"--minutes {minutes:g}\n# Write a value in place of any auto to decide yourself; now auto stands for\n{lines}"
        f"# and what follows from the number of steps is decided when a few have been timed.\n{text}"
    )


def _template(dataset: Dataset, name: str) -> str:
    chosen = dataset.domain.recipe
    if chosen is None:
        kind = dataset.domain.spec["kind"]
        raise UserError(f"{name}: there is no recipe for every {kind}; name one, with --set data/dataset={name}")
    return bundled.recipe(chosen).read_text(encoding="utf-8")


def _put_in(text: str, name: str) -> str:
    """The recipe with the data set's name, without its first comment."""
    title = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(name).resolve().name if Path(name).is_dir() else name)
    title = title.lstrip("._-")[:100] or "own"
    text = re.sub(r"\A(#.*\n)*", "", text)
    text = re.sub(r"^name: .*$", lambda _: f"name: {title}", text, count=1, flags=re.MULTILINE)
    return re.sub(r"dataset: [^,}]+", lambda _: f"dataset: {json.dumps(name, ensure_ascii=False)}", text, count=1)
