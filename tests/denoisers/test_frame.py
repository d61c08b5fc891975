"""A network on scalars, in a sampled frame, is equivariant on vectors."""

from __future__ import annotations

import pytest
import torch

from symdiff.breaking.frame_code import FrameCode
from symdiff.breaking.sympe import SymPE
from symdiff.canonical.frames import Frames
from symdiff.denoisers.frame import InFrame
from symdiff.groups.orthogonal import Orthogonal
from symdiff.groups.permutations import Symmetric
from symdiff.groups.product import DirectProduct
from symdiff.random import Streams, normal, uniform
from symdiff.state import Categorical, Real, State, node_mask, schema_to_plain
from symdiff.testing import equivariance_error

SCHEMA = {
    "atom": Categorical("node", 3),
    "position": Real("node", 1, vector=3),
    "bond": Categorical("pair", 4, undirected=True),
}
CODE = {"rank": Categorical("node", 6), "frame": Real("whole", 3, vector=3)}
INNER = {"kind": "NodeTransformer", "width": 32, "layers": 1, "heads": 4, "readout": 4}


def clouds(dtype=torch.float64) -> tuple[State, State]:
    """Two clouds of 6 and 4 nodes, and a code for each."""
    mask, streams = node_mask(torch.tensor([6, 4])), Streams(0, torch.arange(2))
    bond = (uniform((2, 6, 6), streams) * 4).long().triu(1) * (mask[:, :, None] & mask[:, None])
    values = {
        "atom": (uniform((2, 6), streams) * 3).long() * mask,
        "position": normal((2, 6, 1, 3), streams, torch.zeros((), dtype=dtype)) * mask[..., None, None],
        "bond": bond + bond.mT,
    }
    frame = Orthogonal(3).sample(mask, streams).to(dtype)
    rank = torch.where(mask, torch.arange(6), 0)
    return State(mask, SCHEMA, values), State(mask, CODE, {"rank": rank, "frame": frame})


def network(**settings) -> InFrame:
    torch.manual_seed(0)
    made = InFrame(schema=SCHEMA, noisy=SCHEMA, code=CODE, denoiser=INNER, **settings)
    for parameter in made.parameters():
        parameter.data = torch.randn_like(parameter) * 0.3
    return made.double()


@pytest.mark.parametrize("special", [True, False])
def test_equivariant_jointly_in_structure_and_frame(special):
    x, z = clouds()
    group, t = DirectProduct([Symmetric(), Orthogonal(3, special)]), torch.tensor([0.3, 0.9], dtype=torch.float64)
    net = network()
    assert equivariance_error(lambda a, b: net(a, t, b), group, x, z) < 1e-9


def test_vectors_are_predicted_from_scalars_alone():
    """As a decoder does, which sees a latent and a frame."""
    x, z = clouds()
    x = x.only("atom")
    torch.manual_seed(0)
    net = InFrame(schema=SCHEMA, noisy={"atom": SCHEMA["atom"]}, code=CODE, denoiser=INNER).double()
    t = torch.zeros(2, dtype=torch.float64)
    group = DirectProduct([Symmetric(), Orthogonal(3)])
    assert equivariance_error(lambda a, b: net(a, t, b), group, x, z) < 1e-9
    assert net(x, t, z)["position"].std() > 1e-3
    with pytest.raises(ValueError, match="reads or predicts vectors"):
        InFrame(schema={"atom": SCHEMA["atom"]}, noisy={"atom": SCHEMA["atom"]}, code=CODE, denoiser=INNER)


def test_not_equivariant_in_the_structure_alone():
    x, z = clouds()
    group, t, net = (
        DirectProduct([Symmetric(), Orthogonal(3)]),
        torch.tensor([0.3, 0.9], dtype=torch.float64),
        network(),
    )
    assert equivariance_error(lambda a: net(a, t, z), group, x) > 1e-2


def test_the_frame_matters_and_time_zero_gives_the_structure_back():
    x, z = clouds()
    net, nothing = network(), torch.zeros(2, dtype=torch.float64)
    torch.testing.assert_close(net(x, nothing, z)["position"], x["position"], rtol=0, atol=1e-12)
    other = z.with_values(frame=-z["frame"])
    one = torch.ones(2, dtype=torch.float64)
    assert (net(x, one, z)["position"] - net(x, one, other)["position"]).abs().max() > 1e-2


def test_a_code_without_a_frame_is_refused():
    with pytest.raises(ValueError, match="frame"):
        InFrame(schema=SCHEMA, noisy=SCHEMA, code={"rank": CODE["rank"]}, denoiser=INNER)


def test_coordinates_keep_their_precision_under_autocast():
    x, z = clouds(torch.float32)
    net = network().float()
    with torch.autocast("cpu", torch.bfloat16):
        back = net(x, torch.zeros(2), z)["position"]
    torch.testing.assert_close(back, x["position"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("nodes", [0, 6])
def test_the_code_of_a_frame_has_a_trivial_stabilizer(nodes):
    code, mask = FrameCode(nodes, 4).double(), node_mask(torch.tensor([6, 4]))
    group = DirectProduct([Symmetric(), Orthogonal(3)]) if nodes else Orthogonal(3)
    v = code(mask)
    assert set(v.schema) == set(code.schema) == ({"rank", "code", "frame"} if nodes else {"frame"})
    for seed in range(20):
        moved = group.act(group.sample(mask, Streams(seed, torch.arange(2))), v)
        for row in range(2):
            assert not all(torch.equal(moved[name][row].double(), v[name][row].double()) for name in v.schema)
        gram = moved["frame"].double() @ moved["frame"].double().mT
        torch.testing.assert_close(gram, torch.eye(3, dtype=torch.float64).expand(2, 3, 3), rtol=0, atol=1e-6)


def test_the_law_with_a_frame_is_invariant_and_without_one_the_network_cannot_be():
    """z(g·x) is drawn as g·z(x).

    The prediction for a turned and renumbered cloud is the turned and renumbered prediction.
    """
    x, _ = clouds(torch.float64)
    breaker = SymPE(Frames("distance"), FrameCode(6, 4)).double()
    net = InFrame(schema=SCHEMA, noisy=SCHEMA, code=schema_to_plain(breaker.schema), denoiser=INNER).double()
    group, t = breaker.canonicalizer.group, torch.tensor([0.3, 0.9], dtype=torch.float64)
    g = group.sample(x.mask, Streams(3, torch.arange(2)))
    with torch.no_grad():
        here = [net(x, t, breaker.sample(x, Streams(seed, torch.arange(2))))["position"] for seed in range(4)]
        moved = group.act(g, x)
        there = [
            group.act(group.inverse(g), net(moved, t, breaker.sample(moved, Streams(seed, torch.arange(2)))))[
                "position"
            ]
            for seed in range(4)
        ]
    # clouds at random have no symmetry, so that the draw has one value, whatever was drawn
    for one in (*here, *there):
        torch.testing.assert_close(one, here[0], rtol=0, atol=1e-5)
