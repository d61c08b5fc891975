"""One network for nine tasks with four groups, against separate networks, one without symmetry, and one without colors.

    python benchmarks/any_subgroup.py --out runs/any-subgroup [--arms shared separate plain uncolored] [--tasks ...]
        [--data 0.1 0.4 1.0] [--seeds 5] [--epochs 40] [--base NodeTransformer]

Every task has 2,500 sequences of 10 tokens, 70 % of them to train at --data 1, 15 % to validate, 15 % to test. All arms
see the same sequences of a task equally often, in batches of 64, with one learning rate schedule. A network is a body
that all tasks share, and for every task an embedding of its tokens and one of the orbits of its pairs:

  shared     one body for all tasks, each with the colors of its own group
  separate   a body for every task, with the colors of its group
  plain      one body for all tasks; every ordered pair has a color of its own, so nothing is symmetric
  uncolored  one body for all tasks, all pairs alike, so that everything is symmetric

Prints test cross-entropy and accuracy a token, means over seeds with their standard errors; draws OUT/curves.png; goes
on where it was stopped (OUT/results.json).
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from symdiff.breaking import Orbits
from symdiff.config.building import build
from symdiff.data.sets.sequences import LENGTH, TASKS, draw_sequences
from symdiff.denoisers import Denoiser
from symdiff.state import Categorical, Real, State, schema_to_plain

TOKEN, COLOR, BATCH = 32, 16, 64
RATE = 2e-3
COUNT, TRAIN, VALID = 2500, 1750, 375
BASES = {
    "NodeTransformer": {"width": 64, "layers": 3, "heads": 4, "widening": 2, "readout": 8},
    "GATv2": {"width": 64, "layers": 4, "heads": 4, "readout": 8},
    "OrbitMLP": {"width": 64, "layers": 4, "readout": 8},
}
GROUPS = {"plain": f"identity {LENGTH}", "uncolored": f"symmetric {LENGTH}"}


class Network(nn.Module):
    """A shared body; for every task an embedding of its tokens, and the colors of its group."""

    def __init__(self, names: list[str], base: str, group: str | None) -> None:
        super().__init__()
        self.tokens = nn.ModuleDict({name: nn.Embedding(TASKS[name].tokens, TOKEN) for name in names})
        self.colors = nn.ModuleDict({name: Orbits(group or TASKS[name].group, COLOR) for name in names})
        self.seen = {"token": Real("node", TOKEN)}
        self.body = build(
            Denoiser,
            {"kind": base, **BASES[base]},
            schema=schema_to_plain({"label": Categorical("node", 2)}),
            noisy=schema_to_plain(self.seen),
            code=schema_to_plain({"orbit": Real("pair", COLOR)}),
        )

    def forward(self, name: str, x: Tensor) -> Tensor:
        """Logits (B, N, 2) of tokens (B, N)."""
        mask = torch.ones(x.shape, dtype=torch.bool)
        state = State(mask, self.seen, {"token": self.tokens[name](x)})
        return self.body(state, torch.zeros(len(x)), self.colors[name].prior(mask))["label"]


def load(name: str, seed: int) -> dict[str, tuple[Tensor, Tensor]]:
    """The splits of a task."""
    x, y = (torch.from_numpy(part).long() for part in draw_sequences(name, COUNT, seed))
    return {
        "train": (x[:TRAIN], y[:TRAIN]),
        "valid": (x[TRAIN : TRAIN + VALID], y[TRAIN : TRAIN + VALID]),
        "test": (x[TRAIN + VALID :], y[TRAIN + VALID :]),
    }


def train(network: Network, data: dict, share: float, epochs: int, seed: int) -> None:
    """Every task's share of its sequences ``epochs`` times, a batch of one task a step, the tasks in turn."""
    count = max(1, int(TRAIN * share))
    draws = torch.Generator().manual_seed(seed)
    batches = -(-count // BATCH)
    total = epochs * batches * len(data)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total, pct_start=0.1)
    network.train()
    for _ in range(epochs):
        orders = {name: torch.randperm(count, generator=draws) for name in data}
        for place in range(batches):
            for name, splits in data.items():
                rows = orders[name][place * BATCH : (place + 1) * BATCH]
                x, y = splits["train"]
                loss = functional.cross_entropy(network(name, x[rows]).flatten(0, 1), y[rows].flatten())
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimizer.step()
                schedule.step()


