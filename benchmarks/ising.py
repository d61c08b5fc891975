"""A trained sampler of Ising spins against exact values and Wolff's clusters, and what a sample costs.

    python benchmarks/ising.py ising --out runs/ising-numbers [--count 10000] [--weighted 10000 20000] [--seed 0]

L = 16, T in {1.8, 2.27, 3.0}: energy per site against Kaufman's exact one, |m| and the two-point function against
Wolff's clusters with their errors (z: the difference in standard errors), and a chi-square of the sign of m. ln Z by
the importance weights of ``symdiff.sampling.importance`` against Kaufman's formula, with the share of effective
samples, their cost, the weighted mean of |m|, and the same comparison for a Markov chain that takes the samples as
proposals, whose law is Boltzmann's; and at L = 8 against the transfer matrix. Cost of an independent sample at T =
2.27: processor time of the model against 2 tau sweeps of heat bath on one thread, at the sides ``--sides`` (the model's
time does not depend on whether it was trained there). Writes results.json, table.md and figure.png.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import torch
from torch import Tensor

from symdiff.groups.torus import torus
from symdiff.pipeline import SymdiffPipeline
from symdiff.sampling.chain import Chain
from symdiff.sampling.importance import Importance
from symdiff.sampling.request import Request
from symdiff.sampling.samples import Samples
from symdiff.spins.autocorrelation import memory
from symdiff.spins.exact import log_partition
from symdiff.spins.hamiltonian import Hamiltonian, interaction
from symdiff.spins.heat_bath import HeatBath
from symdiff.spins.mixed import rounds
from symdiff.spins.onsager import kaufman_energy, kaufman_log_partition
from symdiff.testing import chi_square

SIDE, SMALL, TEMPERATURES, CRITICAL = 16, 8, (1.8, 2.27, 3.0), 2.27
CHAINS, ROUNDS, WARM = 512, 400, 100
TIMES = 15
"""The length of a chain of heat bath in units of an autocorrelation time, about; there are 64 chains."""


def observables(labels: Tensor, model: Hamiltonian, side: int) -> Tensor:
    """Energy per site, |m|, and the two-point function at distances 1 to L/2, mean over the axes.

    (M, 2 + L/2) float64.
    """
    s = (1 - 2 * labels.double()).view(-1, side, side)
    pairs = [(s * s.roll(r, 1) + s * s.roll(r, 2)).mean((1, 2)) / 2 for r in range(1, side // 2 + 1)]
    return torch.stack([model.energy(labels).double(), s.mean((1, 2)).abs(), *pairs], 1)


def clusters(model: Hamiltonian, temperature: float, side: int, seed: int) -> tuple[Tensor, Tensor]:
    """Means of the observables over long chains of Wolff's clusters and heat bath, and their standard errors."""
    generator = torch.Generator().manual_seed(seed)
    series = [
        observables(spins, model, side)
        for k, spins in enumerate(rounds(model, temperature, CHAINS, WARM + ROUNDS, generator))
        if k >= WARM
    ]
    found = [memory(column) for column in torch.stack(series).unbind(-1)]
    return torch.tensor([one.mean for one in found]), torch.tensor([one.deviation for one in found])


def against(pipeline: SymdiffPipeline, temperature: float, arguments) -> dict:
    """The model's samples at one temperature, compared."""
    piece = torus("square", SIDE)
    model = Hamiltonian.make(piece, interaction("ising"))
    labels, spent = sampled(pipeline, SIDE, temperature, arguments.count, arguments)
    values = observables(labels, model, SIDE)
    mean, error = values.mean(0), values.std(0) / math.sqrt(len(values))
    other, deviation = clusters(model, temperature, SIDE, seed=1)
    m = (1 - 2 * labels.double()).mean(1)
    signs = torch.tensor([int((m > 0).sum()), int((m < 0).sum())])
    exact = kaufman_energy(SIDE, SIDE, temperature)
    weights, draws = norm(pipeline, temperature, SIDE, arguments.weighted[0], arguments)
    chained = [
        memory(column[:, None])
        for column in observables(next(Chain(arguments.seed)([draws])).state()["spin"], model, SIDE).unbind(1)
    ]
    corrected = [
        (one.mean - float(at)) / math.hypot(one.deviation, float(off))
        for one, at, off in zip(chained, other, deviation, strict=True)
    ]
    return {
        "energy": float(mean[0]),
        "energy_exact": exact,
        "energy_off": abs(float(mean[0]) / exact - 1),
        "magnetization": float(mean[1]),
        "magnetization_wolff": float(other[1]),
        "magnetization_z": float((mean[1] - other[1]) / (error[1] ** 2 + deviation[1] ** 2).sqrt()),
        "two_point": mean[2:].tolist(),
        "two_point_wolff": other[2:].tolist(),
        "two_point_z": ((mean - other) / (error**2 + deviation**2).sqrt())[2:].tolist(),
        "sign_p": chi_square(signs, torch.full((2,), signs.sum() / 2)),
        "weighted": {
            **weights,
            "energy_z": (chained[0].mean - exact) / chained[0].deviation,
            "magnetization_z": corrected[1],
            "two_point_z": corrected[2:],
        },
        "processor_seconds_per_sample": spent / arguments.count,
    }


