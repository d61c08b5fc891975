"""A fragment stays, digit by digit; the rest is nearly the conditional law, the more so the more rounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from rdkit import Chem

from symdiff.breaking.nothing import Nothing
from symdiff.chemistry.geometry import Geometry, geometry_of, to_rdkit
from symdiff.config.recipe import load
from symdiff.denoisers.base import Denoiser
from symdiff.diffusion import Diffusion
from symdiff.domains.molecule3d import Molecule3D
from symdiff.errors import UserError
from symdiff.groups.orthogonal import Orthogonal
from symdiff.groups.permutations import Symmetric
from symdiff.pipeline import SymdiffPipeline, assemble
from symdiff.processes.base import Process
from symdiff.processes.flow import Flow
from symdiff.processes.gaussian import Gaussian
from symdiff.processes.marginal import Marginal
from symdiff.processes.masked import Masked
from symdiff.processes.product import Product
from symdiff.random import Streams
from symdiff.sampling.inpainting import Inpainting
from symdiff.sampling.particles import pick, resample
from symdiff.sampling.request import Request
from symdiff.state import Categorical, Logits, Real, State
from symdiff.testing import difference

ATOMS = ["H", "C", "O"]
DOMAIN = Molecule3D(ATOMS)
TEXT = """
name: tiny
data: {dataset: none}
denoiser: {kind: InFrame, distances: 4, waves: 1, denoiser: {kind: NodeTransformer, width: 16, layers: 1, heads: 2}}
process:
  kind: Product
  parts:
    - {fields: [atom, bond], process: {kind: LABELS}}
    - {fields: [position], process: {kind: Gaussian, schedule: {kind: SCHEDULE}, centered: [position]}}
breaker: {kind: SymPE, anchor: ANCHOR, canonicalizer: {kind: Frames, nodes: stored},
  code: {kind: FrameCode, nodes: 9, dim: 4}}
"""


def model(
    labels: str = "Flow", schedule: str = "FlowMatchEulerDiscrete", anchor: str = "none", domain: Molecule3D = DOMAIN
) -> SymdiffPipeline:
    torch.manual_seed(0)
    shares = {"atom": [0.5, 0.3, 0.2], "bond": [0.7, 0.1, 0.1, 0.1]}
    text = TEXT.replace("LABELS", labels).replace("SCHEDULE", schedule).replace("ANCHOR", anchor)
    return SymdiffPipeline.of(assemble(load(text), domain, shares), domain, [0.0] * 4 + [0.2, 0.0, 0.3, 0.0, 0.3, 0.2])


def carbonyl() -> Geometry:
    position = np.array([[3.0, 1.0, -2.0], [4.2, 1.1, -2.0], [2.1, 1.9, -2.3]])
    return Geometry(
        np.array([6, 8, 1], np.uint8),
        np.zeros(3, np.int8),
        position,
        np.array([[0, 1], [0, 2]], np.int16),
        np.array([2, 1], np.uint8),
    )


def known(geometry: Geometry | None = None) -> State:
    geometry = geometry or carbonyl()
    x = DOMAIN.collate([DOMAIN.codec.label(geometry)])
    return x.with_values(position=torch.from_numpy(geometry.position).float()[None, :, None])


def around(
    pipeline: SymdiffPipeline, count: int, steps: int, particles: int, sizes: int | None = None, seed: int = 0
) -> State:
    """Samples around the carbonyl."""
    return pipeline.sample(
        Request(count, sizes, known=known(), seed=seed), Inpainting(pipeline.diffusion, steps, particles)
    ).state()


def assert_holds(x: State, part: State) -> None:
    """The first nodes of every structure are the fragment's."""
    count = part.mask.shape[1]
    for name, field in DOMAIN.schema.items():
        mine = x[name][:, :count, :count] if field.axes == "pair" else x[name][:, :count]
        assert torch.equal(mine, part[name].expand_as(mine)), name


@pytest.mark.slow
@pytest.mark.parametrize(
    "schedule", ["FlowMatchEulerDiscrete", "EDMHeun", "DPMSolverMultistep, order: 2", "DDIM, eta: 1.0"]
)
@pytest.mark.parametrize(("labels", "particles"), [("Flow, stochasticity: 0.5", 1), ("Flow", 3), ("Marginal", 2)])
def test_the_fragment_is_there_digit_by_digit(schedule, labels, particles):
    found = around(model(labels, schedule), 12, 5, particles)
    assert_holds(found, known())
    assert found["position"].isfinite().all() and not bool(found["position"][~found.mask].any())
    assert set(found.num_nodes.tolist()) <= {4, 6, 8, 9}
    others = found["position"][:, 3]
    assert not torch.allclose(others[0], others[1])


