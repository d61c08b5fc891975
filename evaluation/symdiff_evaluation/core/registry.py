"""Metrics of the user's own, by a decorator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symdiff.errors import UserError, nearest
from symdiff_evaluation.core.estimate import Estimate
from symdiff_evaluation.core.kinds import KINDS, load_kind
from symdiff_evaluation.core.metric import REGISTERED, Function, Metric


def metric(
    kind: str, name: str, about: str, *, compares: bool = False, needs: frozenset[str] | set[str] = frozenset()
) -> Callable[[Function], Function]:
    """Register a function of samples and reference as a metric, for protocols to name.

    Parameters
    ----------
    kind
        What the samples are: molecule-graph, molecule-3d, graph or lattice.
    name
        The id.
    about
        What the number means, in a line.
    compares
        Whether it is left out where there is no reference.
    needs
        What must be worked out of each sample beyond its verdict, as ``Metric.needs`` has it.

    Returns
    -------
    Callable
        A decorator that leaves the function as it is.

    Raises
    ------
    UserError
        For a kind that there is not, and the id of a metric that comes with the package.

    Examples
    --------
    >>> from symdiff_evaluation import fraction, metric
    >>> @metric("molecule-graph", "share_of_rings", "strictly valid samples with a ring, of all valid ones")
    ... def share_of_rings(samples, reference):
    ...     return fraction(sum("1" in text for text in samples.valid), len(samples.valid))
    """

    if kind not in KINDS:
        raise UserError(f"the metric {name!r}: no such kind {kind!r}{nearest(kind, KINDS)}")

    def register(function: Function) -> Function:
        def call(self: Metric, samples: Any, reference: Any) -> dict[str, Estimate | Callable[[], Estimate]]:
            return {name: function(samples, reference)}

        members = {
            "title": "Metrics of one's own",
            "about": {name: about},
            "compares": frozenset({name} if compares else ()),
            "needs": {name: frozenset(needs)},
            "__call__": call,
            "__doc__": function.__doc__,
        }
        shipped = {one for metric in load_kind(kind).metrics for one in metric.about}
        if name in shipped:
            raise UserError(f"the metric {name!r} of {kind} comes with the package: choose another id")
        REGISTERED[kind][name] = type(function.__name__, (Metric,), members)()
        return function

    return register
