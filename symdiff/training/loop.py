"""The loop: structures in, weights out, and everything needed to go on from where it was killed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from symdiff.config.training import TrainingSettings
from symdiff.errors import UserError
from symdiff.random import Streams
from symdiff.storage.run_states import Checkpoints, Snapshot
from symdiff.training.batches import Order, seed_for, share
from symdiff.training.divergence import Divergence
from symdiff.training.ema import Average
from symdiff.training.gradients import broadcast_from_first, sum_over_processes
from symdiff.training.guard import LIMIT, Guard
from symdiff.training.journal import Journal
from symdiff.training.optimizer import Optimizer
from symdiff.training.processes import launch
from symdiff.training.schedule import learning_rate
from symdiff.training.signals import Interruption
from symdiff.training.weights import load_weights, weights


class TrainingData(Protocol):
    """What the loop needs of a data set: its length, numbers of nodes, and padded batches."""

    @property
    def num_nodes(self) -> Tensor:
        """Numbers of nodes, (M,) int64."""
        ...

    def __len__(self) -> int: ...

    def batch(self, indices: Tensor, nodes: int | None = None) -> Any:
        """Pad some of the structures to one size.

        Parameters
        ----------
        indices : Tensor
            (B,) int64, which of the M.
        nodes : int, optional
            The size; that of the largest of them by default.

        Returns
        -------
        State
            B rows.
        """
        ...


@dataclass(frozen=True)
class Outcome:
    """How a training ended.

    Attributes
    ----------
    steps, samples : int
        That were trained, in all.
    seconds : float
        That it took, in all.
    skipped : int
        Steps that were not finite.
    begin : int
        The step at which this process took over, 0 unless it resumed.
    signal : int
        0 at its end, else the number of the signal that asked it to stop.
    diverged : str
        Empty, or what the loss is and what it was at first.
    good : int or None
        The last saved step at which it had not diverged.
    """

    steps: int
    samples: int
    seconds: float
    skipped: int
    begin: int = 0
    signal: int = 0
    diverged: str = ""
    good: int | None = None


class Trainer:
    """The training of a module on structures, by one process or by several.

    A step is a function of (settings, step): its rows come from ``Order``, its noise from ``Streams`` whose rows are
    the rows of the global batch, dropout from a seed of its own. So a resumed training repeats the uninterrupted one
    bit for bit, and several processes see the data, the noise and the learning rate of one. Their weights agree with
    those of one as far as sums are rounded: in fp32 within 1e-5 after 60 steps, in bf16, whose gradients have three
    digits, less.

    Parameters
    ----------
    diffusion : nn.Module
        Its forward(x0, generator) is the loss of every structure, (B,).
    structures : TrainingData
        The data.
    settings : TrainingSettings
        What the recipe says of training.
    out : Path
        The folder of the run, which exists.
    observe : callable, optional
        ``observe(diffusion, step)`` is called every ``settings.sample.every`` steps with the averaged weights in place
        and returns what is logged; it cannot disturb the training's chance.
    accelerator : Accelerator, optional
        From ``launch``.
    data : str
        Names the content of ``structures``: a state that was saved with another name is not resumed.
    quiet : bool
        Whether nothing is shown while it goes on.

    Raises
    ------
    UserError
        For batches that are smaller than the number of processes.
    """

    def __init__(
        self,
        diffusion: nn.Module,
        structures: TrainingData,
        settings: TrainingSettings,
        out: Path,
        observe: Callable[[Any, int], dict] | None = None,
        accelerator: Accelerator | None = None,
        data: str = "",
        quiet: bool = False,
    ) -> None:
        self.accelerator = accelerator or launch()
        self.settings, self.structures, self.observe, self.out, self.data = settings, structures, observe, out, data
        self.device, self.first = self.accelerator.device, self.accelerator.is_main_process
        self.rank, self.world = self.accelerator.process_index, self.accelerator.num_processes
        self.diffusion = diffusion.to(self.device)
        if settings.batch.size < self.world:
            raise UserError(
                f"training.batch.size: expected at least {self.world}, one structure for each process, "
                f"got {settings.batch.size}"
            )
        self.average = Average(self.diffusion, settings.average.decay)
        precise = settings.compute.precision == "fp32"
        self.optimizer = Optimizer(self.diffusion, settings.optimizer.kind, settings.optimizer.weight_decay, precise)
        self.guard = Guard(self.device)
        self.divergence = Divergence(settings.batch.size, self.device)
        self.diverged, self.good = "", None
        self.order = Order(
            len(structures),
            settings.batch.size,
            settings.seed,
            structures.num_nodes if settings.batch.by_size else None,
        )
        self.checkpoints = Checkpoints(out / "state")
        self.journal = Journal(out / "log.jsonl", settings.steps, self.accelerator, quiet)
        self.sizes = structures.num_nodes
        self.step, self.seconds, self._stop = 0, 0.0, 0
        self._world_before = self.world
        # a wait for the device costs nothing on the CPU, and elsewhere is worth it once in a while
        self.check_every = 1 if self.device.type == "cpu" else 10

    def run(self, resume: bool = False) -> Outcome:
        """Train to the last step, or to the end of the step in which a signal came; either way the state is saved.

        Parameters
        ----------
        resume : bool
            Whether to go on from the last complete state in the folder, if there is one.

        Returns
        -------
        Outcome
            How it ended.

        Raises
        ------
        UserError
            Where the state cannot be saved, ``LIMIT`` steps in a row were not finite, or another process of the run
            has ended.
        """
        notes = self._restore() if resume else []
        steps = self.settings.steps
        self.journal.open(self.step)
        for note in notes:
            self.journal.say(note)
        if self.world != self._world_before:
            self.journal.note(self.step, notes[-1])
        if self.world > 1:
            broadcast_from_first(weights(self.diffusion).values())
        self.diffusion.train()
        self._clock, begin = time.monotonic(), self.step
        try:
            with Interruption() as interruption:
                saved = self.step
                while self.step < steps and not self._stop:
                    self._advance(interruption)
                    saved = self._record(saved)
                if self._stop and saved != self.step:
                    self._save()
        finally:
            self.journal.close()
        signal = self._stop if self.step < steps else 0
        samples = self.step * self.settings.batch.size
        return Outcome(self.step, samples, self._elapsed(), self.guard.skipped, begin, signal, self.diverged, self.good)

    def _advance(self, interruption: Interruption) -> None:
        """One optimizer step on one global batch."""
        settings, optimizer, step, begin = self.settings, self.settings.optimizer, self.step, time.monotonic()
        x0, generator = self._batch(step)
        torch.manual_seed(seed_for(settings.seed, "dropout") + (step * self.world + self.rank << 20))
        with self.autocast():
            losses = self.diffusion(x0, generator)
        # a part of the mean over the global batch: the sum over the processes is that mean, whatever their shares
        loss = losses.float().sum() * (1 / settings.batch.size)
        self.diffusion.zero_grad(set_to_none=True)
        loss.backward()
        loss = self._agree(loss.detach(), interruption.received)

        gradients = [p.grad for p in self.diffusion.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients, foreach=True)
        skip = self.guard.check(step + 1, loss, norm)
        scale = torch.ones_like(norm) if optimizer.clip is None else (norm / optimizer.clip).clamp(min=1.0)
        self.optimizer.step(learning_rate(step, settings.steps, optimizer.learning_rate, optimizer.warmup), scale, skip)
        self.average.update(step)

        self.divergence.observe(step, loss)
        self.step += 1
        self.journal.observe(loss, norm, skip, settings.batch.size, time.monotonic() - begin)

    def _batch(self, step: int) -> tuple[Any, Streams]:
        """This process' rows of the global batch, and their noise."""
        indices = self.order.batch(step)
        # padded as the global batch is, so that sums round alike in one process and in several
        nodes = int(self.sizes[indices].max())
        mine = share(len(indices), self.rank, self.world)
        x0 = self.structures.batch(indices[mine], nodes)
        rows = torch.arange(mine.start, mine.stop)
        if self.device.type != "cpu":
            x0 = x0.map(Tensor.pin_memory).to(self.device, non_blocking=True)
            rows = rows.to(self.device, non_blocking=True)
        return x0, Streams(seed_for(self.settings.seed, "noise"), rows, epoch=step)

    def _agree(self, loss: Tensor, signal: int) -> Tensor:
        """Give every process the gradients and the mean loss of the global batch, and let all stop at the same step.

        Raises: UserError where another process has ended.
        """
        if self.world == 1:
            self._stop = signal
            return loss
        trained = [p for p in self.diffusion.parameters() if p.requires_grad]
        try:
            both = sum_over_processes(trained, torch.stack([loss, loss.new_tensor(signal)]))
        except RuntimeError as error:  # what gloo and NCCL raise
            reason = str(error).strip().splitlines()[0]
            raise UserError(
                f"step {self.step + 1}: another process of this run has ended ({reason}); "
                f"go on with --resume {self.out}"
            ) from error
        if (self.step + 1) % self.check_every == 0:
            self._stop = int(both[1].item() > 0) and (signal or 15)
        return both[0]

    def _record(self, saved: int) -> int:
        """Do what is due after a step: log, sample, save. Saving comes last: a state is never newer than its log."""
        settings, step, last = self.settings, self.step, self.step == self.settings.steps
        if step % self.check_every == 0 or last or step % settings.save.every == 0:
            self._stop_if_lost()
        if step % settings.log.every == 0 or last:
            self._write_line()
        self.journal.show(step)
        if self.observe is not None and settings.sample.every and (step % settings.sample.every == 0 or last):
            self._sample()
        if step % settings.save.every == 0 or last:
            self._save()
            return step
        return saved

    def _write_line(self) -> None:
        self._compare_with_first(self.journal.average())
        self.journal.write(self.step, self.optimizer.learning_rate, self.guard.skipped, self._elapsed())

    def _compare_with_first(self, loss: float) -> None:
        """Warn where the loss has come to be far above that of the first steps, and where it has come back."""
        if not math.isfinite(loss):
            return  # no step since the last line was finite, which the guard sees to
        before, first = self.diverged, self.divergence.first
        self.diverged = f"the loss is {loss:.4g} and was {first:.4g} at first" if self.divergence.check(loss) else ""
        if bool(before) == bool(self.diverged):
            return
        text = f"diverging: {self.diverged}" if self.diverged else f"no longer diverging: the loss is {loss:.4g}"
        self.journal.say(f"step {self.step}  {'warning: ' if self.diverged else ''}{text}")
        self.journal.note(self.step, text)

    def _sample(self) -> None:
        if not self.first or self.observe is None:
            return
        self.diffusion.eval()
        with self.average.swap_in(), self.autocast():
            values = self.observe(self.diffusion, self.step)
        self.diffusion.train()
        self.journal.sample(self.step, values)

    def _stop_if_lost(self) -> None:
        if self.guard.stopped_at:
            good = self.checkpoints.steps()
            place = self.checkpoints.folder / f"step-{good[-1]:08d}" if good else None
            raise UserError(
                f"step {self.guard.stopped_at}: the loss or its gradient was not finite {LIMIT} steps in a row; "
                + (f"the last good state is {place}" if place else "there is no earlier state")
                + "; try a lower training/optimizer/learning_rate or a smaller training/optimizer/clip"
            )

    def _save(self) -> None:
        if not self.first:
            return
        self.journal.sync()
        if not self.diverged:
            self.good = self.step
        self.checkpoints.save(self.snapshot(), spare=self.good)

    def snapshot(self) -> Snapshot:
        """Collect all that the next step depends on.

        Returns
        -------
        Snapshot
            Tensors of weights, average and optimizer, and plain numbers; tensors are not copied.
        """
        record = {
            "losses": self.journal.losses.tolist(),
            "skipped": self.guard.counts.tolist(),
            "seconds": self._elapsed(),
            "data": self.data,
            "processes": self.world,
            "first_losses": self.divergence.state(),
            "diverged": self.diverged,
            "good": self.good,
        }
        tensors = {
            "weights": weights(self.diffusion),
            "average": self.average.weights,
            "optimizer": self.optimizer.state(),
        }
        return Snapshot(self.step, tensors, record)

    @torch.no_grad()
    def _restore(self) -> list[str]:
        snapshot, notes = self.checkpoints.latest()
        if snapshot is None:
            return [f"{self.checkpoints.folder}: no state was saved yet, starting at step 0"]
        if snapshot.record["data"] != self.data:
            raise UserError(f"{self.out}: the data are not those that the run began with, so it cannot be resumed")
        load_weights(self.diffusion, snapshot.tensors["weights"])
        self.average.restore(snapshot.tensors["average"])
        self.optimizer.restore(snapshot.tensors["optimizer"])
        self.journal.losses.copy_(torch.tensor(snapshot.record["losses"]))
        self.guard.counts.copy_(torch.tensor(snapshot.record["skipped"]))
        self.divergence.restore(snapshot.record.get("first_losses", self.divergence.state()))
        self.diverged, self.good = snapshot.record.get("diverged", ""), snapshot.record.get("good")
        self.step, self.seconds = snapshot.step, snapshot.record["seconds"]
        self._world_before = snapshot.record.get("processes", self.world)
        resumed = f"resumed at step {self.step}"
        if self._world_before != self.world:
            resumed += (
                f" with {self.world} processes after {self._world_before}: data, noise and learning rate are the same, "
                "sums over a batch are rounded differently"
            )
        return [*notes, resumed]

    def autocast(self) -> Any:
        """The context in which the recipe's precision holds."""
        if self.settings.compute.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def _elapsed(self) -> float:
        return self.seconds + time.monotonic() - self._clock
