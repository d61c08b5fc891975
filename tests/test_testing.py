"""The checks find what they are for."""

from __future__ import annotations

import pytest
import torch

from symdiff.groups.orthogonal import Orthogonal
from symdiff.groups.permutations import Symmetric
from symdiff.state import Real, State
from symdiff.testing import action_law_error, assert_equivariant, chi_square, difference, equivariance_error


def centered(x: State, t: torch.Tensor, z: State) -> State:
    position = x["position"] * t[:, None, None, None]
    mean = position.sum(1, keepdim=True) / x.num_nodes[:, None, None, None]
    return x.only("position").with_values(
        position=(position - mean + z["velocity"][:, :, :1]) * x.mask[..., None, None]
    )


def by_index(x: State) -> State:
    return x.with_values(mass=x["mass"] * torch.arange(x.mask.shape[1])[:, None])


@pytest.mark.parametrize("group", [Symmetric(), Orthogonal(3)])
def test_equivariant_functions_pass(group, vector_batch):
    t = torch.linspace(0.1, 1, len(vector_batch), dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    assert (
        equivariance_error(centered, group, vector_batch, t, vector_batch.only("velocity"), generator=generator) < 1e-12
    )
    assert_equivariant(centered, group, vector_batch, t, vector_batch.only("velocity"), generator=generator)
    assert_equivariant(lambda x: x["position"].norm(dim=-1).sum((1, 2)), group, vector_batch, generator=generator)


def test_functions_that_break_the_symmetry_are_told(vector_batch):
    generator = torch.Generator().manual_seed(0)
    with pytest.raises(AssertionError, match="by_index is not equivariant under Symmetric: error .*, tolerance 1e-09"):
        assert_equivariant(by_index, Symmetric(), vector_batch, generator=generator)
    with pytest.raises(AssertionError, match="tolerance 0.0001"):
        assert_equivariant(by_index, Symmetric(), vector_batch.to(torch.float32), generator=generator)
    assert_equivariant(by_index, Orthogonal(3), vector_batch, generator=generator)
    with pytest.raises(AssertionError, match="error inf"):
        assert_equivariant(lambda x: x.with_values(mass=x["mass"] * torch.nan), Symmetric(), vector_batch)


class _Backwards(Symmetric):
    def compose(self, g, h):
        return super().compose(h, g)


class _Leaking(Orthogonal):
    def act(self, g, x):
        moved = super().act(g, x)
        return moved.with_values(mass=moved["mass"] + (~moved.mask)[..., None] * g[:, :1, :1].abs())


@pytest.mark.parametrize("group", [_Backwards(), _Leaking()])
def test_wrong_groups_are_told(group, vector_batch):
    assert action_law_error(group, vector_batch, torch.Generator().manual_seed(0)) > 1e-3


def test_differences():
    mask = torch.ones(1, 2, dtype=torch.bool)
    x = State(mask, {"a": Real("node", 1)}, {"a": torch.zeros(1, 2, 1)})
    assert difference(x, x.with_values(a=torch.tensor([[[0.0], [-2.0]]]))) == 2
    assert difference(x, x.with_values(a=torch.full((1, 2, 1), torch.nan))) == float("inf")
    assert difference(x, State(~mask, x.schema, x.values)) == float("inf")
    assert difference(x, x.with_values({"a": Real("node", 1, 0), "b": Real("whole", 1)}, b=torch.zeros(1, 1))) == float(
        "inf"
    )


def test_chi_square_against_known_values():
    assert chi_square(torch.tensor([30, 20]), torch.tensor([1, 1])) == pytest.approx(0.157299, abs=1e-6)
    assert chi_square(torch.tensor([10, 10, 10, 30]), torch.tensor([1, 1, 1, 1])) == pytest.approx(0.0001697, abs=1e-6)
    assert chi_square(torch.tensor([5, 5, 1]), torch.tensor([1, 1, 0])) == 0
    assert chi_square(torch.tensor([50]), torch.tensor([1])) == 1
    with pytest.raises(ValueError, match="at least 5"):
        chi_square(torch.tensor([1, 1]), torch.tensor([1, 1]))
