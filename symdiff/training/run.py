"""From a recipe to a folder: everything that a training run leaves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import torch
from accelerate import Accelerator
from torch import nn

from symdiff.assembly import Model
from symdiff.config import recipe as recipes
from symdiff.config.recipe import Recipe
from symdiff.data.columns import choose_properties
from symdiff.data.dataset import Dataset
from symdiff.data.registry import open_dataset
from symdiff.errors import UserError
from symdiff.pipeline import SymdiffPipeline, check_parts
from symdiff.random import Streams
from symdiff.storage.atomic import write_file
from symdiff.training.auto import MINUTES, Facts, describe, settle_by_data, settle_by_steps
from symdiff.training.folder import claim
from symdiff.training.loop import Outcome, Trainer, TrainingData
from symdiff.training.memory import keep_freed_memory
from symdiff.training.pace import STEPS, measure_pace
from symdiff.training.processes import launch
from symdiff.training.resumption import check_folder, settle_as_before
from symdiff.training.start import start_from
from symdiff.training.subject import subject_of

STEPS_PLACE = ("training", "steps")
ENOUGH = 1500
"""Steps without which a smaller network is tried, where its size is ``auto``."""


DIVERGED = 3
"""The exit code of a training that ended with a loss far above that of its first steps."""


def train(recipe: Recipe, out: Path, resume: bool = False, minutes: float | None = None) -> Outcome:
    """Train a model into a folder, alone there.

    Leaves ``recipe.yaml``, ``log.jsonl``, ``state/`` (the last two states) and at the end ``checkpoint/`` (a pipeline
    with the averaged weights) and ``summary.json``. Under torchrun all processes work on one run. A run that ends
    before its first step leaves nothing; what one left that was killed before its first state gives way to the next.

    Parameters
    ----------
    recipe : Recipe
        What to train; values may be ``auto``.
    out : Path
        The folder.
    resume : bool
        Go on from the last complete state in the folder.
    minutes : float, optional
        The time for training, where the recipe's number of steps is ``auto``; ten by default.

    Returns
    -------
    Outcome
        How it ended.

    Raises
    ------
    UserError
        Where ``out`` holds another run or is in use by one, the recipe differs from the one that is resumed, a part
        of the recipe cannot be built, the disk is full, or the loss stays infinite. What was saved before stays.
    SystemExit
        With code 143 (SIGTERM) or 130 (SIGINT) once the state is saved; with code 3 where the training has diverged:
        ``checkpoint/`` is then that of the last good state, if there is one.
    """
    out = Path(out)
    if resume and recipe.auto:
        recipe = settle_as_before(recipe, out)
    accelerator = launch(recipe.training.log.tracker, out)
    with claim(out, accelerator, lambda: check_folder(recipe, out, resume)) as folder:
        if recipe.auto:
            recipe = settle(recipe, accelerator, MINUTES if minutes is None else minutes)
        trainer, package = prepare(recipe, out, accelerator, resume)
        if accelerator.is_main_process:
            write_file(out / "recipe.yaml", recipes.dump(recipe))
        accelerator.init_trackers("tensorboard")
        try:
            outcome = trainer.run(resume)
        finally:
            folder.began = trainer.step > 0
        if outcome.signal:
            _leave_at_signal(outcome, recipe, out, accelerator)
        if accelerator.is_main_process:
            _write_results(outcome, recipe, trainer, package)
        finish(accelerator)
    if outcome.diverged:
        if accelerator.is_main_process:
            advice = _name_last_good(outcome, out)
            print(f"error: {out}: the training diverged: {outcome.diverged}; {advice}", file=sys.stderr)
        raise SystemExit(DIVERGED)
    return outcome


def _leave_at_signal(outcome: Outcome, recipe: Recipe, out: Path, accelerator: Accelerator) -> NoReturn:
    if accelerator.is_main_process:
        saved = f"saved step {outcome.steps} of {recipe.training.steps}"
        print(f"{signal.Signals(outcome.signal).name}: {saved}; go on with --resume {out}", file=sys.stderr)
    finish(accelerator)
    raise SystemExit(128 + outcome.signal)


def _write_results(outcome: Outcome, recipe: Recipe, trainer: Trainer, package: Callable[[], SymdiffPipeline]) -> None:
    """Write the checkpoint and the summary, unless an earlier process of this run has done so.

    Of a training that diverged the checkpoint is that of the last good state, if there is one.
    """
    out = trainer.out
    if outcome.begin == outcome.steps and (out / "checkpoint").is_dir() and (out / "summary.json").is_file():
        return
    if outcome.diverged and outcome.good is not None:
        trainer.average.restore(trainer.checkpoints.at(outcome.good).tensors["average"])
    if not outcome.diverged or outcome.good is not None:
        with trainer.average.swap_in():
            package().save(out / "checkpoint")
    write_file(out / "summary.json", json.dumps(summary(outcome, recipe, trainer.accelerator), indent=1) + "\n")


def _name_last_good(outcome: Outcome, out: Path) -> str:
    advice = "try a lower training/optimizer/learning_rate or a smaller training/optimizer/clip"
    if outcome.good is None:
        return f"no state was good, so there is no checkpoint; {advice}"
    return f"{out / 'checkpoint'} is of the last good state, step {outcome.good}; {advice}"


def settle(recipe: Recipe, accelerator: Accelerator, minutes: float) -> Recipe:
    """Decide on all that is ``auto`` in a recipe, by its data and by the pace of this machine.

    Parameters
    ----------
    recipe : Recipe
        In which some values are ``auto``.
    accelerator : Accelerator
        The processes of the run.
    minutes : float
        The time for training.

    Returns
    -------
    Recipe
        In which nothing is ``auto``.

    Raises
    ------
    UserError
        Where ``auto`` means nothing, and as ``prepare``.
    """
    begin = time.monotonic()
    with accelerator.main_process_first():
        dataset = open_data(recipe, "stored")
        order = settle_by_data(recipe, dataset, minutes).data.order
        dataset = open_data(recipe, order)
    level = Facts(dataset, minutes).level
    while True:
        decided = _agree(settle_by_data(recipe, dataset, minutes, level), accelerator)
        check_parts(decided)
        steps = decided.training.steps
        if STEPS_PLACE not in recipe.auto:
            break
        trial = settle_by_steps(decided, STEPS)
        subject = subject_of(trial, dataset)
        try_on_largest(subject.model, subject.structures, recipe.source)
        pace = measure_pace(subject, trial.training, accelerator)
        spent = 0.0 if accelerator.num_processes > 1 else time.monotonic() - begin
        steps = max(1, int((60 * minutes - spent) / pace))
        if steps >= ENOUGH or level == 0:
            break
        level -= 1  # a network that learns in few steps is a small one
    decided = settle_by_steps(decided, steps)
    if accelerator.is_main_process:
        print(describe(recipe, decided), file=sys.stderr)
    return decided


def _agree(recipe: Recipe, accelerator: Accelerator) -> Recipe:
    """The recipe with the first process' batch size, which follows from free memory."""
    if accelerator.num_processes == 1:
        return recipe
    size = torch.tensor(recipe.training.batch.size, device=accelerator.device)
    torch.distributed.broadcast(size, 0)
    return recipes.set(recipe, f"training/batch/size={int(size)}")


