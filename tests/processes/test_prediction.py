"""Prediction: one step from nothing, errors that rotations leave, and a config that comes back."""

from __future__ import annotations

import json
import math

import pytest
import torch

from symdiff.groups.orthogonal import Orthogonal
from symdiff.groups.permutations import Symmetric
from symdiff.groups.product import DirectProduct
from symdiff.processes.prediction import Prediction
from symdiff.random import Streams
from symdiff.state import Categorical, Real, State, node_mask, pad

SCHEMA = {"force": Real("node", 2, vector=3), "charge": Real("node", 1), "energy": Real("whole", 1)}
MASK = node_mask(torch.tensor([3, 1, 5]))
MEAN, SPREAD = {"charge": 0.5, "energy": -3.0}, {"force": 2.0, "energy": 4.0}
EACH = {"energy": Real("whole", 3), "force": Real("node", 2, vector=3)}


@pytest.fixture
def pair(random_state) -> tuple[State, State]:
    """A structure with a condition, and a prediction."""
    x0 = random_state({"position": Real("node", 1, vector=3), **SCHEMA}, MASK, 0)
    return x0, random_state(SCHEMA, MASK, 1)


def right(process: Prediction, x0: State) -> State:
    """The output of a network that is never wrong."""
    scaled = {name: (x0[name] - process.means.get(name, 0.0)) / process.deviations.get(name, 1.0) for name in SCHEMA}
    return State(x0.mask, SCHEMA, scaled)


@pytest.mark.parametrize("loss", ["l1", "l2"])
def test_one_step_is_exact_where_the_network_is(pair, loss):
    x0, _ = pair
    process = Prediction(SCHEMA, loss=loss, mean=MEAN, spread=SPREAD)
    t = process.draw_times(3)
    assert torch.equal(t, torch.ones(3)) and process.times(1).tolist() == [1, 0] and not process.renoises
    x1 = process.prior(x0.mask)
    x = process.bridge(x0, x1, t)
    assert not x1.schema and list(x.schema) == ["position"] and not process.noisy_schema()
    out = right(process, x0)
    assert process.loss(out, x0, x, t).abs().max() < 1e-11
    found = process.step(x, out, t, torch.zeros(3))
    assert all(torch.allclose(found[name].double(), x0[name], atol=1e-5) for name in SCHEMA)


def test_losses_by_hand():
    schema = {"force": Real("node", 1, vector=3), "energy": Real("whole", 1)}
    mask = node_mask(torch.tensor([2]), 3)
    force = torch.tensor([[[[3.0, 4.0, 0.0]], [[0.0, 0.0, 1.0]], [[0.0, 0.0, 0.0]]]])
    x0 = State(mask, schema, {"force": force, "energy": torch.tensor([[7.0]])})
    nothing = State(mask, schema, {"force": torch.zeros_like(force), "energy": torch.zeros(1, 1)})
    wanted = {"l1": (5 + 1) / 2 / 2 + 7.0, "l2": (25 + 1) / 6 / 4 + 49.0}
    for loss, want in wanted.items():
        process = Prediction(schema, loss=loss, spread={"force": 2.0})
        assert process.loss(nothing, x0, x0, torch.ones(1)).item() == pytest.approx(want)


@pytest.mark.parametrize("loss", ["l1", "l2"])
def test_every_channel_has_a_mean_and_a_spread_of_its_own(random_state, loss):
    """As if the channels had been standardized before."""
    x0, out = random_state(EACH, MASK, 0), random_state(EACH, MASK, 1)
    mean, spread = torch.tensor([1.0, -2.0, 30.0]).double(), torch.tensor([0.5, 2.0, 8.0]).double()
    force = torch.tensor([3.0, 0.25]).double()[:, None]
    process = Prediction(
        EACH,
        loss=loss,
        mean={"energy": mean.tolist()},
        spread={"energy": spread.tolist(), "force": force[:, 0].tolist()},
    )
    standard = State(MASK, EACH, {"energy": (x0["energy"] - mean) / spread, "force": x0["force"] / force})
    t = torch.ones(3)
    assert torch.allclose(
        process.loss(out, x0, x0, t), Prediction(EACH, loss=loss).loss(out, standard, standard, t), atol=1e-12
    )
    found = process.step(State(MASK, {}, {}), standard, t, 0 * t)
    assert all(torch.allclose(found[name].double(), x0[name], atol=1e-4) for name in EACH)


@pytest.mark.parametrize("loss", ["l1", "l2"])
def test_no_symmetry_and_no_padding_changes_the_loss(pair, loss):
    x0, out = pair
    process, group, t = (
        Prediction(SCHEMA, loss=loss, mean=MEAN, spread=SPREAD),
        DirectProduct([Symmetric(), Orthogonal(3)]),
        torch.ones(3),
    )
    before = process.loss(out, x0, x0, t)
    g = group.sample(MASK, Streams(0, torch.arange(3)))
    assert torch.allclose(process.loss(group.act(g, out), group.act(g, x0), x0, t), before, atol=1e-12)
    assert torch.allclose(process.loss(pad(out, 9), pad(x0, 9), pad(x0, 9), t), before, atol=1e-12)
    assert before.dtype == torch.float64 and bool((before > 0).all())


def test_the_derivative_of_a_length_is_finite_at_zero():
    schema = {"force": Real("node", 1, vector=3)}
    out = torch.zeros(1, 2, 1, 3, requires_grad=True)
    mask = node_mask(torch.tensor([2]))
    x0 = State(mask, schema, {"force": torch.zeros(1, 2, 1, 3)})
    Prediction(schema, loss="l1").loss(State(mask, schema, {"force": out}), x0, x0, torch.ones(1)).sum().backward()
    assert bool(out.grad.isfinite().all())


def test_the_config_comes_back(tmp_path):
    process = Prediction(SCHEMA, loss="l1", mean=MEAN, spread=SPREAD)
    process.save_config(tmp_path)
    config = json.loads((tmp_path / process.config_name).read_text())
    again = Prediction.from_config(config)
    assert (again.kind, again.means, again.deviations) == ("l1", MEAN, SPREAD) and dict(again.schema) == SCHEMA


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"schema": {"part": Categorical("node", 3)}}, "must be Real"),
        ({"mean": {"force": 1.0}}, "would break rotations"),
        ({"spread": {"energy": 0.0}}, "more than 0"),
        ({"spread": {"mass": 1.0}}, "'mass'"),
        ({"spread": {"force": [1.0, -1.0]}}, "more than 0"),
        ({"mean": {"energy": [1.0, 2.0]}}, "mean.energy: expected one finite number, or a list of 1"),
        ({"mean": {"energy": math.nan}}, "one finite number"),
    ],
)
def test_what_cannot_be_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Prediction(**{"schema": SCHEMA, **settings})


def test_there_is_one_step_and_no_likelihood(pair):
    x0, out = pair
    process, one = Prediction(SCHEMA), torch.ones(3)
    with pytest.raises(ValueError, match="one step, got 2"):
        process.times(2)
    with pytest.raises(ValueError, match="no likelihood"):
        process.prior_kl(x0)
    with pytest.raises(ValueError, match="no likelihood"):
        process.kl(out, x0, x0, one, 0 * one)