@torch.no_grad()
def measure(network: Network, name: str, split: tuple[Tensor, Tensor]) -> dict[str, float]:
    """Cross-entropy in nats and accuracy, a token."""
    network.eval()
    x, y = split
    logits = network(name, x).float().flatten(0, 1)
    return {
        "entropy": functional.cross_entropy(logits, y.flatten()).item(),
        "accuracy": (logits.argmax(-1) == y.flatten()).float().mean().item(),
    }


def run(arm: str, names: list[str], share: float, seed: int, chosen: argparse.Namespace) -> dict[str, dict]:
    """Train one arm, and measure it on every task."""
    data = {name: load(name, seed) for name in names}
    parts = [[name] for name in names] if arm == "separate" else [names]
    results = {}
    for part in parts:
        torch.manual_seed(seed)
        network = Network(part, chosen.base, GROUPS.get(arm))
        train(network, {name: data[name] for name in part}, share, chosen.epochs, seed)
        results |= {name: measure(network, name, data[name]["test"]) for name in part}
    return results


def show(results: dict, arms: list[str], names: list[str], shares: list[float], out: Path) -> None:
    """Print the tables and draw the curves."""
    from matplotlib.figure import Figure

    def summary(arm: str, share: float, name: str | None, key: str) -> tuple[float, float]:
        runs = [one for one in results.values() if one["arm"] == arm and one["data"] == share]
        values = [
            float(np.mean([task[key] for task in one["tasks"].values()])) if name is None else one["tasks"][name][key]
            for one in runs
        ]
        error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
        return float(np.mean(values)), error

    for key in ("entropy", "accuracy"):
        print(f"\n| {key} | data |", " | ".join([*names, "mean"]), "|\n|", " | ".join(["---"] * (len(names) + 3)), "|")
        for share in shares:
            for arm in arms:
                cells = [summary(arm, share, name, key) for name in (*names, None)]
                print(f"| {arm} | {share:g} |", " | ".join(f"{mean:.3f} ± {error:.3f}" for mean, error in cells), "|")
    figure = Figure(figsize=(5, 3.5), layout="constrained")
    axes = figure.add_subplot()
    for arm in arms:
        means, errors = zip(*(summary(arm, share, None, "entropy") for share in shares), strict=True)
        axes.errorbar([TRAIN * share for share in shares], means, np.nan_to_num(errors), marker="o", label=arm)
    axes.set(xlabel="training sequences a task", ylabel="test cross-entropy a token (nats)", xscale="log")
    axes.legend(frameon=False)
    figure.savefig(out / "curves.png", dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    arms = ["shared", "separate", "plain", "uncolored"]
    parser.add_argument("--arms", nargs="+", choices=arms, default=arms)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--data", nargs="+", type=float, default=[0.1, 0.4, 1.0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--base", choices=BASES, default="NodeTransformer")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    path = chosen.out / "results.json"
    results = json.loads(path.read_text()) if path.is_file() else {}
    for seed in range(chosen.seeds):
        for share in chosen.data:
            for arm in chosen.arms:
                key = f"{chosen.base} {arm} {share:g} {seed} {chosen.epochs} {' '.join(chosen.tasks)}"
                if key not in results:
                    tasks = run(arm, chosen.tasks, share, seed, chosen)
                    results[key] = {"arm": arm, "data": share, "seed": seed, "tasks": tasks}
                    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
                mean = np.mean([task["entropy"] for task in results[key]["tasks"].values()])
                print(f"seed {seed}, {share:g} of the data, {arm}: mean cross-entropy {mean:.4f}", flush=True)
    show(results, chosen.arms, chosen.tasks, chosen.data, chosen.out)


if __name__ == "__main__":
    main()
