"""Processes on labels: their laws by enumeration and chi-square, their configs by saving and loading."""

from __future__ import annotations

import json

import pytest
import torch
from scipy.stats import chisquare
from torch.nn import functional

from symdiff.config.recipe import build
from symdiff.processes.base import Process
from symdiff.processes.discrete import Discrete, chance, draw, surprise
from symdiff.processes.flow import Flow
from symdiff.processes.marginal import Marginal
from symdiff.processes.masked import Masked
from symdiff.random import Streams
from symdiff.state import Categorical, Logits, Real, State, extent, node_mask, pad, support

SCHEMA = {"atom": Categorical("node", 4), "bond": Categorical("pair", 4, undirected=True)}
WEIGHTS = {"atom": [0.0, 0.5, 0.3, 0.2], "bond": [0.6, 0.3, 0.1, 0.0]}  # a label of weight zero at either end
PROCESSES = [
    Flow(SCHEMA, WEIGHTS),
    Flow(SCHEMA, WEIGHTS, prior="uniform", stochasticity=1.5, distortion=2.0),
    Marginal(SCHEMA, WEIGHTS),
    Marginal(SCHEMA, WEIGHTS, prior="uniform", levels=50, weights={"atom": 1.0, "bond": 5.0}),
    Masked(SCHEMA, WEIGHTS),
    Masked(SCHEMA, evenly=True, weighting="bound"),
]
IDS = ["flow", "flow stochastic", "marginal", "marginal uniform", "masked", "masked evenly"]
each_process = pytest.mark.parametrize("process", PROCESSES, ids=IDS)


def predictions(x: State, seed: int = 0, dtype: torch.dtype = torch.float32) -> State:
    generator = torch.Generator().manual_seed(seed)
    schema, values = {}, {}
    for name, field in SCHEMA.items():
        schema[name] = Logits(field.axes, field.classes, field.undirected)
        value = torch.randn(schema[name].shape(*x.mask.shape), generator=generator, dtype=dtype)
        values[name] = value + value.transpose(1, 2) if field.symmetric else value
    return State(x.mask, schema, values)


def labels_of(space_field: Categorical, value: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return value[support(space_field, mask)]


@each_process
def test_the_noise_of_a_row_does_not_depend_on_the_padding(process, graph_batch):
    wide, trajectories = pad(graph_batch, 11), []
    out = pad(predictions(graph_batch), 11)
    for nodes in (6, 8, 11):
        x0, logits, streams = pad(wide, nodes), pad(out, nodes), Streams(7, torch.arange(len(wide)))
        x1 = process.prior(x0.mask, streams)
        t, s = (torch.full((len(x0),), time) for time in (0.6, 0.4))
        x = process.bridge(x0, x1, t, streams)
        trajectories.append([pad(state, 11) for state in (x1, x, process.step(x, logits, t, s, streams))])
    for states in zip(*trajectories, strict=True):
        assert all(torch.equal(states[0][name], state[name]) for state in states[1:] for name in SCHEMA)


# drawing


class Edge:
    """Stands for uniform numbers at the edges of (0, 1)."""

    def __init__(self, monkeypatch, value: float) -> None:
        monkeypatch.setattr(
            "symdiff.processes.discrete.uniform", lambda shape, generator, like: torch.full(shape, value)
        )


@pytest.mark.parametrize("u", [torch.finfo(torch.float32).tiny, 2.0**-24, 1 - 2.0**-24, 1 - 2.0**-23])
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e-30, 3e7, 0.7])
def test_a_label_of_weight_zero_is_never_drawn(monkeypatch, u, scale):
    Edge(monkeypatch, u)
    field, generator = Categorical("node", 7), torch.Generator().manual_seed(0)
    law = torch.rand(500, 8, 7, generator=generator) ** 3 * scale
    law = torch.where(torch.rand(law.shape, generator=generator) < 0.5, 0.0, law)
    law[..., 3] = torch.where(law.sum(-1) == 0, scale, law[..., 3])
    law[0] = torch.tensor([0, 0, 0, 0, 0, 0, scale])
    law[1] = torch.tensor([scale, 0, 0, 0, 0, 0, 0])
    law[2] = torch.tensor([0, scale, 0, scale * 1e-9, 0, 0, 0])
    labels = draw(law, field, torch.ones(500, 8, dtype=torch.bool))
    drawn = law.gather(-1, labels[..., None])
    assert bool((drawn > 0).all())
    x1 = Flow(SCHEMA, WEIGHTS).prior(torch.ones(1, 3, dtype=torch.bool))
    assert set(x1["atom"].flatten().tolist()) <= {1, 2, 3} and set(x1["bond"].flatten().tolist()) <= {0, 1, 2}


