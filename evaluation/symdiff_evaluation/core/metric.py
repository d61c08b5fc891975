"""The one verb of a metric."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from symdiff_evaluation.core.estimate import Estimate


class Metric(ABC):
    """One or more numbers of a set of samples; knows samples, never models."""

    title: ClassVar[str]  # of its section in the report
    about: ClassVar[Mapping[str, str]]  # each id and what it means, in a line
    compares: ClassVar[frozenset[str]] = frozenset()  # the ids that need a reference
    needs: ClassVar[Mapping[str, frozenset[str]]] = {}  # by id, what must be worked out of each sample beyond its verdict, in its kind's words

    @abstractmethod
    def __call__(self, samples, reference) -> dict[str, Estimate]:
        """The estimates by id; those in ``compares`` only where there is a reference. Both are of the metric's kind."""
