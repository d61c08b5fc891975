"""Molecules in 3D: padding, training and sampling, beside the network of EDM, all measured in one run and in turns.

    python benchmarks/molecules3d.py [--recipe qm9-3d] [--checkpoint FOLDER] [--turns 3] [--seconds 10] [--json OUT]

- Padding: the share of node and pair slots that hold no atom, with batches grouped by size and without.
- Training: molecules a second of the recipe's whole loop as it stands and with EDM's depth and width (9 layers of 256),
  and of a step of EDM's network: an E(n)-equivariant GNN over all pairs, 9 x 256, 5.3 million parameters (Satorras et
  al., ICML 2021; Hoogeboom et al., Equivariant Diffusion for Molecule Generation in 3D, ICML 2022, equations 12 to 14),
  written from these equations, in three ways. "As published": single precision, the first layer on both atoms of every
  pair joined, batches as they come. "Tuned": the same network by settings alone, bfloat16 and batches grouped by size.
  "Lean": a floor of its time, rewritten, too: that layer as a sum over the two atoms. All without index lists,
  augmentation and data loading.
- Operations a molecule, forward and backward (matrix products, counted by torch), and the share of the peak of bfloat16
  matrix products.
- Sampling: molecules a second with the recipe's number of steps, and of EDM's with 1,000 evaluations, from
  the time of one.

With one thread on a CPU all times are the processor's, which other work on the machine does not take; else the clock's.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from training import SHAPES, Subject, synchronize

from symdiff.config import recipe as recipes
from symdiff.config.recipe import Recipe
from symdiff.data.dataset import Dataset
from symdiff.data.registry import open_dataset
from symdiff.pipeline import SymdiffPipeline
from symdiff.state import State
from symdiff.training.batches import Order
from symdiff.training.memory import keep_freed_memory

WIDTH, LAYERS, EDM_STEPS, SAMPLES = 256, 9, 1000, 128
RIVALS = {"lean": (True, True), "tuned": (False, True), "as published": (False, False)}
"""Whether the network is rewritten, and whether it runs in bfloat16 on batches of one size."""


class PairLayer(nn.Module):
    """φ(h_i, h_j, d_ij², a_ij) of two layers; the first is linear in each of them, so that, ``lean``, it is a sum."""

    def __init__(self, width: int, lean: bool) -> None:
        super().__init__()
        self.lean = lean
        self.left, self.right = nn.Linear(width, width), nn.Linear(width, width, bias=False)
        self.distance, self.second = nn.Linear(2, width, bias=False), nn.Linear(width, width)

    def forward(self, h: Tensor, lengths: Tensor) -> Tensor:
        if self.lean:
            m = self.left(h)[:, :, None] + self.right(h)[:, None] + self.distance(lengths)
        else:
            size = (*lengths.shape[:3], h.shape[-1])
            joined = torch.cat([h[:, :, None].expand(size), h[:, None].expand(size), lengths], -1)
            m = nn.functional.linear(
                joined, torch.cat([self.left.weight, self.right.weight, self.distance.weight], 1), self.left.bias
            )
        return nn.functional.silu(self.second(nn.functional.silu(m, inplace=True)), inplace=True)


class Layer(nn.Module):
    """Messages with a gate to the nodes, then from the new nodes a step along the directions between them."""

    def __init__(self, width: int, lean: bool) -> None:
        super().__init__()
        self.message, self.step = PairLayer(width, lean), PairLayer(width, lean)
        self.gate, self.length = nn.Linear(width, 1), nn.Linear(width, 1, bias=False)
        self.update = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, h: Tensor, x: Tensor, first: Tensor, pairs: Tensor) -> tuple[Tensor, Tensor]:
        between = x[:, :, None] - x[:, None]
        square = between.square().sum(-1, keepdim=True)
        lengths = torch.cat([square, first], -1).to(h.dtype)
        m = self.message(h, lengths)
        m = (m * (self.gate(m).sigmoid() * pairs)).sum(2) / 100
        h = h + self.update(torch.cat([h, m.to(h.dtype)], -1))
        move = between / (square + 1e-8).sqrt().add(1) * (self.length(self.step(h, lengths)).tanh() * 15 * pairs)
        return h, x + move.sum(2) / 100


class EDM(nn.Module):
    """Predicts the noise of atoms (one-hot and number, with the time) and positions: dense, over all pairs."""

    def __init__(self, features: int = 6, width: int = WIDTH, layers: int = LAYERS, lean: bool = True) -> None:
        super().__init__()
        self.enter, self.leave = nn.Linear(features + 1, width), nn.Linear(width, features + 1)
        self.layers = nn.ModuleList(Layer(width, lean) for _ in range(layers))

    def forward(self, h: Tensor, x: Tensor, t: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        here = mask[..., None].to(x)
        pairs = (mask[:, :, None] & mask[:, None] & ~torch.eye(mask.shape[1], dtype=torch.bool, device=mask.device))[
            ..., None
        ].to(x)
        first, start = (x[:, :, None] - x[:, None]).square().sum(-1, keepdim=True), x
        h = self.enter(torch.cat([h, t[:, None, None].expand(-1, h.shape[1], 1)], -1))
        for layer in self.layers:
            h, x = layer(h, x, first, pairs)
        return self.leave(h)[..., :-1] * here, centered((x - start) * here, here)


def centered(x: Tensor, here: Tensor) -> Tensor:
    return (x - x.sum(1, keepdim=True) / here.sum(1, keepdim=True)) * here


class Rival:
    """EDM's training step on the molecules of a recipe."""

    def __init__(self, data: Dataset, batch: int, lean: bool, tuned: bool, device: torch.device) -> None:
        torch.manual_seed(0)
        self.data, self.batch, self.half, self.device = data, batch, tuned, device
        self.network = EDM(len(data.symbols) + 1, lean=lean).to(device)
        self.average = [p.detach().clone() for p in self.network.parameters()]
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=1e-4, amsgrad=True, weight_decay=1e-12, foreach=True
        )
        self.order, self.step = Order(len(data), batch, 0, data.num_nodes if tuned else None), 0

    def inputs(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x0: State = self.data.batch(self.order.batch(self.step)).to(self.device)
        self.step += 1
        labels = nn.functional.one_hot(x0["atom"], len(self.data.symbols)).float()
        return (
            torch.cat([labels, x0["atom"][..., None] / 10], -1) * x0.mask[..., None],
            x0["position"][:, :, 0],
            torch.rand(self.batch, device=self.device),
            x0.mask,
        )

    def loss(self) -> Tensor:
        h, x, t, mask = self.inputs()
        here = mask[..., None].float()
        noise, moved = torch.randn_like(h) * here, centered(torch.randn_like(x) * here, here)
        a, b = (torch.cos(t * 1.57)[:, None, None], torch.sin(t * 1.57)[:, None, None])
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            one, other = self.network(a * h + b * noise, a * x + b * moved, t, mask)
        return (one.float() - noise).square().mean() + (other.float() - moved).square().mean()

    def train(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        self.loss().backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        torch._foreach_lerp_(self.average, [p.detach() for p in self.network.parameters()], 1e-4)

    @torch.no_grad()
    def evaluate(self) -> None:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            self.network(*self.inputs())

    def rate(self, steps: int, what: str) -> float:
        """Molecules a second."""
        start = now(self.device)
        for _ in range(steps):
            getattr(self, what)()
        return steps * self.batch / (now(self.device) - start)

    def operations(self) -> float:
        with FlopCounterMode(display=False) as counter:
            self.loss().backward()
        return counter.get_total_flops() / self.batch


def now(device: torch.device) -> float:
    """Seconds: of this process on one thread of a CPU, else of the clock."""
    synchronize(device)
    return time.process_time() if device.type == "cpu" and torch.get_num_threads() == 1 else time.perf_counter()


def peak(device: torch.device, seconds: float) -> float:
    """The best rate of a bfloat16 matrix product, in operations a second."""
    best = 0.0
    for m, k, n in SHAPES:
        a, b = torch.randn(m, k, device=device).bfloat16(), torch.randn(k, n, device=device).bfloat16()
        torch.mm(a, b)
        end = now(device) + seconds / len(SHAPES)
        while now(device) < end:
            start = now(device)
            for _ in range(4):
                torch.mm(a, b)
            best = max(best, 4 * 2 * m * k * n / (now(device) - start))
    return best


def looped(subject: Subject, steps: int) -> float:
    """Molecules a second of a recipe's whole loop."""
    start = now(subject.device)
    subject.loop(steps)
    return steps * subject.settings.batch.size / (now(subject.device) - start)


def padding(data: Dataset, batch: int, by_size: bool, batches: int = 400) -> dict[str, float]:
    """The shares of padded nodes and pairs."""
    order, sizes = Order(len(data), batch, 0, data.num_nodes if by_size else None), data.num_nodes
    held, slots = torch.zeros(2), torch.zeros(2)
    for step in range(batches):
        size = sizes[order.batch(step)].double()
        held += torch.stack([size.sum(), size.square().sum()])
        slots += torch.stack([size.max(), size.max().square()]) * batch
    return {name: round(float(share), 4) for name, share in zip(("nodes", "pairs"), 1 - held / slots, strict=True)}


def as_deep(recipe: Recipe) -> Recipe:
    """The recipe with EDM's depth and width, whether its denoiser is inside another one or not."""
    inside = "denoiser/denoiser" if "denoiser" in recipe.denoiser else "denoiser"
    for key, value in (("layers", LAYERS), ("width", WIDTH)):
        recipe = recipes.set(recipe, f"{inside}/{key}={value}")
    return recipe


def measure(recipe: Recipe, turns: int, seconds: float, batch: int, checkpoint: str | None) -> dict:
    mine = {
        "recipe": Subject(recipe, recipe.training.compute.compile),
        "recipe 9x256": Subject(as_deep(recipe), recipe.training.compute.compile),
    }
    data, device = mine["recipe"].data, mine["recipe"].device
    rivals = {f"EDM {name}": Rival(data, batch, *how, device) for name, how in RIVALS.items()}
    rates: dict[str, list[float]] = {name: [] for name in (*mine, *rivals)}
    steps = {
        name: max(1, round(seconds * looped(subject, 1) / subject.settings.batch.size))
        for name, subject in mine.items()
    }
    counts = {name: max(1, round(seconds * rival.rate(1, "train") / rival.batch)) for name, rival in rivals.items()}
    peaks = []
    for _ in range(turns):
        peaks.append(peak(device, seconds / 2))
        for name, subject in mine.items():
            rates[name].append(looped(subject, steps[name]))
        for name, rival in rivals.items():
            rates[name].append(rival.rate(counts[name], "train"))
    middle = {name: statistics.median(values) for name, values in rates.items()}
    work = {name: subject.operations() for name, subject in (*mine.items(), *rivals.items())}
    found = {
        "padding": {
            "by size": padding(data, recipe.training.batch.size, True),
            "as they come": padding(data, recipe.training.batch.size, False),
        },
        "parameters": {
            **{name: sum(p.numel() for p in s.diffusion.parameters()) for name, s in mine.items()},
            "EDM": sum(p.numel() for p in rivals["EDM lean"].network.parameters()),
        },
        "training_per_second": {name: round(rate, 2) for name, rate in middle.items()},
        "ratio_at_equal_depth_and_width": {name: round(middle["recipe 9x256"] / middle[name], 1) for name in rivals},
        "ratio_as_it_stands": {name: round(middle["recipe"] / middle[name], 1) for name in rivals},
        "operations_per_molecule": {name: round(value) for name, value in work.items()},
        "peak_operations_per_second": round(max(peaks)),
        "share_of_peak": {name: round(middle[name] * value / max(peaks), 4) for name, value in work.items()},
        "device": str(device),
        "threads": torch.get_num_threads(),
        "times": "of the processor" if device.type == "cpu" and torch.get_num_threads() == 1 else "of the clock",
    }
    if checkpoint:
        pipeline = SymdiffPipeline.load(checkpoint)
        sampled = {}
        for precision in ("fp32", "bf16"):
            pipeline.sample(32, 2, precision=precision, device=device)
            start = now(device)
            pipeline.sample(SAMPLES, precision=precision, device=device)
            sampled[f"{precision}, {pipeline.default_steps} steps"] = SAMPLES / (now(device) - start)
        for name, rival in rivals.items():
            sampled[f"{name}, {EDM_STEPS} steps"] = rival.rate(counts[name], "evaluate") / EDM_STEPS
        found["sampling_per_second"] = {name: round(rate, 4) for name, rate in sampled.items()}
        found["seconds_for_1000"] = {name: round(1000 / rate) for name, rate in sampled.items()}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="qm9-3d")
    parser.add_argument("--checkpoint", help="to sample from")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="of every measurement of a turn")
    parser.add_argument("--batch", type=int, default=64, help="of EDM's network")
    parser.add_argument("--padding", action="store_true", help="measure the padding alone")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    recipe = recipes.load(chosen.recipe)
    if chosen.padding:
        data = open_dataset(recipe.data.dataset, recipe.data.order).split("train")
        found = {
            name: padding(data, recipe.training.batch.size, by_size)
            for name, by_size in (("by size", True), ("as they come", False))
        }
    else:
        keep_freed_memory()
        found = measure(recipe, chosen.turns, chosen.seconds, chosen.batch, chosen.checkpoint)
    text = json.dumps(found, indent=1)
    if chosen.json:
        chosen.json.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
