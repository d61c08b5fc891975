"""The pages of molecular graphs: distributions, symmetry, pictures, failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from symdiff_evaluation.core.charts import draw_bars, draw_densities
from symdiff_evaluation.core.distances import sum_counts
from symdiff_evaluation.core.estimate import Estimate
from symdiff_evaluation.core.page import (
    GALLERY,
    SYMMETRIC,
    PageSection,
    compute_shares,
    describe_estimate,
    join_panels,
    make_failure_table,
    make_gallery,
    make_key,
    make_panel,
    make_sample,
    make_symmetric_gallery,
    space_evenly,
)
from symdiff_evaluation.molecules.draw import draw_svg
from symdiff_evaluation.molecules.reference import Reference
from symdiff_evaluation.molecules.samples import MoleculeSamples
from symdiff_evaluation.molecules.verdict import COUNTS, PROPERTIES, SYMMETRY

_DRAWN = 120  # characters of SMILES beyond which a picture is no use
_COUNTED = {"size": "Heavy atoms", "atoms": "Elements and charges", "bonds": "Bonds", "rings": "Ring sizes"}
_MEASURED = {"logp": "logP (Crippen)", "qed": "QED", "weight": "Molecular weight in dalton"}


def make_sections(
    samples: MoleculeSamples, reference: Reference | None, estimates: Mapping[str, Estimate]
) -> list[PageSection]:
    """Make the sections of the report.

    Parameters
    ----------
    samples : MoleculeSamples
        What was read.
    reference : Reference, optional
        Drawn beside the samples.
    estimates : mapping of str to Estimate
        The numbers that texts quote.

    Returns
    -------
    list of PageSection
        Distributions, symmetry, reconstruction, samples and failures.
    """
    return [
        PageSection("distributions", "Distributions", _distributions(samples, reference, estimates)),
        PageSection("symmetry", "Symmetry", _symmetry(samples, reference, estimates)),
        PageSection("reconstruction", "Reconstruction", _reconstruction(samples, estimates)),
        PageSection("samples", "Samples", _gallery(samples, reference)),
        PageSection("failures", "Failures", _failures(samples)),
    ]


def _distributions(samples: MoleculeSamples, reference: Reference | None, estimates: Mapping[str, Estimate]) -> str:
    if samples.aspects.isdisjoint({COUNTS, PROPERTIES}) or not samples.traits:
        return ""
    traits = samples.traits
    counted = {"size": Counter(str(t.size) for t in traits)}
    counted |= {name: sum_counts(getattr(t, name) for t in traits) for name in ("atoms", "bonds", "rings")}
    shown = []
    for name, title in _COUNTED.items() if COUNTS in samples.aspects else ():
        chart = draw_bars(compute_shares(counted[name]), compute_shares(reference.counts[name]) if reference else None)
        shown.append(make_panel(title, describe_estimate(estimates, f"distance.{name}", "total variation"), chart))
    for name, title in _MEASURED.items() if PROPERTIES in samples.aspects else ():
        chart = draw_densities([getattr(t, name) for t in traits], reference.quantiles[name] if reference else None)
        shown.append(make_panel(title, describe_estimate(estimates, f"distance.{name}", "Wasserstein distance"), chart))
    return make_key(reference is not None) + join_panels(shown)


def _symmetry(samples: MoleculeSamples, reference: Reference | None, estimates: Mapping[str, Estimate]) -> str:
    orders = [t.order for t in samples.traits if t.order is not None] if SYMMETRY in samples.aspects else []
    if not orders:
        return ""
    target = compute_shares(_short(reference.counts["order"])) if reference else None
    chart = draw_bars(compute_shares(_short(Counter(map(str, orders)))), target, most=9)
    share: dict[str, list[float]] = {}
    for t in samples.traits:
        if t.orbits is not None:
            share.setdefault(str(t.size), []).append(float(t.order == 1))
    by_size = {size: sum(marks) / len(marks) for size, marks in share.items()}
    shown = [
        make_panel(
            "Number of automorphisms", describe_estimate(estimates, "symmetry.order_distance", "total variation"), chart
        ),
        make_panel("Asymmetric share", "by number of heavy atoms", draw_bars(by_size, None)),
    ]
    most: dict[str, int] = {}
    for verdict in samples.verdicts:
        order = verdict.traits.order if verdict.traits else None
        if verdict.canonical and order is not None and order > 1:
            most[verdict.canonical] = order
    top = sorted(most, key=lambda text: (-most[text], text))[:SYMMETRIC]
    drawn = [_molecule(text, f"{_power(str(most[text]))} automorphisms") for text in top]
    text = (
        "An automorphism maps the heavy-atom graph to itself and keeps elements, charges, hydrogens and bonds. A "
        "model that"
        " cannot break symmetry makes too many symmetric samples, or too few."
    )
    words = [
        describe_estimate(estimates, "balance.images", "all numberings equally frequent: p ="),
        describe_estimate(estimates, "balance.places", "every kind of atom everywhere in the order: p ="),
    ]
    summary = "; ".join(word for word in words if word)
    return (
        f'<p class="soft">{text}</p>{f"<p>{summary}</p>" if summary else ""}'
        f"{make_key(reference is not None)}{join_panels(shown)}{make_symmetric_gallery(drawn)}"
    )


def _short(counts: Mapping[str, int]) -> Counter[str]:
    short: Counter[str] = Counter()
    for order, count in counts.items():
        short[_power(order)] += count
    return short


def _power(order: str) -> str:
    """An order as it fits under a bar: beyond five digits, its power of ten."""
    return order if len(order) < 6 else f"10^{len(order) - 1}"


def _reconstruction(samples: MoleculeSamples, estimates: Mapping[str, Estimate]) -> str:
    """What went in beside what came out, of records that did not come out as they went in."""
    if "reconstruction.exact" not in estimates or not any(record.input for record in samples.records):
        return ""
    names = zip(samples.input_names, samples.verdicts, strict=True)
    changed = [(given, verdict.smiles) for given, verdict in names if given and verdict.canonical != given]
    drawn = []
    for given, smiles in changed[: GALLERY // 2]:
        drawn += [_molecule(given, "went in"), _molecule(smiles, "came out")]
    words = [
        describe_estimate(estimates, "reconstruction.exact", "came out as they went in:"),
        describe_estimate(estimates, "reconstruction.exact_asymmetric", "of those without a symmetry:"),
        describe_estimate(estimates, "reconstruction.exact_symmetric", "of the symmetric:"),
    ]
    note = f"The first {len(drawn) // 2} of {len(changed):,} records that did not, in pairs." if changed else ""
    return f'<p>{"; ".join(word for word in words if word)}</p><p class="soft">{note}</p>{make_gallery(drawn)}'


def _gallery(samples: MoleculeSamples, reference: Reference | None) -> str:
    valid = samples.valid
    if not valid:
        return ""
    chosen = [valid[k] for k in space_evenly(len(valid))]
    known = reference.knows(chosen) if reference else [None] * len(chosen)
    marks = {None: "", False: "novel", True: "in the training set"}
    drawn = [
        _molecule(text, marks[None if k is None else bool(k)], k is not None and not k)
        for text, k in zip(chosen, known, strict=True)
    ]
    note = f"{len(chosen)} of the {len(valid):,} valid samples, evenly spaced in the order of the files, not selected."
    return f'<p class="soft">{note}</p>{make_gallery(drawn)}'


def _failures(samples: MoleculeSamples) -> str:
    groups: dict[str, list[tuple[str, str]]] = {}
    for record, verdict in zip(samples.records, samples.verdicts, strict=True):
        if verdict.reason:
            name, _, detail = verdict.reason.partition(": ")
            shown = verdict.smiles if len(verdict.smiles) <= 80 else verdict.smiles[:77] + "..."
            groups.setdefault(name, []).append((shown, f"{record.file}, record {record.number:,}: {detail}"))
    return make_failure_table(groups, len(samples), "None: every record is a strictly valid molecule.")


def _molecule(smiles: str, tag: str, new: bool = False) -> str:
    return make_sample(draw_svg(smiles) if len(smiles) <= _DRAWN else "", smiles[:_DRAWN], tag, new)
