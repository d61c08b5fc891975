"""All permutations of the nodes."""

from __future__ import annotations

import torch
from torch import Tensor

from symdiff.groups.base import Group
from symdiff.random import Generator, integers
from symdiff.state import State

_KEY_BITS = 52  # of a sorting key: equal keys would favor the order of the nodes


def permute_nodes(g: Tensor, x: State) -> State:
    """Move nodes and pairs by preimages: (g·x)_i = x_{g[i]}, (g·x)_ij = x_{g[i]g[j]}.

    Parameters
    ----------
    g : Tensor, (B, N) int64
        A permutation of the nodes for every structure; it must fix the padding.
    x : State
        B structures.

    Returns
    -------
    State
        The moved structures; graph-level fields are unchanged.
    """
    rows = torch.arange(g.shape[0], device=g.device)[:, None]
    values = {}
    for name, field in x.schema.items():
        value = x[name]
        if field.axes == "node":
            value = value[rows, g]
        elif field.axes == "pair":
            value = value[rows[..., None], g[:, :, None], g[:, None, :]]
        values[name] = value
    return State(x.mask, x.schema, values)


class Symmetric(Group[Tensor]):
    """S_n, all permutations of the n real nodes of every structure.

    An element is (B, N) int64 preimages that fix the padding. It has no parameters: the mask says what n is.
    """

    def identity(self, mask: Tensor) -> Tensor:
        return torch.arange(mask.shape[1], device=mask.device).expand(mask.shape).contiguous()

    def sample(self, mask: Tensor, generator: Generator | None = None) -> Tensor:
        keys = integers(_KEY_BITS, tuple(mask.shape), generator, mask)
        last = (1 << _KEY_BITS) + self.identity(mask)
        return torch.where(mask, keys, last).argsort(1)  # nodes first: padding keeps its place

    def compose(self, g: Tensor, h: Tensor) -> Tensor:
        return h.gather(1, g)

    def inverse(self, g: Tensor) -> Tensor:
        return torch.empty_like(g).scatter_(1, g, self.identity(g))

    def act(self, g: Tensor, x: State) -> State:
        return permute_nodes(g, x)