def open_data(recipe: Recipe, order: str) -> Dataset:
    """The data set of a recipe, with the conditions that it names, its nodes in an order.

    Parameters
    ----------
    recipe : Recipe
        Whose key ``data`` says which.
    order : str
        See ``open_dataset``.

    Raises
    ------
    UserError
        Where it cannot be opened, and for a condition that it does not have.
    """
    dataset = open_dataset(recipe.data.dataset, order)
    if recipe.data.conditions is None:
        return dataset
    try:
        return choose_properties(dataset, recipe.data.conditions)
    except UserError as error:
        raise UserError(f"{recipe.source}: data.conditions: {error}") from None


def prepare(
    recipe: Recipe, out: Path, accelerator: Accelerator, resume: bool
) -> tuple[Trainer, Callable[[], SymdiffPipeline]]:
    """Build all that a recipe names. Nothing is written.

    Parameters
    ----------
    recipe : Recipe
        In which nothing is ``auto``.
    out : Path
        The folder of the run.
    accelerator : Accelerator
        The processes of the run.
    resume : bool
        Whether the weights will be those of a saved state, not those that ``training.start`` names.

    Returns
    -------
    trainer : Trainer
        Which has done nothing yet.
    package : callable
        Makes a pipeline of the model.

    Raises
    ------
    UserError
        For parts that cannot be built or do not fit the data, and data that cannot be learned.
    """
    keep_freed_memory()
    settings = recipe.training
    with accelerator.main_process_first():  # the first builds a named data set, the others read it
        dataset = open_data(recipe, recipe.data.order)
    subject = subject_of(recipe, dataset)
    model = subject.model
    if settings.start is not None and not resume:
        start_from(settings.start, model)
    try_on_largest(model, subject.structures, recipe.source)
    if settings.compute.compile:
        compile_networks(model)
    trainer = Trainer(model, subject.structures, settings, out, subject.observe, accelerator, subject.data)
    return trainer, subject.package


