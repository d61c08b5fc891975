"""The small file beside samples that says where they come from."""

from __future__ import annotations

import json

import pytest

from symdiff import __version__
from symdiff.errors import UserError
from symdiff.storage import sidecar


@pytest.fixture
def samples(tmp_path):
    path = tmp_path / "a.smi"
    path.write_text("CCO\n")
    return path


def test_what_is_written_is_read(samples):
    path = sidecar.write(samples, "qm9-graph", "qm9", 3, 1, 40)
    assert path.name == "a.smi.symdiff.json"
    found = sidecar.read(samples)
    assert (found.checkpoint, found.dataset, found.seed, found.count, found.steps, found.symdiff) == (
        "qm9-graph",
        "qm9",
        3,
        1,
        40,
        __version__,
    )
    assert sorted(json.loads(path.read_text())) == sorted(vars(found))


def test_without_one_nothing_is_known(samples):
    assert sidecar.read(samples) is None


def test_other_samples_under_the_same_name_are_recognized(samples):
    sidecar.write(samples, "qm9-graph", "qm9", 3, 1, 40)
    samples.write_text("CCC\n")
    with pytest.raises(UserError, match="SHA-256"):
        sidecar.read(samples)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"seed": 1}', "[" * 50_000, '{"a":' * 10_000, "\x00", "{}", '"' + "x" * 100_000]
)
def test_what_is_no_sidecar_is_one_line(samples, text):
    sidecar.place(samples).write_text(text)
    with pytest.raises(UserError, match=r"a\.smi\.symdiff\.json") as raised:
        sidecar.read(samples)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("key", "value"), [("dataset", 3), ("seed", "x" * 10_000), ("count", None), ("sha256", [1])])
def test_types_are_checked(samples, key, value):
    path = sidecar.write(samples, "qm9-graph", None, 3, 1, 40)
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(UserError, match=key) as raised:
        sidecar.read(samples)
    assert len(str(raised.value)) < 500
