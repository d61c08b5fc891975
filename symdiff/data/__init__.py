"""Files become validated data sets, and data sets batches of states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.face import face

if TYPE_CHECKING:
    from symdiff.data.columns import choose_properties as choose_properties
    from symdiff.data.dataset import Dataset as Dataset
    from symdiff.data.importing import import_files as import_files
    from symdiff.data.orders import reorder as reorder
    from symdiff.data.registry import open_dataset as open_dataset

__getattr__, __dir__ = face(__name__)
