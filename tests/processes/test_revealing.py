"""The order in which spins are revealed: exact in half the steps where the couplings allow it."""

import itertools

import pytest
import torch

from symdiff.breaking.nothing import Nothing
from symdiff.denoisers.base import Denoiser
from symdiff.diffusion import Diffusion
from symdiff.groups.lattices import Space
from symdiff.processes.masked import Masked
from symdiff.processes.revealing import Sublattices
from symdiff.random import Streams
from symdiff.sampling.ancestral import Ancestral
from symdiff.sampling.likelihood import nll
from symdiff.sampling.request import Request
from symdiff.state import Categorical, Logits, State

SITES = 6
PLAIN = {"spin": {"kind": "Categorical", "axes": "node", "classes": 2}}
CHAIN = {"kind": "Sublattices", "lattice": "chain"}
SPINS = torch.tensor(list(itertools.product((0, 1), repeat=SITES)))


def energies(next_nearest: float) -> torch.Tensor:
    s = 1 - 2 * SPINS.double()
    return (0.8 * s * s.roll(1, 1) + next_nearest * s * s.roll(2, 1)).sum(1)


class Oracle(Denoiser):
    """p(spin | what is shown), by enumeration."""

    def __init__(self, next_nearest: float = 0.0) -> None:
        super().__init__()
        self.weights = energies(next_nearest).softmax(0)

    def forward(self, x, t, z):
        fits = ((x["spin"][:, None] == 2) | (x["spin"][:, None] == SPINS)).all(-1) * self.weights
        shares = (fits[..., None, None] * torch.nn.functional.one_hot(SPINS, 2)).sum(1) / fits.sum(1)[:, None, None]
        return State(x.mask, {"spin": Logits("node", 2)}, {"spin": shares.clamp_min(1e-30).log()})


def sampled(steps: int, revealing: dict | None, next_nearest: float = 0.0) -> float:
    """Total variation of 30,000 samples against the law; for exact samples about 0.017 from their number alone."""
    diffusion = Diffusion(Oracle(next_nearest), Masked(PLAIN, evenly=True, revealing=revealing), Nothing())
    found = Ancestral(diffusion, steps)(
        Request.of(torch.ones(30_000, SITES, dtype=torch.bool)), torch.Generator().manual_seed(0)
    ).x["spin"]
    number = (found * 2 ** torch.arange(SITES - 1, -1, -1)).sum(1)
    share = torch.bincount(number, minlength=2**SITES).double() / len(number)
    return float((share - energies(next_nearest).softmax(0)).abs().sum() / 2)


@pytest.mark.slow
def test_a_sublattice_at_once_is_exact_with_nearest_neighbors_only():
    assert sampled(SITES // 2 + 1, CHAIN) < 0.03
    assert sampled(SITES // 2 + 1, None) > 0.06  # as many steps, in any order
    assert (
        sampled(SITES // 2 + 1, CHAIN, next_nearest=-0.4) > 0.06
    )  # couplings within a sublattice: the last step is wrong


def test_the_order_is_one_sublattice_then_the_other():
    mask = torch.ones(200, SITES, dtype=torch.bool)
    process = Masked(PLAIN, evenly=True, revealing=CHAIN)
    x, out = process.prior(mask), State(mask, {"spin": Logits("node", 2)}, {"spin": torch.zeros(200, SITES, 2)})
    times, streams = process.times(4).float(), Streams(0, torch.arange(200))
    assert process.times(4).tolist() == pytest.approx([1, 5 / 6, 2 / 3, 1 / 2, 0])
    parity, starts = torch.arange(SITES) % 2, []
    for t, s in zip(times[:-1], times[1:], strict=True):
        before = x["spin"] < 2
        x = process.step(x, out, t.expand(200), s.expand(200), streams)
        shown = (x["spin"] < 2) & ~before
        if float(s) >= 0.5:
            assert bool((shown.sum(1) == 1).all())
            starts.append((shown * parity).sum(1))
    assert all(torch.equal(start, starts[0]) for start in starts) and 70 < int(starts[0].sum()) < 130
    assert bool((x["spin"] < 2).all())


def test_noise_and_steps_have_one_law():
    """What training hides at time t is what sampling has hidden then."""
    process = Masked(PLAIN, evenly=True, revealing=CHAIN)
    x0 = State(
        torch.ones(20_000, SITES, dtype=torch.bool),
        {"spin": Categorical("node", 2)},
        {"spin": torch.zeros(20_000, SITES).long()},
    )
    t = torch.full((20_000,), 4 / 6)
    noised = process.bridge(x0, process.prior(x0.mask), t, torch.Generator().manual_seed(0))
    diffusion = Diffusion(Oracle(), process, Nothing())
    x = process.prior(x0.mask)
    for start, stop in ((1.0, 5 / 6), (5 / 6, 4 / 6)):
        start, stop = torch.full((20_000,), start), torch.full((20_000,), stop)
        x = process.step(x, diffusion.denoiser(x, start, None), start, stop, torch.Generator().manual_seed(1))
    codes = [((state["spin"] == 2) * 2 ** torch.arange(SITES)).sum(1) for state in (noised, x)]
    one, other = (torch.bincount(code, minlength=2**SITES).double() / 20_000 for code in codes)
    assert (one - other).abs().sum() / 2 < 0.02 and int((one > 0).sum()) == 6  # 3 pairs of each sublattice


@pytest.mark.slow
def test_the_bound_is_that_of_the_chain():
    """For exact predictions it is -log p itself."""
    process = Masked(PLAIN, evenly=True, revealing=CHAIN)
    diffusion = Diffusion(Oracle(), process, Nothing())
    x0 = State(torch.ones(len(SPINS), SITES, dtype=torch.bool), {"spin": Categorical("node", 2)}, {"spin": SPINS})
    exact = -energies(0.0).log_softmax(0)
    found = (
        torch.stack([nll(diffusion, x0, SITES // 2 + 1, torch.Generator().manual_seed(k)) for k in range(400)])
        .double()
        .mean(0)
    )
    torch.testing.assert_close(found, exact, rtol=0.03, atol=0.1)


@pytest.mark.parametrize("lattice", ["chain", "square", "cubic"])
def test_the_order_knows_no_place(lattice):
    """Keys and what is next move with the lattice's symmetries: the law of which spins are hidden is invariant."""
    space, order = Space(lattice), Sublattices(lattice)
    nodes = 4 ** {"chain": 1, "square": 2, "cubic": 3}[lattice]
    hidden = torch.rand(64, nodes, generator=torch.Generator().manual_seed(0)) < 0.6
    mask = torch.ones_like(hidden)
    g = space.sample(mask, torch.Generator().manual_seed(1))
    state = State(mask, {"hidden": Categorical("node", 2)}, {"hidden": hidden.long()})
    moved = space.act(g, state)["hidden"].bool()
    there = space.act(g, state.with_values(hidden=order.next(hidden).long()))["hidden"].bool()
    assert torch.equal(order.next(moved), there)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="a bipartite one"):
        Sublattices("triangular")
    with pytest.raises(ValueError, match="one field of nodes, evenly"):
        Masked(PLAIN, revealing=CHAIN)
    with pytest.raises(ValueError, match="even sides, got .3, 3."):
        Sublattices().next(torch.ones(1, 9, dtype=torch.bool))
