"""Symmetry breaking and the generation of molecules in 3D: none, of the atoms, of the frame, of both, on one budget.

    python benchmarks/evidence3d.py --out runs/evidence3d [--seeds 3] [--steps 1000] [--only both] [--minutes 60] [--set
    KEY=VALUE]

The recipe ``qm9-3d``, smaller, with one network for all: a plain transformer that sees coordinates along a frame in z,
and the names of atoms where z has them. Only what z knows of the structure differs:

- nothing: the frame is drawn at random, unrelated to the structure, which is training on randomly turned molecules;
  atoms have no names, so the network is equivariant under their permutations. The law of samples is invariant all the
  same.
- atoms: names from the inversion kernel (SymPE on S_n); the frame is random.
- frame: the frame from the inversion kernel (SymPE on O(3)); no names.
- both: SymPE on S_n x O(3), as in the recipe.

An equivariant network in place of the random frame would cost ten times as much a step: on one budget of time it is
behind, on one of steps the comparison would be of networks. Every run is kept: what is complete is not done again, what
was stopped goes on. Writes ``results.json``, ``table.md`` and ``figure.png`` after every run.

Measured: molecules stable and valid by EDM's rule (bonds by distance) with 25, 50 and 100 evaluations; right hands
among samples, by a pseudoscalar, with the p-value that both are as likely; and the bound on −log p of test molecules in
nats, of atoms with numbers (that of names is log n! less, which is added). A frame from the kernel fixes three
directions, so the bound given it is of another density: compare nothing with atoms, and frame with both.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from pathlib import Path

import torch
from matplotlib.figure import Figure

from symdiff.canonical.base import Canonicalizer
from symdiff.config import recipe as recipes
from symdiff.config.recipe import Recipe
from symdiff.data.dataset import Dataset
from symdiff.data.registry import open_dataset
from symdiff.groups.base import Element
from symdiff.groups.orthogonal import Orthogonal
from symdiff.groups.permutations import Symmetric
from symdiff.groups.product import DirectProduct
from symdiff.pipeline import SymdiffPipeline
from symdiff.random import Generator, Streams
from symdiff.sampling.likelihood import nll
from symdiff.sampling.request import Request
from symdiff.state import State
from symdiff.training.run import train
from symdiff_evaluation.core.estimate import fraction
from symdiff_evaluation.molecules3d.bonds import apply_edm
from symdiff_evaluation.molecules3d.mirror import binomial_balance, find_hand
from symdiff_evaluation.molecules3d.samples import PlacedAtoms

EVALUATIONS, MOLECULES = (25, 50, 100), 64
SMALLER = (
    "denoiser/denoiser/width=128",
    "denoiser/denoiser/layers=4",
    "process/parts=[{fields: [atom, bond], process: {kind: Flow, prior: marginal, stochasticity: 30.0}}, {fields: "
    "[position], process: {kind: Gaussian,"
    " schedule: {kind: FlowMatchEulerDiscrete, eta: 2.5}, centered: [position], weighting: edm}}]",
    "training/batch/size=128",
    "training/sample/every=0",
    "training/log/every=50",
    "training/optimizer/warmup=50",
)


class AnyFrame(Canonicalizer):
    """A frame of O(3) drawn at random, unrelated to the structure; with ``names``, the atoms as they are stored."""

    def __init__(self, names: bool = False) -> None:
        self.names, self._space = names, Orthogonal(3)
        self.group = DirectProduct([Symmetric(), self._space]) if names else self._space

    def element(self, x: State) -> Element:
        return self.group.identity(x.mask)

    def sample(self, x: State, generator: Generator | None = None) -> Element:
        turn = self._space.sample(x.mask, generator)
        return (Symmetric().identity(x.mask), turn) if self.names else turn


NAMES = {"kind": "FrameCode", "nodes": 29, "dim": 32}
ARMS = {
    "nothing": {"canonicalizer": {"kind": "AnyFrame"}, "code": {"kind": "FrameCode"}},
    "atoms": {"canonicalizer": {"kind": "AnyFrame", "names": True}, "code": NAMES},
    "frame": {"canonicalizer": {"kind": "Frames", "nodes": "unnamed"}, "code": {"kind": "FrameCode"}},
    "both": {"canonicalizer": {"kind": "Frames", "nodes": "stored"}, "code": NAMES},
}


def adapted(recipe: Recipe, arm: str, seed: int) -> Recipe:
    for assignment in (
        f"breaker={json.dumps({'kind': 'SymPE', 'anchor': 'data', **ARMS[arm]})}",
        f"training/seed={seed}",
    ):
        recipe = recipes.set(recipe, assignment)
    return recipe


def judged(pipeline: SymdiffPipeline, steps: int, count: int, seed: int) -> dict:
    """EDM's rule and the hands of ``count`` samples."""
    start = time.perf_counter()
    samples = pipeline.sample(Request(count, seed=seed), steps, precision="bf16")
    rate = count / (time.perf_counter() - start)
    shapes = [
        PlacedAtoms(one.element, one.position)
        for state in samples.states
        for one in pipeline.domain.codec.geometries(state)
    ]
    found, signs = [apply_edm(shape) for shape in shapes], [find_hand(shape) for shape in shapes]
    right, left = signs.count(1), signs.count(-1)
    return {
        "stable": fraction(sum(one.stable == one.atoms for one in found), count).value,
        "atoms": sum(one.stable for one in found) / sum(one.atoms for one in found),
        "valid": fraction(sum(one.smiles is not None for one in found), count).value,
        "right": right / max(1, right + left),
        "even": binomial_balance(right, left).value,
        "per_second": rate,
    }


