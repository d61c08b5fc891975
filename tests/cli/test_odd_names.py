"""Names of files that the system does not like are one line, for every verb that takes one, and nothing is written."""

from __future__ import annotations

import os
import sys

import pytest

from symdiff.cli.main import main

LONG = "a" * 300
VERBS = {
    "train RECIPE": ["train", "NAME"],
    "train --out": ["train", "tiny", "--set", "data/dataset=small-molecules", "--set", "training/steps=1", "--out",
        "NAME"],
    "train --resume": ["train", "--resume", "NAME"],
    "train dataset": ["train", "tiny", "--set", "data/dataset='NAME'"],
    "sample CHECKPOINT": ["sample", "NAME", "--count", "1", "--out", "a.smi"],
    "sample --out": ["sample", "ising", "--count", "1", "--size", "4", "--temperature", "2", "--out", "NAME.npz"],
    "sample --out folder": ["sample", "ising", "--count", "1", "--size", "4", "--temperature", "2", "--out",
        "NAME/a.npz"],
    "evaluate FILE": ["evaluate", "NAME.smi", "--out", "report"],
    "evaluate --reference": ["evaluate", "good.smi", "--out", "report", "--reference", "NAME"],
    "evaluate --protocol": ["evaluate", "good.smi", "--out", "report", "--protocol", "NAME.yaml"],
    "evaluate --out": ["evaluate", "good.smi", "--out", "NAME"],
    "data import FILE": ["data", "import", "NAME.smi", "--out", "set"],
    "data import --out": ["data", "import", "good.smi", "--out", "NAME"],
    "data info": ["data", "info", "NAME"],
    "push CHECKPOINT": ["push", "NAME", "me/model"],
    "push NAME": ["push", "ising", "NAME"],
    "demo CHECKPOINT": ["demo", "--checkpoint", "NAME"],
}  # fmt: skip
"""Where a verb takes the name of a file or folder."""


@pytest.mark.parametrize(
    "name", [LONG, "nothing/" + LONG + "/x", os.fsdecode(b"\xff\xfe")], ids=["long", "deep", "bytes"]
)
@pytest.mark.parametrize("verb", VERBS)
def test_a_name_that_the_system_does_not_like_is_one_line(verb, name, tmp_path, monkeypatch, capsys):
    if "--out" in verb and name == os.fsdecode(b"\xff\xfe"):
        pytest.skip("what may be written is written")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    (tmp_path / "good.smi").write_text("CCO\nCCN\n")
    monkeypatch.setattr(sys, "argv", ["symdiff", *(word.replace("NAME", name) for word in VERBS[verb])])
    with pytest.raises(SystemExit) as caught:
        main()
    error = capsys.readouterr().err
    assert caught.value.code == 2, error
    assert error.splitlines()[-1].startswith("error: ") and error.count("error: ") == 1 and "Traceback" not in error
    if not verb.startswith("sample"):  # which makes the folders of its file first
        assert os.listdir(tmp_path) == ["good.smi"]
