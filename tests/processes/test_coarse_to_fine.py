"""Lattices from coarse to fine.

The sublattices, the order, its exactness, and the network that sees one sublattice at a time.
"""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from symdiff.breaking.nothing import Nothing
from symdiff.denoisers.base import Denoiser
from symdiff.denoisers.sublattices import SublatticeConvolution
from symdiff.diffusion import Diffusion
from symdiff.domains.lattice import SpinLattice
from symdiff.groups.torus import torus
from symdiff.groups.tower import Tower, tower
from symdiff.processes.coarse_to_fine import CoarseToFine
from symdiff.processes.masked import Masked
from symdiff.processes.revealing import Sublattices
from symdiff.random import Streams
from symdiff.sampling.ancestral import Ancestral
from symdiff.sampling.importance import Importance, Weighted
from symdiff.sampling.request import Request
from symdiff.spins.exact import log_partition
from symdiff.spins.hamiltonian import Hamiltonian, interaction
from symdiff.state import Categorical, Logits, State, schema_to_plain
from symdiff.testing import difference

SPIN = {"spin": Categorical("node", 2)}
PLAIN = schema_to_plain(SPIN)


def process(lattice: str = "square", **settings) -> Masked:
    return Masked(PLAIN, evenly=True, revealing={"kind": "CoarseToFine", "lattice": lattice, **settings})


