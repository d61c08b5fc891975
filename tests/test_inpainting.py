"""A fragment stays, digit by digit; the rest is nearly the conditional law, the more so the more rounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from rdkit import Chem

from symdiff.breaking.nothing import Nothing
from symdiff.denoisers.base import Denoiser
from symdiff.diffusion import Diffusion
from symdiff.domains.fragment import FIXED, MARKER, fragment
from symdiff.domains.geometry import Geometry, geometry_of, to_rdkit
from symdiff.domains.molecule3d import Molecule3D
from symdiff.errors import UserError
from symdiff.groups.orthogonal import Orthogonal
from symdiff.groups.permutations import Symmetric
from symdiff.inpainting import aligned, inpaint, places
from symdiff.pipeline import SymdiffPipeline, assemble
from symdiff.processes.base import Process
from symdiff.processes.flow import Flow
from symdiff.processes.gaussian import Gaussian
from symdiff.processes.marginal import Marginal
from symdiff.processes.masked import Masked
from symdiff.processes.product import Product
from symdiff.random import Streams
from symdiff.recipe import load
from symdiff.state import Categorical, Logits, Real, State, node_mask

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
breaker: {kind: SymPE, canonicalizer: {kind: Frames, nodes: stored}, code: {kind: FrameCode, nodes: 9, dim: 4}}
"""


def model(labels: str = "Flow", schedule: str = "FlowMatchEulerDiscrete", domain: Molecule3D = DOMAIN) -> SymdiffPipeline:
    torch.manual_seed(0)
    shares = {"atom": [0.5, 0.3, 0.2], "bond": [0.7, 0.1, 0.1, 0.1]}
    text = TEXT.replace("LABELS", labels).replace("SCHEDULE", schedule)
    return SymdiffPipeline.of(assemble(load(text), domain, shares), domain, [0.0] * 4 + [0.2, 0.0, 0.3, 0.0, 0.3, 0.2])


def carbonyl() -> Geometry:
    position = np.array([[3.0, 1.0, -2.0], [4.2, 1.1, -2.0], [2.1, 1.9, -2.3]])
    return Geometry(np.array([6, 8, 1], np.uint8), np.zeros(3, np.int8), position, np.array([[0, 1], [0, 2]], np.int16), np.array([2, 1], np.uint8))


def known(geometry: Geometry | None = None) -> State:
    geometry = geometry or carbonyl()
    x = DOMAIN.collate([DOMAIN.label(geometry)])
    return fragment(x.with_values(position=torch.from_numpy(geometry.position).float()[None, :, None]))


def assert_holds(x: State, part: State) -> None:
    """The first nodes of every structure are the fragment's."""
    count = part.mask.shape[1]
    for name, field in DOMAIN.schema.items():
        mine = x[name][:, :count, :count] if field.axes == "pair" else x[name][:, :count]
        assert torch.equal(mine, part[name].expand_as(mine)), name


@pytest.mark.parametrize("schedule", ["FlowMatchEulerDiscrete", "EDMHeun", "DPMSolverMultistep, order: 2", "DDIM, eta: 1.0"])
@pytest.mark.parametrize(("labels", "rounds"), [("Flow, stochasticity: 0.5", 1), ("Flow", 3), ("Marginal", 2)])
def test_the_fragment_is_there_digit_by_digit(schedule, labels, rounds):
    found = model(labels, schedule).sample(12, steps=5, known=known(), rounds=rounds).state()
    assert_holds(found, known())
    assert found["position"].isfinite().all() and not bool(found["position"][~found.mask].any())
    assert set(found.num_nodes.tolist()) <= {4, 6, 8, 9}
    others = found["position"][:, 3]
    assert not torch.allclose(others[0], others[1])


@pytest.mark.parametrize("rounds", [1, 2])
def test_where_everything_is_known_that_is_the_result(rounds):
    found = model().sample(3, steps=4, num_nodes=3, known=known(), rounds=rounds).state()
    assert found.num_nodes.tolist() == [3, 3, 3]
    assert_holds(found, known())


def test_samples_depend_on_seed_and_row_alone():
    pipeline = model()
    many, few = (pipeline.sample(count, steps=4, known=known(), seed=3).state() for count in (9, 2))
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


