"""What a kind of samples knows: how its files are read, its numbers, its rows and its pages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import ChainMap, Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from symdiff.errors import UserError
from symdiff_evaluation.core.estimate import Estimate
from symdiff_evaluation.core.execution import ALONE, Execution
from symdiff_evaluation.core.metric import Metric, list_registered
from symdiff_evaluation.core.page import PageSection
from symdiff_evaluation.core.sample_files import SampleFiles

if TYPE_CHECKING:
    from symdiff_evaluation.core.filters import Filters

S = TypeVar("S", bound=Sized)  # the set of samples of a kind
R = TypeVar("R", bound="AnyReference")  # its references


class AnyReference(Protocol):
    """What every reference has; the rest is between a kind and its metrics."""

    @property
    def name(self) -> str: ...
    @property
    def count(self) -> int: ...
    @property
    def source(self) -> str: ...


class StructureSet(Protocol):
    """What a kind needs of a data set, such as symdiff's own, to derive a reference from it."""

    domain: Any
    path: Path | None

    @property
    def meta(self) -> Mapping[str, Any]: ...
    def __len__(self) -> int: ...
    def split(self, name: str) -> StructureSet: ...
    def batch(self, rows: Sequence[int], /) -> Any: ...


class ProtocolSettings(Protocol):
    """What a kind looks at in a protocol."""

    @property
    def metrics(self) -> Sequence[str]: ...
    @property
    def mcf(self) -> Filters | None: ...


class Kind(ABC, Generic[S, R]):
    """One kind of samples: the only place that knows what they are."""

    name: ClassVar[str]
    of: ClassVar[str]  # what a reference is a number of, in the plural
    endings: ClassVar[tuple[str, ...]]  # of the files that it reads
    derives: ClassVar[bool] = False  # whether ``derive`` makes a reference of a data set
    tables: ClassVar[bool] = False  # whether some of them have columns
    labels: ClassVar[bool] = False  # whether some of them have labels that stand for atoms
    columns: ClassVar[tuple[str, ...]]  # of samples.csv, behind index, file and record
    headline: ClassVar[Mapping[str, str]]  # the ids on the cards of the report, and their names there
    about: ClassVar[str]  # how samples are compared and intervals made, in two or three sentences

    by_number: ClassVar[str] = (
        "Uniqueness, V.U.N. and all distances depend on the number of samples."  # "" where nothing does
    )

    @property
    @abstractmethod
    def metrics(self) -> tuple[Metric, ...]:
        """All metrics of such samples."""

    @property
    def metrics_by_id(self) -> Mapping[str, Metric]:
        """Every metric by each of its ids, those of the user's own among them."""
        return ChainMap(self._shipped, list_registered(self.name))

    @cached_property
    def _shipped(self) -> dict[str, Metric]:
        return {name: metric for metric in self.metrics for name in metric.about}

    def collect_needs(self, metrics: Sequence[str]) -> frozenset[str]:
        """What must be worked out of each sample for these ids."""
        return frozenset().union(*(self.metrics_by_id[name].needs.get(name, ()) for name in metrics))

    @abstractmethod
    def read(
        self,
        files: SampleFiles,
        execution: Execution = ALONE,
        metrics: Sequence[str] | None = None,
    ) -> S:
        """Read the samples of files.

        Parameters
        ----------
        files : SampleFiles
            Paths, with what the files do not say themselves.
        execution : Execution
            How the work on the samples is done.
        metrics : sequence of str, optional
            Nothing is worked out but what these ids need; None: everything.

        Returns
        -------
        set of the kind
            With a broken record for what cannot be read.

        Raises
        ------
        UserError
            For a file that is missing, or of another form than its ending says.
        """

    @abstractmethod
    def accept(
        self,
        structures: Any,
        execution: Execution = ALONE,
        metrics: Sequence[str] | None = None,
    ) -> S:
        """Take structures that are in memory as samples.

        Parameters
        ----------
        structures
            A sequence, or a mapping of arrays as a file would hold them. What is no structure of the kind is a broken
            record.
        execution : Execution
            How the work on the samples is done; shards keep only the work on files.
        metrics : sequence of str, optional
            Nothing is worked out but what these ids need; None: everything.

        Returns
        -------
        set of the kind
            In the order of the structures.
        """

    @abstractmethod
    def summarize(self, samples: S, name: str, metrics: Sequence[str], workers: int = 1) -> R:
        """A reference out of samples that ``accept`` gave, with all that ``metrics`` ask for. Raises ``UserError``."""

    @abstractmethod
    def find_reference(self, name: str, metrics: Sequence[str], workers: int = 1) -> R:
        """What a name or a path means, with all that ``metrics`` ask for. Raises ``UserError``."""

    def derive(
        self,
        dataset: StructureSet,
        name: str,
        metrics: Sequence[str],
        execution: Execution = ALONE,
    ) -> R:
        """The reference that the splits of a data set make, with all that ``metrics`` ask for.

        Raises ``UserError`` for one of another kind.
        """
        raise NotImplementedError(f"{self.name} derives no reference from a data set")

    @abstractmethod
    def count_failures(self, samples: S) -> Counter[str]:
        """How many records fail for each kind of reason."""

    @abstractmethod
    def list_rows(self, samples: S, reference: R | None) -> Iterable[tuple]:
        """(file, record, *columns) of every record in order."""

    @abstractmethod
    def make_sections(
        self, samples: S, reference: R | None, estimates: Mapping[str, Estimate]
    ) -> Sequence[PageSection]:
        """The pages of the report between the numbers and what it is about."""

    def count_records(self, samples: S) -> int:
        """Number of records, broken ones included."""
        return len(samples)

    def require(self, metrics: Sequence[str]) -> None:
        """Raise ``UserError`` where an extra package is missing that ``metrics`` need."""

    def list_notes(self, protocol: ProtocolSettings, reference: R | None) -> list[str]:
        """What to know of this protocol's numbers with this reference."""
        return []

    def pair(self, samples: S, inputs: S) -> S:
        """The samples with what each was made from, one input a record in the same order.

        Raises ``UserError`` where their numbers differ, and for kinds whose samples know no inputs.
        """
        raise UserError(f"--input: samples of the kind {self.name} are not compared with inputs")

    def equip(self, samples: S, protocol: ProtocolSettings) -> S:
        """The samples with what else the protocol gives for their numbers."""
        return samples

    def list_remarks(self, samples: S) -> list[str]:
        """What is odd about these samples."""
        return []

    def measure(self, samples: S, reference: R | None, metrics: Sequence[str]) -> dict[str, Estimate]:
        """The estimates of ``metrics`` in their order, each metric called once.

        Those that lack a reference are left out.
        """
        found: dict[str, Estimate | Callable[[], Estimate]] = {}
        for name in metrics:
            metric = self.metrics_by_id[name]
            if name not in found and not (reference is None and name in metric.compares):
                found |= metric(samples, reference)
        estimates = {name: found[name] for name in metrics if name in found}
        return {name: one if isinstance(one, Estimate) else one() for name, one in estimates.items()}


def check_pairs(samples: int, inputs: int) -> None:
    """Raise ``UserError`` where there is not one input for each sample."""
    if samples != inputs:
        raise UserError(f"--input: expected one input for each of {samples:,} samples, got {inputs:,}")


def write_truth(truth: bool) -> str:
    """A truth as samples.csv says it."""
    return "true" if truth else "false"
