"""Vectors in a frame: any network on scalars becomes an equivariant one on vectors."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from symdiff.config.ranges import Degree, Features
from symdiff.config.recipe import build
from symdiff.denoisers.base import Denoiser, settings_of
from symdiff.groups.orthogonal import turn
from symdiff.state import Field, Real, Schema, State, schema_from_plain, schema_to_plain

DISTANCES, WAVES = "distance", "waves"


class InFrame(Denoiser):
    """Makes any denoiser on scalars equivariant on vectors: it sees and predicts coordinates along the frame in z.

    The frame, a graph-level field ``frame`` of d vectors, rotates with the structure; coordinates along it do not. So
    nothing in ``denoiser`` has to be built for rotations, and yet f(g·x, g·z) = g·f(x, z), and the distribution of
    samples is invariant. This is frame averaging with one sampled frame.

    Vectors that are seen are predicted as x_t − t·output: right at t = 0 whatever the network says, and for a straight
    path the output is its velocity. Vectors that are not seen are the output.

    Parameters
    ----------
    schema, noisy, code : Mapping
        See ``Denoiser``.
    denoiser : Mapping
        The spec of the network on scalars.
    distances : int
        The network also sees the distances of all pairs of nodes, as Gaussians around that many lengths up to
        ``reach``.
    waves : int
        It also sees sines and cosines of the coordinates of nodes at that many wavelengths, ``reach`` and its halves.
    reach : float
        The greatest length, in the unit of the data.

    Raises
    ------
    ValueError
        For a code without a frame, or vectors that are not on nodes.

    References
    ----------
    Puny et al.: Frame Averaging for Invariant and Equivariant Network Design (ICLR 2022).
    Lawrence, Portilheiro, Zhang, Kaba: Improving Equivariant Networks with Probabilistic Symmetry Breaking (ICLR 2025).
    """

    lengths: Tensor

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        noisy: Mapping,
        code: Mapping,
        denoiser: Mapping | Denoiser,
        distances: Features = 16,
        waves: Degree = 4,
        reach: float = 8.0,
    ) -> None:
        super().__init__()
        schema, noisy, code = map(schema_from_plain, (schema, noisy, code))
        if distances < 2 or waves < 0 or reach <= 0:
            raise ValueError(f"expected distances >= 2, waves >= 0 and reach > 0, got {distances}, {waves} and {reach}")
        frame = code.get("frame")
        if not isinstance(frame, Real) or frame.axes != "whole" or not frame.vector or frame.dim != frame.vector:
            raise ValueError(f"InFrame needs a code with a field 'frame' of d vectors, got {dict(code)}")
        moving = {
            name: field
            for name, field in {**schema, **noisy}.items()
            if isinstance(field, Real) and field.vector == frame.vector
        }
        self.vectors = [name for name in noisy if name in moving]
        self.predicted = {name: field for name in moving if isinstance(field := schema.get(name), Real)}
        if not any(field.axes == "node" for field in moving.values()) or any(
            field.axes == "pair" for field in moving.values()
        ):
            raise ValueError(
                f"InFrame reads or predicts vectors of {frame.vector} components on nodes, got {dict(noisy)}"
            )
        if any(field.axes != "node" for field in self.predicted.values()):
            raise ValueError(f"InFrame predicts vectors of nodes, got {self.predicted}")
        self.waves, self.reach = waves, reach
        seen = self._scalars(noisy)
        self.points = [name for name in self.vectors if noisy[name].axes == "node"]
        for name in self.points:
            if waves:
                seen[f"{name}.{WAVES}"] = Real("node", 2 * waves * moving[name].dim * moving[name].vector)
            seen[f"{name}.{DISTANCES}"] = Real("pair", distances)
        self.seen: Schema = seen
        self.code: Schema = {name: field for name, field in code.items() if name != "frame"}
        self.register_buffer("lengths", reach * torch.linspace(0, 1, distances) ** 1.5, persistent=False)
        self.denoiser = build(
            Denoiser,
            denoiser,
            where="denoiser.denoiser",
            schema=schema_to_plain(self._scalars(schema)),
            noisy=schema_to_plain(seen),
            code=schema_to_plain(self.code),
        )
        self.register_to_config(denoiser=settings_of(self.denoiser))

    def forward(self, x: State, t: Tensor, z: State) -> State:
        """Turn vectors into the frame, evaluate the inner network, and turn its vectors back."""
        frame = z["frame"]
        values = {name: x[name] for name in x.schema if name in self.seen}
        for name in self.vectors:
            values[name] = turn(frame.to(x[name]), x[name]).flatten(-2)
        for name in self.points:
            if self.waves:
                values[f"{name}.{WAVES}"] = self._waves(values[name])
            values[f"{name}.{DISTANCES}"] = self._distances(x[name])
        inner = State(x.mask, self.seen, values)
        out = self.denoiser(inner, t, State(z.mask, self.code, {name: z[name] for name in self.code}))
        predicted = dict(out.values)
        for name, field in self.predicted.items():
            along = out[name].to(frame)
            if name in self.vectors:
                along = values[name] - t.view(-1, 1, 1) * along
            moved = turn(frame.mT.to(along), along.unflatten(2, (field.dim, field.vector)))
            predicted[name] = torch.where(x.mask[:, :, None, None], moved, 0.0)
        return State(x.mask, {**out.schema, **self.predicted}, predicted)

    def _scalars(self, schema: Schema) -> dict[str, Field]:
        """The schema with the vectors as coordinates."""
        return {
            name: Real(field.axes, field.dim * field.vector)
            if isinstance(field, Real) and (name in self.vectors or name in self.predicted)
            else field
            for name, field in schema.items()
        }

    def _waves(self, coordinates: Tensor) -> Tensor:
        frequencies = 2 * math.pi / self.reach * 2.0 ** torch.arange(self.waves, device=coordinates.device)
        angles = (coordinates[..., None] * frequencies.to(coordinates)).flatten(-2)
        return torch.cat([angles.sin(), angles.cos()], -1)

    def _distances(self, vectors: Tensor) -> Tensor:
        """Gaussians of the distances, closer and narrower where lengths are short: (B, N, N, distances)."""
        position = vectors.flatten(2)
        distance = (position[:, :, None] - position[:, None]).square().sum(-1, keepdim=True).add(1e-12).sqrt()
        widths = torch.cat([self.lengths[1:2] - self.lengths[:1], self.lengths[1:] - self.lengths[:-1]])
        return (-0.5 * ((distance - self.lengths.to(distance)) / widths.to(distance)).square()).exp()
