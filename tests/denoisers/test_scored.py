"""Guidance by a score: exact where it is linear, told where it is none."""

from __future__ import annotations

import pytest
import torch

from symdiff.config.extensions import find_function
from symdiff.denoisers.scored import Scored
from symdiff.errors import UserError
from symdiff.processes.gaussian import Gaussian
from symdiff.processes.masked import Masked
from symdiff.state import Categorical, Logits, Real, State, schema_to_plain

MASK = torch.ones(2, 3, dtype=torch.bool)
T = torch.tensor([0.3, 0.7])


def test_labels_are_tilted_by_the_exponential_of_a_linear_score():
    schema = {"atom": Categorical("node", 3), "bond": Categorical("pair", 2, undirected=True)}
    process = Masked(schema_to_plain(schema))
    x = process.prior(MASK)
    logits = {"atom": torch.randn(2, 3, 3), "bond": torch.randn(2, 3, 3, 2)}
    logits["bond"] = logits["bond"] + logits["bond"].transpose(1, 2)
    fields = {"atom": Logits("node", 3), "bond": Logits("pair", 2, undirected=True)}
    weights = torch.randn(3)

    def score(clean):
        torch.testing.assert_close(clean["atom"].sum(-1), torch.ones(2, 3))
        return (clean["atom"] @ weights).sum(1) + clean["bond"][..., 1].triu(1).sum((1, 2))

    moved = Scored(lambda *_: State(MASK, fields, logits), process, score, 2.0)(x, T, x)
    torch.testing.assert_close(moved["atom"].softmax(-1), (logits["atom"] + 2 * weights).softmax(-1))
    upper = torch.ones(3, 3, dtype=torch.bool).triu(1)
    found = moved["bond"].softmax(-1)
    torch.testing.assert_close(found, found.transpose(1, 2))
    wanted = (logits["bond"] + 2 * torch.tensor([0.0, 1.0])).softmax(-1)
    torch.testing.assert_close(found[:, upper], wanted[:, upper])
    still = Scored(lambda *_: State(MASK, fields, logits), process, score, 0.0)(x, T, x)
    assert still["atom"] is logits["atom"]


def test_reals_are_predicted_as_if_the_data_were_tilted():
    """x0 ~ N(0, 1) tilted by exp(c x0) is N(c, 1): E[x0 | x_t] has a closed form, and so has the moved prediction."""
    schema, c = {"x": Real("node", 1)}, 0.3
    process = Gaussian(schema_to_plain(schema), {"kind": "FlowMatchEulerDiscrete"})
    x = State(MASK, schema, {"x": torch.randn(2, 3, 1)})
    a, b = (level.view(2, 1, 1).float() for level in process.schedule.levels(T))

    def denoiser(x, t, z):
        return x.with_values(x=a / (a**2 + b**2) * x["x"])

    moved = Scored(denoiser, process, lambda clean: c * clean["x"].sum((1, 2)))(x, T, x)
    torch.testing.assert_close(moved["x"], (a * x["x"] + b**2 * c) / (a**2 + b**2))


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (lambda clean: clean["x"].sum(), "expected a differentiable tensor"),
        (lambda clean: 3.0, "got float"),
        (lambda clean: clean.mask.sum(1).float(), "expected a differentiable tensor"),
        (lambda clean: clean["x"].sum((1, 2)) / 0, "expected finite numbers"),
    ],
)
def test_what_is_no_score_is_told(score, message):
    schema = {"x": Real("node", 1)}
    process = Gaussian(schema_to_plain(schema), {"kind": "FlowMatchEulerDiscrete"})
    x = State(MASK, schema, {"x": torch.ones(2, 3, 1)})
    with pytest.raises(UserError, match=message):
        Scored(lambda x, t, z: x, process, score)(x, T, x)


def test_functions_are_found_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scores_of_mine.py").write_text("value = 3\ndef few(x):\n    return 1\n")
    assert find_function("scores_of_mine:few", "--score")(None) == 1
    for text, message in [
        ("few", "--score: expected module:function, got 'few'"),
        ("scores_of_mine:fem", "has no function 'fem' \\(did you mean 'few'"),
        ("scores_of_mine:value", "has no function 'value'"),
        ("nowhere_at_all:few", "--score: no such module"),
    ]:
        with pytest.raises(UserError, match=message):
            find_function(text, "--score")
