"""Rejection is exactly the conditional distribution, whatever is sampled together."""

from __future__ import annotations

import pytest
import torch

from symdiff.domains.molecule import MolecularGraph
from symdiff.errors import UserError
from symdiff.random import Streams, integers
from symdiff.sampling.rejection import Rejection
from symdiff.sampling.request import Request
from symdiff.sampling.sampler import Sampler, Trajectory
from symdiff.state import Categorical, State

SCHEMA = {"label": Categorical("whole", 8)}


class Dice(Sampler):
    """A number from 0 to 7 for every structure."""

    def __init__(self):
        self.steps, self.diffusion = 1, None

    def init(self, request, generator=None):
        raise NotImplementedError

    step = init

    def __call__(self, request, generator=None, progress=None):
        label = integers(3, (request.count, 1), generator)[:, 0]
        x = State(request.mask, SCHEMA, {"label": label})
        return Trajectory(x, x)


class Thrown(Rejection):
    def __init__(self, accept, most=1000):
        self.sampler, self.accept, self.what, self.most, self.steps = Dice(), accept, "a throw", most, 1


def throw(count, accept, rows=None):
    request = Request(count, 2, seed=3, rows=rows)
    return Thrown(accept)(request).x["label"]


def test_what_is_accepted_is_as_likely_as_before():
    counts = torch.bincount(throw(3000, lambda x: x["label"] % 3 == 1), minlength=8).double()  # 1, 4, 7
    assert counts[[1, 4, 7]].sum() == 3000
    assert ((counts[[1, 4, 7]] - 1000) ** 2 / 1000).sum() < 13.8  # chi-square, 2 degrees of freedom, 0.1 %


def test_a_structure_is_the_same_whatever_it_is_sampled_with():
    some = torch.tensor([7, 31, 7])
    wanted = throw(40, lambda x: x["label"] > 4)
    assert throw(3, lambda x: x["label"] > 4, rows=some).equal(wanted[some])


def test_what_is_never_made_is_told():
    with pytest.raises(UserError, match="a throw: 0 of 4 structures were found in 10 attempts each"):
        Thrown(lambda x: x["label"] > 7, most=10)(Request(4, 2))


def test_branches_are_streams_of_their_own():
    streams, numbers = Streams(0, torch.arange(64).repeat_interleave(64)), torch.arange(64).repeat(64)
    keys = torch.cat([streams.branch(numbers).keys, Streams(0, torch.arange(64)).keys])
    assert len(keys.unique()) == len(keys)


@pytest.mark.parametrize("hydrogens", [False, True])
def test_a_formula_counts_all_atoms(hydrogens):
    domain = MolecularGraph(["C", "O", "N+", *(["H"] if hydrogens else [])])
    texts = ["CCO", "COC", "CC=O", "OCO"]
    x = domain.collate([domain.encode(text) for text in texts])
    wanted = domain.options.read_filter({"formula": "C2H6O"})
    assert wanted.accept(x).tolist() == [True, True, False, False]
    assert wanted.size == (9 if hydrogens else 3) and domain.options.read_filter({}) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a sum formula"),
        ("c2h6", "expected a sum formula"),
        ("C2(OH)2", "expected a sum formula"),
        ("C0", "expected a whole number from 1"),
        ("C2Cl", "the model has no Cl"),
        ("H2", "expected other atoms than hydrogen"),
    ],
)
def test_other_formulas_are_refused(text, message):
    with pytest.raises(UserError, match=message):
        MolecularGraph(["C", "O"]).options.read_filter({"formula": text})
