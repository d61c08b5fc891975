"""What is worked out of each configuration of Potts or clock spins, once."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from symdiff_evaluation.spins.correlation import two_point
from symdiff_evaluation.spins.labels import components, energy, order_parameter, unsatisfied_share
from symdiff_evaluation.spins.observables import domain_walls, orders
from symdiff_evaluation.spins.observations import Observations, count_symmetries, measure_powers
from symdiff_evaluation.spins.relabelings import Relabelings, count_kept, images

if TYPE_CHECKING:
    from symdiff_evaluation.spins.samples import Spins


def observe_labels(spins: Spins) -> Observations:
    """Work out the observations of Potts and clock spins, which are vectors: products are scalar products, squares
    those of lengths.

    ``magnetization`` is ``labels.order_parameter`` and ``orders`` are lengths, so neither has a sign.

    Parameters
    ----------
    spins : Spins
        A set that is small enough to be transformed at once.

    Returns
    -------
    Observations
        One row a configuration.
    """
    s, shape = spins.configurations, spins.shape
    model, states, axes = spins.model, spins.states, tuple(range(1, s.ndim))
    vectors = list(components(s, model, states))
    square = reduce(np.add, [np.abs(np.fft.fftn(one, axes=axes)) ** 2 for one in vectors])
    return Observations(
        energy=energy(s, spins.hamiltonian, model, states),
        magnetization=order_parameter(s, model, states),
        walls=domain_walls(s),
        unsatisfied=unsatisfied_share(s, spins.hamiltonian, model, states),
        orders=np.sqrt(sum(orders(one) ** 2 for one in vectors)),
        lines=tuple(reduce(np.add, [two_point(one, axis) for one in vectors]) for axis in range(len(shape))),
        **measure_powers(square, shape),
        **count_symmetries(spins, lambda group: Relabelings(group, model, states), count_kept, images),
    )
