"""The downloader against a local server: only a complete file with the right hash gets its name."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from symdiff.data import download as download_module
from symdiff.data.download import Remote, download
from symdiff.errors import UserError

CONTENT = np.random.RandomState(0).bytes(700_000)
HASH = hashlib.sha256(CONTENT).hexdigest()


class Server:
    """Serves CONTENT; ``cut`` bytes of the next answer, ``ranges`` says whether it can go on in the middle."""

    def __init__(self) -> None:
        self.cut: int | None = None
        self.ranges = True
        self.content = CONTENT
        self.requests: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, *_) -> None:
                """Quiet."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/file"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        asked = request.headers.get("Range")
        self.requests.append(asked)
        if request.path != "/file":
            request.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.ranges else 0
        body = self.content[start:]
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body[: self.cut])
        self.cut = None

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture
def remote(server) -> Remote:
    return Remote("file.bin", server.url, HASH, len(CONTENT))


def test_a_right_file_is_fetched_once(server, remote, tmp_path):
    seen: list[int] = []
    path = download(remote, tmp_path / "cache", seen.append)
    assert path.read_bytes() == CONTENT and sum(seen) == len(CONTENT)
    assert download(remote, tmp_path / "cache") == path and len(server.requests) == 1
    assert [entry.name for entry in (tmp_path / "cache").iterdir()] == ["file.bin"]


def test_a_wrong_hash_is_not_used(server, remote, tmp_path):
    server.content = bytes(len(CONTENT))
    with pytest.raises(UserError, match="expected SHA-256 .* not used"):
        download(remote, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ranges", [True, False])
def test_a_short_answer_is_completed_later(server, remote, tmp_path, ranges):
    server.cut, server.ranges = 300_000, ranges
    with pytest.raises(UserError):
        download(remote, tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.bin.part"]
    assert download(remote, tmp_path).read_bytes() == CONTENT
    assert server.requests[1] == "bytes=300000-"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.bin"]


def test_a_file_that_ends_early_is_not_used(server, remote, tmp_path):
    server.content = CONTENT[:-1]
    with pytest.raises(UserError, match="expected 700000 bytes, got 699999"):
        download(remote, tmp_path)
    assert not (tmp_path / "file.bin").exists()


def test_a_file_that_is_too_long_is_not_used(server, remote, tmp_path):
    server.content = CONTENT + b"x"
    with pytest.raises(UserError, match="more came"):
        download(remote, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_damaged_part_is_thrown_away(server, remote, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(bytes(1000))
    with pytest.raises(UserError, match="expected SHA-256"):
        download(remote, tmp_path)
    assert download(remote, tmp_path).read_bytes() == CONTENT


def test_a_part_as_long_as_the_file_starts_anew(server, remote, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(bytes(len(CONTENT)))
    assert download(remote, tmp_path).read_bytes() == CONTENT and server.requests == [None]


def test_a_missing_file_and_a_missing_server_are_user_errors(server, remote, tmp_path):
    with pytest.raises(UserError, match="the server answers 404"):
        download(Remote("x", server.url + "x", HASH, 1), tmp_path)
    with pytest.raises(UserError, match="cannot be downloaded"):
        download(Remote("x", "http://127.0.0.1:9/file", HASH, 1), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_silent_server_is_given_up(remote, tmp_path, monkeypatch):
    import socket

    monkeypatch.setattr(download_module, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(UserError, match="cannot be downloaded"):
            download(Remote("x", url, HASH, 1), tmp_path)
