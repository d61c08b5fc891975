"""Reference statistics from SMILES: run once for a data set, shipped for everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from symdiff_evaluation.core.execution import ALONE, Execution
from symdiff_evaluation.core.parallel import map_items
from symdiff_evaluation.molecules import synthesis
from symdiff_evaluation.molecules.chemnet import LONGEST, FeatureGaussian, compute_activations, fit_gaussian
from symdiff_evaluation.molecules.moses_statistics import summarize_for_moses
from symdiff_evaluation.molecules.reference import ACCESSIBILITY, Reference, summarize, take_quantiles, write
from symdiff_evaluation.molecules.samples import MoleculeSamples, from_smiles


def build_reference(
    smiles: Sequence[str] | Mapping[str, Sequence[str]],
    out: str | Path,
    source: str = "",
    fcd: bool = True,
    workers: int = 1,
    moses: bool = False,
) -> Reference:
    """Derive a reference from SMILES and write ``OUT.safetensors`` and ``OUT.json``.

    ``smiles``: a list, or lists by split; hashes and histograms are those of "train", ChemNet's Gaussian (left out with
    ``fcd=False``) is taken of "train" and of "test"; with ``moses``, what MOSES's numbers need is taken of "test"
    ("train" where there is no other), the synthetic accessibility of "train". Records that are not strictly valid are
    left out.
    """
    splits = smiles if isinstance(smiles, Mapping) else {"train": smiles}
    reference = build(splits, Path(out).name, source, fcd, moses, Execution(workers))
    write(reference, out)
    return reference


def build(
    splits: Mapping[str, Sequence[str]],
    name: str,
    source: str = "",
    fcd: bool = True,
    moses: bool = False,
    execution: Execution = ALONE,
) -> Reference:
    """The same in memory; ``execution``: processes, and progress in molecules."""
    workers, progress = execution.workers, execution.progress
    samples_of = {split: from_smiles(texts, workers, f"{name}/{split}", progress) for split, texts in splits.items()}
    reference = summarize(samples_of["train"], name, source)
    if moses:
        reference = add_moses(reference, samples_of)
    if not fcd:
        return reference
    return replace(reference, gaussians={split: fit_chemnet_gaussian(samples) for split, samples in samples_of.items()})


def add_moses(reference: Reference, samples_of: Mapping[str, MoleculeSamples]) -> Reference:
    """The reference with what MOSES's numbers need; its other statistics as they are.

    ``samples_of``: its splits, one of them "train".
    """
    train, split = samples_of["train"], "test" if "test" in samples_of else "train"
    extended = replace(reference, moses=summarize_for_moses(samples_of[split], split))
    scores = dict(zip(train.distinct, map_items(synthesis.accessibility, train.distinct, train.workers), strict=True))
    values = np.array([scores[text] for text in train.valid if scores[text] is not None])
    return replace(extended, quantiles={**reference.quantiles, ACCESSIBILITY: take_quantiles(values)})


def fit_chemnet_gaussian(samples: MoleculeSamples) -> FeatureGaussian:
    """ChemNet's Gaussian of the strictly valid samples, repeats counted."""
    return fit_gaussian(compute_activations([text for text in sorted(samples.valid) if len(text) <= LONGEST]))
