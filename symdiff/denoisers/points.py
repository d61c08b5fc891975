"""A group convolution over points in 3D, with the symmetry of its kernels for a choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from symdiff.config.ranges import Degree, Factor, Features, Layers, Width
from symdiff.denoisers.base import Denoiser, prediction_schema
from symdiff.denoisers.context import Context
from symdiff.denoisers.inputs import Inputs, Way
from symdiff.denoisers.readout import Pooling, Readout
from symdiff.groups.orthogonal import turn
from symdiff.nn.points import TINY, Edges, KernelBasis, SeparableConvolution, dual, invariants, orientations
from symdiff.nn.pyramid import Pyramid
from symdiff.state import Real, State, schema_from_plain

Equivariance = Literal["translations", "frame", "rotations"]


class PointConvolution(Denoiser):
    """Separable convolutions over positions and directions, with kernels of the differences r = p_j − p_i.

    Internal choice, of what a kernel knows:

    =============  ==================  ==================================================
    equivariance   orientations        a kernel knows
    =============  ==================  ==================================================
    rotations      0                   |r|
    rotations      K                   r·o, |r − (r·o)o| and o·o′
    translations   0                   r
    translations   K                   r, r·o, |r − (r·o)o| and o·o′
    frame          0 or K              as translations, r taken along the frame of the code
    =============  ==================  ==================================================

    External choice: ``inputs``, which vectors enter and how.

    Permutations and, where inputs do not break them, translations are exact. So are rotations and reflections with 0
    orientations. A grid of K > 0 directions that stands still has the rotations of the grid alone, the others only
    nearly; where the code has a frame, the grid turns with it, and f(g·x, g·z) = g·f(x, z) is exact. A frame drawn
    uniformly, as in generation, is a grid at random. ``benchmarks/equivariance.py`` measures every combination.

    The labels of pairs, and the time, are arguments of the kernels of the layers. A vector that is seen and predicted
    is predicted as x_t − t·output, as by ``InFrame``; one that is not seen is the output. Memory grows with
    B·N·k·K·width.

    Parameters
    ----------
    schema : Mapping
        What is predicted, as in the data: fields by name, as ``schema_to_plain`` writes them.
    noisy : Mapping
        What is seen of the noisy structure, in the same form.
    code : Mapping
        The symmetry-breaking input z, in the same form; empty where nothing is broken.
    equivariance : {"translations", "frame", "rotations"}
        See the table; "frame" needs a code with a frame.
    orientations : int
        K, the directions of the grid: 0 or at least 4.
    inputs : Mapping of str to {"scalars", "vectors", "framed"}, optional
        Which vectors enter and how: see ``Inputs``.
    position : str
        The field of positions, one vector of 3 components a node.
    neighbors : int
        How many nearest nodes a node listens to; 0 for all pairs.
    width : int
        Channels of a node and direction.
    layers : int
        How many convolutions on the nodes.
    basis : int
        Functions that kernels are made of.
    degree : int
        Products of what a kernel knows: with 2, the numbers x, x⊗x and x⊗x⊗x enter it.
    widening : int
        The hidden width of the feed-forward parts, in widths.
    readout : int
        The rank of the bilinear forms that predict pairs.
    pooling : {"mean", "sum"}
        How numbers of the whole are read: see ``Readout``.
    unit : float
        The length, in the unit of the data, that kernels take for 1.
    levels : int
        Behind the layers, so many times a quarter of the nodes and back, for large clouds: see ``Pyramid``. Kernels of
        each level are twice as wide as before, and know no labels of pairs.

    Raises
    ------
    ValueError
        Where a number is out of its range, "frame" has no frame, or a predicted vector is none of 3 components on
        nodes.

    References
    ----------
    Vadgama et al.: Probing Equivariance and Symmetry Breaking in Convolutional Networks (NeurIPS 2025).
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        noisy: Mapping,
        code: Mapping,
        equivariance: Equivariance = "rotations",
        orientations: Features = 8,
        inputs: Mapping[str, Way] | None = None,
        position: str = "position",
        neighbors: Features = 0,
        width: Width = 128,
        layers: Layers = 5,
        basis: Width = 64,
        degree: Degree = 2,
        widening: Factor = 4,
        readout: Width = 32,
        pooling: Pooling = "mean",
        unit: float = 3.0,
        levels: Degree = 0,
    ) -> None:
        super().__init__()
        schema, noisy, code = map(schema_from_plain, (schema, noisy, code))
        if min(neighbors, orientations, degree, levels) < 0 or unit <= 0:
            raise ValueError(
                f"expected neighbors, orientations, degree, levels >= 0 and unit > 0, got {neighbors}, "
                f"{orientations}, {degree}, {levels} and {unit}"
            )
        self.inputs = Inputs(noisy, code, position, inputs)
        if equivariance == "frame" and not self.inputs.framed:
            raise ValueError(
                "equivariance: frame needs a field 'frame' of 3 vectors in the code; choose a breaker with a FrameCode"
            )
        self.equivariance, self.position, self.neighbors, self.unit = equivariance, position, neighbors, unit
        self.vectors = {name: field for name, field in schema.items() if isinstance(field, Real) and field.vector}
        self.seen = [name for name in self.vectors if noisy.get(name) == self.vectors[name]]
        self.predicted = prediction_schema({name: field for name, field in schema.items() if name not in self.vectors})
        self.schema = {name: self.predicted.get(name, field) for name, field in schema.items()}
        if any(field.axes != "node" or field.vector != 3 for field in self.vectors.values()):
            raise ValueError(f"vectors of 3 components on nodes are predicted, got {self.vectors}")

        self.context = Context(self.inputs.noisy, self.inputs.code, width)
        self.enter = nn.Linear(self.inputs.scalar_channels, width)
        per_vector = 1 if orientations else 3
        products = self.inputs.vector_channels
        entering = (
            products * (products + 1) // 2
            if equivariance == "rotations" and not orientations
            else products * per_vector
        )
        self.enter_vectors = nn.Linear(entering, width, bias=False) if entering else None
        raw, turned = 3 * (equivariance != "rotations"), 2 * bool(orientations)
        self.basis = KernelBasis(
            raw + turned or 1, basis, basis, degree, {"pairs": self.inputs.pair_channels, "context": width}
        )
        self.blocks = nn.ModuleList(SeparableConvolution(width, basis, widening) for _ in range(layers))
        self.pyramid = Pyramid(width, basis, levels, neighbors, widening) if levels else None
        self.norm = nn.LayerNorm(width)
        self.readout = Readout(self.predicted, self.inputs.noisy, width, width, readout, pooling)
        self._grid(orientations, basis)
        self.heads = nn.ModuleDict({name: self._head(field.dim, width, basis) for name, field in self.vectors.items()})

    def forward(self, x: State, t: Tensor, z: State) -> State:
        """Evaluate the kernels of all edges once, apply the convolutions, and read out numbers and vectors."""
        mask, dtype = x.mask, self.norm.weight.dtype
        with torch.autocast(x.device.type, enabled=False):
            position, frame = x[self.position].squeeze(2), self.inputs.frame(x, z)
            edges = Edges.among(position, mask, self.neighbors)
            r = (edges.gather(position) - position[:, :, None]) * edges.real[..., None]
            grid, out_of_grid = self._turn_grid(self.grid, frame, position), self._turn_grid(self.dual, frame, position)
            vectors = self.inputs.vectors(x, z)
            entering = self._read_vectors(vectors, grid, frame)
        context = self.context(*self._drop_vectors(x, t, z))
        pairs = self.inputs.pairs(x, z, dtype)

        def kernels(r: Tensor, edges: Edges, level: int) -> Tensor:
            """What the kernels know of the differences r (B, M, k, 3), zero where no edge is: (B, M, k, K, ·)."""
            with torch.autocast(x.device.type, enabled=False):
                scaled = r / (self.unit * 2**level)
                seen = invariants(
                    scaled, grid, None if self.equivariance == "rotations" else self._coordinates(scaled, frame)
                )
            labels = pairs.new_zeros(pairs.shape[-1]) if level else edges.of_pairs(pairs)[..., None, :]
            return (
                self.basis(seen, {"pairs": labels, "context": context[:, None, None, None]})
                * edges.real[..., None, None]
            )

        basis = kernels(r, edges, 0)
        around = None if grid is None or self.around_basis is None else self.around_basis(self.around[..., None])

        h = (self.enter(self.inputs.scalars(x, z, dtype)) + context[:, None])[:, :, None]
        if self.enter_vectors is not None:
            h = h + self.enter_vectors(entering.to(dtype))
        elif grid is not None:
            h = h.expand(-1, -1, len(self.grid), -1)
        for block in self.blocks:
            h = block(h, basis, around, edges)
        if self.pyramid is not None:
            h = self.pyramid(h, position, mask, kernels, around)
        h = self.norm(h)
        values = self.readout(h.mean(2), x, context)
        for name in self.vectors:
            values[name] = self._vector(name, x, t, h, basis, r, edges, vectors, frame, out_of_grid)
        return State(mask, self.schema, {name: values[name] for name in self.schema})

    def _grid(self, count: int, basis: int) -> None:
        """The directions, the way back from them, and what kernels over directions know: o·o′."""
        grid = orientations(count) if count else None
        self.register_buffer("grid", None if grid is None else grid.float())
        self.register_buffer("dual", None if grid is None else dual(grid).float())
        self.register_buffer("around", None if grid is None else (grid @ grid.mT).float())
        self.around_basis = KernelBasis(1, basis, basis) if count else None

    def _head(self, dim: int, width: int, basis: int) -> nn.Module:
        if self.grid is not None:
            return nn.Linear(width, dim, bias=False)
        if self.equivariance != "rotations":
            return nn.Linear(width, 3 * dim)
        heads = {"kernel": nn.Linear(basis, width, bias=False), "differences": nn.Linear(width, dim)}
        if self.inputs.vector_channels:
            heads["own"] = nn.Linear(width, dim * self.inputs.vector_channels)
        return nn.ModuleDict(heads)

    def _drop_vectors(self, x: State, t: Tensor, z: State) -> tuple[State, Tensor, State]:
        x, z = self.inputs.scalar_states(x, z)
        return x, t, z

    def _turn_grid(self, grid: Tensor | None, frame: Tensor | None, like: Tensor) -> Tensor | None:
        """The grid's vectors g as Σ_k g_k frame_k: (K, 3) -> (B, K, 3)."""
        if grid is None:
            return None
        grid = grid.to(like).expand(len(like), -1, -1)
        return grid if frame is None else turn(frame.mT, grid)

    def _coordinates(self, v: Tensor, frame: Tensor | None) -> Tensor:
        """The coordinates of v (B, ..., 3): along the frame, or as they are."""
        return turn(frame, v) if self.equivariance == "frame" and frame is not None else v

    def _read_vectors(self, vectors: Tensor, grid: Tensor | None, frame: Tensor | None) -> Tensor:
        """What the network reads of a node's vectors (B, N, V, 3): (B, N, K, ·)."""
        if grid is not None:
            return (vectors[:, :, None] * grid[:, None, :, None]).sum(-1)
        if self.equivariance != "rotations":
            return self._coordinates(vectors, frame).flatten(2)[:, :, None]
        first, second = torch.triu_indices(vectors.shape[2], vectors.shape[2], device=vectors.device)
        return (vectors[:, :, first] * vectors[:, :, second]).sum(-1)[:, :, None]

    def _vector(self, name, x, t, h, basis, r, edges, vectors, frame, out_of_grid) -> Tensor:
        """The vectors that are read out, Σ_o (scalar of o)·(dual of o): (B, N, dim, 3)."""
        head, like, field = self.heads[name], x[self.position], self.vectors[name]
        if self.grid is not None:
            out = torch.einsum("bnod,bok->bndk", head(h).to(like), out_of_grid)
        elif self.equivariance == "rotations":
            assert isinstance(head, nn.ModuleDict)
            h = h.squeeze(2)
            kernel = head["kernel"](basis.squeeze(3)) * edges.gather(h)
            direction = r / (self.unit + (r.square().sum(-1, keepdim=True) + TINY).sqrt())
            share = (head["differences"](kernel).to(like) * edges.real[..., None]) * edges.scale[..., None].to(like)
            out = torch.einsum("bnjd,bnjk->bndk", share, direction)
            if "own" in head:
                own = head["own"](h).to(like).unflatten(-1, (field.dim, -1))
                out = out + torch.einsum("bndv,bnvk->bndk", own, vectors)
        else:
            out = head(h.squeeze(2)).to(like).unflatten(-1, (field.dim, 3))
            out = turn(frame.mT, out) if self.equivariance == "frame" else out
        if name in self.seen:
            out = x[name] - t.to(like).view(-1, 1, 1, 1) * out
        return torch.where(x.mask[:, :, None, None], out, 0.0)
