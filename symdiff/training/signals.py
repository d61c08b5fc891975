"""Signals that ask a training to stop."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class Interruption:
    """Inside the ``with`` block SIGTERM and SIGINT are only noted.

    A second one acts as it would have without us. Off the main thread, where Python allows no handlers, nothing is
    noted.

    Attributes
    ----------
    received : int
        The number of the signal that came, or 0.
    """

    def __init__(self) -> None:
        self.received = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _note(self, number: int, _: FrameType | None) -> None:
        self.received = number
        signal.signal(number, self._before[number])
