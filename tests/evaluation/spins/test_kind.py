"""Spins through the whole evaluation: from a file to numbers, rows and pages."""

import csv
import json

import numpy as np
import pytest
import torch

from symdiff.errors import UserError
from symdiff.groups.torus import torus
from symdiff.spins.exact import sample_boltzmann
from symdiff.spins.hamiltonian import Hamiltonian, interaction
from symdiff_evaluation.__main__ import main
from symdiff_evaluation.core.evaluation import evaluate
from symdiff_evaluation.core.write import write

COUNT, SIDE, T = 2000, 4, 2.3


def boltzmann(seed: int) -> np.ndarray:
    """Exact samples of the 4 x 4 torus."""
    model = Hamiltonian.make(torus("square", SIDE), interaction("ising"))
    labels = sample_boltzmann(model, T, COUNT, torch.Generator().manual_seed(seed))
    return (1 - 2 * labels.reshape(COUNT, SIDE, SIDE)).numpy().astype(np.int8)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spins")
    for seed in (0, 1):
        np.savez(folder / f"{seed}.npz", spins=boltzmann(seed), temperature=T)
    broken = boltzmann(0)
    broken[5, 0, 0] = 0
    np.savez(folder / "broken.npz", spins=broken, temperature=T)
    return folder


@pytest.fixture(scope="module")
def found(place):
    return evaluate([place / "0.npz"], reference=place / "1.npz")


def test_exact_samples_agree_with_exact_values(found):
    for name in ("exact.energy", "exact.abs_magnetization", "exact.two_point_half", "exact.binder_cumulant"):
        estimate = found.estimates[name]
        width = (estimate.high - estimate.low) / 2
        assert abs(estimate.value) < 2.6 * width, name  # five standard errors
    assert found.estimates["balance.variants"].value > 1e-6


def test_two_sets_of_one_law_agree(found):
    for name in (
        "reference.energy",
        "reference.abs_magnetization",
        "reference.two_point_half",
        "reference.magnetization",
    ):
        estimate = found.estimates[name]
        assert abs(estimate.value) < 2.6 * (estimate.high - estimate.low) / 2, name


def test_another_temperature_is_seen(place):
    np.savez(place / "wrong.npz", spins=boltzmann(0), temperature=2.6)
    estimate = evaluate([place / "wrong.npz"]).estimates["exact.energy"]
    assert estimate.high < 0


def test_the_folder(place, found):
    out = write(found, place / "out")
    metrics, about = (json.loads((out / name).read_text()) for name in ("metrics.json", "about.json"))
    assert list(metrics) == list(found.protocol.metrics) and about["protocol"]["kind"] == "lattice"
    with (out / "samples.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == COUNT and rows[0]["file"] == "0.npz" and rows[0]["temperature"] == "2.3"
    energies = [float(row["energy_per_site"]) for row in rows]
    assert np.mean(energies) == pytest.approx(metrics["energy_per_site"]["value"], abs=1e-5)
    unique = [row["unique"] for row in rows].count("true")
    assert unique == len({spins.tobytes() for spins in boltzmann(0)})
    text = (out / "report.html").read_text()
    assert all(
        f'<section id="{name}"' in text
        for name in ("numbers", "distributions", "symmetry", "samples", "failures", "about")
    )


def test_a_broken_record_costs_no_other(place, found):
    broken = evaluate([place / "broken.npz"])
    assert broken.total == COUNT and broken.kind.count_failures(broken.samples) == {"value": 1}
    assert broken.estimates["energy_per_site"].count == COUNT - 1
    rows = list(broken.kind.list_rows(broken.samples, None))
    assert rows[5][2] == "false" and "value: 0" in rows[5][3] and rows[6][2] == "true"


def test_nothing_but_broken_records(place, tmp_path):
    np.savez(place / "none.npz", spins=np.zeros((3, 4, 4)), temperature=T)
    none = evaluate([place / "none.npz"])
    write(none, tmp_path / "out")
    assert none.total == 3 and len(none.samples) == 0 and none.estimates["energy_per_site"].value is None
    with pytest.raises(UserError, match="none.npz: none of its 3 records"):
        evaluate([place / "0.npz"], reference=place / "none.npz")


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"spin": np.ones((2, 4, 4))}, "cannot tell what it holds"),
        ({"spins": np.ones((2, 4, 4)), "couplings": 1.0}, "unknown array 'couplings'"),
        ({"spins": np.ones((2, 4, 4)), "temperature": -1.0}, "above 0"),
        ({"spins": np.ones((2, 4, 4)), "field": np.nan}, "finite"),
        ({"spins": np.ones((0, 4, 4))}, "no record"),
    ],
)
def test_mistakes_are_one_line(tmp_path, capsys, arrays, told):
    np.savez(tmp_path / "a.npz", **arrays)
    assert main([str(tmp_path / "a.npz"), "--out", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr().err
    assert told in printed and printed.count("\n") == 1 and not (tmp_path / "out").exists()


def test_several_kinds_at_once(tmp_path, place):
    (tmp_path / "a.smi").write_text("C\n")
    with pytest.raises(UserError, match="one kind, got lattice and molecule-graph"):
        evaluate([tmp_path / "a.smi", place / "0.npz"])
    with pytest.raises(UserError, match="expected a file of spins"):
        evaluate([place / "0.npz"], reference="qm9-train")
