"""Open a data set by its name, built once into a cache, or by its folder."""

from __future__ import annotations

from pathlib import Path

from symdiff.data.dataset import Dataset
from symdiff.data.parsing import Progress
from symdiff.data.sets.table import TABLE
from symdiff.errors import UserError, nearest
from symdiff.storage.bundled import cache_folder


def open_dataset(name_or_path: str | Path, order: str = "stored", progress: Progress = None) -> Dataset:
    """Open a data set by its name or its folder; a named one is built into the cache at first use.

    A damaged folder in the cache is an error that names it, so that nothing is replaced unasked.

    Parameters
    ----------
    name_or_path : str or Path
        A name (``symdiff.data.sets.table`` lists them), or a folder.
    order : str
        The order of the nodes: see ``symdiff.data.orders.reorder``.
    progress : callable, optional
        Called while a data set is built, with how many records were finished now and how many there are.

    Returns
    -------
    Dataset
        All three splits.

    Raises
    ------
    UserError
        For an unknown name, a damaged folder, or an unknown order.
    """
    name = str(name_or_path)
    if name in TABLE:
        folder = cache_folder() / "datasets" / name
        if not folder.exists():
            TABLE[name].build(progress).keep(folder)
        dataset = Dataset.open(folder)
    elif Path(name).is_dir():
        dataset = Dataset.open(name)
    else:
        raise UserError(f"no data set or folder {name!r}{nearest(name, TABLE)}")
    if order == "stored":
        return dataset
    from symdiff.data.orders import reorder

    return reorder(dataset, order)
