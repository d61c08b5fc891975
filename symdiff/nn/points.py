"""Separable group convolutions over points and directions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, reduce
from itertools import combinations_with_replacement

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

TINY = 1e-12


@cache
def orientations(count: int) -> Tensor:
    """Spread unit vectors that repel each other as charges do.

    Parameters
    ----------
    count : int
        K, at least 4.

    Returns
    -------
    Tensor, (K, 3) float64
        The vectors, always the same.

    Raises
    ------
    ValueError
        For fewer than 4: they have to span the space.
    """
    if count < 4:
        raise ValueError(f"expected 0 orientations or at least 4, got {count}")
    place = np.arange(count) + 0.5
    z, angle = 1 - 2 * place / count, math.pi * (1 + 5**0.5) * place
    grid = np.stack([np.sqrt(1 - z * z) * np.cos(angle), np.sqrt(1 - z * z) * np.sin(angle), z], 1)
    for _ in range(1000):
        away = grid[:, None] - grid
        force = (away / ((away**2).sum(-1, keepdims=True) + TINY) ** 1.5).sum(1)
        force -= (force * grid).sum(1, keepdims=True) * grid
        grid = grid + force / (count**1.5 + 5 * np.linalg.norm(force, axis=1).max())
        grid /= np.linalg.norm(grid, axis=1, keepdims=True)
    return torch.from_numpy(grid)


def dual(grid: Tensor) -> Tensor:
    """Compute the vectors d_k with Σ_k ⟨v, o_k⟩ d_k = v for every v.

    Parameters
    ----------
    grid : Tensor, (K, 3)
        Directions o_k that span the space.

    Returns
    -------
    Tensor, (K, 3)
        The d_k.
    """
    return grid @ torch.linalg.inv(grid.mT @ grid)


@dataclass(frozen=True)
class Edges:
    """The nodes j that a node i listens to: all, or its nearest.

    Parameters
    ----------
    source : Tensor, (B, M, k) int64, or None
        The indices of j; None where k runs over all nodes.
    real : Tensor, (B, M, k) bool
        Whether neither end is padding.
    """

    source: Tensor | None
    real: Tensor

    @classmethod
    def among(cls, position: Tensor, mask: Tensor, neighbors: int = 0) -> Edges:
        """Connect the nodes of a cloud with each other and with themselves.

        Among neighbors that are equally far it is the order of the nodes that decides.

        Parameters
        ----------
        position : Tensor, (B, N, 3)
            Positions.
        mask : Tensor, (B, N) bool
            Real nodes.
        neighbors : int
            How many nearest nodes a node listens to beside itself; 0 for all.

        Returns
        -------
        Edges
            The edges, M = N.
        """
        return cls._nearest(position, mask, position, mask, neighbors + 1 if neighbors else 0, own=True)

    @classmethod
    def between(cls, position: Tensor, mask: Tensor, sources: Tensor, real: Tensor, neighbors: int = 0) -> Edges:
        """Connect nodes with other nodes that they listen to.

        Parameters
        ----------
        position : Tensor, (B, M, 3)
            Positions of the nodes that listen.
        mask : Tensor, (B, M) bool
            Which of them are real.
        sources : Tensor, (B, N, 3)
            Positions of the nodes that they listen to.
        real : Tensor, (B, N) bool
            Which of these are real.
        neighbors : int
            How many nearest of these a node listens to; 0 for all.

        Returns
        -------
        Edges
            The edges.
        """
        return cls._nearest(position, mask, sources, real, neighbors, own=False)

    @classmethod
    def _nearest(cls, position: Tensor, mask: Tensor, sources: Tensor, real: Tensor, count: int, own: bool) -> Edges:
        pairs = mask[:, :, None] & real[:, None]
        if not 0 < count < real.shape[1]:
            return cls(None, pairs)
        squared = (position[:, :, None] - sources[:, None]).square().sum(-1).masked_fill(~pairs, torch.inf)
        if own:
            # a node is its own nearest, also where another one lies on top of it
            squared.diagonal(dim1=1, dim2=2).fill_(-1.0)
        source = squared.topk(count, dim=-1, largest=False).indices
        return cls(source, pairs.gather(2, source))

    def gather(self, h: Tensor) -> Tensor:
        """Gather what the nodes j have, for every edge.

        Parameters
        ----------
        h : Tensor, (B, N, ...)
            Features of the nodes.

        Returns
        -------
        Tensor, (B, M, k, ...)
            Features of the other ends.
        """
        if self.source is None:
            return h[:, None].expand(h.shape[0], self.real.shape[1], *h.shape[1:])
        rows = torch.arange(len(h), device=h.device)[:, None, None]
        return h[rows, self.source]

    def of_pairs(self, e: Tensor) -> Tensor:
        """Gather what the pairs (i, j) have, for every edge.

        Parameters
        ----------
        e : Tensor, (B, N, N, C)
            Features of all ordered pairs.

        Returns
        -------
        Tensor, (B, N, k, C)
            Features of the edges.
        """
        return e if self.source is None else e.gather(2, self.source[..., None].expand(*self.source.shape, e.shape[-1]))

    @property
    def scale(self) -> Tensor:
        """One over the square root of the number of edges of a node: (B, N, 1)."""
        return self.real.sum(-1, keepdim=True).clamp_min(1).to(torch.float32).rsqrt()


def invariants(r: Tensor, grid: Tensor | None, raw: Tensor | None) -> Tensor:
    """Compute what a kernel may know of the differences of positions.

    With a grid r·o and |r − (r·o)o| for every direction o, behind the raw coordinates where these are given; without
    one |r|, or the raw coordinates in its place.

    Parameters
    ----------
    r : Tensor, (B, N, k, 3)
        Differences.
    grid : Tensor, (B, K, 3), or None
        Directions.
    raw : Tensor, (B, N, k, 3), or None
        Coordinates that the kernel may see as they are.

    Returns
    -------
    Tensor, (B, N, k, K, C)
        The invariants; K = 1 without a grid.
    """
    if grid is None:
        length = (r.square().sum(-1, keepdim=True) + TINY).sqrt() if raw is None else raw
        return length[..., None, :]
    along = (r[..., None, :] * grid[:, None, None]).sum(-1)
    across = (r.square().sum(-1, keepdim=True) - along.square()).clamp_min(0).add(TINY).sqrt()
    both = torch.stack([along, across], -1)
    if raw is None:
        return both
    return torch.cat([raw[..., None, :].expand(*both.shape[:-1], raw.shape[-1]), both], -1)


def monomials(channels: int, products: int) -> list[tuple[int, ...]]:
    """List the choices of channels that are multiplied: one to ``products`` + 1 of them, in any order.

    Parameters
    ----------
    channels : int
        The number of channels.
    products : int
        The number of products in the longest monomial.

    Returns
    -------
    list of tuple of int
        The channels of every monomial.
    """
    return [
        chosen for degree in range(1, products + 2) for chosen in combinations_with_replacement(range(channels), degree)
    ]


class KernelBasis(nn.Module):
    """Functions of invariants, from which every layer mixes its kernels: polynomials, then two GELU layers.

    Parameters
    ----------
    channels : int
        The number of invariants.
    hidden : int
        Channels of the first layer.
    width : int
        Channels of the second layer, which are the functions.
    degree : int
        Counts products: with 2, the features are x, x⊗x and x⊗x⊗x without repetitions.
    extra : Mapping of str to int, optional
        Channels that do not go through polynomials (labels of pairs, the time) and join in the first layer.
    """

    def __init__(
        self, channels: int, hidden: int, width: int, degree: int = 2, extra: Mapping[str, int] | None = None
    ) -> None:
        super().__init__()
        self.monomials = monomials(channels, degree)
        self.first, self.second = nn.Linear(len(self.monomials), hidden), nn.Linear(hidden, width)
        self.extra = nn.ModuleDict(
            {name: nn.Linear(count, hidden, bias=False) for name, count in (extra or {}).items() if count}
        )

    def forward(self, invariants: Tensor, extra: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute the functions.

        Parameters
        ----------
        invariants : Tensor, (..., channels)
            The invariants of every edge and direction.
        extra : mapping of str to Tensor, optional
            The other channels by their name; they broadcast to the invariants' axes.

        Returns
        -------
        Tensor, (..., width)
            The functions.
        """
        features = torch.stack(
            [reduce(torch.mul, (invariants[..., k] for k in chosen)) for chosen in self.monomials], -1
        )
        h = self.first(features.to(self.first.weight.dtype))
        for name, layer in self.extra.items():
            h = h + layer((extra or {})[name])
        return functional.gelu(self.second(functional.gelu(h, approximate="tanh")), approximate="tanh")


