"""A disk on which nothing more can be written, in three ways."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from pathlib import Path

import pytest

from symdiff.storage import atomic


def content(path: Path) -> dict[str, bytes]:
    """Every file below a folder, to the byte."""
    return {each.relative_to(path).as_posix(): each.read_bytes() for each in sorted(path.rglob("*")) if each.is_file()}


@contextmanager
def small_files():
    resource = pytest.importorskip("resource", reason="no limits of file sizes on this system")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


@pytest.fixture(params=["fsync", "rename", "write"])
def failing(request, monkeypatch):
    """A disk that is full: no bytes can be written, or what was written does not reach the disk, or has no name."""

    def fail(*_):
        raise OSError(28, "No space left on device")

    @contextmanager
    def context():
        if request.param == "write":
            with small_files():
                yield
            return
        with monkeypatch.context() as patch:
            patch.setattr(*((os, "fsync") if request.param == "fsync" else (atomic, "put")), fail)
            yield

    return context
