"""Work in shards: killed, altered, repeated, and never different from work in one piece."""

import gzip
import json

import pytest

from symdiff.errors import UserError
from symdiff_evaluation.core.evaluation import evaluate
from symdiff_evaluation.core.execution import Execution
from symdiff_evaluation.core.shards import Shards, Work, discard, work_in_shards

WORDS = [f"word {k}" for k in range(23)]


class Killed(BaseException):
    pass


def run(folder, items=WORDS, setting="", stop=None, cost=13_000):
    """All results, and how many items were worked on, five (by ``cost``) in a shard."""
    done = []

    def work(part, progress):
        if stop is not None and len(done) >= stop:
            raise Killed
        done.extend(part)
        return [(word, len(word)) for word in part]

    shards = work_in_shards(Work("w", work, str.encode, list, tuple, setting=setting, cost=cost), items, folder)
    return [result for shard in shards for result in shard], len(done)


def test_a_killed_run_goes_on(tmp_path):
    want = [(word, len(word)) for word in WORDS]
    with pytest.raises(Killed):
        run(tmp_path / "s", stop=10)
    assert len(list((tmp_path / "s/w").iterdir())) == 2
    assert run(tmp_path / "s") == (want, 13)
    assert run(tmp_path / "s") == (want, 0)
    discard(tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_other_items_and_settings_are_worked_on_afresh(tmp_path):
    run(tmp_path)
    changed = [*WORDS[:12], "another", *WORDS[13:]]
    assert run(tmp_path, changed) == ([(word, len(word)) for word in changed], 5)
    assert run(tmp_path, changed, "other")[1] == 23
    assert run(tmp_path, ["ab", "c"])[1] == 2 and run(tmp_path, ["a", "bc"])[1] == 2


@pytest.mark.parametrize("harm", ["cut", "altered", "empty", "unsealed"])
def test_a_damaged_shard_is_done_again(tmp_path, harm):
    run(tmp_path)
    path = sorted((tmp_path / "w").iterdir())[1]
    data = path.read_bytes()
    text = gzip.decompress(data)
    assert json.loads(text.partition(b"\n")[2])[0] == ["word 5", 6]
    changed = {
        "cut": data[:-9],
        "altered": gzip.compress(text.replace(b"word 7", b"word 8")),
        "empty": b"",
        "unsealed": gzip.compress(b"[]"),
    }[harm]
    path.write_bytes(changed)
    assert run(tmp_path) == ([(word, len(word)) for word in WORDS], 5)


def test_discard_leaves_what_is_not_its_own(tmp_path):
    run(tmp_path)
    (tmp_path / "w" / ".000009.json.gz-1234").write_bytes(b"killed while it wrote")
    (tmp_path / "thesis.tex").write_text("years")
    discard(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    discard(tmp_path / "missing")
    with pytest.raises(UserError, match="thesis.tex.*cannot be written"):
        run(tmp_path / "thesis.tex")


TEXTS = [f"{'C' * (k % 9 + 1)}{'NOF'[k % 3]}" for k in range(40)] + ["C.C", "C(", "", "c1ccccc1Cc1ccccc1"]


def evaluated(folder, shards=None, protocol="molecule-graph-moses"):
    (folder / "a.smi").write_text("\n".join(TEXTS) + "\n")
    return evaluate([folder / "a.smi"], protocol, "none", execution=Execution(shards=shards))


def test_an_evaluation_in_shards_is_one_in_a_piece(tmp_path, monkeypatch):
    monkeypatch.setattr("symdiff_evaluation.core.shards.SHARD", 7)
    whole, shards = evaluated(tmp_path), Shards(tmp_path / "s")
    made = evaluated(tmp_path, shards)
    assert made.samples == whole.samples and made.estimates == whole.estimates
    assert made.samples.features == whole.samples.features
    monkeypatch.setattr("symdiff_evaluation.molecules.samples.map_items", lambda *given: 1 / 0)  # all is read back
    again = evaluated(tmp_path, shards)
    assert again.samples == whole.samples and again.estimates == whole.estimates
    assert evaluated(tmp_path, shards).samples.features == whole.samples.features
    discard(shards.folder)
    assert not shards.folder.exists()


def test_few_samples_need_none(tmp_path):
    evaluated(tmp_path, Shards(tmp_path / "s", above=1000))
    assert not (tmp_path / "s").exists()