@pytest.mark.parametrize("rounding", [-1e-7, 1e-7])
def test_a_label_of_weight_zero_is_never_drawn_where_sums_are_rounded_unevenly(monkeypatch, rounding):
    """A parallel sum may give neighbors of equal weight sums that differ in the last bit, in either direction."""
    exact = torch.Tensor.cumsum
    law = torch.tensor([0.2, 0.0, 0.5, 0.0, 0.3, 0.0])
    wobble = rounding * torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])
    monkeypatch.setattr(torch.Tensor, "cumsum", lambda self, axis: exact(self, axis) + wobble)
    for u in (2.0**-24, 0.2, 0.2 + 1e-7, 0.7, 0.7 - 6e-8, 1 - 2.0**-24):
        Edge(monkeypatch, u)
        label = draw(law.expand(1, 1, 6), Categorical("node", 6), torch.ones(1, 1, dtype=torch.bool))
        assert int(label) in (0, 2, 4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_draws_follow_the_law(dtype):
    field, count = Categorical("node", 5), 40000
    law = torch.tensor([0.0, 2.0, 0.5, 0.0, 1.5], dtype=dtype)  # need not be normalized
    mask = torch.ones(count // 4, 4, dtype=torch.bool)
    labels = draw(law.expand(*mask.shape, 5), field, mask, Streams(0, torch.arange(len(mask))))
    found = torch.bincount(labels.flatten(), minlength=5)
    assert found[[0, 3]].sum() == 0
    assert chisquare(found[[1, 2, 4]], count * law[[1, 2, 4]].double() / 4).pvalue > 1e-6


def test_chances_of_a_symmetric_field_are_symmetric_and_independent():
    mask = node_mask(torch.full((3000,), 4))
    u = chance(SCHEMA["bond"], mask, Streams(1, torch.arange(3000)))
    assert torch.equal(u, u.mT)
    entries = u[:, *torch.ones(4, 4).triu(1).nonzero().T].double()
    correlation = torch.corrcoef(entries.T)
    assert (correlation - torch.eye(6)).abs().max() < 5 / 3000**0.5


# the laws of the ends and of the bridge


@each_process
def test_states_keep_their_form(process, graph_batch):
    """Padding and diagonals stay zero, symmetric fields symmetric, and the schema is the noisy one throughout."""
    streams = Streams(3, torch.arange(len(graph_batch)))
    x1 = process.prior(graph_batch.mask, streams)
    t, s = torch.full((8,), 0.6), torch.full((8,), 0.3)
    x = process.bridge(graph_batch, x1, t, streams)
    for state in (x1, x, process.step(x, predictions(x), t, s, streams)):
        assert state.schema == process.noisy_schema()
        for name, field in state.schema.items():
            assert not bool(state[name][~extent(field, state.mask)].any())
            assert bool((state[name] < field.classes).all() & (state[name] >= 0).all())
            if field.symmetric:
                assert torch.equal(state[name], state[name].mT)


@each_process
def test_the_prior_has_its_law(process):
    mask = node_mask(torch.tensor([4, 2, 3]).repeat(1500))
    x1 = process.prior(mask, Streams(4, torch.arange(len(mask))))
    for name, field in process.noisy_schema().items():
        found = torch.bincount(labels_of(field, x1[name], mask), minlength=field.classes)
        expected = process.priors[name] * found.sum()
        seen = expected > 0
        assert found[~seen].sum() == 0
        assert seen.sum() == 1 or chisquare(found[seen], expected[seen]).pvalue > 1e-6


@each_process
def test_the_bridge_keeps_an_entry_with_probability_alpha(process):
    mask = node_mask(torch.full((4000,), 3))
    x0 = State(mask, SCHEMA, {"atom": torch.full((4000, 3), 2), "bond": (1 - torch.eye(3)).long().repeat(4000, 1, 1)})
    streams = Streams(5, torch.arange(4000))
    for time in (0.0, 1 / 3, 0.5, 1.0):
        t = torch.full((4000,), time)
        x = process.bridge(x0, process.prior(mask, streams), t, streams)
        for name, label in (("atom", 2), ("bond", 1)):
            alpha = float(process.alpha(torch.tensor(time, dtype=torch.float64)))
            law = (1 - alpha) * process.priors[name] + alpha * functional.one_hot(
                torch.tensor(label), len(process.priors[name])
            )
            found = torch.bincount(labels_of(SCHEMA[name], x[name], mask), minlength=len(law))
            seen = law > 1e-12
            assert found[~seen].sum() == 0
            if seen.sum() > 1 and not (isinstance(process, Masked) and process.evenly):  # there the number is fixed
                assert chisquare(found[seen], law[seen] / law[seen].sum() * found.sum()).pvalue > 1e-6


@each_process
def test_alpha_falls_from_one_to_zero(process):
    alpha = process.alpha(torch.linspace(0, 1, 101, dtype=torch.float64))
    assert alpha[0] == 1 and alpha[-1] < 1e-30
    assert bool((alpha.diff() < 0).all())
    values = {"atom": torch.ones(1, 2).long(), "bond": torch.zeros(1, 2, 2).long()}
    assert process.prior_kl(State(node_mask(torch.tensor([2])), SCHEMA, values)) < 1e-12


# steps


@pytest.mark.parametrize("times", [(1.0, 0.7), (0.62, 0.3), (0.3, 0.0), (0.5, 0.5)])
@each_process
def test_the_posterior_is_bayes_rule(process, times):
    """Against the product of the two steps of the Markov chain x0 -> x_s -> x_t, normalized, for all labels."""
    t, s = (torch.tensor([time], dtype=torch.float64) for time in times)
    for name, field in process.noisy_schema().items():
        prior, classes = process.priors[name], field.classes
        a_t, a_s = process.alpha(t), process.alpha(s)
        eye = torch.eye(classes, dtype=torch.float64)
        first = a_s * eye + (1 - a_s) * prior  # x0 -> x_s
        kept = a_t / a_s
        second = kept * eye + (1 - kept) * prior  # x_s -> x_t
        joint = first[:, :, None] * second[None]  # x0, x_s, x_t
        for x_t in range(classes):
            evidence = joint[:, :, x_t].sum(1)
            law = torch.rand(classes, generator=torch.Generator().manual_seed(x_t), dtype=torch.float64)
            law = torch.where(evidence > 0, law, 0.0)
            if law.sum() == 0:
                continue
            law = law / law.sum()
            expected = (law / evidence.clamp_min(1e-300)) @ joint[:, :, x_t]
            found = process.posterior(name, law[None], torch.tensor([x_t]), t, s)[0]
            torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)


@each_process
def test_the_step_of_perfect_predictions_keeps_the_law_of_the_bridge(process):
    """Σ over x_t of q(x_t | x0) times the transition is q(x_s | x0), for every x0 with weight: exactly."""
    for t, s in [(1.0, 0.8), (0.7, 0.2), (0.2, 0.1), (0.05, 0.0)]:
        times = [torch.tensor([u], dtype=torch.float64) for u in (t, s)]
        for name, field in process.noisy_schema().items():
            eye = torch.eye(field.classes, dtype=torch.float64)
            start, end = (process.alpha(u) * eye + (1 - process.alpha(u)) * process.priors[name] for u in times)
            for x0 in range(SCHEMA[name].classes):
                steps = torch.stack(
                    [
                        process.transition(name, eye[None, x0], torch.tensor([x_t]), *times)[0]
                        for x_t in range(field.classes)
                    ]
                )
                torch.testing.assert_close(start[x0] @ steps, end[x0], atol=1e-12, rtol=0)


@each_process
def test_times_run_from_one_to_zero(process):
    for steps in (1, 7, 50):
        grid = process.times(steps)
        assert len(grid) == steps + 1 and grid[0] == 1 and grid[-1] == 0 and bool((grid.diff() < 0).all())
    with pytest.raises(ValueError, match="steps must be at least 1"):
        process.times(0)
    drawn = process.draw_times(2000, Streams(6, torch.arange(2000)))
    assert bool((drawn > 0).all() & (drawn <= 1).all())


def test_kl_at_the_last_step_is_the_cross_entropy(graph_batch):
    process = PROCESSES[2]
    out = predictions(graph_batch, dtype=torch.float64)
    zero, t = torch.zeros(8, dtype=torch.float64), torch.full((8,), 0.02, dtype=torch.float64)
    legal = graph_batch.with_values(atom=graph_batch["atom"].clamp_min(1), bond=graph_batch["bond"].clamp_max(2))
    found = process.kl(out, legal, legal, t, zero)
    expected = torch.zeros(8, dtype=torch.float64)
    for name, field in SCHEMA.items():
        surprise = -out[name].log_softmax(-1).gather(-1, legal[name][..., None])[..., 0]
        expected += (surprise * support(field, legal.mask)).reshape(8, -1).sum(1)
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)


