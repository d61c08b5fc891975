"""Classifier-free guidance.

Weight 1 is the conditional law, 0 the unconditional one, and labels and reals in between are powers of both.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from symdiff.breaking.base import SymmetryBreaker
from symdiff.breaking.nothing import Nothing
from symdiff.canonical.frames import Frames
from symdiff.chemistry.geometry import bare
from symdiff.config.recipe import load, validate
from symdiff.data.geometries import geometries
from symdiff.denoisers.base import Denoiser, prediction_schema
from symdiff.diffusion import Diffusion
from symdiff.domains.molecule3d import Molecule3D
from symdiff.domains.properties import Property
from symdiff.errors import UserError
from symdiff.guidance import MARKER, Guided, combine, hide, marker, may_hide
from symdiff.objectives.denoising import Denoising
from symdiff.pipeline import SymdiffPipeline, check_parts
from symdiff.processes.product import Product
from symdiff.random import Streams
from symdiff.sampling.ancestral import Ancestral
from symdiff.sampling.request import Request
from symdiff.state import Categorical, Real, State
from symdiff.training.run import train

COUNT = 8000
SCHEMA = {"label": Categorical("node", 3), "value": Real("node", 1)}
CONDITION = {"kind": Categorical("whole", 2), marker("kind"): MARKER}
LAW = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]], dtype=torch.float64)
"""p(label | kind); p(kind) = 1/2. A value is normal around ±1 with spread 1/2."""
MEAN, SPREAD = torch.tensor([-1.0, 1.0], dtype=torch.float64), 0.5


def process() -> Product:
    parts = [
        {"fields": ["label"], "process": {"kind": "Flow"}},
        {"fields": ["value"], "process": {"kind": "Gaussian", "schedule": {"kind": "FlowMatchEulerDiscrete"}}},
    ]
    return Product(SCHEMA, parts, {"label": [1.0, 1.0, 1.0]})


class Oracle(Denoiser):
    """The exact predictions of labels, and of values, from x_t and the kind if it is there.

    Labels and values are predicted by themselves.
    """

    def forward(self, x, t, z):
        t = t.double()
        there = torch.where(
            x[marker("kind")].bool()[:, None], 0.5, torch.nn.functional.one_hot(x["kind"], 2).double()
        )  # p(kind)
        keep = 1 - t[:, None, None, None]
        seen = torch.nn.functional.one_hot(x["label"], 3)[:, :, None]  # (B, N, 1, 3) against x0
        q = keep * seen.double() + (1 - keep) / 3
        labels = (there[:, None, :, None] * LAW * q).sum(2)
        a, b = (1 - t)[:, None, None], t[:, None, None]
        value, variance = x["value"].double(), a**2 * SPREAD**2 + b**2
        weight = (there[:, None].log() - 0.5 * (value - a * MEAN) ** 2 / variance).softmax(-1)  # p(kind | x_t)
        mean = (weight * (MEAN + a * SPREAD**2 / variance * (value - a * MEAN))).sum(-1, keepdim=True)
        return State(x.mask, prediction_schema(SCHEMA), {"label": labels.log(), "value": mean})


def given(kind: int, absent: int = 0, count: int = COUNT) -> State:
    mask = torch.ones(count, 1, dtype=torch.bool)
    return State(mask, CONDITION, {"kind": torch.full((count,), kind), marker("kind"): torch.full((count,), absent)})


def sampled(weight: float, kind: int = 1, steps: int = 60, absent: int = 0) -> State:
    diffusion, condition = Diffusion(Oracle(), process(), Nothing()), given(kind, absent)
    guided = Diffusion(Guided(diffusion.denoiser, weight), diffusion.process, diffusion.breaker)
    return Ancestral(guided, steps)(Request.of(condition.mask, condition)).x


def shares(x: State) -> torch.Tensor:
    return torch.bincount(x["label"][:, 0], minlength=3) / COUNT


@pytest.mark.slow
def test_weight_one_is_the_conditional_law_and_zero_the_unconditional_one():
    error = 5 * 0.5 / COUNT**0.5
    for kind in (0, 1):
        x = sampled(1.0, kind)
        assert (shares(x) - LAW[kind]).abs().max() < error + 0.01  # the jumps' law is exact for small steps
        assert float(x["value"].mean()) == pytest.approx(float(MEAN[kind]), abs=5 * SPREAD / COUNT**0.5)
        assert float(x["value"].std()) == pytest.approx(SPREAD, rel=0.06)
    x = sampled(0.0)
    assert (shares(x) - LAW.mean(0)).abs().max() < error + 0.01
    assert float(x["value"].mean()) == pytest.approx(0.0, abs=6 / COUNT**0.5)
    assert float(x["value"].std()) == pytest.approx((1 + SPREAD**2) ** 0.5, rel=0.05)


def test_the_ends_are_the_same_draws_as_without_guidance():
    plain = Ancestral(Diffusion(Oracle(), process(), Nothing()), 5)(Request.of(given(1).mask, given(1))).x
    hidden, zero, one = sampled(1.0, steps=5, absent=1), sampled(0.0, steps=5), sampled(1.0, steps=5)
    for name in SCHEMA:
        assert torch.equal(plain[name], one[name]) and torch.equal(hidden[name], zero[name])
    assert bool(zero[marker("kind")].eq(0).all())  # the result says what was asked for


@pytest.mark.parametrize("weight", [0.5, 2.0, 3.0])
def test_a_single_step_is_exact_for_every_weight(weight):
    """From noise alone: p(label)·(p(label | kind)/p(label))^w, and the line through both means."""
    x = sampled(weight, steps=1)
    law = LAW.mean(0) * (LAW[1] / LAW.mean(0)) ** weight
    assert (shares(x) - law / law.sum()).abs().max() < 5 * 0.5 / COUNT**0.5
    torch.testing.assert_close(x["value"], torch.full_like(x["value"], weight * 1.0))


def test_more_guidance_is_more_of_the_condition():
    means = [float(sampled(weight, steps=20)["value"].mean()) for weight in (0.0, 1.0, 2.0, 4.0)]
    assert means == sorted(means) and means[-1] > means[1] + 0.1


def test_combined_states_keep_their_padding():
    x = given(1, count=3)
    one, other = (State(x.mask, {"value": Real("node", 1)}, {"value": torch.full((3, 1, 1), v)}) for v in (3.0, 1.0))
    assert float(combine(one, other, 2.0)["value"][0]) == 5.0


def test_what_may_be_hidden_is_hidden():
    x = given(1, count=4).with_values({"other": Real("whole", 1)}, other=torch.ones(4, 1))
    assert may_hide(x.schema) == ["kind"]
    found = hide(x, torch.tensor([True, False, True, False]))
    assert (
        found["kind"].tolist() == [0, 1, 0, 1]
        and found[marker("kind")].tolist() == [1, 0, 1, 0]
        and bool(found["other"].eq(1).all())
    )
    with pytest.raises(ValueError, match="guidance needs a condition that was hidden"):
        Guided(Oracle(), 2.0)(x.only("other"), torch.ones(4), x)


class Recording(Denoiser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[torch.Tensor] = []

    def forward(self, x, t, z):
        self.seen.append(x[marker("kind")])
        return Oracle()(x, t, z)


def test_training_hides_the_announced_share_and_depends_on_the_rows_alone():
    denoiser = Recording()
    diffusion = Diffusion(denoiser, process(), Nothing(), Denoising(drop=0.2))
    x0 = given(1).with_values(SCHEMA, label=torch.zeros(COUNT, 1, dtype=torch.long), value=torch.zeros(COUNT, 1, 1))
    losses = diffusion(x0, Streams(1, torch.arange(COUNT)))
    assert float(denoiser.seen[0].double().mean()) == pytest.approx(0.2, abs=5 * 0.4 / COUNT**0.5)
    torch.testing.assert_close(diffusion(x0.select(slice(7, 19)), Streams(1, torch.arange(7, 19))), losses[7:19])


# molecules

PROPERTY = {"unit": "D", "mean": 2.0, "spread": 0.5, "within": 0.2, "sizes": [2.0, 2.0, 2.0, 1.0, 2.0, 3.0]}
DOMAIN = Molecule3D(["H", "C", "O"], bonds=False, properties={"mu": PROPERTY})


def test_a_property_is_a_condition_that_may_be_absent():
    assert DOMAIN.conditions == ("mu", "mu.absent") and set(DOMAIN.schema) == {"atom", "position", "mu", "mu.absent"}
    assert Molecule3D(**{k: v for k, v in DOMAIN.spec.items() if k != "kind"}).spec == DOMAIN.spec
    assert "properties" not in Molecule3D(["H"]).spec and Molecule3D(["H"]).options.read_condition({}) is None
    one, none = DOMAIN.options.read_condition({"mu": "2.25"}), DOMAIN.options.read_condition({})
    assert one["mu"].tolist() == [[0.5]] and one["mu.absent"].tolist() == [0] and one.mask.shape == (1, 0)
    assert none["mu"].tolist() == [[0.0]] and none["mu.absent"].tolist() == [1]
    for text in ("much", "nan", "inf"):
        with pytest.raises(UserError, match="--mu: expected a number, a range .* in D"):
            DOMAIN.options.read_condition({"mu": text})
    water = bare([8, 1, 1], np.array([[0, 0, 0], [0.76, 0.59, 0], [-0.76, 0.59, 0]]))
    assert DOMAIN.collate([DOMAIN.encode(water)])["mu.absent"].tolist() == [1]


def test_sizes_follow_from_the_property():
    """Bayes' rule with a normal law among the molecules of one size."""
    found = DOMAIN.sizes([0.0, 0.0, 0.0, 0.5, 0.25, 0.25], DOMAIN.options.read_condition({"mu": "2.8"}))
    weights = [
        share * math.exp(-0.5 * ((2.8 - mean) / 0.2) ** 2) for share, mean in ((0.5, 1.0), (0.25, 2.0), (0.25, 3.0))
    ]
    np.testing.assert_allclose(found, [0, 0, 0, *(weight / sum(weights) for weight in weights)], atol=1e-6)
    assert DOMAIN.sizes([0.5, 0.5], DOMAIN.options.read_condition({})) == [0.5, 0.5]
    far = DOMAIN.sizes([0.0, 0.0, 0.0, 0.5, 0.25, 0.25], DOMAIN.options.read_condition({"mu": "900"}))
    assert far[5] == 1.0  # whatever cannot be, the nearest


