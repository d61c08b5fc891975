"""A steerable network keeps every rotation, mirror, translation and permutation, to rounding."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("e3nn", reason="steerable networks need e3nn, the extra 'steerable'")

from symdiff.denoisers.steerable import SteerableNetwork
from symdiff.groups.orthogonal import Orthogonal
from symdiff.groups.permutations import Symmetric
from symdiff.groups.product import DirectProduct
from symdiff.nn.steerable import SteerableNorm, harmonics, read_irreps
from symdiff.random import Streams, normal, uniform
from symdiff.state import Categorical, Real, State, node_mask, pad, schema_to_plain
from symdiff.testing import difference, equivariance_error

SCHEMA = {
    "atom": Categorical("node", 3),
    "position": Real("node", 1, vector=3),
    "bond": Categorical("pair", 4, undirected=True),
}
NOISY = {**SCHEMA, "velocity": Real("node", 2, vector=3), "charge": Real("whole", 2)}
CODE = {"rank": Categorical("node", 6), "frame": Real("whole", 3, vector=3)}
SMALL = {"irreps": "8x0e + 4x1o + 2x2e", "layers": 1, "edge_width": 8, "radial": 4, "readout": 4}
EVERY = "6x0e + 3x0o + 4x1o + 3x1e + 2x2e + 2x2o"
BOTH = DirectProduct([Symmetric(), Orthogonal(3)])


def clouds(nodes: int = 6, dtype=torch.float64) -> tuple[State, State, torch.Tensor]:
    mask, streams = node_mask(torch.tensor([nodes, 4, 1])), Streams(0, torch.arange(3))
    bond = (uniform((3, nodes, nodes), streams) * 4).long().triu(1) * (mask[:, :, None] & mask[:, None])
    like = torch.zeros((), dtype=dtype)
    values = {
        "atom": (uniform((3, nodes), streams) * 3).long() * mask,
        "position": 2 * normal((3, nodes, 1, 3), streams, like) * mask[..., None, None],
        "bond": bond + bond.mT,
        "velocity": normal((3, nodes, 2, 3), streams, like) * mask[..., None, None],
        "charge": normal((3, 2), streams, like),
    }
    rank = torch.where(mask, torch.arange(nodes) % 6, 0)
    frame = Orthogonal(3).sample(mask, streams).to(dtype)
    return (
        State(mask, NOISY, values),
        State(mask, CODE, {"rank": rank, "frame": frame}),
        torch.tensor([0.3, 0.9, 0.5], dtype=dtype),
    )


def network(code=CODE, **settings) -> SteerableNetwork:
    torch.manual_seed(0)
    schemas = {"schema": SCHEMA, "noisy": NOISY, "code": code}
    made = SteerableNetwork(**{k: schema_to_plain(v) for k, v in schemas.items()}, **{**SMALL, **settings})
    for parameter in made.parameters():  # what starts at zero would hide a broken part
        parameter.data = torch.randn_like(parameter) * 0.5
    return made.double()


@pytest.mark.parametrize("settings", [{"layers": 2}, {"irreps": EVERY, "layers": 2}, {"neighbors": 2}])
def test_turns_mirrors_and_permutations_are_exact_and_so_are_translations(settings):
    x, z, t = clouds()
    net = network({"rank": CODE["rank"]}, **settings)
    z = z.only("rank")
    assert equivariance_error(lambda a, b: net(a, t, b), BOTH, x, z, draws=3) < 1e-9
    move = torch.tensor([3.0, -1.0, 0.5], dtype=torch.float64)

    def shifted(y: State) -> State:
        return y.with_values(position=torch.where(y.mask[..., None, None], y["position"] + move, 0.0))

    with torch.no_grad():
        assert difference(shifted(net(x, t, z)), net(shifted(x), t, z)) < 1e-9


@pytest.mark.parametrize(("inputs", "keeps_alone", "keeps_jointly"), [
    (None, False, True),
    ({"velocity": "framed"}, False, True),
    ({"velocity": "scalars"}, False, False),
    ({"frame": "scalars"}, True, False),
    ({"velocity": "vectors"}, True, True),
])  # fmt: skip
def test_inputs_as_scalars_break_rotations_and_a_frame_does_where_it_stays(inputs, keeps_alone, keeps_jointly):
    x, z, t = clouds()
    net = network(inputs=inputs)
    alone = equivariance_error(lambda a: net(a, t, z), Orthogonal(3), x, draws=3)
    jointly = equivariance_error(lambda a, b: net(a, t, b), Orthogonal(3), x, z, draws=3)
    for error, keeps in ((alone, keeps_alone), (jointly, keeps_jointly)):
        assert error < 1e-9 if keeps else error > 1e-3


def test_the_geometry_matters():
    """The laws above are not those of a constant: vectors and tensors reach the labels."""
    x, z, t = clouds()
    net = network()
    with torch.no_grad():
        here, mirrored = net(x, t, z), net(x.with_values(velocity=x["velocity"].flip(2)), t, z)
    assert (here["bond"] - mirrored["bond"]).abs().max() > 1e-3


def test_padding_changes_nothing_and_time_zero_gives_the_structure_back():
    x, z, t = clouds()
    net = network(neighbors=3, layers=2)
    with torch.no_grad():
        assert difference(pad(net(x, t, z), 9), net(pad(x, 9), t, pad(z, 9))) < 1e-9
        back = net(x, torch.zeros_like(t), z)["position"]
    torch.testing.assert_close(back, x["position"], rtol=0, atol=1e-12)


def test_as_many_neighbors_as_others_are_all_pairs():
    x, z, t = clouds()
    net = network()
    with torch.no_grad():
        every = net(x, t, z)
        net.neighbors = 5
        assert difference(every, net(x, t, z)) < 1e-12
        net.neighbors = 2
        assert difference(every, net(x, t, z)) > 1e-3


def test_precision_may_change_back_and_forth():
    """e3nn makes its coefficients in float32: doubled as they are, they would be wrong by 1e-8."""
    x, z, t = clouds()
    net = network()
    with torch.no_grad():
        first = net(x, t, z)
        single = net.float()(x.to(torch.float32), t.float(), z.to(torch.float32))
        assert difference(single.to(torch.float64), first) < 1e-3
    net = net.double()
    assert equivariance_error(lambda a, b: net(a, t, b), BOTH, x, z, draws=2) < 1e-9


def test_saved_and_loaded_it_is_the_same(tmp_path):
    x, z, t = clouds(dtype=torch.float32)
    net = network().float().eval()
    net.save_pretrained(tmp_path)
    again = SteerableNetwork.from_pretrained(tmp_path)
    with torch.no_grad():
        assert difference(net(x, t, z), again(x, t, z)) == 0


def test_autocast_changes_nothing():
    x, z, t = clouds(dtype=torch.float32)
    net = network().float()
    with torch.no_grad():
        plain = net(x, t, z)
        with torch.autocast("cpu", torch.bfloat16):
            assert difference(net(x, t, z), plain) == 0


def test_harmonics_are_normalized_and_vanish_at_zero():
    r = normal((20000, 3), torch.Generator().manual_seed(0), torch.zeros((), dtype=torch.float64))
    y = harmonics(r, 2)
    assert y.shape == (20000, 9)
    torch.testing.assert_close(y[:, 1:4], 3**0.5 * r / r.norm(dim=1, keepdim=True))
    torch.testing.assert_close(y.square().mean(0), torch.ones(9, dtype=torch.float64), rtol=0, atol=0.05)
    assert (harmonics(torch.zeros(3), 2)[1:] == 0).all()


def test_the_norm_is_equivariant_and_its_output_has_size_one():
    irreps = read_irreps("3x1o + 5x0e + 2x2e")
    assert str(irreps) == "5x0e+3x1o+2x2e"
    h = normal((50, irreps.dim), torch.Generator().manual_seed(0), torch.zeros((), dtype=torch.float64)) * 7
    norm = SteerableNorm(irreps).double()
    torch.testing.assert_close(
        norm(h)[:, 5:14].square().mean(1), torch.ones(50, dtype=torch.float64), rtol=0, atol=1e-4
    )
    torch.testing.assert_close(norm(3 * h), norm(h), rtol=0, atol=1e-4)


@pytest.mark.parametrize(("settings", "message"), [
    ({"irreps": "many"}, "irreps"),
    ({"irreps": "4x1o"}, "0e"),
    ({"irreps": "4x0e + 2x2e"}, "1o"),
    ({"radial": 1}, "radial"),
    ({"inputs": {"speed": "vectors"}}, "speed"),
])  # fmt: skip
def test_what_cannot_be_is_told(settings, message):
    with pytest.raises(ValueError, match=message):
        network(**settings)
