"""Axes that a cloud of points gives itself: few frames among which every rotation of the cloud finds its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from symdiff.random import mix

FAR = 0.437
"""Points nearer to an axis than this share of the greatest distance do not point away from it."""
SAME = 0.1
"""Radian; frames that are turned by less against each other count as one."""
_DIRECTIONS = torch.tensor(
    [[1.13, 0.37, 0.71], [-0.59, 1.27, 0.43], [0.67, -0.83, 1.09], [1.51, 0.91, -0.29]], dtype=torch.float64
)
_PHASES = torch.tensor([0.3, 1.1, 1.9, 2.7], dtype=torch.float64)
HIGHEST = 12
"""The highest order of axes that are told apart from circles."""
_TURNS = torch.arange(7, HIGHEST + 1, dtype=torch.float64)
"""Orders of axes that waves across a few angstrom are too long to see: rings of that many points look like circles to
them."""


@dataclass(frozen=True)
class Cloud:
    """Colored points around their center.

    Parameters
    ----------
    points : Tensor, (B, P, 3) float64
        The points, 0 where there is none.
    colors : Tensor, (B, P) int64
        What tells points apart.
    mask : Tensor, (B, P) bool
        Which points are there.
    """

    points: Tensor
    colors: Tensor
    mask: Tensor

    def select(self, index: Tensor | list[int]) -> Cloud:
        """Take some of the clouds.

        Parameters
        ----------
        index : Tensor or list of int
            The rows.

        Returns
        -------
        Cloud
            These clouds.
        """
        return Cloud(self.points[index], self.colors[index], self.mask[index])


def principal(cloud: Cloud) -> tuple[Tensor, Tensor]:
    """Compute the principal axes.

    Parameters
    ----------
    cloud : Cloud
        B clouds.

    Returns
    -------
    spread : Tensor, (B, 3)
        Root mean squares along the axes, decreasing.
    axes : Tensor, (B, 3, 3)
        The axes, as columns.
    """
    count = cloud.mask.sum(1).clamp_min(1)
    values, vectors = torch.linalg.eigh(cloud.points.mT @ cloud.points / count[:, None, None])
    return values.clamp_min(0).sqrt().flip(1), vectors.flip(2)


def signs(special: bool, like: Tensor) -> Tensor:
    """List the signs that three axes can have.

    Parameters
    ----------
    special : bool
        Whether their product must be 1.
    like : Tensor
        Gives dtype and device.

    Returns
    -------
    Tensor, (8, 3) or (4, 3)
        Rows of ±1.
    """
    every = [s for s in product((1.0, -1.0), repeat=3) if not special or math.prod(s) > 0]
    return torch.tensor(every, dtype=like.dtype, device=like.device)


def orient(axes: Tensor, special: bool) -> Tensor:
    """Make the frames that axes are up to signs.

    Parameters
    ----------
    axes : Tensor, (B, 3, 3)
        Orthonormal axes, as columns.
    special : bool
        Whether frames must have determinant 1.

    Returns
    -------
    Tensor, (B, K, 3, 3)
        K is 4 with ``special``, else 8.
    """
    if special:
        axes = torch.cat([axes[..., :2], torch.linalg.cross(axes[..., 0], axes[..., 1])[..., None]], -1)
    return axes[:, None] * signs(special, axes)[None, :, None, :]


def align(cloud: Cloud, spread: Tensor, axes: Tensor, special: bool, gap: float, tolerance: float) -> Tensor:
    """Make frames of one cloud whose principal axes are not determined: along its points, instead.

    The set of frames turns as the cloud does. Where all points lie on a line, or in one place, one frame stands for
    those that differ by what leaves the line alone.

    Parameters
    ----------
    cloud : Cloud
        One cloud.
    spread : Tensor, (3,)
        Root mean squares along the axes, decreasing.
    axes : Tensor, (3, 3)
        The principal axes, as columns.
    special : bool
        Whether frames must have determinant 1.
    gap : float
        Axes count as alike where their root mean squares differ by less than this fraction of the greatest.
    tolerance : float
        A root mean square below it counts as 0, in the unit of the positions.

    Returns
    -------
    Tensor, (K, 3, 3)
        The frames, axes as columns.
    """
    if spread[1] < tolerance:
        if spread[0] < tolerance:
            return torch.eye(3, dtype=axes.dtype, device=axes.device)[None]
        frames = orient(axes[None], special)[0]
        return frames[[0, -1]]  # the first axis there and back
    points, colors = cloud.points[0][cloud.mask[0]], cloud.colors[0][cloud.mask[0]]
    wide, narrow = spread[0] - spread[1] < gap * spread[0], spread[1] - spread[2] < gap * spread[0]
    if wide and narrow:
        _, first = _away(points, colors, axes.new_zeros(1, 3))
        place, second = _away(points, colors, first)
        frames, free = _complete(first[place], second), 2
    else:
        u = axes[:, 2 if wide else 0]
        _, other = _away(points, colors, u[None])
        frames, free = _complete(u.expand_as(other), other), 2
        frames = torch.cat([frames, frames * frames.new_tensor([-1.0, 1.0, -1.0])])  # u there and back
        if wide:
            frames, free = frames[..., [1, 2, 0]], 1
    if special:
        return frames
    mirror = torch.ones(3, dtype=frames.dtype, device=frames.device)
    mirror[free] = -1
    return torch.cat([frames, frames * mirror])


def _away(points: Tensor, colors: Tensor, axes: Tensor) -> tuple[Tensor, Tensor]:
    """The unit vectors that point away from axes to points: which axis each is of, (M,), and the vectors, (M, 3).

    For each of ``axes`` (A, 3), to points far from it (or from the origin, where an axis is zero), of the color that is
    rarest among those.
    """
    across = points - (points @ axes.T).T[..., None] * axes[:, None]
    lengths = across.norm(dim=-1)
    far = lengths > FAR * lengths.amax(1, keepdim=True)
    kind = colors.unique(return_inverse=True)[1]
    counts = far.double() @ torch.nn.functional.one_hot(kind).double()
    rarest = torch.where(counts > 0, counts, torch.inf).argmin(1)  # the first, where several are as rare
    place, point = (far & (kind == rarest[:, None])).nonzero(as_tuple=True)
    return place, across[place, point] / lengths[place, point, None]


def _complete(first: Tensor, second: Tensor) -> Tensor:
    """Right-handed frames (M, 3, 3) of orthonormal vectors (M, 3)."""
    return torch.stack([first, second, torch.linalg.cross(first, second)], -1)


def scores(cloud: Cloud, frames: Tensor, turns: bool = True) -> Tensor:
    """Describe how clouds look in frames, by numbers that are alike where the clouds are.

    The skewness along the three axes comes first; then sums of waves that weigh every color differently, which tell
    apart what is not the same; then sums of waves around the first and around the third axis, for axes of order 7 to
    12.

    Parameters
    ----------
    cloud : Cloud
        B clouds.
    frames : Tensor, (B, K, 3, 3)
        Frames, axes as columns.
    turns : bool
        Whether the sums around axes are computed.

    Returns
    -------
    Tensor, (B, K, M)
        M numbers for every frame, of the order of an angstrom.
    """
    seen = torch.einsum("bpi,bkij->bkpj", cloud.points, frames)
    squares, cubes = seen.square().sum(2), seen.pow(3).sum(2)
    skewness = cubes / squares.clamp_min(1e-12)
    phases = torch.einsum("bkpi,mi->bkpm", seen, _DIRECTIONS.to(seen)) + _PHASES.to(seen)
    place = torch.arange(len(_PHASES), device=seen.device)
    weights = ((mix(cloud.colors[..., None] * 64 + place + 1) >> 12) & 0xFFFFFFFF).to(seen) / 2**32 + 0.5
    weights = (weights * cloud.mask[..., None])[:, None]
    waves = (phases.sin() * weights).sum(2)
    planes = ((1, 2), (0, 1)) if turns else ()
    return torch.cat(
        [skewness, waves, *(_around(seen, weights[..., :1], first, second) for first, second in planes)], -1
    )


def _around(seen: Tensor, weights: Tensor, first: int, second: int) -> Tensor:
    """Sums (B, K, 6) of ρ sin(mφ) / m in the plane of two coordinates.

    A change of ``seen`` changes them by as much at most.
    """
    turns = _TURNS.to(seen)
    angle = torch.atan2(seen[..., second], seen[..., first])
    radius = torch.hypot(seen[..., first], seen[..., second])
    return ((angle[..., None] * turns).sin() * radius[..., None] / turns * weights).sum(2)


def greatest(values: Tensor, tolerance: float) -> Tensor:
    """Mark the lexicographically greatest of K rows.

    Parameters
    ----------
    values : Tensor, (B, K, M)
        The rows, compared column after column.
    tolerance : float
        Values that are nearer than this count as equal.

    Returns
    -------
    Tensor, (B, K) bool
        The greatest rows, several where they are equal.
    """
    alive = torch.ones(values.shape[:2], dtype=torch.bool, device=values.device)
    for column in values.unbind(-1):
        now = torch.where(alive, column, -torch.inf)
        alive &= now >= now.amax(1, keepdim=True) - tolerance
    return alive


def count_different(frames: Tensor, which: Tensor) -> Tensor:
    """Count the different frames among those that are marked.

    Points above each other give the same frame.

    Parameters
    ----------
    frames : Tensor, (B, K, 3, 3)
        Frames.
    which : Tensor, (B, K) bool
        The marked ones.

    Returns
    -------
    Tensor, (B,) float64
        The counts; nan where two frames differ by the turn of an axis above order 12: whether such a structure has
        mirrors, too, ``scores`` cannot tell.
    """
    counts = []
    for some, marked in zip(frames, which, strict=True):
        chosen = some[marked]
        traces = chosen.flatten(1) @ chosen.flatten(1).mT  # 1 + 2 cos of the angle between two frames of one handedness
        alike = chosen.det()[:, None] * chosen.det() > 0
        same = alike & (traces > 3 - SAME**2)
        close = alike & ~same & (traces > 1 + 2 * math.cos(2 * math.pi / (HIGHEST + 0.5)))
        count = (~same.tril(-1).any(1)).sum().double()
        counts.append(torch.where(close.any(), torch.nan, count))
    return torch.stack(counts)
