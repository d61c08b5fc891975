"""Run the toy training in a process of its own."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
sys.path.insert(0, str(HERE))  # for the tests and for the processes that they start

import toy  # noqa: E402


@pytest.fixture
def start():
    """``start(out, **arguments of toy.train)``: a running process, forked from a server that has torch imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["toy"])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), str(ROOT)])
    started = []

    def run(out: Path, **arguments) -> BaseProcess:
        started.append(context.Process(target=toy.train, args=(out,), kwargs=arguments))
        started[-1].start()
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.join()
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@pytest.fixture
def torchrun():
    """``torchrun(out, processes, **arguments of toy.train)``: (exit code, what was said)."""

    def run(out: Path, processes: int, **arguments) -> tuple[int, str]:
        command = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
        done = subprocess.run(
            [sys.executable, *command, toy.__file__, str(out), json.dumps(arguments)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
        )
        return done.returncode, done.stderr

    return run
