"""States of a training on disk: complete or absent, never half."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file, save
from torch import Tensor

from symdiff.errors import UserError
from symdiff.storage import atomic, sealed

ENDINGS = (".json", ".safetensors")
_STEP = re.compile(r"step-(\d{8,})")


@dataclass(frozen=True)
class Snapshot:
    """A training at a step.

    Parameters
    ----------
    step : int
        The number of steps done.
    tensors : mapping of str to mapping of str to Tensor
        The tensors of every file, by name.
    record : mapping
        Plain values for JSON.
    """

    step: int
    tensors: Mapping[str, Mapping[str, Tensor]]
    record: Mapping


class Checkpoints:
    """The folders ``step-00001000`` of a run, the last ones of them.

    Each is a sealed folder: written whole or not at all, and it counts when the SHA-256 of every file is what its
    SHA256SUMS says. Only safetensors and JSON: nothing is pickled.

    Parameters
    ----------
    folder : Path
        The folder of the states.
    keep : int
        How many states are kept.
    """

    def __init__(self, folder: Path, keep: int = 2) -> None:
        self.folder, self.keep = folder, keep

    def save(self, snapshot: Snapshot, spare: int | None = None) -> Path:
        """Write a state, then drop the oldest.

        Parameters
        ----------
        snapshot : Snapshot
            The state.
        spare : int, optional
            The step of a state that is not dropped.

        Returns
        -------
        Path
            The folder of the state.

        Raises
        ------
        UserError
            Where it cannot be written (a full disk); the states before are then untouched.
        """
        target = self.folder / f"step-{snapshot.step:08d}"

        def fill(folder: Path) -> None:
            for name, tensors in snapshot.tensors.items():
                plain = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
                (folder / f"{name}.safetensors").write_bytes(save(plain))
            record = json.dumps({"step": snapshot.step, **snapshot.record}, indent=1)
            (folder / "state.json").write_text(record + "\n", encoding="utf-8")
            sealed.sign(folder)

        try:
            self._sweep()
            atomic.write_folder(target, fill, Path.is_dir)
        except OSError as error:
            good = self.steps()
            last = (
                f"the last good state is {self.folder / f'step-{good[-1]:08d}'}"
                if good
                else "there is no earlier state"
            )
            raise UserError(
                f"{target}: the state of step {snapshot.step} could not be saved ({error.strerror}); {last}"
            ) from error
        for step in self.steps()[: -self.keep]:
            if step == spare:
                continue
            self._drop(self.folder / f"step-{step:08d}")
        return target

    def steps(self) -> list[int]:
        """List the steps that have a folder, ascending."""
        names = [path.name for path in self.folder.iterdir()] if self.folder.is_dir() else []
        return sorted(int(match[1]) for match in map(_STEP.fullmatch, names) if match)

    def latest(self) -> tuple[Snapshot | None, list[str]]:
        """Read the newest complete state (None before the first save), and say what is wrong with newer ones.

        Raises
        ------
        UserError
            Where there are states and all of them are damaged.
        """
        wrong = []
        for step in reversed(self.steps()):
            folder = self.folder / f"step-{step:08d}"
            reason = sealed.damage(folder, ENDINGS)
            if reason is None:
                return self._load(folder, step), wrong
            wrong.append(f"{folder}: {reason}")
        if wrong:
            raise UserError(f"no state can be resumed from: {'; '.join(wrong)}")
        return None, []

    def at(self, step: int) -> Snapshot:
        """Read the state of a step that has one.

        Parameters
        ----------
        step : int
            One of ``steps``.

        Returns
        -------
        Snapshot
            The state.

        Raises
        ------
        UserError
            Where it is damaged.
        """
        folder = self.folder / f"step-{step:08d}"
        reason = sealed.damage(folder, ENDINGS)
        if reason is not None:
            raise UserError(f"{folder}: {reason}")
        return self._load(folder, step)

    def _load(self, folder: Path, step: int) -> Snapshot:
        tensors = {path.stem: load_file(path) for path in sorted(folder.glob("*.safetensors"))}
        return Snapshot(step, tensors, json.loads((folder / "state.json").read_text(encoding="utf-8")))

    def _drop(self, folder: Path) -> None:
        """Rename, then delete: a deletion that is cut short leaves no half state behind."""
        doomed = self.folder / f".dropping-{folder.name}"
        shutil.rmtree(doomed, ignore_errors=True)
        folder.rename(doomed)
        shutil.rmtree(doomed)

    def _sweep(self) -> None:
        for path in self.folder.glob(".*-*"):
            shutil.rmtree(path)
