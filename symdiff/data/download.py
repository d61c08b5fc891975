"""Files from the network, believed only when their SHA-256 is the expected one."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from symdiff.errors import UserError
from symdiff.storage import atomic
from symdiff.storage.sealed import sha256

BLOCK = 1 << 18
TIMEOUT = 30.0


@dataclass(frozen=True)
class Remote:
    """A public file, and what it must be.

    Parameters
    ----------
    name : str
        Its name in the cache.
    url : str
        Where it is.
    sha256 : str
        The expected checksum, in hexadecimal.
    bytes : int
        Its size.
    """

    name: str
    url: str
    sha256: str
    bytes: int


def download(remote: Remote, folder: Path, progress: Callable[[int], None] | None = None) -> Path:
    """Return the path of a public file in a folder, after it was downloaded if it is not there.

    What was received goes to ``NAME.part``; a later call goes on from there where the server can, else from the start.
    The file gets its name only when it is complete and its hash is right.

    Parameters
    ----------
    remote : Remote
        The file.
    folder : Path
        Where it is kept.
    progress : callable, optional
        Called with the number of bytes of every block.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UserError
        Without a network, for a short file or another checksum, and where the file cannot be written.
    """
    path, part = folder / remote.name, folder / f"{remote.name}.part"
    if path.is_file():
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _fetch(remote, part, progress)
        digest = sha256(part)
        if digest != remote.sha256:
            part.unlink()
            raise UserError(f"{remote.url}: expected SHA-256 {remote.sha256}, got {digest}: not used")
        atomic.put(part, path)
    except urllib.error.HTTPError as error:
        raise UserError(f"{remote.url}: the server answers {error.code} ({error.reason})") from error
    except (urllib.error.URLError, TimeoutError, http.client.HTTPException, ConnectionError) as error:
        raise UserError(f"{remote.url}: cannot be downloaded ({getattr(error, 'reason', None) or error})") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error
    return path


def _fetch(remote: Remote, part: Path, progress: Callable[[int], None] | None) -> None:
    have = part.stat().st_size if part.is_file() else 0
    if have >= remote.bytes:
        part.unlink()
        have = 0
    request = urllib.request.Request(remote.url, headers={"User-Agent": "symdiff"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        resumed = have > 0 and answer.status == 206
        received = have if resumed else 0
        with open(part, "ab" if resumed else "wb") as file:
            if progress is not None and resumed:
                progress(have)
            while block := answer.read(BLOCK):
                received += len(block)
                if received > remote.bytes:
                    break
                file.write(block)
                if progress is not None:
                    progress(len(block))
    if received > remote.bytes:
        part.unlink()
        raise UserError(f"{remote.url}: expected {remote.bytes} bytes, more came: not used")
    if received < remote.bytes:
        raise UserError(f"{remote.url}: expected {remote.bytes} bytes, got {received}; the next try goes on from there")
