"""Files and folders that are whole or not there, and never larger than expected.

Checkpoints, states of a run, samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.face import face

if TYPE_CHECKING:
    from symdiff.storage.atomic import open_file as open_file
    from symdiff.storage.atomic import write_file as write_file
    from symdiff.storage.atomic import write_folder as write_folder
    from symdiff.storage.run_states import Checkpoints as Checkpoints
    from symdiff.storage.run_states import Snapshot as Snapshot
    from symdiff.storage.sidecar import Sidecar as Sidecar

__getattr__, __dir__ = face(__name__)
