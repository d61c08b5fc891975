"""Recipes and checkpoints of before: where a key of a recipe is now, and what a class is called."""

from __future__ import annotations

from collections.abc import Mapping

MOVED = {
    "batch_size": "training/batch/size",
    "by_size": "training/batch/by_size",
    "optimizer": "training/optimizer/kind",
    "learning_rate": "training/optimizer/learning_rate",
    "warmup": "training/optimizer/warmup",
    "weight_decay": "training/optimizer/weight_decay",
    "clip": "training/optimizer/clip",
    "ema": "training/average/decay",
    "precision": "training/compute/precision",
    "compile": "training/compute/compile",
    "save_every": "training/save/every",
    "sample_every": "training/sample/every",
    "sample_count": "training/sample/count",
    "log_every": "training/log/every",
    "tracker": "training/log/tracker",
    "drop": "objective/drop",
    "augment": "objective/augment",
    "draws": "objective/draws",
}
"""Key of ``training`` -> place of the same value now. ``draws`` says, in addition, ``objective/kind=LogVariance``."""


RENAMED = {"Group": {"Product": "DirectProduct"}}
"""Abstract class -> name of a class in checkpoints and recipes of before -> its name now."""


def describe_moved(plain: Mapping) -> str | None:
    """Describe which keys of a recipe have another place now.

    Parameters
    ----------
    plain : mapping
        Values of a recipe.

    Returns
    -------
    str or None
        All such keys and their new places, in one line; None where there is none.
    """
    moved = [key for key, value in _training(plain).items() if _has_moved(key, value)]
    places = [
        f"training.{key} is now {MOVED[key]}{' of objective/kind=LogVariance' if key == 'draws' else ''}"
        for key in moved
    ]
    return ", ".join(places) or None


def bring_up_to_date(plain: Mapping) -> dict:
    """Put every moved key in its new place: what recipes of earlier checkpoints and runs mean.

    Parameters
    ----------
    plain : mapping
        Values of a recipe; they are not changed.

    Returns
    -------
    dict
        The values with every key in its place.
    """
    values = {**plain}
    if describe_moved(plain) is None:
        return values
    training = {key: dict(value) if isinstance(value, Mapping) else value for key, value in _training(plain).items()}
    old = {key: training.pop(key) for key, value in list(training.items()) if _has_moved(key, value)}
    sections = {"training": training, "objective": {"kind": "Denoising"}}
    for key, value in old.items():
        section, *path = MOVED[key].split("/")
        if section == "objective":
            continue
        place = sections[section].setdefault(path[0], {})
        place[path[1]] = value
    if old.get("draws"):
        sections["objective"] = {"kind": "LogVariance", "draws": old["draws"]}
    else:
        sections["objective"] |= {key: old[key] for key in ("drop", "augment") if old.get(key)}
    return {**values, **sections}


def _training(plain: Mapping) -> Mapping:
    training = plain.get("training")
    return training if isinstance(training, Mapping) else {}


def _has_moved(key: object, value: object) -> bool:
    return key in MOVED and not (key == "optimizer" and isinstance(value, Mapping))  # the name of a section now
