"""Energies of sampled spins on several lattices beside the exact ones, by one checkpoint of the recipe any-subgroup.

    python benchmarks/lattices.py any-subgroup --count 2000 --out energies.json

Lattices that the model was trained on come first, those that it never saw behind them.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch

from symdiff.domains.tori import SpinTori, total_energy
from symdiff.groups.torus import torus
from symdiff.pipeline import Pipeline
from symdiff.sampling import Request
from symdiff.spins.exact import mean_energy
from symdiff.spins.hamiltonian import Hamiltonian, interaction

TRAINED = {
    ("chain", "64"): (0.8, 1.5, 3.0),
    ("square", "8x8"): (1.6, 2.27, 3.4),
    ("triangular", "8x8"): (2.6, 3.64, 5.2),
    ("cubic", "4x4x4"): (3.2, 4.51, 6.4),
}
UNSEEN = {
    ("chain", "48"): (0.8, 1.5, 3.0),
    ("square", "4x16"): (1.6, 2.27, 3.4),
    ("square", "6x6"): (1.6, 2.27, 3.4),
    ("triangular", "4x16"): (2.6, 3.64, 5.2),
    ("cubic", "3x3x3"): (3.2, 4.51, 6.4),
    ("cubic", "4x4x3"): (3.2, 4.51, 6.4),
}


def measure(
    pipeline: Pipeline, kind: str, size: str, temperature: float, count: int, seed: int, precision: str = "bf16"
) -> dict:
    """Sample one lattice at one temperature: energies per site, seconds."""
    words = {"lattice": kind, "size": size, "temperature": str(temperature)}
    condition = SpinTori().options.read_condition(words)
    sites, begun = condition.mask.shape[1], time.perf_counter()
    x = pipeline.sample(Request(count, condition=condition, seed=seed), sites, precision=precision).state()
    seconds = time.perf_counter() - begun
    energy = total_energy(x) / sites
    sides = [int(side) for side in size.split("x")]
    exact = float(mean_energy(Hamiltonian.make(torus(kind, sides), interaction("ising")), temperature))
    mean, error = float(energy.mean()), float(energy.std() / count**0.5)
    return {
        "lattice": kind,
        "size": size,
        "temperature": temperature,
        "energy": round(mean, 5),
        "standard_error": round(error, 5),
        "exact": round(exact, 5),
        "off": round(mean / exact - 1, 5),
        "samples_per_second": round(count / seconds, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    pipeline, rows = Pipeline.load(chosen.checkpoint), []
    torch.set_grad_enabled(False)
    for trained, lattices in ((True, TRAINED), (False, UNSEEN)):
        for (kind, size), temperatures in lattices.items():
            for temperature in temperatures:
                row = measure(pipeline, kind, size, temperature, chosen.count, chosen.seed)
                rows.append({"trained": trained, **row})
                print(json.dumps(rows[-1]), flush=True)
    if chosen.out is not None:
        chosen.out.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
