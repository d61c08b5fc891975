"""Motion capture -> where the joints of a walker will be: CMU subject 35."""

from __future__ import annotations

import numpy as np

from symdiff.data.dataset import Dataset
from symdiff.data.sources import local, origin
from symdiff.domains.arrays import pack
from symdiff.domains.points import PointCloud
from symdiff.domains.points_codec import AXES
from symdiff.errors import UserError
from symdiff.state import Categorical, Real
from symdiff.storage.arrays import read_arrays

TITLE = "CMU Graphics Lab Motion Capture Database, subject 35 (mocap.cs.cmu.edu)"
AHEAD, RATE = 8, 30.0
"""Frames between what is seen and what is predicted, and frames a second."""
RUNS = range(17, 27)
"""The trials of subject 35 that are no walks."""
VALID, TEST = (3, 8, 11, 12, 15, 18), (6, 19, 21, 0, 22, 10)
"""The walks, counted from 0, that are held out; all others are for training.

The split of Huang et al., Equivariant Graph Mechanics Networks with Constraints (ICLR 2022),
https://github.com/hanjq17/GMN
"""
HOPS = 2


def walk() -> Dataset:
    """The 31 joints in every frame of the walks, in meters with y up: positions, velocities and bones, and their
    ``displacement`` 8 frames later.

    Velocities (m/s) are what was seen last, the difference from the frame before. ``bone``: 1 between joints of one
    bone, 2 between those two bones apart. ``pose`` says which way the axes point.

    Raises
    ------
    UserError
        Where the file is missing or damaged.
    """
    path = local("mocap_cmu35", "subject35_30fps.npz")
    arrays = read_arrays(path)
    missing = sorted({"pos", "ptr", "trial", "parents"} - set(arrays))
    if missing:
        raise UserError(f"{path}: the array {missing[0]!r} is missing")
    vector = Real("node", 1, vector=3)
    given = {
        "position": vector,
        "velocity": vector,
        "pose": AXES,
        "bone": Categorical("pair", HOPS + 1, undirected=True),
    }
    domain = PointCloud(given, {"displacement": vector})
    walks = [k for k, trial in enumerate(arrays["trial"].tolist()) if trial not in RUNS]
    edges, labels = bones(arrays["parents"])
    records, split = [], []
    for number, k in enumerate(walks):
        pos = arrays["pos"][arrays["ptr"][k] : arrays["ptr"][k + 1]].astype(np.float64)[:, :, None]
        now = np.arange(1, len(pos) - AHEAD)
        for t in now:
            values = {
                "position": pos[t],
                "velocity": RATE * (pos[t] - pos[t - 1]),
                "displacement": pos[t + AHEAD] - pos[t],
            }
            records.append(domain.encode({**values, "edges": edges, "bone": labels}))
        split += [2 if number in TEST else 1 if number in VALID else 0] * len(now)
    meta = {
        "name": "cmu-walk",
        "source": origin(TITLE, [path]),
        "settings": {"ahead": AHEAD, "rate": RATE, "hops": HOPS},
    }
    return Dataset.from_arrays(domain, {**pack(records, domain.schema), "split": np.array(split, np.uint8)}, meta)


def bones(parents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the pairs of joints that are at most ``HOPS`` bones apart.

    Parameters
    ----------
    parents : ndarray
        (J,) int: the joint that each hangs on, negative for the root.

    Returns
    -------
    tuple of ndarray
        The pairs (E, 2) int16, i < j, and how many bones they are apart, (E,).
    """
    count = len(parents)
    apart = np.full((count, count), HOPS + 1)
    np.fill_diagonal(apart, 0)
    for joint, parent in enumerate(parents.tolist()):
        if parent >= 0:
            apart[joint, parent] = apart[parent, joint] = 1
    for middle in range(count):
        apart = np.minimum(apart, apart[:, [middle]] + apart[[middle]])
    i, j = np.nonzero(np.triu(apart <= HOPS, 1))
    return np.stack([i, j], 1).astype(np.int16), apart[i, j]
