"""Layers on lattices whose features are functions of the site and of an element of the point group."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from symdiff.groups.bravais import bravais, inverses
from symdiff.nn.precise import PreciseLinear, precise_linear
from symdiff.nn.transformer import SquaredReLU

BANKS = 2
"""Filters that a relaxed convolution blends, for every group element in its own way."""


@dataclass(frozen=True)
class LatticeFrames:
    """The G = P·F elements (p, f), point operation times flip, whose regular representation the features are in.

    Element (p, f) has the number p·F + f.

    Parameters
    ----------
    quotient : Tensor, (G, G) int64
        The number of a⁻¹b.
    turned : Tensor, (G, D + 1) int64
        Where a⁻¹ carries each direction of the star, and last the site itself.
    flipped : Tensor, (G,) bool
        Whether a flips.
    """

    quotient: Tensor
    turned: Tensor
    flipped: Tensor

    @property
    def count(self) -> int:
        return len(self.flipped)

    @classmethod
    def of(cls, lattice: str, directions: int, point: bool, flip: bool) -> LatticeFrames:
        """Make the elements for a lattice.

        Parameters
        ----------
        lattice : str
            The name of the lattice.
        directions : int
            D, the directions of the star.
        point : bool
            Whether the whole point group is in, or the identity alone.
        flip : bool
            Whether the flip of two labels is in.

        Returns
        -------
        LatticeFrames
            The elements.
        """
        kind = bravais(lattice)
        size = len(kind.operations) if point else 1
        operations, back = kind.operations[:size], inverses(kind.operations[:size])
        products = back[:, None] @ operations
        points = (products[:, :, None] == operations).all((-2, -1)).long().argmax(-1)
        flips = torch.arange(1 + flip)
        quotient = points[:, None, :, None] * len(flips) + (flips[:, None] ^ flips)[None, :, None, :]
        here = torch.full((size, 1), directions)
        turned = torch.cat([kind.permute_star(directions)[:size], here], 1).repeat_interleave(len(flips), 0)
        count = size * len(flips)
        return cls(quotient.reshape(count, count), turned, flips.bool().repeat(size))


class GroupConvolution(nn.Module):
    """out(n, a) = Σ_{δ, b} w[a⁻¹δ, a⁻¹b] · h(n + δ, b) + bias: one dense matrix for all sites.

    In: (..., G·inner), with ``reach`` the neighbors side by side (..., (D + 1)·G·inner); out: (..., G·outer).

    Parameters
    ----------
    frames : LatticeFrames
        The G group elements.
    inner, outer : int
        Channels of a site and group element, in and out.
    reach : bool
        Whether δ runs over the directions of the star and 0, or is 0 alone.
    relaxed : bool
        Whether w becomes Σ_l r_l(b) w_l with r learned, 1 at the start, where the layer is equivariant.
    precise : bool
        Whether the layer is computed in the type of the weights under autocast, too.

    References
    ----------
    Cohen, Welling: Group Equivariant Convolutional Networks (ICML 2016).

    Wang, Walters, Yu: Approximately Equivariant Networks for Imperfectly Symmetric Dynamics (ICML 2022).

    Wang et al.: Relaxed Octahedral Group Convolution for Learning Symmetry Breaking in 3D Physical Systems (2023).
    """

    index: Tensor

    def __init__(
        self,
        frames: LatticeFrames,
        inner: int,
        outer: int,
        reach: bool = False,
        relaxed: bool = False,
        precise: bool = False,
    ) -> None:
        super().__init__()
        self.linear = precise_linear if precise else functional.linear
        self.inner, self.outer, self.count = inner, outer, frames.count
        turned = frames.turned if reach else torch.zeros(frames.count, 1, dtype=torch.int64)
        self.places = turned.shape[1]
        # (places, b, a): which of the shared filters leads from b, seen in a direction, to a
        index = turned.T[:, None, :] * frames.count + frames.quotient.T[None]
        self.register_buffer("index", index.reshape(-1), persistent=False)
        fan = self.places * self.count * inner
        banks = BANKS if relaxed else 1
        # a matrix, so that an optimizer for matrices finds it
        self.weight = nn.Parameter(torch.randn(banks * fan, outer) * (fan * banks) ** -0.5)
        self.bias = nn.Parameter(torch.zeros(outer))
        self.blend = nn.Parameter(torch.ones(banks, self.count)) if relaxed else None

    def matrix(self) -> Tensor:
        """Write the whole layer as a matrix, (places·G·inner, G·outer)."""
        filters = self.weight.view(-1, self.places * self.count, self.inner * self.outer)
        full = filters.index_select(1, self.index)
        full = full.view(-1, self.places, self.count, self.count, self.inner, self.outer)
        if self.blend is not None:
            full = full * self.blend[:, None, :, None, None, None]
        full = full.sum(0) if len(full) > 1 else full[0]
        return full.transpose(2, 3).reshape(self.places * self.count * self.inner, -1)

    def forward(self, h: Tensor) -> Tensor:
        """Apply the convolution.

        Parameters
        ----------
        h : Tensor, (..., places·G·inner)
            Features; places is D + 1 with ``reach``, else 1.

        Returns
        -------
        Tensor, (..., G·outer)
            Features.
        """
        return self.linear(h, self.matrix().T, self.bias.repeat(self.count))


class Neighborhood(torch.autograd.Function):
    """Every site's neighbors side by side: (B, N, K) -> (B, N, D·K), and back by a gather as well."""

    @staticmethod
    def forward(ctx, h: Tensor, ahead: Tensor, behind: Tensor) -> Tensor:
        """Gather every site's neighbors.

        Parameters
        ----------
        ctx : object
            torch's context of an autograd function.
        h : Tensor, (B, N, K)
            Features of the sites.
        ahead : Tensor, (N, D) int64
            The site in every direction.
        behind : Tensor, (N, D) int64
            The site that sees this one in every direction.

        Returns
        -------
        Tensor, (B, N, D·K)
            Features of the neighbors, side by side.
        """
        ctx.save_for_backward(behind)
        return h.index_select(1, ahead.reshape(-1)).view(*h.shape[:2], -1)

    @staticmethod
    @once_differentiable
    # torch passes one gradient for each output; there is one
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx, gradient: Tensor
    ) -> tuple[Tensor, None, None]:
        """Sum the gradients of a site's copies, by a gather.

        Parameters
        ----------
        ctx : object
            torch's context of an autograd function.
        gradient : Tensor, (B, N, D·K)
            The gradient of the output.

        Returns
        -------
        tuple
            The gradient (B, N, K) of h; None for the others.
        """
        (behind,) = ctx.saved_tensors
        nodes, directions = behind.shape
        places = behind * directions + torch.arange(directions, device=behind.device)
        parts = gradient.view(len(gradient), nodes * directions, -1).index_select(1, places.reshape(-1))
        return parts.view(len(gradient), nodes, directions, -1).sum(2), None, None


