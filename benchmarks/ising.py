"""A trained sampler of Ising spins against exact values and Wolff's clusters, and what a sample costs.

    python benchmarks/ising.py checkpoints/ising --small checkpoints/ising-8 --out runs/ising [--count 10000] [--small-count 20000] [--seed 0]

L = 16, T in {1.8, 2.27, 3.0}: energy per site against Kaufman's exact one, |m| and the two-point function against Wolff's clusters with their
errors (z: the difference in standard errors), and a chi-square of the sign of m. L = 8, with the checkpoint ``--small``: ln Z by the
importance weights of ``symdiff.importance`` against the transfer matrix, with the share of effective samples. Cost of an independent sample at T = 2.27:
processor time of the model against 2 tau sweeps of heat bath on one thread. Writes results.json, table.md and figure.png.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import torch
from torch import Tensor

from symdiff.domains.spins.autocorrelation import memory
from symdiff.domains.spins.exact import log_partition
from symdiff.domains.spins.hamiltonian import Hamiltonian, interaction
from symdiff.domains.spins.heat_bath import HeatBath
from symdiff.domains.spins.mixed import rounds
from symdiff.domains.spins.onsager import kaufman_energy
from symdiff.groups.torus import torus
from symdiff.importance import weighted
from symdiff.pipeline import SymdiffPipeline
from symdiff.testing import chi_square

SIDE, SMALL, TEMPERATURES, CRITICAL = 16, 8, (1.8, 2.27, 3.0), 2.27
CHAINS, ROUNDS, WARM = 512, 400, 100


def observables(labels: Tensor, model: Hamiltonian, side: int) -> Tensor:
    """Energy per site, |m|, and the two-point function at distances 1 to L/2, mean over the axes: (M, 2 + L/2) float64."""
    s = (1 - 2 * labels.double()).view(-1, side, side)
    pairs = [(s * s.roll(r, 1) + s * s.roll(r, 2)).mean((1, 2)) / 2 for r in range(1, side // 2 + 1)]
    return torch.stack([model.energy(labels).double(), s.mean((1, 2)).abs(), *pairs], 1)


def clusters(model: Hamiltonian, temperature: float, side: int, seed: int) -> tuple[Tensor, Tensor]:
    """Means of the observables over long chains of Wolff's clusters and heat bath, and their standard errors."""
    generator = torch.Generator().manual_seed(seed)
    series = [observables(spins, model, side) for k, spins in enumerate(rounds(model, temperature, CHAINS, WARM + ROUNDS, generator)) if k >= WARM]
    found = [memory(column) for column in torch.stack(series).unbind(-1)]
    return torch.tensor([one.mean for one in found]), torch.tensor([one.deviation for one in found])


def against(pipeline: SymdiffPipeline, temperature: float, arguments) -> dict:
    """The model's samples at one temperature, compared."""
    domain, piece = pipeline.domain, torus("square", SIDE)
    model = Hamiltonian.make(piece, interaction("ising"))
    start = time.process_time()
    samples = pipeline.sample(arguments.count, arguments.steps, arguments.seed, condition=domain.condition(model, temperature), precision=arguments.precision)
    spent = time.process_time() - start
    labels = samples.state()["spin"]
    values = observables(labels, model, SIDE)
    mean, error = values.mean(0), values.std(0) / math.sqrt(len(values))
    other, deviation = clusters(model, temperature, SIDE, seed=1)
    m = (1 - 2 * labels.double()).mean(1)
    signs = torch.tensor([int((m > 0).sum()), int((m < 0).sum())])
    exact = kaufman_energy(SIDE, SIDE, temperature)
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
        "processor_seconds_per_sample": spent / arguments.count,
    }


def norm(pipeline: SymdiffPipeline, temperature: float, arguments) -> dict:
    """ln Z of the 8 x 8 torus by importance weights."""
    model = Hamiltonian.make(torus("square", SMALL), interaction("ising"))
    nodes, parts = SMALL * SMALL, []
    steps = nodes // 2 + 1 if getattr(pipeline.process, "revealing", None) is not None else nodes  # one spin at a time
    generator = torch.Generator().manual_seed(arguments.seed)
    diffusion = pipeline.diffusion.eval()
    condition = pipeline.domain.condition(model, temperature)
    for start in range(0, arguments.small_count, 512):
        rows = min(512, arguments.small_count - start)
        given, mask = condition.select([0] * rows), torch.ones(rows, nodes, dtype=torch.bool)
        with torch.autocast("cpu", torch.bfloat16, enabled=arguments.precision == "bf16"):  # the law is that of these very numbers
            parts.append(weighted(diffusion, mask, steps, lambda x: -model.total(x["spin"]) / temperature, generator, given))
    found = type(parts[0])(parts[0].x, torch.cat([part.log_weights for part in parts]))
    exact = float(log_partition(model, temperature))
    return {
        "log_norm": found.log_norm,
        "error": found.error,
        "exact": exact,
        "off": abs(found.log_norm / exact - 1),
        "effective_share": found.effective / arguments.small_count,
        "weightless_share": float(found.log_weights.isinf().double().mean()),
    }


