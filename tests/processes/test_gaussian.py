"""Gaussian processes: for normal data the exact denoiser is linear, and every law is known in closed form."""

from __future__ import annotations

import json
import math

import pytest
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, FlowMatchEulerDiscreteScheduler

from symdiff.config.building import names
from symdiff.config.recipe import build
from symdiff.errors import UserError
from symdiff.processes.base import Process
from symdiff.processes.gaussian import Gaussian
from symdiff.processes.heun import EDMHeun, FlowMatchHeunDiscrete
from symdiff.processes.schedules import DDIM, DPMSolverMultistep, EDMEuler, FlowMatchEulerDiscrete, Schedule
from symdiff.random import Streams
from symdiff.state import Categorical, Real, State, node_mask
from tests.oracles import diffusers_steps

SCHEMA = {"position": Real("node", 1, vector=3), "mass": Real("node", 2), "shift": Real("whole", 1)}
SCHEDULES = [
    DDIM(),
    DDIM(beta_schedule="linear", eta=1.0),
    DPMSolverMultistep(),
    DPMSolverMultistep(solver="heun", beta_schedule="scaled_linear"),
    DPMSolverMultistep(order=1),
    DPMSolverMultistep(stochastic=True),
    EDMEuler(sigma_data=0.7),
    FlowMatchEulerDiscrete(),
    FlowMatchEulerDiscrete(shift=3.0),
    FlowMatchEulerDiscrete(eta=1.0),
    FlowMatchEulerDiscrete(eta=2.0),
    EDMHeun(sigma_data=0.7),
    FlowMatchHeunDiscrete(shift=2.0),
]
IDS = [
    "ddim",
    "ddpm",
    "dpm",
    "dpm heun",
    "dpm first order",
    "dpm sde",
    "edm",
    "flow matching",
    "flow matching shifted",
    "flow matching ancestral",
    "flow matching renoised",
    "edm heun",
    "flow matching heun",
]
each_schedule = pytest.mark.parametrize("schedule", SCHEDULES, ids=IDS)


def scalars(value: torch.Tensor) -> State:
    """One node with one real number: values (B,)."""
    return State(torch.ones(len(value), 1, dtype=torch.bool), {"x": Real("node", 1)}, {"x": value[:, None, None]})


def best(process: Gaussian, x: torch.Tensor, t: torch.Tensor, spread: float) -> torch.Tensor:
    """E[x0 | x_t] for x0 normal with standard deviation ``spread``."""
    a, b = process.schedule.levels(t)
    return a * spread**2 / (a**2 * spread**2 + b**2) * x


def transport(
    process: Gaussian, x: torch.Tensor, steps: int, spread: float, streams: Streams | None = None
) -> torch.Tensor:
    """Sampling with the exact denoiser, in float64, from x1 = ``x`` (B,)."""
    state, times = scalars(x), process.times(steps)
    for t, s in zip(times[:-1], times[1:], strict=True):
        out = scalars(best(process, state["x"][:, 0, 0], t, spread))
        state = process.step(state, out, t.expand(len(x)), s.expand(len(x)), streams)
    return state["x"][:, 0, 0]


@each_schedule
def test_the_path_runs_from_data_to_noise(schedule):
    a, b = schedule.levels(torch.linspace(0, 1, 201, dtype=torch.float64))
    assert a[0] == 1 and b[0] == 0
    assert bool(((a / b.clamp_min(1e-12)).diff() < 0).all())
    assert a[-1] < 0.1
    assert b[-1] == pytest.approx(schedule.spread, rel=5e-3)


@each_schedule
def test_ends_and_bridge_have_their_law(schedule):
    process, count = Gaussian({"x": Real("node", 1)}, schedule=schedule), 20000
    streams = Streams(0, torch.arange(count))
    x1 = process.prior(torch.ones(count, 1, dtype=torch.bool), streams)
    assert x1["x"].std() == pytest.approx(schedule.spread, rel=0.03)
    t = torch.full((count,), 0.4)
    a, b = (float(level) for level in schedule.levels(torch.tensor(0.4, dtype=torch.float64)))
    x = process.bridge(scalars(torch.full((count,), 2.0)), x1, t, streams)["x"]
    assert x.mean() == pytest.approx(2 * a, abs=5 * b / count**0.5)
    assert x.std() == pytest.approx(b, rel=0.03)