def test_the_rest_follows_what_is_known_the_more_so_the_more_rounds():
    """Of two numbers with correlation 0.9 one is known, 1.5: the other has the mean 1.35 and the spread 0.44."""
    schema, count, rho = {"x": Real("node", 1)}, 3000, 0.9
    process = Gaussian(schema, schedule={"kind": "FlowMatchEulerDiscrete"})
    mask = torch.ones(count, 2, dtype=torch.bool)
    one = State(mask[:, :1], {**schema, FIXED: MARKER}, {"x": torch.full((count, 1, 1), 1.5), FIXED: torch.ones(count, 1, dtype=torch.long)})
    means, spreads = [], []
    for rounds in (1, 3, 10):
        line, streams = Line(rho), Streams(0, torch.arange(count))
        found = inpaint(process, lambda x, t, line=line: line(x, t, None), process.prior(mask, streams), one, 20, streams, rounds, late=1.0)
        assert bool(found["x"][:, 0].eq(1.5).all())
        means.append(abs(float(found["x"][:, 1].mean()) - 1.5 * rho))
        spreads.append(abs(float(found["x"][:, 1].std()) - math.sqrt(1 - rho**2)))
    assert means[0] > 2 * means[1] > 4 * means[2] and means[2] < 0.12 and spreads[2] < 0.06 < spreads[0]


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
    assert float(x.mean()) == pytest.approx(1.3 * a, abs=5 * b / count**0.5) and float(x.std()) == pytest.approx(b, rel=0.03)


def test_places_are_drawn_by_what_the_network_expects_there():
    """Exact by enumeration: two known nodes in four places; p over ordered pairs of places is the product of the laws."""
    count, generator = 6000, torch.Generator().manual_seed(0)
    node, pair = torch.randn(4, 3, generator=generator), torch.randn(4, 4, 2, generator=generator)
    pair = pair + pair.transpose(0, 1)
    mask = node_mask(torch.full((count,), 4), 5)
    logits = {"atom": torch.zeros(count, 5, 3), "bond": torch.zeros(count, 5, 5, 2)}
    logits["atom"][:, :4], logits["bond"][:, :4, :4] = node, pair
    out = State(mask, {"atom": Logits("node", 3), "bond": Logits("pair", 2, True)}, logits)
    values = {"atom": torch.zeros(count, 5, dtype=torch.long), "bond": torch.zeros(count, 5, 5, dtype=torch.long)}
    values["atom"][:, :2], values["bond"][:, 0, 1], values["bond"][:, 1, 0] = torch.tensor([2, 1]), 1, 1
    whole = State(mask, {"atom": Categorical("node", 3), "bond": Categorical("pair", 2, True)}, values)
    g = places(out, whole, 2, Streams(0, torch.arange(count)))
    assert torch.equal(g.sort(1).values, torch.arange(5).expand(count, 5)) and bool(g[:, 4].eq(4).all())
    first, second = (g == 0).int().argmax(1), (g == 1).int().argmax(1)
    found = torch.bincount(4 * first + second, minlength=16).view(4, 4) / count
    law = torch.exp(node.log_softmax(-1)[:, None, 2] + node.log_softmax(-1)[None, :, 1] + pair.log_softmax(-1)[:, :, 1])
    law = law * (1 - torch.eye(4))
    assert (found - law / law.sum()).abs().sum() / 2 < 0.03


def test_places_fit_the_predicted_distances_and_the_known_is_turned_as_they_are():
    """Of a bent chain predicted anywhere and in any order, the known ends find their places, and their turn."""
    process = Gaussian({"position": Real("node", 1, vector=3)}, schedule={"kind": "FlowMatchEulerDiscrete"}, centered=["position"])
    chain = torch.tensor([[0.0, 0, 0], [0, 20, 0], [9, 3, 0], [9, 3, 6]])
    mask, streams = torch.ones(20, 4, dtype=torch.bool), Streams(0, torch.arange(20))
    turn = Orthogonal(3, special=True).sample(mask, streams).float()
    order = Symmetric().sample(mask, streams)
    guess = torch.einsum("bij,bnj->bni", turn, chain[order])[:, :, None]
    out = State(mask, process.schema, {"position": guess - guess.mean(1, keepdim=True)})
    whole = torch.zeros(20, 4, 1, 3)
    whole[:, :3, 0] = chain[[0, 2, 3]]
    part = State(mask, {**process.schema, FIXED: MARKER}, {"position": whole, FIXED: (torch.arange(4) < 3).long().expand(20, -1)})
    g = places(out, part, 3, Streams(1, torch.arange(20)))
    placed = Symmetric().act(g, part)
    right = (order[placed[FIXED].bool()].view(20, 3).sort(1).values == torch.tensor([0, 2, 3])).all(1)
    assert right.sum() >= 18  # an annealed search may end in another place
    turned, (_, element) = aligned(process, placed, out)
    torch.testing.assert_close(element.float()[right], turn[right], atol=1e-5, rtol=1e-5)
    fixed = turned[FIXED].bool()
    gap = (turned["position"] - out["position"])[fixed].view(20, 3, 3)
    assert (gap - gap[:, :1])[right].abs().max() < 1e-5


