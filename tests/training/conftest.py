"""Run the toy training in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOY = Path(__file__).with_name("toy.py")
ROOT = TOY.parents[2]


@pytest.fixture
def toy():
    """``toy(out, *arguments, processes=1, **settings)``: a started process; ``.wait()`` for its code."""
    started = []

    def start(out: Path, *arguments: str, processes: int = 1, **settings) -> subprocess.Popen:
        torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"] if processes > 1 else []
        command = [sys.executable, *torchrun, str(TOY), str(out), *arguments, "--set", json.dumps(settings)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        started.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
