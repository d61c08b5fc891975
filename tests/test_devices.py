"""Whatever device a structure is on, everything made for it is there too, and nothing in float64.

The device is torch's "meta", which computes shapes and types alone, refuses operands that are elsewhere, and needs no
hardware.
"""

from __future__ import annotations

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from symdiff.config import recipe
from symdiff.domains.molecule import MolecularGraph
from symdiff.pipeline import assemble
from symdiff.processes import base
from symdiff.processes.gaussian import Gaussian
from symdiff.random import Streams
from symdiff.sampling.ancestral import Ancestral
from symdiff.sampling.likelihood import nll
from symdiff.sampling.request import Request
from symdiff.state import Real, State

DOMAIN = MolecularGraph(["C", "N", "O", "F"])
TEXT = """\
name: small
data: {{dataset: small-molecules}}
denoiser: {{kind: NodeTransformer, width: 32, layers: 1, heads: 4}}
process: {process}
breaker: {breaker}
"""
PROCESSES = ["Flow, stochasticity: 1.0", "Marginal", "Masked", "Masked, evenly: true"]
BREAKERS = ["Nothing", "Noise", "SymPE, canonicalizer: {kind: Stored}, code: {kind: NodeCode, nodes: 9, dim: 8}"]


class SinglePrecision(TorchDispatchMode):
    """Refuses float64 on the device; on the processor it may be used."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, torch.Tensor) and tensor.is_meta and tensor.dtype == torch.float64:
                raise TypeError(f"{function} makes float64 on the device")
        return out


@pytest.mark.slow
@pytest.mark.parametrize("breaker", BREAKERS, ids=[text.split(",")[0] for text in BREAKERS])
@pytest.mark.parametrize("process", PROCESSES)
def test_training_and_sampling_stay_on_the_device_without_float64(process, breaker):
    chosen = recipe.load(TEXT.format(process=f"{{kind: {process}}}", breaker=f"{{kind: {breaker}}}"))
    marginals = {"atom": [0.7, 0.1, 0.15, 0.05], "bond": [0.5, 0.3, 0.15, 0.05]}
    diffusion = assemble(chosen, DOMAIN, marginals).to("meta")
    streams = Streams(0, torch.arange(3))
    streams.keys = streams.keys.to("meta")
    mask = torch.ones(3, 6, dtype=torch.bool, device="meta")
    values = {
        name: torch.zeros(field.shape(3, 6), dtype=torch.int64, device="meta") for name, field in DOMAIN.schema.items()
    }
    x0 = State(mask, DOMAIN.schema, values)
    with SinglePrecision():
        loss = diffusion(x0, streams)
        samples = Ancestral(diffusion, 3)(Request.of(mask), streams).x
        bound = nll(diffusion, x0, 4, streams)
    assert loss.is_meta and bound.is_meta and all(tensor.is_meta for tensor in samples.values.values())
    loss.sum().backward()


@pytest.mark.parametrize("schedule", ["DDIM", "EDMEuler", "FlowMatchEulerDiscrete"])
def test_gaussian_noise_needs_no_float64_where_there_is_none(schedule, monkeypatch):
    monkeypatch.setattr(base, "SINGLE", {"meta"})
    process = Gaussian({"position": Real("node", 1, vector=3)}, schedule={"kind": schedule}, centered=["position"])
    streams = Streams(0, torch.arange(3))
    streams.keys = streams.keys.to("meta")
    mask = torch.ones(3, 5, dtype=torch.bool, device="meta")
    x0 = State(mask, process.schema, {"position": torch.zeros(3, 5, 1, 3, device="meta")})
    with SinglePrecision():
        t = process.draw_times(3, streams, mask)
        x = process.bridge(x0, process.prior(mask, streams), t, streams)
        values = process.loss(x0, x0, x, t), process.kl(x0, x0, x, t, t / 2), process.prior_kl(x0)
    assert all(value.is_meta for value in values)
