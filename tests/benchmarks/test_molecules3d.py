"""The benchmarks of molecules in 3D.

EDM's network is what the paper says, padding is counted right, evidence is kept.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from symdiff.canonical.frames import Frames
from symdiff.config.recipe import build, load
from symdiff.groups.orthogonal import Orthogonal
from symdiff.random import Streams
from symdiff.state import Real, State, node_mask


@pytest.fixture(autouse=True)
def folder(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    yield
    for name in ("molecules3d", "evidence3d", "training"):  # not ours by these names elsewhere
        sys.modules.pop(name, None)


def test_edms_network_has_its_size_and_its_symmetries():
    import molecules3d

    assert sum(p.numel() for p in molecules3d.EDM().parameters()) == pytest.approx(5.3e6, rel=0.02)
    torch.manual_seed(0)
    network, mask = molecules3d.EDM(3, 16, 2).double(), node_mask(torch.tensor([5, 3]), 6)
    here = mask[..., None].double()
    h, x, t = (
        torch.randn(2, 6, 3).double() * here,
        torch.randn(2, 6, 3).double() * here,
        torch.tensor([0.3, 0.8]).double(),
    )
    turn = Orthogonal(3).sample(mask, Streams(0, torch.arange(2)))
    plain, turned = network(h, x, t, mask), network(h, x @ turn.mT, t, mask)
    torch.testing.assert_close(turned[0], plain[0])
    torch.testing.assert_close(turned[1], plain[1] @ turn.mT)
    order = torch.tensor([2, 0, 1, 3, 4, 5])
    moved = network(h[:, order], x[:, order], t, mask)
    torch.testing.assert_close(moved[1], plain[1][:, order])
    same = molecules3d.EDM(3, 16, 2, lean=False).double()
    same.load_state_dict(network.state_dict())
    torch.testing.assert_close(same(h, x, t, mask), plain)
    assert not bool(plain[1][~mask].any()) and plain[1].sum(1).abs().max() < 1e-12


def test_padding_is_counted():
    import molecules3d

    class Data(SimpleNamespace):
        def __len__(self) -> int:
            return len(self.num_nodes)

    data = Data(num_nodes=torch.tensor([2, 4] * 8))
    mixed, sorted_ = (molecules3d.padding(data, 2, by_size, 16) for by_size in (False, True))
    assert sorted_ == {"nodes": 0.0, "pairs": 0.0} and 0 < mixed["nodes"] < mixed["pairs"] < 0.5


def test_the_four_arms_are_built_and_differ_in_what_z_knows():
    import evidence3d

    recipe = load("qm9-3d")
    frames = {}
    x = State(
        torch.ones(64, 4, dtype=torch.bool),
        {"position": Real("node", 1, vector=3)},
        {"position": torch.randn(1, 4, 1, 3).expand(64, -1, -1, -1)},
    )
    for arm in evidence3d.ARMS:
        spec = evidence3d.adapted(recipe, arm, 7)
        assert spec.training.seed == 7
        canonicalizer = build(evidence3d.Canonicalizer, spec.breaker["canonicalizer"])
        drawn = canonicalizer.sample(x, Streams(0, torch.arange(64)))
        frames[arm] = drawn[1] if isinstance(drawn, tuple) else drawn
        if isinstance(canonicalizer, Frames):
            assert len(frames[arm].round(decimals=3).unique(dim=0)) <= 4  # of one structure, its symmetries
        else:
            assert len(frames[arm].round(decimals=3).unique(dim=0)) == 64
    assert set(frames) == {"nothing", "atoms", "frame", "both"}


def test_what_is_complete_is_not_done_again_and_a_table_is_drawn(tmp_path):
    import evidence3d

    kept = {"arm": "both", "seed": 0, "steps": 5, "parameters": 10, "loss": 1.0, "nll": 2.0}
    kept["samples"] = {
        str(steps): {"stable": 0.25, "atoms": 0.5, "valid": 0.125, "right": 0.5, "even": None}
        for steps in evidence3d.EVALUATIONS
    }
    (tmp_path / "both" / "0").mkdir(parents=True)
    (tmp_path / "both" / "0" / "result.json").write_text(json.dumps(kept))
    assert evidence3d.run("both", 0, load("qm9-3d"), tmp_path, 4) == kept
    text = evidence3d.table([kept, {**kept, "seed": 1}], 4)
    assert "| both | 25.0 ± 0.0 |" in text and "(none, none)" in text and "nothing |" not in text
    evidence3d.figure([kept], tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
