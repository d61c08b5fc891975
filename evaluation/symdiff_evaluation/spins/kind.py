"""Configurations of spins on a periodic lattice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from symdiff.errors import UserError
from symdiff.storage.arrays import read_arrays
from symdiff_evaluation.core.estimate import Estimate
from symdiff_evaluation.core.execution import ALONE, Execution
from symdiff_evaluation.core.kind import Kind, write_truth
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.core.page import PageSection
from symdiff_evaluation.core.sample_files import SampleFiles
from symdiff_evaluation.spins import page as pages
from symdiff_evaluation.spins.metrics import METRICS
from symdiff_evaluation.spins.reference import SpinReference, summarize
from symdiff_evaluation.spins.samples import Spins, from_arrays


class SpinKind(Kind[Spins, SpinReference]):
    """Their file is one of arrays; exact values need no reference, which is another set of spins."""

    name = "lattice"
    of = "configurations"
    endings = (".npz", ".safetensors")
    columns = ("valid", "reason", "temperature", "energy_per_site", "magnetization", "stabilizer_order", "unique")
    headline = {
        "energy_per_site": "energy per site",
        "exact.energy": "minus the exact",
        "abs_magnetization": "|m|",
        "ground.share": "ground states",
        "balance.variants": "p, variants alike",
        "symmetry.broken_share": "symmetry broken",
    }
    about = (
        "Energies are per site in units of J, temperatures in J/k_B. Intervals are 95 %: Wilson's for shares, for "
        "means the normal one over"
        " independent records or, where the file tells chains, over chains with their autocorrelation time."
    )

    by_number = ""  # means and shares do not depend on the number of samples

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return METRICS

    def accept(
        self,
        structures: Any,
        execution: Execution = ALONE,
        metrics: Sequence[str] | None = None,
    ) -> Spins:
        arrays = structures if isinstance(structures, Mapping) else {"spins": structures}
        spins = from_arrays({name: np.asarray(array) for name, array in arrays.items()}, "arrays")
        return replace(spins, workers=execution.workers, progress=execution.report_stages(len(spins)))

    def summarize(self, samples: Spins, name: str, metrics: Sequence[str], workers: int = 1) -> SpinReference:
        if not len(samples):
            raise UserError(f"reference {name}: none of its {samples.total} records is a configuration of spins")
        return summarize(samples, name, name)

    def read(
        self,
        files: SampleFiles,
        execution: Execution = ALONE,
        metrics: Sequence[str] | None = None,
    ) -> Spins:
        if len(files) > 1:
            raise UserError(f"expected one file of spins, got {len(files)}: put them into one .npz")
        spins = from_arrays(read_arrays(files[0]), str(files[0]))
        return replace(
            spins, workers=execution.workers, shards=execution.shards, progress=execution.report_stages(len(spins))
        )

    def find_reference(self, name: str, metrics: Sequence[str], workers: int = 1) -> SpinReference:
        if not Path(name).name.lower().endswith(self.endings):
            raise UserError(f"reference {name!r}: expected a file of spins ({', '.join(self.endings)}) or none")
        samples = self.read(SampleFiles([name]), Execution(workers))
        return self.summarize(samples, name, metrics)

    def count_records(self, samples: Spins) -> int:
        return samples.total

    def count_failures(self, samples: Spins) -> Counter[str]:
        return Counter(reason.split(":")[0] for reason in samples.reasons.values())

    def list_rows(self, samples: Spins, reference: SpinReference | None) -> Iterable[tuple]:
        """``unique`` marks a configuration's first record."""
        observed = samples.observations
        known: dict[int, tuple] = {
            int(record): ("false", reason, "", "", "", "", "") for record, reason in samples.reasons.items()
        }
        seen: set[bytes] = set()
        for k, record in enumerate(samples.records.tolist()):
            code, t = samples.configurations[k].tobytes(), samples.temperatures[k]
            heat = "" if np.isnan(t) else f"{t:g}"
            known[record] = (
                "true",
                "",
                heat,
                f"{observed.energy[k]:.6g}",
                f"{observed.magnetization[k]:.6g}",
                int(observed.stabilizer[k]),
                write_truth(code not in seen),
            )
            seen.add(code)
        for record in sorted(known):
            yield samples.file, record + 1, *known[record]

    def make_sections(
        self, samples: Spins, reference: SpinReference | None, estimates: Mapping[str, Estimate]
    ) -> list[PageSection]:
        return pages.make_sections(samples, estimates, reference.quantiles if reference else None)
