"""The one verb of a metric, and the metrics that are known of each kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, ClassVar

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
    def __call__(self, samples: Any, reference: Any, /) -> Mapping[str, Estimate | Callable[[], Estimate]]:
        """The estimates by id; those in ``compares`` only where there is a reference. Both are of the metric's kind.

        An estimate that costs much is returned as a function without arguments, which is called where a protocol asks
        for it.
        """


Function = Callable[[Any, Any], Estimate]
REGISTERED: dict[str, dict[str, Metric]] = defaultdict(dict)


def list_registered(kind: str) -> dict[str, Metric]:
    """The metrics that ``metric`` registered for a kind, by id.

    One that is registered again takes the place of the earlier one.
    """
    return REGISTERED[kind]


def collect(package: str) -> tuple[Metric, ...]:
    """One of every metric in the modules of a package, by the names of the modules: a new metric is a new file."""
    found: list[Metric] = []
    for module in sorted(info.name for info in iter_modules(import_module(package).__path__)):
        members = vars(import_module(f"{package}.{module}"))
        found += [one() for one in members.values() if _is_metric(one) and one.__module__ == f"{package}.{module}"]
    return tuple(found)


def _is_metric(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, Metric) and not getattr(one, "__abstractmethods__", None)
