"""How much of a structure comes back from its latent, how smooth latents are, and how fast both ways are.

    python benchmarks/autoencoders.py CHECKPOINT... [--dataset NAME] [--count 20000] [--json FILE]

For each checkpoint: the share of structures that come back exactly (all labels and the number of nodes) on the test
split and on as many of the training split, with 95 % intervals; the share that still comes back when normal noise of
a standard deviation of 0.05 to 0.5 is added to the latents; and structures a second, encoded and decoded on one core,
beside the share of the measured peak of matrix products.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from symdiff.autoencoders.autoencoder import Autoencoder, likeliest
from symdiff.autoencoders.base import LATENT
from symdiff.data.dataset import Dataset
from symdiff.data.registry import open_dataset
from symdiff.pipeline import Pipeline
from symdiff.random import Streams, normal
from symdiff.state import State, extent

BATCH = 256
LEVELS = (0.05, 0.1, 0.2, 0.3, 0.5)


def interval(hits: int, count: int) -> list[float]:
    """Wilson's 95 % interval of a share."""
    z, share = 1.96, hits / count
    center, half = share + z * z / (2 * count), z * math.sqrt(share * (1 - share) / count + z * z / (4 * count**2))
    return [(center - half) / (1 + z * z / count), (center + half) / (1 + z * z / count)]


def measure_exact(model: Autoencoder, structures: Dataset, count: int) -> dict:
    """The share of structures that come back exactly."""
    rows = torch.arange(min(count, len(structures))) * len(structures) // min(count, len(structures))
    hits = sum(int(model.exact(structures.batch(part), Streams(0, part)).sum()) for part in rows.split(BATCH))
    return {"count": len(rows), "exact": hits / len(rows), "interval": interval(hits, len(rows))}


def same(one: State, other: State) -> torch.Tensor:
    """Which structures of two batches with one mask have the same labels, (B,)."""
    equal = [
        ((one[name] == other[name]) | ~extent(field, one.mask)).reshape(len(one), -1).all(1)
        for name, field in one.schema.items()
        if not one[name].is_floating_point()
    ]
    return torch.stack(equal).all(0)


def measure_noise(model: Autoencoder, structures: Dataset, count: int) -> dict[str, float]:
    """The share of decoded structures that noise on the latents does not change, by its standard deviation."""
    rows = torch.arange(min(count, len(structures)))
    shares = {}
    for level in LEVELS:
        hits = 0
        for part in rows.split(BATCH):
            x, streams = structures.batch(part), Streams(1, part)
            z = model.breaker.sample(x, Streams(0, part))
            latent = model.encoder(x, z)
            noise = normal(tuple(latent[LATENT].shape), streams, latent.mask)
            noisy = latent.with_values(**{LATENT: latent[LATENT] + level * noise})
            unchanged = same(likeliest(model.predict(noisy, z)), likeliest(model.predict(latent, z)))
            if model.per_structure:
                unchanged &= model.decoder.sizes(noisy).argmax(-1) == model.decoder.sizes(latent).argmax(-1)
            hits += int(unchanged.sum())
        shares[str(level)] = hits / len(rows)
    return shares


def rate(function: Callable[[], object], seconds: float = 3.0) -> float:
    """Calls a second, after a warm-up."""
    function()
    start, calls = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        function()
        calls += 1
    return calls / (time.perf_counter() - start)


def measure_speed(model: Autoencoder, structures: Dataset) -> dict:
    """Structures a second on one core in bfloat16, and the share of the peak of matrix products."""
    torch.set_num_threads(1)
    square = torch.randn(2048, 2048).bfloat16()
    peak = rate(lambda: square @ square) * 2 * 2048**3
    x = structures.batch(torch.arange(BATCH) % len(structures))
    result: dict = {"peak_tflops": peak / 1e12}
    latent = model.encode(x)
    for name, function in (("encode", lambda: model.encode(x)), ("decode", lambda: model.decode(latent))):
        with FlopCounterMode(display=False) as counter:
            function()
        with torch.autocast("cpu", torch.bfloat16):
            calls = rate(function)
        result[name] = {"per_second": calls * BATCH, "share_of_peak": calls * counter.get_total_flops() / peak}
    return result


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", nargs="+")
    parser.add_argument("--dataset", help="default: the one that the recipe names")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    results = {}
    for source in chosen.checkpoints:
        pipeline = Pipeline.load(source)
        assert pipeline.recipe is not None
        dataset = open_dataset(chosen.dataset or pipeline.recipe.data.dataset, pipeline.recipe.data.order)
        model = pipeline.autoencoder.eval()
        held = next(name for name in ("test", "valid", "train") if name in dataset.splits)
        result = {
            "dim": pipeline.encoder.config["dim"],
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            held: measure_exact(model, dataset.split(held), chosen.count),
            "train": measure_exact(model, dataset.split("train"), chosen.count),
            "unchanged_by_noise": measure_noise(model, dataset.split(held), min(chosen.count, 2000)),
            "speed": measure_speed(model, dataset.split("train")),
        }
        results[source] = result
        print(source, json.dumps(result, indent=1), flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