def finish(accelerator: Accelerator) -> None:
    """Leave together: a process that ends while its group is alive may abort.

    Parameters
    ----------
    accelerator : Accelerator
        The processes of the run.
    """
    accelerator.wait_for_everyone()
    accelerator.end_training()


@torch.no_grad()
def try_on_largest(model: nn.Module, structures: TrainingData, source: str) -> None:
    """Evaluate the loss of the largest structure, so that what cannot be learned is refused before anything is written.

    Parameters
    ----------
    model : nn.Module
        What is trained.
    structures : TrainingData
        The data.
    source : str
        The recipe, which stands before the message of an error.

    Raises
    ------
    UserError
        For example where a code has fewer node identities than the structure has nodes.
    """
    largest = structures.num_nodes.argmax()[None]
    training = model.training
    try:
        model.eval()(structures.batch(largest), Streams(0, torch.zeros(1, dtype=torch.int64)))
    except ValueError as error:
        raise UserError(
            f"{source}: the largest structure of the data, of {int(structures.num_nodes[largest])} nodes: {error}"
        ) from error
    model.train(training)


def compile_networks(model: Model) -> None:
    """Compile the networks' forward in place.

    Parameters
    ----------
    model : Diffusion or Autoencoder
        Whose denoiser, encoder and decoder are compiled.

    Raises
    ------
    UserError
        Where there is no C++ compiler to do it with.
    """
    if not torch.cuda.is_available():
        wanted = os.environ.get("CXX")
        if not any(shutil.which(name) for name in ([wanted] if wanted else ["g++", "clang++", "c++"])):
            raise UserError(
                "training.compute.compile: compiling needs a C++ compiler (g++ or clang++), there is none; use false"
            )
    for name in ("denoiser", "encoder", "decoder"):
        if name in model.parts:
            model.parts[name].compile()


def summary(outcome: Outcome, recipe: Recipe, accelerator: Accelerator) -> dict:
    """Describe what the run was and how fast, for ``summary.json``.

    Parameters
    ----------
    outcome : Outcome
        How it ended.
    recipe : Recipe
        What was trained.
    accelerator : Accelerator
        The processes of the run.

    Returns
    -------
    dict
        Plain names and numbers.
    """
    return {
        "name": recipe.name,
        "steps": outcome.steps,
        "samples": outcome.samples,
        "skipped": outcome.skipped,
        "diverged": bool(outcome.diverged),
        "wall_seconds": round(outcome.seconds, 1),
        "samples_per_second": round(outcome.samples / outcome.seconds, 1),
        "precision": recipe.training.compute.precision,
        "processes": accelerator.num_processes,
        "device": torch.cuda.get_device_name() if accelerator.device.type == "cuda" else "cpu",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
