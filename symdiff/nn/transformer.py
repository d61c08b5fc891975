"""A transformer block over the nodes of a structure."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional


def attend(query_key_value: Tensor, bias: Tensor, heads: int) -> Tensor:
    """Compute attention with a bias for every pair.

    Written out: graphs have few nodes and a bias, for which the fused kernels are slower (four times, on a CPU with 9
    nodes), and their pairs take N² memory anyway. So is the softmax: torch's is five times as slow over few nodes.

    Parameters
    ----------
    query_key_value : Tensor, (B, N, 3·width)
        Queries, keys and values of all heads.
    bias : Tensor, (B, heads, N, N)
        Added to the logits of the attention.
    heads : int
        The number of heads.

    Returns
    -------
    Tensor, (B, N, width)
        The values that each node attends to, averaged.
    """
    query, key, value = rearrange(query_key_value, "b n (three h d) -> three b h n d", three=3, h=heads)
    logits = (query * query.shape[-1] ** -0.5) @ key.mT + bias.to(query.dtype)
    logits = logits if logits.dtype == torch.float64 else logits.float()
    weights = (logits - logits.detach().amax(-1, keepdim=True)).exp()
    weights = weights / weights.sum(-1, keepdim=True)
    return rearrange(weights.to(value.dtype) @ value, "b h n d -> b n (h d)")


class Block(nn.Module):
    """Attention among nodes, with a bias for every pair, then a widening layer at each node; normalized first.

    The activation is the squared ReLU, several times cheaper than a GELU on a CPU.

    Parameters
    ----------
    width : int
        Channels of a node, a multiple of ``heads``.
    heads : int
        The number of attention heads.
    widening : int
        The hidden width, as a multiple of ``width``.

    Raises
    ------
    ValueError
        Where ``width`` is no multiple of ``heads``.

    References
    ----------
    So et al.: Primer (NeurIPS 2021).
    """

    def __init__(self, width: int, heads: int, widening: int = 4) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width must be a multiple of heads, got {width} and {heads}")
        self.heads = heads
        self.before_attention = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.attended = nn.Linear(width, width)
        self.before_widening = nn.LayerNorm(width)
        self.widen = nn.Linear(width, widening * width)
        self.narrow = nn.Linear(widening * width, width)

    def forward(self, h: Tensor, bias: Tensor) -> Tensor:
        """Apply the block.

        Parameters
        ----------
        h : Tensor, (B, N, width)
            Features of the nodes.
        bias : Tensor, (B, heads, N, N)
            Added to the logits of the attention.

        Returns
        -------
        Tensor, (B, N, width)
            Features of the nodes.
        """
        h = h + self.attended(attend(self.query_key_value(self.before_attention(h)), bias, self.heads))
        return h + self.narrow(SquaredReLU.apply(self.widen(self.before_widening(h))))


class SquaredReLU(torch.autograd.Function):
    """max(x, 0)², faster than as two operations: the derivative 2·max(x, 0) is one product with what is kept."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        """Compute max(x, 0)².

        Parameters
        ----------
        ctx : object
            torch's context of an autograd function.
        x : Tensor
            Any shape.

        Returns
        -------
        Tensor
            The same shape.
        """
        rectified = functional.relu(x)
        ctx.save_for_backward(rectified)
        return rectified * rectified

    @staticmethod
    @once_differentiable
    # torch passes one gradient for each output; there is one
    def backward(ctx, gradient: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Multiply the gradient by 2·max(x, 0).

        Parameters
        ----------
        ctx : object
            torch's context of an autograd function.
        gradient : Tensor
            The gradient of the output.

        Returns
        -------
        Tensor
            The gradient of x.
        """
        return (gradient * ctx.saved_tensors[0]).mul_(2)
