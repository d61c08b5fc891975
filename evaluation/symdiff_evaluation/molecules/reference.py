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

    Parameters
    ----------
    name : str
        The name of the reference.
    count : int
        Number of molecules, repeats counted.
    hashes : numpy.ndarray, (n,) uint64
        ``digest`` of the different canonical SMILES, sorted.
    counts : mapping of str to mapping of str to int
        How often each label occurs, for the names in ``COUNTED``.
    quantiles : mapping of str to numpy.ndarray, (q,)
        Sorted values of equal weight, for the names in ``MEASURED`` and perhaps ``ACCESSIBILITY``.
    gaussians : mapping of str to FeatureGaussian
        ChemNet's Gaussian by split ("train", "test"), possibly none.
    source : str
        Where the data come from.
    moses : MosesStatistics, optional
        What MOSES's numbers compare with.
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
        """Tell which molecules are in the training set.

        Parameters
        ----------
        smiles : sequence of str, (n,)
            Canonical SMILES.

        Returns
        -------
        numpy.ndarray, (n,) bool
            Whether each is.
        """
        if not len(self.hashes):
            return np.zeros(len(smiles), bool)
        asked = np.array([digest(text) for text in smiles], np.uint64)
        place = np.searchsorted(self.hashes, asked).clip(max=len(self.hashes) - 1)
        return self.hashes[place] == asked


def summarize(samples: MoleculeSamples, name: str, source: str = "") -> Reference:
    """Take the statistics of samples; those that are not strictly valid are left out.

    Parameters
    ----------
    samples : MoleculeSamples
        The training set.
    name : str
        The name of the reference.
    source : str
        Where the data come from.

    Returns
    -------
    Reference
        Without ChemNet's Gaussians and what MOSES needs.

    Raises
    ------
    UserError
        Where no molecule is strictly valid.
    """
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
    """Write ``OUT.safetensors`` and ``OUT.json``; covariances as their upper triangle in float32.

    Parameters
    ----------
    reference : Reference
        What to write.
    out : str or Path
        Path without ending.
    """
    arrays = {"hashes": reference.hashes, **{f"quantiles.{name}": q for name, q in reference.quantiles.items()}}
    for split, distribution in reference.gaussians.items():
        arrays[f"fcd.{split}.mean"] = distribution.mean.astype(np.float32)
        arrays[f"fcd.{split}.covariance"] = distribution.covariance[np.triu_indices(FEATURES)].astype(np.float32)
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
    """Load a reference.

    Parameters
    ----------
    name_or_path : str or Path
        Name of a shipped one, or path of either file that ``write`` wrote.

    Returns
    -------
    Reference
        The statistics.

    Raises
    ------
    UserError
        Where it is missing or was altered.
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
    """Take values that stand for equal shares of all.

    Parameters
    ----------
    values : numpy.ndarray, (n,)
        The values.

    Returns
    -------
    numpy.ndarray, (q,) float32
        Sorted; all of them up to 4,096.
    """
    if len(values) <= QUANTILES:
        return np.sort(values).astype(np.float32)
    return np.quantile(values, (np.arange(QUANTILES) + 0.5) / QUANTILES).astype(np.float32)


def _gaussian(arrays: Mapping[str, np.ndarray], split: str) -> FeatureGaussian:
    upper = np.zeros((FEATURES, FEATURES))
    upper[np.triu_indices(FEATURES)] = arrays[f"fcd.{split}.covariance"]
    return FeatureGaussian(arrays[f"fcd.{split}.mean"].astype(np.float64), upper + np.triu(upper, 1).T)
