"""Distances of distributions to the reference: labels by total variation, properties by Wasserstein."""

from __future__ import annotations

import numpy as np

from symdiff_evaluation.core.distances import total_variation, wasserstein
from symdiff_evaluation.core.estimate import Estimate
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules.reference import MEASURED, Reference
from symdiff_evaluation.molecules.samples import MoleculeSamples
from symdiff_evaluation.molecules.verdict import COUNTS, PROPERTIES


class Distances(Metric):
    """Of the strictly valid samples, repeats counted, to the reference's training set."""

    title = "Distributions against the reference"
    about = {
        "distance.size": "number of heavy atoms: total variation",
        "distance.atoms": "element and charge of heavy atoms: total variation",
        "distance.bonds": "bond orders between heavy atoms (aromatic its own): total variation",
        "distance.rings": "sizes of rings: total variation",
        "distance.logp": "Crippen logP: Wasserstein",
        "distance.qed": "QED: Wasserstein",
        "distance.weight": "molecular weight in dalton: Wasserstein",
    }
    compares = frozenset(about)
    needs = {name: frozenset({PROPERTIES if name.split(".")[1] in MEASURED else COUNTS}) for name in about}

    def __call__(self, samples: MoleculeSamples, reference: Reference | None) -> dict[str, Estimate]:
        if reference is None:
            return {}
        traits = samples.traits
        rows = {
            "size": [{str(t.size): 1} for t in traits],
            "atoms": [t.atoms for t in traits],
            "bonds": [t.bonds for t in traits],
            "rings": [t.rings for t in traits],
        }
        estimates = (
            {f"distance.{name}": total_variation(part, reference.counts[name]) for name, part in rows.items()}
            if COUNTS in samples.aspects
            else {}
        )
        for name in MEASURED if PROPERTIES in samples.aspects else ():
            values = np.array([getattr(t, name) for t in traits])
            estimates[f"distance.{name}"] = wasserstein(values, reference.quantiles[name])
        return estimates