def test_a_data_set_is_standardized_by_its_training_part():
    random = np.random.default_rng(0)
    molecules = [bare([8, 1, 1], np.array([[0, 0, 0], [0.76, 0.59, 0], [-0.76, 0.59, 0]])) for _ in range(40)]
    values, split = random.normal(5.0, 2.0, 40), np.array([0] * 30 + [1] * 5 + [2] * 5)
    dataset = geometries(
        [*molecules, UserError("broken")],
        np.append(split, 0),
        {"name": "some"},
        bonds=False,
        values={"mu": np.append(values, 99.0)},
        units={"mu": "D"},
    )
    mu = dataset.batch(range(40))["mu"][:, 0].numpy()
    np.testing.assert_allclose(mu, (values - values[:30].mean()) / values[:30].std(), rtol=1e-4, atol=1e-5)
    assert dataset.domain.properties["mu"].unit == "D" and len(dataset.domain.properties["mu"].sizes) == 4
    assert set(dataset.marginals()) == {"atom"}


@pytest.mark.parametrize(
    "change",
    [
        {"spread": 0.0},
        {"within": -1.0},
        {"mean": math.nan},
        {"sizes": []},
        {"sizes": ["x"]},
        {"unit": None, "spread": None},
    ],
)
def test_broken_properties_are_told(change):
    with pytest.raises(UserError, match="properties.mu: expected"):
        Molecule3D(["H"], properties={"mu": {**PROPERTY, **change}})
    with pytest.raises(UserError, match="expected finite numbers that are not all the same"):
        Property.of(np.ones(3), np.full(3, 2), "D")


