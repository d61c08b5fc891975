"""Spin lattices: spin updates, clusters, exact references and canonical forms per second, on one thread.

    python benchmarks/lattice.py [--side 16] [--chains 1024] [--seconds 2] [--json]

Rates are of processor time, which other programs do not touch; the wall's are beside them. The cost of an independent sample is the
processor time of 2τ steps, where τ is the measured integrated autocorrelation time of the magnetization (its sign counts).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import torch

from symdiff.canonical.sites import Sites
from symdiff.domains.lattice import SpinLattice
from symdiff.domains.spins.autocorrelation import memory
from symdiff.domains.spins.exact import ground_states, log_partition
from symdiff.domains.spins.hamiltonian import Hamiltonian, gaussian_bonds, interaction
from symdiff.domains.spins.heat_bath import HeatBath
from symdiff.domains.spins.onsager import kaufman_energy
from symdiff.domains.spins.tempering import Tempering
from symdiff.domains.spins.wolff import Wolff
from symdiff.groups.torus import torus
from symdiff.state import State

TEMPERATURE = 2.27


def rate(function: Callable[[], object], work: float, seconds: float) -> dict[str, float]:
    """``work`` per second of processor and wall time, the best of three stretches that last about ``seconds`` together."""
    function()
    best_cpu = best_wall = 0.0
    for _ in range(3):
        calls, cpu, wall = 0, time.process_time(), time.perf_counter()
        while time.process_time() - cpu < seconds / 3:
            function()
            calls += 1
        best_cpu = max(best_cpu, calls * work / (time.process_time() - cpu))
        best_wall = max(best_wall, calls * work / (time.perf_counter() - wall))
    return {"processor": best_cpu, "wall": best_wall}


def magnetization(spins: torch.Tensor) -> torch.Tensor:
    return (1 - 2 * spins).double().mean(1)


def independent(sampler: HeatBath | Wolff, step: Callable[[], object], steps: int, warm: int) -> dict[str, float]:
    """τ of the magnetization in steps, and the processor time of an independent sample, in seconds."""
    for _ in range(warm):
        step()
    series, spent = [], 0.0
    for _ in range(steps):
        start = time.process_time()
        step()
        spent += time.process_time() - start
        series.append((magnetization(sampler.spins), sampler.energy()))
    magnetic, energetic = (memory(torch.stack(column)) for column in zip(*series, strict=True))
    return {
        "tau_magnetization": magnetic.time,
        "tau_magnetization_error": magnetic.error,
        "tau_energy": energetic.time,
        "energy": energetic.mean,
        "energy_error": energetic.deviation,
        "seconds_per_independent_sample": 2 * magnetic.time * spent / (steps * sampler.chains),
    }


def timed(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=16)
    parser.add_argument("--chains", type=int, default=1024)
    parser.add_argument("--seconds", type=float, default=2.0, help="processor time of every measurement")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    side, chains, seconds = arguments.side, arguments.chains, arguments.seconds
    draw, w, piece = torch.Generator().manual_seed(0), interaction("ising"), torus("square", side)
    updates = chains * side * side
    models = {
        "Ising": Hamiltonian.make(piece, w),
        "J1-J2": Hamiltonian.make(piece, w, [1.0, 1.0, 0.5, 0.5]),
        "random bonds": Hamiltonian.make(piece, w, gaussian_bonds(piece, 0.0, 1.0, 1, draw)),
        "3-state Potts": Hamiltonian.make(piece, interaction("potts", 3)),
    }
    result: dict = {"side": side, "chains": chains, "temperature": TEMPERATURE}
    result["heat_bath_updates_per_second"] = {
        name: rate(HeatBath(h, TEMPERATURE, chains, draw).sweep, updates, seconds) for name, h in models.items()
    }
    result["wolff_clusters_per_second"] = rate(Wolff(models["Ising"], TEMPERATURE, chains, draw).update, chains, seconds)
    ladder = Tempering(models["random bonds"], torch.linspace(0.5, 3.0, 16).tolist(), max(chains // 16, 1), draw)
    result["tempering_updates_per_second"] = rate(ladder.sweep, max(chains // 16, 1) * 16 * side * side, seconds)

    bath, wolff = HeatBath(models["Ising"], TEMPERATURE, 64, draw), Wolff(models["Ising"], TEMPERATURE, 256, draw)
    result["independent_samples"] = {
        "heat bath": independent(bath, bath.sweep, 12_000, 2000),
        "Wolff": independent(wolff, wolff.update, 400, 200),
        "exact energy": kaufman_energy(side, side, TEMPERATURE),
    }
    result["transfer_matrix_seconds"] = {}
    for length, name, couplings in ((8, "J1", [1.0]), (8, "J1-J2", [1.0, 1.0, -0.7, -0.7]), (10, "J1", [1.0]), (10, "J1-J2", [1.0, 1.0, -0.7, -0.7])):
        h = Hamiltonian.make(torus("square", length), w, couplings)
        result["transfer_matrix_seconds"][f"L = {length}, {name}"] = {
            "ln Z": timed(lambda h=h: log_partition(h, TEMPERATURE)),
            "ground states": timed(lambda h=h: ground_states(h)),
        }
    domain = SpinLattice()
    sites, rows = Sites(domain.group, ["spin"]), 512
    spins = {"random": torch.randint(2, (rows, side * side), generator=draw), "critical": wolff.spins[:rows], "all up": torch.zeros(64, side * side).long()}
    result["canonical_draws_per_second"] = {}
    for name, labels in spins.items():
        x = State(torch.ones_like(labels, dtype=torch.bool), domain.schema, {"spin": labels})
        result["canonical_draws_per_second"][name] = rate(lambda x=x: sites.sample(x), len(x), seconds)
    result["actions_per_second"] = rate(lambda: domain.group.act(domain.group.sample(x.mask, draw), x), len(x), seconds)
    if arguments.json:
        print(json.dumps(result))
        return
    show(result)


def show(values: dict, indent: str = "") -> None:
    for name, value in values.items():
        if isinstance(value, dict) and set(value) == {"processor", "wall"}:
            print(f"{indent}{name:34s} {value['processor']:14,.0f} /s processor {value['wall']:14,.0f} /s wall")
        elif isinstance(value, dict):
            print(f"{indent}{name}")
            show(value, indent + "  ")
        else:
            print(f"{indent}{name:34s} {value:14.6g}")


if __name__ == "__main__":
    main()
