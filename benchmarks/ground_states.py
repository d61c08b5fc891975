"""Ground states of spins with symmetric couplings, predicted in one step with and without symmetry breaking.

    python benchmarks/ground_states.py --out runs/ground-states [--steps 800] [--only SymPE]

Trains ``recipes/lattice/ground-states.yaml`` with every variant on equal budgets (runs that are complete are kept) and
predicts spins for Hamiltonians that were not in the data, L = 8: J1 and J2 or Jx and Jy, with and without a field.
Writes ``results.json``, ``table.md`` and ``figure.png``. The exact energies are those of
``symdiff.data.sets.lattices.levels``. Away from phase boundaries: the next level is 0.1 per site above. Balance: of 400
predictions for one Hamiltonian with d ground states those that are one of them, and the p-value of a chi-square test
that all d come equally often; nan where they are too few to tell.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from symdiff.breaking.base import SymmetryBreaker
from symdiff.breaking.codes import Code
from symdiff.config import recipe as recipes
from symdiff.config.building import build
from symdiff.data.sets.lattices import LARGEST_FIELD, PHASES, conditions, gap, levels, patterns
from symdiff.errors import UserError
from symdiff.pipeline import SymdiffPipeline
from symdiff.random import Generator
from symdiff.sampling.request import Request
from symdiff.state import Schema, State
from symdiff.testing import chi_square
from symdiff.training.run import train

SIDE, AWAY, DRAWS = 8, 0.1, 400
BALANCED = {
    "ferromagnet": (1.0, 1.0, 0.0, 0.0),
    "antiferromagnet": (-1.0, -1.0, 0.0, 0.0),
    "stripes": (0.3, 0.3, -0.9, 0.0),
    "stripes along one axis": (0.8, -0.8, 0.0, 0.0),
}
"""Jx, Jy, J2, h of the Hamiltonians whose ground states are counted."""


class Fixed(SymmetryBreaker):
    """z = v for every structure, which is no equivariant law: coordinates as an input, for comparison."""

    anchor = "none"

    @register_to_config
    def __init__(self, code: Code | Mapping) -> None:
        super().__init__()
        self.code = build(Code, code)

    @property
    def schema(self) -> Schema:
        return self.code.schema

    def sample(self, x: State, generator: Generator | None = None) -> State:
        return self.code(x.mask)

    def prior(self, mask: Tensor, generator: Generator | None = None) -> State:
        return self.code(mask)


VARIANTS = {
    "no breaking": {"breaker": {"kind": "Nothing"}},
    "noise injection": {"breaker": {"kind": "SiteNoise", "dim": 16}},
    "relaxed convolution": {"breaker": {"kind": "Nothing"}, "denoiser/symmetry": "relaxed"},
    "not equivariant": {
        "breaker": {"kind": "Fixed", "code": {"kind": "SiteCode", "dim": 16}},
        "denoiser/symmetry": "translations",
    },
    "SymPE": {},
}


def hamiltonians(count: int, margin: float, seed: int) -> Tensor:
    """Jx, Jy, J2, h as in the training data, (count, 4), from another seed."""
    generator = torch.Generator().manual_seed(seed)
    numbers = 2 * torch.rand(20 * count, 4, generator=generator) - 1
    numbers[::2, 1], numbers[1::2, 2] = numbers[::2, 0], 0.0
    numbers[:, 3] *= LARGEST_FIELD * (torch.rand(len(numbers), generator=generator) < 0.5)
    return numbers[gap(numbers) >= margin][:count]


def predict(pipeline: SymdiffPipeline, numbers: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Spins (M, N) and how far their energies per site are above the exact ones, (M,)."""
    schema = pipeline.domain.schema
    given = conditions(numbers, SIDE)
    mask = torch.ones(len(numbers), SIDE * SIDE, dtype=torch.bool)
    condition = State(mask, {name: schema[name] for name in given}, given)
    state = pipeline.sample(Request(len(numbers), condition=condition, seed=seed), 1).state()
    energy = pipeline.domain.hamiltonian(state).energy(state["spin"])
    return state["spin"], energy - levels(numbers.float())[:, :-1].amin(1)


def phase(numbers: Tensor) -> list[str]:
    """The phase of every Hamiltonian's ground states; a ferromagnet in a field is polarized."""
    places = levels(numbers)[:, :-1].argmin(1).tolist()
    return [
        "polarized" if PHASES[k] == "ferromagnet" and h != 0 else PHASES[k]
        for k, h in zip(places, numbers[:, 3].tolist(), strict=True)
    ]


def balance(pipeline: SymdiffPipeline, numbers: tuple, seed: int) -> float:
    """The p-value that all ground states come equally often, of the predictions that are ground states."""
    many = torch.tensor([numbers]).expand(DRAWS, -1)
    spins, _ = predict(pipeline, many, seed)
    energy = levels(many[:1])[0, :-1]
    lowest = patterns(SIDE)[energy <= energy.min()]
    same = (spins[:, None] == lowest).all(-1)
    if int(same.sum()) < 10 * len(lowest):
        return float("nan")
    return chi_square(same.sum(0), torch.ones(len(lowest)))


