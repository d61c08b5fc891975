"""A denoiser out of the tree, as a stranger would write it.

A node sees itself, its code and the mean over all nodes.
"""

from collections.abc import Mapping

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from symdiff.config.ranges import Width
from symdiff.denoisers import Denoiser
from symdiff.denoisers.base import mean_over_nodes, prediction_schema
from symdiff.denoisers.context import Context
from symdiff.denoisers.readout import Readout
from symdiff.nn.features import channels, encode
from symdiff.state import State, schema_from_plain


class Means(Denoiser):
    """A deep set over the nodes; pairs are read out of their two nodes."""

    @register_to_config
    def __init__(self, schema: Mapping, noisy: Mapping, code: Mapping, width: Width = 32) -> None:
        super().__init__()
        schema, noisy, code = map(schema_from_plain, (schema, noisy, code))
        self.predicted = prediction_schema(schema)
        self.context = Context(noisy, code, width)
        self.enter = nn.Linear(channels(noisy, "node") + channels(code, "node"), width)
        self.mix = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width))
        self.leave = Readout(self.predicted, noisy, width, width, rank=8)

    def forward(self, x: State, t: Tensor, z: State) -> State:
        dtype, context = self.enter.weight.dtype, self.context(x, t, z)
        h = self.enter(torch.cat(encode(x, "node", dtype) + encode(z, "node", dtype), -1)) + context[:, None]
        h = h + self.mix(torch.cat([h, mean_over_nodes(h, x.mask)[:, None].expand_as(h)], -1))
        return State(x.mask, self.predicted, self.leave(h, x, context))
