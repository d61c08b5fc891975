"""A toy diffusion and a toy dataset, and a program that trains the one on the other: what the tests kill and resume."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from symdiff.config.training import TrainingSettings
from symdiff.random import normal
from symdiff.training.loop import Trainer
from symdiff.training.run import finish


class Points:
    """In place of a State: (B, N) numbers."""

    def __init__(self, values: Tensor) -> None:
        self.values = values


class Structures:
    """``size`` rows of numbers; row i starts with i. Remembers which rows were asked for."""

    def __init__(self, size: int = 50) -> None:
        self.values = torch.randn(size, 6, generator=torch.Generator().manual_seed(1))
        self.values[:, 0] = torch.arange(size)
        self.num_nodes = torch.randint(3, 7, (size,), generator=torch.Generator().manual_seed(2))
        self.asked: list[list[int]] = []

    def __len__(self) -> int:
        return len(self.values)

    def batch(self, indices: Tensor, nodes: int | None = None) -> Points:
        self.asked.append(indices.tolist())
        mask = torch.arange(nodes) < self.num_nodes[indices, None]
        return Points(self.values[indices, :nodes] * mask)


class Toy(nn.Module):
    """A network with dropout, a buffer and a loss that depends on noise; ``broken`` names steps whose loss is NaN."""

    def __init__(self, dropout: float = 0.0, broken: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.blocks = nn.Sequential(nn.Linear(1, 32), nn.SiLU(), nn.Dropout(dropout), nn.Linear(32, 1))
        self.scale = nn.Parameter(torch.ones(()))
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))
        self.broken = broken
        self.noise: list[Tensor] = []

    def forward(self, x0: Points, generator=None) -> Tensor:
        noise = normal(x0.values.shape, generator)
        self.noise.append(noise)
        out = self.blocks((x0.values / 50 + noise)[..., None])[..., 0] * self.scale
        if int(self.calls) in self.broken:
            out = out * torch.nan
        self.calls += 1
        return (out - x0.values / 50).square().sum(1)


def settings(**changes) -> TrainingSettings:
    """Those of the tests, with values or parts of sections changed."""
    plain = {
        "steps": 60, "seed": 3, "batch": {"size": 8}, "optimizer": {"kind": "muon", "learning_rate": 1e-2, "warmup": 5},
        "average": {"decay": 0.9},
        "save": {"every": 3}, "sample": {"every": 10, "count": 4}, "log": {"every": 2},
    }  # fmt: skip
    for name, value in changes.items():
        plain[name] = {**plain.get(name, {}), **value} if isinstance(value, dict) else value
    return TrainingSettings.model_validate(plain)


def observe(diffusion: nn.Module, step: int) -> dict:
    """Uses up global chance on purpose."""
    return {"mean": float(torch.randn(100).mean()), "weight": float(diffusion.blocks[0].weight.detach().mean())}


def train(out: Path, resume: bool = False, sleep: float = 0.0, dropout: float = 0.1, **changes) -> None:
    """Train the toy into a folder, then exit as ``symdiff train`` does.

    ``sleep``: seconds that a step takes at least.
    """
    torch.manual_seed(0)
    torch.set_num_threads(1)
    diffusion, structures = Toy(dropout), Structures()
    diffusion.register_forward_hook(lambda *_: time.sleep(sleep))
    out.mkdir(exist_ok=True)
    trainer = Trainer(diffusion, structures, settings(**changes), out, observe)
    outcome = trainer.run(resume)
    seen = {"asked": structures.asked, "noise": [n.double().sum(1).tolist() for n in diffusion.noise]}
    (out / f"seen-{trainer.rank}.json").write_text(json.dumps(seen))
    finish(trainer.accelerator)
    sys.exit(128 + outcome.signal if outcome.signal else 0)


if __name__ == "__main__":
    train(Path(sys.argv[1]), **json.loads(sys.argv[2]))