def test_what_cannot_be_is_told(tmp_path):
    pipeline, part = model(), known()
    for settings, message in [
        ({"num_nodes": 2, "known": part}, "num_nodes: 2: the fragment has 3 nodes"),
        ({"rounds": 2}, "rounds: expected 1, for no fragment is fixed, got 2"),
        ({"rounds": 0, "known": part}, "rounds: expected 1 or more, got 0"),
        ({"known": part.only("atom", FIXED)}, "known: expected the fields atom, position, bond, fixed where fixed says which nodes stay"),
    ]:
        with pytest.raises(UserError, match=message):
            pipeline.sample(2, steps=2, **settings)
    process, mask = Masked({"atom": Categorical("node", 2)}), torch.ones(1, 2, dtype=torch.bool)
    with pytest.raises(ValueError, match="no part that is Masked"):
        inpaint(process, lambda x, t: x, process.prior(mask), part, 1)
    with pytest.raises(ValueError, match="Masked cannot noise again what is noisy"):
        Process.again(process, part, torch.ones(1), torch.ones(1))


def test_a_file_holds_the_fragment(tmp_path):
    DOMAIN.write([to_rdkit(carbonyl())], tmp_path / "a.sdf")
    part = DOMAIN.partly({"fixed": str(tmp_path / "a.sdf")})
    assert DOMAIN.partly({}) is None and "fixed" in DOMAIN.options
    for name, value in known().values.items():
        torch.testing.assert_close(part[name], value)
    DOMAIN.write(model().sample(2, steps=2, known=part).objects(), tmp_path / "b.sdf")
    for mol in Chem.SDMolSupplier(str(tmp_path / "b.sdf"), sanitize=False, removeHs=False):
        np.testing.assert_allclose(geometry_of(mol, strict=False).position[:3], carbonyl().position, atol=1e-4)
    DOMAIN.write([to_rdkit(carbonyl())], tmp_path / "a.xyz")
    DOMAIN.write([to_rdkit(carbonyl())] * 2, tmp_path / "two.sdf")
    far = Geometry(carbonyl().element, carbonyl().charge, carbonyl().position * 0.1)
    DOMAIN.write([to_rdkit(far)], tmp_path / "near.sdf")
    DOMAIN.write([to_rdkit(Geometry(np.array([9], np.uint8), np.zeros(1, np.int8), np.zeros((1, 3))))], tmp_path / "f.sdf")
    for name, message in [
        ("a.xyz", "expected bonds among the atoms; give an .sdf file"),
        ("two.sdf", "expected one molecule, got 2"),
        ("near.sdf", "overlapping atoms"),
        ("f.sdf", "atom F is not among H, C, O"),
        ("none.sdf", "no such file"),
    ]:
        with pytest.raises(UserError, match=message):
            DOMAIN.partly({"fixed": str(tmp_path / name)})


def test_products_noise_their_parts_again():
    schema = {"atom": Categorical("node", 3), "x": Real("node", 1)}
    process = Product(schema, [{"fields": ["atom"], "process": {"kind": "Flow"}}, {"fields": ["x"], "process": {"kind": "Gaussian"}}], {"atom": [1.0] * 3})
    x = process.prior(torch.ones(2, 3, dtype=torch.bool), Streams(0, torch.arange(2)))
    s, t = torch.full((2,), 0.2), torch.full((2,), 0.9)
    y = process.again(x, s, t, Streams(1, torch.arange(2)))
    z = process.parts[1].again(process.parts[0].again(x, s, t, streams := Streams(1, torch.arange(2))), s, t, streams)
    assert all(torch.equal(y[name], z[name]) for name in schema)