@pytest.mark.parametrize("particles", [1, 2])
def test_where_everything_is_known_that_is_the_result(particles):
    found = around(model(), 3, 4, particles, sizes=3)
    assert found.num_nodes.tolist() == [3, 3, 3]
    assert_holds(found, known())


def test_samples_depend_on_seed_and_row_alone():
    pipeline = model()
    many, few = (around(pipeline, count, 4, 2, seed=3) for count in (9, 2))
    for name in DOMAIN.schema:
        size = few.mask.shape[1]
        mine = many[name][:2, :size, :size] if name == "bond" else many[name][:2, :size]
        torch.testing.assert_close(mine, few[name], atol=1e-5, rtol=1e-5)


class Line(Denoiser):
    """E[x0 | x_t] for two numbers with correlation ``rho`` and spread 1, on the straight path; nothing is centered."""

    def __init__(self, rho: float) -> None:
        super().__init__()
        self.rho = rho

    def forward(self, x, t, z):
        value, covariance = x["x"][:, :, 0], torch.tensor([[1.0, self.rho], [self.rho, 1.0]])
        a, b = (1 - t)[:, None, None], t[:, None, None]
        gain = a * covariance @ torch.linalg.inv(a**2 * covariance + b**2 * torch.eye(2))
        return State(x.mask, {"x": Real("node", 1)}, {"x": (gain @ value[:, :, None])})


def test_of_two_normal_numbers_the_rest_is_nearly_conditional_on_the_known():
    """With correlation 0.9 and one known, 1.5, the other has the mean 1.35 and the spread 0.44."""
    schema, count, rho = {"x": Real("node", 1)}, 3000, 0.9
    process = Gaussian(schema, schedule={"kind": "FlowMatchEulerDiscrete", "eta": 1.0})
    mask, streams = torch.ones(count, 2, dtype=torch.bool), Streams(0, torch.arange(count))
    one = State(mask[:, :1], schema, {"x": torch.full((count, 1, 1), 1.5)})
    diffusion = Diffusion(Line(rho), process, Nothing())
    pulled, left = (
        Inpainting(diffusion, 100, sharpness=k)(Request.of(mask, known=one), streams).x["x"] for k in (1.0, 0.0)
    )
    assert bool(pulled[:, 0].eq(1.5).all())
    assert (
        abs(float(pulled[:, 1].mean()) - 1.5 * rho) < 0.08
        and abs(float(pulled[:, 1].std()) - math.sqrt(1 - rho**2)) < 0.04
    )
    assert abs(float(left[:, 1].mean()) - 1.5 * rho) > 0.12


class Labels(Denoiser):
    """p(x0 | x_t) of every entry for two labels of the joint law ``law`` (2, 2), by enumeration.

    Marginals are the prior.
    """

    def __init__(self, law: torch.Tensor) -> None:
        super().__init__()
        self.law = law

    def forward(self, x, t, z):
        a, prior = (1 - t)[:, None, None], (self.law.sum(1), self.law.sum(0))
        first, second = (
            a * torch.eye(2)[x["atom"][:, k]][:, None] + (1 - a) * prior[k][x["atom"][:, k]][:, None, None]
            for k in (0, 1)
        )
        joint = self.law * first.mT * second
        return State(x.mask, {"atom": Logits("node", 2)}, {"atom": torch.stack([joint.sum(2), joint.sum(1)], 1).log()})


@pytest.mark.parametrize("particles", [1, 4])
def test_of_two_labels_the_rest_leans_to_what_is_known(particles):
    """p(rest = known) is 0.8, and 0.5 where nothing is known; 0.7 is what comes out: labels have no gradient."""
    schema, count = {"atom": Categorical("node", 2)}, 4000
    law = torch.tensor([[0.4, 0.1], [0.1, 0.4]])
    process = Flow(schema, {"atom": [0.5, 0.5]})
    mask = torch.ones(count, 2, dtype=torch.bool)
    one = State(mask[:1, :1], schema, {"atom": torch.zeros(1, 1, dtype=torch.long)})
    found = Inpainting(Diffusion(Labels(law), process, Nothing()), 30, particles)(Request.of(mask, known=one)).x["atom"]
    assert bool(found[:, 0].eq(0).all())
    assert abs(float(found[:, 1].eq(0).float().mean()) - 0.8) < 0.14


