"""The processes that work on one run."""

from __future__ import annotations

from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import is_tensorboard_available

from symdiff.errors import UserError


def launch(tracker: str | None = None, out: Path | None = None) -> Accelerator:
    """Join the processes that torchrun started (gloo on CPUs), or stand alone. Autocast is the loop's own business.

    Parameters
    ----------
    tracker : {"tensorboard"}, optional
        Which tracker of Accelerate follows the training.
    out : Path, optional
        The folder that it writes to.

    Returns
    -------
    Accelerator
        On a GPU where there is one.

    Raises
    ------
    UserError
        Where the tracker is not installed.
    """
    if tracker == "tensorboard" and not is_tensorboard_available():
        raise UserError(
            "training.log.tracker: tensorboard is not installed; install it, or leave the key out and read log.jsonl"
        )
    if torch.cuda.is_available():
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    return Accelerator(cpu=not torch.cuda.is_available(), mixed_precision="no", log_with=tracker, project_dir=out)
