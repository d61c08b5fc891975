"""The log of a training: one JSON object a line."""

from __future__ import annotations

import json
import os
from pathlib import Path

from symdiff.errors import UserError
from symdiff.storage.atomic import write_file


class Log:
    """``log.jsonl``: every line has a ``kind`` (train, sample, note) and the ``step`` after which it was written.

    Parameters
    ----------
    path : Path
        The file.
    step : int
        What was written after it is forgotten, so that a resumed training has every line once.

    Raises
    ------
    UserError
        Where the file cannot be written.
    """

    def __init__(self, path: Path, step: int = 0) -> None:
        self.path = path
        earlier = []
        if step and path.exists():
            for line in path.read_bytes().splitlines():
                try:
                    record = json.loads(line)
                except json.JSONDecodeError:
                    break  # the line that a kill cut short is the last
                if record["step"] > step:
                    break
                earlier.append(line + b"\n")
        write_file(path, b"".join(earlier))
        try:
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise UserError(f"{path}: the log cannot be written ({error.strerror})") from error

    def write(self, kind: str, step: int, **values: object) -> None:
        """Append one line.

        Parameters
        ----------
        kind : {"train", "sample", "note"}
            What the line says.
        step : int
            The step after which it is written.
        **values : object
            Plain numbers and texts, by name.

        Raises
        ------
        UserError
            On a full disk.
        """
        line = json.dumps({"kind": kind, "step": step, **values}) + "\n"
        try:
            self._file.write(line.encode())
        except OSError as error:
            raise UserError(f"{self.path}: the log cannot be written ({error.strerror})") from error

    def sync(self) -> None:
        """Force the lines to the disk: a saved state must never be newer than its log."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
