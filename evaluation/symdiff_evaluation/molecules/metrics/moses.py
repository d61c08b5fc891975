"""The numbers of MOSES, and the synthetic accessibility score."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from symdiff_evaluation.core.distances import wasserstein
from symdiff_evaluation.core.estimate import Estimate, fraction, mean, nothing
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules.moses_statistics import count_fragments, count_scaffolds, pack
from symdiff_evaluation.molecules.reference import ACCESSIBILITY, Reference
from symdiff_evaluation.molecules.samples import MoleculeSamples
from symdiff_evaluation.molecules.similarity import cosine, internal_diversity, nearest_similarity

MOST = 30_000  # samples among which all pairs are compared: the number that MOSES publishes with


class Moses(Metric):
    """The numbers of MOSES: of the strictly valid samples, repeats counted, against the reference's test molecules.

    References
    ----------
    Polykovskiy et al., Molecular Sets (MOSES): A Benchmarking Platform for Molecular Generation Models, Front.
    Pharmacol. 11 (2020).
    """

    title = "MOSES"
    about = {
        "moses.fragments": "BRICS fragments: cosine of their counts and those of the reference's test molecules",
        "moses.scaffolds": "Bemis-Murcko scaffolds of two rings or more: the same cosine",
        "moses.snn": "mean Tanimoto similarity to the nearest test molecule (Morgan, radius 2, 1,024 bits)",
        "moses.internal_diversity": "1 - mean Tanimoto similarity of all pairs of samples",
        "moses.internal_diversity_2": "1 - root of the mean squared similarity of all pairs, as the paper says",
        "moses.internal_diversity_2.as_published": (
            "1 - mean of each sample's root mean squared similarity, as MOSES's program computes it"
        ),
        "moses.filters": (
            "no charge, elements CNSOFClBrH, rings of up to seven atoms, no PAINS or MCF pattern; needs MOSES's list "
            "of the latter"
        ),
        "moses.filters.without_mcf": "the same without that list: an upper bound",
        "sa": "mean synthetic accessibility score, 1 (easy) to 10 (hard)",
        "distance.sa": "synthetic accessibility score: Wasserstein to the training set",
    }
    compares = frozenset({"moses.fragments", "moses.scaffolds", "moses.snn", "distance.sa"})

    def __call__(self, samples: MoleculeSamples, reference: Reference | None) -> dict[str, Estimate]:
        texts = sorted(text for text in samples.valid if text in samples.features)
        known = [samples.features[text] for text in texts]
        undecided = len(samples.valid) - len(known)
        prints = pack(known)
        paper, program = internal_diversity(prints[:: max(math.ceil(len(prints) / MOST), 1)])
        scores = np.array([one.accessibility for one in known if one.accessibility is not None])
        estimates = {
            "moses.internal_diversity": paper[1],
            "moses.internal_diversity_2": paper[2],
            "moses.internal_diversity_2.as_published": program[2],
            "moses.filters": fraction(sum(one.rules and one.pains and bool(one.mcf) for one in known), len(known))
            if samples.filters
            else nothing(),
            "moses.filters.without_mcf": fraction(sum(one.rules and one.pains for one in known), len(known)),
            "sa": mean(math.fsum(scores), math.fsum(scores * scores), len(scores)),
        }
        if reference is not None:
            other = reference.moses
            distribution = reference.quantiles.get(ACCESSIBILITY)
            estimates |= {
                "moses.fragments": cosine([count_fragments(one) for one in known], other.fragments)
                if other
                else nothing(),
                "moses.scaffolds": cosine([count_scaffolds(one) for one in known], other.scaffolds)
                if other
                else nothing(),
                "moses.snn": nearest_similarity(prints, other.fingerprints) if other else nothing(),
                "distance.sa": nothing() if distribution is None else wasserstein(scores, distribution),
            }
        return {
            name: replace(one, undecided=undecided + _without(name, one, len(known), len(scores)))
            for name, one in estimates.items()
        }


def _without(name: str, one: Estimate, known: int, scored: int) -> int:
    """How many of the ``known`` a number leaves out.

    Those without a score, all where the reference has nothing to compare with.
    """
    if one.value is None:
        return known
    return known - scored if name in ("sa", "distance.sa") else 0
