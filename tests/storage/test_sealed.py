"""Sealed folders: there whole or not at all, and any change to them is found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from symdiff.storage import atomic, sealed

ENDINGS = (".txt", ".json")


def fill(folder: Path, text: str = "new") -> None:
    (folder / "inner").mkdir()
    (folder / "inner" / "a.txt").write_text(text)
    (folder / "b.json").write_text("{}")
    sealed.sign(folder)


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sealed.files(folder)}


@pytest.fixture
def target(tmp_path) -> Path:
    path = tmp_path / "below" / "target"
    atomic.write_folder(path, lambda folder: fill(folder, "old"))
    return path


def test_what_is_created_is_whole_and_readable(target):
    assert set(content(target)) == {"inner/a.txt", "b.json", "SHA256SUMS"}
    assert sealed.damage(target, ENDINGS) is None
    assert target.stat().st_mode & 0o777 == 0o755 and (target / "b.json").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in target.parent.iterdir()] == ["target"]


@pytest.mark.parametrize("replaceable", [None, lambda _: False])
def test_nothing_is_replaced_unasked(target, replaceable):
    before = content(target)
    with pytest.raises(FileExistsError):
        atomic.write_folder(target, fill, replaceable)
    assert content(target) == before


def test_only_what_is_empty_or_of_the_kind_may_be_replaced(target, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(target)
    (tmp_path / "file").write_text("")
    assert atomic.is_empty_or_has(target, "b.json") and atomic.is_empty_or_has(tmp_path / "empty", "b.json")
    others = (target, "c.json"), *((tmp_path / name, "b.json") for name in ("link", "file", "absent"))
    assert not any(atomic.is_empty_or_has(*pair) for pair in others)


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_replacing_leaves_the_new_one_alone(target, platform, monkeypatch):
    monkeypatch.setattr(atomic.sys, "platform", platform)
    atomic.write_folder(target, fill, Path.is_dir)
    assert (target / "inner" / "a.txt").read_text() == "new"
    assert [path.name for path in target.parent.iterdir()] == ["target"]


@pytest.mark.parametrize("platform", ["linux", "darwin"])
@pytest.mark.parametrize("failing", range(6))
def test_whichever_call_fails_the_earlier_one_stays(target, failing, platform, monkeypatch):
    """Three files, two folders and the move itself: five times fsync, then the rename."""
    before, calls, fsync, rename = content(target), [], os.fsync, Path.rename

    def count(do):
        def call(*args):
            calls.append(args)
            if len(calls) == failing + 1:
                raise OSError(28, "No space left on device")
            return do(*args)

        return call

    monkeypatch.setattr(atomic.sys, "platform", platform)
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(os, "fsync", count(fsync))
        if platform == "darwin":
            patch.setattr(Path, "rename", lambda self, to: count(rename)(self, to))
        elif failing == 5:
            patch.setattr(atomic, "_exchange", count(atomic._exchange))
        atomic.write_folder(target, fill, Path.is_dir)
    assert content(target) == before and [path.name for path in target.parent.iterdir()] == ["target"]


def test_a_second_rename_that_fails_takes_the_first_back(target, monkeypatch):
    before, rename, calls = content(target), Path.rename, []

    def second(self, to):
        calls.append(to)
        if len(calls) == 2:
            raise OSError(5, "Input/output error")
        return rename(self, to)

    monkeypatch.setattr(atomic.sys, "platform", "darwin")
    monkeypatch.setattr(Path, "rename", second)
    with pytest.raises(OSError, match="Input/output"):
        atomic.write_folder(target, fill, Path.is_dir)
    assert content(target) == before and [path.name for path in target.parent.iterdir()] == ["target"]


def test_a_parent_that_is_a_file_is_no_occupied_target(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        atomic.write_folder(tmp_path / "file" / "target", fill)


DAMAGES = {
    "changed": (lambda f: (f / "b.json").write_text("[]"), "b.json was altered"),
    "missing": (lambda f: (f / "inner" / "a.txt").unlink(), "inner/a.txt is missing"),
    "extra": (lambda f: (f / "c.json").write_text("{}"), "c.json is not listed"),
    "link": (lambda f: (f / "c.json").symlink_to("b.json"), "c.json is a link"),
    "pipe": (lambda f: os.mkfifo(f / "c.json"), "c.json is a link or no plain file"),
    "unsigned": (lambda f: (f / "SHA256SUMS").unlink(), "SHA256SUMS is missing"),
    "binary": (lambda f: (f / "SHA256SUMS").write_bytes(b"\xff"), "SHA256SUMS is missing or unreadable"),
    "twice": (lambda f: (f / "SHA256SUMS").write_text((f / "SHA256SUMS").read_text() * 2),
        "a line that is not allowed"),
    "ending": (lambda f: ((f / "run.py").write_text(""), sealed.sign(f)), "a line that is not allowed"),
    "outside": (lambda f: (f / "SHA256SUMS").write_text(f"{'0' * 64}  ../b.json\n"), "a line that is not allowed"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_every_change_is_found_and_told_in_one_line(target, name):
    harm, message = DAMAGES[name]
    harm(target)
    found = sealed.damage(target, ENDINGS)
    assert message in found and "\n" not in found


def test_what_stands_beside_is_not_looked_at(target):
    (target / ".cache").mkdir()
    (target / ".cache" / "x.bin").write_text("")
    assert sealed.damage(target, ENDINGS) is not None
    assert sealed.damage(target, ENDINGS, (".cache",)) is None
