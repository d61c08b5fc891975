"""What MOSES's numbers compare samples with: counts and fingerprints of test molecules, in few bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from symdiff_evaluation.core.digest import digest
from symdiff_evaluation.molecules.moses import BITS, Features
from symdiff_evaluation.molecules.samples import MoleculeSamples

_FRONT = "moses."


@dataclass(frozen=True)
class MosesStatistics:
    """Statistics of a split's strictly valid molecules.

    Parameters
    ----------
    fragments, scaffolds : mapping of int to int
        How often each occurs, by the digest of its SMILES.
    fingerprints : numpy.ndarray, (n, 128) uint8
        The different Morgan fingerprints, packed.
    split : str
        "test", or "train" where the data set has no other.
    """

    fragments: Mapping[int, int]
    scaffolds: Mapping[int, int]
    fingerprints: np.ndarray
    split: str

    def arrays(self) -> dict[str, np.ndarray]:
        """Give the statistics as arrays to keep; of fingerprints the numbers of the bits that are set."""
        bits = np.unpackbits(self.fingerprints, axis=1)
        arrays = {
            f"{_FRONT}{self.split}.bits": np.nonzero(bits)[1].astype(np.uint16),
            f"{_FRONT}{self.split}.sizes": bits.sum(1).astype(np.uint16),
        }
        for name in ("fragments", "scaffolds"):
            counts = getattr(self, name)
            arrays[f"{_FRONT}{self.split}.{name}"] = np.array(sorted(counts), np.uint64)
            arrays[f"{_FRONT}{self.split}.{name}.counts"] = np.array(
                [counts[label] for label in sorted(counts)], np.uint32
            )
        return arrays


def summarize_for_moses(samples: MoleculeSamples, split: str) -> MosesStatistics:
    """Take what MOSES's numbers compare with of the strictly valid samples, repeats counted.

    Parameters
    ----------
    samples : MoleculeSamples
        The molecules of a split.
    split : str
        Its name.

    Returns
    -------
    MosesStatistics
        The statistics.
    """
    known = [samples.features[text] for text in samples.valid if text in samples.features]
    return MosesStatistics(
        fragments=_total(map(count_fragments, known)),
        scaffolds=_total(map(count_scaffolds, known)),
        fingerprints=np.unique(pack(known), axis=0),
        split=split,
    )


def from_arrays(arrays: Mapping[str, np.ndarray]) -> MosesStatistics | None:
    """Find what ``MosesStatistics.arrays`` gave among other arrays.

    Parameters
    ----------
    arrays : mapping of str to numpy.ndarray
        The arrays of a reference.

    Returns
    -------
    MosesStatistics or None
        None where there is none of it.

    Raises
    ------
    KeyError
        Where some of it is missing.
    """
    split = next((name.split(".")[1] for name in arrays if name.startswith(_FRONT)), None)
    if split is None:
        return None
    front = f"{_FRONT}{split}."
    sizes = arrays[f"{front}sizes"]
    bits = np.zeros((len(sizes), BITS), np.uint8)
    bits[np.repeat(np.arange(len(sizes)), sizes), arrays[f"{front}bits"]] = 1
    counts = {
        name: dict(zip(arrays[front + name].tolist(), arrays[f"{front}{name}.counts"].tolist(), strict=True))
        for name in ("fragments", "scaffolds")
    }
    return MosesStatistics(**counts, fingerprints=np.packbits(bits, axis=1), split=split)


def count_fragments(one: Features) -> Counter[int]:
    """Count the fragments of a molecule by the digest of their SMILES.

    Parameters
    ----------
    one : Features
        The molecule.

    Returns
    -------
    collections.Counter
        How often each occurs.
    """
    return Counter(map(digest, one.fragments))


def count_scaffolds(one: Features) -> Counter[int]:
    """Count the scaffold of a molecule, if it has one, by the digest of its SMILES.

    Parameters
    ----------
    one : Features
        The molecule.

    Returns
    -------
    collections.Counter
        1 for its scaffold.
    """
    return Counter(() if one.scaffold is None else (digest(one.scaffold),))


def pack(known: Iterable[Features]) -> np.ndarray:
    """Join fingerprints to one array.

    Parameters
    ----------
    known : iterable of Features, (n,)
        The molecules.

    Returns
    -------
    numpy.ndarray, (n, 128) uint8
        Packed bits.
    """
    return np.frombuffer(b"".join(one.fingerprint for one in known), np.uint8).reshape(-1, BITS // 8)


def _total(parts: Iterable[Mapping[int, int]]) -> dict[int, int]:
    total: Counter[int] = Counter()
    for part in parts:
        total.update(part)
    return dict(total)
