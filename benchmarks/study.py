"""Internal and external symmetry breaking in prediction: kernels by inputs, tested as the data are and turned.

    python -m benchmarks.study TASK --out runs/study [--seeds 3] [--minutes 60] [--only TEXT] [--set KEY=VALUE]

TASK: ``motion`` (CMU subject 35, displacement of 31 joints 8 frames later), ``parts`` (FIRST-MM, the part of every
point), ``properties`` (five of QM9 by one network) or one of these (``mu``, ``alpha``, ``homo``, ``lumo``, ``cv``),
each from its recipe in ``recipes/points`` with every cell on the same budget. A cell is a choice of kernels (internal),
of inputs (external) and whether structures are turned at random in training; it is trained once a seed, and what is
complete is kept, so a study that was stopped goes on where it was. ``--minutes``: no cell is begun after that time.
Writes ``results.json`` and ``table.md`` after every cell, and ``figure.png``.

Errors are of the test split: as the data are, turned by up to 15 degrees about the vertical axis, by any angle about
it, and by any rotation. A ``pose`` turns with the structure, as in Vadgama et al., Probing Equivariance and Symmetry
Breaking in Convolutional Networks (NeurIPS 2025). "Changes": how much a prediction, turned back, differs from that of
the structure that was not turned: root mean square over that of the prediction, or the share of labels.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.study_cells import TASKS, Cell, Task, cells
from symdiff.config import recipe as recipes
from symdiff.data.dataset import Dataset
from symdiff.data.registry import open_dataset
from symdiff.diffusion import Diffusion
from symdiff.errors import UserError
from symdiff.groups.orthogonal import Orthogonal
from symdiff.pipeline import SymdiffPipeline
from symdiff.random import Streams, uniform
from symdiff.state import Categorical, State
from symdiff.training.run import train

SPACE = Orthogonal(3, special=True)
TURNS = ("as they are", "±15° about the vertical", "about the vertical", "all rotations")
CHOICES = ("internal", "external", "turned in training")
BATCH = 64


def turned(x: State, kind: str, vertical: int, streams: Streams) -> tuple[Tensor, State]:
    """Matrices (B, 3, 3) of the kind, and the structures turned by them."""
    if kind == "all rotations":
        g = SPACE.sample(x.mask, streams)
    else:
        widest = {"as they are": 0.0, "±15° about the vertical": math.radians(15), "about the vertical": math.pi}[kind]
        angle = widest * (2 * uniform((len(x),), streams, torch.zeros(0, dtype=torch.float64)) - 1)
        g, (a, b) = SPACE.identity(x.mask), [axis for axis in range(3) if axis != vertical]
        g[:, a, a], g[:, b, b], g[:, a, b], g[:, b, a] = angle.cos(), angle.cos(), -angle.sin(), angle.sin()
    return g, SPACE.act(g, x)


@torch.no_grad()
def predict(diffusion: Diffusion, x: State, streams: Streams) -> State:
    """The prediction for what x gives; of labels the most likely one."""
    process = diffusion.process
    known = x.only(*(name for name in x.schema if name not in process.schema))
    start = process.prior(x.mask, streams)
    t = torch.ones(len(x))
    seen = known.with_values(start.schema, **start.values)
    out = diffusion.denoiser(seen, t, diffusion.draw(known, start, streams))
    if all(isinstance(field, Categorical) for field in process.schema.values()):
        return State(
            x.mask, process.schema, {name: torch.where(x.mask, out[name].argmax(-1), 0) for name in process.schema}
        )
    return process.step(seen, out, t, torch.zeros_like(t), streams).only(*process.schema)


def error(guess: State, truth: State) -> Tensor:
    """The error of every structure in the unit of the data, (B,), or of its several numbers, (B, numbers)."""
    (name, field), mask = next(iter(guess.schema.items())), truth.mask
    if isinstance(field, Categorical):
        here = mask[..., None]
        one, other = (torch.nn.functional.one_hot(state[name], field.classes).bool() & here for state in (guess, truth))
        shared, either = (one & other).sum(1).double(), (one | other).sum(1)
        return 1 - (shared / either.clamp_min(1)).sum(1) / (either > 0).sum(1)
    off = (guess[name] - truth[name]).double()
    return off.abs().squeeze(1) if field.axes == "whole" else off.square().flatten(1).sum(1) / (3 * mask.sum(1))


def numbers(found: Tensor, task: Task) -> list[float]:
    """The mean over structures of what ``error`` gave, in the task's unit.

    Of several numbers that of their shares, then each of them.
    """
    mean = found.double().mean(0)
    if not task.columns:
        return [task.times * mean.item()]
    spread, times = torch.tensor(list(task.columns.values()), dtype=torch.float64).unbind(1)
    return [task.times * (mean / spread).mean().item(), *(times * mean).tolist()]


def measure(pipeline: SymdiffPipeline, test: Dataset, task: Task) -> dict:
    """The errors under every kind of turn, and how much predictions change under all rotations."""
    diffusion, found = pipeline.diffusion.eval(), {kind: [] for kind in TURNS}
    gap, size = 0.0, 0.0
    rows = (
        torch.arange(len(test))
        if task.limit is None
        else torch.linspace(0, len(test) - 1, min(task.limit, len(test))).round().long()
    )
    for part in rows.split(BATCH):
        x, plain = test.batch(part), None
        for place, kind in enumerate(TURNS):
            g, moved = turned(x, kind, task.vertical, Streams(1, part, place))
            guess = predict(diffusion, moved, Streams(2, part, place))
            found[kind].append(error(guess, moved))
            back = SPACE.act(SPACE.inverse(g), guess)
            plain = back if plain is None else plain
        for name, field in plain.schema.items():  # the last kind is of all rotations
            labels = isinstance(field, Categorical)
            gap += float(
                (plain[name] != back[name]).sum() if labels else (plain[name] - back[name]).double().square().sum()
            )
            size += float(x.mask.sum() if labels else plain[name].double().square().sum())
    changes = gap / size if labels else math.sqrt(gap / size)
    errors = {kind: numbers(torch.cat(each), task) for kind, each in found.items()}
    columns = {kind: each for kind, (_, *each) in errors.items() if each}
    return {
        "errors": {kind: first for kind, (first, *_) in errors.items()},
        "columns": columns,
        "changes": changes,
        "count": len(rows),
    }


def run(cell: Cell, seed: int, task: Task, recipe: recipes.Recipe, out: Path) -> dict:
    """Train and measure one cell with one seed; what is there already is not done again."""
    folder = out / cell.folder / str(seed)
    if (folder / "result.json").is_file():
        return json.loads((folder / "result.json").read_text())
    for assignment in (*task.settings, *cell.settings(task), f"training/seed={seed}"):
        recipe = recipes.set(recipe, assignment)
    if not (folder / "checkpoint").is_dir():
        train(recipe, folder, resume=(folder / "recipe.yaml").is_file())
    pipeline = SymdiffPipeline.load(folder / "checkpoint")
    summary = json.loads((folder / "summary.json").read_text())
    size = {
        "parameters": sum(p.numel() for p in pipeline.denoiser.parameters()),
        "seconds": summary["wall_seconds"],
        "steps": summary["steps"],
    }
    result = {
        **vars(cell),
        "seed": seed,
        **measure(pipeline, open_dataset(recipe.data.dataset).split("test"), task),
        **size,
    }
    (folder / "result.json").write_text(json.dumps(result, indent=1))
    return result


def baselines(task: Task, recipe: recipes.Recipe) -> dict[str, list[float]]:
    """The ``numbers`` of predictions that nothing has to be learned for."""
    for assignment in task.settings:
        recipe = recipes.set(recipe, assignment)
    data = open_dataset(recipe.data.dataset)
    train_, test = data.split("train"), data.split("test")
    x = test.batch(torch.arange(len(test)))
    if "displacement" in x.schema:
        laws = {"no motion": torch.zeros_like(x["velocity"]), "straight on": x["velocity"] * (8 / 30)}
    elif "property" in x.schema:
        median = train_.batch(torch.arange(len(train_)))["property"].median(0).values
        laws = {"the median": median.expand(len(x), -1)}
    else:
        seen = train_.batch(torch.arange(len(train_)))
        categories, parts = seen.schema["category"].classes, seen.schema["part"].classes
        pairs = (seen["category"][:, None] * parts + seen["part"])[seen.mask]
        count = pairs.bincount(minlength=categories * parts).view(categories, parts)
        common = {
            "the most frequent part": count.sum(0).argmax().expand(len(x)),
            "that of the category": count.argmax(1)[x["category"]],
        }
        laws = {law: part[:, None].expand(x.mask.shape) for law, part in common.items()}
    (name,) = (name for name in x.schema if name not in data.domain.conditions)
    return {
        law: numbers(error(State(x.mask, {name: x.schema[name]}, {name: value}), x), task)
        for law, value in laws.items()
    }


def told(values: list[float]) -> str:
    """Mean, and standard deviation over seeds."""
    text = f"{statistics.mean(values):.3g}"
    return text if len(values) == 1 else f"{text} ± {statistics.stdev(values):.1g}"


def grouped(results: list[dict]) -> dict[Cell, list[dict]]:
    found: dict[Cell, list[dict]] = {}
    for result in results:
        found.setdefault(Cell(result["internal"], result["external"], result["augmented"]), []).append(result)
    return found


def table(results: list[dict], task: Task, simple: Mapping[str, list[float]]) -> str:
    """The cells in their order as a Markdown table, and another one with each of several predicted numbers."""
    heads = [
        f"{task.measure}, on {results[0]['count']} test structures",
        *(f"{law}: {value:.3g}" for law, (value, *_) in simple.items()),
    ]
    if task.published and not task.columns:
        heads.append(f"published, 8 directions: {task.published[0]:.3g}")
    rows = []
    for cell, each in grouped(results).items():
        values = [told([one["errors"][kind] for one in each]) for kind in TURNS] + [
            told([one["changes"] for one in each])
        ]
        rows.append([*named(cell), *values, f"{each[0]['parameters']:,}", str(len(each))])
    text = ", ".join(heads) + "\n\n" + markdown([*CHOICES, *TURNS, "changes", "parameters", "seeds"], rows)
    if not task.columns:
        return text
    rows = [[law, "", "", *(f"{value:.3g}" for value in each)] for law, (_, *each) in simple.items()]
    for cell, each in grouped(results).items():
        pairs = [
            [told([one["columns"][kind][k] for one in each]) for kind in (TURNS[0], TURNS[-1])]
            for k in range(len(task.columns))
        ]
        rows.append([*named(cell), *(" / ".join(pair) for pair in pairs)])
    rows.append(["published, 8 directions", "", "", *(f"{value:.3g}" for value in task.published)])
    return f"{text}\n{TURNS[0]} / {TURNS[-1]}:\n\n" + markdown([*CHOICES, *task.columns], rows)


def named(cell: Cell) -> tuple[str, str, str]:
    """What ``CHOICES`` say of a cell."""
    return cell.internal, cell.external, "yes" if cell.augmented else "no"


def markdown(heads: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *rows]) + "\n"


def figure(results: list[dict], task: Task, simple: Mapping[str, list[float]], path: Path) -> None:
    """Errors of all cells, one mark for every kind of turn."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = list(grouped(results).items())
    panel, axes = pyplot.subplots(figsize=(10, 2.5 + 0.28 * len(rows)), layout="constrained")
    for kind, mark, color in zip(TURNS, "o|x^", ("#1f77b4", "#7f7f7f", "#ff7f0e", "#d62728"), strict=True):
        axes.scatter(
            [statistics.mean(one["errors"][kind] for one in each) for _, each in rows],
            range(len(rows)),
            marker=mark,
            color=color,
            label=kind,
        )
    for law, (value, *_) in simple.items():
        axes.axvline(value, color="#cccccc", zorder=0)
        axes.text(value, -0.8, law, ha="center", va="bottom", fontsize=7, color="#888888")
    axes.set_yticks(range(len(rows)), [cell.name for cell, _ in rows], fontsize=7)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel(task.measure)
    axes.legend(fontsize=7)
    panel.savefig(path, dpi=140)
    pyplot.close(panel)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=list(TASKS))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=math.inf, help="no cell is begun after that time")
    parser.add_argument("--only", action="append", default=[], help="cells whose name has this text")
    parser.add_argument("--set", action="append", default=[], help="change a key of the recipe, for all cells")
    chosen = parser.parse_args()
    if chosen.seeds < 1:
        raise UserError(f"--seeds: expected at least 1, got {chosen.seeds}")
    task, begun = TASKS[chosen.task], time.monotonic()
    recipe = recipes.load(task.recipe)
    for assignment in chosen.set:
        recipe = recipes.set(recipe, assignment)
    out = chosen.out / chosen.task
    simple = baselines(task, recipe)
    wanted = [cell for cell in cells(task) if not chosen.only or any(text in cell.name for text in chosen.only)]
    results: list[dict] = []
    for seed in range(chosen.seeds):
        for cell in wanted:
            done = (out / cell.folder / str(seed) / "result.json").is_file()
            if not done and time.monotonic() - begun > 60 * chosen.minutes:
                continue
            results.append(run(cell, seed, task, recipe, out))
            if not done:
                report(results, task, simple, out)
    if results:
        report(results, task, simple, out)
        figure(results, task, simple, out / "figure.png")
        print(table(results, task, simple))


def report(results: list[dict], task: Task, simple: Mapping[str, list[float]], out: Path) -> None:
    """Write what is there so far."""
    (out / "results.json").write_text(json.dumps({"simple": simple, "cells": results}, indent=1))
    (out / "table.md").write_text(table(results, task, simple))


if __name__ == "__main__":
    main()
