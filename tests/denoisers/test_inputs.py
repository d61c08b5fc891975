"""The table of internal and external choices in ``symdiff/denoisers/inputs.py``, measured.

What stays of the symmetry.
"""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import torch

from benchmarks.equivariance import EXTERNAL, INTERNAL, errors, network, structures
from symdiff.groups.translations import Translations
from symdiff.random import Streams, normal
from symdiff.state import Real, State, node_mask
from symdiff.testing import action_law_error, difference

KEPT, BROKEN = 1e-12, 1e-5


def rotations(internal: str, external: str) -> tuple[bool, bool]:
    """Whether rotations should be exact alone, and jointly with the frame: the rule that the table states."""
    kernels, frame = internal.partition(",")[0], EXTERNAL[external][1]
    scalars = external in ("velocity as scalars", "position as scalars")
    if scalars or kernels == "translations":
        return False, False
    alone = kernels == "steerable" or internal == "rotations, 0 directions"
    if not frame:
        return alone, alone
    return alone and external in ("nothing, beside a frame", "frame as scalars"), external != "frame as scalars"


@pytest.mark.slow
@pytest.mark.parametrize("internal", INTERNAL)
def test_what_stays_is_what_the_table_says(internal):
    if internal == "steerable" and find_spec("e3nn") is None:
        pytest.skip("steerable networks need e3nn, the extra 'steerable'")
    for external in EXTERNAL:
        found = errors(internal, external, draws=2)
        if found is None:
            continue
        want = [True, not external.startswith("position"), *rotations(internal, external)]
        for (name, error), kept in zip(found.items(), want, strict=True):
            assert error < KEPT if kept else error > BROKEN, (external, name, error)


def test_translations_are_a_group_that_moves_positions_alone():
    mask, streams = node_mask(torch.tensor([4, 2])), Streams(0, torch.arange(2))
    schema = {"position": Real("node", 1, vector=3), "velocity": Real("node", 1, vector=3)}
    values = {
        name: normal((2, 4, 1, 3), streams, torch.zeros((), dtype=torch.float64)) * mask[..., None, None]
        for name in schema
    }
    x = State(mask, schema, values)
    assert action_law_error(Translations(), x, streams) < 1e-12
    moved = Translations().act(Translations().sample(mask, streams), x)
    assert torch.equal(moved["velocity"], x["velocity"]) and not torch.equal(moved["position"], x["position"])


@pytest.mark.slow
@pytest.mark.parametrize("internal", ["rotations, 8 directions", "steerable"])
def test_networks_trace_to_one_graph(internal):
    """What ``compile: true`` needs; the C++ compiler has no part in it."""
    if internal == "steerable" and find_spec("e3nn") is None:
        pytest.skip("steerable networks need e3nn, the extra 'steerable'")
    net, (x, z, t) = network(internal, "velocity as vectors"), structures(2, 6, torch.float32)
    z = State(z.mask, {}, {})
    with torch.no_grad():
        torch._dynamo.reset()
        assert difference(torch.compile(net, backend="eager", fullgraph=True)(x, t, z), net(x, t, z)) < 1e-5
