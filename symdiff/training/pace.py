"""How long a step of a training takes, by doing a few."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from accelerate import Accelerator

from symdiff.config.training import LogSettings, SampleSettings, TrainingSettings
from symdiff.training.loop import Trainer
from symdiff.training.subject import Subject

STEPS = 6
"""That are done, the first one untimed."""


def measure_pace(subject: Subject, settings: TrainingSettings, accelerator: Accelerator) -> float:
    """Train a model a few steps, and tell how long one takes; the model is another one afterwards.

    Parameters
    ----------
    subject : Subject
        The model, and what it is trained on.
    settings : TrainingSettings
        Of the training.
    accelerator : Accelerator
        All processes do the steps together, and agree on the time.

    Returns
    -------
    float
        Seconds a step.

    Raises
    ------
    SystemExit
        At a signal.
    """
    settings = settings.model_copy(
        update={"log": LogSettings(every=1), "sample": SampleSettings(every=0), "steps": STEPS}
    )
    pace = torch.zeros(1, device=accelerator.device)
    with TemporaryDirectory() as folder:
        trainer = Trainer(
            subject.model, subject.structures, settings, Path(folder), accelerator=accelerator, quiet=True
        )
        outcome = trainer.run()
        if outcome.signal:
            raise SystemExit(128 + outcome.signal)
        if accelerator.is_main_process:
            lines = map(json.loads, (Path(folder) / "log.jsonl").read_text(encoding="utf-8").splitlines())
            clock = [line["seconds"] for line in lines if line["kind"] == "train"]
            pace += max((clock[-1] - clock[0]) / (len(clock) - 1), 1e-6)
    if accelerator.num_processes > 1:
        torch.distributed.broadcast(pace, 0)
    return float(pace)