def partly(process: Masked, spins: torch.Tensor, hidden: torch.Tensor | float, seed: int = 0) -> State:
    """``spins`` noised to times at which so many are hidden."""
    x0 = State(torch.ones_like(spins, dtype=torch.bool), SPIN, {"spin": spins})
    t = torch.as_tensor(hidden).expand(len(spins)) / spins.shape[1]
    return process.bridge(x0, process.prior(x0.mask), t.float(), torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("kind", "sides", "top"),
    [("chain", (8,), 3), ("chain", (12,), 2), ("square", (4, 4), 4), ("square", (12, 12), 4), ("square", (6, 6), 2)],
)
def test_a_tower_halves(kind, sides, top):
    piece = tower(torus(kind, sides))
    place, sites = piece.torus.positions(), torus(kind, sides).sites
    assert piece.top == top
    for level in range(top + 1):
        coset, members = piece.cosets(level)
        assert members.shape == (2**level, sites >> level) and sorted(members.flatten().tolist()) == list(range(sites))
        assert torch.equal(coset[members], torch.arange(2**level)[:, None].expand_as(members))
        star = torus(kind, sides).lattice.shells[0] @ piece.power(level).T
        ahead = piece.torus.index(place[members][:, :, None] + star)
        assert torch.equal(members[:, piece.stencil(level)[:, :-1]], ahead)
        assert int((piece.depth >= level).sum()) == sites >> level
        if level:
            coarser = piece.cosets(level - 1)[0]
            assert bool((coarser[members] == coarser[members][:, :1]).all())
    assert piece.stage(torch.tensor([sites // 2, sites // 4, sites // 4 - 1, 0])).tolist() == [0, 1, 2, top]


def test_large_tori_need_no_table(monkeypatch):
    piece = Tower(torus("square", 8))
    origin = torch.randint(64, (5, 64), generator=torch.Generator().manual_seed(0))
    before = piece.from_site(origin), piece.from_site(origin[:, 0])
    monkeypatch.setattr("symdiff.groups.tower.TABULATED", 0)
    assert torch.equal(piece.from_site(origin), before[0]) and torch.equal(piece.from_site(origin[:, 0]), before[1])
    assert bool((before[1].gather(1, origin[:, :1]) == piece.top).all())


class Oracle(Denoiser):
    """p(spin | what is shown) of a ring with couplings between nearest neighbors, by enumeration."""

    def __init__(self, sites: int) -> None:
        super().__init__()
        self.spins = torch.tensor(list(itertools.product((0, 1), repeat=sites)))
        s = 1 - 2 * self.spins.double()
        self.weights = (0.7 * s * s.roll(1, 1)).sum(1).softmax(0)

    def forward(self, x, t, z):
        seen, rows = x["spin"].unique(dim=0, return_inverse=True)
        fits = ((seen[:, None] == 2) | (seen[:, None] == self.spins)).all(-1) * self.weights
        shares = ((fits @ self.spins.double()) / fits.sum(1, keepdim=True))[rows]
        return State(
            x.mask, {"spin": Logits("node", 2)}, {"spin": torch.stack([1 - shares, shares], -1).clamp_min(1e-30).log()}
        )


def test_a_ring_takes_log_n_evaluations_exactly():
    """A ring without every second spin is a ring again: each stage is exact at once."""
    oracle, off = Oracle(8), []
    for one in (
        process("chain", parts=[1]),
        Masked(PLAIN, evenly=True),
        Masked(PLAIN, evenly=True, revealing={"kind": "Sublattices", "lattice": "chain"}),
    ):
        found = Ancestral(Diffusion(oracle, one, Nothing()), 4)(
            Request.of(torch.ones(20_000, 8, dtype=torch.bool)), torch.Generator().manual_seed(0)
        ).x["spin"]
        share = torch.bincount((found * 2 ** torch.arange(7, -1, -1)).sum(1), minlength=256).double() / 20_000
        off.append(float((share - oracle.weights).abs().sum() / 2))
    assert off[0] < 0.037 and off[1] > 0.1 and off[2] > 0.042  # 0.031 from the number of samples alone


def test_on_the_square_lattice_the_last_stage_is_exact_in_one_group_and_the_one_before_in_two():
    model = Hamiltonian.make(torus("square", 4), interaction("ising"))
    spins = torch.tensor(list(itertools.product((0, 1), repeat=16)))
    law = (-model.total(spins) / 2.27).softmax(0).view((2,) * 16)
    order = CoarseToFine(parts=[1, 2])

    def dependence(shown: list[int], drawn: list[int]) -> float:
        """Mutual information, in nats, of the first two of ``drawn`` given what is shown and the others'."""
        both = law.sum([k for k in range(16) if k not in shown + drawn[:2]]) if len(shown) + 2 < 16 else law
        kept = sorted(shown + drawn[:2])
        a, b = (kept.index(site) for site in drawn[:2])
        joint = torch.special.entr(both).sum()
        return float(
            torch.special.entr(both.sum(a)).sum()
            + torch.special.entr(both.sum(b)).sum()
            - torch.special.entr(both.sum([a, b])).sum()
            - joint
        )

    found = []
    for count in (4, 6, 8):
        hidden = partly(process(), torch.zeros(1, 16).long(), 16 - count)["spin"][0] == 2
        drawn = order.next(hidden[None])[0].nonzero()[:, 0].tolist()
        found.append(dependence((~hidden).nonzero()[:, 0].tolist(), drawn))
    assert found[0] > 1e-3 and abs(found[1]) < 1e-12 and abs(found[2]) < 1e-12


@pytest.mark.parametrize(
    ("side", "lattice", "steps"),
    [(16, "chain", 9), (4, "square", 14), (8, "square", 24), (6, "square", 10), (6, "square", 4)],
)
def test_steps_show_what_is_next(side, lattice, steps):
    sites = side ** {"chain": 1, "square": 2}[lattice]
    one, mask, streams = process(lattice), torch.ones(50, sites, dtype=torch.bool), Streams(0, torch.arange(50))
    x, out = one.prior(mask), State(mask, {"spin": Logits("node", 2)}, {"spin": torch.zeros(50, sites, 2)})
    times, most = one.times(steps).float(), 0
    assert len(times) == steps + 1 and times[0] == 1 and times[-1] == 0 and bool((times.diff() < 0).all())
    for t, s in zip(times[:-1], times[1:], strict=True):
        hidden = x["spin"] == 2
        following = one.revealing.next(hidden)
        x = one.step(x, out, t.expand(50), s.expand(50), streams)
        shown = hidden & (x["spin"] < 2)
        if t < 1:  # the first step may have much to make up for
            assert not bool((shown & ~following).any())
        most = max(most, int(shown.sum(1).max()))
    assert most == sites // 2 and bool((x["spin"] < 2).all())


@pytest.mark.parametrize("shown", [3, 4, 6, 8])
def test_noise_and_steps_have_one_law(shown):
    one, mask = process(), torch.ones(20_000, 16, dtype=torch.bool)
    noised = partly(one, torch.zeros(20_000, 16).long(), 16 - shown)
    x, out = one.prior(mask), State(mask, {"spin": Logits("node", 2)}, {"spin": torch.zeros(20_000, 16, 2)})
    for before, after in itertools.pairwise([0, 1, 2, 3, 4, 5, 6, 8][: [0, 1, 2, 3, 4, 5, 6, 8].index(shown) + 1]):
        x = one.step(
            x, out, *(torch.full((20_000,), 1 - k / 16) for k in (before, after)), torch.Generator().manual_seed(before)
        )
    codes = [((state["spin"] == 2) * 2 ** torch.arange(16)).sum(1) for state in (noised, x)]
    one_law, other = (torch.bincount(code, minlength=2**16).double() / 20_000 for code in codes)
    sets = int((one_law > 0).sum())
    assert (
        sets == {3: 16, 4: 4, 6: 8, 8: 2}[shown]
        and float((one_law - other).abs().sum() / 2) < 3 * (sets / 20_000) ** 0.5
    )


def test_the_order_knows_no_place():
    one, domain = process(), SpinLattice()
    x = partly(one, torch.randint(2, (64, 64), generator=torch.Generator().manual_seed(1)), torch.arange(64) * 1.0)
    g = domain.group.sample(x.mask, torch.Generator().manual_seed(2))
    following = State(x.mask, {"next": Categorical("node", 2)}, {"next": one.revealing.next(x["spin"] == 2).long()})
    assert torch.equal(
        domain.group.act(g, following)["next"].bool(), one.revealing.next(domain.group.act(g, x)["spin"] == 2)
    )


def test_times_of_training_are_where_groups_begin():
    order = CoarseToFine(parts=[1, 2, 3], stages=[1, 2])
    shown = 1 - order.draw_times(torch.arange(120) / 120)
    share = {float(value): int((shown == value).sum()) for value in shown.unique()}
    assert share == {0.125: 20, 0.15625: 20, 0.1875: 20, 0.25: 30, 0.375: 30}


def network(**settings) -> tuple[SpinLattice, SublatticeConvolution]:
    """In float64 with weights of order one."""
    torch.manual_seed(0)
    domain = SpinLattice(conditions=["temperature"])
    noisy = {**domain.schema, "spin": Categorical("node", 3)}
    found = SublatticeConvolution(PLAIN, schema_to_plain(noisy), {}, **{"width": 32, "layers": 2, **settings})
    for parameter in found.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return domain, found.double().eval()


@pytest.mark.slow
@pytest.mark.parametrize("side", [4, 6])
def test_the_network_is_equivariant(side):
    domain, net = network(last="learned")
    sites, rows = side**2, 24
    spins = torch.randint(2, (rows, sites), generator=torch.Generator().manual_seed(3))
    x = partly(process(), spins, 1 + torch.arange(rows) % sites * 1.0)
    x = State(
        x.mask,
        {"temperature": domain.schema["temperature"], **x.schema},
        {"temperature": torch.linspace(1.8, 3.0, rows).double()[:, None], **x.values},
    )
    t, z = torch.full((rows,), 0.5, dtype=torch.float64), State(x.mask, {}, {})
    with torch.no_grad():
        plain = net(x, t, z)
        assert float(plain["spin"].abs().max()) > 0.1
        for number in torch.arange(0, domain.group.count(sites), 7):
            g = domain.group.from_number(number.expand(rows), sites)
            assert difference(domain.group.act(g, plain), net(domain.group.act(g, x), t, z)) < 1e-9


def test_the_last_half_is_heat_bath():
    domain, net = network()
    model = Hamiltonian.make(torus("square", 4), interaction("ising"))
    spins = torch.randint(2, (5, 16), generator=torch.Generator().manual_seed(4))
    x = partly(process(), spins, 8)
    x = State(
        x.mask,
        {**domain.schema, "spin": Categorical("node", 3)},
        {"temperature": torch.full((5, 1), 2.0, dtype=torch.float64), "spin": x["spin"]},
    )
    law = net(x, torch.full((5,), 0.5), State(x.mask, {}, {}))["spin"].softmax(-1)
    row, site = (x["spin"] == 2).nonzero()[7].tolist()
    both = spins[row].repeat(2, 1)
    both[:, site] = torch.arange(2)
    torch.testing.assert_close(law[row, site], (-model.total(both) / 2.0).softmax(0), rtol=1e-6, atol=0)


@pytest.mark.slow
def test_weights_make_an_untrained_model_right():
    domain, net = network()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(0.3)
    one = process(stages=[1, 3])
    model = Hamiltonian.make(torus("square", 4), interaction("ising"))
    mask = torch.ones(4000, 16, dtype=torch.bool)
    given = domain.condition(model, 4.0).select([0] * 4000)
    given = given.with_values(temperature=given["temperature"].double())
    importance = Importance(Diffusion(net, one, Nothing()), 14, lambda x: -model.total(x["spin"]) / 4.0)
    path = importance(Request.of(mask, given), torch.Generator().manual_seed(0))
    found = Weighted(path.x, path.log_weights)
    assert not bool(found.log_weights.isinf().any())
    assert abs(found.log_norm - float(log_partition(model, 4.0))) < 5 * found.error < 0.5 and math.isfinite(found.error)


def test_what_cannot_be_is_refused():
    domain, net = network()
    for settings, told in (
        ({"lattice": "cubic"}, "halves into its like"),
        ({"parts": []}, "at least 1"),
        ({"stages": [3, 1]}, "the first and the last"),
    ):
        with pytest.raises(ValueError, match=told):
            CoarseToFine(**settings)
    with pytest.raises(ValueError, match="even sides, got .3, 3."):
        CoarseToFine().next(torch.ones(1, 9, dtype=torch.bool))
    with pytest.raises(ValueError, match="coupling would not be"):
        SublatticeConvolution(
            PLAIN,
            schema_to_plain(
                {**SpinLattice(conditions=["coupling", "temperature"]).schema, "spin": Categorical("node", 3)}
            ),
            {},
        )
    with pytest.raises(ValueError, match="needs the condition temperature"):
        SublatticeConvolution(PLAIN, schema_to_plain({"spin": Categorical("node", 3)}), {})
    labels = torch.full((1, 16), 2).index_fill(1, torch.tensor([0, 1, 2, 6]), 0)
    x = State(
        torch.ones(1, 16, dtype=torch.bool),
        {**domain.schema, "spin": Categorical("node", 3)},
        {"temperature": torch.ones(1, 1), "spin": labels},
    )
    with pytest.raises(ValueError, match="shown from coarse to fine"):
        net(x, torch.ones(1), State(x.mask, {}, {}))
    assert isinstance(Masked(PLAIN, evenly=True, revealing={"kind": "Sublattices"}).revealing, Sublattices)


@pytest.mark.parametrize(("lattice", "side", "shown"), [("square", 4, 6), ("chain", 16, 4)])
def test_the_group_before_the_last_stage_has_a_known_law(lattice, side, shown):
    """By enumeration: what is between the spins that are drawn is summed over."""
    domain = SpinLattice(lattice, conditions=["temperature"])
    noisy = {**domain.schema, "spin": Categorical("node", 3)}
    net = SublatticeConvolution(PLAIN, schema_to_plain(noisy), {}, lattice=lattice, width=16, layers=1).double()
    model = Hamiltonian.make(torus(lattice, side), interaction("ising"))
    every = torch.tensor(list(itertools.product((0, 1), repeat=16)))
    weights = (-model.total(every) / 1.5).softmax(0)
    spins = torch.randint(2, (2, 16), generator=torch.Generator().manual_seed(5))
    one = process(lattice)
    noised = partly(one, spins, 16 - shown)
    x = State(noised.mask, noisy, {"temperature": torch.full((2, 1), 1.5, dtype=torch.float64), "spin": noised["spin"]})
    found = net(x, torch.full((2,), 0.5), State(x.mask, {}, {}))["spin"].softmax(-1)
    following = one.revealing.next(x["spin"] == 2)
    for row, site in following.nonzero().tolist():
        fits = ((x["spin"][row] == 2) | (x["spin"][row] == every)).all(1) * weights
        law = torch.stack([(fits * (every[:, site] == label)).sum() for label in (0, 1)])
        torch.testing.assert_close(found[row, site], law / law.sum(), rtol=1e-6, atol=0)
