"""Molecules with coordinates -> a number each, or five: the computed properties of QM9."""

from __future__ import annotations

import numpy as np

from symdiff.data.dataset import Dataset
from symdiff.data.sets.qm9 import TITLE
from symdiff.data.sources import local, origin
from symdiff.domains.points import PointCloud
from symdiff.domains.points_codec import AXES
from symdiff.errors import UserError
from symdiff.state import Categorical, Real
from symdiff.storage.arrays import read_arrays

HARTREE = 27.211386245988
"""Electronvolts."""
PROPERTIES = {
    "mu": ("mu_D", 1.0),
    "alpha": ("alpha_a03", 1.0),
    "homo": ("homo_Ha", HARTREE),
    "lumo": ("lumo_Ha", HARTREE),
    "cv": ("Cv_cal_molK", 1.0),
}
"""Dipole moment (debye), polarizability (cubic bohr), orbital energies (eV), heat capacity (cal/(mol K)).

The column, and what it is multiplied by.
"""
ELEMENTS = (1, 6, 7, 8, 9)
TRAIN, VALID, SEED = 110_000, 10_000, 42


def qm9(name: str | None = None) -> Dataset:
    """Open the characterized molecules of QM9 as points with a computed property to predict, or with all of them.

    Atoms (H C N O F) have positions in ångström. The split is that of DimeNet and most others since: a legacy
    permutation of seed 42, 110,000 to train and 10,000 to validate.

    Parameters
    ----------
    name : str, optional
        A key of ``PROPERTIES``; without, all of them in one field.

    Returns
    -------
    Dataset
        Of a ``PointCloud``, which predicts ``property``.

    Raises
    ------
    UserError
        For an unknown property, and where a file is missing or damaged.

    References
    ----------
    Gasteiger, Groß, Günnemann: Directional Message Passing for Molecular Graphs (ICLR 2020).
    """
    paths = [local("qm9", "qm9_geom.npz"), local("qm9", "qm9_props.npz")]
    geometry, table = (read_arrays(path) for path in paths)
    for path, arrays, names in zip(
        paths, (geometry, table), (("z", "pos", "offsets", "uncharacterized"), ("props", "names")), strict=True
    ):
        missing = sorted(set(names) - set(arrays))
        if missing:
            raise UserError(f"{path}: the array {missing[0]!r} is missing")
    columns, units = zip(*(PROPERTIES.values() if name is None else [PROPERTIES[name]]), strict=True)
    characterized = np.nonzero(~geometry["uncharacterized"])[0]
    sizes = np.diff(geometry["offsets"])[characterized]
    inside = np.repeat(~geometry["uncharacterized"], np.diff(geometry["offsets"]))
    owner = np.repeat(np.arange(len(characterized)), sizes)
    position = geometry["pos"][inside].astype(np.float64)
    mean = np.stack([np.bincount(owner, position[:, axis]) for axis in range(3)], 1) / sizes[:, None]
    values = table["props"][characterized][:, [table["names"].tolist().index(column) for column in columns]] * np.array(
        units
    )
    arrays = {
        "num_nodes": sizes.astype(np.int32),
        "num_edges": np.zeros(len(characterized), np.int32),
        "edges": np.zeros((0, 2), np.int16),
        "atom": np.searchsorted(ELEMENTS, geometry["z"][inside]).astype(np.uint8),
        "position": (position - mean[owner]).astype(np.float32)[:, None],
        "pose": np.tile(np.eye(3, dtype=np.float32), (len(characterized), 1, 1)),
        "property": values.astype(np.float32),
        "split": split(len(characterized)),
    }
    given = {"atom": Categorical("node", len(ELEMENTS)), "position": Real("node", 1, vector=3), "pose": AXES}
    left_out = {"uncharacterized": int(geometry["uncharacterized"].sum())}
    settings = (
        {"property": list(columns), "times": list(units)}
        if name is None
        else {"property": columns[0], "times": units[0]}
    )
    meta = {
        "name": f"qm9-{name or 'properties'}",
        "source": origin(TITLE, paths),
        "left_out": left_out,
        "settings": settings,
    }
    return Dataset.from_arrays(PointCloud(given, {"property": Real("whole", len(columns))}), arrays, meta)


def split(count: int) -> np.ndarray:
    """Return DimeNet's split.

    Parameters
    ----------
    count : int
        The number of characterized molecules.

    Returns
    -------
    ndarray
        (count,) uint8: 0 for train, 1 for valid, 2 for test.

    Raises
    ------
    UserError
        For too few molecules.
    """
    if count <= TRAIN + VALID:
        raise UserError(f"QM9: expected more than {TRAIN + VALID} characterized molecules, got {count}")
    splits = np.full(count, 2, np.uint8)
    order = np.random.RandomState(SEED).permutation(count)
    splits[order[:TRAIN]], splits[order[TRAIN : TRAIN + VALID]] = 0, 1
    return splits