@pytest.mark.parametrize("schedule", [s for s in SCHEDULES if not s.renoises], ids=str)
def test_deterministic_steps_carry_the_prior_to_the_data(schedule):
    """x0 = c·x1 with c -> spread of the data over that of x1; the error falls with the scheduler's order."""
    process, spread = Gaussian({"x": Real("node", 1)}, schedule=schedule), 0.3
    wanted, one = spread / schedule.spread, torch.ones(1, dtype=torch.float64)
    errors = [abs(float(transport(process, one, steps, spread)) / wanted - 1) for steps in (25, 50, 100)]
    if schedule.corrects:
        assert 3.6 < errors[0] / errors[1] < 4.6 and 3.6 < errors[1] / errors[2] < 4.4
    elif schedule.remembers:
        assert errors[0] < 0.03 and errors[1] < 0.01 and errors[2] < 0.003
    else:
        assert errors[0] < 0.2 and 1.7 < errors[0] / errors[1] < 2.2 and 1.8 < errors[1] / errors[2] < 2.1


@pytest.mark.parametrize(
    ("first", "second"),
    [(EDMEuler(), EDMHeun()), (FlowMatchEulerDiscrete(), FlowMatchHeunDiscrete())],
    ids=["edm", "flow matching"],
)
def test_heuns_steps_win_at_equal_evaluations(first, second):
    """With the exact score of normal data; below some 30 evaluations they do not."""
    one, errors = torch.ones(1, dtype=torch.float64), []
    for schedule in (first, second):
        process = Gaussian({"x": Real("node", 1)}, schedule=schedule)
        errors.append(abs(float(transport(process, one, 97, 0.3)) / 0.3 * schedule.spread - 1))
    assert errors[1] < errors[0] / 3


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 7, 8])
def test_corrections_are_evaluations(steps):
    """2n − 1 evaluations are n steps; one more is a step without correction at the start."""
    process = Gaussian({"x": Real("node", 1)}, schedule={"kind": "FlowMatchHeunDiscrete"})
    times = process.times(steps)
    assert len(times) == steps + 1 and times[0] == 1 and times[-1] == 0
    inner, counts = times[1:-1].unique(return_counts=True)
    assert len(inner) == steps // 2 and counts.tolist() == [2] * ((steps - 1) // 2) + [1] * ((steps + 1) % 2)
    torch.testing.assert_close(times.unique(), torch.linspace(0, 1, steps // 2 + 2, dtype=torch.float64))


@each_schedule
def test_edm_preconditioning_leaves_the_network_a_target_of_constant_spread(schedule):
    """x0 = c_skip x_t − c_out o for an answer x_t − t·o.

    O = 0 is exact for normal data, and EDM's weights give the plain error of o.
    """
    process = Gaussian({"x": Real("node", 1)}, schedule=schedule, weighting="edm", preconditioning="edm")
    x0 = torch.linspace(-2, 2, 7, dtype=torch.float64)
    t = torch.full((7,), 0.37, dtype=torch.float64)
    (a, b), spread = schedule.levels(t), schedule.spread
    x = a * x0 + b * torch.tensor([0.3, -1.0, 2.0, 0.1, -0.4, 0.9, -2.0], dtype=torch.float64)
    exact = best(process, x, t, spread)
    right = (exact - x0) * (a**2 * spread**2 + b**2).sqrt() / (b * spread)
    off = torch.linspace(0, 3, 7, dtype=torch.float64)
    for output in (torch.zeros(7, dtype=torch.float64), right, right + off):
        loss = process.loss(scalars(x - t * output), scalars(x0), scalars(x), t)
        torch.testing.assert_close(loss, (output - right) ** 2)
    moved = process.step(scalars(x), scalars(x), t, torch.zeros(7, dtype=torch.float64), Streams(0, torch.arange(7)))
    if not schedule.corrects:
        torch.testing.assert_close(moved["x"][:, 0, 0], exact)


@pytest.mark.parametrize("schedule", [s for s in SCHEDULES if s.renoises], ids=str)
def test_renoising_steps_sample_the_data_law_and_forget_the_prior_sample(schedule):
    process, spread, count = Gaussian({"x": Real("node", 1)}, schedule=schedule), 0.3, 8000
    streams = Streams(1, torch.arange(count))
    start = process.prior(torch.ones(count, 1, dtype=torch.bool), streams)["x"][:, 0, 0].double()
    found = {steps: transport(process, start, steps, spread, streams) for steps in (40, 160)}
    noise = 4 * spread / (2 * count) ** 0.5
    assert abs(found[160].std() - spread) < 0.5 * abs(found[40].std() - spread) + noise
    assert abs(torch.corrcoef(torch.stack([start, found[160]]))[0, 1]) < 5 / count**0.5


def test_renoising_on_the_straight_path_keeps_the_law_of_x_s_given_x0():
    """Also where all noise is drawn anew, and, for ancestral steps, as Bayes' rule has it."""
    x0, t, s, count = 0.7, torch.tensor(0.6), torch.tensor(0.5), 20_000
    noise = torch.randn(2, count, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for eta in (0.5, 1.0, 1.8, 100.0):
        schedule = FlowMatchEulerDiscrete(eta=eta)
        x_t = 0.4 * x0 + 0.6 * noise[0]
        x_s = schedule.step(x_t, torch.tensor(x0, dtype=torch.float64), t, s, noise[1], None)
        assert abs(x_s.mean() - 0.5 * x0) < 5 * 0.5 / count**0.5 and abs(x_s.std() - 0.5) < 5 * 0.5 / (2 * count) ** 0.5
        slope = torch.cov(torch.stack([x_s, x_t]))[0, 1] / x_t.var()
        if eta == 1.0:  # q(x_s | x_t, x0), of precision 1/b_s² + r²/(b² - r² b_s²) with r = a/a_s
            r, rest = 0.4 / 0.5, 0.6**2 - (0.4 / 0.5 * 0.5) ** 2
            assert abs(slope - (r / rest) / (1 / 0.5**2 + r**2 / rest)) < 0.02
        if eta == 100.0:
            assert abs(slope) < 0.03


class Curved:
    """A denoiser that is not linear, with an interface of tensors."""

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return 0.4 * torch.tanh(3 * x) + 0.1 * x


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # diffusers' own grid converts tensors in numpy's old way
@pytest.mark.parametrize("name", ["DDIM", "DPMSolverMultistep", "FlowMatchEulerDiscrete"])
def test_steps_are_those_of_diffusers_own_loop(name):
    """On the grid that the stock scheduler uses with trailing spacing: the same trajectory."""
    start, steps, guess = torch.linspace(-2, 2, 9), 20, Curved()
    if name == "FlowMatchEulerDiscrete":
        stock = FlowMatchEulerDiscreteScheduler()
        stock.set_timesteps(sigmas=torch.linspace(1, 0, steps + 1)[:-1].tolist())
    else:
        cls = {"DDIM": DDIMScheduler, "DPMSolverMultistep": DPMSolverMultistepScheduler}[name]
        extra = {"clip_sample": False} if name == "DDIM" else {}
        stock = cls(beta_schedule="linear", prediction_type="sample", timestep_spacing="trailing", **extra)
        stock.set_timesteps(steps)
    expected = start
    for number, timestep in enumerate(stock.timesteps):
        output = guess(expected)
        if name == "FlowMatchEulerDiscrete":
            output = (expected - output) / stock.sigmas[number]
        expected = stock.step(output, timestep, expected).prev_sample
    settings = {} if name == "FlowMatchEulerDiscrete" else {"beta_schedule": "linear"}
    process = Gaussian({"x": Real("node", 1)}, schedule={"kind": name, **settings})
    state, times = scalars(start), process.times(steps).float()
    for t, s in zip(times[:-1], times[1:], strict=True):
        state = process.step(state, scalars(guess(state["x"][:, 0, 0])), t.expand(9), s.expand(9))
    torch.testing.assert_close(state["x"][:, 0, 0], expected, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@each_schedule
def test_a_step_between_any_times_is_that_of_diffusers(schedule, dtype):
    """In float32, in which diffusers steps, to its last digits; the two-step solvers with and without memory."""
    if isinstance(schedule, FlowMatchEulerDiscrete) and schedule.renoises:
        return  # diffusers has no such step: see test_renoising_on_the_straight_path_keeps_the_law_of_x_s_given_x0
    x, x0, before, noise = torch.randn(4, 5, 3, generator=torch.Generator().manual_seed(1), dtype=dtype)
    pairs = [
        (1.0, 0.95),
        (0.73, 0.6),
        (0.31, 0.3),
        (0.05, 0.0),
        *([(0.6, 0.6), (0.02, 0.02)] if schedule.corrects else []),
    ]
    for t, s in (torch.tensor(pair, dtype=torch.float64) for pair in pairs):
        pasts = [None] if s < t else []
        if schedule.remembers and t < 0.95:
            pasts.append((before, t + 0.05))
        for past in pasts:
            given = (x, x0, t, s, noise if schedule.renoises else None, past)
            error = (schedule.step(*given) - diffusers_steps.step(schedule, *given)).abs().max()
            assert error <= 2e-6 * max(1.0, float(x.abs().max()))


@pytest.mark.parametrize("schedule", ["linear", "scaled_linear", "squaredcos_cap_v2"])
def test_the_levels_of_a_chain_are_those_of_diffusers(schedule):
    path = DDIM(levels_count=128, beta_schedule=schedule, beta_end=0.05)
    a, b = path.levels(torch.arange(129, dtype=torch.float64) / 128)
    assert torch.equal(a, diffusers_steps.signal(path).sqrt())
    torch.testing.assert_close(a.square() + b.square(), torch.ones(129, dtype=torch.float64))


@each_schedule
def test_rows_may_stand_at_different_times(schedule):
    process = Gaussian({"x": Real("node", 1)}, schedule=schedule)
    x, out = scalars(torch.randn(6, generator=torch.Generator().manual_seed(0))), scalars(torch.linspace(-1, 1, 6))
    if schedule.remembers:
        past = {"x.past": Real("node", 1), "x.past_time": Real("whole", 1)}
        x = x.with_values(
            past, **{"x.past": out["x"] / 2, "x.past_time": torch.tensor([0.9, 1.0, 0.9, 0.8, 1.0, 0.9])[:, None]}
        )
    t, s = torch.tensor([0.7, 0.7, 0.5, 0.7, 0.2, 0.5]), torch.tensor([0.6, 0.6, 0.3, 0.5, 0.0, 0.3])
    together = process.step(x, out, t, s, Streams(2, torch.arange(6)))
    for row in range(6):
        one = torch.tensor([row])
        alone = process.step(x.select(one), out.select(one), t[one], s[one], Streams(2, one))
        torch.testing.assert_close(together["x"][one], alone["x"])
    torch.testing.assert_close(together["x"][4], out["x"][4])  # at s = 0 it is the prediction


def test_a_first_step_with_memory_is_of_first_order():
    settings = {"kind": "DPMSolverMultistep"}
    x, out = scalars(torch.tensor([0.3])), scalars(torch.tensor([0.1]))
    t, s = torch.tensor([1.0]), torch.tensor([0.9])
    first = Gaussian({"x": Real("node", 1)}, schedule={**settings, "order": 1}).step(x, out, t, s)
    second = Gaussian({"x": Real("node", 1)}, schedule=settings).step(x, out, t, s)
    torch.testing.assert_close(first["x"], second["x"])
    assert set(second.schema) == {"x", "x.past", "x.past_time"}


@each_schedule
def test_kl_is_that_of_normal_laws(schedule):
    """Against the Gaussian posteriors q(x_s | x_t, x0) and q(x_s | x_t, prediction), by Bayes' rule."""
    process = Gaussian({"x": Real("node", 1)}, schedule=schedule)
    t, s = torch.tensor([0.7, 0.5], dtype=torch.float64), torch.tensor([0.6, 0.3], dtype=torch.float64)
    (a_t, b_t), (a_s, b_s) = schedule.levels(t), schedule.levels(s)
    x0, guess, x = (torch.tensor(v, dtype=torch.float64) for v in ([0.4, -1.0], [0.5, 0.2], [1.0, -0.3]))
    kept = a_t / a_s
    precision = 1 / b_s**2 + kept**2 / (b_t**2 - kept**2 * b_s**2)
    means = [(a_s * end / b_s**2 + kept * x / (b_t**2 - kept**2 * b_s**2)) / precision for end in (x0, guess)]
    normals = [torch.distributions.Normal(mean, precision**-0.5) for mean in means]
    expected = torch.distributions.kl_divergence(*normals)
    torch.testing.assert_close(
        process.kl(scalars(guess), scalars(x0), scalars(x), t, s), expected, atol=1e-9, rtol=1e-9
    )

    last = torch.distributions.Normal(guess, b_t / a_t).log_prob(x0)
    torch.testing.assert_close(process.kl(scalars(guess), scalars(x0), scalars(x), t, torch.zeros(2)), -last)
    a, b = schedule.levels(torch.ones(2, dtype=torch.float64))
    spread = torch.full((2,), schedule.spread, dtype=torch.float64)
    expected = torch.distributions.kl_divergence(
        torch.distributions.Normal(a * x0, b), torch.distributions.Normal(0 * x0, spread)
    )
    torch.testing.assert_close(process.prior_kl(scalars(x0)), expected, atol=1e-9, rtol=1e-6)


@each_schedule
def test_the_bound_tends_to_the_entropy(schedule):
    """Normal data, exact denoiser: a term's mean over x_t is its value at the mean squared error."""
    process, spread = Gaussian({"x": Real("node", 1)}, schedule=schedule), 0.8
    entropy = 0.5 * math.log(2 * math.pi * math.e * spread**2)
    fine = torch.cat([torch.logspace(-3, -1, 20001), torch.linspace(0.1, 0.999, 20001)[1:]]).double()
    a, b = schedule.levels(fine)
    gaps = []
    for steps in (100, 200, 400):
        wanted = torch.linspace(float((a / b)[-1].log()), float((a / b)[0].log()), steps, dtype=torch.float64)
        places = torch.searchsorted(-(a / b).log(), -wanted).clamp_max(
            len(fine) - 1
        )  # even in log(a/b): no step is coarse
        times = torch.cat([torch.ones(1), fine[places].unique().flip(0), torch.zeros(1)])
        a_t, b_t = schedule.levels(times[:-1])
        error = spread**2 * b_t**2 / (a_t**2 * spread**2 + b_t**2)
        zero = scalars(torch.zeros(len(error), dtype=torch.float64))
        bound = process.kl(scalars(error.sqrt()), zero, zero, times[:-1], times[1:]).sum()
        start = scalars(torch.full((1,), spread, dtype=torch.float64))
        gaps.append(float(bound + process.prior_kl(start)) - entropy)
    assert gaps[0] > 1.8 * gaps[1] > 1.8**2 * gaps[2] > 0, gaps
    assert abs(2 * gaps[2] - gaps[1]) < 0.02, gaps


def test_losses(vector_batch):
    t, out = torch.full((4,), 0.4), vector_batch.map(lambda value: value if value.dtype == torch.bool else value * 0)
    snr = 1 / (0.4 / 0.6) ** 2
    for weighting, weight in [("uniform", 1.0), ("min-snr", min(snr, 5.0)), ("edm", snr + 1)]:
        schema = {name: vector_batch.schema[name] for name in ("velocity", "dipole")}
        process = Gaussian(schema, schedule={"kind": "FlowMatchEulerDiscrete"}, weighting=weighting)
        found = process.loss(out, vector_batch, vector_batch, t)
        for row, nodes in enumerate(vector_batch.num_nodes.tolist()):
            truth = torch.cat([vector_batch["velocity"][row, :nodes].flatten(), vector_batch["dipole"][row].flatten()])
            assert found[row] == pytest.approx(weight * float(truth.square().mean()), rel=1e-5)


def test_a_loss_at_no_noise_is_not_that_of_rounding():
    """x0 = x_t − t·output with the right output, in float32.

    What is left is rounding, which 1/t² would make the whole loss.
    """
    process = Gaussian({"x": Real("node", 1)}, schedule={"kind": "FlowMatchEulerDiscrete"}, weighting="edm")
    x0, noise = torch.randn(2, 4096, generator=torch.Generator().manual_seed(0))
    for t in (1e-9, 1e-6, 1e-3):
        time = torch.full((4096,), t)
        x = process.bridge(scalars(x0), scalars(noise), time)
        out = x.with_values(x=x["x"] - t * (noise - x0)[:, None, None])
        assert process.loss(out, scalars(x0), x, time).mean() < 1e-5


@each_schedule
def test_centered_fields_keep_mean_zero(schedule, vector_batch):
    schema = {name: vector_batch.schema[name] for name in ("position", "velocity")}
    process = Gaussian(schema, schedule=schedule, centered=["position"])
    mask, streams = vector_batch.mask, Streams(3, torch.arange(4))
    x1 = process.prior(mask, streams)
    x = process.bridge(vector_batch, x1, torch.full((4,), 0.5), streams)
    y = process.step(x, vector_batch, torch.full((4,), 0.5), torch.full((4,), 0.2), streams)
    z = process.step(y, vector_batch, torch.full((4,), 0.2), torch.full((4,), 0.1), streams)
    for state in (x1, x, y, z):
        assert state["position"].sum(1).abs().max() < 1e-5
        assert state["velocity"].sum(1).abs().max() > 0.1
        for name in process.schema:
            assert not bool(state[name][~mask].any())
    shifted = vector_batch.with_values(position=torch.where(mask[..., None, None], vector_batch["position"] + 3.0, 0.0))
    for function in (lambda x0: process.loss(vector_batch, x0, x, torch.full((4,), 0.5)), process.prior_kl):
        torch.testing.assert_close(function(shifted), function(vector_batch))


def test_centered_noise_is_normal_on_its_subspace():
    """Covariance 1 − 1/n, and the dimensions that the bound counts: (n − 1)·3."""
    process = Gaussian({"position": Real("node", 1, vector=3)}, centered=["position"])
    mask = node_mask(torch.full((20000,), 3), 4)
    noise = process.prior(mask, Streams(4, torch.arange(20000)))["position"][:, :3, 0, 0].double()
    assert (torch.cov(noise.T) - (torch.eye(3) - 1 / 3)).abs().max() < 0.05
    x0 = State(mask[:1], process.schema, {"position": torch.zeros(1, 4, 1, 3, dtype=torch.float64)})
    t, s = torch.full((1,), 0.5), torch.zeros(1)
    a, b = process.schedule.levels(t.double())
    expected = 6 * 0.5 * math.log(2 * math.pi * float(b / a) ** 2)
    assert float(process.kl(x0, x0, x0, t, s)) == pytest.approx(expected, rel=1e-6)


def test_training_times_of_edm_are_log_normal():
    process = Gaussian({"x": Real("node", 1)}, schedule={"kind": "EDMEuler"})
    t = process.draw_times(20000, Streams(5, torch.arange(20000)), torch.zeros(1, dtype=torch.float64))
    assert bool((t > 0).all() & (t <= 1).all())
    sigma = process.schedule.sigma(t).log()
    assert float(sigma.mean()) == pytest.approx(-1.2, abs=0.05) and float(sigma.std()) == pytest.approx(1.2, abs=0.05)


@each_schedule
def test_save_and_load(schedule, tmp_path):
    process = Gaussian(SCHEMA, schedule=schedule, centered=["position"], weighting="edm")
    process.save_pretrained(tmp_path)
    loaded = Gaussian.from_pretrained(tmp_path)
    assert loaded.schedule == schedule and loaded.schema == SCHEMA
    assert (loaded.centered, loaded.weighting, loaded.renoises) == (("position",), "edm", schedule.renoises)
    config = json.loads((tmp_path / "process_config.json").read_text())
    assert config["schedule"] == schedule.spec
    settings = {k: v for k, v in config.items() if not k.startswith("_") and k not in ("schema", "marginals")}
    assert build(Process, {"kind": "Gaussian", **settings}, schema=config["schema"], marginals={}).schedule == schedule


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"schedule": {"kind": "DDIN"}},
            "schedule.kind: expected the name of a Schedule, got 'DDIN' .did you mean 'DDIM'",
        ),
        ({"schedule": {"kind": "_VariancePreserving"}}, "expected the name of a Schedule"),
        ({"schedule": {"kind": "PNDMScheduler"}}, "expected the name of a Schedule, got 'PNDMScheduler'"),
        ({"schedule": {"kind": "DDIM", "clip_sample": True}}, "schedule.clip_sample: DDIM has no such setting"),
        ({"schedule": {"kind": "DDIM", "beta_schedule": "cosine"}}, "schedule.beta_schedule: expected"),
        ({"schedule": {"kind": "DPMSolverMultistep", "order": 3}}, "schedule.order: expected 1 or 2, got 3"),
        ({"schedule": {"kind": "EDMEuler", "s_churn": 10.0}}, "EDMEuler has no such setting"),
        ({"centered": ["mass"]}, "only vector fields over nodes can be centered, got 'mass'"),
        ({"centered": ["positions"]}, "only vector fields over nodes can be centered, got 'positions'"),
    ],
)
def test_mistakes_are_told(settings, message):
    with pytest.raises(UserError, match=message):
        build(Process, {"kind": "Gaussian", **settings}, schema=SCHEMA, marginals={})


def test_labels_are_refused():
    with pytest.raises(ValueError, match="field 'atom' of a Gaussian process must be Real"):
        Gaussian({"atom": Categorical("node", 3)})


def test_every_schedule_is_tested():
    assert {type(schedule) for schedule in SCHEDULES} == {
        *(DDIM, DPMSolverMultistep, EDMEuler, EDMHeun, FlowMatchEulerDiscrete, FlowMatchHeunDiscrete),
    }
    assert set(names(Schedule)) == {type(schedule).__name__ for schedule in SCHEDULES}