def heat_bath_cost(seed: int) -> dict:
    """Processor seconds of 2 tau sweeps at T = 2.27, tau of the signed magnetization."""
    model = Hamiltonian.make(torus("square", SIDE), interaction("ising"))
    bath = HeatBath(model, CRITICAL, 64, torch.Generator().manual_seed(seed))
    bath.sweep(2000)
    series, start = [], time.process_time()
    for _ in range(12_000):
        bath.sweep()
        series.append((1 - 2 * bath.spins).double().mean(1))
    spent = (time.process_time() - start) / (12_000 * bath.chains)
    tau = memory(torch.stack(series)).time
    return {"tau_sweeps": tau, "processor_seconds_per_sample": 2 * tau * spent}


def table(result: dict) -> str:
    lines = ["| T | energy (exact) | off | \\|m\\| (Wolff) | z | largest \\|z\\| of the two-point function | p, sign of m |", "|---|---|---|---|---|---|---|"]
    for t, one in result["L=16"].items():
        worst = max(map(abs, one["two_point_z"]))
        lines.append(
            f"| {t} | {one['energy']:.4f} ({one['energy_exact']:.4f}) | {100 * one['energy_off']:.2f} % | {one['magnetization']:.4f} "
            f"({one['magnetization_wolff']:.4f}) | {one['magnetization_z']:+.1f} | {worst:.1f} | {one['sign_p']:.2f} |"
        )
    lines += ["", "| T | ln Z, L = 8 (exact) | off | effective samples | without weight |", "|---|---|---|---|---|"]
    for t, one in result["L=8"].items():
        lines.append(f"| {t} | {one['log_norm']:.3f} ± {one['error']:.3f} ({one['exact']:.3f}) | {100 * one['off']:.3f} % | {100 * one['effective_share']:.1f} % | {100 * one['weightless_share']:.1f} % |")
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
        middle.plot([k] * (SIDE // 2), one["two_point_z"], "o", ms=4, color="#d9663b", label="two-point" if not k else None)
        middle.plot([k], [one["magnetization_z"]], "D", color="#2563c9", label="|m|" if not k else None)
    middle.set(xticks=range(len(names)), xticklabels=[f"T = {t}" for t in names], ylabel="standard errors", title="model minus Wolff")
    middle.legend(frameon=False)
    costs = {"model": result["L=16"][names[len(names) // 2]]["processor_seconds_per_sample"], "heat bath": result["heat bath"]["processor_seconds_per_sample"]}
    right.bar(list(costs), list(costs.values()), color=["#2563c9", "#6b7684"])
    right.set(yscale="log", ylabel="processor seconds", title="an independent sample at T = 2.27")
    page.savefig(path, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("--small", help="the checkpoint for L = 8 (without it there is no ln Z)")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--small-count", type=int, default=20_000, help="samples of the small torus")
    parser.add_argument("--steps", type=int, help="evaluations of the network a sample (default: the recipe's)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="bf16")
    parser.add_argument("--temperatures", type=float, nargs="+", default=TEMPERATURES)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    pipeline = SymdiffPipeline.load(arguments.checkpoint)
    arguments.steps = arguments.steps or pipeline.default_steps
    result: dict = {"count": arguments.count, "small_count": arguments.small_count, "steps": arguments.steps, "L=16": {}, "L=8": {}}
    for t in arguments.temperatures:
        result["L=16"][str(t)] = against(pipeline, t, arguments)
        print(table(result), flush=True)
    if arguments.small:
        small = SymdiffPipeline.load(arguments.small)
        for t in arguments.temperatures:
            result["L=8"][str(t)] = norm(small, t, arguments)
            print(table(result), flush=True)
    result["heat bath"] = heat_bath_cost(arguments.seed)
    (arguments.out / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    (arguments.out / "table.md").write_text(table(result))
    figure(result, arguments.out / "figure.png")
    print(json.dumps(result["heat bath"]), f"\n{arguments.out}: results.json, table.md, figure.png")


if __name__ == "__main__":
    main()
