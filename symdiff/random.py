"""Random numbers that belong to a row, whatever batch or process the row is in."""

from __future__ import annotations

import torch
from torch import Tensor

_GOLDEN, _MIX1, _MIX2 = -7046029254386353131, -4658895280553007687, -7723592293110705685  # splitmix64, as int64


def mix(x: Tensor) -> Tensor:
    """Hash 64-bit numbers elementwise by the bijective finalizer of splitmix64.

    Parameters
    ----------
    x : Tensor, int64
        Any shape.

    Returns
    -------
    Tensor, int64
        The hashes, in the same shape.

    References
    ----------
    Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators (OOPSLA 2014).
    """
    x = (x ^ ((x >> 30) & 0x3FFFFFFFF)) * _MIX1
    x = (x ^ ((x >> 27) & 0x1FFFFFFFFF)) * _MIX2
    return x ^ ((x >> 31) & 0x1FFFFFFFF)


class Streams:
    """One independent stream of random numbers for every row of a batch.

    Counter-based: the n-th draw of a row depends on (seed, epoch, row) only, so that a sample or a training example has
    the same noise whatever the batch size, the padding or the number of processes.

    Parameters
    ----------
    seed : int
        The seed.
    rows : Tensor, (B,) int64
        Any numbers that identify the rows.
    epoch : int
        Separates uses of one seed, such as training steps.
    """

    def __init__(self, seed: int, rows: Tensor, epoch: int = 0) -> None:
        start = mix(torch.tensor([seed * _GOLDEN % 2**63 + 1, epoch + 1]))
        self.keys = mix(mix(rows.to(torch.int64) * _GOLDEN + start[0].item()) + start[1].item())
        self.draws = 0

    def __len__(self) -> int:
        return self.keys.shape[0]

    def select(self, index) -> Streams:
        """Take the streams of some rows, from where they stand.

        Parameters
        ----------
        index : Tensor, slice or list of int
            The rows.

        Returns
        -------
        Streams
            Their streams.
        """
        other = object.__new__(Streams)
        other.keys, other.draws = self.keys[index], self.draws
        return other

    def split(self, count: int) -> Streams:
        """Divide the stream of every row into independent ones.

        Parameters
        ----------
        count : int
            How many for every row; 1 returns these streams themselves.

        Returns
        -------
        Streams
            B · count streams, those of a row next to each other.
        """
        if count == 1:
            return self
        other = object.__new__(Streams)
        place = mix((torch.arange(count, device=self.keys.device) + 1) * _MIX2)
        other.keys, other.draws = mix(self.keys[:, None] * _GOLDEN + place).flatten(), self.draws
        return other

    def branch(self, numbers: Tensor) -> Streams:
        """Another stream for every row, named by a number (B,) int64: independent of the row's own.

        Parameters
        ----------
        numbers : Tensor
            Such as that of an attempt.

        Returns
        -------
        Streams
            As many rows, from the start.
        """
        other = object.__new__(Streams)
        other.keys, other.draws = mix(self.keys * _GOLDEN + mix((numbers.to(self.keys) + 1) * _MIX2)), 0
        return other

    def bits(self, *shape: int) -> Tensor:
        """Draw uniform int64 for every row.

        An entry depends on its indices alone, not on ``shape``: padding a draw along any axis keeps what was drawn.

        Parameters
        ----------
        *shape : int
            The shape of the draw of one row.

        Returns
        -------
        Tensor, (B, *shape) int64
            The numbers.
        """
        first, *others = shape or (1,)
        device = self.keys.device
        place = mix((torch.arange(first, device=device) + (self.draws << 32)) * _GOLDEN)
        for size in others:
            place = mix(place[..., None] + torch.arange(1, size + 1, device=device) * _GOLDEN)
        self.draws += 1
        return mix(self.keys[:, None] + place.flatten()).view(-1, *shape)


Generator = torch.Generator | Streams


def integers(
    places: int, shape: tuple[int, ...], generator: Generator | None = None, like: Tensor | None = None
) -> Tensor:
    """Draw uniform int64 from 0 to 2^places - 1.

    Parameters
    ----------
    places : int
        The number of bits.
    shape : tuple of int
        The shape of the draw; the first axis counts rows.
    generator : Generator, optional
        The source of randomness: one stream a row, or torch's.
    like : Tensor, optional
        The draw is on this tensor's device.

    Returns
    -------
    Tensor, int64
        The numbers.

    Raises
    ------
    ValueError
        Where the number of streams is not that of the rows.
    """
    device = None if like is None else like.device
    if isinstance(generator, Streams):
        if len(generator) != shape[0]:
            raise ValueError(f"the generator has {len(generator)} streams, the draw has {shape[0]} rows")
        return ((generator.bits(*shape[1:]) >> (64 - places)) & ((1 << places) - 1)).to(device)
    source = generator.device if generator is not None else device
    return torch.randint(1 << places, shape, generator=generator, device=source).to(device)


def uniform(shape: tuple[int, ...], generator: Generator | None = None, like: Tensor | None = None) -> Tensor:
    """Draw uniform numbers in (0, 1), without either end.

    Parameters
    ----------
    shape : tuple of int
        The shape of the draw; the first axis counts rows.
    generator : Generator, optional
        The source of randomness: one stream a row, or torch's.
    like : Tensor, optional
        The draw is on this tensor's device, float64 where the tensor is, else float32.

    Returns
    -------
    Tensor
        The numbers.
    """
    dtype = torch.float64 if like is not None and like.dtype == torch.float64 else torch.float32
    if isinstance(generator, Streams):
        places = 52 if dtype == torch.float64 else 23  # odd multiples of a half step: never 0, never 1
        return (integers(places, shape, generator, like).to(dtype) + 0.5) * 2.0**-places
    device = None if like is None else like.device
    source = generator.device if generator is not None else device
    draw = torch.rand(shape, generator=generator, dtype=dtype, device=source).to(device)
    return draw.clamp_(torch.finfo(dtype).tiny, 1 - torch.finfo(dtype).eps)


def normal(shape: tuple[int, ...], generator: Generator | None = None, like: Tensor | None = None) -> Tensor:
    """Draw standard normal numbers, by inversion of ``uniform``.

    Parameters
    ----------
    shape : tuple of int
        The shape of the draw; the first axis counts rows.
    generator : Generator, optional
        The source of randomness: one stream a row, or torch's.
    like : Tensor, optional
        The draw is on this tensor's device, float64 where the tensor is, else float32.

    Returns
    -------
    Tensor
        The numbers.
    """
    return torch.special.ndtri(uniform(shape, generator, like))
