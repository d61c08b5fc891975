"""Noise that is led to the nearest of its own symmetries.

Optimal where it can be counted out, and still the prior on the whole.
"""

from __future__ import annotations

import itertools

import pytest
import torch
from scipy.stats import kstest

from symdiff.breaking.frame_code import FrameCode
from symdiff.breaking.nothing import Nothing
from symdiff.breaking.sympe import SymPE
from symdiff.canonical.frames import Frames
from symdiff.diffusion import Diffusion
from symdiff.groups.orthogonal import Orthogonal, turn
from symdiff.groups.permutations import Symmetric
from symdiff.processes.coupling import nearest
from symdiff.processes.gaussian import Gaussian
from symdiff.processes.product import Product
from symdiff.processes.schedules import DDIM, FlowMatchEulerDiscrete
from symdiff.random import Streams
from symdiff.sampling.likelihood import nll
from symdiff.state import Real, State, node_mask

SCHEMA = {"position": Real("node", 1, vector=3)}


def process(**settings) -> Gaussian:
    return Gaussian(SCHEMA, schedule=FlowMatchEulerDiscrete(), centered=["position"], coupling="optimal", **settings)


def clouds(sizes: list[int], seed: int) -> State:
    mask = node_mask(torch.tensor(sizes))
    return Gaussian(SCHEMA, schedule=FlowMatchEulerDiscrete(), centered=["position"]).prior(
        mask, Streams(seed, torch.arange(len(sizes)))
    )


def shortened(fixed: State, noise: State) -> torch.Tensor:
    """⟨x0, x1⟩ of every structure: the greater, the nearer they are."""
    return (fixed["position"] * noise["position"]).double().sum((1, 2, 3))


def test_the_numbering_is_the_best_of_all_and_the_rotation_better_than_any_drawn():
    fixed, noise = clouds([4] * 8, 0), clouds([4] * 8, 1)
    order, rotation = nearest(fixed["position"], noise["position"], fixed.mask)
    named = noise["position"].gather(1, order[:, :, None, None].expand(8, 4, 1, 3))
    reached = (fixed["position"] * turn(rotation.float(), named)).double().sum((1, 2, 3))
    for seed in range(50):
        other = Orthogonal(3, special=True).sample(fixed.mask, Streams(seed, torch.arange(8)))
        assert bool(((fixed["position"] * turn(other.float(), named)).double().sum((1, 2, 3)) <= reached + 1e-5).all())
    assert torch.allclose(torch.linalg.det(rotation), torch.ones(8).double())
    copies = noise["position"][:, torch.tensor([2, 0, 3, 1])]  # the same points, numbered in another way
    order, rotation = nearest(copies, noise["position"], fixed.mask)
    torch.testing.assert_close(order, torch.tensor([2, 0, 3, 1]).expand(8, 4))
    torch.testing.assert_close(rotation, torch.eye(3).double().expand(8, 3, 3), atol=1e-6, rtol=0)


def test_it_is_no_worse_than_any_numbering_without_a_turn():
    fixed, noise = clouds([4] * 8, 2), clouds([4] * 8, 3)
    best = torch.stack(
        [
            (fixed["position"] * noise["position"][:, list(each)]).double().sum((1, 2, 3))
            for each in itertools.permutations(range(4))
        ]
    ).amax(0)
    assert bool((shortened(fixed, process().couple(fixed, noise)) >= best - 1e-5).all())


def test_what_is_moved_alike_is_coupled_alike():
    fixed, noise = clouds([5, 3, 4], 4), clouds([5, 3, 4], 5)
    both, streams = process(), Streams(6, torch.arange(3))
    for group in (Symmetric(), Orthogonal(3, special=True)):
        g = group.sample(fixed.mask, streams)
        moved = both.couple(group.act(g, fixed), group.act(g, noise))
        torch.testing.assert_close(
            moved["position"], group.act(g, both.couple(fixed, noise))["position"], atol=1e-5, rtol=1e-5
        )
    assert not bool(moved["position"][~moved.mask].any())


def test_the_noise_of_a_turned_structure_is_still_the_prior():
    count = 4000
    rows = torch.arange(count)
    fixed = State(
        torch.ones(count, 3, dtype=torch.bool),
        SCHEMA,
        {"position": torch.tensor([[2.0, 0, 0], [-1, 1, 0], [-1, -1, 0]])[None, :, None].repeat(count, 1, 1, 1)},
    )
    fixed = Symmetric().act(
        Symmetric().sample(fixed.mask, Streams(7, rows)),
        Orthogonal(3).act(Orthogonal(3).sample(fixed.mask, Streams(8, rows)), fixed),
    )
    noise = process().prior(fixed.mask, Streams(9, rows))
    led = process().couple(fixed, noise)
    assert (shortened(fixed, led) >= shortened(fixed, noise) - 1e-5).all() and shortened(
        fixed, led
    ).min() > 0  # near it, every one
    first, second = led["position"][:, 0, 0], led["position"][:, 1, 0]
    for value, spread in (
        (first[:, 0], (2 / 3) ** 0.5),
        (first[:, 2], (2 / 3) ** 0.5),
        ((first - second)[:, 1], 2**0.5),
        (first[:, 0] + first[:, 1], (4 / 3) ** 0.5),
    ):
        assert kstest((value / spread).numpy(), "norm").pvalue > 1e-4


def test_what_would_not_be_exact_is_refused():
    with pytest.raises(ValueError, match="deterministic"):
        Gaussian(SCHEMA, schedule=FlowMatchEulerDiscrete(eta=1.0), centered=["position"], coupling="optimal")
    with pytest.raises(ValueError, match="one field"):
        Gaussian(SCHEMA, schedule=DDIM(), coupling="optimal")
    product = Product(SCHEMA, [{"fields": ["position"], "process": process()}])
    assert product.couples and not Product(SCHEMA, [{"fields": ["position"], "process": Gaussian(SCHEMA)}]).couples
    names = {"canonicalizer": Frames(), "code": FrameCode()}
    with pytest.raises(ValueError, match="set anchor to none"):
        Diffusion(torch.nn.Identity(), product, SymPE(**names, anchor="data"))
    Diffusion(torch.nn.Identity(), product, SymPE(**names, anchor="none"))
    x = clouds([3], 0)
    with pytest.raises(ValueError, match="no likelihood bound"):
        nll(Diffusion(lambda x, t, z: x, product, Nothing()), x, 2, Streams(0, torch.arange(1)))
