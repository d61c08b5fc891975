"""``symdiff sample``: its help tells a model's own options, and what cannot be is refused at once."""

from __future__ import annotations

import os
import signal
import time
import tracemalloc

import pytest
from typer.testing import CliRunner

from symdiff.cli.main import app
from symdiff.cli.writing import writing
from symdiff.domains.molecule import MolecularGraph
from symdiff.errors import UserError
from symdiff.pipeline import Pipeline
from symdiff.sampling.ancestral import Ancestral
from symdiff.sampling.request import Request


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize(
    "words",
    [
        ("CHECKPOINT", "--help"),
        ("--help", "CHECKPOINT"),
        ("CHECKPOINT", "--count", "3", "--help"),
        ("--count", "3", "--help", "CHECKPOINT"),
    ],
)
@pytest.mark.parametrize(
    ("checkpoint", "own"),
    [
        ("ising", ("--temperature TEXT", "T in J/k_B", "--size")),
        ("qm9-3d-alpha", ("--alpha", "--fixed")),
        ("qm9-graph", ("--formula", "--fixed")),
    ],
)
def test_help_lists_the_options_of_the_model(words, checkpoint, own):
    text = run("sample", *(checkpoint if word == "CHECKPOINT" else word for word in words)).stdout
    assert f"Options of {checkpoint}" in text and all(part in text for part in (*own, "--count", "--particles"))


def test_help_without_a_checkpoint_is_that_of_the_verb():
    done = run("sample", "--help")
    assert done.exit_code == 0 and "--count" in done.stdout and "Options of" not in done.stdout
    assert "no bundled checkpoint of that name" in run("sample", "nowhere", "--help").output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("qm9-graph", "--count", "1e12"), "valid integer"),
        (("qm9-graph", "--count", 10**12), "1000000000"),
        (("qm9-graph", "--count", 5, "--steps", 10**9), "--steps"),
        (("qm9-graph", "--count", 5, "--particles", 10**9), "--particles"),
        (("qm9-graph", "--count", 5, "--num-nodes", 10), "the code has 9 nodes, got structures with up to 10"),
        (("qm9-graph", "--count", 5, "--num-nodes", 1000), "num_nodes: expected at most 64, got 1000"),
        (("qm9-graph", "--count", 5, "--num-nodes", 5000), "num_nodes: expected at most 64, got 5000"),
        (("qm9-graph", "--count", 5, "--num-nodes", 10**8), "num_nodes: expected 1 to 1,048,576, got 100000000"),
        (("qm9-graph", "--count", 5, "--num-nodes", "9" * 4000), "--num-nodes: expected a number"),
        (("ising", "--count", 5, "--temperature", 2, "--size", 10**6), "at most 1048576 sites"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_before_anything_is_made(words, message, tmp_path):
    Pipeline.load(words[0])  # so that reading the checkpoint does not count
    tracemalloc.start()
    start = time.process_time()
    done = run("sample", *words, "--out", tmp_path / "new" / "a.npz")
    spent, (_, most) = time.process_time() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    text = " ".join(done.output.split())
    assert done.exit_code == 2 and message in text and done.output.count("\n") == 1
    assert list(tmp_path.iterdir()) == [] and spent < 3 and most < 50_000_000


def test_what_cannot_be_is_refused_from_python_too():
    pipeline = Pipeline.load("qm9-graph")
    for ask, message in [
        (lambda: pipeline.sample(10**12), "count: expected 1 to 1,000,000,000"),
        (lambda: pipeline.sample(0), "count: expected 1 to"),
        (lambda: pipeline.sample(3, 10**9), "steps: expected 1 to 100,000"),
        (lambda: Ancestral(pipeline.diffusion, 0), "steps: expected 1 to"),
        (lambda: pipeline.sample(Request(3, 5000), 2), "num_nodes: expected at most 64, got 5000"),
        (lambda: pipeline.sample(Request(3, 10), 2), "the code has 9 nodes"),
        (lambda: pipeline.sample(Request(3, (3, 2)), 2), "num_nodes: expected bounds"),
        (lambda: next(pipeline.stream(Request(3, 10**7), 2)), "num_nodes: expected 1 to"),
    ]:
        with pytest.raises(UserError, match=message):
            ask()


def test_a_run_that_is_ended_leaves_no_half_file(tmp_path):
    domain, before = MolecularGraph(["C"]), signal.getsignal(signal.SIGTERM)

    def mols():
        yield from ()
        os.kill(os.getpid(), signal.SIGTERM)

    out = tmp_path / "new" / "a.smi"
    with pytest.raises(SystemExit) as ended, writing(domain, out):
        domain.write(mols(), out)
    assert ended.value.code == 143 and list(tmp_path.iterdir()) == [] and signal.getsignal(signal.SIGTERM) is before
    with writing(domain, out):
        domain.write([], out)
    assert [path.name for path in out.parent.iterdir()] == ["a.smi"]
