"""Join two checkpoints of the same recipe, a network and a weaker one, into one that is guided by their difference.

    python benchmarks/autoguide.py STRONG WEAK --out CHECKPOINT [--strength 2] [--without-encoder]
    python benchmarks/autoguide.py STRONG WEAK --try 1 1.5 2 3 [--steps 10] [--count 2000] [--seed 1]

The second form samples with each strength and prints how good the samples are, to choose by.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection
from pathlib import Path

from symdiff.denoisers import Autoguided
from symdiff.denoisers.base import settings_of
from symdiff.pipeline import Pipeline
from symdiff.sampling import Request
from symdiff_evaluation import evaluate

METRICS = ["validity.strict", "uniqueness", "novelty", "vun", "symmetry.asymmetric_share", "distance.size"]


def join(strong: Pipeline, weak: Pipeline, strength: float, steps: int, spared: Collection[str] = ()) -> Pipeline:
    """The strong checkpoint with both networks in it; its recipe names both, and samples in so many steps."""
    joined = Autoguided.join(strong.denoiser, weak.denoiser, strength)
    parts = {name: getattr(strong, name) for name in strong.names if name not in spared}
    pipeline = Pipeline(strong.config["domain"], strong.config["size_histogram"], **{**parts, "denoiser": joined})
    assert strong.recipe is not None
    sampling = strong.recipe.sampling.model_copy(update={"steps": steps})
    pipeline.recipe = strong.recipe.model_copy(update={"denoiser": settings_of(joined), "sampling": sampling})
    return pipeline


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("strong")
    parser.add_argument("weak")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--strength", type=float, default=2.0)
    parser.add_argument("--try", dest="tried", type=float, nargs="+", default=[])
    parser.add_argument(
        "--without-encoder", action="store_true", help="of latents: leave out what sampling does not need"
    )
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--reference", default="qm9-train")
    chosen = parser.parse_args()
    strong, weak = Pipeline.load(chosen.strong), Pipeline.load(chosen.weak)
    for strength in chosen.tried:
        samples = join(strong, weak, strength, chosen.steps).sample(
            Request(chosen.count, seed=chosen.seed), chosen.steps
        )
        found = evaluate(samples.objects(), METRICS, chosen.reference)
        print(json.dumps({"strength": strength, **{name: round(found[name].value or 0, 4) for name in METRICS}}))
    if chosen.out is not None:
        spared = {"encoder"} if chosen.without_encoder else set()
        join(strong, weak, chosen.strength, chosen.steps, spared).save(chosen.out, half=True)


if __name__ == "__main__":
    main()
