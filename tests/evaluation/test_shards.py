"""Work in shards: killed, altered, repeated, and never different from work in one piece."""

import gzip
import json

import pytest

from symdiff_evaluation.shards import discard, in_shards

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