def test_the_loss_is_a_mean_over_real_entries(graph_batch):
    process, out = PROCESSES[0], predictions(graph_batch)
    found = process.loss(out, graph_batch, graph_batch, torch.full((8,), 0.5))
    for row in range(8):
        nodes = int(graph_batch.num_nodes[row])
        terms = [functional.cross_entropy(out["atom"][row, :nodes], graph_batch["atom"][row, :nodes], reduction="none")]
        i, j = torch.ones(nodes, nodes).triu(1).nonzero().T
        terms.append(functional.cross_entropy(out["bond"][row, i, j], graph_batch["bond"][row, i, j], reduction="none"))
        torch.testing.assert_close(found[row], torch.cat(terms).mean())


# what is special


def test_masked_reveals_and_keeps(graph_batch):
    """Shown labels stay, every label is shown at the end, and only masks are left at the start."""
    for process in PROCESSES[4:]:
        streams = Streams(7, torch.arange(8))
        x = process.prior(graph_batch.mask, streams)
        assert all(bool((x[n][extent(f, x.mask)] == 4).all()) for n, f in SCHEMA.items())
        for t, s in zip(process.times(6)[:-1], process.times(6)[1:], strict=True):
            y = process.step(x, predictions(x), t.expand(8).float(), s.expand(8).float(), streams)
            for name in SCHEMA:
                shown = x[name] != 4
                assert torch.equal(x[name][shown], y[name][shown])
            x = y
        assert all(bool((x[name] < 4).all()) for name in SCHEMA)
    assert not PROCESSES[4].renoises


