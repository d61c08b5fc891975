"""Training: the loop, the moving average, states that a run is resumed from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.face import face

if TYPE_CHECKING:
    from symdiff.training.ema import Average as Average
    from symdiff.training.loop import Outcome as Outcome
    from symdiff.training.loop import Trainer as Trainer
    from symdiff.training.run import train as train

__getattr__, __dir__ = face(__name__)
