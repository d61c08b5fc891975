"""What a data set looks like, in few numbers: enough for novelty and distances without the data."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from symdiff.errors import UserError, nearest
from symdiff_evaluation.chemnet import FEATURES, Gaussian
from symdiff_evaluation.located import folder
from symdiff_evaluation.samples import Samples

COUNTED = ("size", "atoms", "bonds", "rings", "order")
MEASURED = ("logp", "qed", "weight")
QUANTILES = 4096


@dataclass(frozen=True)
class Reference:
    """Statistics of a training set's strictly valid molecules.

    ``hashes``: (n,) uint64, sorted, ``digest`` of their canonical SMILES. ``counts[name]``: how often each label occurs, for the
    names in ``COUNTED``. ``quantiles[name]``: (q,) sorted values, each standing for an equal share, for those in
    ``MEASURED``. ``gaussians``: ChemNet statistics by split ("train", "test"), possibly none.
    """

    name: str
    count: int
    hashes: np.ndarray
    counts: Mapping[str, Mapping[str, int]]
    quantiles: Mapping[str, np.ndarray]
    gaussians: Mapping[str, Gaussian] = field(default_factory=dict)
    source: str = ""

    def knows(self, smiles: Sequence[str]) -> np.ndarray:
        """Which canonical SMILES are in the set: (n,) bool."""
        if not len(self.hashes):
            return np.zeros(len(smiles), bool)
        asked = np.array([digest(text) for text in smiles], np.uint64)
        place = np.searchsorted(self.hashes, asked).clip(max=len(self.hashes) - 1)
        return self.hashes[place] == asked


def digest(smiles: str) -> int:
    """64 bits of a canonical SMILES: blake2b of 8 bytes, big-endian."""
    return int.from_bytes(hashlib.blake2b(smiles.encode(), digest_size=8).digest())


def summarize(samples: Samples, name: str, source: str = "") -> Reference:
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
        quantiles={name: _quantiles(np.array([getattr(t, name) for t in traits])) for name in MEASURED},
        source=source,
    )


def write(reference: Reference, out: str | Path) -> None:
    """Write ``OUT.safetensors`` and ``OUT.json``; covariances as their upper triangle in float32."""
    out = Path(out)
    arrays = {"hashes": reference.hashes, **{f"quantiles.{name}": q for name, q in reference.quantiles.items()}}
    for split, law in reference.gaussians.items():
        arrays[f"fcd.{split}.mean"] = law.mean.astype(np.float32)
        arrays[f"fcd.{split}.covariance"] = law.covariance[np.triu_indices(FEATURES)].astype(np.float32)
    packed = save(arrays)
    about = {
        "name": reference.name,
        "count": reference.count,
        "distinct": len(reference.hashes),
        "source": reference.source,
        "sha256": hashlib.sha256(packed).hexdigest(),
        "counts": reference.counts,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    # the json comes last: it is what makes a reference exist
    for ending, content in ((".safetensors", packed), (".json", (json.dumps(about, indent=1) + "\n").encode())):
        part = out.with_name(f".{out.name}{ending}.{os.getpid()}")
        part.write_bytes(content)
        part.replace(out.with_name(out.name + ending))


def load(name_or_path: str | Path) -> Reference:
    """A shipped reference by name, or one that ``write`` wrote, by the path of either of its files.

    Raises ``UserError`` where it is missing or was altered.
    """
    stem = _stem(name_or_path)
    if not stem.with_name(stem.name + ".json").is_file():
        raise UserError(f"reference {str(name_or_path)!r} does not exist{nearest(str(name_or_path), shipped())}")
    try:
        about = json.loads(stem.with_name(stem.name + ".json").read_text(encoding="utf-8"))
        tensors = stem.with_name(stem.name + ".safetensors")
        if hashlib.sha256(tensors.read_bytes()).hexdigest() != about["sha256"]:
            raise UserError(f"reference {tensors}: its SHA-256 is not the one that its json names")
        arrays = load_file(tensors)
        splits = sorted({key.split(".")[1] for key in arrays if key.startswith("fcd.")})
        return Reference(
            name=about["name"],
            count=int(about["count"]),
            hashes=arrays["hashes"],
            counts={name: {k: int(v) for k, v in about["counts"][name].items()} for name in COUNTED},
            quantiles={name: arrays[f"quantiles.{name}"] for name in MEASURED},
            gaussians={split: _gaussian(arrays, split) for split in splits},
            source=about["source"],
        )
    except (OSError, KeyError, TypeError, AttributeError, json.JSONDecodeError, SafetensorError) as error:
        raise UserError(f"reference {str(name_or_path)!r} cannot be read: {type(error).__name__}: {error}") from error


def shipped() -> list[str]:
    """Names of the references that come with the package."""
    return sorted(path.stem for path in folder("reference").glob("*.json"))


def sum_counts(parts: Iterable[Mapping[str, int]]) -> Counter[str]:
    """Labels counted over all parts."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return total


def _stem(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    if path.suffix in (".json", ".safetensors"):
        return path.with_suffix("")
    return folder("reference") / path.name if path.name == str(name_or_path) else path


def _tally(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (int(item[0]), "") if item[0].isdigit() else (0, item[0])))


def _quantiles(values: np.ndarray) -> np.ndarray:
    if len(values) <= QUANTILES:
        return np.sort(values).astype(np.float32)
    return np.quantile(values, (np.arange(QUANTILES) + 0.5) / QUANTILES).astype(np.float32)


def _gaussian(arrays: Mapping[str, np.ndarray], split: str) -> Gaussian:
    upper = np.zeros((FEATURES, FEATURES))
    upper[np.triu_indices(FEATURES)] = arrays[f"fcd.{split}.covariance"]
    return Gaussian(arrays[f"fcd.{split}.mean"].astype(np.float64), upper + np.triu(upper, 1).T)