def test_masked_evenly_hides_a_fixed_number(graph_batch):
    process, streams = PROCESSES[5], Streams(8, torch.arange(8))
    entries = sum(support(f, graph_batch.mask).reshape(8, -1).sum(1) for f in SCHEMA.values())
    for time in (0.0, 0.2, 0.5, 0.9, 1.0):
        x = process.bridge(graph_batch, process.prior(graph_batch.mask, streams), torch.full((8,), time), streams)
        hidden = sum(((x[n] == 4) & support(f, x.mask)).reshape(8, -1).sum(1) for n, f in SCHEMA.items())
        assert torch.equal(hidden, (entries * time).round().long())
    x = process.prior(graph_batch.mask, streams)
    most = int(entries.max())
    for t, s in zip(process.times(most)[:-1], process.times(most)[1:], strict=True):
        y = process.step(x, predictions(x), t.expand(8).float(), s.expand(8).float(), streams)
        changed = sum(((x[n] != y[n]) & support(f, x.mask)).reshape(8, -1).sum(1) for n, f in SCHEMA.items())
        assert int(changed.max()) <= 1
        x = y


def test_masked_loss_sees_hidden_entries_alone(graph_batch):
    process, out, t = PROCESSES[4], predictions(graph_batch), torch.full((8,), 0.5)
    assert bool((process.loss(out, graph_batch, graph_batch, t) == 0).all())
    x = graph_batch.with_values(process.noisy_schema(), atom=torch.where(graph_batch.mask, 4, 0))
    terms = surprise(out["atom"], graph_batch["atom"])
    expected = (terms * graph_batch.mask).sum(1) / graph_batch.num_nodes
    torch.testing.assert_close(process.loss(out, graph_batch, x, t), expected)


