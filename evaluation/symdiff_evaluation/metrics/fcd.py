"""The Fréchet ChemNet Distance to the reference's splits."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import t as student

from symdiff_evaluation.chemnet import LONGEST, activations, frechet, gaussian
from symdiff_evaluation.estimate import Estimate, nothing
from symdiff_evaluation.metrics.base import Metric
from symdiff_evaluation.digest import digest
from symdiff_evaluation.reference import Reference
from symdiff_evaluation.samples import Samples

GROUPS = 10


class FCD(Metric):
    """Of the strictly valid samples, repeats counted; needs the ``fcd`` package.

    The interval is that of the delete-a-group jackknife with ten groups. It tells the spread over sets of this size, not
    the bias, which falls with the number of samples: compare values of equally many samples only.
    """

    title = "Fréchet ChemNet Distance"
    about = {
        "fcd.train": "to the reference's training split",
        "fcd.test": "to the reference's test split",
    }
    compares = frozenset(about)

    def __call__(self, samples: Samples, reference: Reference | None) -> dict[str, Estimate]:
        if reference is None:
            return {}
        texts = sorted(text for text in samples.valid if len(text) <= LONGEST)
        undecided = len(samples.valid) - len(texts)
        kinds, which = np.unique(np.array(texts, dtype=object).astype(str), return_inverse=True)
        laws = {name: reference.gaussians.get(name.removeprefix("fcd.")) for name in self.about}
        if len(texts) < 2 * GROUPS or not any(laws.values()):
            return {name: nothing(len(samples.valid)) for name in laws}
        features = activations(kinds.tolist())[which].astype(np.float64)
        parts = [features[_groups(texts) != group] for group in range(GROUPS)]
        wholes = [gaussian(features), *(gaussian(part) for part in parts)]
        return {
            name: jackknife([frechet(one, law) for one in wholes], len(texts), undecided) if law else nothing(len(texts))
            for name, law in laws.items()
        }


def _groups(texts: list[str]) -> np.ndarray:
    """Ten groups by content: as good as at random, and the same in whatever order the samples came."""
    again: dict[str, int] = {}
    keys = []
    for text in texts:
        again[text] = again.get(text, 0) + 1
        keys.append(digest(f"{text} {again[text]}"))
    return np.argsort(np.argsort(keys)) % GROUPS


def jackknife(values: list[float], count: int, undecided: int) -> Estimate:
    """The first of ``values`` with the interval of the others, each of which leaves out one of the groups."""
    value, left_out = values[0], np.array(values[1:])
    spread = float(((left_out - left_out.mean()) ** 2).sum()) * (GROUPS - 1) / GROUPS
    half = float(student.ppf(0.975, GROUPS - 1)) * math.sqrt(spread)
    return Estimate(value, max(value - half, 0.0), value + half, count, undecided)
