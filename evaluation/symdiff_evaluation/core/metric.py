"""The one verb of a metric, and how metrics become known: as files of a kind, or by a decorator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, ClassVar

from symdiff.errors import UserError, nearest
from symdiff_evaluation.core.estimate import Estimate


class Metric(ABC):
    """One or more numbers of a set of samples; knows samples, never models."""

    title: ClassVar[str]  # of its section in the report
    about: ClassVar[Mapping[str, str]]  # each id and what it means, in a line
    compares: ClassVar[frozenset[str]] = frozenset()  # the ids that need a reference
    needs: ClassVar[
        Mapping[str, frozenset[str]]
    ] = {}  # by id, what must be worked out of each sample beyond its verdict, in its kind's words

    @abstractmethod
    def __call__(self, samples: Any, reference: Any) -> dict[str, Estimate | Callable[[], Estimate]]:
        """The estimates by id; those in ``compares`` only where there is a reference. Both are of the metric's kind.

        An estimate that costs much is returned as a function without arguments, which is called where a protocol asks
        for it.
        """


Function = Callable[[Any, Any], Estimate]
_registered: dict[str, dict[str, Metric]] = defaultdict(dict)


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

    from symdiff_evaluation.core.kinds import KINDS
    from symdiff_evaluation.core.kinds import kind as kind_of

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
        shipped = {one for metric in kind_of(kind).metrics for one in metric.about}
        if name in shipped:
            raise UserError(f"the metric {name!r} of {kind} comes with the package: choose another id")
        _registered[kind][name] = type(function.__name__, (Metric,), members)()
        return function

    return register


def list_registered(kind: str) -> Mapping[str, Metric]:
    """The metrics that ``metric`` registered for a kind, by id.

    One that is registered again takes the place of the earlier one.
    """
    return _registered[kind]


def collect(package: str) -> tuple[Metric, ...]:
    """One of every metric in the modules of a package, by the names of the modules: a new metric is a new file."""
    found: list[Metric] = []
    for module in sorted(info.name for info in iter_modules(import_module(package).__path__)):
        members = vars(import_module(f"{package}.{module}"))
        found += [one() for one in members.values() if _is_metric(one) and one.__module__ == f"{package}.{module}"]
    return tuple(found)


def _is_metric(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, Metric) and not getattr(one, "__abstractmethods__", None)
