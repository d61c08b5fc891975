"""Reference statistics from SMILES: run once for a data set, shipped for everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from symdiff_evaluation.chemnet import LONGEST, Gaussian, activations, gaussian
from symdiff_evaluation.reference import Reference, summarize, write
from symdiff_evaluation.samples import Samples, from_smiles


def build_reference(
    smiles: Sequence[str] | Mapping[str, Sequence[str]],
    out: str | Path,
    source: str = "",
    fcd: bool = True,
    workers: int = 1,
) -> Reference:
    """Derive a reference from SMILES and write ``OUT.safetensors`` and ``OUT.json``.

    ``smiles``: a list, or lists by split; hashes and histograms are those of "train", ChemNet's Gaussian (left out with
    ``fcd=False``) is taken of "train" and of "test". Records that are not strictly valid are left out.
    """
    splits = smiles if isinstance(smiles, Mapping) else {"train": smiles}
    reference = build(splits, Path(out).name, source, fcd, workers)
    write(reference, out)
    return reference


def build(
    splits: Mapping[str, Sequence[str]],
    name: str,
    source: str = "",
    fcd: bool = True,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Reference:
    """The same in memory; ``progress`` is called with the number of molecules done since its last call."""
    judged = {split: from_smiles(texts, workers, f"{name}/{split}", progress) for split, texts in splits.items()}
    reference = summarize(judged["train"], name, source)
    if not fcd:
        return reference
    return replace(reference, gaussians={split: chemnet_gaussian(samples) for split, samples in judged.items()})


def chemnet_gaussian(samples: Samples) -> Gaussian:
    """ChemNet's Gaussian of the strictly valid samples, repeats counted."""
    return gaussian(activations([text for text in sorted(samples.valid) if len(text) <= LONGEST]))