def test_the_masked_bound_weighting_estimates_the_bound():
    """Its mean over t and x_t, times the number of entries, is the bound for many steps."""
    process, rows = Masked(SCHEMA, weighting="bound"), 20000
    mask = node_mask(torch.full((rows,), 2))
    values = {"atom": torch.tensor([[1, 3]]), "bond": torch.tensor([[[0, 2], [2, 0]]])}
    x0 = State(mask, SCHEMA, {name: value.repeat(rows, *[1] * (value.ndim - 1)) for name, value in values.items()})
    out = predictions(x0.select(slice(0, 1)))
    out = State(mask, out.schema, {n: v.expand(rows, *v.shape[1:]) for n, v in out.values.items()})
    streams = Streams(9, torch.arange(rows))
    t = process.draw_times(rows, streams)
    losses = process.loss(out, x0, process.bridge(x0, process.prior(mask, streams), t, streams), t) * 3
    exact = sum((surprise(out[n], x0[n]) * support(f, mask)).reshape(rows, -1).sum(1) for n, f in SCHEMA.items())[
        0
    ]  # predictions that ignore x_t: every entry is revealed once
    assert abs(losses.mean() - exact) < 5 * losses.std() / rows**0.5


def test_marginal_levels():
    process = PROCESSES[3]
    drawn = process.draw_times(500, Streams(10, torch.arange(500))) * 50
    torch.testing.assert_close(drawn, drawn.round())
    assert set(drawn.round().int().tolist()) == set(range(1, 51))
    with pytest.raises(ValueError, match="steps must be at most the 50 levels of the process, got 51"):
        process.times(51)
    half = float(process.alpha(torch.tensor(0.5, dtype=torch.float64)))
    assert half == pytest.approx(0.4938436, abs=1e-6)  # cos²(π/2 · 0.508/1.008) / cos²(π/2 · 0.008/1.008)


def test_marginal_weights_fields(graph_batch):
    process, out, t = PROCESSES[3], predictions(graph_batch), torch.ones(8)
    found = process.loss(out, graph_batch, graph_batch, t)
    parts = {}
    for name, field in SCHEMA.items():
        inside = support(field, graph_batch.mask)
        terms = surprise(out[name], graph_batch[name])
        parts[name] = (terms * inside).reshape(8, -1).sum(1) / inside.reshape(8, -1).sum(1).clamp_min(1)
    torch.testing.assert_close(found, parts["atom"] + 5 * parts["bond"])


