"""Products: every part sees its own fields, and the sums are those of the parts."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from symdiff.breaking.nothing import Nothing
from symdiff.config.recipe import build
from symdiff.denoisers.base import prediction_schema
from symdiff.diffusion import Diffusion
from symdiff.errors import UserError
from symdiff.processes.base import Process
from symdiff.processes.flow import Flow
from symdiff.processes.gaussian import Gaussian
from symdiff.processes.marginal import Marginal
from symdiff.processes.masked import Masked
from symdiff.processes.product import Product
from symdiff.random import Streams
from symdiff.sampling.ancestral import Ancestral
from symdiff.sampling.request import Request
from symdiff.state import Categorical, Real, State, collate, node_mask

SCHEMA = {
    "atom": Categorical("node", 3),
    "bond": Categorical("pair", 4, undirected=True),
    "position": Real("node", 1, vector=3),
}
WEIGHTS = {"atom": [0.5, 0.3, 0.2], "bond": [0.7, 0.1, 0.1, 0.1]}
SPEC = [
    {
        "fields": ["position"],
        "process": {"kind": "Gaussian", "schedule": {"kind": "DPMSolverMultistep"}, "centered": ["position"]},
        "weight": 2.0,
    },
    {"fields": ["atom"], "process": {"kind": "Masked"}},
    {"fields": ["bond"], "process": {"kind": "Flow", "prior": "uniform"}},
]


def single_parts() -> list[tuple[float, Process]]:
    bond = {"bond": SCHEMA["bond"]}
    return [
        (
            2.0,
            Gaussian({"position": SCHEMA["position"]}, schedule={"kind": "DPMSolverMultistep"}, centered=["position"]),
        ),
        (1.0, Masked({"atom": SCHEMA["atom"]})),
        (1.0, Flow(bond, WEIGHTS, prior="uniform")),
    ]


class Constant(nn.Module):
    """The same random prediction for every structure, whatever it sees."""

    def forward(self, x: State, t: torch.Tensor, z: State) -> State:
        generator, schema, values = torch.Generator().manual_seed(0), prediction_schema(SCHEMA), {}
        for name, field in schema.items():
            value = torch.randn(field.shape(1, x.mask.shape[1]), generator=generator).expand(field.shape(*x.mask.shape))
            values[name] = value + value.transpose(1, 2) if field.symmetric else value
        return State(x.mask, schema, values)


@pytest.fixture
def batch(random_state) -> State:
    state = random_state(SCHEMA, node_mask(torch.tensor([3, 4, 2, 4])), 5)
    return state.with_values(position=state["position"].float())


def test_sums_and_schemas_are_those_of_the_parts(batch):
    product, parts = Product(SCHEMA, SPEC, WEIGHTS), single_parts()
    t, s = torch.full((4,), 0.7), torch.full((4,), 0.4)
    x1 = product.prior(batch.mask, Streams(0, torch.arange(4)))
    assert x1.schema == product.noisy_schema()
    assert product.noisy_schema()["atom"].classes == 4
    x = product.bridge(batch, x1, t, Streams(1, torch.arange(4)))
    out = Constant()(x, t, x)
    torch.testing.assert_close(product.loss(out, batch, x, t), sum(w * p.loss(out, batch, x, t) for w, p in parts))
    torch.testing.assert_close(product.kl(out, batch, x, t, s), sum(p.kl(out, batch, x, t, s) for _, p in parts))
    torch.testing.assert_close(product.prior_kl(batch), sum(p.prior_kl(batch) for _, p in parts))


def test_every_part_steps_its_own_fields(batch):
    product = Product(SCHEMA, SPEC, WEIGHTS)
    t, s, streams = torch.full((4,), 0.7), torch.full((4,), 0.4), Streams(2, torch.arange(4))
    x = product.bridge(batch, product.prior(batch.mask, streams), t, streams)
    out = Constant()(x, t, x)
    whole, one_by_one, streams = product.step(x, out, t, s, Streams(3, torch.arange(4))), x, Streams(3, torch.arange(4))
    for _, part in single_parts():
        one_by_one = part.step(one_by_one, out, t, s, streams)
    assert all(torch.equal(whole[name], one_by_one[name]) for name in whole.schema)
    assert set(whole.schema) == {*SCHEMA, "position.past", "position.past_time"}  # what the two-step solver remembers


def test_samples_have_the_schema_and_depend_on_seed_and_row_alone():
    diffusion = Diffusion(Constant(), Product(SCHEMA, SPEC, WEIGHTS), Nothing())
    mask, rows = node_mask(torch.tensor([4, 4, 3, 4, 2])), torch.arange(5)
    whole = Ancestral(diffusion, 6)(Request.of(mask, seed=4)).x
    assert whole.schema == SCHEMA
    split = collate([Ancestral(diffusion, 6)(Request.of(mask, seed=4).part(part)).x for part in rows.split([2, 3])])
    for name in SCHEMA:
        torch.testing.assert_close(whole[name], split[name])
    out = Constant()(whole, None, whole)
    real = mask[..., None, None]
    centered = (out["position"] - (out["position"] * real).sum(1, keepdim=True) / real.sum(1, keepdim=True)) * real
    torch.testing.assert_close(whole["position"], centered)  # at s = 0 it is the prediction


def test_a_part_that_corrects_steps_twice_while_the_others_wait():
    heun = {**SPEC[0], "process": {"kind": "Gaussian", "schedule": {"kind": "EDMHeun"}, "centered": ["position"]}}
    product = Product(SCHEMA, [*SPEC[1:], heun], WEIGHTS, distortion=2.0)
    assert product.corrects and not Product(SCHEMA, SPEC, WEIGHTS).corrects
    torch.testing.assert_close(product.times(5), product.parts[2].times(5) ** 2)
    mask, seen = node_mask(torch.tensor([4, 3])), []
    x, out = product.prior(mask, Streams(0, torch.arange(2))), Constant()
    for t, s in zip(product.times(5)[:-1].float(), product.times(5)[1:].float(), strict=True):
        x = product.step(x, out(x, t, x), t.expand(2), s.expand(2), Streams(1, torch.arange(2)))
        seen.append(x)
    for moved, mended in ((seen[0], seen[1]), (seen[2], seen[3])):
        assert all(torch.equal(moved[name], mended[name]) for name in ("atom", "bond"))
        torch.testing.assert_close(
            moved["position"], mended["position"], atol=1e-3, rtol=1e-3
        )  # a constant prediction needs no correction


def test_renoises_when_a_part_does():
    assert not Product(SCHEMA, SPEC, WEIGHTS).renoises
    assert Product(SCHEMA, [*SPEC[:2], {"fields": ["bond"], "process": {"kind": "Marginal"}}], WEIGHTS).renoises


def test_save_and_load(tmp_path):
    instance = {"fields": ["bond"], "process": Flow({"bond": SCHEMA["bond"]}, WEIGHTS, prior="uniform")}
    for product in (Product(SCHEMA, SPEC, WEIGHTS), Product(SCHEMA, [*SPEC[:2], instance], WEIGHTS)):
        product.save_pretrained(tmp_path)
        config = json.loads((tmp_path / "process_config.json").read_text())
        assert [part["process"]["kind"] for part in config["parts"]] == ["Gaussian", "Masked", "Flow"]
        loaded = Product.from_pretrained(tmp_path)
        rebuilt = build(
            Process, {"kind": "Product", "parts": config["parts"]}, schema=config["schema"], marginals=WEIGHTS
        )
        mask = node_mask(torch.tensor([4, 3]))
        draws = [p.prior(mask, Streams(5, torch.arange(2))) for p in (product, loaded, rebuilt)]
        for other in draws[1:]:
            assert all(torch.equal(draws[0][name], other[name]) for name in SCHEMA)
        assert loaded.weights == [2.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (SPEC[:2], "parts: expected each of the fields .* once, got"),
        ([*SPEC, SPEC[1]], "parts: expected each of the fields .* once, got"),
        ([*SPEC[:2], {"fields": ["bonds"], "process": {"kind": "Flow"}}], r"parts\[2\].fields: expected names among"),
        ([*SPEC[:2], {"fields": [], "process": {"kind": "Flow"}}], r"parts\[2\].fields: expected names among"),
        ([*SPEC[:2], {"fields": ["bond"]}], r"parts\[2\]: expected the keys fields, process and maybe weight"),
        (
            [*SPEC[:2], {"fields": ["bond"], "process": {"kind": "Flo"}}],
            r"parts\[2\].process.kind: .*did you mean 'Flow'",
        ),
        ([*SPEC[:2], {"fields": ["bond"], "process": {"kind": "Flow", "distortion": 2.0}}], "the same grid of times"),
        (
            [*SPEC[:2], {"fields": ["bond"], "process": Marginal({"atom": SCHEMA["atom"]}, WEIGHTS)}],
            r"parts\[2\]: expected a process on",
        ),
        (
            [*SPEC[:2], {"fields": ["bond"], "process": {"kind": "Flow", "focus": 2.0}}],
            r"parts\[2\].process.focus: .* give focus to the Product",
        ),
        ([*SPEC[1:], {"fields": ["position"], "process": {"kind": "Flow"}}], "must be Categorical"),
    ],
)
def test_mistakes_are_told(parts, message):
    with pytest.raises(UserError, match=message):
        Product(SCHEMA, parts, WEIGHTS)
