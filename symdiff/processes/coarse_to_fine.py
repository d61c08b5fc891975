"""Revealing a lattice from coarse to fine: every stage fills the sublattice twice as dense as the one that is known."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from symdiff.config.ranges import Degree, Factor
from symdiff.groups.bravais import LatticeKind
from symdiff.groups.torus import torus_of
from symdiff.groups.tower import HALVINGS, Tower, tower
from symdiff.processes.revealing import Revealing
from symdiff.random import Generator, uniform


class CoarseToFine(Revealing):
    """A random site first, then sublattice by sublattice of its ``Tower``, each twice as dense as the one before.

    What a stage adds is a shifted copy of the sublattice that is known. It is revealed from coarse to fine as well: at
    random one of its sites first, then its own sublattices. So p groups of a stage are 1/2^(p-1), 1/2^(p-1), ..., 1/4
    and 1/2 of it: the first ones, of which least is known, are far apart, the last ones lie between known spins on all
    sides. With couplings between nearest neighbors the last stage is exact in one group, the one before in two. A
    lattice of N sites takes about p log2 N evaluations. On tori whose sides are no powers of 2 the sites of the
    coarsest sublattice come in any order.

    Parameters
    ----------
    lattice : str
        "chain" or "square".
    parts : sequence of int
        The number of groups p of a stage, the last stage first; the last number stands for all earlier stages.
    stages : sequence of int
        The first and the last of the stages that are trained, counted from 0, the one that shows the last half; all
        equally often, and all groups of a stage.

    Raises
    ------
    ValueError
        For another lattice, a stage without groups, or stages that are not a range.
    """

    def __init__(
        self, lattice: LatticeKind = "square", parts: Sequence[Factor] = (1, 2, 3), stages: Sequence[Degree] = (0, 7)
    ) -> None:
        if lattice not in HALVINGS:
            raise ValueError(
                f"lattice: expected one that halves into its like ({', '.join(HALVINGS)}), got {lattice!r}"
            )
        if not parts or min(parts) < 1:
            raise ValueError(f"parts: expected numbers of at least 1, got {list(parts)}")
        if len(stages) != 2 or not 0 <= stages[0] <= stages[1]:
            raise ValueError(f"stages: expected the first and the last, 0 or more, got {list(stages)}")
        self.lattice, self.parts, self.stages = lattice, tuple(parts), tuple(stages)

    def keys(self, hidden: Tensor, generator: Generator | None = None) -> Tensor:
        """Draw keys that fill one sublattice after another, which one first and where each begins at random."""
        piece, like = self._tower(hidden), torch.empty(0, dtype=torch.float64, device=hidden.device)
        place, nodes = piece.torus.positions(), hidden.shape[1]
        chance = uniform((len(hidden), 1 + piece.top), generator, like).cpu()
        ties = uniform(tuple(hidden.shape), generator, torch.empty(0, device=hidden.device)).cpu()
        sites = (chance * nodes).long()
        origin, begun = self._locate(piece, ~hidden.cpu(), sites[:, 0])
        # where the filling of every stage begins: a random site of the coset that the stage adds
        starts = []
        for level in range(piece.top):
            inside = place[sites[:, 1 + level]] @ piece.power(level + 1).T
            start = piece.torus.index(place[origin] + inside + piece.power(level)[:, 0])
            starts.append(torch.where(begun[:, 0] == level, begun[:, 1], start))
        depth = piece.from_site(origin)
        start = torch.stack([*starts, origin], 1).gather(1, depth)
        within = piece.from_site(start)
        rank = (piece.top - depth) * (piece.top + 1) + piece.top - within
        return ((rank + ties) / (piece.top + 2) ** 2).to(hidden.device)

    def next(self, hidden: Tensor) -> Tensor:
        """Tell the hidden nodes of the group that is being revealed."""
        piece, shown = self._tower(hidden), ~hidden
        following, stages = torch.zeros_like(hidden), piece.stage(shown.sum(1))
        for stage in stages.unique().tolist():
            rows = (stages == stage).nonzero()[:, 0]
            following[rows] = self._next(piece, shown[rows], stage)
        return following & hidden

    def times(self, steps: int) -> Tensor:
        """Take the groups of the last stages one by one, as many as there are steps.

        What is left for the first step is revealed at once.
        """
        shown: list[float] = []
        stage = 0
        while len(shown) < steps:
            shown += reversed(self._boundaries(stage))
            stage += 1
        starts = [0.0, *reversed(shown[: steps - 1])]
        return 1 - torch.tensor([*starts, 1.0], dtype=torch.float64)

    def draw_times(self, u: Tensor) -> Tensor:
        """Choose one of the moments at which a group begins, all trained stages equally often."""
        first, last = self.stages
        # one entry for every stage and group; so many copies that all stages are equally frequent
        common = math.lcm(*(self._groups(stage) for stage in range(first, last + 1)))
        table = [
            shown
            for stage in range(first, last + 1)
            for shown in self._boundaries(stage)
            for _ in range(common // self._groups(stage))
        ]
        place = (u * len(table)).long().clamp_max(len(table) - 1)
        return (1 - torch.tensor(table, dtype=torch.float64, device=u.device)).to(u)[place]

    def _groups(self, stage: int) -> int:
        return self.parts[min(stage, len(self.parts) - 1)]

    def _boundaries(self, stage: int) -> list[float]:
        """The shares of all sites that are shown where a group of the stage begins, ascending."""
        halves = [0.0, *(0.5**k for k in range(self._groups(stage) - 1, 0, -1))]
        return [0.5 ** (stage + 1) * (1 + half) for half in halves]

    def _next(self, piece: Tower, shown: Tensor, stage: int) -> Tensor:
        """The group that comes next, (B, N), what is shown of it included.

        Rows in which the sublattice ``stage`` is being filled.
        """
        if stage == piece.top:
            known = piece.fullest(shown, stage)
            return (piece.cosets(stage)[0].to(shown.device) == known[:, None]) | ~shown.any(1, keepdim=True)
        added = self._coset_to_fill(piece, shown, stage)
        following, fresh = added.clone(), shown & added
        count = fresh.sum(1)
        sizes = torch.tensor(
            [piece.size(level) for level in range(stage + 1, piece.top)], dtype=torch.int64, device=shown.device
        )
        levels = stage + 1 + (count[:, None] < sizes).sum(1)
        for level in levels[count > 0].unique().tolist():
            rows = ((levels == level) & (count > 0)).nonzero()[:, 0]
            coset, _ = piece.cosets(level)
            full = piece.fullest(fresh[rows], level)
            # the coset that is full, or, of the coarsest level, being filled; next is its other half
            some = coset.to(shown.device)[None] == full[:, None]
            whole = (some & fresh[rows]).sum(1) == piece.size(level)
            wider, _ = piece.cosets(level - 1)
            around = (
                wider.to(shown.device)[None]
                == wider.to(shown.device)[piece.cosets(level)[1].to(shown.device)[full, 0]][:, None]
            )
            following[rows] = torch.where(whole[:, None], around & ~some, some) & added[rows]
        return following

    def _coset_to_fill(self, piece: Tower, shown: Tensor, stage: int) -> Tensor:
        """What the stage adds to the known coset, (B, N) bool."""
        known = piece.fullest(shown, stage + 1)
        coset, members = (part.to(shown.device) for part in piece.cosets(stage + 1))
        wider = piece.cosets(stage)[0].to(shown.device)
        return (wider == wider[members[known, 0]][:, None]) & (coset != known[:, None])

    def _locate(self, piece: Tower, shown: Tensor, anywhere: Tensor) -> tuple[Tensor, Tensor]:
        """Locate a site of the known coset, and the stage that is being filled.

        Returns
        -------
        tuple of Tensor
            (B,) the site, ``anywhere`` where nothing is known; (B, 2) the stage that has begun and a site of its part
            that is shown, −1 where none has.
        """
        origin, begun = anywhere.clone(), torch.full((len(shown), 2), -1)
        count = shown.sum(1)
        stages = piece.stage(count)
        for stage in stages[count > 0].unique().tolist():
            rows = ((stages == stage) & (count > 0)).nonzero()[:, 0]
            level = min(stage + 1, piece.top)
            origin[rows] = piece.cosets(level)[1][piece.fullest(shown[rows], level), 0]
            if stage == piece.top:
                continue
            fresh = shown[rows] & self._coset_to_fill(piece, shown[rows], stage)
            number = fresh.sum(1)
            sizes = torch.tensor([piece.size(k) for k in range(stage + 1, piece.top)], dtype=torch.int64)
            levels = stage + 1 + (number[:, None] < sizes).sum(1)
            for level in levels[number > 0].unique().tolist():
                some = ((levels == level) & (number > 0)).nonzero()[:, 0]
                begun[rows[some], 0] = stage
                begun[rows[some], 1] = piece.cosets(level)[1][piece.fullest(fresh[some], level), 0]
        return origin, begun

    def _tower(self, hidden: Tensor) -> Tower:
        return tower(torus_of(self.lattice, hidden.shape[1]))
