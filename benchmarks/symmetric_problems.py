"""Problems on graphs that were not trained on: how good draws are, and whether all optima are found.

    python benchmarks/symmetric_problems.py --out runs/problems [--problems max-cut ...]
        [--arms sympe none noise sympe-once none-once] [--steps 4000] [--draws 20] [--seed 0]

Trains the recipes max-cut, independent-set, triangular and removed-links with each way of breaking, goes on with runs
that were stopped, and draws labels for every test graph. With "once" labels are predicted in one step, from no noise:
without breaking that is an equivariant network. The table: share of draws that are optimal, how great it can be at most
for an equivariant network in one step, and the share within a tenth of the optimum (of the energy for triangular); the
share of draws that are feasible; the mean number of different optima among the draws of a graph, and how many there
could be; and the share of graphs whose optima are found equally often (chi-square of 20 to 64 draws, p > 0.01), of
those with at most 16 optima, and at least five optimal draws for each.
``OUT/results.json`` has all of it, ``OUT/PROBLEM.png`` pictures of the first test graphs.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import mean

import networkx as nx
import numpy as np
import torch
from scipy.stats import chisquare

from symdiff.config import recipe as recipes
from symdiff.data.registry import open_dataset
from symdiff.data.sets.symmetric_problems import PROBLEMS, find_optima, find_orbits
from symdiff.pipeline import Pipeline
from symdiff.sampling import Request
from symdiff.training.run import train

ONCE = ["process={kind: Masked, focus: 0}", "sampling/steps=1"]
ARMS = {
    "sympe": [],
    "none": ["breaker={kind: Nothing}"],
    "noise": ["breaker={kind: Noise, dim: 16}"],
    "sympe-once": ONCE,
    "none-once": ["breaker={kind: Nothing}", *ONCE],
}
MANY, ALL = 64, 2048
FEW = 16


def limit_equivariant(nodes: int, edges: np.ndarray, optima: np.ndarray, starts: int = 30) -> float:
    """The greatest share of optimal draws that an equivariant network can have in one step.

    Its labels are independent given the graph, and as probable for automorphic nodes. The probabilities of the orbits
    are found by expectation maximization from several starts.
    """
    orbit = np.unique(find_orbits(nodes, edges), return_inverse=True)[1]
    sizes = np.bincount(orbit)
    chosen, count = np.unique(optima @ np.eye(len(sizes), dtype=np.int64)[orbit], axis=0, return_counts=True)
    p = np.random.default_rng(0).uniform(0.05, 0.95, (starts, len(sizes)))
    for _ in range(500):
        weights = count * (p[:, None] ** chosen * (1 - p[:, None]) ** (sizes - chosen)).prod(-1)
        p = weights @ chosen / sizes / weights.sum(1, keepdims=True)
    return float((count * (p[:, None] ** chosen * (1 - p[:, None]) ** (sizes - chosen)).prod(-1)).sum(1).max())


def measure(name: str, checkpoint: Path, draws: int, seed: int) -> dict:
    """Draw labels for every test graph."""
    pipeline = Pipeline.load(str(checkpoint))
    test = open_dataset(name).split("test")
    x = test.batch(torch.arange(0, len(test), test.meta["draws"]))
    many = max(draws, min(MANY, ALL // len(x)))
    rows = torch.arange(len(x)).repeat_interleave(many)
    state = pipeline.sample(Request(len(rows), condition=x.only("edge").select(rows), seed=seed)).state()
    optimal, near, feasible, different, possible, even, limits = [], [], [], [], [], [], []
    for row, n in enumerate(x.num_nodes.tolist()):
        edges = torch.nonzero(x["edge"][row, :n, :n].triu(1)).numpy()
        best, optima = find_optima(name, n, edges)
        labels = state["node"][row * many : (row + 1) * many, :n].numpy().astype(np.uint8)
        values = PROBLEMS[name](labels, edges)
        codes = [one.tobytes() for one in labels]
        first = values[:draws]
        optimal += (first == best).tolist()
        near += (first >= 0.9 * best).tolist()
        feasible += (first >= 0).tolist()
        different.append(len({codes[k] for k in range(draws) if values[k] == best}))
        possible.append(min(len(optima), draws))
        limits.append(limit_equivariant(n, edges, optima))
        if len(optima) <= FEW and (values == best).sum() >= 5 * len(optima):
            counts = [sum(code == one.tobytes() for code in codes) for one in optima]
            even.append(float(chisquare(counts).pvalue) > 0.01)
    return {
        "graphs": len(x),
        "draws": many,
        "optimal": mean(optimal),
        "optimal_at_most_without_breaking": mean(limits),
        "within_a_tenth": mean(near),
        "feasible": mean(feasible),
        "different_optima": mean(different),
        "could_be": mean(possible),
        "found_equally": mean(even) if even else None,
        "graphs_counted": len(even),
    }


def draw(name: str, checkpoint: Path, out: Path, seed: int) -> None:
    """The first test graphs, each with four draws."""
    from matplotlib.figure import Figure

    test = open_dataset(name).split("test")
    x = test.batch(torch.arange(0, len(test), test.meta["draws"])[:6])
    rows = torch.arange(len(x)).repeat_interleave(4)
    condition = x.only("edge").select(rows)
    state = Pipeline.load(str(checkpoint)).sample(Request(len(rows), condition=condition, seed=seed)).state()
    figure = Figure(figsize=(9, 13), layout="constrained")
    for place, axes in enumerate(figure.subplots(len(x), 4).flat):
        n = int(state.num_nodes[place])
        graph = nx.from_numpy_array(state["edge"][place, :n, :n].numpy())
        positions = nx.kamada_kawai_layout(graph) if nx.is_connected(graph) else nx.circular_layout(graph)
        colors = ["#3f51b5" if label else "#ffb300" for label in state["node"][place, :n].tolist()]
        nx.draw_networkx(graph, positions, ax=axes, node_color=colors, node_size=60, with_labels=False, width=0.6)
        labels = state["node"][place : place + 1, :n].numpy().astype(np.uint8)
        edges = np.array(graph.edges).reshape(-1, 2)
        axes.set_title(f"{PROBLEMS[name](labels, edges)[0]} of {find_optima(name, n, edges)[0]}", fontsize=8)
        axes.axis("off")
    figure.savefig(out, dpi=80)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    results = []
    for name in chosen.problems:
        for arm in chosen.arms:
            recipe = recipes.load(name)
            for change in (f"training/steps={chosen.steps}", f"training/seed={chosen.seed}", *ARMS[arm]):
                recipe = recipes.set(recipe, change)
            folder = chosen.out / f"{name}-{arm}-{chosen.seed}"
            train(recipe, folder, resume=(folder / "recipe.yaml").is_file())
            result = {"problem": name, "arm": arm, "seed": chosen.seed, "steps": chosen.steps}
            results.append({**result, **measure(name, folder / "checkpoint", chosen.draws, chosen.seed)})
            print(json.dumps(results[-1]), flush=True)
            (chosen.out / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
            if arm == "sympe":
                draw(name, folder / "checkpoint", chosen.out / f"{name}.png", chosen.seed)


if __name__ == "__main__":
    main()
