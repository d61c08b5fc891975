"""The data sets that have a name, built once into a cache."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from symdiff.data.dataset import Dataset
from symdiff.data.parsing import Progress
from symdiff.data.sources import cache_folder
from symdiff.errors import UserError, nearest


def _qm9(progress: Progress, hydrogens: bool) -> Dataset:
    from symdiff.data.qm9 import qm9

    return qm9(hydrogens, progress)


def _qm9_3d(progress: Progress, given: str | None = None) -> Dataset:
    from symdiff.data.geometries import qm9

    return qm9(progress, given)


def _zinc(progress: Progress) -> Dataset:
    from symdiff.data.zinc import zinc

    return zinc(progress)


def _druglike(progress: Progress) -> Dataset:
    from symdiff.data.zinc import druglike

    return druglike(progress)


def _small_molecules(progress: Progress) -> Dataset:
    from symdiff.data.enumeration import small_molecules

    return small_molecules()


def _benchmark(progress: Progress, name: str) -> Dataset:
    from symdiff.data.graphs import benchmark

    return benchmark(name)


def _ising(progress: Progress, side: int, rounds: int = 64) -> Dataset:
    from symdiff.data.lattices import ising

    return ising(side, rounds=rounds, progress=progress)


def _ground_states(progress: Progress, side: int) -> Dataset:
    from symdiff.data.lattices import ground_states

    return ground_states(side)


def _spin_glass(progress: Progress, side: int) -> Dataset:
    from symdiff.data.lattices import spin_glass

    return spin_glass(side, progress=progress)


def _cmu_walk(progress: Progress) -> Dataset:
    from symdiff.data.motion import walk

    return walk()


def _first_mm(progress: Progress) -> Dataset:
    from symdiff.data.parts import first_mm

    return first_mm()


def _qm9_property(progress: Progress, name: str | None = None) -> Dataset:
    from symdiff.data.properties import qm9

    return qm9(name)


_GRAPHS = (
    *("planar", "sbm", "tree", "lobster", "grid", "community_small", "ego_small", "enzymes"),
    *("spectre_community", "high_tls", "low_tls"),
)
BUILDERS: dict[str, Callable[[Progress], Dataset]] = {
    "small-molecules": _small_molecules,
    "qm9": partial(_qm9, hydrogens=False),
    "qm9-h": partial(_qm9, hydrogens=True),
    "qm9-3d": _qm9_3d,
    **{f"qm9-3d-{name}": partial(_qm9_3d, given=name) for name in ("mu", "alpha", "gap")},
    **{f"qm9-{name}": partial(_qm9_property, name=name) for name in ("mu", "alpha", "homo", "lumo", "cv")},
    "qm9-properties": _qm9_property,
    "cmu-walk": _cmu_walk,
    "first-mm": _first_mm,
    "zinc": _zinc,
    "druglike": _druglike,
    **{f"ground-states-{side}": partial(_ground_states, side=side) for side in (4, 8)},
    **{f"spin-glass-{side}": partial(_spin_glass, side=side) for side in (4, 6)},
    **{f"ising-{side}": partial(_ising, side=side) for side in (8, 16)},
    "ising-16-long": partial(_ising, side=16, rounds=384),
    **{name: partial(_benchmark, name=name) for name in _GRAPHS},
}


def open_dataset(name_or_path: str | Path, order: str = "stored", progress: Progress = None) -> Dataset:
    """A data set by its name (``BUILDERS`` lists them) or its folder; a named one is built into the cache at first use.

    ``order``: see ``symdiff.data.orders.reorder``. ``progress`` follows what is built. A damaged folder in the cache is
    an error that names it, so that nothing is replaced unasked. Raises UserError.
    """
    name = str(name_or_path)
    if name in BUILDERS:
        folder = cache_folder() / "datasets" / name
        if not folder.exists():
            BUILDERS[name](progress).keep(folder)
        dataset = Dataset.open(folder)
    elif Path(name).is_dir():
        dataset = Dataset.open(name)
    else:
        raise UserError(f"no data set or folder {name!r}{nearest(name, BUILDERS)}")
    if order == "stored":
        return dataset
    from symdiff.data.orders import reorder

    return reorder(dataset, order)
