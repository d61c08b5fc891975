"""A part of the structure is given: the rest follows the conditional law, z among it."""

import itertools

import pytest
import torch

from symdiff.breaking.base import SymmetryBreaker
from symdiff.denoisers.base import Denoiser
from symdiff.diffusion import Diffusion
from symdiff.processes.flow import Flow
from symdiff.processes.masked import Masked
from symdiff.sampling.ancestral import Ancestral
from symdiff.sampling.posterior import draw_posterior
from symdiff.sampling.request import Request
from symdiff.state import Categorical, Logits, State

SITES, COUNT = 4, 6000
SCHEMA = {"spin": Categorical("node", 2)}
PLAIN = {"spin": {"kind": "Categorical", "axes": "node", "classes": 2}}
SPINS = torch.tensor(list(itertools.product((0, 1), repeat=SITES)))


def law() -> torch.Tensor:
    """p(spins): a chain in which neighbors like to be alike, invariant under flips of all."""
    s = 1 - 2 * SPINS.double()
    return (0.9 * (s * s.roll(1, 1)).sum(1)).softmax(0)


class Sign(SymmetryBreaker):
    """z says which of the two flips makes the first spin 0: SymPE for the group of the flip, by hand."""

    anchor = "data"
    schema = {"sign": Categorical("whole", 2)}

    def sample(self, x, generator=None):
        return State(x.mask, self.schema, {"sign": x["spin"][:, 0].clone()})

    def prior(self, mask, generator=None):
        return State(mask, self.schema, {"sign": torch.randint(2, (len(mask),), generator=generator)})


class Oracle(Denoiser):
    """p(spin | what is shown, z), by enumeration."""

    def forward(self, x, t, z):
        fits = ((x["spin"][:, None] == 2) | (x["spin"][:, None] == SPINS)).all(-1)  # (B, 16)
        fits = fits & (SPINS[:, 0] == z["sign"][:, None])
        weights = fits * law()
        shares = (weights[..., None, None] * torch.nn.functional.one_hot(SPINS, 2)).sum(1) / weights.sum(1)[
            :, None, None
        ].clamp_min(1e-300)
        return State(x.mask, {"spin": Logits("node", 2)}, {"spin": shares.clamp_min(1e-30).log()})


def diffusion(process=None) -> Diffusion:
    return Diffusion(Oracle(), process or Masked(PLAIN, evenly=True), Sign())


def known(labels: list[int], count: int = COUNT) -> State:
    values = torch.tensor(labels).expand(count, -1).clone()
    return State(torch.ones_like(values, dtype=torch.bool), {"spin": Categorical("node", 3)}, {"spin": values})


@pytest.mark.slow
@pytest.mark.parametrize("labels", [[2, 2, 1, 2], [2, 1, 0, 2], [0, 2, 2, 2], [2, 2, 2, 2], [0, 1, 1, 0]])
def test_the_rest_follows_the_conditional_law(labels):
    given = known(labels)
    found = Ancestral(diffusion(), SITES)(Request.of(given.mask, known=given), torch.Generator().manual_seed(0)).x[
        "spin"
    ]
    shown = torch.tensor(labels) < 2
    assert bool((found[:, shown] == torch.tensor(labels)[shown]).all())
    expected = law() * ((SPINS == torch.tensor(labels)) | ~shown).all(1)
    expected = expected / expected.sum()
    share = (found[:, None] == SPINS).all(-1).double().mean(0)
    # sampling error of 6,000 draws, and the resampling's bias of order 1 / candidates
    assert (share - expected).abs().sum() / 2 < 0.03


def test_z_by_itself_would_be_another_law():
    """With the last spin known, its sign tells the first's: p(z) would forget that."""
    given = known([2, 2, 2, 1], 4000)
    posterior = draw_posterior(diffusion(), given, None, torch.Generator().manual_seed(0))["sign"].double().mean()
    weights = law() * (SPINS[:, 3] == 1)
    exact = float((weights * (SPINS[:, 0] == 1)).sum() / weights.sum())
    assert exact > 0.8 and abs(float(posterior) - exact) < 0.03


def test_fields_on_pairs():
    """Bonds of a graph that are known stay."""
    plain = {"edge": {"kind": "Categorical", "axes": "pair", "classes": 2, "undirected": True}}
    process = Masked(plain)
    mask = torch.ones(3, 4, dtype=torch.bool)
    x = process.prior(mask)
    edge = x["edge"].clone()
    edge[:, 0, 1] = edge[:, 1, 0] = 1
    x = x.with_values(edge=edge)

    def predict(state, t):
        return State(state.mask, {"edge": Logits("pair", 2)}, {"edge": torch.zeros(3, 4, 4, 2)})

    weight = process.evidence(predict, x, 3, torch.Generator().manual_seed(0))
    torch.testing.assert_close(weight, torch.full((3,), -torch.log(torch.tensor(2.0)).item()))


def test_other_processes_say_no():
    given = known([2, 2, 2, 1], 2)
    process = Flow(PLAIN, {"spin": [0.5, 0.5]})
    with pytest.raises(ValueError, match="Masked can"):
        Ancestral(diffusion(process), 2)(Request.of(given.mask, known=given), torch.Generator().manual_seed(0))
