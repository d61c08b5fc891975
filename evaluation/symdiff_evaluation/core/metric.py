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
        """Compute the metric's numbers.

        Parameters
        ----------
        samples : set of the metric's kind
            Such as ``MoleculeSamples``.
        reference : reference of the metric's kind, optional
            Without one, the ids in ``compares`` are left out.

        Returns
        -------
        mapping of str to Estimate
            The estimates by id. An estimate that costs much is given as a function without arguments, which is called
            where a protocol asks for it.
        """


Function = Callable[[Any, Any], Estimate]
REGISTERED: dict[str, dict[str, Metric]] = defaultdict(dict)


def list_registered(kind: str) -> dict[str, Metric]:
    """List the metrics of the user's own.

    Parameters
    ----------
    kind : str
        The kind of their samples.

    Returns
    -------
    dict of str to Metric
        By id. One that is registered again takes the place of the earlier one.
    """
    return REGISTERED[kind]


def collect(package: str) -> tuple[Metric, ...]:
    """Collect one of every metric in the modules of a package, by the names of the modules: a new metric is a new file.

    Parameters
    ----------
    package : str
        Full name of the package.

    Returns
    -------
    tuple of Metric
        The metrics.
    """
    metrics: list[Metric] = []
    for module in sorted(info.name for info in iter_modules(import_module(package).__path__)):
        members = vars(import_module(f"{package}.{module}"))
        metrics += [one() for one in members.values() if _is_metric(one) and one.__module__ == f"{package}.{module}"]
    return tuple(metrics)


def _is_metric(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, Metric) and not getattr(one, "__abstractmethods__", None)