def sampled(pipeline: SymdiffPipeline, side: int, temperature: float, count: int, arguments) -> tuple[Tensor, float]:
    """Labels (count, N), and the processor time that they took."""
    condition = pipeline.domain.condition(Hamiltonian.make(torus("square", side), interaction("ising")), temperature)
    start = time.process_time()
    samples = pipeline.sample(
        Request(count, condition=condition, seed=arguments.seed),
        arguments.steps,
        arguments.batch_size,
        precision=arguments.precision,
    )
    return samples.state()["spin"], time.process_time() - start


def norm(pipeline: SymdiffPipeline, temperature: float, side: int, count: int, arguments) -> tuple[dict, Samples]:
    """ln Z of a torus by importance weights, and the weighted samples."""
    model = Hamiltonian.make(torus("square", side), interaction("ising"))
    condition, start = pipeline.domain.condition(model, temperature), time.process_time()
    request = Request(count, condition=condition, seed=arguments.seed + 1)
    sampler = Importance(pipeline.diffusion, arguments.steps or pipeline.default_steps, pipeline.domain.log_density)
    draws = pipeline.sample(request, sampler, arguments.batch_size, precision=arguments.precision)
    spent, found = time.process_time() - start, draws.weigh()
    spins = found.x["spin"]
    exact = (
        float(log_partition(model, temperature)) if side <= SMALL else kaufman_log_partition(side, side, temperature)
    )
    m = (1 - 2 * spins.double()).mean(1).abs()
    mean, shares = found.mean(m), found.log_weights.softmax(0)
    numbers = {
        "log_norm": found.log_norm,
        "error": found.error,
        "exact": exact,
        "off": abs(found.log_norm / exact - 1),
        "effective_share": found.effective / count,
        "weightless_share": float(found.log_weights.isinf().double().mean()),
        "magnetization": mean,
        "magnetization_error": float((shares * (m - mean)).square().sum().sqrt()),
        "processor_seconds_per_effective_sample": spent / found.effective,
    }
    return numbers, draws


