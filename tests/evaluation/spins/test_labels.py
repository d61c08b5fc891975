"""Potts and clock spins against enumeration, and at q = 2 against Ising spins."""

import csv
import itertools
import json
import math

import numpy as np
import pytest
import torch

from symdiff.domains.lattice import SpinLattice
from symdiff.errors import UserError
from symdiff.groups.torus import torus
from symdiff.spins.configuration import Configuration
from symdiff.spins.exact import sample_boltzmann
from symdiff.spins.hamiltonian import Hamiltonian as Model
from symdiff.spins.hamiltonian import gaussian_bonds, half, interaction
from symdiff_evaluation.core.evaluation import evaluate
from symdiff_evaluation.core.kinds import load_kind
from symdiff_evaluation.core.pictures import draw_lattice, label_colors
from symdiff_evaluation.core.write import write
from symdiff_evaluation.spins.balance import label_balance
from symdiff_evaluation.spins.exact import find_ground_level, find_infinite_values, find_torus_values
from symdiff_evaluation.spins.samples import from_arrays

CASES = [
    ("potts", 3, "square", (3, 3)),
    ("clock", 4, "chain", (6,)),
    ("clock", 5, "chain", (5,)),
    ("potts", 4, "triangular", (2, 3)),
]


def every(states: int, shape: tuple[int, ...]) -> np.ndarray:
    """All configurations."""
    sites = math.prod(shape)
    return (
        (np.arange(states**sites)[:, None] // states ** np.arange(sites) % states).reshape(-1, *shape).astype(np.int8)
    )


def correlator(model: str, states: int) -> np.ndarray:
    """(q·δ - 1)/(q - 1) or cos(2π(s - s')/q)."""
    step = np.subtract.outer(np.arange(states), np.arange(states))
    return (states * (step == 0) - 1) / (states - 1) if model == "potts" else np.cos(2 * math.pi * step / states)


def arrays(model: str, states: int, lattice: str, spins: np.ndarray, **more) -> dict[str, np.ndarray]:
    return {"spins": spins, "model": np.array(model), "states": np.array(states), "lattice": np.array(lattice), **more}


@pytest.mark.parametrize(("model", "states", "lattice", "shape"), CASES)
def test_a_configuration_is_by_enumeration(model, states, lattice, shape):
    rng, w = np.random.default_rng(0), correlator(model, states)
    labels = rng.integers(states, size=(40, *shape))
    couplings = gaussian_bonds(piece := torus(lattice, shape), 0.0, 1.0, 1, torch.Generator().manual_seed(0))[0]
    directions = piece.lattice.star(2 * couplings.shape[-1])[half(piece, 2 * couplings.shape[-1])].numpy()
    given = arrays(
        model, states, lattice, labels, coupling=couplings.reshape(*shape, -1).numpy(), directions=directions
    )
    spins = from_arrays(given)
    found, flat = spins.observations, torch.from_numpy(labels.reshape(40, -1))
    hamiltonian = Model.make(piece, interaction(model, states), couplings)
    assert found.energy == pytest.approx(hamiltonian.energy(flat).numpy(), abs=1e-12)
    for axis, line in enumerate(found.lines):
        want = [w[labels, np.roll(labels, -t, axis + 1)].reshape(40, -1).mean(1) for t in range(shape[axis] // 2 + 1)]
        assert line == pytest.approx(np.stack(want, 1), abs=1e-12)
    start, end, coupling = (t.numpy() for t in hamiltonian.bonds())
    best = np.where(coupling[0] > 0, w.max(), w.min())
    wrong = np.abs(w[flat.numpy()[:, start], flat.numpy()[:, end]] - best) > 1e-9
    assert found.unsatisfied == pytest.approx(wrong.mean(1))
    shares = np.stack([(labels == a).reshape(40, -1).mean(1) for a in range(states)], 1)
    turned = np.abs(np.exp(2j * math.pi * labels / states).reshape(40, -1).mean(1))
    assert found.magnetization == pytest.approx(
        (states * shares.max(1) - 1) / (states - 1) if model == "potts" else turned, abs=1e-12
    )
    assert found.power.sum() == pytest.approx(40 * labels[0].size ** 2)  # unit vectors, Parseval


@pytest.mark.slow
@pytest.mark.parametrize(("model", "states", "lattice", "shape"), CASES)
@pytest.mark.parametrize("j", [1.0, -0.7])
def test_exact_values_are_those_of_all_configurations(model, states, lattice, shape, j):
    labels, bonds = every(states, shape), {"chain": 1, "square": 2, "triangular": 3}[lattice]
    part = from_arrays(
        arrays(model, states, lattice, labels, coupling=np.full((*shape, bonds), j), temperature=np.array(0.9))
    ).parts[0]
    total = part.observations.energy * labels[0].size
    law = np.exp(-(total - total.min()) / 0.9)
    law /= law.sum()
    lowest, exact = find_ground_level(part), find_torus_values(part)
    assert (
        lowest.energy * labels[0].size == pytest.approx(total.min(), abs=1e-9)
        and lowest.count == (total < total.min() + 1e-9).sum()
    )
    assert exact.energy * labels[0].size == pytest.approx(law @ total, abs=1e-6)
    heat = (law @ total**2 - (law @ total) ** 2) / 0.9**2 / labels[0].size
    assert (
        exact.specific_heat == pytest.approx(heat, abs=1e-6)
        and exact.abs_magnetization is None
        and find_infinite_values(part) is None
    )


@pytest.mark.parametrize(("model", "j"), [("potts", 2.0), ("clock", 1.0)])
def test_two_states_are_ising_spins(tmp_path, model, j):
    """J = 2 of Potts spins is J = 1 of Ising spins, up to a constant."""
    labels = sample_boltzmann(
        Model.make(torus("square", 4), interaction("ising")), 2.4, 600, torch.Generator().manual_seed(1)
    )
    labels = labels.reshape(-1, 4, 4).numpy().astype(np.int8)
    couplings = np.full((4, 4, 2), j)
    np.savez(tmp_path / "ising.npz", spins=1 - 2 * labels, temperature=2.4)
    np.savez(
        tmp_path / "labels.npz", **arrays(model, 2, "square", labels, coupling=couplings, temperature=np.array(2.4))
    )
    ours, ising = (evaluate([tmp_path / name]).estimates for name in ("labels.npz", "ising.npz"))
    shift = {"energy_per_site": -2.0} if model == "potts" else {}
    alone = ("magnetization", "exact.abs_magnetization", "exact.binder_cumulant", "exact.two_point_half")
    for name, want in ising.items():
        got = ours[name]
        if name in alone or name.startswith("infinite.") or name == "balance.variants":
            continue  # of labels the one that prevails is balanced, whatever the strongest order is
        expected = None if want.value is None else want.value + shift.get(name, 0.0)
        assert got.count == want.count and got.value == pytest.approx(expected, abs=1e-6), name
    assert all(ours[name].value is None for name in alone) and ours["balance.variants"].value is not None


def test_labels_are_equally_frequent():
    fair, unfair = (
        np.repeat(np.arange(3), counts)[:, None, None] * np.ones((1, 4, 4), int)
        for counts in ([101, 98, 101], [150, 100, 50])
    )
    assert label_balance(fair, 3).counts == ({"label 0": 101, "label 1": 98, "label 2": 101},)
    assert label_balance(fair, 3).balance.p_value > 0.9 and label_balance(unfair, 3).balance.p_value < 1e-8
    assert label_balance(np.array([[0, 1], [2, 2], [1, 1], [1, 0]]), 3).balance.undecided == 2
    slow = label_balance(
        np.repeat(np.tile([0, 1, 2], 10), [15, 10, 5] * 10)[:, None] * np.ones((1, 4), int), 3, np.zeros(300)
    ).balance
    assert slow.p_value > label_balance(unfair, 3).balance.p_value


def test_what_is_too_large_is_undecided():
    labels = np.zeros((2, 16, 16), np.int8)
    part = from_arrays(arrays("potts", 3, "square", labels, temperature=np.array(1.0))).parts[0]
    assert find_torus_values(part) is None and (find_ground_level(part).energy, find_ground_level(part).count) == (
        -2,
        3,
    )  # all alike
    against = from_arrays(arrays("potts", 3, "square", labels, coupling=np.full((16, 16, 2), -1.0))).parts[0]
    assert find_ground_level(against) is None
    wide = from_arrays(
        arrays("clock", 100, "square", np.zeros((1, 10, 10), np.int8), coupling=np.full((10, 10, 2), -1.0))
    ).parts[0]
    assert find_ground_level(wide) is None


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels")
    for name, model, states, seed in (("potts", "potts", 3, 0), ("other", "potts", 3, 1), ("clock", "clock", 6, 0)):
        one = Model.make(torus("square", 3), interaction(model, states))
        labels = (
            sample_boltzmann(one, 0.9, 800, torch.Generator().manual_seed(seed))
            .reshape(-1, 3, 3)
            .numpy()
            .astype(np.int8)
        )
        domain = SpinLattice("square", [3, 3], model, states, conditions=["temperature"])
        domain.write([Configuration(one, temperature=0.9) for one in labels], folder / f"{name}.npz")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", ["potts", "clock"])
def test_the_folder(place, tmp_path, name):
    reference = place / "other.npz" if name == "potts" else None
    found = evaluate([place / f"{name}.npz"], reference=reference)
    for known in (
        "exact.energy",
        "exact.specific_heat",
        *(["reference.energy", "reference.abs_magnetization"] if reference else []),
    ):
        estimate = found.estimates[known]
        assert abs(estimate.value) < 2.6 * (estimate.high - estimate.low) / 2, known  # five standard errors
    assert all(found.estimates[f"balance.{test}"].value > 1e-6 for test in ("variants", "images", "places"))
    out = write(found, tmp_path / "out")
    assert json.loads((out / "metrics.json").read_text())["magnetization"]["value"] is None
    with (out / "samples.csv").open(newline="") as stream:
        orders = [float(row["magnetization"]) for row in csv.DictReader(stream)]
    assert np.mean(orders) == pytest.approx(found.estimates["abs_magnetization"].value, abs=1e-5)
    text = (out / "report.html").read_text()
    assert "permutations of labels" in text and "Order parameter" in text and 'class="up"' not in text
    assert "Variants: label" in text and 'svg class="lattice"' in text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"model": np.array("pots")}, "unknown model 'pots' .did you mean 'potts'"),
        ({"states": np.array(20)}, "states: at most 14 are evaluated of potts spins, got 20"),
        ({"states": np.array(2.5)}, "states: expected one integer, got 2.5"),
        ({"field": np.ones((3, 3, 3))}, "field: potts spins are evaluated without one"),
    ],
)
def test_mistakes_are_one_line(change, told):
    given = {**arrays("potts", 3, "square", np.zeros((2, 3, 3), np.int8)), **change}
    with pytest.raises(UserError, match=told):
        from_arrays(given)
    with pytest.raises(UserError, match="states: .* got none"):
        from_arrays(
            {name: value for name, value in given.items() if name not in ("states", "field")}
            | {"model": np.array("clock")}
        )


