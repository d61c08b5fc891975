"""Samples written by several processes, each forked from a server that has torch imported."""

from __future__ import annotations

import multiprocessing
import os
import socket
from pathlib import Path

from typer.testing import CliRunner


def run(world: int, *words: object) -> list[int]:
    """The exit codes of a command that torchrun starts in ``world`` processes."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["symdiff.pipeline", "symdiff.cli.sample", "rdkit.Chem"])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    members = [
        context.Process(target=member, args=(rank, world, port, [str(word) for word in words], Path.cwd()))
        for rank in range(world)
    ]
    for one in members:
        one.start()
    for one in members:
        one.join(120)
    return [one.exitcode for one in members]


def member(rank: int, world: int, port: int, words: list[str], folder: Path) -> None:
    """Process ``rank`` of ``world``, as torchrun starts it."""
    import torch

    from symdiff.cli.main import app

    os.chdir(folder)
    os.environ.update(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)
    )
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)
    os._exit(CliRunner().invoke(app, words).exit_code)
