"""Autoguidance: what it predicts, what each network learns from, and that it sharpens a known distribution."""

from __future__ import annotations

import pytest
import torch

from symdiff.denoisers import Autoguided, ResidualMLP
from symdiff.state import Real, State, schema_to_plain
from symdiff.testing import difference

SCHEMA = {"latent": Real("whole", 4)}
PLAIN = schema_to_plain(SCHEMA)
STRONG, WEAK = {"kind": "ResidualMLP", "width": 16, "layers": 2}, {"kind": "ResidualMLP", "width": 8, "layers": 1}


def inputs(count: int = 64) -> tuple[State, torch.Tensor, State]:
    draw = torch.Generator().manual_seed(0)
    mask = torch.ones(count, 1, dtype=torch.bool)
    x = State(mask, SCHEMA, {"latent": torch.randn(count, 4, generator=draw)})
    return x, torch.rand(count, generator=draw), State(mask, {}, {})


def network(**settings) -> Autoguided:
    torch.manual_seed(0)
    return Autoguided(PLAIN, PLAIN, {}, STRONG, WEAK, **settings)


def test_predictions_are_led_away_from_the_weak_network():
    arguments = inputs()
    guided = network(strength=3.0).eval()
    strong, weak = guided.denoiser(*arguments)["latent"], guided.weak(*arguments)["latent"]
    torch.testing.assert_close(guided(*arguments)["latent"], strong + 2 * (strong - weak))
    guided.strength = 1
    assert torch.equal(guided(*arguments)["latent"], strong)


def test_each_structure_trains_one_network_whatever_its_batch_is():
    x, t, z = inputs(4096)
    guided = network(share=0.25).train()
    out, strong, weak = (f(x, t, z)["latent"] for f in (guided, guided.denoiser, guided.weak))
    by_weak, by_strong = (out == weak).all(-1), (out == strong).all(-1)
    assert bool((by_weak ^ by_strong).all())
    assert abs(by_weak.double().mean() - 0.25) < 6 * (0.1875 / 4096) ** 0.5
    few = torch.arange(7, 13)
    assert torch.equal(guided(x.select(few), t[few], z.select(few))["latent"], out[few])
    out[by_weak].square().sum().backward()
    assert all(p.grad is None or not p.grad.any() for p in guided.denoiser.parameters())
    assert any(p.grad is not None and p.grad.any() for p in guided.weak.parameters())


def test_networks_that_were_trained_apart_are_joined(tmp_path):
    torch.manual_seed(1)
    one = ResidualMLP(PLAIN, PLAIN, {}, width=16, layers=2)
    other = ResidualMLP(PLAIN, PLAIN, {}, width=8, layers=1)
    joined = Autoguided.join(one, other, 1.5)
    arguments = inputs()
    assert difference(joined.denoiser(*arguments), one(*arguments)) == 0
    assert difference(joined.weak(*arguments), other(*arguments)) == 0
    joined.save_pretrained(tmp_path)
    again = Autoguided.from_pretrained(tmp_path).eval()
    assert again.strength == 1.5 and difference(again(*arguments), joined(*arguments)) == 0
    with pytest.raises(ValueError, match="something else"):
        Autoguided.join(one, ResidualMLP({"other": PLAIN["latent"]}, PLAIN, {}))


def test_a_blurred_network_beside_a_sharp_one_gives_a_sharper_distribution():
    """Of x ~ N(0, 1), x_t = x + t·noise: the exact denoiser, and that of N(0, 1.5²), which is too broad."""

    class Exact(torch.nn.Module):
        def __init__(self, variance: float) -> None:
            super().__init__()
            self.variance = variance

        def forward(self, x: State, t: torch.Tensor, z: State) -> State:
            share = self.variance / (self.variance + t.view(-1, 1) ** 2)
            return State(x.mask, SCHEMA, {"latent": share * x["latent"]})

    guided = network(strength=2.0).eval()
    guided.denoiser, guided.weak = Exact(1.0), Exact(2.25)  # pyright: ignore[reportAttributeAccessIssue]
    mask, steps = torch.ones(20_000, 1, dtype=torch.bool), torch.linspace(5, 0, 201)
    spread = {}
    for strength in (1.0, 2.0):
        guided.strength = strength
        draw = torch.Generator().manual_seed(0)
        y = torch.randn(20_000, 4, generator=draw) * (1 + 25) ** 0.5
        for t, s in zip(steps[:-1], steps[1:], strict=True):
            x0 = guided(State(mask, SCHEMA, {"latent": y}), t.expand(20_000), State(mask, {}, {}))["latent"]
            y = x0 + (s / t) * (y - x0)
        spread[strength] = y.std().item()
    assert abs(spread[1.0] - 1) < 0.02 and spread[2.0] < 0.9