@pytest.mark.parametrize("nodes", ["unnamed", "stored", "graph"])
def test_frames_of_a_condition_of_the_whole_are_uniform(nodes):
    """z for the condition alone is z's marginal law: the condition tells nothing of the frame."""
    frames, mask = Frames(nodes), torch.ones(2000, 3, dtype=torch.bool)
    c = State(mask, {"mu": Real("whole", 1)}, {"mu": torch.ones(2000, 1)})
    found = frames.sample(c, Streams(0, torch.arange(2000)))
    turn = found if nodes == "unnamed" else found[1]
    assert turn.mean(0).abs().max() < 5 * (1 / 3 / 2000) ** 0.5
    if nodes != "unnamed":
        assert (torch.bincount(found[0][:, 0], minlength=3) / 2000 - 1 / 3).abs().max() < 0.06


class Anchored(SymmetryBreaker):
    """Where a breaker is asked for z of a condition."""

    anchor, schema = "data", {}

    def sample(self, x, generator=None):
        assert may_hide(x.schema)
        return State(x.mask, {}, {})

    def prior(self, mask, generator=None):
        raise AssertionError("z of the condition was wanted")


def test_the_breaker_is_asked_for_z_of_the_condition():
    Ancestral(Diffusion(Oracle(), process(), Anchored()), 1)(Request.of(given(0).mask, given(0)))


