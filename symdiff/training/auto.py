"""What ``auto`` stands for in a recipe, given the data and the time for training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psutil
import torch

from symdiff.config import recipe as recipes
from symdiff.config.automatic import Place, look_up, write
from symdiff.config.recipe import Recipe
from symdiff.data.dataset import Dataset
from symdiff.errors import UserError
from symdiff.guidance import may_hide

MINUTES = 10.0
"""Of training, where nothing is said."""
MOST_PAIRS = 1 << 19
"""Of nodes in a batch, padding among them."""
PAIR_BYTES = 600
"""That a pair of nodes takes in a training step of a small network, roughly."""
SHARE = 0.25
"""Of the free memory that a batch may take."""


@dataclass(frozen=True)
class Facts:
    """What decides on the values that are ``auto``.

    Attributes
    ----------
    dataset : Dataset
    minutes : float
        For training.
    most : int
        The highest ``level``.
    """

    dataset: Dataset
    minutes: float = MINUTES
    most: int = 3

    @property
    def largest(self) -> int:
        """Nodes of the largest structure."""
        return int(self.dataset.num_nodes.max())

    @property
    def count(self) -> int:
        """Structures to train on."""
        return len(self.dataset.split("train"))

    @property
    def order(self) -> str:
        """Of the nodes: that of the SMILES where the data have it, else breadth first."""
        if not self.dataset.domain.pads:
            return "stored"
        return "smiles" if self.dataset.meta.get("order") == "smiles" else "breadth"

    @property
    def level(self) -> int:
        """0 to 3: how much time there is, and so how large network and batches are."""
        return min(self.most, sum(self.minutes >= bound for bound in (3, 30, 120)))

    @property
    def size(self) -> tuple[int, int]:
        """Width and layers of the network: larger where there is time, and data enough."""
        level = min(self.level, sum(self.count >= bound for bound in (100, 1000, 10_000)))
        return ((64, 2), (128, 3), (192, 4), (256, 5))[level]

    @property
    def batch(self) -> int:
        """Structures of a batch: a power of two that the memory holds, at most as many as there are.

        In a short time many steps of small batches teach more than few of large ones.
        """
        pairs = self.largest**2 if self.dataset.domain.pads else self.largest
        free = _free_memory()
        size = (32, 64, 128, 256)[self.level]
        while size > 1 and (size * pairs > MOST_PAIRS or size * pairs * PAIR_BYTES > SHARE * free or size > self.count):
            size //= 2
        return size


def _free_memory() -> int:
    """Bytes, on the device that is trained on."""
    if torch.cuda.is_available():
        return torch.cuda.mem_get_info()[0]
    return psutil.virtual_memory().available


_BY_DATA: dict[str, Callable[[Facts], object]] = {
    "data/order": lambda facts: facts.order,
    "training/batch/size": lambda facts: facts.batch,
    "training/batch/by_size": lambda facts: facts.dataset.domain.pads,
    "training/sample/count": lambda facts: 64 if facts.level else 16,
    "sampling/steps": lambda facts: min(64, facts.largest),
}
_IN_PARTS: dict[str, Callable[[Facts], object]] = {
    "nodes": lambda facts: facts.largest,
    "dim": lambda facts: 16 if facts.largest <= 16 else 32,
    "width": lambda facts: facts.size[0],
    "layers": lambda facts: facts.size[1],
    "drop": lambda facts: 0.1 if may_hide(facts.dataset.domain.schema) else 0.0,
    "heads": lambda facts: facts.size[0] // 32,
}
_BY_STEPS: dict[str, Callable[[int], object]] = {
    "training/steps": lambda steps: steps,
    "training/optimizer/warmup": lambda steps: min(200, steps // 20),
    "training/average/decay": lambda steps: min(0.9995, max(0.0, 1 - 10 / steps)),
    "training/save/every": lambda steps: min(1000, -(-steps // 4)),
    "training/sample/every": lambda steps: -(-steps // 4),
    "training/log/every": lambda steps: min(50, -(-steps // 100)),
}


def settle_by_data(recipe: Recipe, dataset: Dataset, minutes: float = MINUTES, most: int = 3) -> Recipe:
    """Put values for all that is ``auto`` and does not depend on the number of steps.

    Parameters
    ----------
    recipe : Recipe
        In which some values are ``auto``.
    dataset : Dataset
        That the recipe names.
    minutes : float
        The time for training.
    most : int
        The highest level of sizes, see ``Facts``.

    Returns
    -------
    Recipe
        In which only what follows from the number of steps is ``auto``.

    Raises
    ------
    UserError
        For a place where ``auto`` means nothing, or nothing in this domain.
    """
    facts = Facts(dataset, minutes, most)
    by_domain = dataset.domain.automatic(facts.size[0])
    values: dict[Place, object] = {}
    for place in recipe.auto:
        path, key = write(place), str(place[-1])
        if path in _BY_STEPS:
            continue
        if path in _BY_DATA:
            values[place] = _BY_DATA[path](facts)
        elif place[0] in recipes.PARTS and key in by_domain:
            values[place] = by_domain[key]
        elif place[0] in recipes.PARTS and key in _IN_PARTS:
            values[place] = _IN_PARTS[key](facts)
        else:
            known = ", ".join([*_BY_DATA, *_BY_STEPS, *sorted({*_IN_PARTS, *by_domain})])
            raise UserError(f"{recipe.source}: {path}: auto means nothing here; it does in {known}")
    return recipes.fill(recipe, values)


def settle_by_steps(recipe: Recipe, steps: int) -> Recipe:
    """Put values for all that is ``auto`` and follows from the number of steps.

    Parameters
    ----------
    recipe : Recipe
        As ``settle_by_data`` returns it.
    steps : int
        Of the training.

    Returns
    -------
    Recipe
        In which nothing is ``auto``.
    """
    return recipes.fill(recipe, {place: _BY_STEPS[write(place)](steps) for place in recipe.auto})


def describe(before: Recipe, after: Recipe) -> str:
    """Tell what ``auto`` has become.

    Parameters
    ----------
    before, after : Recipe
        The recipe with values that are ``auto``, and with values in their place.

    Returns
    -------
    str
        A line.
    """
    plain = after.plain()
    settled = [place for place in before.auto if place not in after.auto]
    return "auto: " + ", ".join(f"{write(place)} {_told(look_up(plain, place))}" for place in settled)


def _told(value: object) -> str:
    if isinstance(value, Mapping):
        return str(value.get("kind"))
    if isinstance(value, list):
        return " ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
