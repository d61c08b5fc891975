"""Run the toy training in a process of its own."""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import subprocess
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from tests.training import toy, worlds

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fork():
    """``fork(function, *arguments)``: a running process, forked from a server that has torch imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.training.toy", "tests.training.worlds"])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(ROOT)
    started = []

    def run(function, *arguments, **named) -> BaseProcess:
        started.append(context.Process(target=function, args=arguments, kwargs=named))
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
def start(fork):
    """``start(out, **arguments of toy.train)``: a running process that trains the toy."""
    return lambda out, **arguments: fork(toy.train, out, **arguments)


@pytest.fixture
def train_in_world(fork, tmp_path):
    """``train_in_world(world, recipe's text, out, resume, kill)``.

    The exit codes, and what every process wrote to stderr.
    """

    def run(
        world: int, text: str, out: Path, resume: bool = False, kill: tuple[int, int] | None = None
    ) -> tuple[list[int | None], list[str]]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        logs = [tmp_path / f"stderr-{rank}" for rank in range(world)]
        members = [
            fork(worlds.member, rank, world, port, log, text, out, resume, kill) for rank, log in enumerate(logs)
        ]
        for one in members:
            one.join(100)
        return [one.exitcode for one in members], [log.read_text() for log in logs]

    return run


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
