"""Files of spins through both verbs.

What is imported to train on is what is scored, with the same words for what is not.
"""

import numpy as np
import pytest

from symdiff.data.configurations import configurations
from symdiff.errors import UserError
from symdiff_evaluation.core.kinds import load_kind
from symdiff_evaluation.core.sample_files import SampleFiles

UP = np.ones((6, 4, 4), np.int8)
ODD, COLD = UP.copy(), np.array([1.0, 2.0, -1.0, np.nan, 1.0, 1.0])
ODD[2, 1, 1], ODD[4] = 3, 0
FILES = {
    "plain": {"spins": UP},
    "floats": {"spins": UP.astype(float)},
    "truth values": {"spins": UP > 0},
    "broken": {"spins": ODD, "temperature": 2.0},
    "one record": {"spins": UP[0], "lattice": "square"},
    "no such lattice": {"spins": UP, "lattice": "squere"},
    "another lattice": {"spins": UP, "lattice": "cubic"},
    "no number of states": {"spins": UP, "model": "potts"},
    "labels": {"spins": ODD, "model": "potts", "states": 4},
    "cold": {"spins": UP, "temperature": COLD},
    "all cold": {"spins": UP, "temperature": -1.0},
    "no number": {
        "spins": UP,
        "coupling": np.where(np.arange(6)[:, None, None, None] == 1, np.inf, np.ones((6, 4, 4, 2))),
    },
    "couplings": {"spins": UP, "coupling": np.ones((4, 4, 2)), "directions": np.array([[0, -1], [1, 0]])},
    "three couplings": {"spins": UP, "coupling": np.ones((4, 4, 3))},
    "two of one direction": {"spins": UP, "coupling": np.ones((4, 4, 2)), "directions": np.array([[1, 0], [-1, 0]])},
    "field": {"spins": UP, "field": np.linspace(-1, 1, 6)[:, None, None] * np.ones((6, 4, 4))},
    "field's shape": {"spins": UP, "field": np.ones((3, 4))},
    "counts": {"spins": UP, "temperature": np.ones(5)},
    "unknown": {"spins": UP, "couplings": np.ones(2)},
    "narrow": {"spins": UP[:, :1]},
    "text": {"spins": np.full((2, 4, 4), "up")},
    "none": {"spins": UP[:0], "coupling": np.ones((0, 4, 4, 2))},
}


def verdict(read, path) -> object:
    try:
        return read(path)
    except UserError as error:
        assert "\n" not in str(error)
        return str(error)


def train_on(path):
    dataset = configurations([path], {"name": "x"})
    return dataset.meta["rows"], len(dataset), dataset.meta["left_out"]


def score(path):
    spins = load_kind("lattice").read(SampleFiles([path]))
    return spins.total, len(spins), dict(load_kind("lattice").count_failures(spins))


@pytest.mark.parametrize("name", FILES)
def test_both_verbs_agree(name, tmp_path):
    np.savez(tmp_path / "a.npz", **{key: np.array(value) for key, value in FILES[name].items()})
    trained, scored = verdict(train_on, tmp_path / "a.npz"), verdict(score, tmp_path / "a.npz")
    if isinstance(trained, str) and not isinstance(scored, str):  # nothing to train on
        assert scored[1] == 0 and (name == "none" or list(scored[2])[0] in trained)
    else:
        assert trained == scored
