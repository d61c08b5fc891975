"""One recipe, equal budgets, several ways to do one thing, several seeds.

    python benchmarks/compare.py breaking --out runs/breaking
    python benchmarks/compare.py orders --seeds 1 --out runs/orders

``breaking``: no symmetry breaking, noise, SymPE without an anchor, SymPE anchored in the data. ``orders``: the
representative that the canonicalization picks. Trains ``recipes/graph/qm9-breaking.yaml`` with every variant and seed
(runs that are complete are kept), samples, and writes ``results.json``, ``table.md`` and ``figure.png``. NLL: the bound
of the unlabelled structure, in nats, on test molecules, by a chain of 50 steps; validity: strict, with the recipe's
steps and with 10. Behind each mean stand the smallest and the largest of the seeds.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from symdiff.config import recipe as recipes
from symdiff.data.registry import open_dataset
from symdiff.pipeline import SymdiffPipeline
from symdiff.random import Streams
from symdiff.sampling.likelihood import bounds
from symdiff.sampling.request import Request
from symdiff.training.run import train

FEW = 10
"""Network evaluations of the second validity; the first takes the recipe's."""
CHAIN = 50
"""Steps of the chain that bounds the NLL."""
CODE = {"kind": "NodeCode", "nodes": 9, "dim": 16}
SYMPE = {"kind": "SymPE", "canonicalizer": {"kind": "Stored"}, "code": CODE}
COMPARISONS = {
    "breaking": {
        "no breaking": ("breaker", {"kind": "Nothing"}),
        "noise": ("breaker", {"kind": "Noise", "dim": 16}),
        "SymPE, no anchor": ("breaker", {**SYMPE, "anchor": "none"}),
        "SymPE, anchored in the data": ("breaker", {**SYMPE, "anchor": "data"}),
    },
    "orders": {
        "depth-first order of the canonical SMILES": ("data/order", "smiles"),
        "depth-first from the first canonical node": ("data/order", "depth"),
        "breadth-first from the first canonical node": ("data/order", "breadth"),
        "canonical rank": ("data/order", "rank"),
    },
}


def run(name: str, change: tuple, seed: int, out: Path, recipe: recipes.Recipe, molecules: int) -> dict:
    """Train, sample and bound one variant with one seed; what is there already is not done again."""
    folder = out / f"{name.replace(', ', '-').replace(' ', '-')}-{seed}"
    record = folder / "result.json"
    if record.is_file():
        return json.loads(record.read_text())
    key, value = change
    recipe = recipes.set(recipes.set(recipe, f"{key}={json.dumps(value)}"), f"training/seed={seed}")
    if not (folder / "checkpoint").is_dir():
        train(recipe, folder, resume=(folder / "recipe.yaml").is_file())
    pipeline = SymdiffPipeline.load(folder / "checkpoint")
    few, _ = sample(pipeline, molecules, FEW, seed)
    many, distinct = sample(pipeline, molecules, pipeline.default_steps, seed)
    test = open_dataset(recipe.data.dataset, recipe.data.order).split("test")
    chosen = torch.randperm(len(test), generator=torch.Generator().manual_seed(0))[:molecules]
    total = []
    for part in chosen.split(250):
        found = bounds(
            pipeline.diffusion,
            test.batch(part),
            CHAIN,
            Streams(seed, part),
            size_histogram=pipeline.config.size_histogram,
        )
        total.append(found.unlabelled)
    result = {
        "variant": name,
        "seed": seed,
        "samples": recipe.training.steps * recipe.training.batch.size,
        "validity": many,
        "validity, few steps": few,
        "uniqueness": distinct,
        "nll": float(torch.cat(total).mean()),
    }
    record.write_text(json.dumps(result, indent=1))
    return result


def sample(pipeline: SymdiffPipeline, count: int, steps: int, seed: int) -> tuple[float, float]:
    """Strict validity of ``count`` samples, and the distinct share of the valid."""
    verdicts = pipeline.domain.codec.inspect(
        pipeline.sample(Request(count, seed=seed), steps, precision="bf16").state()
    )
    valid = [smiles for smiles, reason in verdicts if reason is None and "." not in smiles]
    return len(valid) / len(verdicts), len(set(valid)) / max(1, len(valid))


def table(comparison: str, results: list[dict]) -> str:
    """Mean over the seeds, and the range, as a Markdown table."""
    lines = [
        f"| {comparison} | NLL, unlabelled bound (nats) | strict validity | with {FEW} steps | uniqueness |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name in COMPARISONS[comparison]:
        cells = []
        for key, digits in (("nll", 2), ("validity", 3), ("validity, few steps", 3), ("uniqueness", 3)):
            values = [r[key] for r in results if r["variant"] == name]
            mean = sum(values) / len(values)
            spread = f" ({min(values):.{digits}f} to {max(values):.{digits}f})" if len(values) > 1 else ""
            cells.append(f"{mean:.{digits}f}{spread}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def figure(comparison: str, results: list[dict], path: Path) -> None:
    """Both numbers of every run, one row a variant."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    panels, (left, middle, right) = pyplot.subplots(1, 3, figsize=(11, 2.6), sharey=True, constrained_layout=True)
    variants = list(COMPARISONS[comparison])
    for row, name in enumerate(variants):
        color = (
            "#c1440e"
            if name in ("SymPE, anchored in the data", "depth-first order of the canonical SMILES")
            else "#5b6770"
        )
        for axes, key in ((left, "nll"), (middle, "validity"), (right, "validity, few steps")):
            values = [r[key] for r in results if r["variant"] == name]
            axes.plot(values, [row] * len(values), "o", color=color, alpha=0.8)
            axes.plot([sum(values) / len(values)] * 2, [row - 0.25, row + 0.25], color=color)
    left.set(yticks=range(len(variants)), yticklabels=variants, xlabel="NLL, unlabelled bound (nats); left is better")
    middle.set(xlabel="strict validity; right is better")
    right.set(xlabel=f"strict validity with {FEW} steps")
    left.invert_yaxis()
    for axes in (left, middle, right):
        axes.grid(axis="x", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    panels.savefig(path, dpi=160)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("comparison", choices=list(COMPARISONS))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--molecules", type=int, default=1000, help="samples, and test molecules for the NLL")
    parser.add_argument("--set", action="append", default=[], metavar="path/to/key=value")
    chosen = parser.parse_args()
    recipe = recipes.load("qm9-breaking")
    for assignment in chosen.set:
        recipe = recipes.set(recipe, assignment)
    variants = COMPARISONS[chosen.comparison].items()
    results = [
        run(name, change, seed, chosen.out, recipe, chosen.molecules)
        for seed in range(chosen.seeds)
        for name, change in variants
    ]
    (chosen.out / "results.json").write_text(json.dumps(results, indent=1))
    (chosen.out / "table.md").write_text(table(chosen.comparison, results))
    figure(chosen.comparison, results, chosen.out / "figure.png")
    print(table(chosen.comparison, results))


if __name__ == "__main__":
    main()
