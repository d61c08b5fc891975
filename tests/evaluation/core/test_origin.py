"""What is compared with what, where nobody says: the data set of the model, or nothing and a note."""

from __future__ import annotations

import json

import numpy as np
import pytest

from symdiff.storage import sidecar
from symdiff_evaluation.__main__ import main
from symdiff_evaluation.core import protocol as protocols
from symdiff_evaluation.core.evaluation import evaluate
from symdiff_evaluation.core.kinds import KINDS
from symdiff_evaluation.core.origin import advise, trace
from symdiff_evaluation.core.storage import find_reference, list_shipped
from symdiff_evaluation.core.write import write
from symdiff_evaluation.spins.correlation import LONGEST, second_moment_length


@pytest.fixture
def samples(tmp_path):
    path = tmp_path / "a.smi"
    path.write_text("CCO\nCN\nc1ccccc1\n")
    return path


def mark(path, dataset):
    sidecar.write(path, "some-checkpoint", dataset, 0, 3, 40)


def test_a_sidecar_chooses_the_reference(samples, tmp_path):
    mark(samples, "qm9")
    found = evaluate([samples])
    assert found.reference.name == "qm9-train" and found.estimates["novelty"].value is not None
    about = json.loads((write(found, tmp_path / "out") / "about.json").read_text())
    assert about["sidecars"][0]["checkpoint"] == "some-checkpoint"


def test_without_a_sidecar_nothing_is_compared(samples):
    found = evaluate([samples])
    assert found.reference is None and "novelty" not in found.estimates
    note = next(note for note in found.notes if note.startswith("Nothing is compared"))
    assert "a.smi.symdiff.json" in note and "--reference" in note and "qm9-train" in note and "novelty" in note


def test_what_is_named_counts_more(samples, tmp_path):
    mark(samples, "qm9")
    assert evaluate([samples], reference="none").reference is None
    (tmp_path / "train.smi").write_text("CCO\n")
    assert evaluate([samples], reference=tmp_path / "train.smi").reference.count == 1
    own = {"name": "p", "about": "a", "samples": 3, "reference": str(tmp_path / "train.smi"), "metrics": ["novelty"]}
    assert evaluate([samples], protocols.parse(own)).reference.count == 1


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda path: mark(path, "zinc"), "--reference zinc"),
        (lambda path: mark(path, None), "no a.smi.symdiff.json"),
        (lambda path: (mark(path, "qm9"), path.write_text("CCC\n")), "SHA-256"),
        (lambda path: sidecar.place(path).write_text("[" * 60_000), "cannot be read"),
    ],
)
def test_a_note_says_why_nothing_is_compared(samples, spoil, told):
    spoil(samples)
    found = evaluate([samples])
    assert found.reference is None
    assert any(told in note and "\n" not in note for note in found.notes), found.notes


def test_several_files_must_agree(samples, tmp_path):
    other = tmp_path / "b.smi"
    other.write_text("C\n")
    mark(samples, "qm9")
    assert trace([samples, other], "molecule-graph").reference is None
    mark(other, "qm9-h")
    assert "qm9, qm9-h" in trace([samples, other], "molecule-graph").problem
    mark(other, "qm9")
    assert trace([samples, other], "molecule-graph").reference == "qm9-train"


def test_every_shipped_reference_names_its_data_sets():
    for kind in KINDS:
        assert all(name in advise(kind, "samples") for name in list_shipped(kind))
        for name in list_shipped(kind):
            assert any(find_reference(dataset, kind) == name for dataset in ("qm9", "qm9-3d", name)), name
    assert find_reference("qm9", "molecule-3d") is None and find_reference("zinc", "molecule-graph") is None


def test_shipped_protocols_compare_with_nothing_of_their_own():
    assert {protocols.load(name).reference for name in protocols.list_shipped()} == {"none"}


def test_the_number_of_published_samples_is_told_where_it_matters(samples):
    mark(samples, "qm9")
    assert any("published values" in note for note in evaluate([samples]).notes)
    assert not any("published values" in note for note in evaluate([samples], reference="none").notes)
    own = {"name": "p", "about": "a", "samples": 3, "reference": "qm9-train", "metrics": ["novelty"]}
    assert not any("published values" in note for note in evaluate([samples], protocols.parse(own)).notes)


def test_the_table_shows_what_has_a_value_and_breaks_no_id(samples, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    arguments = [
        str(samples),
        "--protocol",
        "molecule-graph-moses",
        "--reference",
        "qm9-train",
        "--out",
        str(tmp_path / "out"),
        "--workers",
        "1",
    ]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    estimates = json.loads((tmp_path / "out" / "metrics.json").read_text())
    rows = [line.split()[0] for line in printed.partition("no value: ")[0].splitlines() if line.strip()]
    empty = printed.partition("no value: ")[2].partition("\n")[0]
    for name, estimate in estimates.items():
        assert (name in rows) == (estimate["value"] is not None), name
        assert (name in empty.replace(",", " ").split()) == (estimate["value"] is None), name


def test_rows_in_3d_have_their_reason(tmp_path):
    (tmp_path / "a.xyz").write_text(
        "3\n\nO 0 0 0\nH 0.96 0 0\nH -0.24 0.93 0\n1\n\nH 0 0 0\n1\n\nXx 0 0 0\n2\n\nC 0 0 0\nC 9 0 0\n"
    )
    own = {
        "name": "p",
        "about": "a",
        "samples": 3,
        "reference": "none",
        "kind": "molecule-3d",
        "metrics": ["perceived.validity"],
    }
    found = evaluate([tmp_path / "a.xyz"], protocols.parse(own))
    columns = found.kind.columns
    rows = [dict(zip(columns, row[2:], strict=True)) for row in found.kind.list_rows(found.samples, None)]
    assert [row["valid"] for row in rows] == ["true", "true", "false", "false"] or rows[1]["valid"] == "false"
    for row in rows:
        assert bool(row["reason"]) == (row["valid"] != "true"), row


def test_a_length_beyond_the_lattice_is_undecided():
    """Nearly full order on 8 x 8 sites: one flipped spin in one sample of two hundred."""
    spins = np.ones((200, 8, 8), np.int8)
    spins[0, 0, 0] = -1
    length = second_moment_length(spins, (0, 0))
    assert length.value is None and length.undecided == 200
    rng = np.random.default_rng(0)
    noise = np.where(rng.random((500, 8, 8)) < 0.85, 1, -1)
    found = second_moment_length(noise, (0, 0))
    assert found.value is None or found.value <= LONGEST * 8
