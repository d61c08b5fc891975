"""Structures sampled a second, by precision and batch size, after a warm-up batch.

    python benchmarks/sampling.py CHECKPOINT [--count 2048] [--steps K]

Prints the rate, the ratio to the first row, and the share of the time that is spent in the network.
"""

from __future__ import annotations

import argparse
import time

from torch import nn

from symdiff.pipeline import Pipeline


def timed(network: nn.Module) -> list[float]:
    """A list that collects the seconds of every later evaluation of ``network``."""
    spent: list[float] = []
    start = [0.0]
    network.register_forward_pre_hook(lambda *_: start.__setitem__(0, time.perf_counter()))
    network.register_forward_hook(lambda *_: spent.append(time.perf_counter() - start[0]))
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("--count", type=int, default=2048)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[128, 256, 512, 1024])
    chosen = parser.parse_args()
    pipeline = Pipeline.load(chosen.checkpoint)
    spent, first = timed(pipeline.denoiser), None
    print(f"{'precision':10}{'batch':>7}{'per second':>12}{'ratio':>8}{'network':>9}")
    for precision in ("fp32", "bf16"):
        for size in chosen.batch_sizes:
            pipeline.sample(size, 2, batch_size=size, precision=precision)
            spent.clear()
            start = time.perf_counter()
            pipeline.sample(chosen.count, chosen.steps, batch_size=size, precision=precision)
            seconds = time.perf_counter() - start
            first = first or seconds
            share = sum(spent) / seconds
            print(f"{precision:10}{size:7}{chosen.count / seconds:12.0f}{first / seconds:8.2f}{share:9.0%}", flush=True)


if __name__ == "__main__":
    main()