class SeparableConvolution(nn.Module):
    """A depthwise convolution over points, then one over directions, then a widening layer; with a residual.

    x¹_i(o) = Σ_j k(r_ij, o)·x_j(o),  x²_i(o′) = 1/K Σ_o κ(o·o′)·x¹_i(o). The sum over j is divided by the root of its
    length, so that variances last.

    Parameters
    ----------
    width : int
        Channels of a node and direction.
    basis : int
        Functions that the kernels k and κ are made of.
    widening : int
        The hidden width of the widening layer, as a multiple of ``width``.

    References
    ----------
    Bekkers et al.: Fast, Expressive SE(n) Equivariant Networks through Weight-Sharing in Position-Orientation Space
    (ICLR 2024).
    """

    def __init__(self, width: int, basis: int, widening: int = 4) -> None:
        super().__init__()
        self.spatial = nn.Linear(basis, width, bias=False)
        self.spherical = nn.Linear(basis, width, bias=False)
        self.bias = nn.Parameter(torch.zeros(width))
        self.norm = nn.LayerNorm(width)
        self.widen, self.narrow = nn.Linear(width, widening * width), nn.Linear(widening * width, width)

    def forward(
        self, h: Tensor, basis: Tensor, around: Tensor | None, edges: Edges, own: Tensor | None = None
    ) -> Tensor:
        """Apply the layer.

        Parameters
        ----------
        h : Tensor, (B, N, K, width)
            Features of the nodes that are listened to.
        basis : Tensor, (B, M, k, K, basis)
            Functions of the edges, zero where no edge is.
        around : Tensor, (K, K, basis), or None
            Functions of o·o′; None skips the convolution over directions.
        edges : Edges
            The edges.
        own : Tensor, (B, M, K, width), optional
            Features of the nodes that listen, where they are others than those of h.

        Returns
        -------
        Tensor, (B, M, K, width)
            Features of the nodes that listen.
        """
        inner = (self.spatial(basis) * edges.gather(h)).sum(2) * edges.scale[..., None].to(h)
        if around is not None:
            inner = torch.einsum("bnoc,poc->bnpc", inner, self.spherical(around).to(inner.dtype)) / len(around)
        inner = self.norm(inner + self.bias)
        return (h if own is None else own) + self.narrow(functional.gelu(self.widen(inner), approximate="tanh"))
