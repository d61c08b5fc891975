"""One tiny padded batch per domain."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
import torch

from symdiff.random import Streams, normal, uniform
from symdiff.state import Categorical, Logits, Real, Schema, Star, State, extent, node_mask

torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"  # of the processes that tests start


def _random_state(schema: Schema, mask: torch.Tensor, seed: int = 0) -> State:
    generator = Streams(seed, torch.arange(len(mask)))
    values = {}
    for name, field in schema.items():
        shape = field.shape(*mask.shape)
        if isinstance(field, Categorical):
            value = (uniform(shape, generator) * field.classes).long()
        else:
            value = normal(shape, generator, torch.empty(0, dtype=torch.float64))
        if field.symmetric:
            below = torch.ones(shape[1:3], dtype=torch.bool).tril().view(1, *shape[1:3], *[1] * len(field.trailing))
            value = torch.where(below, value.transpose(1, 2), value)
        inside = extent(field, mask)
        values[name] = value * inside.view(*inside.shape, *[1] * len(field.trailing))
    return State(mask, schema, values)


@pytest.fixture(scope="session")
def random_state() -> Callable[..., State]:
    """``random_state(schema, mask, seed)``: random labels and normal float64 reals on real nodes, zero on padding."""
    return _random_state


@pytest.fixture
def graph_batch() -> State:
    """Graphs of 1 to 6 nodes, 4 labels of nodes and of unordered pairs."""
    schema = {"atom": Categorical("node", 4), "bond": Categorical("pair", 4, undirected=True)}
    return _random_state(schema, node_mask(torch.tensor([1, 2, 3, 4, 5, 6, 6, 4]), 6), 1)


@pytest.fixture
def vector_batch() -> State:
    """Points in space with positions, velocities, an invariant channel, a label and a whole vector, float64."""
    schema = {
        "position": Real("node", 1, vector=3),
        "velocity": Real("node", 2, vector=3),
        "mass": Real("node", 1),
        "atom": Categorical("node", 3),
        "dipole": Real("whole", 1, vector=3),
    }
    return _random_state(schema, node_mask(torch.tensor([5, 2, 1, 4]), 5), 2)


@pytest.fixture
def spin_batch() -> State:
    """Six spins with logits, directed couplings of three colors and a whole label; no padding."""
    schema = {
        "spin": Categorical("node", 2),
        "field": Logits("node", 2),
        "color": Categorical("pair", 3),
        "phase": Categorical("whole", 2),
    }
    return _random_state(schema, torch.ones(3, 6, dtype=torch.bool), 3)


@pytest.fixture
def lattice_batch() -> State:
    """Spins on a 3 x 3 torus with a field, couplings to nearest and next-nearest neighbors and a temperature.

    No padding.
    """
    schema = {
        "coupling": Star("node", 8),
        "field": Logits("node", 2),
        "temperature": Real("whole", 1),
        "spin": Categorical("node", 2),
    }
    return _random_state(schema, torch.ones(4, 9, dtype=torch.bool), 4)
