"""A recipe trained by several processes, each forked from a server that has torch imported."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import torch

from symdiff.config import recipe as recipes
from symdiff.errors import UserError
from symdiff.training import loop
from symdiff.training.run import train


def member(
    rank: int, world: int, port: int, log: Path, text: str, out: Path, resume: bool, kill: tuple[int, int] | None
) -> None:
    """Process ``rank`` of ``world``, as torchrun starts it.

    ``kill``: the rank that is killed, and at the begin of which step.
    """
    os.environ.update(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)
    )
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    sys.stderr = log.open("w", buffering=1)
    torch.set_num_threads(1)
    advance = loop.Trainer._advance

    def until_killed(self, interruption):
        if kill == (rank, self.step):
            os.kill(os.getpid(), signal.SIGKILL)
        advance(self, interruption)

    loop.Trainer._advance = until_killed
    try:
        train(recipes.load(text), out, resume)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.stderr.flush()
        os._exit(2)  # as torchrun ends a process whose group is broken
