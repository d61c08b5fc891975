"""How fast a recipe trains, and what share of the machine that is.

    python benchmarks/training.py [RECIPE] [--seconds 10] [--compare] [--set path/to/key=value]

Printed, all measured in one run and in turns, so that other work on the machine meets all of them alike:

- structures a second of the whole loop (data, loss, gradient, optimizer, average, log), median of the turns;
- the same of the bare forward and backward on one fixed batch, and what the loop costs on top;
- floating point operations a structure (forward and backward, matrix products only, counted by torch);
- the machine's peak in matrix products of bfloat16, the best of a few shapes, and the share of it that the loop
  reaches.

``--compare`` adds the loop with the denoiser compiled, and the loop with malloc's default thresholds (in a process of
its own). Run it through ``OMP_WAIT_POLICY=passive`` where other work shares the cores: threads that spin starve each
other.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from symdiff.config import recipe as recipes
from symdiff.config.recipe import Recipe
from symdiff.data.registry import open_dataset
from symdiff.pipeline import assemble
from symdiff.random import Streams
from symdiff.training.loop import Trainer
from symdiff.training.memory import keep_freed_memory
from symdiff.training.processes import launch
from symdiff.training.run import compile_networks

SHAPES = ((1024, 1024, 1024), (2048, 2048, 2048), (4608, 256, 1024), (4608, 1024, 1024))


def peak(device: torch.device, seconds: float) -> float:
    """The best rate of a bfloat16 matrix product, in operations a second."""
    best = 0.0
    for m, k, n in SHAPES:
        a, b = torch.randn(m, k, device=device).bfloat16(), torch.randn(k, n, device=device).bfloat16()
        torch.mm(a, b)
        end = time.perf_counter() + seconds / len(SHAPES)
        while time.perf_counter() < end:
            synchronize(device)
            start = time.perf_counter()
            for _ in range(4):
                torch.mm(a, b)
            synchronize(device)
            best = max(best, 4 * 2 * m * k * n / (time.perf_counter() - start))
    return best


class Subject:
    """A recipe's training that can be run for a while, again and again."""

    def __init__(self, recipe: Recipe, compiled: bool) -> None:
        endless = ("steps", 10**9), ("optimizer/warmup", 10**9), ("save/every", 10**9), ("sample/every", 0)
        for key, value in endless:
            recipe = recipes.set(recipe, f"training/{key}={value}")
        self.settings = recipe.training
        self.data = open_dataset(recipe.data.dataset, recipe.data.order).split("train")
        torch.manual_seed(0)
        self.diffusion = assemble(recipe, self.data.domain, self.data.marginals())
        if compiled:
            compile_networks(self.diffusion)
        self.folder = tempfile.TemporaryDirectory()
        self.trainer = Trainer(self.diffusion, self.data, self.settings, Path(self.folder.name), None, launch())
        self.device = self.trainer.device
        self.loop(3)

    def loop(self, steps: int) -> float:
        """Structures a second over ``steps`` steps of the whole loop."""
        log = Path(self.folder.name) / "log.jsonl"
        self.trainer.settings = self.settings.model_copy(
            update={"steps": self.trainer.step + steps, "log": self.settings.log.model_copy(update={"every": steps})}
        )
        self.trainer.checkpoints.save = lambda snapshot: None  # the end of a turn is no end of a training
        self.trainer.run()
        synchronize(self.device)
        return json.loads(log.read_text().splitlines()[-1])["samples_per_second"]

    def batch(self):
        size = self.settings.batch.size
        x0 = self.data.batch(self.trainer.order.batch(0), int(self.trainer.sizes.max())).to(self.device)
        return x0, Streams(1, torch.arange(size, device=self.device))

    def bare(self, steps: int) -> float:
        """Structures a second of forward and backward alone."""
        x0, generator = self.batch()
        self.diffusion.train()
        start = time.perf_counter()
        for _ in range(steps):
            self.diffusion.zero_grad(set_to_none=True)
            with self.trainer.autocast():
                loss = self.diffusion(x0, generator).float().mean()
            loss.backward()
        synchronize(self.device)
        return steps * self.settings.batch.size / (time.perf_counter() - start)

    def operations(self) -> float:
        """Operations a structure, forward and backward."""
        with FlopCounterMode(display=False) as counter, self.trainer.autocast():
            self.diffusion(*self.batch()).float().mean().backward()
        return counter.get_total_flops() / self.settings.batch.size


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def measure(recipe: Recipe, seconds: float, compare: bool, turns: int = 5) -> dict:
    """All the numbers, each the median of ``turns`` turns (the peak: the best)."""
    subjects = {"loop": Subject(recipe, recipe.training.compute.compile)}
    plain = subjects["loop"]
    operations = (
        plain.operations()
        if not recipe.training.compute.compile
        else Subject(set_compile(recipe, False), False).operations()
    )
    if compare:
        subjects["loop_compiled" if not recipe.training.compute.compile else "loop_not_compiled"] = Subject(
            recipe, not recipe.training.compute.compile
        )
    steps = max(1, round(seconds / turns * plain.bare(3) / plain.settings.batch.size))
    rates: dict[str, list[float]] = {"bare": [], **{name: [] for name in subjects}}
    peaks = []
    for _ in range(turns):
        peaks.append(peak(plain.device, seconds / turns / 2))
        rates["bare"].append(plain.bare(steps))
        for name, subject in subjects.items():
            rates[name].append(subject.loop(steps))
    middle = {name: statistics.median(values) for name, values in rates.items()}
    overhead = statistics.median(b / a - 1 for a, b in zip(rates["loop"], rates["bare"], strict=True))
    return {
        "recipe": recipe.name,
        "batch_size": plain.settings.batch.size,
        "parameters": sum(p.numel() for p in plain.diffusion.parameters()),
        "precision": plain.settings.compute.precision,
        "device": str(plain.device),
        "threads": torch.get_num_threads(),
        **{f"{name}_per_second": round(rate, 1) for name, rate in middle.items()},
        "loop_overhead": round(overhead, 4),
        "operations_per_structure": round(operations),
        "peak_operations_per_second": round(max(peaks)),
        "share_of_peak": round(middle["loop"] * operations / max(peaks), 4),
    }


def set_compile(recipe: Recipe, value: bool) -> Recipe:
    return recipes.set(recipe, f"training/compute/compile={'true' if value else 'false'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", nargs="?", default="qm9-graph")
    parser.add_argument("--seconds", type=float, default=10.0, help="of every measurement")
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--default-malloc", action="store_true", help="leave malloc's thresholds as they are")
    parser.add_argument("--set", action="append", default=[], metavar="path/to/key=value")
    arguments = parser.parse_args()
    recipe = recipes.load(arguments.recipe)
    for assignment in arguments.set:
        recipe = recipes.set(recipe, assignment)
    kept = False if arguments.default_malloc else keep_freed_memory()
    result = {**measure(recipe, arguments.seconds, arguments.compare), "freed_memory_kept": kept}
    if arguments.compare:
        again = [arg for arg in sys.argv if arg != "--compare"] + ["--default-malloc"]
        said = subprocess.run([sys.executable, *again], check=True, capture_output=True, text=True).stdout
        other = json.loads(said)
        result["loop_per_second_default_malloc"] = other["loop_per_second"]
        result["share_of_peak_default_malloc"] = other["share_of_peak"]
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
