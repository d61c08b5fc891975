"""Spin lattices: spin updates, clusters, exact references, canonical forms and the networks, on one thread.

    python benchmarks/lattice.py [--side 16] [--chains 1024] [--seconds 2] [--json]

Rates are of processor time, which other programs do not touch; the wall's are beside them. The cost of an independent
sample is the processor time of 2τ steps, where τ is the measured integrated autocorrelation time of the magnetization
(its sign counts). The networks' products are counted (``torch.utils.flop_counter``), and the peak is the fastest of
several matrix products in the same run.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from symdiff.canonical.sites import Sites
from symdiff.denoisers.base import Denoiser
from symdiff.denoisers.lattice import LatticeConvolution
from symdiff.denoisers.sublattices import SublatticeConvolution
from symdiff.domains.lattice import SpinLattice
from symdiff.groups.torus import torus
from symdiff.processes.masked import Masked
from symdiff.spins.autocorrelation import memory
from symdiff.spins.exact import ground_states, log_partition
from symdiff.spins.hamiltonian import Hamiltonian, gaussian_bonds, interaction
from symdiff.spins.heat_bath import HeatBath
from symdiff.spins.onsager import kaufman_energy
from symdiff.spins.tempering import Tempering
from symdiff.spins.wolff import Wolff
from symdiff.state import Categorical, State, schema_to_plain

TEMPERATURE = 2.27
PRODUCTS = ((1024, 1024, 1024), (2048, 2048, 2048), (4096, 512, 512), (16_384, 640, 256))


def rate(function: Callable[[], object], work: float, seconds: float) -> dict[str, float]:
    """``work`` per second of processor and wall time, the best of three stretches, ``seconds`` together."""
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


def peak(dtype: torch.dtype, seconds: float) -> float:
    """Floating-point operations per second of processor time, of the fastest of ``PRODUCTS``."""
    found = []
    for rows, inner, columns in PRODUCTS:
        a, b = torch.randn(rows, inner, dtype=dtype), torch.randn(inner, columns, dtype=dtype)
        found.append(rate(lambda a=a, b=b: a @ b, 2 * rows * inner * columns, seconds)["processor"])
    return max(found)


def networks(side: int, rows: int, seconds: float) -> dict[str, dict[str, float]]:
    """Operations per second, counted in matrix products, of denoisers of the recipes' sizes.

    With ``backward`` a training's pass both ways.
    """
    schema, domain = {"spin": Categorical("node", 2)}, SpinLattice(conditions=["temperature"])
    noisy = schema_to_plain({**domain.schema, "spin": Categorical("node", 3)})
    plain = schema_to_plain(schema)
    nets = {
        "every site": (LatticeConvolution(plain, noisy, {}, width=128, layers=5), None),
        "sublattices": (SublatticeConvolution(plain, noisy, {}), {"kind": "CoarseToFine", "stages": [1, 7]}),
    }
    found: dict[str, dict[str, float]] = {}
    for precision, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
        most = peak(dtype, seconds)
        found[precision] = {"matrix product": most}
        for name, (net, order) in nets.items():
            x, t = _noised(domain, Masked(plain, evenly=True, revealing=order), side, rows)
            for way, both in (("", False), (", backward", True)):
                call = _call(net, x, t, both, dtype)
                found[precision][f"{name}{way}"] = rate(call, _operations(call), seconds)["processor"]
                found[precision][f"{name}{way}, share of the peak"] = found[precision][f"{name}{way}"] / most
    return found


def _noised(domain: SpinLattice, process: Masked, side: int, rows: int) -> tuple[State, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    spins = torch.randint(2, (rows, side * side), generator=draw)
    mask, t = torch.ones_like(spins, dtype=torch.bool), process.draw_times(rows, draw)
    values = {"temperature": torch.full((rows, 1), TEMPERATURE), "spin": spins}
    x0 = State(mask, domain.schema, values)
    return process.bridge(x0, process.prior(mask, draw), t, draw), t


def _call(net: Denoiser, x: State, t: torch.Tensor, both: bool, dtype: torch.dtype) -> Callable[[], object]:
    def call() -> None:
        with torch.set_grad_enabled(both), torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            out = net(x, t, State(x.mask, {}, {}))["spin"].float().square().mean()
        if both:
            net.zero_grad(set_to_none=True)
            out.backward()

    return call


def _operations(call: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


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
    result["wolff_clusters_per_second"] = rate(
        Wolff(models["Ising"], TEMPERATURE, chains, draw).update, chains, seconds
    )
    ladder = Tempering(models["random bonds"], torch.linspace(0.5, 3.0, 16).tolist(), max(chains // 16, 1), draw)
    result["tempering_updates_per_second"] = rate(ladder.sweep, max(chains // 16, 1) * 16 * side * side, seconds)

    bath, wolff = HeatBath(models["Ising"], TEMPERATURE, 64, draw), Wolff(models["Ising"], TEMPERATURE, 256, draw)
    result["independent_samples"] = {
        "heat bath": independent(bath, bath.sweep, 12_000, 2000),
        "Wolff": independent(wolff, wolff.update, 400, 200),
        "exact energy": kaufman_energy(side, side, TEMPERATURE),
    }
    result["transfer_matrix_seconds"] = {}
    for length, name, couplings in (
        (8, "J1", [1.0]),
        (8, "J1-J2", [1.0, 1.0, -0.7, -0.7]),
        (10, "J1", [1.0]),
        (10, "J1-J2", [1.0, 1.0, -0.7, -0.7]),
    ):
        h = Hamiltonian.make(torus("square", length), w, couplings)
        result["transfer_matrix_seconds"][f"L = {length}, {name}"] = {
            "ln Z": timed(lambda h=h: log_partition(h, TEMPERATURE)),
            "ground states": timed(lambda h=h: ground_states(h)),
        }
    domain = SpinLattice()
    sites, rows = Sites(domain.group, ["spin"]), 512
    spins = {
        "random": torch.randint(2, (rows, side * side), generator=draw),
        "critical": wolff.spins[:rows],
        "all up": torch.zeros(64, side * side).long(),
    }
    result["canonical_draws_per_second"] = {}
    for name, labels in spins.items():
        x = State(torch.ones_like(labels, dtype=torch.bool), domain.schema, {"spin": labels})
        result["canonical_draws_per_second"][name] = rate(lambda x=x: sites.sample(x), len(x), seconds)
    result["actions_per_second"] = rate(lambda: domain.group.act(domain.group.sample(x.mask, draw), x), len(x), seconds)
    result["networks_operations_per_second"] = networks(side, 64, seconds)
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
