"""A condition's symmetry is broken as its stabilizer allows.

Z for the condition alone has the law that training gave it.
"""

from __future__ import annotations

import itertools

import pytest
import torch

from symdiff.canonical.sites import Sites
from symdiff.groups.lattices import Space
from symdiff.groups.product import DirectProduct
from symdiff.groups.relabel import Relabel
from symdiff.state import Categorical, Logits, State

SITES = 4
GROUP = DirectProduct([Space("chain"), Relabel(["spin", "field"], 2, [[1, 0]])])
SCHEMA = {"field": Logits("node", 2), "spin": Categorical("node", 2)}
SPINS = torch.tensor(list(itertools.product((0, 1), repeat=SITES)))
FIELDS = {
    "none": [0.0, 0.0, 0.0, 0.0],
    "uniform": [1.0, 1.0, 1.0, 1.0],
    "staggered": [1.0, -1.0, 1.0, -1.0],
    "mirrored": [2.0, 1.0, 0.0, 1.0],
    "one site": [1.0, 0.0, 0.0, 0.0],
    "no symmetry": [3.0, 1.0, 0.5, -1.0],
}


def conditioned(field: torch.Tensor) -> State:
    """All spins of a chain, each with the same field."""
    values = {"field": torch.stack([field, -field], -1).expand(len(SPINS), -1, -1), "spin": SPINS}
    return State(torch.ones(len(SPINS), SITES, dtype=torch.bool), SCHEMA, values)


def boltzmann(field: torch.Tensor) -> torch.Tensor:
    """exp(-E) of a ferromagnetic chain in the field, normalized: an equivariant law p(spins | field)."""
    s = 1 - 2 * SPINS.double()
    return (0.7 * (s * s.roll(1, 1)).sum(1) + 0.4 * (s * field).sum(1)).softmax(0)


def drawn(x: State, weights: torch.Tensor) -> torch.Tensor:
    """The law of g̃ over the group, when rows of x come with ``weights`` and g̃ is uniform on each row's coset."""
    rows, numbers = Sites(GROUP, ["field", "spin"]).minimizers(x)
    share = weights[rows] / torch.bincount(rows, minlength=len(x))[rows]
    return torch.zeros(GROUP.count(SITES), dtype=torch.float64).index_add_(0, numbers, share)


@pytest.mark.parametrize("name", FIELDS)
def test_training_averaged_over_structures_is_sampling(name):
    field = torch.tensor(FIELDS[name])
    x = conditioned(field)
    trained = drawn(x, boltzmann(field))
    alone = x.only("field").select([0])
    sampled = drawn(alone, torch.ones(1, dtype=torch.float64))
    torch.testing.assert_close(trained, sampled, rtol=0, atol=1e-12)
    assert int((sampled > 0).sum()) == int(Sites(GROUP, ["field", "spin"]).automorphisms(alone)[0])


def test_reading_the_structure_before_its_condition_would_be_another_law():
    field = torch.tensor(FIELDS["one site"])
    x = conditioned(field)
    rows, numbers = Sites(GROUP, ["spin", "field"]).minimizers(x)
    share = boltzmann(field)[rows] / torch.bincount(rows, minlength=len(x))[rows]
    trained = torch.zeros(GROUP.count(SITES), dtype=torch.float64).index_add_(0, numbers, share)
    sampled = drawn(x.only("field").select([0]), torch.ones(1, dtype=torch.float64))
    assert (trained - sampled).abs().sum() > 0.1
