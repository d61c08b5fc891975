"""Frames and node orders of points in 3D, from their principal axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from symdiff.canonical import axes, coloring, refinement
from symdiff.canonical.axes import Cloud
from symdiff.canonical.base import Canonicalizer
from symdiff.canonical.traversal import traverse
from symdiff.groups.base import Element
from symdiff.groups.orthogonal import Orthogonal
from symdiff.groups.permutations import Symmetric
from symdiff.groups.product import DirectProduct
from symdiff.random import Generator, mix
from symdiff.state import Categorical, State

Order = Literal["unnamed", "stored", "graph", "distance"]
GAP = 0.02
"""Principal axes count as alike where their lengths (root mean squares) differ by less than this share of the
greatest."""
PORTION = 4096
"""Frames that are compared together."""
_KEY = (1.0, 0.6180339887, 0.3247179572)


class Frames(Canonicalizer):
    """The canonical pose has its principal axes along x, y and z, longest first, and the greater skewness ahead.

    An element of O(3), or of SO(3) with ``special``, is the frame whose columns are those axes. Where two principal
    axes are nearly as long, they are laid along points, and among frames that skewness does not tell apart the one is
    taken in which the labelled points give the greater sum of waves; what is still alike is a symmetry of the
    structure. So draws are uniform on the whole coset γ(x)·Stab(x), that of a methane's 24 symmetries or of the turns
    of a linear molecule, too, as far as ``tolerance`` tells a symmetry from none.

    Parameters
    ----------
    nodes : {"unnamed", "stored", "graph", "distance"}
        "unnamed": frames alone, which no order of the nodes changes: the group is O(3). Else it is S_n x O(3), with the
        nodes as they are "stored" (the identity is drawn, as ``Stored`` does), in depth-first order along the "graph"
        of the labels, or refined by "distance", that is by labels and the distances of all pairs; what the refinement
        leaves open, the pose decides.
    special : bool
        Rotations alone, no reflections.
    field : str
        The positions, one vector a node; only their differences from the mean count.
    fields : sequence of str, optional
        The labels that are read, of nodes and undirected pairs, all by default.
    tolerance : float
        Differences below it are none, in the unit of the positions.

    Raises
    ------
    ValueError
        Where ``tolerance`` is not positive, or ``nodes`` has another name.
    """

    def __init__(
        self,
        nodes: Order = "unnamed",
        special: bool = False,
        field: str = "position",
        fields: Sequence[str] | None = None,
        tolerance: float = 0.02,
    ) -> None:
        if nodes not in get_args(Order):
            raise ValueError(f"nodes must be one of {get_args(Order)}, got {nodes!r}")
        if not tolerance > 0:
            raise ValueError(f"tolerance must be more than 0, got {tolerance}")
        self.nodes, self.special, self.field, self.tolerance = nodes, special, field, tolerance
        self.fields = None if fields is None else list(fields)
        self._space = Orthogonal(3, special)
        self.group = self._space if nodes == "unnamed" else DirectProduct([Symmetric(), self._space])

    def element(self, x: State) -> Element:
        """Compute c with c⁻¹·x canonical.

        For "unnamed" nodes c is (B, 3, 3) float64; else this behind (B, N) int64 positions of the nodes in their order.
        """
        x = self._read(x)
        frame = torch.empty(len(x), 3, 3, dtype=torch.float64, device=x.device)
        for rows, frames, canonical in self._frames(x):
            upright = torch.where(canonical, frames.diagonal(dim1=2, dim2=3).sum(-1), -torch.inf)
            frame[rows] = frames[
                torch.arange(len(rows), device=x.device), upright.argmax(1)
            ]  # some choice, the draw of h makes it fair
        if self.nodes == "unnamed":
            return frame
        return self._positions(x, frame), frame

    def sample(self, x: State, generator: Generator | None = None) -> Element:
        """Draw g with g⁻¹·x canonical, uniformly among all such g.

        With "stored" nodes, among those that leave the nodes. Where x has graph-level fields alone, a property of a
        molecule to be, that is all of the group.
        """
        if x.schema and all(field.axes == "whole" and not getattr(field, "vector", 0) for field in x.schema.values()):
            return self.group.sample(x.mask, generator)
        x = self._read(x)
        if self.nodes != "stored":
            return super().sample(x, generator)
        turn = self._space.sample(x.mask, generator)
        same, frame = self.element(self._space.act(turn, x))
        return same, self._space.compose(self._space.inverse(turn), frame)

    def automorphisms(self, x: State) -> Tensor:
        """Count the elements g with g·x = x.

        Parameters
        ----------
        x : State
            B structures.

        Returns
        -------
        Tensor, (B,) float64
            The counts; inf for points on a line, nan for axes above order 12.
        """
        x = self._read(x)
        count = torch.empty(len(x), dtype=torch.float64, device=x.device)
        for rows, frames, canonical in self._frames(x):
            count[rows] = axes.count_different(frames, canonical)
        return torch.where(axes.principal(self._cloud(x))[0][:, 1] < self.tolerance, torch.inf, count)

    def _read(self, x: State) -> State:
        """The fields that are read, positions in float64 around their mean."""
        field = x.schema.get(self.field)
        if field is None or field.axes != "node" or field.trailing != (1, 3):
            raise ValueError(f"field {self.field!r} needs one vector of 3 components a node, got {field}")
        labels = [name for name, kind in x.schema.items() if isinstance(kind, Categorical) and kind.axes != "whole"]
        names = labels if self.fields is None else self.fields
        point = x[self.field].double()
        mean = point.sum(1, keepdim=True) / x.num_nodes.clamp_min(1).view(-1, 1, 1, 1)
        centered = torch.where(x.mask[..., None, None], point - mean, 0.0)
        return x.only(*coloring.named_fields(x, names), self.field).with_values(**{self.field: centered})

    def _names(self, x: State) -> list[str]:
        return [name for name in x.schema if name != self.field]

    def _cloud(self, x: State) -> Cloud:
        """The nodes with what tells them apart."""
        colors = self._colors(x)
        return Cloud(x[self.field][:, :, 0], colors, x.mask)

    def _colors(self, x: State) -> Tensor:
        if self.nodes == "stored":
            return torch.arange(x.mask.shape[1], device=x.device).expand(x.mask.shape)
        return coloring.node_codes(x, self._names(x))

    def _add_bonds(self, x: State, cloud: Cloud) -> Cloud:
        """The nodes, and the middle of every pair with a label as a point of its own."""
        if self.nodes == "stored" or not any(x.schema[name].axes == "pair" for name in self._names(x)):
            return cloud
        codes = coloring.pair_codes(x, self._names(x)).triu(1)
        row, i, j = codes.nonzero(as_tuple=True)
        counts = torch.bincount(row, minlength=len(x))
        place = torch.arange(len(row), device=x.device) - (counts.cumsum(0) - counts)[row]
        most = int(counts.max())
        points, colors = cloud.points.new_zeros(len(x), most, 3), cloud.colors.new_zeros(len(x), most)
        points[row, place] = (cloud.points[row, i] + cloud.points[row, j]) / 2
        colors[row, place] = -1 - codes[row, i, j]
        inside = torch.arange(most, device=x.device) < counts[:, None]
        return Cloud(
            torch.cat([cloud.points, points], 1),
            torch.cat([cloud.colors, colors], 1),
            torch.cat([cloud.mask, inside], 1),
        )

    def _frames(self, x: State) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Rows (R,), their possible frames (R, K, 3, 3), and which of those are canonical (R, K).

        Portion by portion.
        """
        cloud = self._cloud(x)
        full = self._add_bonds(x, cloud)
        spread, principal = axes.principal(cloud)
        gaps = spread[:, :2] - spread[:, 1:]
        clear = (gaps > GAP * spread[:, :1]).all(1) & (spread[:, 1] >= self.tolerance)
        rows = clear.nonzero()[:, 0]
        if len(rows):
            yield rows, *self._compare(full.select(rows), axes.orient(principal[rows], self.special), False)
        unclear = (~clear).nonzero()[:, 0].tolist()
        aligned = [
            axes.align(cloud.select([k]), spread[k], principal[k], self.special, GAP, self.tolerance) for k in unclear
        ]
        for count in sorted({len(frames) for frames in aligned}):
            alike = [k for k, frames in enumerate(aligned) if len(frames) == count]
            for part in torch.tensor(alike).split(max(1, PORTION // count)):
                rows = torch.tensor([unclear[k] for k in part.tolist()], device=x.device)
                yield rows, *self._compare(full.select(rows), torch.stack([aligned[k] for k in part.tolist()]))

    def _compare(self, cloud: Cloud, frames: Tensor, turns: bool = True) -> tuple[Tensor, Tensor]:
        """The frames, and which of them are canonical.

        ``turns``: there may be an axis of high order; where three principal axes are clear there is none above two.
        """
        return frames, axes.greatest(axes.scores(cloud, frames, turns), self.tolerance)

    def _positions(self, x: State, frame: Tensor) -> Tensor:
        """The place of every node in the canonical order, (B, N) int64."""
        if self.nodes == "stored":
            return Symmetric().identity(x.mask)
        graph = coloring.read(x, self._names(x))
        pairs = graph.pairs
        if self.nodes == "distance":
            pairs = mix(pairs + shells(x[self.field][:, :, 0], x.mask, self.tolerance)) * (pairs != 0)
        rank = refinement.initial(graph.nodes, graph.edges.sum(-1), x.mask)
        rank = refinement.refine(pairs, torch.arange(len(x), device=x.device), rank)
        seen = (x[self.field][:, :, 0] @ frame) @ frame.new_tensor(_KEY)
        nodes = x.mask.shape[1]
        ahead = seen.argsort(1).argsort(1)
        last = nodes * nodes + torch.arange(nodes, device=x.device)  # padding keeps its place
        rank = torch.where(x.mask, rank * nodes + ahead, last).argsort(1).argsort(1)
        return traverse(graph.edges, rank, x.mask, "depth") if self.nodes == "graph" else rank


def shells(points: Tensor, mask: Tensor, tolerance: float) -> Tensor:
    """Rank the distances of a structure among its different distances.

    Parameters
    ----------
    points : Tensor, (B, N, 3)
        Positions.
    mask : Tensor, (B, N) bool
        Real nodes.
    tolerance : float
        Distances that are nearer than this to the next greater one are alike.

    Returns
    -------
    Tensor, (B, N, N) int64
        Ranks from 1.
    """
    nodes = mask.shape[1]
    distance = (points[:, :, None] - points[:, None]).norm(dim=-1)
    outside = ~(mask[:, :, None] & mask[:, None, :])
    ordered, place = distance.masked_fill(outside, torch.finfo(distance.dtype).max).flatten(1).sort(1)
    steps = torch.ones_like(place)
    steps[:, 1:] += (ordered.diff(dim=1) > tolerance).cumsum(1)
    return torch.empty_like(place).scatter_(1, place, steps).view(-1, nodes, nodes)
