"""Stability over training: averaged weights of a run of molecules in 3D, sampled and judged by EDM's rule.

    python benchmarks/curve3d.py runs/qm9-3d/checkpoint --states runs/qm9-3d/state/step-* --out runs/curve [--count 512]
    [--before 0]

The checkpoint gives all but the weights (a run keeps its last two states; copy those that you want to see).
``--before``: structures seen before the run, where it went on from another. Writes curve.json and curve.png: molecules
and atoms stable, and validity, with 95 % intervals, against structures seen.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file

from symdiff.pipeline import SymdiffPipeline
from symdiff.sampling.request import Request
from symdiff_evaluation.core.estimate import Estimate, fraction
from symdiff_evaluation.molecules3d.bonds import apply_edm
from symdiff_evaluation.molecules3d.samples import PlacedAtoms


def judged(pipeline: SymdiffPipeline, count: int, steps: int, seed: int) -> dict[str, Estimate | float]:
    """EDM's numbers of ``count`` samples."""
    samples = pipeline.sample(Request(count, seed=seed), steps, precision="bf16")
    found = [
        apply_edm(PlacedAtoms(one.element, one.position))
        for state in samples.states
        for one in pipeline.domain.codec.geometries(state)
    ]
    return {
        "molecules": fraction(sum(one.stable == one.atoms for one in found), count),
        "atoms": sum(one.stable for one in found) / sum(one.atoms for one in found),
        "valid": fraction(sum(one.smiles is not None for one in found), count),
    }


def figure(points: list[dict], path: Path) -> None:
    from matplotlib.figure import Figure

    page = Figure(figsize=(5.6, 3.6), layout="constrained")
    axes = page.subplots()
    seen = [point["seen"] / 1e6 for point in points]
    for name, color in (("molecules", "#2563c9"), ("valid", "#d9663b")):
        low, value, high = ([point[name][k] for point in points] for k in ("low", "value", "high"))
        axes.fill_between(seen, low, high, color=color, alpha=0.15, lw=0)
        axes.plot(seen, value, "o-", ms=4, color=color, label={"molecules": "molecules stable", "valid": "valid"}[name])
    axes.plot(seen, [point["atoms"] for point in points], "o-", ms=4, color="#6b7684", label="atoms stable")
    axes.set(xlabel="million molecules seen in training", ylim=(0, 1), title="EDM's rule")
    axes.legend(frameon=False, loc="lower right")
    page.savefig(path, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("--states", type=Path, nargs="+", default=[])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=512)
    parser.add_argument("--steps", type=int, help="evaluations of the network (default: the recipe's)")
    parser.add_argument("--before", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    pipeline, points = SymdiffPipeline.load(arguments.checkpoint), []
    steps = {json.loads((folder / "state.json").read_text())["step"]: folder for folder in arguments.states}
    for step, folder in sorted(steps.items()):
        strange = pipeline.diffusion.load_state_dict(
            load_file(folder / "average.safetensors"), strict=False
        ).unexpected_keys
        assert not strange, f"{folder}: not of this network: {strange[:3]}"
        found = judged(pipeline, arguments.count, arguments.steps or pipeline.default_steps, arguments.seed)
        plain = {
            name: value if isinstance(value, float) else {"value": value.value, "low": value.low, "high": value.high}
            for name, value in found.items()
        }
        points.append({"step": step, "seen": arguments.before + step * pipeline.recipe.training.batch.size, **plain})
        print(json.dumps(points[-1]), flush=True)
        (arguments.out / "curve.json").write_text(json.dumps(points, indent=1) + "\n")
        figure(points, arguments.out / "curve.png")


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