def heat_bath_cost(side: int, seed: int) -> dict:
    """Processor seconds of 2 tau sweeps at T = 2.27, tau of the signed magnetization."""
    model = Hamiltonian.make(torus("square", side), interaction("ising"))
    bath, length = (
        HeatBath(model, CRITICAL, 64, torch.Generator().manual_seed(seed)),
        round(TIMES * 880 * (side / SIDE) ** 2.17),
    )
    many = HeatBath(
        model, CRITICAL, 256, torch.Generator().manual_seed(seed)
    )  # a sweep of many chains is cheaper; their number does not change tau
    bath.sweep(length // 6)
    series = torch.empty(
        length, bath.chains, dtype=torch.float64
    )  # small tensors between large ones would keep the memory of all
    for one in series:
        bath.sweep()
        one.copy_((1 - 2 * bath.spins).double().mean(1))
    found, sweeps = memory(series), max(20, length // 40)
    many.sweep(5)
    start = time.process_time()
    many.sweep(sweeps)
    sweep = (time.process_time() - start) / (sweeps * many.chains)
    return {
        "tau_sweeps": found.time,
        "tau_error": found.error,
        "seconds_per_sweep": sweep,
        "processor_seconds_per_sample": 2 * found.time * sweep,
    }


def costs(pipeline: SymdiffPipeline, arguments) -> dict:
    """Processor seconds of an independent sample at T = 2.27, by side."""
    found = {}
    for side in arguments.sides:
        count = max(arguments.batch_size, 4 * arguments.batch_size * SIDE**2 // side**2)
        sampled(pipeline, side, CRITICAL, 32, arguments)  # what is computed once for a size
        labels, spent = sampled(pipeline, side, CRITICAL, count, arguments)
        found[str(side)] = {"model": spent / len(labels), **heat_bath_cost(side, arguments.seed)}
        print(f"L = {side}: {json.dumps(found[str(side)])}", flush=True)
    return found


def table(result: dict) -> str:
    lines = [
        "| T | energy (exact) | off | \\|m\\| (Wolff) | z | largest \\|z\\| of the two-point function | p, sign of m |",
        "|---|---|---|---|---|---|---|",
    ]
    for t, one in result["L=16"].items():
        worst = max(map(abs, one["two_point_z"]))
        lines.append(
            f"| {t} | {one['energy']:.4f} ({one['energy_exact']:.4f}) | {100 * one['energy_off']:.2f} % | "
            f"{one['magnetization']:.4f} "
            f"({one['magnetization_wolff']:.4f}) | {one['magnetization_z']:+.1f} | {worst:.1f} | {one['sign_p']:.2f} |"
        )
    lines += [
        "",
        "| L | T | ln Z (exact) | off | effective samples | without weight | ms for one | weighted \\|m\\| | "
        "corrected: energy, \\|m\\|, largest two-point, \\|z\\| |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    weights = [(SIDE, t, one["weighted"]) for t, one in result["L=16"].items()] + [
        (SMALL, t, one) for t, one in result["L=8"].items()
    ]
    for side, t, one in weights:
        z = (
            f"{abs(one['energy_z']):.1f}, {abs(one['magnetization_z']):.1f}, {max(map(abs, one['two_point_z'])):.1f}"
            if "two_point_z" in one
            else "–"
        )
        lines.append(
            f"| {side} | {t} | {one['log_norm']:.3f} ± {one['error']:.3f} ({one['exact']:.3f}) | "
            f"{100 * one['off']:.3f} % | {100 * one['effective_share']:.1f} % "
            f"| {100 * one['weightless_share']:.1f} % | {1e3 * one['processor_seconds_per_effective_sample']:.2f} | "
            f"{one['magnetization']:.4f} ± {one['magnetization_error']:.4f} | {z} |"
        )
    if "costs" in result:
        lines += ["", "| L, T = 2.27 | τ of heat bath, sweeps | heat bath, 2τ, ms | model, ms |", "|---|---|---|---|"]
    for side, one in result.get("costs", {}).items():
        lines.append(
            f"| {side} | {one['tau_sweeps']:.0f} ± {one['tau_error']:.0f} | "
            f"{1e3 * one['processor_seconds_per_sample']:.2f} | {1e3 * one['model']:.2f} |"
        )
    return "\n".join(lines) + "\n"


def figure(result: dict, path: Path) -> None:
    from matplotlib.figure import Figure

    page = Figure(figsize=(11, 3.6), layout="constrained")
    left, middle, right = page.subplots(1, 3)
    for t, one in result["L=16"].items():
        r = range(1, SIDE // 2 + 1)
        (line,) = left.plot(r, one["two_point"], "o", ms=4, label=f"T = {t}")
        left.plot(r, one["two_point_wolff"], color=line.get_color(), lw=1)
    left.set(xlabel="distance", ylabel="⟨s s'⟩", title="two-point function: model (dots), Wolff (lines)")
    left.legend(frameon=False, loc="upper right", bbox_to_anchor=(1, 0.9))
    names = list(result["L=16"])
    middle.axhspan(-3, 3, color="#eef1f6")
    for k, t in enumerate(names):
        one = result["L=16"][t]
        middle.plot(
            [k] * (SIDE // 2), one["two_point_z"], "o", ms=4, color="#d9663b", label="two-point" if not k else None
        )
        middle.plot([k], [one["magnetization_z"]], "D", color="#2563c9", label="|m|" if not k else None)
    middle.set(
        xticks=range(len(names)),
        xticklabels=[f"T = {t}" for t in names],
        ylabel="standard errors",
        title="model minus Wolff",
    )
    middle.legend(frameon=False)
    sides = list(map(int, result["costs"]))
    right.plot(
        sides,
        [one["processor_seconds_per_sample"] for one in result["costs"].values()],
        "s-",
        color="#6b7684",
        label="heat bath, 2τ",
    )
    right.plot(sides, [one["model"] for one in result["costs"].values()], "o-", color="#2563c9", label="model")
    right.set(
        xscale="log",
        yscale="log",
        xticks=sides,
        xticklabels=sides,
        xlabel="L",
        ylabel="processor seconds",
        title="an independent sample at T = 2.27",
    )
    right.minorticks_off()
    right.legend(frameon=False)
    page.savefig(path, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument(
        "--weighted", type=int, nargs=2, default=(10_000, 20_000), help="weighted samples at L = 16 and at L = 8"
    )
    parser.add_argument("--sides", type=int, nargs="+", default=(8, 16, 32), help="where costs are compared")
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--steps", type=int, help="evaluations of the network a sample (default: the recipe's)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="bf16")
    parser.add_argument("--temperatures", type=float, nargs="+", default=TEMPERATURES)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    pipeline = SymdiffPipeline.load(arguments.checkpoint)
    arguments.steps = arguments.steps or pipeline.default_steps
    result: dict = {
        "count": arguments.count,
        "weighted": list(arguments.weighted),
        "steps": arguments.steps,
        "L=16": {},
        "L=8": {},
    }
    for t in arguments.temperatures:
        result["L=16"][str(t)] = against(pipeline, t, arguments)
        print(table(result), flush=True)
    for t in arguments.temperatures:
        result["L=8"][str(t)] = norm(pipeline, t, SMALL, arguments.weighted[1], arguments)[0]
        print(table(result), flush=True)
    result["costs"] = costs(pipeline, arguments)
    (arguments.out / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    (arguments.out / "table.md").write_text(table(result))
    figure(result, arguments.out / "figure.png")
    print(f"{table(result)}\n{arguments.out}: results.json, table.md, figure.png")


if __name__ == "__main__":
    main()
