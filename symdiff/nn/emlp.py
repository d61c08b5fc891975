"""Equivariant multilayer perceptrons for any finite permutation group, and their relaxation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn

from symdiff.groups.closure import tuple_orbits
from symdiff.groups.permutation_group import PermutationGroup, merge_along

CHUNK = 1 << 24
"""Weights that are gathered at once."""
POINTWISE = (nn.ReLU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.ELU, nn.Softplus, nn.LeakyReLU, nn.Identity)


class EquivariantLinear(nn.Module):
    """All linear maps between tensor powers of the permutation representation that commute with a group.

    Such a map has one weight for each orbit of the group on (output tuple, input tuple), and a bias for each orbit of
    output tuples: Finzi et al. solve for the same space numerically; for permutations the indicators of the orbits are
    a basis (Maron et al.). The orbits come from the stabilizer of one output tuple of each orbit, so tuples of outputs
    and inputs together are never listed.

    Parameters
    ----------
    group : PermutationGroup
        Acts on n nodes.
    inputs, outputs : int
        The tensor order of the input and of the output: 0 (invariant), 1 (nodes) or 2 (ordered pairs).
    channels_in, channels_out : int
        Channels of each entry.
    bias : bool
        Whether there is a bias.

    Raises
    ------
    ValueError
        For an order other than 0, 1, 2.

    References
    ----------
    Finzi, Welling, Wilson: A Practical Method for Constructing Equivariant Multilayer Perceptrons for Arbitrary Matrix
    Groups (ICML 2021).

    Maron et al.: Invariant and Equivariant Graph Networks (ICLR 2019).
    """

    rows: Tensor

    def __init__(
        self, group: PermutationGroup, inputs: int, outputs: int, channels_in: int, channels_out: int, bias: bool = True
    ) -> None:
        super().__init__()
        if not {inputs, outputs} <= {0, 1, 2}:
            raise ValueError(f"tensor orders must be 0, 1 or 2, got {inputs} and {outputs}")
        self.nodes, self.inputs, self.outputs = group.nodes, inputs, outputs
        self.channels_in, self.channels_out = channels_in, channels_out
        rows = tuple_orbits(group, outputs).flatten() if outputs else torch.zeros(1, dtype=torch.long)
        self.register_buffer("rows", rows, persistent=False)
        dimension = 0
        for orbit in range(int(rows.max()) + 1):
            members = torch.nonzero(rows == orbit)[:, 0]
            first = _digits(int(members[0]), self.nodes, outputs)
            colors = _color(group.stabilizer(first) if outputs else group, inputs)
            self.register_buffer(f"colors_{orbit}", colors + dimension, persistent=False)
            self.register_buffer(f"carriers_{orbit}", _carriers(group, first, members), persistent=False)
            dimension += int(colors.max()) + 1
        self.dimension = dimension
        fan_in = channels_in * self.nodes**inputs
        self.weight = nn.Parameter(torch.randn(dimension, channels_in, channels_out) / math.sqrt(fan_in))
        self.bias = nn.Parameter(torch.zeros(int(rows.max()) + 1, channels_out)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Apply the map.

        Parameters
        ----------
        x : Tensor, (B, n, ..., channels_in)
            As many node axes as ``inputs`` says.

        Returns
        -------
        Tensor, (B, n, ..., channels_out)
            As many node axes as ``outputs`` says.
        """
        batch = len(x)
        flat = x.reshape(batch, self.nodes**self.inputs, self.channels_in)
        out = x.new_zeros(batch, len(self.rows), self.channels_out)
        entries = self.nodes**self.inputs * self.channels_in * self.channels_out
        for orbit in range(int(self.rows.max()) + 1):
            members = torch.nonzero(self.rows == orbit)[:, 0]
            carriers = getattr(self, f"carriers_{orbit}")
            for part in torch.arange(len(members), device=x.device).split(max(1, CHUNK // max(entries, 1))):
                weight = self.weight[self._colors(orbit, carriers[part])]
                out[:, members[part]] = torch.einsum("bqc,pqcd->bpd", flat, weight)
        if self.bias is not None:
            out = out + self.bias[self.rows]
        return out.view(batch, *[self.nodes] * self.outputs, self.channels_out)

    def _colors(self, orbit: int, carriers: Tensor) -> Tensor:
        """Which weight each input tuple has for output tuples that ``carriers`` (P, n) carry the first one to.

        (P, n^inputs).
        """
        colors = getattr(self, f"colors_{orbit}")
        if self.inputs == 0:
            return colors.expand(len(carriers), 1)
        back = carriers.argsort(1)
        if self.inputs == 1:
            return colors[back]
        return colors[(back[:, :, None] * self.nodes + back[:, None, :]).flatten(1)]


class RelaxedLinear(nn.Module):
    """y = ρ(g̃) W ρ(g̃)⁻¹ x + ρ(g̃) b with W commuting only with the subgroup that is kept.

    With g̃ from the inversion kernel of x the layer is relaxed equivariant under the whole group: y(h·x) is h'·y(x) for
    some h' in h·G_x. ``kept = group`` is the equivariant layer, the trivial group the fully relaxed one. Kaba and
    Ravanbakhsh build relaxation into equivariant perceptrons; their construction of the layer is not known to us, this
    is our reconstruction.

    Parameters
    ----------
    kept : PermutationGroup
        The subgroup that W commutes with.
    inputs, outputs : int
        The tensor order of the input and of the output: 0, 1 or 2.
    channels_in, channels_out : int
        Channels of each entry.

    References
    ----------
    Kaba, Ravanbakhsh: Symmetry Breaking and Equivariant Neural Networks (NeurReps 2023,
    https://arxiv.org/abs/2312.09016).
    """

    def __init__(self, kept: PermutationGroup, inputs: int, outputs: int, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.linear = EquivariantLinear(kept, inputs, outputs, channels_in, channels_out)

    def forward(self, x: Tensor, g: Tensor) -> Tensor:
        """Apply the map in the frame of g̃.

        Parameters
        ----------
        x : Tensor, (B, n, ..., channels_in)
            As many node axes as ``inputs`` says.
        g : Tensor, (B, n) int64
            g̃, as preimages.

        Returns
        -------
        Tensor, (B, n, ..., channels_out)
            As many node axes as ``outputs`` says.
        """
        moved_back = act(g.argsort(1), x, self.linear.inputs)
        return act(g, self.linear(moved_back), self.linear.outputs)


class EMLP(nn.Module):
    """A multilayer perceptron whose first layer is relaxed and whose other layers are equivariant.

    Parameters
    ----------
    group : PermutationGroup
        The group of the problem.
    orders : sequence of int
        Tensor orders of input, hidden layers and output.
    channels : sequence of int
        Channels of each, as many as ``orders``.
    kept : PermutationGroup, optional
        The subgroup that the first layer keeps; the whole group where left out, which makes the network equivariant.
    nonlinearity : callable, optional
        Applied between layers, SiLU by default. One that does not commute with permutations of the nodes is refused.

    Raises
    ------
    ValueError
        For fewer than two orders, unequal numbers of orders and channels, a subgroup that is none, or an unsafe
        nonlinearity.
    """

    def __init__(
        self,
        group: PermutationGroup,
        orders: Sequence[int],
        channels: Sequence[int],
        kept: PermutationGroup | None = None,
        nonlinearity: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        if len(orders) < 2 or len(orders) != len(channels):
            raise ValueError(
                f"expected as many channels as orders, at least 2, got {len(orders)} orders and {len(channels)} "
                "channels"
            )
        kept = group if kept is None else kept
        if kept.nodes != group.nodes or any(g not in group for g in kept.generators):
            raise ValueError("the subgroup that is kept must lie in the group")
        self.nonlinearity = nn.SiLU() if nonlinearity is None else nonlinearity
        check_permutation_safe(self.nonlinearity)
        self.first = RelaxedLinear(kept, orders[0], orders[1], channels[0], channels[1])
        steps = list(zip(orders, channels, strict=True))[1:]
        self.rest = nn.ModuleList(
            EquivariantLinear(group, a[0], b[0], a[1], b[1]) for a, b in zip(steps, steps[1:], strict=False)
        )

    def forward(self, x: Tensor, g: Tensor) -> Tensor:
        """Apply the network.

        Parameters
        ----------
        x : Tensor, (B, n, ..., C)
            The input, as many node axes as its order says.
        g : Tensor, (B, n) int64
            Drawn from the inversion kernel of x, as preimages.

        Returns
        -------
        Tensor, (B, n, ..., C')
            The output, as many node axes as its order says.
        """
        h = self.first(x, g)
        for layer in self.rest:
            h = layer(self.nonlinearity(h))
        return h


def act(g: Tensor, x: Tensor, order: int) -> Tensor:
    """Compute g·x for tensors: (g·x)_i = x_{g[i]} on every node axis.

    Parameters
    ----------
    g : Tensor, (B, n) int64
        Permutations, as preimages.
    x : Tensor, (B, n, ..., C)
        The tensors.
    order : int
        The number of node axes, behind that of the batch.

    Returns
    -------
    Tensor, (B, n, ..., C)
        The moved tensors.
    """
    for axis in range(1, 1 + order):
        index = g.view(len(g), *[-1 if k == axis else 1 for k in range(1, x.ndim)])
        x = torch.take_along_dim(x, index, axis)
    return x


def check_permutation_safe(f: Callable[[Tensor], Tensor]) -> None:
    """Check that a nonlinearity commutes with permutations of the nodes, else it would break equivariance silently.

    Parameters
    ----------
    f : callable
        From a tensor to one of the same shape; tried on random tensors of order 1 and 2.

    Raises
    ------
    ValueError
        Where it does not.
    """
    if isinstance(f, POINTWISE):
        return
    generator = torch.Generator().manual_seed(0)
    for order in (1, 2):
        x = torch.randn(3, *[6] * order, 4, generator=generator)
        g = torch.stack([torch.randperm(6, generator=generator) for _ in range(3)])
        with torch.no_grad():
            y, moved = f(x), f(act(g, x, order))
        if y.shape != x.shape or not torch.allclose(act(g, y, order), moved, atol=1e-5):
            raise ValueError(f"{f!r} does not commute with permutations of the nodes: it would break the equivariance")


def _digits(number: int, base: int, count: int) -> list[int]:
    return [number // base**k % base for k in reversed(range(count))]


def _color(group: PermutationGroup, order: int) -> Tensor:
    """The orbit of every tuple of nodes, (n^order,)."""
    n = group.nodes
    if order == 0:
        return torch.zeros(1, dtype=torch.long)
    images = [np.array(g) for g in group.generators]
    moves = images if order == 1 else [(g[:, None] * n + g).reshape(-1) for g in images]
    return merge_along(n**order, moves)


def _carriers(group: PermutationGroup, first: Sequence[int], members: Tensor) -> Tensor:
    """For each member of an orbit of tuples a permutation p of the group with p[first] = member, (P, n) int64."""
    n = group.nodes
    weights = n ** np.arange(len(first) - 1, -1, -1)
    place = {int(member): k for k, member in enumerate(members)}
    carriers = np.empty((len(members), n), dtype=np.int64)
    start = int((weights * np.array(first)).sum()) if len(first) else 0
    carriers[place[start]] = np.arange(n)
    reached, fresh = {start}, [start]
    images = [np.array(g) for g in group.generators]
    for tuple_ in fresh:
        p = carriers[place[tuple_]]
        for k in range(len(images)):
            moved = images[k][p]
            image = int((weights * moved[list(first)]).sum()) if len(first) else 0
            if image not in reached:
                reached.add(image)
                carriers[place[image]] = moved
                fresh.append(image)
    return torch.from_numpy(carriers)


def basis(layer: EquivariantLinear) -> Tensor:
    """List the indicators of the orbits: dense, for small groups and for tests.

    Parameters
    ----------
    layer : EquivariantLinear
        The layer.

    Returns
    -------
    Tensor, (dimension, n^outputs, n^inputs) float64
        One matrix for every weight.
    """
    places = torch.empty(len(layer.rows), layer.nodes**layer.inputs, dtype=torch.long)
    for orbit in range(int(layer.rows.max()) + 1):
        places[layer.rows == orbit] = layer._colors(orbit, getattr(layer, f"carriers_{orbit}"))
    return rearrange(torch.nn.functional.one_hot(places, layer.dimension).double(), "p q d -> d p q")