def bound(pipeline: SymdiffPipeline, test: Dataset, count: int, seed: int) -> float:
    """The mean bound on −log p of a molecule whose atoms are numbered, in nats, by all of 200 steps.

    A few drawn ones scatter by more.
    """
    named, total = "rank" in pipeline.breaker.schema, 0.0
    for rows in torch.arange(count).split(64):
        x = test.batch(rows)
        unlabelled = nll(pipeline.diffusion.eval(), x, 200, Streams(seed, rows)).double()
        total += float((unlabelled + (torch.lgamma(x.num_nodes.double() + 1) if named else 0.0)).sum())
    return total / count


def run(arm: str, seed: int, recipe: Recipe, out: Path, count: int) -> dict:
    """Train and measure; what is there is not done again."""
    folder, recipe = out / arm / str(seed), adapted(recipe, arm, seed)
    if (folder / "result.json").is_file():
        return json.loads((folder / "result.json").read_text())
    if not (folder / "checkpoint").is_dir():
        train(recipe, folder, resume=(folder / "recipe.yaml").is_file())
    pipeline = SymdiffPipeline.load(folder / "checkpoint")
    summary = json.loads((folder / "summary.json").read_text())
    result = {
        "arm": arm,
        "seed": seed,
        "steps": summary["steps"],
        "seconds": summary["wall_seconds"],
        "parameters": sum(p.numel() for p in pipeline.diffusion.parameters()),
        "nll": bound(pipeline, open_dataset(recipe.data.dataset).split("test"), min(count, MOLECULES), seed),
        "samples": {str(steps): judged(pipeline, steps, count, seed) for steps in EVALUATIONS},
    }
    (folder / "result.json").write_text(json.dumps(result, indent=1))
    return result


def told(values: list[float], places: int) -> str:
    """Mean, and standard deviation over seeds."""
    text = f"{statistics.mean(values):.{places}f}"
    return text if len(values) == 1 else f"{text} ± {statistics.stdev(values):.{places}f}"


def table(results: list[dict], count: int) -> str:
    columns = [f"stable, {steps} evaluations, %" for steps in EVALUATIONS] + [
        f"valid, {EVALUATIONS[-1]}, %",
        "atoms stable, %",
        "right hands, % (p)",
        "NLL bound, nats",
        "parameters",
        "seeds",
    ]
    first = results[0]
    lines = [
        f"{first['steps']} training steps; {count} samples a run.",
        "",
        f"| z knows | {' | '.join(columns)} |",
        "| --- " * (len(columns) + 1) + "|",
    ]
    for arm in ARMS:
        mine = [one for one in results if one["arm"] == arm]
        if not mine:
            continue
        last = [one["samples"][str(EVALUATIONS[-1])] for one in mine]
        cells = [told([100 * one["samples"][str(steps)]["stable"] for one in mine], 1) for steps in EVALUATIONS]
        cells += [told([100 * one["valid"] for one in last], 1), told([100 * one["atoms"] for one in last], 1)]
        odds = ", ".join("none" if one["even"] is None else f"{one['even']:.2f}" for one in last)
        cells += [f"{told([100 * one['right'] for one in last], 1)} ({odds})"]
        cells += [told([one["nll"] for one in mine], 1), f"{mine[0]['parameters']:,}", str(len(mine))]
        lines.append(f"| {arm} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def figure(results: list[dict], path: Path) -> None:
    page = Figure(figsize=(5.6, 3.6), layout="constrained")
    axes = page.subplots()
    for arm, color in zip(ARMS, ("#6b7684", "#d69a2d", "#d6456b", "#2563c9"), strict=True):
        mine = [one for one in results if one["arm"] == arm]
        for one in mine:
            axes.plot(
                EVALUATIONS, [one["samples"][str(steps)]["stable"] for steps in EVALUATIONS], ".", ms=5, color=color
            )
        if mine:
            means = [statistics.mean(one["samples"][str(steps)]["stable"] for one in mine) for steps in EVALUATIONS]
            axes.plot(EVALUATIONS, means, "-", color=color, label=arm)
    axes.set(
        xlabel="evaluations of the network",
        xticks=EVALUATIONS,
        ylabel="molecules stable, EDM's rule",
        ylim=(0, None),
        title="What z knows of the molecule",
    )
    axes.legend(frameon=False)
    page.savefig(path, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1000, help="training steps of every run")
    parser.add_argument("--count", type=int, default=512, help="samples of every run and number of evaluations")
    parser.add_argument("--only", nargs="+", choices=list(ARMS), default=list(ARMS))
    parser.add_argument("--minutes", type=float, default=math.inf, help="no run is begun after that time")
    parser.add_argument(
        "--set", action="append", default=[], metavar="path/to/key=value", help="change a key of the recipe, for all"
    )
    chosen = parser.parse_args()
    recipe, begun, results = recipes.load("qm9-3d"), time.monotonic(), []
    for assignment in (
        *SMALLER,
        f"training/steps={chosen.steps}",
        f"training/save/every={max(1, chosen.steps // 5)}",
        *chosen.set,
    ):
        recipe = recipes.set(recipe, assignment)
    for seed in range(chosen.seeds):
        for arm in chosen.only:
            done = (chosen.out / arm / str(seed) / "result.json").is_file()
            if not done and time.monotonic() - begun > 60 * chosen.minutes:
                continue
            results.append(run(arm, seed, recipe, chosen.out, chosen.count))
            (chosen.out / "results.json").write_text(json.dumps(results, indent=1))
            (chosen.out / "table.md").write_text(table(results, chosen.count))
            figure(results, chosen.out / "figure.png")
    if results:
        print(table(results, chosen.count))


if __name__ == "__main__":
    main()
