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

    Records that are not strictly valid are left out.

    Parameters
    ----------
    smiles : sequence of str, or mapping of str to sequence of str
        A training set, or lists by split, one of them "train", whose hashes and histograms are taken.
    out : str or Path
        Path without ending; the last part is the name of the reference.
    source : str
        Where the data come from, for the report.
    fcd : bool
        Whether ChemNet's Gaussian is taken of every split; needs the package ``fcd``.
    workers : int
        Number of processes.
    moses : bool
        Whether what MOSES's numbers compare with is taken of "test" ("train" where there is no other), and the
        synthetic accessibility of "train".

    Returns
    -------
    Reference
        What was written.

    Raises
    ------
    UserError
        Where no molecule is strictly valid.
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
    """Derive a reference from SMILES in memory.

    Parameters
    ----------
    splits : mapping of str to sequence of str
        SMILES by split, one of them "train".
    name : str
        The name of the reference.
    source : str
        Where the data come from.
    fcd : bool
        Whether ChemNet's Gaussian is taken of every split.
    moses : bool
        Whether what MOSES's numbers compare with is taken.
    execution : Execution
        Processes, and progress in molecules.

    Returns
    -------
    Reference
        The statistics.

    Raises
    ------
    UserError
        Where no molecule is strictly valid.
    """
    workers, progress = execution.workers, execution.progress
    samples_of = {split: from_smiles(texts, workers, f"{name}/{split}", progress) for split, texts in splits.items()}
    reference = summarize(samples_of["train"], name, source)
    if moses:
        reference = add_moses(reference, samples_of)
    if not fcd:
        return reference
    return replace(reference, gaussians={split: fit_chemnet_gaussian(samples) for split, samples in samples_of.items()})


def add_moses(reference: Reference, samples_of: Mapping[str, MoleculeSamples]) -> Reference:
    """Add what MOSES's numbers compare with to a reference.

    Parameters
    ----------
    reference : Reference
        Its other statistics stay as they are.
    samples_of : mapping of str to MoleculeSamples
        Its splits, one of them "train".

    Returns
    -------
    Reference
        With ``moses`` and the quantiles of the synthetic accessibility.
    """
    train, split = samples_of["train"], "test" if "test" in samples_of else "train"
    extended = replace(reference, moses=summarize_for_moses(samples_of[split], split))
    scores = dict(zip(train.distinct, map_items(synthesis.accessibility, train.distinct, train.workers), strict=True))
    values = np.array([scores[text] for text in train.valid if scores[text] is not None])
    return replace(extended, quantiles={**reference.quantiles, ACCESSIBILITY: take_quantiles(values)})


def fit_chemnet_gaussian(samples: MoleculeSamples) -> FeatureGaussian:
    """Fit ChemNet's Gaussian to the strictly valid samples, repeats counted.

    Parameters
    ----------
    samples : MoleculeSamples
        The molecules; SMILES of more than 349 characters are left out.

    Returns
    -------
    FeatureGaussian
        Mean and covariance of the activations.
    """
    return fit_gaussian(compute_activations([text for text in sorted(samples.valid) if len(text) <= LONGEST]))