def test_the_recipe_says_what_share_is_hidden():
    plain = {
        "name": "a",
        "data": {"dataset": "qm9-3d-alpha"},
        "denoiser": {"kind": "NodeTransformer"},
        "process": {"kind": "Flow"},
    }
    assert validate(plain).objective == {"kind": "Denoising"}
    check_parts(validate({**plain, "objective": {"kind": "Denoising", "drop": 0.1}}))
    with pytest.raises(UserError, match="objective.drop: expected at most 1"):
        check_parts(validate({**plain, "objective": {"kind": "Denoising", "drop": 1.5}}))


# from a recipe to samples

TEXT = """
name: tiny
data: {dataset: DATA}
denoiser: {kind: InFrame, distances: 4, waves: 1, denoiser: {kind: NodeTransformer, width: 16, layers: 1, heads: 2}}
process:
  kind: Product
  parts:
    - {fields: [atom], process: {kind: Flow}}
    - {fields: [position], process: {kind: Gaussian, schedule: {kind: FlowMatchEulerDiscrete}, centered: [position]}}
breaker: {kind: SymPE, canonicalizer: {kind: Frames, nodes: stored}, code: {kind: FrameCode, nodes: 4, dim: 4}}
training: {steps: STEPS, batch: {size: 8}, optimizer: {warmup: 0}, compute: {precision: fp32}, sample: {every: 0}}
sampling: {steps: 4}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A plain checkpoint, and one with a condition that was started from it."""
    folder = tmp_path_factory.mktemp("guidance")
    water = np.array([[0, 0, 0], [0.76, 0.59, 0], [-0.76, 0.59, 0]])
    sulfide = [bare([8, 1, 1], water * (1 + 0.01 * k)) for k in range(20)]
    triangle = [
        bare([8, 1, 1, 1], np.array([[0, 0, 0.3], [0.9, 0, 0], [-0.5, 0.8, 0], [-0.5, -0.8, 0]]) * (1 + 0.01 * k))
        for k in range(20)
    ]
    values = {"mu": np.arange(40.0)}
    for name, given in (("plain", None), ("mu", values)):
        geometries(
            [*sulfide, *triangle], np.zeros(40), {"name": name}, bonds=False, values=given, units={"mu": "D"}
        ).save(folder / f"{name}-data")
    train(load(TEXT.replace("DATA", str(folder / "plain-data")).replace("STEPS", "2")), folder / "plain")
    text = TEXT.replace("DATA", str(folder / "mu-data")).replace("STEPS", "1, start: START")
    text = (
        text.replace("warmup: 0", "warmup: 0, learning_rate: 1.0e-12, weight_decay: 0")
        + "objective: {kind: Denoising, drop: 0.3}\n"
    )
    train(load(text.replace("START", str(folder / "plain" / "checkpoint"))), folder / "mu")
    return folder


