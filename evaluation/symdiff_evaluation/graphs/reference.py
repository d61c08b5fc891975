"""What a data set of graphs looks like: enough for all comparisons, without the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from symdiff.errors import UserError
from symdiff_evaluation.graphs.descriptors import NAMES, Descriptors
from symdiff_evaluation.graphs.mmd import SIGMAS, biased_mmd, kernel
from symdiff_evaluation.graphs.samples import Graphs
from symdiff_evaluation.graphs.validity import find_rule

_MOST = 4096  # training graphs that the baseline and the distributions of symmetry are taken from


@dataclass(frozen=True, eq=False)
class GraphReference:
    """Statistics of a data set of graphs.

    Parameters
    ----------
    name : str
        The name of the reference.
    rule : str
        What makes a graph valid, a name in ``RULES``.
    count : int
        Number of training graphs.
    hashes : numpy.ndarray, (n,) uint64
        Hashes of their canonical forms, different and sorted, which decide on novelty.
    test : Descriptors
        Descriptions of the test graphs, which samples are compared with.
    baseline : mapping of str to float
        Biased squared MMD of training against test graphs by description; empty where there are no test graphs.
    log_orders : numpy.ndarray, (n,)
        Logarithms of the orders of the training graphs' automorphism groups.
    unlabeled_log_orders : numpy.ndarray, (n,)
        The same without labels.
    source : str
        Where the data come from.
    """

    name: str
    rule: str
    count: int
    hashes: np.ndarray
    test: Descriptors
    baseline: Mapping[str, float]
    log_orders: np.ndarray
    unlabeled_log_orders: np.ndarray
    source: str = ""

    def knows(self, hashes: np.ndarray) -> np.ndarray:
        """Tell which graphs are in the training set.

        Parameters
        ----------
        hashes : numpy.ndarray, (n,) uint64
            Hashes of their canonical forms.

        Returns
        -------
        numpy.ndarray, (n,) bool
            Whether each is.
        """
        return np.isin(hashes, self.hashes)

    def arrays(self) -> dict[str, np.ndarray]:
        """Give all but names and counts as arrays, the descriptions as float32."""
        arrays = {
            "hashes": self.hashes,
            "log_orders": self.log_orders,
            "unlabeled_log_orders": self.unlabeled_log_orders,
        }
        arrays |= {f"test.{name}": self.test[name].astype(np.float32) for name in NAMES}
        return arrays | {f"baseline.{name}": np.array([value]) for name, value in self.baseline.items()}


def build(
    train: Graphs, test: Graphs | None = None, rule: str = "any", name: str = "graphs", source: str = ""
) -> GraphReference:
    """Take the statistics of readable graphs.

    Parameters
    ----------
    train : Graphs
        The training set.
    test : Graphs, optional
        The test set; without it samples are compared with the training graphs.
    rule : str
        A name in ``RULES``.
    name : str
        The name of the reference.
    source : str
        Where the data come from.

    Returns
    -------
    GraphReference
        The statistics.

    Raises
    ------
    UserError
        For an unknown rule, and where no graph is readable.
    """
    find_rule(rule)
    for part, split in ((train, "training"), (test, "test")):
        if part is not None and not part.readable:
            raise UserError(f"reference {name}: none of its {len(part)} {split} records is a readable graph")
    some = train if len(train) <= _MOST else replace(train.select(range(_MOST)), workers=train.workers)
    seen = some if test is None else test
    baseline = (
        {}
        if test is None
        else {kind: biased_mmd(kernel(some.descriptors[kind], test.descriptors[kind], SIGMAS[kind])) for kind in NAMES}
    )
    return GraphReference(
        name=name,
        rule=rule,
        count=len(train.readable),
        hashes=np.unique(train.hashes[train.has_hash]),
        test=seen.descriptors,
        baseline=baseline,
        log_orders=_logs(some.symmetries),
        unlabeled_log_orders=_logs(some.unlabeled_symmetries),
        source=source,
    )


def from_arrays(name: str, rule: str, count: int, arrays: Mapping[str, np.ndarray], source: str = "") -> GraphReference:
    """Make a reference of what ``GraphReference.arrays`` gave.

    Parameters
    ----------
    name, rule : str
        As in ``GraphReference``.
    count : int
        Number of training graphs.
    arrays : mapping of str to numpy.ndarray
        The arrays.
    source : str
        Where the data come from.

    Returns
    -------
    GraphReference
        The statistics.

    Raises
    ------
    KeyError
        Where an array is missing.
    UserError
        For an unknown rule.
    """
    find_rule(rule)
    return GraphReference(
        name=name,
        rule=rule,
        count=count,
        hashes=arrays["hashes"],
        test=Descriptors({kind: arrays[f"test.{kind}"].astype(np.float64) for kind in NAMES}),
        baseline={kind: float(arrays[f"baseline.{kind}"][0]) for kind in NAMES if f"baseline.{kind}" in arrays},
        log_orders=arrays["log_orders"],
        unlabeled_log_orders=arrays["unlabeled_log_orders"],
        source=source,
    )


def _logs(symmetries) -> np.ndarray:
    return np.sort(np.array([one.log_order for one in symmetries if one is not None], np.float64))
