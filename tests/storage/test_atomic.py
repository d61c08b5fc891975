"""Whatever writes a file or a folder.

On a full disk the earlier one stays, to the byte, and nothing is left beside it.
"""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from symdiff.data.folder import write_folder
from symdiff.errors import UserError
from symdiff.storage import atomic, checkpoint, sealed
from symdiff.storage.arrays import write_npz
from symdiff.storage.run_states import Checkpoints, Snapshot
from symdiff.training.log import Log
from tests.full_disk import content, failing  # noqa: F401, a fixture

LARGE = 50_000


def numbers(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(LARGE)


def fill_checkpoint(folder: Path, seed: int) -> None:
    checkpoint.write_json(folder / "model_index.json", {"seed": seed})
    (folder / "weights.safetensors").write_bytes(numbers(seed).tobytes())


def write_log(path: Path, seed: int) -> None:
    if not path.exists():
        path.write_text("".join(f'{{"kind": "note", "step": {step}}}\n' for step in range(LARGE)))
        return
    Log(path, LARGE // 2).close()


def stream(path: Path, seed: int) -> None:
    with atomic.open_file(path) as file:
        for number in numbers(seed):
            file.write(f"{number}\n".encode())


WRITERS = {
    "a text": lambda path, seed: atomic.write_file(path, str(numbers(seed).tolist())),
    "bytes": lambda path, seed: atomic.write_file(path, numbers(seed).tobytes()),
    "a compressed file.gz": lambda path, seed: atomic.write_file(path, numbers(seed).tobytes()),
    "a stream": stream,
    "arrays.npz": lambda path, seed: write_npz(path, {"x": numbers(seed)}),
    "log.jsonl": write_log,
    "a data set": lambda path, seed: write_folder(path, {"seed": seed}, {"x": numbers(seed)}, replace=True),
    "a checkpoint": lambda path, seed: checkpoint.write(path, lambda folder: fill_checkpoint(folder, seed)),
    "a state": lambda path,
    seed: Checkpoints(path, keep=1).save(Snapshot(1, {"x": {"x": torch.tensor(numbers(seed))}}, {"seed": seed})),
}  # fmt: skip
"""Everything that writes, by what it writes: (where, seed of what)."""


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_what_was_there(name, tmp_path, failing):  # noqa: F811
    WRITERS[name](tmp_path / name, 0)
    before = content(tmp_path)
    assert before
    with pytest.raises(UserError) as caught, failing():
        WRITERS[name](tmp_path / name, 1)
    assert "\n" not in str(caught.value) and name in str(caught.value)
    assert content(tmp_path) == before


@pytest.mark.parametrize("name", [name for name in WRITERS if name != "log.jsonl"])
def test_a_full_disk_leaves_nothing_new(name, tmp_path, failing):  # noqa: F811
    with pytest.raises(UserError), failing():
        WRITERS[name](tmp_path / name, 1)
    assert not content(tmp_path)


@pytest.mark.parametrize("name", [name for name in WRITERS if name != "log.jsonl"])
def test_where_nothing_may_be_written_there_is_one_line(name, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UserError) as caught:
        WRITERS[name](tmp_path / "file" / name, 1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_written_again_is_the_new_one(name, tmp_path):
    WRITERS[name](tmp_path / name, 0)
    before = content(tmp_path)
    WRITERS[name](tmp_path / name, 1)
    assert content(tmp_path).keys() == before.keys() and content(tmp_path) != before


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_block_that_raises_leaves_the_earlier_file(tmp_path, error):
    atomic.write_file(tmp_path / "a.txt", "old")
    with pytest.raises(error), atomic.open_file(tmp_path / "a.txt") as file:
        file.write(b"half")
        raise error
    assert content(tmp_path) == {"a.txt": b"old"}


def test_a_file_is_there_only_when_the_block_has_ended(tmp_path):
    with atomic.open_file(tmp_path / "a.txt") as file:
        file.write(b"x" * 2**17)
        assert not (tmp_path / "a.txt").exists()
    assert (tmp_path / "a.txt").stat().st_size == 2**17 and (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("name", ["x" * 255, "ä" * 127, os.fsdecode(b"\xff\xfe.txt"), ".hidden", "-"])
def test_every_name_that_a_file_may_have_is_written(name, tmp_path):
    try:
        (tmp_path / name).write_text("")
    except OSError:
        pytest.skip("this file system has no such name")
    atomic.write_file(tmp_path / name, "text")
    assert (tmp_path / name).read_text() == "text" and len(os.listdir(tmp_path)) == 1


@pytest.mark.parametrize("name", [name for name in WRITERS if name not in ("log.jsonl", "arrays.npz", "a stream")])
def test_folders_that_were_made_above_go_where_it_fails(name, tmp_path, failing):  # noqa: F811
    with pytest.raises(UserError), failing():
        if name in ("a data set", "a checkpoint", "a state"):
            WRITERS[name](tmp_path / "new" / "deep" / name, 1)
        else:
            atomic.write_file(tmp_path / "new" / "deep" / name, numbers(1).tobytes(), parents=True)
    assert not list(tmp_path.iterdir())


def test_folders_above_are_made_where_they_may_be(tmp_path):
    with pytest.raises(UserError, match="No such file or directory"):
        atomic.write_file(tmp_path / "a" / "b.txt", "")
    atomic.write_file(tmp_path / "a" / "b.txt.gz", "text", parents=True)
    assert gzip.decompress((tmp_path / "a" / "b.txt.gz").read_bytes()) == b"text"


def test_files_of_a_folder_are_signed_as_they_reach_the_disk(tmp_path):
    checkpoint.write(tmp_path / "c", lambda folder: fill_checkpoint(folder, 0))
    assert sealed.damage(tmp_path / "c", (".json", ".safetensors")) is None
