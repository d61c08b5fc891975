"""Molecules as graphs of atoms and bonds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from symdiff.storage.records import Record
from symdiff_evaluation.core.estimate import Estimate
from symdiff_evaluation.core.execution import ALONE, Execution
from symdiff_evaluation.core.kind import Kind, ProtocolSettings, StructureSet, check_pairs, write_truth
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.core.page import PageSection
from symdiff_evaluation.core.sample_files import SampleFiles
from symdiff_evaluation.core.storage import list_shipped
from symdiff_evaluation.molecules import chemnet
from symdiff_evaluation.molecules import page as pages
from symdiff_evaluation.molecules.accept import accept
from symdiff_evaluation.molecules.build import build
from symdiff_evaluation.molecules.derive import derive
from symdiff_evaluation.molecules.metrics import METRICS
from symdiff_evaluation.molecules.metrics.moses import Moses
from symdiff_evaluation.molecules.metrics.stability import explain
from symdiff_evaluation.molecules.read import ENDINGS, read
from symdiff_evaluation.molecules.reference import Reference, load
from symdiff_evaluation.molecules.samples import MoleculeSamples, judge_all
from symdiff_evaluation.molecules.verdict import EVERYTHING, STABILITY


class MoleculeKind(Kind[MoleculeSamples, Reference]):
    """Their records are SMILES or mol blocks; the reference is a training set's statistics."""

    name = "molecule-graph"
    of = "molecules"
    endings = ENDINGS
    derives = True
    tables = True
    labels = True
    columns = ("smiles", "canonical", "valid", "reason", "unique", "novel")
    headline = {
        "validity.strict": "valid",
        "uniqueness": "unique",
        "novelty": "novel",
        "vun": "all three",
        "fcd.test": "FCD, test split",
        "fcd.train": "FCD, train split",
        "molecule_stability": "stable",
        "symmetry.asymmetric_share": "asymmetric",
    }
    about = (
        "Molecules are compared by canonical SMILES without stereo, isotopes and atom maps. Intervals are 95 %:"
        " Wilson's for shares, the delta method over samples for distances, a grouped jackknife for FCD; uniqueness "
        "and V.U.N."
        " use the variance of a number of distinct kinds. Distances near zero are biased upwards by the finite number "
        "of samples."
    )

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return METRICS

    def accept(
        self,
        structures: Any,
        execution: Execution = ALONE,
        metrics: Sequence[str] | None = None,
    ) -> MoleculeSamples:
        return self._judge(accept(structures), replace(execution, shards=None), metrics)

    def summarize(self, samples: MoleculeSamples, name: str, metrics: Sequence[str], workers: int = 1) -> Reference:
        splits = {"train": [verdict.smiles for verdict in samples.verdicts]}
        return build(splits, name, "", asks_fcd(metrics), asks_moses(metrics), Execution(workers))

    def read(
        self,
        files: SampleFiles,
        execution: Execution = ALONE,
        metrics: Sequence[str] | None = None,
    ) -> MoleculeSamples:
        records = [record for file in files for record in read(file, files.column, files.atoms)]
        return self._judge(records, execution, metrics)

    def _judge(self, records: Sequence[Record], execution: Execution, metrics: Sequence[str] | None) -> MoleculeSamples:
        if execution.begin is not None:
            execution.begin(len(records))
        return judge_all(records, execution, EVERYTHING if metrics is None else self.collect_needs(metrics))

    def find_reference(self, name: str, metrics: Sequence[str], workers: int = 1) -> Reference:
        path = Path(name)
        if name not in list_shipped() and path.name.lower().removesuffix(".gz").endswith(ENDINGS):
            smiles = [record.text for record in read(path) if record.form == "smiles"]
            return build({"train": smiles}, path.name, name, asks_fcd(metrics), asks_moses(metrics), Execution(workers))
        return load(name)

    def derive(
        self,
        dataset: StructureSet,
        name: str,
        metrics: Sequence[str],
        execution: Execution = ALONE,
    ) -> Reference:
        return derive(dataset, name, asks_fcd(metrics), asks_moses(metrics), execution)

    def count_failures(self, samples: MoleculeSamples) -> Counter[str]:
        return Counter(verdict.reason.split(":")[0] for verdict in samples.verdicts if verdict.reason)

    def list_rows(self, samples: MoleculeSamples, reference: Reference | None) -> Iterable[tuple]:
        """``unique`` marks a molecule's first record; ``novel`` is empty without a reference."""
        known = dict(zip(samples.distinct, reference.knows(samples.distinct), strict=True)) if reference else {}
        seen: set[str] = set()
        for record, verdict in zip(samples.records, samples.verdicts, strict=True):
            name = verdict.canonical
            unique = write_truth(name not in seen) if name else ""
            novel = write_truth(not known[name]) if name and reference else ""
            yield (
                record.file,
                record.number,
                verdict.smiles,
                name or "",
                write_truth(bool(name)),
                verdict.reason,
                unique,
                novel,
            )
            if name:
                seen.add(name)

    def make_sections(
        self, samples: MoleculeSamples, reference: Reference | None, estimates: Mapping[str, Estimate]
    ) -> list[PageSection]:
        return pages.make_sections(samples, reference, estimates)

    def require(self, metrics: Sequence[str]) -> None:
        if asks_fcd(metrics):
            chemnet.require()

    def pair(self, samples: MoleculeSamples, inputs: MoleculeSamples) -> MoleculeSamples:
        check_pairs(len(samples), len(inputs))
        records = tuple(
            replace(record, input=given.text if given.form == "smiles" else verdict.canonical or "")
            for record, given, verdict in zip(samples.records, inputs.records, inputs.verdicts, strict=True)
        )
        return replace(samples, records=records)

    def equip(self, samples: MoleculeSamples, protocol: ProtocolSettings) -> MoleculeSamples:
        return replace(samples, filters=protocol.mcf) if protocol.mcf else samples

    def list_remarks(self, samples: MoleculeSamples) -> list[str]:
        return explain(samples) if STABILITY in samples.aspects else []

    def list_notes(self, protocol: ProtocolSettings, reference: Reference | None) -> list[str]:
        metrics = protocol.metrics
        notes = []
        if reference:
            notes += [
                f"The reference {reference.name} has no ChemNet statistics for {name}."
                for name in ("fcd.train", "fcd.test")
                if name in metrics and name.split(".")[1] not in reference.gaussians
            ]
        if reference and asks_moses(metrics):
            if reference.moses is None:
                notes.append(f"The reference {reference.name} has nothing that MOSES's numbers compare with.")
            elif reference.moses.split != "test":
                notes.append(
                    f"The reference {reference.name} has no test split: MOSES's numbers compare with its training set."
                )
        if "moses.filters" in metrics and protocol.mcf is None:
            notes.append(
                "moses.filters needs MOSES's list of medicinal chemistry filters, --mcf FILE; "
                "moses.filters.without_mcf is an upper bound."
            )
        return notes


def asks_fcd(metrics: Sequence[str]) -> bool:
    """Tell whether one of the metrics needs ChemNet.

    Parameters
    ----------
    metrics : sequence of str
        Ids.

    Returns
    -------
    bool
        Whether one does.
    """
    return any(name.startswith("fcd.") for name in metrics)


def asks_moses(metrics: Sequence[str]) -> bool:
    """Tell whether one of the metrics needs what MOSES looks at.

    Parameters
    ----------
    metrics : sequence of str
        Ids.

    Returns
    -------
    bool
        Whether one does.
    """
    return any(name in Moses.about for name in metrics)