def test_a_field_of_zeros_and_a_broken_record():
    labels = np.zeros((3, 3, 3), np.int8)
    labels[1, 0, 0] = 3
    spins = from_arrays(arrays("potts", 3, "square", labels, field=np.zeros((3, 3, 3, 3))))
    assert len(spins) == 2 and spins.reasons == {1: "value: 3 where 0 to 2 is expected"} and spins.model == "potts"
    none = from_arrays(arrays("clock", 3, "square", labels + 5))
    assert len(none) == 0 and all(
        value.value is None
        for value in load_kind("lattice").measure(none, None, list(load_kind("lattice").metrics_by_id)).values()
    )


@pytest.mark.slow
def test_a_reference_of_another_model(place):
    with pytest.raises(UserError, match="expected 3-state potts spins, as the samples are, got 6-state clock"):
        evaluate([place / "potts.npz"], reference=place / "clock.npz")


def test_several_hamiltonians_at_once():
    rng = np.random.default_rng(3)
    labels, coupling = rng.integers(3, size=(6, 3, 3)), rng.choice([-1.0, 1.0], (6, 3, 3, 2))
    spins = from_arrays(arrays("potts", 3, "square", labels, coupling=coupling))
    for k, part in itertools.product(range(6), spins.parts):
        if k in part.records:
            assert part.observations.energy[part.records.tolist().index(k)] == pytest.approx(
                spins.observations.energy[k]
            )
            assert part.model == "potts" and find_ground_level(part).energy <= spins.observations.energy[k] + 1e-9


def test_a_picture_has_a_color_for_every_label():
    colors = label_colors("potts", 3)
    assert all(len(set(label_colors(model, 12))) == 12 for model in ("potts", "clock"))
    drawn = draw_lattice(np.array([[0, 0, 2], [2, 2, 2]]), colors=colors)
    assert f'fill="{colors[0]}" d="M0 0h2v1h-2z"' in drawn and colors[1] not in drawn and colors[2] in drawn
    cube = draw_lattice(np.full((3, 2, 2), 1), colors=colors)  # between layers and in the place of a fourth, nothing
    assert cube.count("h2v1") == 3 * 2 and colors[0] not in cube
