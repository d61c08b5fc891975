"""What a denoiser knows of a structure at graph level, as one vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from symdiff.nn.embedding import Waves
from symdiff.nn.features import channels, encode
from symdiff.state import Schema, State

WAVES = 64


class Context(nn.Sequential):
    """Embeds the time, the number of nodes and the graph-level fields of x and z as one vector, by two layers.

    Parameters
    ----------
    noisy, code : Mapping of str to Field
        The schemas of x and z.
    width : int
        Channels of the vector.
    extra : int
        Channels that the caller adds.
    """

    def __init__(self, noisy: Schema, code: Schema, width: int, extra: int = 0) -> None:
        whole = extra + channels(noisy, "whole") + channels(code, "whole")
        super().__init__(nn.Linear(2 * WAVES + whole, width), nn.SiLU(), nn.Linear(width, width))
        self.waves = Waves(WAVES)
        self.noisy, self.code = (
            tuple(name for name, field in schema.items() if field.axes == "whole") for schema in (noisy, code)
        )

    # a Sequential for the names of its weights; it takes more than one tensor
    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, x: State, t: Tensor, z: State, extra: tuple[Tensor, ...] = ()
    ) -> Tensor:
        """Embed a batch.

        Parameters
        ----------
        x, z : State
            The noisy structures and the symmetry-breaking input.
        t : Tensor
            (B,) times.
        extra : tuple of Tensor
            Each (B, ·), ``extra`` channels together.

        Returns
        -------
        Tensor
            (B, width).
        """
        first, activation, second, waves = self
        assert isinstance(first, nn.Linear)
        dtype = first.weight.dtype
        size = x.mask.sum(1).to(dtype) / 1000
        given = encode(x.only(*self.noisy), "whole", dtype) + encode(z.only(*self.code), "whole", dtype)
        whole = torch.cat([waves(t), waves(size), *extra, *given], -1)
        return second(activation(first(whole)))