class LatticeBlock(nn.Module):
    """A group convolution over the neighbors that widens, a squared ReLU, and one at the site that narrows.

    Normalized first. The mean over all sites and the context c enter before the convolution, so that every site sees
    the whole.

    Parameters
    ----------
    frames : LatticeFrames
        The group elements.
    channels : int
        Channels of a site and group element.
    widening : int
        Hidden channels, as a multiple of ``channels``.
    context : int
        Channels of c.
    relaxed : bool
        Whether weights may vary over group elements.
    """

    def __init__(self, frames: LatticeFrames, channels: int, widening: int, context: int, relaxed: bool) -> None:
        super().__init__()
        self.channels, self.count = channels, frames.count
        self.whole = GroupConvolution(frames, channels, channels, relaxed=relaxed, precise=True)
        self.context = PreciseLinear(context, 2 * channels)
        self.widen = GroupConvolution(frames, channels, widening * channels, reach=True, relaxed=relaxed)
        self.narrow = GroupConvolution(frames, widening * channels, channels, relaxed=relaxed)
        nn.init.zeros_(self.narrow.weight)
        nn.init.zeros_(self.context.weight)
        nn.init.zeros_(self.context.bias)

    def forward(self, h: Tensor, c: Tensor, ahead: Tensor, behind: Tensor) -> Tensor:
        """Apply the block.

        Parameters
        ----------
        h : Tensor, (B, N, G·channels)
            Features of the sites.
        c : Tensor, (B, context)
            The context of every structure.
        ahead, behind : Tensor, (N, D) int64
            The neighbors, see ``Neighborhood``.

        Returns
        -------
        Tensor, (B, N, G·channels)
            Features of the sites.
        """
        a = functional.layer_norm(h, h.shape[-1:])
        shift, scale = self.context(c).repeat(1, self.count).view(len(c), self.count, 2, -1).unbind(2)
        shift = self.whole(a.mean(1)) + shift.reshape(len(c), -1)
        a = torch.addcmul(shift[:, None], a, 1 + scale.reshape(len(c), 1, -1)).to(h.dtype)
        return h + self.narrow(SquaredReLU.apply(self.widen(Neighborhood.apply(a, ahead, behind))))
