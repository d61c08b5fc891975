"""Checkpoints that go to a hub and come back are the same to the byte, and a push that fails says what is missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from symdiff.cli.main import main
from symdiff.errors import UserError
from symdiff.pipeline import Pipeline
from symdiff.storage import bundled, hub
from tests.full_disk import content
from tests.storage.hub_server import READER, WRITER, Hub, Repository

CHECKPOINT = "ising"
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=")  # of huggingface_hub, which is its own


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A hub, its address and a token in the environment."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    for name, value in {"HF_TOKEN": WRITER, "HF_HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    with Hub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


@pytest.fixture(scope="module")
def pipeline():
    return Pipeline.load(CHECKPOINT)


def files(server: Hub, name: str = "me/model", revision: str = "main") -> dict[str, bytes]:
    repository = server.repositories[name]
    return {
        path: data
        for path, data in repository.commits[repository.resolve(revision)].items()
        if path != ".gitattributes"
    }


def test_a_folder_that_is_pushed_comes_back_to_the_byte(server, tmp_path):
    folder = bundled.checkpoint(CHECKPOINT)
    address = hub.push(folder, "me/model")
    assert address.startswith(server.url) and files(server) == content(folder)
    back = hub.download("me/model")
    assert {path: data for path, data in content(back).items() if path != ".gitattributes"} == content(folder)
    assert back.is_relative_to(tmp_path / "home")
    assert Pipeline.load("me/model").config == Pipeline.load(folder).config
    assert any(request.startswith("PUT /blobs/") for request in server.requests), (
        "weights go to the large files' storage"
    )


def test_a_pipeline_is_pushed_and_loaded_as_diffusers_has_it(server, pipeline, tmp_path):
    pipeline.push_to_hub("me/model")
    assert set(files(server)) >= {"model_index.json", "SHA256SUMS", "README.md", "denoiser/config.json"}
    back = Pipeline.from_pretrained("me/model", revision="main", cache_dir=tmp_path / "cache")
    assert any((tmp_path / "cache").rglob("model_index.json")) and not (tmp_path / "home" / "hub").exists()
    for part in ("denoiser", "breaker"):
        first, second = getattr(pipeline, part).state_dict(), getattr(back, part).state_dict()
        assert first.keys() == second.keys() and all((first[name] == second[name]).all() for name in first)


@pytest.mark.parametrize("name", [None, "me/other", "other"])
def test_saving_may_push_as_well(server, pipeline, tmp_path, name):
    pipeline.save_pretrained(tmp_path / "model", push_to_hub=True, repo_id=name, private=True)
    where = {None: "me/model"}.get(name, "me/other")
    assert files(server, where) == content(tmp_path / "model") and server.repositories[where].private


def test_revisions_are_told_apart(server, pipeline, tmp_path):
    folder, other = tmp_path / "first", tmp_path / "second"
    pipeline.save(folder, card="first"), pipeline.save(other, card="second")
    hub.push(folder, "me/model")
    hub.push(other, "me/model", revision="next")
    commit = server.repositories["me/model"].branches["main"]
    for revision, card in {None: "first", "main": "first", "next": "second", commit: "first"}.items():
        assert (hub.download("me/model", revision=revision) / "README.md").read_text() == card
    with pytest.raises(UserError, match="no revision 'never'"):
        hub.download("me/model", revision="never")


def test_what_an_earlier_push_left_goes_and_what_is_not_ours_stays(server, pipeline, tmp_path):
    pipeline.save(tmp_path / "first", card="card", evaluation={"a": 1})
    hub.push(tmp_path / "first", "me/model")
    repository = server.repositories["me/model"]
    repository.commit(
        "main", {**repository.commits[repository.resolve("main")], "plot.png": b"png", "old/config.json": b"{}"}
    )
    pipeline.save(tmp_path / "second")
    hub.push(tmp_path / "second", "me/model")
    assert set(files(server)) == {*content(tmp_path / "second"), "plot.png", "README.md"}
    Pipeline.from_pretrained("me/model")


def test_a_card_may_be_edited_on_the_hub_and_nothing_else(server, pipeline, tmp_path):
    pipeline.save(tmp_path / "first", card="card")
    hub.push(tmp_path / "first", "me/model")
    repository = server.repositories["me/model"]
    before = repository.commits[repository.resolve("main")]
    repository.commit("main", {**before, "README.md": b"edited", "trap.bin": b"pickle"})
    Pipeline.from_pretrained("me/model")
    for name in set(content(tmp_path / "first")) - {"README.md", "SHA256SUMS"}:
        repository.commit("main", {**before, name: before[name] + b" "})
        with pytest.raises(UserError, match=f"not a whole checkpoint: {name} was altered"):
            Pipeline.from_pretrained("me/model")
    repository.commit("main", {**before, "SHA256SUMS": before["SHA256SUMS"] + b"0" * 64 + b"  ../../evil.json\n"})
    with pytest.raises(UserError, match="a line that is not allowed"):
        Pipeline.from_pretrained("me/model")


FAILURES = {
    "no token": ({"HF_TOKEN": ""}, [], "me/model: not pushed: a token for the hub is missing; set HF_TOKEN"),
    "wrong token": ({"HF_TOKEN": "hf_wrong"}, [], "the hub does not accept the token"),
    "reader": ({"HF_TOKEN": READER}, [], "the token may not write to me"),
    "offline": ({"HF_ENDPOINT": "http://127.0.0.1:9"}, [], "http://127.0.0.1:9 cannot be reached"),
    "create": ({}, ["POST /api/repos/create"], "the hub answers 500"),
    "preupload": ({}, ["POST */preupload/*"], "the hub answers 500"),
    "weights": ({}, ["PUT /blobs/*"], "the hub answers 500"),
    "commit": ({}, ["POST */commit/*"], "the hub answers 500"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILURES)
def test_a_push_that_fails_says_what_is_missing_and_leaves_nothing(name, server, pipeline, monkeypatch):
    environment, server.broken, message = FAILURES[name]
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # huggingface_hub tries again
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    with pytest.raises(UserError) as caught:
        pipeline.push_to_hub("me/model")
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert server.repositories == {}


def test_a_push_that_fails_leaves_an_earlier_one(server, pipeline, monkeypatch):
    pipeline.push_to_hub("me/model")
    before = files(server)
    server.broken = ["POST */commit/*"]
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(UserError):
        pipeline.push_to_hub("me/model")
    assert files(server) == before


@pytest.mark.parametrize("name", ["a/b/c", "me/", "/model", "../up", "me model", ""])
def test_what_is_no_name_is_told_before_anything_is_sent(name, server):
    with pytest.raises(UserError, match="expected the name of a repository"):
        hub.push(bundled.checkpoint(CHECKPOINT), name)
    assert server.requests == []


def test_a_folder_that_is_no_checkpoint_is_not_pushed(server, tmp_path):
    shutil.copytree(bundled.checkpoint(CHECKPOINT), tmp_path / "broken")
    (tmp_path / "broken" / "model_index.json").write_text("{}")
    with pytest.raises(UserError, match="model_index.json was altered"):
        hub.push(tmp_path / "broken", "me/model")
    assert server.requests == []


@pytest.mark.parametrize("held", ["nothing", "something"])
def test_a_repository_without_a_checkpoint_is_one_line(held, server):
    with pytest.raises(UserError, match="me/none: no such folder, and no repository of that name on the hub"):
        Pipeline.from_pretrained("me/none")
    server.repositories["me/model"] = repository = Repository()
    repository.commit("main", {"pytorch_model.bin": b"pickle"} if held == "something" else {})
    with pytest.raises(UserError, match="holds no checkpoint of symdiff: SHA256SUMS is missing"):
        Pipeline.from_pretrained("me/model")


def test_what_was_downloaded_is_there_without_a_network(server, monkeypatch):
    hub.push(bundled.checkpoint(CHECKPOINT), "me/model")
    first = hub.download("me/model")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    assert hub.download("me/model") == first == hub.download("me/model", local_files_only=True)
    with pytest.raises(UserError, match="cannot be reached"):
        hub.download("me/other")


@pytest.mark.slow
def test_the_command_pushes_and_samples_what_it_pushed(tmp_path):
    with Hub() as server:
        paths = os.pathsep.join(path for path in sys.path if path)
        environment = {
            **os.environ,
            "PYTHONPATH": paths,
            "HF_ENDPOINT": server.url,
            "HF_TOKEN": WRITER,
            "HF_HOME": str(tmp_path),
            "HF_HUB_DISABLE_XET": "1",
        }

        def run(*arguments: str) -> subprocess.CompletedProcess:
            command = [sys.executable, "-m", "symdiff", *arguments]
            return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)

        done = run("push", CHECKPOINT, "me/model", "--private", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["commit"].startswith(server.url) and server.repositories["me/model"].private
        assert files(server) == content(bundled.checkpoint(CHECKPOINT))
        done = run(
            "sample",
            "me/model",
            "--count",
            "2",
            "--steps",
            "2",
            "--size",
            "4",
            "--temperature",
            "2",
            "--out",
            "pushed.npz",
        )
        assert done.returncode == 0 and (tmp_path / "pushed.npz").is_file(), done.stderr


def test_the_command_says_in_one_line_what_is_missing(server, monkeypatch, capsys):
    monkeypatch.setenv("HF_TOKEN", "")
    monkeypatch.setattr(sys, "argv", ["symdiff", "push", CHECKPOINT, "me/model"])
    with pytest.raises(SystemExit) as caught:
        main()
    error = capsys.readouterr().err
    assert caught.value.code == 2 and error.count("\n") == 1 and "set HF_TOKEN" in error and server.repositories == {}
