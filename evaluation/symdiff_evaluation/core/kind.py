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
    def name(self) -> str:
        """The name that the report shows."""
        ...

    @property
    def count(self) -> int:
        """Number of structures that it was made of."""
        ...

    @property
    def source(self) -> str:
        """Where the data come from."""
        ...


class StructureSet(Protocol):
    """What a kind needs of a data set, such as symdiff's own, to derive a reference from it."""

    domain: Any
    path: Path | None

    @property
    def meta(self) -> Mapping[str, Any]: ...
    def __len__(self) -> int: ...
    def split(self, name: str) -> StructureSet:
        """Give one split as a set of its own.

        Parameters
        ----------
        name : str
            "train", "val" or "test".

        Returns
        -------
        StructureSet
            The split.
        """
        ...

    def batch(self, rows: Sequence[int], /) -> Any:
        """Give structures as one padded ``State``.

        Parameters
        ----------
        rows : sequence of int
            Numbers of the structures.

        Returns
        -------
        State
            Of the domain's schema.
        """
        ...


class ProtocolSettings(Protocol):
    """What a kind reads of a protocol."""

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
        return ChainMap(self._shipped_metrics, list_registered(self.name))

    @cached_property
    def _shipped_metrics(self) -> dict[str, Metric]:
        return {name: metric for metric in self.metrics for name in metric.about}

    def collect_needs(self, metrics: Sequence[str]) -> frozenset[str]:
        """Collect what must be worked out of each sample for some metrics.

        Parameters
        ----------
        metrics : sequence of str
            Their ids.

        Returns
        -------
        frozenset of str
            In the words of the kind (``Metric.needs``).
        """
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
        """Make a reference of samples in memory.

        Parameters
        ----------
        samples : set of the kind
            What ``accept`` gave.
        name : str
            The name of the reference.
        metrics : sequence of str
            The reference has all that these ids compare with.
        workers : int
            Number of processes.

        Returns
        -------
        reference of the kind
            Its statistics.

        Raises
        ------
        UserError
            Where no sample can be used.
        """

    @abstractmethod
    def find_reference(self, name: str, metrics: Sequence[str], workers: int = 1) -> R:
        """Load the reference that a name or a path means.

        Parameters
        ----------
        name : str
            A shipped reference, one that was written, or a file of samples.
        metrics : sequence of str
            The reference has all that these ids compare with.
        workers : int
            Number of processes.

        Returns
        -------
        reference of the kind
            Its statistics.

        Raises
        ------
        UserError
            For one that does not exist, was altered, or is of another kind.
        """

    def derive(
        self,
        dataset: StructureSet,
        name: str,
        metrics: Sequence[str],
        execution: Execution = ALONE,
    ) -> R:
        """Make a reference of the splits of a data set, where ``derives`` is true.

        Parameters
        ----------
        dataset : StructureSet
            The data set.
        name : str
            The name of the reference.
        metrics : sequence of str
            The reference has all that these ids compare with.
        execution : Execution
            How the work is done.

        Returns
        -------
        reference of the kind
            Its statistics.

        Raises
        ------
        UserError
            For a data set of another kind.
        """
        raise NotImplementedError(f"{self.name} derives no reference from a data set")

    @abstractmethod
    def count_failures(self, samples: S) -> Counter[str]:
        """Count the records that are not valid by kind of reason.

        Parameters
        ----------
        samples : set of the kind
            What was read.

        Returns
        -------
        collections.Counter
            Number of records by reason, such as "valence".
        """

    @abstractmethod
    def list_rows(self, samples: S, reference: R | None) -> Iterable[tuple]:
        """List the rows of samples.csv.

        Parameters
        ----------
        samples : set of the kind
            What was read.
        reference : reference of the kind, optional
            For columns such as "novel".

        Returns
        -------
        iterable of tuple
            (file, record, ...) of every record in order, the kind's ``columns`` last.
        """

    @abstractmethod
    def make_sections(
        self, samples: S, reference: R | None, estimates: Mapping[str, Estimate]
    ) -> Sequence[PageSection]:
        """Make the sections of the report between the numbers and the page "About".

        Parameters
        ----------
        samples : set of the kind
            What was read.
        reference : reference of the kind, optional
            Drawn beside the samples.
        estimates : mapping of str to Estimate
            The numbers that texts quote.

        Returns
        -------
        sequence of PageSection
            Those with an empty body are not shown.
        """

    def count_records(self, samples: S) -> int:
        """Count the records.

        Parameters
        ----------
        samples : set of the kind
            What was read.

        Returns
        -------
        int
            Number of records, broken ones included.
        """
        return len(samples)

    def require(self, metrics: Sequence[str]) -> None:
        """Check that the extra packages are installed that metrics need.

        Parameters
        ----------
        metrics : sequence of str
            Their ids.

        Raises
        ------
        UserError
            Where one is missing.
        """

    def list_notes(self, protocol: ProtocolSettings, reference: R | None) -> list[str]:
        """List what to know before comparing numbers of this protocol with this reference.

        Parameters
        ----------
        protocol : ProtocolSettings
            What was asked for.
        reference : reference of the kind, optional
            What is compared with.

        Returns
        -------
        list of str
            Sentences.
        """
        return []

    def pair(self, samples: S, inputs: S) -> S:
        """Give each record the input that it was made from.

        Parameters
        ----------
        samples, inputs : set of the kind
            One input a record, in the same order.

        Returns
        -------
        set of the kind
            The samples with their inputs.

        Raises
        ------
        UserError
            Where their numbers differ, and for kinds whose samples have no inputs.
        """
        raise UserError(f"--input: samples of the kind {self.name} are not compared with inputs")

    def equip(self, samples: S, protocol: ProtocolSettings) -> S:
        """Give the samples what else the protocol holds for their numbers.

        Parameters
        ----------
        samples : set of the kind
            What was read.
        protocol : ProtocolSettings
            What was asked for.

        Returns
        -------
        set of the kind
            The same samples, such as with a list of filters.
        """
        return samples

    def list_remarks(self, samples: S) -> list[str]:
        """List what is odd about these samples.

        Parameters
        ----------
        samples : set of the kind
            What was read.

        Returns
        -------
        list of str
            Sentences.
        """
        return []

    def measure(self, samples: S, reference: R | None, metrics: Sequence[str]) -> dict[str, Estimate]:
        """Compute metrics, each metric called once.

        Parameters
        ----------
        samples : set of the kind
            What was read.
        reference : reference of the kind, optional
            Without one, the ids that need it are left out.
        metrics : sequence of str
            The ids.

        Returns
        -------
        dict of str to Estimate
            In the order of ``metrics``.
        """
        results: dict[str, Estimate | Callable[[], Estimate]] = {}
        for name in metrics:
            metric = self.metrics_by_id[name]
            if name not in results and not (reference is None and name in metric.compares):
                results |= metric(samples, reference)
        estimates = {name: results[name] for name in metrics if name in results}
        return {name: one if isinstance(one, Estimate) else one() for name, one in estimates.items()}


def check_pairs(samples: int, inputs: int) -> None:
    """Check that there is one input for each sample.

    Parameters
    ----------
    samples, inputs : int
        Their numbers.

    Raises
    ------
    UserError
        Where they differ.
    """
    if samples != inputs:
        raise UserError(f"--input: expected one input for each of {samples:,} samples, got {inputs:,}")


def write_truth(truth: bool) -> str:
    """Write a truth as samples.csv has it.

    Parameters
    ----------
    truth : bool
        The truth.

    Returns
    -------
    str
        "true" or "false".
    """
    return "true" if truth else "false"
