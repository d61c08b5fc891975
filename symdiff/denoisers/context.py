"""What a denoiser knows of the whole structure, as one vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from symdiff.nn.embedding import Waves
from symdiff.nn.features import channels, encode
from symdiff.state import Schema, State

WAVES = 64


class Context(nn.Sequential):
    """The time, the number of nodes, ``extra`` channels and the whole fields of x and z, through two layers.

    (B, width).
    """

    def __init__(self, noisy: Schema, code: Schema, width: int, extra: int = 0) -> None:
        whole = extra + channels(noisy, "whole") + channels(code, "whole")
        super().__init__(nn.Linear(2 * WAVES + whole, width), nn.SiLU(), nn.Linear(width, width))
        self.waves = Waves(WAVES)

    def forward(self, x: State, t: Tensor, z: State, extra: tuple[Tensor, ...] = ()) -> Tensor:
        """``t``: (B,); ``extra``: tensors of shape (B, ·), with as many channels together as were announced."""
        first, activation, second, waves = self
        dtype = first.weight.dtype
        size = x.mask.sum(1).to(dtype) / 1000
        whole = torch.cat([waves(t), waves(size), *extra, *encode(x, "whole", dtype), *encode(z, "whole", dtype)], -1)
        return second(activation(first(whole)))
