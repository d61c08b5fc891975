"""Layers whose features are irreducible representations of O(3), on e3nn."""

from __future__ import annotations

from typing import cast

import torch
from e3nn import o3
from e3nn.nn import Gate
from torch import Tensor, nn
from torch.nn import functional

from symdiff.nn.points import TINY, Edges

_COUPLING = "_w3j_"


def harmonics(r: Tensor, degree: int) -> Tensor:
    """Compute spherical harmonics of directions.

    Normalized so that each component is 1 in the mean square; zero above degree 0 where r is.

    Parameters
    ----------
    r : Tensor, (..., 3)
        Vectors of any length.
    degree : int
        The highest degree.

    Returns
    -------
    Tensor, (..., (degree + 1)²)
        All degrees from 0 on.
    """
    direction = r / (r.square().sum(-1, keepdim=True) + TINY).sqrt()
    return o3.spherical_harmonics(list(range(degree + 1)), direction, normalize=False, normalization="component")


def make_irreps(irreps: str | list) -> o3.Irreps:
    """Make representations from a text or from pairs (count, representation).

    Parameters
    ----------
    irreps : str or list
        Such as ``64x0e + 32x1o``.

    Returns
    -------
    e3nn.o3.Irreps
        The representations, in this order.
    """
    return o3.Irreps(irreps)  # pyright: ignore[reportReturnType]  # e3nn's metaclass hides the type


def read_irreps(irreps: str) -> o3.Irreps:
    """Read and check the representations of a recipe.

    Parameters
    ----------
    irreps : str
        Such as ``64x0e + 32x1o``.

    Returns
    -------
    e3nn.o3.Irreps
        The representations, scalars first.

    Raises
    ------
    ValueError
        For another text, one without scalars, more than 8192 channels or an order above 8.
    """
    try:
        read = make_irreps(irreps)
    except (ValueError, AssertionError):
        raise ValueError(f"irreps: expected something like '64x0e + 32x1o + 16x2e', got {irreps!r}") from None
    read = make_irreps([(count, one) for count, one in read if count])
    if read.dim > 8192 or read and read.lmax > 8:
        raise ValueError(f"irreps: expected at most 8192 channels and order 8, got {irreps!r}")
    if "0e" not in read:
        raise ValueError(f"irreps: scalars (0e) are needed, got {irreps!r}")
    return make_irreps([pair for pair in read if pair.ir.l == 0] + [pair for pair in read if pair.ir.l > 0]).regroup()


def renew(module: nn.Module) -> None:
    """Give e3nn's coupling coefficients the precision of their tensors.

    They are made in float32, and stay so, rounded, under ``double()``.

    Parameters
    ----------
    module : torch.nn.Module
        The module, whose buffers are changed in place.
    """
    for name, buffer in module.named_buffers():
        last = name.rpartition(".")[2]
        if last.startswith(_COUPLING) and not buffer.is_meta:
            exact = o3.wigner_3j(*map(int, last.removeprefix(_COUPLING).split("_")), dtype=torch.float64)
            buffer.copy_(exact)


class SteerableNorm(nn.Module):
    """Scalars are normalized by mean and standard deviation over their channels, others by their root mean square.

    Parameters
    ----------
    irreps : o3.Irreps
        The channels of a node.
    """

    def __init__(self, irreps: o3.Irreps) -> None:
        super().__init__()
        # plain numbers, for torch.compile cannot guard e3nn's representations
        self.parts = [
            (place.start, place.stop, count, one.dim, one.l == 0 and one.p == 1)
            for (count, one), place in zip(irreps, irreps.slices(), strict=True)
        ]
        self.gains = nn.ParameterList(torch.ones(count) for count, _ in irreps)

    def forward(self, h: Tensor) -> Tensor:
        """Normalize.

        Parameters
        ----------
        h : Tensor, (..., irreps.dim)
            Features, the components of each channel side by side.

        Returns
        -------
        Tensor, (..., irreps.dim)
            Features.
        """
        parts = []
        for (start, stop, count, dim, scalar), gain in zip(self.parts, self.gains, strict=True):
            part = h[..., start:stop]
            if scalar:
                parts.append(functional.layer_norm(part, (count,), gain))
                continue
            part = part.unflatten(-1, (count, dim))
            scale = (part.square().mean((-2, -1), keepdim=True) + 1e-5).rsqrt()
            parts.append((part * scale * gain[:, None]).flatten(-2))
        return torch.cat(parts, -1)


class SteerableLayer(nn.Module):
    """Messages h_j ⊗ Y(r_ij) with weights of the edge, summed and gated; with a residual.

    The sum is divided by the root of its length.

    Parameters
    ----------
    irreps : o3.Irreps
        The channels of a node.
    degree : int
        The highest degree of the spherical harmonics Y.
    edge : int
        Channels of what the weights of an edge depend on.

    Raises
    ------
    ValueError
        For representations that the gate would put in another order.

    References
    ----------
    Batzner et al.: E(3)-equivariant graph neural networks for data-efficient and accurate interatomic potentials
    (Nature Communications 2022).
    """

    def __init__(self, irreps: o3.Irreps, degree: int, edge: int) -> None:
        super().__init__()
        along = o3.Irreps.spherical_harmonics(degree)
        paths = [
            (i, j, count, out)
            for i, (count, one) in enumerate(irreps)
            for j, (_, other) in enumerate(along)
            for out in one * other
            if out in irreps
        ]
        made = make_irreps([(count, out) for _, _, count, out in paths])
        made, place, _ = made.sort()
        instructions = [(i, j, place[k], "uvu", True) for k, (i, j, _, _) in enumerate(paths)]
        scalars = o3.Irreps([pair for pair in irreps if pair.ir.l == 0])
        gated = make_irreps([pair for pair in irreps if pair.ir.l > 0])
        gates = o3.Irreps([(gated.num_irreps, "0e")] if gated.num_irreps else [])
        activations = [functional.silu if pair.ir.p == 1 else torch.tanh for pair in scalars]
        self.gate = Gate(scalars, activations, gates, [torch.sigmoid] * len(gates), gated)
        if self.gate.irreps_out != irreps:
            raise ValueError(f"irreps: {irreps} come out of the gate as {self.gate.irreps_out}")
        self.norm = SteerableNorm(irreps)
        self.product = o3.TensorProduct(irreps, along, made, instructions, shared_weights=False, internal_weights=False)
        self.weigh = nn.Linear(edge, cast(int, self.product.weight_numel))
        self.mix = o3.Linear(made.simplify(), self.gate.irreps_in)
        self.own = o3.Linear(irreps, self.gate.irreps_in)

    def forward(self, h: Tensor, along: Tensor, edge: Tensor, edges: Edges) -> Tensor:
        """Apply the layer.

        Parameters
        ----------
        h : Tensor, (B, N, irreps.dim)
            Features of the nodes.
        along : Tensor, (B, N, k, (degree + 1)²)
            Spherical harmonics of the edges.
        edge : Tensor, (B, N, k, edge)
            What the weights depend on.
        edges : Edges
            The edges.

        Returns
        -------
        Tensor, (B, N, irreps.dim)
            Features of the nodes.
        """
        inner = self.norm(h)
        messages = self.product(edges.gather(inner), along, self.weigh(edge)) * edges.real[..., None]
        return h + self.gate(self.mix(messages.sum(2) * edges.scale.to(h)) + self.own(inner))
