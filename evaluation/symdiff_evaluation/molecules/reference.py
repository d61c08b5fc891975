"""What a data set looks like, in few numbers: enough for novelty and distances without the data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from symdiff.errors import UserError
from symdiff_evaluation.core.digest import digest
from symdiff_evaluation.core.distances import sum_counts
from symdiff_evaluation.core.storage import KIND, read_files, unreadable, write_files
from symdiff_evaluation.molecules.chemnet import FEATURES, FeatureGaussian
from symdiff_evaluation.molecules.moses_statistics import MosesStatistics
from symdiff_evaluation.molecules.moses_statistics import from_arrays as compared_from
from symdiff_evaluation.molecules.samples import MoleculeSamples

COUNTED = ("size", "atoms", "bonds", "rings", "order")
MEASURED = ("logp", "qed", "weight")
ACCESSIBILITY = "sa"  # what some references have measured besides
QUANTILES = 4096


@dataclass(frozen=True)
class Reference:
    """Statistics of a training set's strictly valid molecules.

    ``hashes``: (n,) uint64, sorted, ``digest`` of their canonical SMILES. ``counts[name]``: how often each label
    occurs, for the names in ``COUNTED``. ``quantiles[name]``: (q,) sorted values, each standing for an equal share, for
    those in ``MEASURED``, some also for ``ACCESSIBILITY``. ``gaussians``: ChemNet statistics by split ("train",
    "test"), possibly none. ``compared``: what MOSES's numbers need of the test split, if it was asked for.
    """

    name: str
    count: int
    hashes: np.ndarray
    counts: Mapping[str, Mapping[str, int]]
    quantiles: Mapping[str, np.ndarray]
    gaussians: Mapping[str, FeatureGaussian] = field(default_factory=dict)
    source: str = ""
    moses: MosesStatistics | None = None

    def knows(self, smiles: Sequence[str]) -> np.ndarray:
        """Which canonical SMILES are in the set: (n,) bool."""
        if not len(self.hashes):
            return np.zeros(len(smiles), bool)
        asked = np.array([digest(text) for text in smiles], np.uint64)
        place = np.searchsorted(self.hashes, asked).clip(max=len(self.hashes) - 1)
        return self.hashes[place] == asked


def summarize(samples: MoleculeSamples, name: str, source: str = "") -> Reference:
    """The statistics of judged samples; those that are not strictly valid are left out."""
    if not samples.valid:
        raise UserError(f"reference {name}: none of its {len(samples)} records is a valid molecule")
    traits = samples.traits
    return Reference(
        name=name,
        count=len(traits),
        hashes=np.sort(np.array([digest(text) for text in samples.distinct], np.uint64)),
        counts={
            "size": _tally(Counter(str(t.size) for t in traits)),
            "atoms": _tally(sum_counts(t.atoms for t in traits)),
            "bonds": _tally(sum_counts(t.bonds for t in traits)),
            "rings": _tally(sum_counts(t.rings for t in traits)),
            "order": _tally(Counter(str(t.order) for t in traits if t.order is not None)),
        },
        quantiles={name: take_quantiles(np.array([getattr(t, name) for t in traits])) for name in MEASURED},
        source=source,
    )


def write(reference: Reference, out: str | Path) -> None:
    """Write ``OUT.safetensors`` and ``OUT.json``; covariances as their upper triangle in float32."""
    arrays = {"hashes": reference.hashes, **{f"quantiles.{name}": q for name, q in reference.quantiles.items()}}
    for split, law in reference.gaussians.items():
        arrays[f"fcd.{split}.mean"] = law.mean.astype(np.float32)
        arrays[f"fcd.{split}.covariance"] = law.covariance[np.triu_indices(FEATURES)].astype(np.float32)
    if reference.moses is not None:
        arrays |= reference.moses.arrays()
    about = {
        "name": reference.name,
        "count": reference.count,
        "distinct": len(reference.hashes),
        "source": reference.source,
        "counts": reference.counts,
    }
    write_files(about, arrays, out)


def load(name_or_path: str | Path) -> Reference:
    """A shipped reference by name, or one that ``write`` wrote, by the path of either of its files.

    Raises ``UserError`` where it is missing or was altered.
    """
    about, arrays = read_files(name_or_path, KIND)
    try:
        splits = sorted({key.split(".")[1] for key in arrays if key.startswith("fcd.")})
        return Reference(
            name=about["name"],
            count=int(about["count"]),
            hashes=arrays["hashes"],
            counts={name: {k: int(v) for k, v in about["counts"][name].items()} for name in COUNTED},
            quantiles={
                name: arrays[f"quantiles.{name}"]
                for name in (*MEASURED, ACCESSIBILITY)
                if name in MEASURED or f"quantiles.{name}" in arrays
            },
            gaussians={split: _gaussian(arrays, split) for split in splits},
            source=about["source"],
            moses=compared_from(arrays),
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise unreadable(name_or_path, error) from error


def _tally(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (int(item[0]), "") if item[0].isdigit() else (0, item[0])))


def take_quantiles(values: np.ndarray) -> np.ndarray:
    """(q,) float32, sorted values that stand for equal shares of all."""
    if len(values) <= QUANTILES:
        return np.sort(values).astype(np.float32)
    return np.quantile(values, (np.arange(QUANTILES) + 0.5) / QUANTILES).astype(np.float32)


def _gaussian(arrays: Mapping[str, np.ndarray], split: str) -> FeatureGaussian:
    upper = np.zeros((FEATURES, FEATURES))
    upper[np.triu_indices(FEATURES)] = arrays[f"fcd.{split}.covariance"]
    return FeatureGaussian(arrays[f"fcd.{split}.mean"].astype(np.float64), upper + np.triu(upper, 1).T)
