"""Molecules as atoms in space."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from symdiff_evaluation.core.estimate import Estimate
from symdiff_evaluation.core.execution import ALONE, Execution
from symdiff_evaluation.core.kind import Kind, write_truth
from symdiff_evaluation.core.limits import Limits
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.core.page import PageSection
from symdiff_evaluation.core.sample_files import SampleFiles
from symdiff_evaluation.core.storage import list_shipped
from symdiff_evaluation.molecules3d import page as pages
from symdiff_evaluation.molecules3d import poses, xtb
from symdiff_evaluation.molecules3d.accept import accept
from symdiff_evaluation.molecules3d.metrics import METRICS
from symdiff_evaluation.molecules3d.read import ENDINGS, read
from symdiff_evaluation.molecules3d.reference import GeometryReference, build, load
from symdiff_evaluation.molecules3d.samples import Geometries as Set
from symdiff_evaluation.molecules3d.samples import hint_units, join


class GeometryKind(Kind[Set, GeometryReference]):
    """Their records are blocks of an .sdf or .xyz, or rows of arrays; the reference is a training set's statistics."""

    name = "molecule-3d"
    of = "molecules"
    endings = ENDINGS
    columns = (
        "atoms",
        "formula",
        "valid",
        "reason",
        "edm_stable_atoms",
        "edm_smiles",
        "perceived",
        "perceived_reason",
        "strain_mmff",
        "point_group_0.1",
        "point_group_0.3",
    )
    headline = {
        "edm.molecule_stability": "stable (EDM)",
        "edm.atom_stability": "stable atoms",
        "edm.valid_and_unique": "valid, unique (EDM)",
        "perceived.validity": "valid (perceived)",
        "perceived.undetermined": "undetermined",
        "strain.mmff_per_atom": "kcal/mol an atom",
        "shape.asymmetric_share": "asymmetric",
    }
    about = (
        "Positions are in angstrom. EDM's rule reads bonds from distances alone; perceived bonds are those of RDKit's "
        "search with a limit of"
        " steps, time and memory, and what it could not decide is a number of its own. Point groups hold within a "
        "tolerance (RMSD)."
        " Intervals are 95 %: Wilson's for shares, order statistics for medians, the delta method for distances."
    )

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return METRICS

    def accept(
        self,
        structures: Any,
        execution: Execution = ALONE,
        metrics: Sequence[str] | None = None,
    ) -> Set:
        samples = accept(structures)
        return replace(
            samples, limits=Limits(workers=execution.workers), progress=execution.report_stages(len(samples.readable))
        )

    def summarize(self, samples: Set, name: str, metrics: Sequence[str], workers: int = 1) -> GeometryReference:
        return build(samples, name)

    def read(
        self,
        files: SampleFiles,
        execution: Execution = ALONE,
        metrics: Sequence[str] | None = None,
    ) -> Set:
        samples = join([read(file) for file in files])
        report = execution.report_stages(len(samples.readable))
        return replace(samples, limits=Limits(workers=execution.workers), progress=report, shards=execution.shards)

    def find_reference(self, name: str, metrics: Sequence[str], workers: int = 1) -> GeometryReference:
        """A shipped one, one that was written, or a file of molecules."""
        path = Path(name)
        written = path.suffix in (".json", ".safetensors") and path.with_suffix(".json").is_file()
        if name in list_shipped(self.name) or written or not path.name.lower().removesuffix(".gz").endswith(ENDINGS):
            return load(name)
        return build(self.read(SampleFiles([name]), Execution(workers)), path.name, name)

    def count_failures(self, samples: Set) -> Counter[str]:
        return Counter(reason.split(":")[0] for reason in samples.reasons if reason)

    def list_rows(self, samples: Set, reference: GeometryReference | None) -> Iterable[tuple]:
        """``valid``: one molecule by perceived bonds, where the protocol asked for them; else a molecule at all.
        Undecided is empty.

        ``reason``: why a row is not valid, or undecided.
        """
        for index, record in enumerate(samples.records):
            row = samples.row(index)
            valid = bool(row["perceived"]) if "perceived" in row else not samples.reasons[index]
            row["valid"] = "" if row.get("undetermined") else write_truth(valid)
            row["reason"] = row["reason"] or ("" if valid else row.get("perceived_reason", ""))
            yield record.file, record.number, *(row.get(name, "") for name in self.columns)

    def make_sections(
        self, samples: Set, reference: GeometryReference | None, estimates: Mapping[str, Estimate]
    ) -> list[PageSection]:
        return pages.make_sections(samples, reference, estimates)

    def require(self, metrics: Sequence[str]) -> None:
        if any(name.startswith("poses.") for name in metrics):
            poses.require()
        if any(name.startswith("strain.xtb") for name in metrics):
            xtb.require()

    def list_remarks(self, samples: Set) -> list[str]:
        hint = hint_units(samples)
        notes = Counter(record.note for record in samples.records if record.note)
        return [
            *([hint] if hint else []),
            *(f"{count:,} of {len(samples):,} records: {note}" for note, count in notes.items()),
        ]
