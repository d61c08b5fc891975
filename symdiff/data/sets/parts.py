"""Scanned household objects -> the part that every point belongs to: FIRST-MM."""

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

TITLE = (
    "FIRST-MM object data base: Neumann et al., Graph kernels for object category prediction in task-dependent robot "
    "grasping (2013)"
)
PARTS = ("bottom", "middle", "top", "handle", "usable_area")
POINTS, DRAWS = 128, 32
"""Points of a cloud, and clouds that are drawn of an object."""


def first_mm(points: int = POINTS, draws: int = DRAWS, seed: int = 0) -> Dataset:
    """Sample clouds of points, with normals and the ``part`` of each point, from 41 scanned objects of 11 categories.

    Objects are centered and scaled, the farthest point at 1. The split is by object: of each category the second and
    the fifth are for the test, of the larger ones the fourth is for validation. Points without a normal (NaN in the
    source) are left out, and counted. ``pose`` says which way the axes point, along which the objects do not all stand
    alike.

    Parameters
    ----------
    points : int
        Points of a cloud.
    draws : int
        Clouds of each object.
    seed : int
        Of the choice of points.

    Returns
    -------
    Dataset
        Of a ``PointCloud``.

    Raises
    ------
    UserError
        Where the file is missing or damaged.
    """
    path = local("parts3d", "firstmm_db.npz")
    arrays = read_arrays(path)
    missing = sorted({"pos", "normal", "part", "ptr", "category"} - set(arrays))
    if missing:
        raise UserError(f"{path}: the array {missing[0]!r} is missing")
    vector = Real("node", 1, vector=3)
    categories = int(arrays["category"].max()) + 1
    given = {"position": vector, "normal": vector, "pose": AXES, "category": Categorical("whole", categories)}
    domain = PointCloud(given, {"part": Categorical("node", len(PARTS))})
    generator = np.random.default_rng(seed)
    records, split, nameless, objects, sizes = [], [], 0, np.zeros(categories, int), np.bincount(arrays["category"])
    for k, category in enumerate(arrays["category"].tolist()):
        part = slice(arrays["ptr"][k], arrays["ptr"][k + 1])
        pos, normal, label = (arrays[name][part] for name in ("pos", "normal", "part"))
        finite = np.isfinite(normal).all(1)
        nameless += int((~finite).sum())
        pos, normal, label = pos[finite].astype(np.float64), normal[finite].astype(np.float64), label[finite]
        pos -= pos.mean(0)
        pos /= np.linalg.norm(pos, axis=1).max()
        for _ in range(draws):
            chosen = generator.choice(len(pos), points, replace=False)
            values = {
                "position": pos[chosen, None],
                "normal": normal[chosen, None],
                "category": np.int64(category),
                "part": label[chosen],
            }
            records.append(domain.encode(values))
        place = objects[category]
        split += [2 if place in (1, 4) else 1 if place == 3 and sizes[category] > 4 else 0] * draws
        objects[category] += 1
    settings = {"points": points, "draws": draws, "seed": seed}
    meta = {
        "name": "first-mm",
        "source": origin(TITLE, [path]),
        "left_out": {"points without a normal": nameless},
        "settings": settings,
    }
    return Dataset.from_arrays(domain, {**pack(records, domain.schema), "split": np.array(split, np.uint8)}, meta)
