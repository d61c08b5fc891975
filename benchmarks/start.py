"""How long the command line takes to answer, and a checkpoint to load.

    python benchmarks/start.py [CHECKPOINT]

The best of five fresh processes each, beside an empty Python process; ``symdiff --help`` must take less than half a
second and not import torch.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

CODES = {
    "python": "pass",
    "import symdiff": "import symdiff",
    "symdiff --help": "import sys; sys.argv = ['symdiff', '--help']\nfrom symdiff.cli.main import main\nmain()",
    "import torch": "import torch",
    "import symdiff.pipeline": "import symdiff.pipeline",
}


def seconds(code: str, repeats: int = 5) -> float:
    """The shortest time of some fresh processes."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", nargs="?", help="also load this checkpoint")
    chosen = parser.parse_args()
    codes = dict(CODES)
    if chosen.checkpoint:
        codes["load the checkpoint"] = f"from symdiff.pipeline import Pipeline; Pipeline.load({chosen.checkpoint!r})"
    for name, code in codes.items():
        print(f"{name:26} {seconds(code) * 1000:6.0f} ms", flush=True)


if __name__ == "__main__":
    main()
