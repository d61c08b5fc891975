"""Graph autoencoders that break symmetry in different ways, on equal budgets.

    python benchmarks/graph_autoencoders.py --out runs/graph-autoencoders [--arms sympe-4 ...] [--datasets erdos-renyi]
        [--steps 1500] [--seeds 3] [--batch 64]

Trains the recipe graph-autoencoder with each arm's changes, goes on with runs that were stopped, and prints a table of
the test split: binary cross-entropy (nats a graph), share of wrong pairs, F1 of edges, and the share of graphs that
come back exactly, also by the order of their automorphism group. ``OUT/results.json`` has every run.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import mean

import torch
from torch.nn import functional

from symdiff.autoencoders.autoencoder import Autoencoder, likeliest
from symdiff.canonical import Nodes
from symdiff.config import recipe as recipes
from symdiff.data.dataset import Dataset
from symdiff.data.registry import open_dataset
from symdiff.pipeline import Pipeline
from symdiff.random import Streams
from symdiff.state import support
from symdiff.training.run import train

MLP = "{kind: EquivariantMLP, width: 128, pair_width: 32, layers: 3}"
ARMS = {
    "none-8": ["breaker={kind: Nothing}", "encoder/dim=8"],
    "noise-8": ["breaker={kind: Noise, dim: 24}", "encoder/dim=8"],
    "laplacian-8": ["breaker={kind: Laplacian, dim: 16}", "encoder/dim=8"],
    "unanchored-8": ["breaker/anchor=none", "encoder/dim=8"],
    "sympe-8": ["encoder/dim=8"],
    "sympe-4": [],
    "sympe-graph-128": ["encoder/per=structure", "encoder/dim=128"],
    "relaxed-graph-128": ["encoder/per=structure", "encoder/dim=128", f"decoder/network={MLP}"],
    "none-graph-128": ["breaker={kind: Nothing}", "encoder/per=structure", "encoder/dim=128"],
}
"""What each changes in the recipe. The number is that of a latent, of a node or of the graph."""
DATASETS = ("community-graphs", "erdos-renyi", "symmetric-graphs")
ORDERS = (1, 2, 4, 16)
"""Lower ends of the classes of automorphism group orders."""


@torch.no_grad()
def measure(model: Autoencoder, test: Dataset) -> dict:
    """How well the graphs of a split come back."""
    rows = torch.arange(len(test))
    entropy, exact, orders, wrong, pairs = [], [], [], 0, 0
    hits = predicted = edges = 0
    for part in rows.split(64):
        x, streams = test.batch(part), Streams(0, part)
        z = model.draw(x, streams)
        latent = model.encoder(x, z)
        out = model.predict(latent, z)
        there, truth = support(x.schema["edge"], x.mask), x["edge"]
        surprise = functional.cross_entropy(out["edge"].flatten(0, -2).float(), truth.flatten(), reduction="none")
        entropy += torch.where(there, surprise.view(truth.shape), 0.0).sum((1, 2)).tolist()
        guess = likeliest(out)["edge"]
        errors = ((guess != truth) & there).sum((1, 2))
        wrong, pairs = wrong + int(errors.sum()), pairs + int(there.sum())
        hits += int(((guess == 1) & (truth == 1) & there).sum())
        predicted, edges = predicted + int(((guess == 1) & there).sum()), edges + int(((truth == 1) & there).sum())
        sized = errors == 0
        if model.per_structure:
            sized &= model.decoder.sizes(latent).argmax(-1) == x.num_nodes
        exact += sized.tolist()
        orders += Nodes().automorphisms(x).tolist()
    classes = {}
    for low, high in zip(ORDERS, (*ORDERS[1:], float("inf")), strict=True):
        chosen = [ok for ok, order in zip(exact, orders, strict=True) if low <= order < high]
        classes[str(low)] = [sum(chosen), len(chosen)]
    return {
        "entropy": mean(entropy),
        "wrong": wrong / pairs,
        "f1": 2 * hits / max(1, predicted + edges),
        "exact": mean(exact),
        "by_order": classes,
    }


def run(arm: str, dataset: str, seed: int, chosen: argparse.Namespace) -> dict:
    """Train one arm, or go on where it stopped, and measure it."""
    recipe = recipes.load("graph-autoencoder")
    steps = chosen.steps
    changes = [
        *(f"data/dataset={dataset}", f"training/steps={steps}", f"training/seed={seed}"),
        *(f"training/batch/size={chosen.batch}", f"training/sample/every={steps}", *ARMS[arm]),
    ]
    for change in changes:
        recipe = recipes.set(recipe, change)
    folder = chosen.out / f"{dataset}-{arm}-{seed}"
    train(recipe, folder, resume=(folder / "recipe.yaml").is_file())
    structures = open_dataset(dataset, recipe.data.order)
    model = Pipeline.load(str(folder / "checkpoint")).autoencoder.eval()
    result = {
        name: measure(model, structures.split(name)) for name in ("test", "train")[: 1 + (len(structures) < 1000)]
    }
    return {"arm": arm, "dataset": dataset, "seed": seed, "steps": steps, **result}


def show(results: list[dict]) -> None:
    """Print the table, means over seeds."""
    print("| data | arm | seeds | cross-entropy | wrong pairs | F1 | exact |", *(f"order >= {k} |" for k in ORDERS))
    for dataset in DATASETS:
        for arm in ARMS:
            done = [one["test"] for one in results if (one["arm"], one["dataset"]) == (arm, dataset)]
            if not done:
                continue
            values = {key: mean(one[key] for one in done) for key in ("entropy", "wrong", "f1", "exact")}
            sums = {k: [sum(one["by_order"][str(k)][i] for one in done) for i in (0, 1)] for k in ORDERS}
            classes = (f"{ok / total:.1%} of {total} |" if total else "- |" for ok, total in sums.values())
            print(
                f"| {dataset} | {arm} | {len(done)} | {values['entropy']:.3f} | {values['wrong']:.3%} | "
                f"{values['f1']:.4f} | {values['exact']:.1%} |",
                *classes,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=list(DATASETS))
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=64)
    chosen = parser.parse_args()
    path, results = chosen.out / "results.json", []
    for seed in range(chosen.seeds):
        for dataset in chosen.datasets:
            for arm in chosen.arms:
                results.append(run(arm, dataset, seed, chosen))
                path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
                print(json.dumps(results[-1]), flush=True)
    show(results)


if __name__ == "__main__":
    main()
