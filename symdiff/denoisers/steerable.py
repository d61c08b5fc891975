"""A steerable network over points in 3D, on e3nn."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from diffusers.configuration_utils import register_to_config
from e3nn import o3
from torch import Tensor, nn
from torch.nn import functional

from symdiff.config.ranges import Features, Layers, Width
from symdiff.denoisers.base import Denoiser, prediction_schema
from symdiff.denoisers.context import Context
from symdiff.denoisers.inputs import Inputs, Way
from symdiff.denoisers.readout import Pooling, Readout
from symdiff.nn.points import TINY, Edges
from symdiff.nn.steerable import SteerableLayer, SteerableNorm, harmonics, read_irreps, renew
from symdiff.state import Real, State, schema_from_plain


class SteerableNetwork(Denoiser):
    """Messages of spherical harmonics and gates: exactly equivariant under S_n x O(3), and translations.

    A vector that is seen and predicted is predicted as x_t − t·output, as by ``InFrame``. It computes in the precision
    of its parameters, under autocast too. Needs e3nn (the extra ``steerable``).

    Parameters
    ----------
    schema : Mapping
        What is predicted, as in the data: fields by name, as ``schema_to_plain`` writes them.
    noisy : Mapping
        What is seen of the noisy structure, in the same form.
    code : Mapping
        The symmetry-breaking input z, in the same form; empty where nothing is broken.
    irreps : str
        The channels of a node by their representation, in e3nn's words: ``64x0e + 32x1o + 16x2e`` are 64 scalars, 32
        vectors and 16 traceless tensors. Without ``0o`` or ``1e`` it cannot tell a structure from its mirror image but
        by a frame.
    inputs : Mapping of str to {"scalars", "vectors", "framed"}, optional
        Which vectors enter and how: see ``Inputs``. Those as scalars break rotations; a frame among the vectors breaks
        them for the structure alone and keeps them jointly.
    position : str
        The field of positions, one vector of 3 components a node.
    neighbors : int
        How many nearest nodes a node listens to; 0 for all pairs.
    layers : int
        How many layers of messages.
    radial : int
        Gaussians of the distance, from 0 to ``reach``: at least 2.
    edge_width : int
        Channels of what the weights of messages depend on, and of the context.
    reach : float
        The center of the last Gaussian, in the unit of the data.
    readout : int
        The rank of the bilinear forms that predict pairs.
    pooling : {"mean", "sum"}
        How numbers of the whole are read: see ``Readout``.

    Raises
    ------
    ValueError
        Where a number is out of its range, ``irreps`` lack the vectors (``1o``) that a prediction needs, or a predicted
        vector is none of 3 components on nodes.
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        noisy: Mapping,
        code: Mapping,
        irreps: str = "64x0e + 32x1o + 16x2e",
        inputs: Mapping[str, Way] | None = None,
        position: str = "position",
        neighbors: Features = 0,
        layers: Layers = 4,
        radial: Features = 16,
        edge_width: Width = 64,
        reach: float = 8.0,
        readout: Width = 32,
        pooling: Pooling = "mean",
    ) -> None:
        super().__init__()
        schema, noisy, code = map(schema_from_plain, (schema, noisy, code))
        if neighbors < 0 or radial < 2 or reach <= 0:
            raise ValueError(
                f"expected neighbors >= 0, radial >= 2 and reach > 0, got {neighbors}, {radial} and {reach}"
            )
        self.inputs = Inputs(noisy, code, position, inputs)
        self.position, self.neighbors, self.irreps = position, neighbors, read_irreps(irreps)
        self.vectors = {name: field for name, field in schema.items() if isinstance(field, Real) and field.vector}
        self.seen = [name for name in self.vectors if noisy.get(name) == self.vectors[name]]
        self.predicted = prediction_schema({name: field for name, field in schema.items() if name not in self.vectors})
        self.schema = {name: self.predicted.get(name, field) for name, field in schema.items()}
        if any(field.axes != "node" or field.vector != 3 for field in self.vectors.values()):
            raise ValueError(f"vectors of 3 components on nodes are predicted, got {self.vectors}")
        if self.vectors and "1o" not in self.irreps:
            raise ValueError(f"irreps: vectors (1o) are needed to predict {', '.join(self.vectors)}, got {irreps!r}")

        self.degree, width = self.irreps.lmax, self.irreps.count("0e")
        self._scalars = next(
            place for pair, place in zip(self.irreps, self.irreps.slices(), strict=True) if pair.ir == o3.Irrep("0e")
        )
        self.context = Context(self.inputs.noisy, self.inputs.code, edge_width)
        self.enter = nn.Linear(self.inputs.scalar_channels + edge_width, width)
        entering = o3.Irreps([(width, "0e"), (self.inputs.vector_channels, "1o")])
        self.lift = o3.Linear(o3.Irreps([pair for pair in entering if pair.mul]), self.irreps)
        self.register_buffer("lengths", torch.linspace(0, reach, radial))
        self.edge = nn.Linear(radial + 1 + self.inputs.pair_channels, edge_width)
        self.edge_context = nn.Linear(edge_width, edge_width, bias=False)
        self.edge_second = nn.Linear(edge_width, edge_width)
        self.blocks = nn.ModuleList(SteerableLayer(self.irreps, self.degree, edge_width) for _ in range(layers))
        self.norm = SteerableNorm(self.irreps)
        self.readout = Readout(self.predicted, self.inputs.noisy, width, edge_width, readout, pooling)
        self.heads = nn.ModuleDict(
            {name: o3.Linear(self.irreps, f"{field.dim}x1o") for name, field in self.vectors.items()}
        )

    def forward(self, x: State, t: Tensor, z: State) -> State:
        """Pass messages of irreducible representations, in the precision of the parameters, under autocast too."""
        with torch.autocast(x.device.type, enabled=False):
            return self._forward(x, t, z)

    def _forward(self, x: State, t: Tensor, z: State) -> State:
        mask, dtype = x.mask, self.enter.weight.dtype
        position = x[self.position].squeeze(2)
        edges = Edges.among(position, mask, self.neighbors)
        r = (edges.gather(position) - position[:, :, None]) * edges.real[..., None]
        along = harmonics(r, self.degree).to(dtype)
        seen, code = self.inputs.scalar_states(x, z)
        context = self.context(seen, t.to(dtype), code)
        edge = self._edge(r, edges.of_pairs(self.inputs.pairs(x, z, dtype)), context)
        scalars = self.inputs.scalars(x, z, dtype)
        scalars = self.enter(torch.cat([scalars, context[:, None].expand(-1, mask.shape[1], -1)], -1))
        h = self.lift(torch.cat([scalars, self.inputs.vectors(x, z).flatten(2).to(dtype)], -1))
        for block in self.blocks:
            h = block(h, along, edge, edges)
        h = self.norm(h)
        values = self.readout(h[..., self._scalars], x, context)
        for name, field in self.vectors.items():
            out = self.heads[name](h).to(x[self.position]).unflatten(-1, (field.dim, 3))
            if name in self.seen:
                out = x[name] - t.to(out).view(-1, 1, 1, 1) * out
            values[name] = torch.where(mask[:, :, None, None], out, 0.0)
        return State(mask, self.schema, {name: values[name] for name in self.schema})

    def _edge(self, r: Tensor, pairs: Tensor, context: Tensor) -> Tensor:
        """What the weights of messages depend on: the distance, the labels of the pair, the context."""
        distance = (r.square().sum(-1, keepdim=True) + TINY).sqrt().to(pairs.dtype)
        width = self.lengths[1]
        waves = (-0.5 * ((distance - self.lengths) / width).square()).exp()
        h = (
            self.edge(torch.cat([waves, distance / self.lengths[-1], pairs], -1))
            + self.edge_context(context)[:, None, None]
        )
        return functional.silu(self.edge_second(functional.silu(h)))

    def _apply(self, fn: Callable, recurse: bool = True) -> SteerableNetwork:
        """After a change of precision the coupling coefficients are made anew."""
        super()._apply(fn, recurse)
        renew(self)
        return self