def run(name: str, out: Path, recipe: recipes.Recipe, count: int) -> dict:
    """Train one variant and measure it; what is there already is not trained again."""
    folder = out / name.replace(" ", "-")
    for key, value in VARIANTS[name].items():
        recipe = recipes.set(recipe, f"{key}={json.dumps(value)}")
    if not (folder / "checkpoint").is_dir():
        train(recipe, folder, resume=(folder / "recipe.yaml").is_file())
    pipeline = SymdiffPipeline.load(folder / "checkpoint")
    result: dict = {"variant": name, "seconds": json.loads((folder / "summary.json").read_text())["wall_seconds"]}
    for key, margin in (("away", AWAY), ("near", 0.0)):
        numbers = hamiltonians(count, margin, seed=1)
        _, excess = predict(pipeline, numbers, seed=2)
        exact = (excess < 1e-6).double()
        result[key] = {"share": exact.mean().item(), "excess": excess.mean().item(), "count": len(numbers)}
        names = phase(numbers)
        result[key]["phases"] = {
            each: exact[[k for k, one in enumerate(names) if one == each]].mean().item()
            for each in dict.fromkeys(names)
        }
    result["balance"] = {each: balance(pipeline, numbers, seed=3) for each, numbers in BALANCED.items()}
    (folder / "result.json").write_text(json.dumps(result, indent=1))
    return result


def table(results: list[dict]) -> str:
    """All variants as a Markdown table."""
    kinds = ("ferromagnet", "antiferromagnet", "stripes", "polarized")
    lines = [
        f"| variant | exact ground states | of them {' / '.join(kinds)} | energy above exact | all Hamiltonians | "
        "balance, p | seconds |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for result in results:
        away, near = result["away"], result["near"]
        phases = " / ".join(f"{away['phases'].get(kind, float('nan')):.3f}" for kind in kinds)
        pvalues = " / ".join(f"{value:.2g}" for value in result["balance"].values())
        cells = (
            result["variant"],
            f"{away['share']:.4f}",
            phases,
            f"{away['excess']:.4f}",
            f"{near['share']:.4f}",
            pvalues,
            f"{result['seconds']:.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def figure(out: Path, names: list[str], path: Path, points: int = 41) -> None:
    """For every variant the energy of a prediction above the exact one over two planes, with exact phases."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    planes = {"J2": (2, "J1", "J2 (h = 0)"), "h": (3, "J1", "h (J2 = 0)")}
    panels, axes = pyplot.subplots(
        2, len(names), figsize=(2.5 * len(names), 4.8), sharex=True, sharey="row", squeeze=False, layout="constrained"
    )
    shown = None
    for column, name in enumerate(names):
        pipeline = SymdiffPipeline.load(out / name.replace(" ", "-") / "checkpoint")
        for row, (place, horizontal, vertical) in enumerate(planes.values()):
            x = torch.linspace(-1, 1, points)
            y = x * (LARGEST_FIELD if place == 3 else 1)
            grid = torch.zeros(points, points, 4)
            grid[..., 0] = grid[..., 1] = x
            grid[..., place] = y[:, None]
            numbers = grid.view(-1, 4)
            _, excess = predict(pipeline, numbers, seed=4)
            shown = axes[row, column].pcolormesh(
                x, y, excess.view(points, points).clamp_min(0), vmin=0, vmax=2, cmap="magma_r"
            )
            level = levels(numbers)[:, :-1].view(points, points, -1)
            kind = level.argmin(-1).div(2, rounding_mode="floor").clamp_max(2)
            axes[row, column].contour(x, y, kind, levels=[0.5, 1.5], colors="#1f77b4", linewidths=1)
            axes[row, column].set(
                xlabel=horizontal if row else "", ylabel=vertical if not column else "", title="" if row else name
            )
    panels.colorbar(shown, ax=axes, label="energy per site above the ground state")
    panels.savefig(path, dpi=140)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=2000, help="Hamiltonians to predict for")
    parser.add_argument("--steps", type=int, help="of training, for every variant")
    parser.add_argument("--only", action="append", choices=list(VARIANTS), help="these variants alone")
    chosen = parser.parse_args()
    recipe = recipes.load("ground-states")
    if chosen.steps is not None:
        if chosen.steps < 1:
            raise UserError(f"--steps: expected at least 1, got {chosen.steps}")
        recipe = recipes.set(recipe, f"training/steps={chosen.steps}")
    names = [name for name in VARIANTS if not chosen.only or name in chosen.only]
    results = [run(name, chosen.out, recipe, chosen.count) for name in names]
    (chosen.out / "results.json").write_text(json.dumps(results, indent=1))
    (chosen.out / "table.md").write_text(table(results))
    figure(chosen.out, names, chosen.out / "figure.png")
    print(table(results))


if __name__ == "__main__":
    main()
