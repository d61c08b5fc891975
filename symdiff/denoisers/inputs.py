"""Which vectors a network sees, and how: the external choice of a symmetry.

What stays of rotations and mirrors, by kernels (internal) and inputs (external): exact for the structure *alone*, with
z as it is; or *jointly*, when the frame in z turns with it.

=========================  ====================  ====================  ====================  =============  ============
kernels                    nothing, or vectors   the same, and a       frame as vectors, or  frame as       velocity or
                           other than a frame    frame in the code     anything framed       scalars        position as
                                                 that does not enter                                        scalars
=========================  ====================  ====================  ====================  =============  ============
steerable                  alone                 alone, jointly        jointly               alone          neither
rotations, 0 directions    alone                 alone, jointly        jointly               alone          neither
rotations, K directions    neither, but nearly   jointly               jointly               nearly alone   neither
frame, 0 or K directions   (needs a frame)       jointly               jointly               neither        neither
translations, 0 or K       neither               neither               neither               neither        neither
=========================  ====================  ====================  ====================  =============  ============

Permutations are always exact, translations unless the position itself enters. ``InFrame`` around any network keeps
rotations jointly. ``benchmarks/equivariance.py`` prints the errors, which a test holds against this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from symdiff.errors import nearest
from symdiff.groups.orthogonal import turn
from symdiff.nn.features import channels, encode
from symdiff.state import Real, Schema, State

Way = Literal["scalars", "vectors", "framed"]
FRAME = "frame"


class Inputs:
    """The vectors of nodes, of the whole and of the code's frame that enter a network, each by name and way.

    The ways are

    - ``vectors``, which turn with the structure;
    - ``scalars``, their coordinates, which the network takes for numbers that do not turn: this breaks rotations;
    - ``framed``, their coordinates along the frame, which do not turn when the frame turns with the structure.

    Labels and scalars always enter.

    Parameters
    ----------
    noisy, code : Mapping of str to Field
        The schemas of the noisy structure and of the symmetry-breaking input.
    position : str
        The field of positions, one vector of 3 components on every node.
    chosen : Mapping of str to {"scalars", "vectors", "framed"}, optional
        The way of every name. None lets all enter as vectors but the ``position``, which every layer sees through
        differences anyway: entering as vectors or scalars it breaks translations, unless the data are centered.

    Raises
    ------
    ValueError
        For a position, a name or a way that does not fit the schemas.

    References
    ----------
    Vadgama et al.: Probing Equivariance and Symmetry Breaking in Convolutional Networks (NeurIPS 2025).
    """

    def __init__(self, noisy: Schema, code: Schema, position: str, chosen: Mapping[str, Way] | None = None) -> None:
        known = {name: field for name, field in {**code, **noisy}.items() if isinstance(field, Real) and field.vector}
        where = known.get(position)
        if position not in noisy or where is None or where.axes != "node" or (where.dim, where.vector) != (1, 3):
            raise ValueError(
                f"position needs a field of one vector of 3 components on every node, got {position!r}: {where}"
            )
        for name, field in known.items():
            if field.vector != 3 or field.axes == "pair":
                raise ValueError(
                    f"field {name!r} is {field}: expected vectors of 3 components, on nodes or graph-level"
                )
        self.framed = FRAME in code and FRAME in known and known[FRAME].dim == 3
        if chosen is None:
            chosen = {name: "vectors" for name in known if name != position}
        for name, way in chosen.items():
            if name not in known:
                raise ValueError(f"inputs.{name}: no such vectors{nearest(name, known)}")
            if way == "framed" and (not self.framed or name == FRAME):
                raise ValueError(
                    f"inputs.{name}: framed needs another field 'frame' of 3 vectors in the code; choose a breaker "
                    "with a FrameCode"
                )
        self.position, self.chosen = position, dict(chosen)
        self.dims = {name: known[name].dim for name in chosen}
        self.noisy = {name: field for name, field in noisy.items() if name not in known}
        self.code = {name: field for name, field in code.items() if name not in known}
        flat = sum(3 * self.dims[name] for name, way in chosen.items() if way != "vectors")
        self.scalar_channels = 1 + flat + channels(self.noisy, "node") + channels(self.code, "node")
        self.pair_channels = channels(self.noisy, "pair") + channels(self.code, "pair")
        self.vector_channels = sum(self.dims[name] for name, way in chosen.items() if way == "vectors")

    def frame(self, x: State, z: State) -> Tensor | None:
        """Read the frame along which vectors are taken as ``framed``.

        Parameters
        ----------
        x, z : State
            The noisy structure and the symmetry-breaking input.

        Returns
        -------
        Tensor or None
            (B, 3, 3), the frame's vectors as rows, in the precision of the positions; None where nothing is framed.
        """
        return z[FRAME].to(x[self.position]) if self.framed else None

    def scalars(self, x: State, z: State, dtype: torch.dtype) -> Tensor:
        """Collect what enters a node as numbers: labels, scalars, and coordinates of vectors.

        Parameters
        ----------
        x, z : State
            The noisy structure and the symmetry-breaking input.
        dtype : torch.dtype
            The floating type of the result.

        Returns
        -------
        Tensor
            (B, N, scalar_channels), zero at padding.
        """
        here = x.mask[..., None].to(dtype)
        parts = [here, *encode(x.only(*self.noisy), "node", dtype), *encode(z.only(*self.code), "node", dtype)]
        for name, way in self.chosen.items():
            if way != "vectors":
                vectors = self._vectors(name, x, z)
                frame = self.frame(x, z) if way == "framed" else None
                if frame is not None:
                    vectors = turn(frame, vectors)
                parts.append(vectors.flatten(2).to(dtype))
        return torch.cat(parts, -1) * here

    def vectors(self, x: State, z: State) -> Tensor:
        """Collect the vectors that enter a node as such.

        Parameters
        ----------
        x, z : State
            The noisy structure and the symmetry-breaking input.

        Returns
        -------
        Tensor
            (B, N, vector_channels, 3), zero at padding, in the precision of the positions.
        """
        parts = [self._vectors(name, x, z) for name, way in self.chosen.items() if way == "vectors"]
        if not parts:
            return x[self.position][:, :, :0]
        return torch.cat(parts, 2) * x.mask[..., None, None]

    def pairs(self, x: State, z: State, dtype: torch.dtype) -> Tensor:
        """Collect the labels and scalars of ordered pairs.

        Parameters
        ----------
        x, z : State
            The noisy structure and the symmetry-breaking input.
        dtype : torch.dtype
            The floating type of the result.

        Returns
        -------
        Tensor
            (B, N, N, pair_channels).
        """
        parts = encode(x.only(*self.noisy), "pair", dtype) + encode(z.only(*self.code), "pair", dtype)
        return (
            torch.cat(parts, -1)
            if parts
            else torch.zeros(*x.mask.shape, x.mask.shape[1], 0, dtype=dtype, device=x.device)
        )

    def scalar_states(self, x: State, z: State) -> tuple[State, State]:
        """Leave out the vectors of both.

        Parameters
        ----------
        x, z : State
            The noisy structure and the symmetry-breaking input.

        Returns
        -------
        tuple of State
            Both with their labels and scalars only.
        """
        return x.only(*self.noisy), z.only(*self.code)

    def _vectors(self, name: str, x: State, z: State) -> Tensor:
        source = x if name in x.schema else z
        value = source[name].to(x[self.position])
        if source.schema[name].axes == "whole":
            value = value[:, None].expand(-1, x.mask.shape[1], -1, -1)
        return value
