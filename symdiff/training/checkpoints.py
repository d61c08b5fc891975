"""States of a training on disk: complete or absent, never half."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from symdiff.errors import UserError

SUMS = "SHA256SUMS"
_STEP = re.compile(r"step-(\d{8,})")


@dataclass(frozen=True)
class Snapshot:
    """A training at a step: ``tensors[file][name]`` and a ``record`` of plain numbers."""

    step: int
    tensors: Mapping[str, Mapping[str, Tensor]]
    record: Mapping


class Checkpoints:
    """The folders ``step-00001000`` in ``folder``, the last ``keep`` of them.

    A state is written to a temporary folder, synced to the disk and renamed; it counts when the SHA-256 of every file is
    what its SHA256SUMS says. Only safetensors and JSON: nothing is pickled.
    """

    def __init__(self, folder: Path, keep: int = 2) -> None:
        self.folder, self.keep = folder, keep

    def save(self, snapshot: Snapshot) -> Path:
        """Write a state, then drop the oldest. On a full disk: UserError, and the states before are untouched."""
        target = self.folder / f"step-{snapshot.step:08d}"
        temporary = self.folder / f".writing-{snapshot.step:08d}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
            temporary.mkdir()
            for name, tensors in snapshot.tensors.items():
                plain = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
                (temporary / f"{name}.safetensors").write_bytes(save(plain))
            (temporary / "state.json").write_text(json.dumps({"step": snapshot.step, **snapshot.record}, indent=1) + "\n")
            write_sums(temporary)
            sync(temporary)
            if target.exists():
                self._drop(target)
            temporary.rename(target)
            sync_folder(self.folder)
        except (OSError, SafetensorError) as error:
            shutil.rmtree(temporary, ignore_errors=True)
            good = self.steps()
            last = f"the last good state is {self.folder / f'step-{good[-1]:08d}'}" if good else "there is no earlier state"
            raise UserError(f"{target}: the state of step {snapshot.step} could not be saved ({_reason(error)}); {last}") from error
        for step in self.steps()[: -self.keep]:
            self._drop(self.folder / f"step-{step:08d}")
        return target

    def steps(self) -> list[int]:
        """The steps that have a folder, ascending."""
        found = [_STEP.fullmatch(path.name) for path in self.folder.iterdir()] if self.folder.is_dir() else []
        return sorted(int(match[1]) for match in found if match)

    def latest(self) -> tuple[Snapshot | None, list[str]]:
        """The newest complete state (None before the first save) and what is wrong with newer ones.

        Raises: UserError where there are states and all of them are damaged.
        """
        wrong = []
        for step in reversed(self.steps()):
            folder = self.folder / f"step-{step:08d}"
            reason = damage(folder)
            if reason is None:
                return self._load(folder, step), wrong
            wrong.append(f"{folder}: {reason}")
        if wrong:
            raise UserError(f"no state can be resumed from: {'; '.join(wrong)}")
        return None, []

    def _load(self, folder: Path, step: int) -> Snapshot:
        tensors = {path.stem: load_file(path) for path in sorted(folder.glob("*.safetensors"))}
        return Snapshot(step, tensors, json.loads((folder / "state.json").read_text()))

    def _drop(self, folder: Path) -> None:
        """Rename, then delete: a deletion that is cut short leaves no half state behind."""
        doomed = self.folder / f".dropping-{folder.name}"
        shutil.rmtree(doomed, ignore_errors=True)
        folder.rename(doomed)
        shutil.rmtree(doomed)

    def _sweep(self) -> None:
        for path in self.folder.glob(".*-*"):
            shutil.rmtree(path)


def damage(folder: Path) -> str | None:
    """What is wrong with a folder that has a SHA256SUMS, or None."""
    try:
        lines = (folder / SUMS).read_text().splitlines()
    except OSError:
        return f"{SUMS} is missing"
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    present = {path.name for path in folder.iterdir()} - {SUMS}
    for name in sorted(listed.keys() | present):
        if name not in present:
            return f"{name} is missing"
        if name not in listed:
            return f"{name} is not listed in {SUMS}"
        if sha256(folder / name) != listed[name]:
            return f"{name} was altered"
    return None


def write_sums(folder: Path) -> None:
    """List the SHA-256 of every file of ``folder``, as ``sha256sum`` does."""
    names = sorted(path.name for path in folder.iterdir())
    (folder / SUMS).write_text("".join(f"{sha256(folder / name)}  {name}\n" for name in names))


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(folder: Path) -> None:
    """Force the files of a folder, and the folder, to the disk."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else " ".join(str(error).split())
