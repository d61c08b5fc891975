"""How near predictions for ±J spin glasses come to the exact ground states.

    python benchmarks/spin_glass.py --out runs/spin-glass [--steps 4000] [--tries 16]

Trains ``recipes/lattice/spin-glass.yaml`` (what is complete is kept), then draws ``--tries`` configurations for every
Hamiltonian of the test split and compares their energies per site with the transfer matrix's. Beside it heat bath
cooled from T = 3 to 0.2, as many sweeps as the network makes evaluations, as many tries. Writes ``results.json`` and
prints it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor

from symdiff.config import recipe as recipes
from symdiff.data.registry import open_dataset
from symdiff.pipeline import SymdiffPipeline
from symdiff.sampling.request import Request
from symdiff.spins.exact import ground_states
from symdiff.spins.hamiltonian import Hamiltonian
from symdiff.spins.heat_bath import HeatBath
from symdiff.training.run import train


def cooled(hamiltonian: Hamiltonian, sweeps: int, seed: int) -> Tensor:
    """Energies per site after ``sweeps`` sweeps of heat bath at falling temperatures, one try for each Hamiltonian."""
    chains = len(hamiltonian)
    bath = HeatBath(hamiltonian, 1.0, chains, torch.Generator().manual_seed(seed))
    for temperature in torch.linspace(3.0, 0.2, sweeps).tolist():
        bath.beta = torch.full((chains,), 1 / temperature)
        bath.sweep()
    return bath.energy()


def shares(energy: Tensor, exact: Tensor) -> dict[str, float]:
    """``energy``: (tries, M) per site; ``exact``: (M,)."""
    best = energy.amin(0)
    return {
        "exact": (energy <= exact + 1e-6).double().mean().item(),
        "excess": (energy - exact).mean().item(),
        "exact, best try": (best <= exact + 1e-6).double().mean().item(),
        "excess, best try": (best - exact).mean().item(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, help="of training")
    parser.add_argument("--tries", type=int, default=16)
    chosen = parser.parse_args()
    recipe = recipes.load("spin-glass")
    if chosen.steps is not None:
        recipe = recipes.set(recipe, f"training/steps={chosen.steps}")
    if not (chosen.out / "checkpoint").is_dir():
        train(recipe, chosen.out, resume=(chosen.out / "recipe.yaml").is_file())
    pipeline = SymdiffPipeline.load(chosen.out / "checkpoint")
    data = open_dataset(recipe.data.dataset).split("test")
    x = data.batch(torch.arange(len(data)))
    hamiltonian = data.domain.hamiltonian(x)
    exact = ground_states(hamiltonian).energy
    many = x.only("coupling").select(torch.arange(len(x)).repeat(chosen.tries))
    drawn = pipeline.sample(Request(len(many), condition=many, seed=1)).state()
    energy = data.domain.hamiltonian(drawn).energy(drawn["spin"]).view(chosen.tries, -1)
    other = torch.stack([cooled(hamiltonian, pipeline.default_steps, seed) for seed in range(chosen.tries)])
    results = {
        "hamiltonians": len(x),
        "tries": chosen.tries,
        "network": shares(energy, exact),
        "heat bath": shares(other, exact),
    }
    (chosen.out / "results.json").write_text(json.dumps(results, indent=1))
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