def test_undriven_fields_pass_unchanged(graph_batch):
    process = Flow({"bond": SCHEMA["bond"]}, WEIGHTS)
    streams = Streams(11, torch.arange(8))
    x = process.bridge(graph_batch, process.prior(graph_batch.mask, streams), torch.full((8,), 0.5), streams)
    assert torch.equal(x["atom"], graph_batch["atom"])
    assert torch.equal(
        process.step(x, predictions(x), torch.ones(8), torch.zeros(8), streams)["atom"], graph_batch["atom"]
    )


# configs and errors


@each_process
def test_save_and_load(process, tmp_path, graph_batch):
    process.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "process_config.json").read_text())
    assert config["_class_name"] == type(process).__name__
    loaded = type(process).from_pretrained(tmp_path)
    assert loaded.schema == process.schema and loaded.noisy_schema() == process.noisy_schema()
    settings = {k: v for k, v in config.items() if not k.startswith("_") and k not in ("schema", "marginals")}
    rebuilt = build(Process, {"kind": type(process).__name__, **settings}, schema=config["schema"], marginals=WEIGHTS)
    t, s = torch.full((8,), 0.6), torch.full((8,), 0.3)
    draws = []
    for each in (process, loaded, rebuilt):
        streams = Streams(12, torch.arange(8))
        x = each.bridge(graph_batch, each.prior(graph_batch.mask, streams), t, streams)
        draws.append(each.step(x, predictions(x), t, s, streams))
    for other in draws[1:]:
        assert all(torch.equal(draws[0][name], other[name]) for name in SCHEMA)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Flow({"x": Real("node", 1)}, {"x": [1.0]}), "field 'x' of a process on labels must be Categorical"),
        (lambda: Masked({"x": Real("node", 1)}), "field 'x' of a process on labels must be Categorical"),
        (lambda: Flow(SCHEMA, {"atom": [1.0] * 4}), "field 'bond' has no prior"),
        (lambda: Flow(SCHEMA, {**WEIGHTS, "atom": [1.0, 2.0]}), "the prior of field 'atom' needs 4 weights >= 0"),
        (lambda: Flow(SCHEMA, {**WEIGHTS, "atom": [1.0, 2.0, -1.0, 1.0]}), "the prior of field 'atom' needs 4 weights"),
        (lambda: Flow(SCHEMA, {**WEIGHTS, "atom": [0.0] * 4}), "the prior of field 'atom' needs 4 weights"),
        (lambda: Flow(SCHEMA, {**WEIGHTS, "atom": [float("nan")] * 4}), "the prior of field 'atom' needs 4 weights"),
        (lambda: Flow(SCHEMA, WEIGHTS, stochasticity=-1.0), "expected stochasticity >= 0"),
        (lambda: Flow(SCHEMA, WEIGHTS, distortion=0.0), "distortion > 0"),
        (lambda: Marginal(SCHEMA, WEIGHTS, levels=0), "levels must be at least 1, got 0"),
        (lambda: Marginal(SCHEMA, WEIGHTS, weights={"atom": 1.0}), "weights must be given for the fields"),
    ],
)
def test_mistakes_are_told(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_every_process_on_labels_is_tested():
    assert {type(process) for process in PROCESSES} == set(Discrete.__subclasses__())


def test_focus_trains_near_the_data():
    """t = u^f: half of the times lie below 2^-f."""
    schema, marginals = {"atom": {"kind": "Categorical", "axes": "node", "classes": 2}}, {"atom": [1.0, 1.0]}
    for focus in (1.0, 2.0, 3.0):
        times = Flow(schema, marginals, focus=focus).draw_times(4096, Streams(0, torch.arange(4096)))
        below = (times < 2.0**-focus).sum()
        assert chisquare([below.item(), 4096 - below.item()]).pvalue > 1e-6
