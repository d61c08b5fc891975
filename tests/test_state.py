"""Laws of State: padding, selecting and joining lose nothing."""

from __future__ import annotations

import pytest
import torch

from symdiff.state import (
    Categorical,
    Field,
    Logits,
    Real,
    State,
    collate,
    extent,
    node_mask,
    pad,
    schema_from_plain,
    schema_to_plain,
    support,
)
from symdiff.testing import difference

BATCHES = ["graph_batch", "vector_batch", "spin_batch", "lattice_batch"]


@pytest.fixture(params=BATCHES)
def x(request) -> State:
    return request.getfixturevalue(request.param)


def test_padding_and_trimming_are_inverse(x):
    nodes = x.mask.shape[1]
    wider = pad(x, nodes + 3)
    assert wider.mask.shape[1] == nodes + 3
    assert torch.equal(wider.num_nodes, x.num_nodes)
    assert all(not wider[name][:, nodes:].any() for name, field in x.schema.items() if field.axes != "whole")
    assert difference(pad(wider, nodes), x) == 0


def test_trimming_real_nodes_is_refused(x):
    with pytest.raises(ValueError, match="cannot trim to 2 nodes"):
        pad(x, 2)


def test_selected_rows_join_to_the_batch(x):
    rows = [x.select([k]) for k in range(len(x))]
    assert difference(collate(rows), x) == 0
    trimmed = [pad(row, int(row.num_nodes)) for row in rows]
    assert difference(collate(trimmed), x) == 0


def test_selection_takes_slices_tensors_and_masks(x):
    assert difference(x.select(slice(1, 3)), x.select(torch.tensor([1, 2]))) == 0
    every = torch.ones(len(x), dtype=torch.bool)
    assert difference(x.select(every), x) == 0


def test_a_floating_dtype_changes_reals_only(x):
    low = x.to(torch.float32)
    for name, field in x.schema.items():
        assert low[name].dtype == (torch.int64 if isinstance(field, Categorical) else torch.float32)
    assert low.mask.dtype == torch.bool


def test_schema_survives_a_config_file(x):
    plain = schema_to_plain(x.schema)
    assert schema_from_plain(plain) == dict(x.schema)
    assert schema_from_plain(schema_from_plain(plain)) == dict(x.schema)


def test_values_are_replaced_added_and_dropped(graph_batch):
    zero = torch.zeros_like(graph_batch["atom"])
    changed = graph_batch.with_values({"size": Categorical("whole", 9)}, atom=zero, size=graph_batch.num_nodes)
    assert not changed["atom"].any()
    assert difference(changed.only("bond"), graph_batch.only("bond")) == 0
    assert set(changed.schema) == {"atom", "bond", "size"}


def test_support_counts_independent_entries():
    mask = node_mask(torch.tensor([3, 1, 0]), 4)
    n = mask.sum(1)
    assert torch.equal(support(Real("node", 1), mask).sum(1), n)
    assert torch.equal(support(Categorical("pair", 2), mask).flatten(1).sum(1), n * n)
    assert torch.equal(support(Categorical("pair", 2, undirected=True), mask).flatten(1).sum(1), n * (n - 1) // 2)
    assert torch.equal(extent(Logits("pair", 2, undirected=True), mask).flatten(1).sum(1), n * (n - 1))
    assert support(Real("whole", 1), mask).all()


def test_wrong_shapes_are_told():
    mask = node_mask(torch.tensor([2, 1]))
    with pytest.raises(ValueError, match=r"field 'a' needs shape \(2, 2, 3\), got \(2, 2\)"):
        State(mask, {"a": Real("node", 3)}, {"a": torch.zeros(2, 2)})
    with pytest.raises(ValueError, match="values must be given"):
        State(mask, {"a": Real("node", 3)}, {})
    with pytest.raises(ValueError, match="dtype bool"):
        State(mask.long(), {}, {})
    with pytest.raises(ValueError, match="axes must be one of"):
        Field("edge")
    with pytest.raises(ValueError, match="needs a kind"):
        schema_from_plain({"a": {"kind": "Vector", "axes": "node"}})
