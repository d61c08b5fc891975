"""What is worked out of each configuration of Potts or clock spins, once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from symdiff_evaluation.spins.correlation import near, two_point
from symdiff_evaluation.spins.labels import components, energy, order_parameter, unsatisfied
from symdiff_evaluation.spins.observables import domain_walls, orders, waves
from symdiff_evaluation.spins.observed import Observed
from symdiff_evaluation.spins.relabelings import Relabelings, images, kept_by
from symdiff_evaluation.spins.symmetry import ENUMERATED, space_group, symmetries

if TYPE_CHECKING:
    from symdiff_evaluation.spins.spins import Spins


def observe_labels(spins: Spins) -> Observed:
    """``observed.observe`` for spins that are vectors: products are scalar products, squares those of lengths.

    ``magnetization`` is ``labels.order_parameter`` and ``orders`` are lengths, so neither has a sign.
    """
    s, count, shape, sites = spins.configurations, len(spins), spins.shape, math.prod(spins.shape)
    model, states, axes = spins.model, spins.states, tuple(range(1, s.ndim))
    vectors = list(components(s, model, states))
    square = sum(np.abs(np.fft.fftn(one, axes=axes)) ** 2 for one in vectors)
    whole = Relabelings(space_group(shape, spins.lattice), model, states)
    stabilizer, kept, order = (np.zeros(count, np.int64) for _ in range(3))
    own, least = np.zeros(count, np.uint64), np.zeros(count, np.uint64)
    for which, part in spins.hamiltonians:
        group = Relabelings(symmetries(part, shape, spins.lattice), model, states)
        stabilizer[which], kept[which] = kept_by(s[which], (whole, group))
        order[which] = group.order
        if sites <= ENUMERATED:
            least[which], own[which] = images(s[which], group)
    return Observed(
        energy=energy(s, spins.hamiltonian, model, states),
        magnetization=order_parameter(s, model, states),
        walls=domain_walls(s),
        unsatisfied=unsatisfied(s, spins.hamiltonian, model, states),
        orders=np.sqrt(sum(orders(one) ** 2 for one in vectors)),
        lines=tuple(sum(two_point(one, axis) for one in vectors) for axis in range(len(shape))),
        powers=np.stack([np.stack([square[:, *place] for place in near(wave, shape)], 1) for wave in waves(shape)], 1) / sites,
        stabilizer=stabilizer,
        kept=kept,
        symmetries=order,
        own=own,
        least=least,
        power=square.sum(0),
    )
