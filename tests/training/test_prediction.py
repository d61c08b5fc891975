"""Predictions from recipes.

Which symmetry they have, what mirrors leave, and structures that are turned in training.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from symdiff.breaking.given import Given
from symdiff.config import recipe as recipes
from symdiff.data.dataset import Dataset
from symdiff.diffusion import Diffusion
from symdiff.domains.arrays import pack
from symdiff.domains.points import PointCloud
from symdiff.domains.points_codec import AXES
from symdiff.errors import UserError
from symdiff.groups.orthogonal import Orthogonal
from symdiff.groups.permutations import Symmetric
from symdiff.groups.product import DirectProduct
from symdiff.pipeline import SymdiffPipeline, assemble, check_parts
from symdiff.random import Streams
from symdiff.sampling.request import Request
from symdiff.state import Categorical, Real, State
from symdiff.testing import difference, equivariance_error
from symdiff.training.run import train

VECTOR = Real("node", 1, vector=3)
GIVEN = {"position": VECTOR, "velocity": VECTOR, "pose": AXES}
MOTION = PointCloud(GIVEN, {"displacement": VECTOR})
PARTS = PointCloud(GIVEN, {"part": Categorical("node", 3)})
ENERGY = PointCloud(GIVEN, {"property": Real("whole", 1)})
POINTS = {"kind": "PointConvolution", "width": 12, "layers": 1, "basis": 8, "readout": 4}
STEERABLE = {
    "kind": "SteerableNetwork",
    "irreps": "8x0e + 4x1o + 2x2e",
    "layers": 1,
    "edge_width": 8,
    "radial": 4,
    "readout": 4,
}
PLAIN = {
    "kind": "InFrame",
    "distances": 4,
    "waves": 1,
    "denoiser": {"kind": "NodeTransformer", "width": 16, "layers": 1, "heads": 2},
}
AXES_OF_INERTIA = {
    "kind": "SymPE",
    "canonicalizer": {"kind": "Frames", "special": True, "fields": []},
    "code": {"kind": "FrameCode"},
}
POSE = {"kind": "Given", "field": "pose"}
NOTHING = {"kind": "Nothing"}


def dataset(domain: PointCloud, count: int = 6) -> Dataset:
    draw, records = np.random.default_rng(0), []
    for size in 3 + np.arange(count) % 3:
        obj = {name: draw.normal(size=(size, 1, 3)) for name in ("position", "velocity", "displacement")}
        records.append(domain.encode({**obj, "part": draw.integers(0, 3, size), "property": draw.normal(size=1)}))
    return Dataset.from_arrays(domain, pack(records, domain.schema), {"name": "clouds"})


def diffusion(domain: PointCloud, denoiser: dict, breaker: dict, **training) -> Diffusion:
    process = {"kind": "Masked", "focus": 0.0} if domain is PARTS else {"kind": "Prediction"}
    plain = {
        "name": "tiny",
        "data": {"dataset": "clouds"},
        "denoiser": denoiser,
        "process": process,
        "breaker": breaker,
        "training": training,
    }
    torch.manual_seed(0)
    made = assemble(recipes.validate(plain), domain, {})
    for parameter in made.parameters():  # what starts at zero would hide a broken part
        parameter.data = torch.randn_like(parameter) * 0.3
    return made.double().eval()


def seen(domain: PointCloud) -> State:
    return dataset(domain).batch(torch.arange(6)).to(torch.float64)


def predict(model: Diffusion, x: State, seed: int = 0) -> State:
    """What the network says, before labels are drawn."""
    known, streams = x.only(*GIVEN), Streams(seed, torch.arange(len(x)))
    start = model.process.prior(x.mask, streams)
    z = model.draw(known, start, streams)
    with torch.no_grad():
        return model.denoiser(
            known.with_values(start.schema, **start.values), torch.ones(len(x), dtype=torch.float64), z
        )


TURN = {"velocity": "vectors", "pose": "vectors"}
# (denoiser, breaker): exactly equivariant, alone or with the pose
EXACT = {
    "distances": (
        {**POINTS, "equivariance": "rotations", "orientations": 0, "inputs": {"velocity": "vectors"}},
        NOTHING,
    ),
    "distances and pose": ({**POINTS, "equivariance": "rotations", "orientations": 0, "inputs": TURN}, NOTHING),
    "directions that turn with the pose": (
        {**POINTS, "equivariance": "rotations", "orientations": 4, "inputs": TURN},
        POSE,
    ),
    "kernels along the pose": (
        {**POINTS, "equivariance": "frame", "orientations": 0, "inputs": {"velocity": "framed"}},
        POSE,
    ),
    "kernels along principal axes": (
        {**POINTS, "equivariance": "frame", "orientations": 0, "inputs": {"velocity": "framed"}},
        AXES_OF_INERTIA,
    ),
    "steerable": ({**STEERABLE, "inputs": TURN}, NOTHING),
    "transformer along the pose": (PLAIN, POSE),
    "transformer along principal axes": (PLAIN, AXES_OF_INERTIA),
}


@pytest.mark.parametrize("domain", [MOTION, PARTS, ENERGY], ids=["vectors", "labels", "number"])
@pytest.mark.parametrize("name", list(EXACT))
def test_predictions_turn_with_the_structure(name, domain):
    denoiser, breaker = EXACT[name]
    model = diffusion(domain, denoiser, breaker)
    # principal axes are laid so that they are a right-handed frame, which mirrors are not
    group = DirectProduct([Symmetric(), Orthogonal(3, special=breaker is AXES_OF_INERTIA)])
    x = seen(domain)
    tolerance = 1e-6 if breaker is AXES_OF_INERTIA else 1e-9  # a frame that is drawn is in single precision
    assert (
        equivariance_error(lambda x: predict(model, x), group, x, generator=Streams(3, torch.arange(6)), draws=3)
        < tolerance
    )
    out = predict(model, x)
    assert set(out.schema) == set(model.process.schema) and difference(out, out.map(torch.zeros_like)) > 1e-3


@pytest.mark.parametrize(
    "inputs",
    [
        {"velocity": "scalars"},
        {"velocity": "vectors", "position": "scalars"},
        {"velocity": "vectors", "pose": "scalars"},
    ],
)
def test_vectors_as_scalars_break_rotations(inputs):
    model = diffusion(MOTION, {**POINTS, "equivariance": "rotations", "orientations": 0, "inputs": inputs}, NOTHING)
    assert equivariance_error(lambda x: predict(model, x), Orthogonal(3), seen(MOTION), draws=2) > 1e-3


def mirrored(x: State) -> State:
    mirror = torch.diag(torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64)).expand(len(x), 3, 3)
    return Orthogonal(3).act(mirror, x)


@pytest.mark.parametrize(
    ("name", "tells"), [("distances", False), ("steerable", False), ("transformer along principal axes", True)]
)
def test_which_networks_tell_a_structure_from_its_mirror_image(name, tells):
    """A number that is the same for every rotation may differ for the mirror image.

    Only where a frame is right-handed.
    """
    denoiser, breaker = EXACT[name]
    if name == "steerable":
        denoiser = {**denoiser, "inputs": {"velocity": "vectors"}}
    model, x = diffusion(ENERGY, denoiser, breaker), seen(ENERGY)
    gap = difference(predict(model, x), predict(model, mirrored(x)))
    assert gap > 1e-3 if tells else gap < 1e-9


def test_the_predicted_field_is_not_seen():
    model, x = diffusion(MOTION, *EXACT["transformer along the pose"]), seen(MOTION)
    other = x.with_values(displacement=torch.zeros_like(x["displacement"]))
    streams = [Streams(0, torch.arange(6)) for _ in range(2)]
    given = [
        model.process.bridge(each, model.process.prior(x.mask), torch.ones(6), s)
        for each, s in zip((x, other), streams, strict=True)
    ]
    assert set(given[0].schema) == set(GIVEN) and difference(*given) == 0


def test_the_size_of_a_sum_grows_with_the_structure_that_of_a_mean_does_not():
    for pooling, wanted in (("sum", 2.0), ("mean", 1.0)):
        # every node listens to itself alone, so that a structure next to itself is twice the structure
        model = diffusion(ENERGY, {**POINTS, "layers": 1, "inputs": {}, "pooling": pooling}, NOTHING)
        del model.denoiser.blocks[:]
        x = seen(ENERGY).select([0])
        (obj,) = ENERGY.decode(x)
        twice = {**obj, **{name: np.concatenate([obj[name]] * 2) for name in ("position", "velocity")}}
        both = ENERGY.collate([ENERGY.encode(twice)]).to(torch.float64)
        model.denoiser.context.waves.frequencies.zero_()  # the number of nodes is told otherwise
        one, two = (predict(model, each)["property"].item() for each in (x, both))
        assert two == pytest.approx(wanted * one, rel=1e-6)


def test_a_given_frame_needs_its_field():
    breaker, x = Given("pose"), seen(MOTION)
    assert torch.equal(breaker.sample(x)["frame"], x["pose"])
    with pytest.raises(ValueError, match="cannot be drawn"):
        breaker.prior(x.mask)
    with pytest.raises(ValueError, match="expected a field 'pose'"):
        breaker.sample(x.only("position"))


TRAINING = {
    "steps": 3,
    "batch": {"size": 4},
    "sample": {"every": 0},
    "compute": {"precision": "fp32"},
    "optimizer": {"warmup": 1},
}


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMDIFF_CACHE", str(tmp_path / "cache"))
    dataset(MOTION).save(tmp_path / "clouds")
    plain = {
        "name": "tiny",
        "data": {"dataset": str(tmp_path / "clouds")},
        "denoiser": {**POINTS, "equivariance": "translations", "orientations": 0, "inputs": {"velocity": "vectors"}},
        "process": {"kind": "Prediction", "spread": {"displacement": 0.5}},
        "objective": {"kind": "Denoising", "augment": {"kind": "Orthogonal", "special": True}},
        "training": TRAINING,
        "sampling": {"steps": 1},
    }
    return recipes.validate(plain)


def losses(folder) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder / "log.jsonl").read_text().splitlines() if '"loss"' in line]


@pytest.mark.slow
def test_structures_are_turned_in_training_and_predicted_from_a_file(recipe, tmp_path):
    train(recipe, tmp_path / "turned")
    train(recipes.set(recipe, "objective/augment=null"), tmp_path / "plain")
    assert losses(tmp_path / "turned") != losses(tmp_path / "plain")
    equivariant = recipes.set(recipe, "denoiser/equivariance=rotations")
    for name, augment in (("one", "null"), ("two", "{kind: Orthogonal, special: true}")):
        train(recipes.set(equivariant, f"objective/augment={augment}"), tmp_path / name)
    assert losses(tmp_path / "one") == pytest.approx(
        losses(tmp_path / "two"), rel=1e-5
    )  # what is equivariant cannot tell

    pipeline = SymdiffPipeline.load(tmp_path / "turned" / "checkpoint")
    MOTION.write(MOTION.decode(seen(MOTION)), tmp_path / "given.npz")
    condition = MOTION.options.read_condition({"clouds": str(tmp_path / "given.npz")})
    first = pipeline.sample(Request(6, condition=condition, seed=0)).state()
    again = pipeline.sample(Request(6, condition=condition, seed=1)).state()
    assert set(first.schema) == {*GIVEN, "displacement"} and difference(first, again) == 0  # nothing is drawn
    with pytest.raises(UserError, match="one step, got 2"):
        pipeline.sample(Request(6, condition=condition), 2)


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        ({"kind": "Orthogonl"}, "objective.augment.kind: expected the name of a Group, got 'Orthogonl'.*Orthogonal"),
        ({"special": True}, "objective.augment: the key 'kind' is missing"),
        ({"kind": "Orthogonal", "mirrors": True}, "objective.augment.mirrors: Orthogonal has no such setting"),
    ],
)
def test_what_structures_cannot_be_turned_by(recipe, augment, message):
    with pytest.raises(UserError, match=message):
        check_parts(recipes.validate({**recipe.model_dump(), "objective": {"kind": "Denoising", "augment": augment}}))


@pytest.mark.parametrize("name", ["cmu-walk", "first-mm", "qm9-mu", "qm9-properties"])
def test_the_recipes_are_valid(name):
    check_parts(recipes.load(name))
