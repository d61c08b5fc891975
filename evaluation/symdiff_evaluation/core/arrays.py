"""Files of arrays: headers are checked before anything is decompressed, nothing is unpickled."""

from __future__ import annotations

from symdiff.storage.arrays import ENDINGS, read_arrays

__all__ = ["ENDINGS", "read_arrays"]
