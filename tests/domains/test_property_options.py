"""Values, ranges and bounds of properties: what is drawn, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from symdiff.domains.base import domain_from_spec
from symdiff.domains.graph import Graph
from symdiff.domains.lattice import SpinLattice
from symdiff.domains.molecule import MolecularGraph
from symdiff.domains.molecule3d import Molecule3D
from symdiff.domains.properties import Property
from symdiff.domains.property_options import PropertyOptions
from symdiff.domains.property_set import Properties
from symdiff.domains.wishes import Wish
from symdiff.errors import UserError
from symdiff.random import Streams
from symdiff.sampling.preparation import _sizes_by_condition
from symdiff.sampling.request import Request

X = np.array([0.0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
Y = np.array([9.0, 8, 7, 6, 5, 5, 6, np.nan, 8, 9])
SIZES = np.array([2, 2, 2, 2, 2, 5, 5, 5, 5, 5])
PLAIN = {"x": Property.of(X, SIZES, "eV").plain, "y": Property.of(Y, SIZES, "").plain}
PROPERTIES = Properties(PLAIN)
OPTIONS = PropertyOptions(PROPERTIES)
DOMAINS = [
    MolecularGraph(["C"], properties=PLAIN),
    Molecule3D(["C"], properties=PLAIN),
    Graph(properties=PLAIN),
    SpinLattice(sides=[2, 3], properties=PLAIN),
]


def draw(words, count=1, seed=0):
    given = OPTIONS.read_condition(words, Streams(seed, torch.arange(count)))
    return {name: np.round(values, 4) for name, values in PROPERTIES.read(given).items()}


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("90", Wish(90, 90)),
        ("-1.5e1", Wish(-15, -15)),
        ("60-70", Wish(60, 70)),
        ("-2--1", Wish(-2, -1)),
        (" 1e-3 - 2 ", Wish(1e-3, 2)),
        (">4", Wish(4, math.inf, True)),
        ("<= -4", Wish(-math.inf, -4)),
        ("≥0", Wish(0, math.inf)),
    ],
)
def test_what_is_written_is_read(text, wish):
    assert Wish.read(text) == wish


@pytest.mark.parametrize("text", ["", "x", "70-60", "5-5", ">", "1-2-3", ">=1e400", "nan", "4<", "1,2", "٣"])
def test_other_text_is_refused(text):
    with pytest.raises(UserError, match="expected a number|expected a range"):
        Wish.read(text)


@pytest.mark.parametrize(
    ("text", "held"), [("2-4", [2, 3, 4]), (">7", [8, 9]), (">=7", [7, 8, 9]), ("<1", [0]), ("3", [3])]
)
def test_bounds_hold_or_not(text, held):
    assert X[Wish.read(text).holds(X)].tolist() == held
    assert not Wish.read(text).holds(np.array([np.nan])).any()


def test_a_range_is_drawn_as_in_the_training_data():
    """Uniform on the rows of the table that lie in it: chi-square with 3 degrees of freedom."""
    counts = np.bincount(draw({"x": "2-5"}, 4000)["x"].astype(int), minlength=10)
    assert counts.sum() == counts[2:6].sum() == 4000
    assert ((counts[2:6] - 1000) ** 2 / 1000).sum() < 16.3  # 0.1 %


def test_several_at_once_are_drawn_together():
    found = draw({"x": ">1", "y": "<7"}, 500)
    pairs = set(zip(found["x"].tolist(), found["y"].tolist(), strict=True))
    assert pairs == {(3, 6), (4, 5), (5, 5), (6, 6)}
    with pytest.raises(UserError, match="--x and --y: no training data lie there together; they have x 0 to 9 eV"):
        draw({"x": "<2", "y": "<7"})


def test_a_value_stays_and_the_others_are_drawn_from_structures_like_it():
    found = draw({"x": "0.1", "y": ">0"}, 300)
    assert set(found["x"]) == {0.1} and set(found["y"]) == {9.0}
    far = draw({"x": "900", "y": ">0"}, 300)
    assert set(far["y"]) == {9.0}  # of the nearest
    alone = draw({"x": "4"}, 7)
    assert alone["x"].tolist() == [4.0] and np.isnan(alone["y"]).all()  # one for all


def test_draws_belong_to_the_seed_and_the_number_of_the_structure():
    long, short = draw({"x": "0-9"}, 50), draw({"x": "0-9"}, 20)
    assert long["x"][:20].tolist() == short["x"].tolist()
    assert draw({"x": "0-9"}, 50, seed=1)["x"].tolist() != long["x"].tolist()


@pytest.mark.parametrize("words", [{"x": "99-100"}, {"x": ">9"}, {"y": "<5"}])
def test_where_no_training_data_are_a_range_is_refused(words):
    with pytest.raises(UserError, match="no training data lie there"):
        draw(words)


def test_a_value_outside_of_the_training_data_is_told():
    assert OPTIONS.notes({"x": "10"}) == ["--x: 10 is outside of the training data, which have 0 to 9 eV"]
    assert OPTIONS.notes({"x": "9", "y": ">100"}) == []
    with pytest.raises(UserError, match="--x: expected a number, a range .* in eV"):
        OPTIONS.notes({"x": "much"})


def test_a_model_without_a_table_takes_values_alone():
    plain = {name: one for name, one in PLAIN["x"].items() if name not in ("table", "nodes", "least", "most")}
    options = PropertyOptions(Properties({"x": plain}))
    assert options.notes({"x": "1000"}) == [] and options.read_condition({"x": "3"}) is not None
    with pytest.raises(UserError, match="keeps no table of its training data"):
        options.read_condition({"x": "3-4"}, Streams(0, torch.arange(2)))


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: type(domain).__name__)
def test_every_domain_has_them_as_conditions(domain):
    again = type(domain)(**{key: value for key, value in domain.spec.items() if key != "kind"})
    assert again.spec == domain.spec and {"x", "x.absent", "y", "y.absent"} <= set(domain.conditions)
    assert {"x", "y"} <= set(domain.options.help) and "0 to 9 eV" in domain.options.help["x"]
    given = domain.options.read_condition({"x": "2-5"}, Streams(0, torch.arange(6)))
    assert len(given) == 6 and set(given.schema) == set(domain.conditions)
    assert (given["x.absent"] == 0).all() and (given["y.absent"] == 1).all()
    assert len(domain.options.read_condition({})) == 1
    with pytest.raises(UserError, match="the structures have a field of this name already"):
        taken = next(name for name in domain.schema if name not in domain.conditions)
        domain_from_spec({**domain.spec, "properties": {taken: PLAIN["x"]}})


def test_sizes_follow_the_condition_of_each_structure():
    domain = MolecularGraph(["C"], properties=PLAIN)
    condition = domain.options.read_condition({"x": "0-9"}, Streams(0, torch.arange(3000)))
    histogram = [0.0, 0.0, 0.5, 0.0, 0.0, 0.5]
    request = Request(3000, None, condition)
    sizes = _sizes_by_condition(request, domain, histogram)
    for value in X:
        rows = torch.from_numpy(np.round(PROPERTIES.read(condition)["x"]) == value)
        share = domain.sizes(histogram, condition.select(torch.nonzero(rows)[:1, 0]))[5]
        count = int(rows.sum())
        assert (
            abs(float((sizes[rows] == 5).float().mean()) - share) < 4 * (max(share * (1 - share), 1e-3) / count) ** 0.5
        )
    part = request.part(torch.arange(100, 200))
    assert _sizes_by_condition(part, domain, histogram).equal(sizes[100:200])