def test_training_starts_where_the_new_condition_counts_nothing(place):
    before, after = (SymdiffPipeline.load(place / name / "checkpoint") for name in ("plain", "mu"))
    old, new = (pipeline.denoiser.state_dict() for pipeline in (before, after))
    grown = [name for name in old if old[name].shape != new[name].shape]
    assert grown == ["denoiser.context.0.weight"] and new[grown[0]].shape[1] == old[grown[0]].shape[1] + 3
    torch.testing.assert_close(new[grown[0]][:, :-3], old[grown[0]])
    assert new[grown[0]][:, -3:].abs().max() < 1e-6
    x, y = (pipeline.sample(Request(6, 3, seed=1)).state() for pipeline in (before, after))
    for name in ("atom", "position"):  # the same draws, too: a condition of the whole leaves those of z alone
        torch.testing.assert_close(x[name], y[name])


def test_a_property_is_an_option_of_sample(place, tmp_path):
    from typer.testing import CliRunner

    from symdiff.cli.main import app

    def run(*words):
        return CliRunner().invoke(
            app, ["sample", str(place / "mu" / "checkpoint"), "--count", "4", "--out", str(tmp_path / "a.xyz"), *words]
        )

    assert run("--mu", "36", "--guidance", "2").exit_code == 0
    assert [line for line in (tmp_path / "a.xyz").read_text().splitlines() if line.isdigit()] == [
        "4"
    ] * 4  # the size that has such values
    assert run().exit_code == 0
    for words, message in [
        (("--mu", "high"), "--mu: expected a number, a range (60-70) or a bound (>4) in D, got 'high'"),
        (("--nu", "3"), "--nu: no such option of"),
        (("--guidance", "nan"), "guidance: expected a finite number, got nan"),
    ]:
        found = run(*words)
        assert found.exit_code != 0 and message in f"{found.output}{found.exception}"
    with pytest.raises(
        UserError, match="guidance: the model has no condition that may be absent, so expected 1, got 2"
    ):
        SymdiffPipeline.load(place / "plain" / "checkpoint").guide(2.0)


@pytest.mark.slow
def test_what_is_asked_for_is_learned(tmp_path):
    """Two molecules of one size, told apart by the property alone: after a short training it chooses between them."""
    kinds = [
        bare([8, 1, 1], np.array([[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])),
        bare([6, 8, 8], np.array([[0, 0, 0], [1.16, 0, 0], [-1.16, 0, 0]])),
    ]
    values = {"mu": np.tile([1.8, 0.2], 32)}
    geometries(kinds * 32, np.zeros(64), {"name": "two"}, bonds=False, values=values).save(tmp_path / "data")
    text = (
        TEXT.replace("DATA", str(tmp_path / "data"))
        .replace("STEPS", "120, average: {decay: 0.9}")
        .replace("size: 8", "size: 32")
    )
    text = text.replace("warmup: 0", "warmup: 0, learning_rate: 0.01") + "objective: {kind: Denoising, drop: 0.2}\n"
    train(load(text), tmp_path / "run")
    pipeline = SymdiffPipeline.load(tmp_path / "run" / "checkpoint")
    oxygen = pipeline.domain.atoms.index("O")

    def share(weight: float, **asked: str) -> float:
        """Of triatomics with two oxygens, how many."""
        request = Request(64, 3, pipeline.domain.options.read_condition(asked), seed=1)
        x = pipeline.sample(request, Ancestral(pipeline.guide(weight), 10)).state()
        return float((x["atom"] == oxygen).sum(1).eq(2).double().mean())

    assert share(1.0, mu="1.8") < 0.15 and share(1.0, mu="0.2") > 0.85
    assert 0.2 < share(1.0) < 0.8 and share(0.0, mu="0.2") == share(1.0)