def test_particles_have_successors_by_their_weights():
    weight, streams = (
        torch.tensor([0.05, 0.05, 0.1, 0.8]).log().double().expand(4000, 4),
        Streams(0, torch.arange(16000)),
    )
    rows, left = resample(weight, streams)
    assert not bool(left.any()) and bool((rows.view(-1, 4) // 4).eq(torch.arange(4000)[:, None]).all())
    counts = torch.bincount(rows % 4, minlength=4) / 4000
    assert (counts - 4 * weight[0].exp()).abs().max() < 0.04
    assert set(torch.bincount(4 * (rows // 4) + rows % 4, minlength=16000).view(-1, 4)[:, 3].tolist()) <= {3, 4}
    one = torch.bincount(pick(weight, streams) % 4, minlength=4) / 4000
    assert (one - weight[0].exp()).abs().max() < 0.04
    even = torch.tensor([0.2, 0.2, 0.3, 0.3]).log().double().expand(2, 4)
    rows, left = resample(even, Streams(0, torch.arange(8)))
    assert torch.equal(rows, torch.arange(8)) and torch.equal(left, even.flatten())


class Springs(Denoiser):
    """Points that pull on each other, in float64: moves with permutations and rotations."""

    def forward(self, x, t, z):
        point = x["position"][:, :, 0]
        away = point[:, None] - point[:, :, None]
        force = (away * (-away.square().sum(-1, keepdim=True)).exp()).sum(2)
        return State(x.mask, x.schema, {"position": ((1 - t)[:, None, None] * point + force)[:, :, None]})


def test_the_result_turns_with_the_fragment_and_its_nodes_are_named_as_in_it():
    process = Gaussian(
        {"position": Real("node", 1, vector=3)}, schedule={"kind": "FlowMatchEulerDiscrete"}, centered=["position"]
    )
    mask, streams = torch.ones(20, 6, dtype=torch.bool), Streams(0, torch.arange(20))
    noise = process.prior(mask, streams).to(torch.float64)
    part = State(
        mask[:, :3], process.schema, {"position": process.prior(mask[:, :3], streams)["position"].double() + 5}
    )

    def around(part: State, noise: State) -> State:
        process.prior = lambda *_: noise
        return Inpainting(Diffusion(Springs(), process, Nothing()), 10)(Request.of(mask, known=part)).x

    plain, space = around(part, noise), Orthogonal(3, special=True)
    turn = space.sample(mask, streams)
    assert difference(around(space.act(turn, part), noise), space.act(turn, plain)) < 1e-9
    order = torch.tensor([[2, 0, 1]]).expand(20, -1)
    whole = torch.cat([order, torch.tensor([[5, 3, 4]]).expand(20, -1)], 1)
    assert (
        difference(around(Symmetric().act(order, part), Symmetric().act(whole, noise)), Symmetric().act(whole, plain))
        < 1e-9
    )


@pytest.mark.parametrize("schedule", ["FlowMatchEulerDiscrete", "EDMHeun", "DDIM"])
def test_the_known_is_said_as_it_is_read(schedule):
    process = Gaussian({"x": Real("node", 1)}, schedule={"kind": schedule}, preconditioning="edm")
    mask, streams = torch.ones(50, 2, dtype=torch.bool), Streams(0, torch.arange(50))
    x, x0 = (process.prior(mask, streams).to(torch.float64) for _ in range(2))
    t = torch.linspace(0.1, 1, 50)
    there = torch.ones_like(x["x"], dtype=torch.bool)
    out = x.with_values(x=process.overwrite("x", x, x0["x"], there, x, t))
    assert difference(process.read(out, x, t), x0) < 1e-6


@pytest.mark.parametrize("kind", ["Flow", "Marginal"])
def test_noising_again_is_noising_on_labels(kind):
    """q(x_t | x_s) after q(x_s | x0) is q(x_t | x0)."""
    schema, count = {"atom": Categorical("node", 3)}, 30000
    process = {"Flow": Flow, "Marginal": Marginal}[kind](schema, {"atom": [0.5, 0.3, 0.2]})
    x0 = State(torch.ones(count, 1, dtype=torch.bool), schema, {"atom": torch.full((count, 1), 2)})
    s, t, streams = torch.full((count,), 0.3), torch.full((count,), 0.7), Streams(0, torch.arange(count))
    x = process.again(process.bridge(x0, process.prior(x0.mask, streams), s, streams), s, t, streams)
    kept = float(process.alpha(t)[0])
    expected = kept * torch.tensor([0.0, 0.0, 1.0]) + (1 - kept) * torch.tensor([0.5, 0.3, 0.2])
    assert (torch.bincount(x["atom"][:, 0], minlength=3) / count - expected).abs().max() < 5 * 0.5 / count**0.5


@pytest.mark.parametrize("schedule", ["FlowMatchEulerDiscrete", "EDMEuler", "DDIM"])
def test_noising_again_is_noising_on_reals(schedule):
    schema, count = {"x": Real("node", 1)}, 20000
    process = Gaussian(schema, schedule={"kind": schedule})
    x0 = State(torch.ones(count, 1, dtype=torch.bool), schema, {"x": torch.full((count, 1, 1), 1.3)})
    s, t, streams = torch.full((count,), 0.3), torch.full((count,), 0.7), Streams(0, torch.arange(count))
    x = process.again(process.bridge(x0, process.prior(x0.mask, streams), s, streams), s, t, streams)["x"]
    a, b = (float(level[0]) for level in process.schedule.levels(t))
    assert float(x.mean()) == pytest.approx(1.3 * a, abs=5 * b / count**0.5) and float(x.std()) == pytest.approx(
        b, rel=0.03
    )


def test_what_cannot_be_is_told(tmp_path):
    pipeline, part = model(), known()
    for settings, message in [
        ({"sizes": 2, "known": part}, "num_nodes: 2: the fragment has 3 nodes"),
        ({"known": part.only("atom")}, "known: expected the fields atom, bond, position, got atom"),
    ]:
        with pytest.raises(UserError, match=message):
            pipeline.sample(Request(2, **settings), 2)
    with pytest.raises(ValueError, match="at least one particle"):
        Inpainting(pipeline.diffusion, 2, particles=0)
    with pytest.raises(UserError, match="z names the nodes by what the structure is, which a fragment does not tell"):
        model(anchor="data").sample(Request(2, known=part), 2)
    process = Masked({"atom": Categorical("node", 2)})
    with pytest.raises(ValueError, match="no process that reveals, got 1 and Masked"):
        Inpainting(Diffusion(Springs(), process, Nothing()), 1)
    with pytest.raises(ValueError, match="Masked cannot noise again what is noisy"):
        Process.again(process, part, torch.ones(1), torch.ones(1))


def test_a_file_holds_the_fragment(tmp_path):
    DOMAIN.write([to_rdkit(carbonyl())], tmp_path / "a.sdf")
    part = DOMAIN.options.read_known({"fixed": str(tmp_path / "a.sdf")})
    assert DOMAIN.options.read_known({}) is None and "fixed" in DOMAIN.options.help
    for name, value in known().values.items():
        torch.testing.assert_close(part[name], value)
    DOMAIN.write(model().sample(Request(2, known=part), 2).objects(), tmp_path / "b.sdf")
    for mol in Chem.SDMolSupplier(str(tmp_path / "b.sdf"), sanitize=False, removeHs=False):
        np.testing.assert_allclose(geometry_of(mol, strict=False).position[:3], carbonyl().position, atol=1e-4)
    DOMAIN.write([to_rdkit(carbonyl())], tmp_path / "a.xyz")
    DOMAIN.write([to_rdkit(carbonyl())] * 2, tmp_path / "two.sdf")
    far = Geometry(carbonyl().element, carbonyl().charge, carbonyl().position * 0.1)
    DOMAIN.write([to_rdkit(far)], tmp_path / "near.sdf")
    DOMAIN.write(
        [to_rdkit(Geometry(np.array([9], np.uint8), np.zeros(1, np.int8), np.zeros((1, 3))))], tmp_path / "f.sdf"
    )
    for name, message in [
        ("a.xyz", "expected bonds among the atoms; give an .sdf file"),
        ("two.sdf", "expected one molecule, got 2"),
        ("near.sdf", "overlap: atoms 1 and 2"),
        ("f.sdf", "atom F is not among H, C, O"),
        ("none.sdf", "no such file"),
    ]:
        with pytest.raises(UserError, match=message):
            DOMAIN.options.read_known({"fixed": str(tmp_path / name)})


def test_products_noise_their_parts_again():
    schema = {"atom": Categorical("node", 3), "x": Real("node", 1)}
    process = Product(
        schema,
        [{"fields": ["atom"], "process": {"kind": "Flow"}}, {"fields": ["x"], "process": {"kind": "Gaussian"}}],
        {"atom": [1.0] * 3},
    )
    x = process.prior(torch.ones(2, 3, dtype=torch.bool), Streams(0, torch.arange(2)))
    s, t = torch.full((2,), 0.2), torch.full((2,), 0.9)
    y = process.again(x, s, t, Streams(1, torch.arange(2)))
    z = process.parts[1].again(process.parts[0].again(x, s, t, streams := Streams(1, torch.arange(2))), s, t, streams)
    assert all(torch.equal(y[name], z[name]) for name in schema)
