"""Work in shards: killed, altered, repeated, and never different from work in one piece."""

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from symdiff.errors import UserError
from symdiff_evaluation.command import run as run_command
from symdiff_evaluation.evaluation import evaluate
from symdiff_evaluation.shards import Shards, discard, in_shards

WORDS = [f"word {k}" for k in range(23)]


class Killed(BaseException):
    pass


def run(folder, items=WORDS, setting="", stop=None, size=5):
    """All results, and how many items were worked on."""
    done = []

    def work(part):
        if stop is not None and len(done) >= stop:
            raise Killed
        done.extend(part)
        return [(word, len(word)) for word in part]

    shards = in_shards(items, work, folder, str, list, tuple, setting, size)
    return [result for shard in shards for result in shard], len(done)


def test_a_killed_run_goes_on(tmp_path):
    want = [(word, len(word)) for word in WORDS]
    with pytest.raises(Killed):
        run(tmp_path / "s", stop=10)
    assert len(list((tmp_path / "s").iterdir())) == 2
    assert run(tmp_path / "s") == (want, 13)
    assert run(tmp_path / "s") == (want, 0)
    discard(tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_other_items_and_settings_are_worked_on_afresh(tmp_path):
    run(tmp_path)
    changed = [*WORDS[:12], "another", *WORDS[13:]]
    assert run(tmp_path, changed) == ([(word, len(word)) for word in changed], 5)
    assert run(tmp_path, changed, "other")[1] == 23
    assert run(tmp_path, ["ab", "c"], size=2)[1] == 2 and run(tmp_path, ["a", "bc"], size=2)[1] == 2


@pytest.mark.parametrize("harm", ["cut", "altered", "empty", "list"])
def test_a_damaged_shard_is_done_again(tmp_path, harm):
    run(tmp_path)
    path = sorted(tmp_path.iterdir())[1]
    data = path.read_bytes()
    held = json.loads(gzip.decompress(data))
    changed = {
        "cut": data[:-9],
        "altered": gzip.compress(json.dumps({**held, "results": held["results"][1:]}).encode()),
        "empty": b"",
        "list": gzip.compress(b"[]"),
    }[harm]
    path.write_bytes(changed)
    assert run(tmp_path) == ([(word, len(word)) for word in WORDS], 5)


def test_discard_leaves_what_is_not_its_own(tmp_path):
    run(tmp_path)
    (tmp_path / "thesis.tex").write_text("years")
    discard(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    discard(tmp_path / "missing")


TEXTS = [f"{'C' * (k % 9 + 1)}{'NOF'[k % 3]}" for k in range(40)] + ["C.C", "C(", "", "c1ccccc1Cc1ccccc1"]


def evaluated(folder, shards=None, protocol="molecule-graph-moses"):
    (folder / "a.smi").write_text("\n".join(TEXTS) + "\n")
    return evaluate([folder / "a.smi"], protocol, "none", shards=shards)


def test_an_evaluation_in_shards_is_one_in_a_piece(tmp_path, monkeypatch):
    monkeypatch.setattr("symdiff_evaluation.shards.SHARD", 7)
    whole, shards = evaluated(tmp_path), Shards(tmp_path / "s")
    made = evaluated(tmp_path, shards)
    assert made.samples == whole.samples and made.estimates == whole.estimates
    assert made.samples.features == whole.samples.features
    monkeypatch.setattr("symdiff_evaluation.samples.in_processes", lambda *given: 1 / 0)  # all is read back
    again = evaluated(tmp_path, shards)
    assert again.samples == whole.samples and again.estimates == whole.estimates
    assert evaluated(tmp_path, shards).samples.features == whole.samples.features
    discard(shards.folder)
    assert not shards.folder.exists()


def test_few_samples_need_none(tmp_path):
    evaluated(tmp_path, Shards(tmp_path / "s", above=1000))
    assert not (tmp_path / "s").exists()


PROGRAM = """
import os, signal, sys
from symdiff_evaluation import samples, shards
from symdiff_evaluation.command import run

stop, work, done = int(sys.argv[2]), samples.in_processes, []

def counted(*given):
    if len(done) == stop:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(1)
    return work(*given)

shards.SHARD, samples.in_processes = 7, counted
run(["a.smi"], sys.argv[1], "molecule-graph", "none", 1, True, "s")
print(len(done), file=sys.stderr)
"""


def test_a_killed_command_goes_on(tmp_path, monkeypatch):
    """SIGKILL in the middle; the second run works on what is left, writes the same folder and cleans up."""
    (tmp_path / "a.smi").write_text("\n".join(TEXTS) + "\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(one).absolute()) for one in sys.path if one)}
    command = [sys.executable, "-c", PROGRAM, "out"]
    killed = subprocess.run([*command, "3"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(list((tmp_path / "s").rglob("*.json.gz"))) == 3 and not (tmp_path / "out").exists()
    done = subprocess.run([*command, "99"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr.strip() == "4", done.stderr
    assert not (tmp_path / "s").exists()
    monkeypatch.chdir(tmp_path)
    run_command(["a.smi"], tmp_path / "whole", "molecule-graph", "none", 1, True)
    for name in ("metrics.json", "samples.csv", "report.html"):
        assert (tmp_path / "out" / name).read_text() == (tmp_path / "whole" / name).read_text(), name


def test_other_kinds_say_that_they_keep_nothing(tmp_path):
    np.savez(tmp_path / "a.npz", num_nodes=np.array([2]), edge_ptr=np.array([0, 1]), edges=np.array([[0, 1]]))
    with pytest.raises(UserError, match="--shards"):
        evaluate([tmp_path / "a.npz"], shards=Shards(tmp_path / "s"))
    evaluate([tmp_path / "a.npz"], shards=Shards(tmp_path / "s", above=10))
