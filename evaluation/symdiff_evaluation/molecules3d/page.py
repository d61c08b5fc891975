"""The pages of molecules in 3D: distributions, symmetry of shapes, pictures, failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from symdiff.chemistry.elements import SYMBOLS, formula
from symdiff_evaluation.core.charts import draw_bars, draw_curves, draw_densities
from symdiff_evaluation.core.estimate import Estimate, fraction
from symdiff_evaluation.core.limits import Undetermined
from symdiff_evaluation.core.page import (
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
from symdiff_evaluation.core.pictures import draw_points
from symdiff_evaluation.molecules3d.internal_coordinates import pool
from symdiff_evaluation.molecules3d.reference import GeometryReference
from symdiff_evaluation.molecules3d.samples import Geometries
from symdiff_evaluation.molecules3d.symmetry import LIMIT, LOOSE, TIGHT

_BONDS = ("C-C", "C=O", "C-H")  # whose lengths are drawn
_ANGLES = ("C-C-C", "C-C-H")
_TOLERANCES = np.linspace(0.02, LIMIT, 13)  # of the curve of symmetric shares, in angstrom


def make_sections(
    samples: Geometries, reference: GeometryReference | None, estimates: Mapping[str, Estimate]
) -> list[PageSection]:
    """Make the sections of the report; what no metric asked for is not worked out for them.

    Parameters
    ----------
    samples : Geometries
        What was read.
    reference : GeometryReference, optional
        Drawn beside the samples.
    estimates : mapping of str to Estimate
        The numbers that texts quote.

    Returns
    -------
    list of PageSection
        Distributions, symmetry, samples and failures.
    """
    return [
        PageSection("distributions", "Distributions", _distributions(samples, reference, estimates)),
        PageSection("symmetry", "Symmetry", _symmetry(samples, reference, estimates)),
        PageSection("samples", "Samples", _gallery(samples)),
        PageSection("failures", "Failures", _failures(samples)),
    ]


def _is_known(samples: Geometries, name: str) -> bool:
    return name in vars(samples)


def _distributions(samples: Geometries, reference: GeometryReference | None, estimates: Mapping[str, Estimate]) -> str:
    if not samples.readable:
        return ""
    sizes = Counter(str(len(samples[k].numbers)) for k in samples.readable)
    atoms = Counter(SYMBOLS[number] for number in samples.z.tolist())
    shown = [
        make_panel("Atoms of a molecule", "", draw_bars(compute_shares(sizes), None)),
        make_panel("Elements", "share of all atoms", draw_bars(compute_shares(atoms), None)),
    ]
    if _is_known(samples, "perceptions"):
        spans, bends = (pool(part) for part in samples.internal)
        known = {} if reference is None else reference.quantiles
        distribution = None if reference is None else compute_shares(reference.counts.get("bond", {}))
        counted = compute_shares({label: len(values) for label, values in spans.items()})
        shown.append(
            make_panel(
                "Bonds, as perceived",
                describe_estimate(estimates, "geometry.bond_types", "total variation"),
                draw_bars(counted, distribution, most=9),
            )
        )
        for label in _BONDS:
            if label in spans:
                text = describe_estimate(estimates, f"geometry.bond_length.{label}", "Wasserstein distance")
                shown.append(
                    make_panel(
                        f"Lengths of {label} in angstrom",
                        text,
                        draw_densities(spans[label], known.get(f"length.{label}")),
                    )
                )
        for label in _ANGLES:
            if label in bends:
                shown.append(
                    make_panel(
                        f"Angles {label} in degrees", "", draw_densities(bends[label], known.get(f"angle.{label}"))
                    )
                )
    if _is_known(samples, "strains"):
        each = [
            one.energy / one.atoms
            for one in samples.strains
            if not isinstance(one, Undetermined) and one.energy is not None
        ]
        if each:
            distribution = None if reference is None else reference.quantiles.get("strain")
            shown.append(
                make_panel(
                    "Strain in kcal/mol an atom",
                    describe_estimate(estimates, "strain.mmff_per_atom", "median"),
                    draw_densities(each, distribution),
                )
            )
    return make_key(reference is not None) + join_panels(shown)


def _symmetry(samples: Geometries, reference: GeometryReference | None, estimates: Mapping[str, Estimate]) -> str:
    if not _is_known(samples, "shapes"):
        return ""
    known = [
        (k, one) for k, one in zip(samples.readable, samples.shapes, strict=True) if not isinstance(one, Undetermined)
    ]
    if not known:
        return ""
    shown = []
    for tolerance in (TIGHT, LOOSE):
        distribution = (
            None if reference is None else compute_shares(reference.counts.get(f"point_group.{tolerance}", {}))
        )
        groups = Counter(one.group(tolerance) for _, one in known)
        shown.append(
            make_panel(
                f"Point groups at {tolerance} angstrom",
                "share of the molecules",
                draw_bars(compute_shares(groups), distribution, most=10),
            )
        )
    symmetric = [fraction(sum(one.group(t) != "C1" for _, one in known), len(known)) for t in _TOLERANCES]
    shown.append(
        make_panel(
            "Symmetric share by tolerance",
            "RMSD in angstrom up to which an operation counts",
            draw_curves(_TOLERANCES, symmetric),
        )
    )
    away = [min(one.chirality, LIMIT) for _, one in known]
    distribution = None if reference is None else reference.quantiles.get("chirality")
    shown.append(
        make_panel(
            "Distance to the mirror image in angstrom",
            describe_estimate(estimates, "shape.chirality", "median"),
            draw_densities(away, distribution),
        )
    )
    words = [
        describe_estimate(estimates, "mirror.balance", "both hands equally frequent: p ="),
        describe_estimate(estimates, "mirror.right_share", "right-handed share"),
        describe_estimate(estimates, "balance.orientations", "all orientations equally frequent: p ="),
    ]
    top = sorted(
        (item for item in known if item[1].group(TIGHT) != "C1"), key=lambda item: (-item[1].at(TIGHT).order, item[0])
    )[:SYMMETRIC]
    drawn = [_draw(samples, k, one.group(TIGHT)) for k, one in top]
    text = (
        "A point group holds at a tolerance if all its operations together move the atoms by no more than that "
        "(RMSD), atoms of an"
        " element interchanged at will."
    )
    return (
        f'<p class="soft">{text}</p><p>{"; ".join(word for word in words if word)}</p>'
        f"{make_key(reference is not None)}{join_panels(shown)}"
        f"{make_symmetric_gallery(drawn)}"
    )


def _gallery(samples: Geometries) -> str:
    if not samples.readable:
        return ""
    place = {index: k for k, index in enumerate(samples.readable)}
    drawn = []
    for number in space_evenly(len(samples.readable)):
        index = samples.readable[number]
        one = samples.perceptions[place[index]] if _is_known(samples, "perceptions") else None
        tag = (
            ""
            if one is None
            else "undetermined"
            if isinstance(one, Undetermined)
            else "valid"
            if one.canonical
            else one.reason.split(":")[0]
        )
        drawn.append(_draw(samples, index, tag, tag == "valid"))
    note = (
        f"{len(drawn)} of the {len(samples.readable):,} readable samples, evenly spaced in the order of the files, "
        "not selected. Lines join near atoms."
    )
    return f'<p class="soft">{note}</p>{make_gallery(drawn)}'


def _draw(samples: Geometries, index: int, tag: str, new: bool = False) -> str:
    atoms = samples[index]
    return make_sample(
        draw_points([SYMBOLS[number] for number in atoms.numbers], atoms.positions), formula(atoms.numbers), tag, new
    )


def _failures(samples: Geometries) -> str:
    groups: dict[str, list[tuple[str, str]]] = {}
    perceptions = (
        dict(zip(samples.readable, samples.perceptions, strict=True)) if _is_known(samples, "perceptions") else {}
    )
    for index, record in enumerate(samples.records):
        one = perceptions.get(index)
        reason = samples.reasons[index] or (
            f"undetermined: {one}" if isinstance(one, Undetermined) else "" if one is None else one.reason
        )
        if reason:
            name, _, detail = reason.partition(": ")
            groups.setdefault(name, []).append(
                (formula(samples[index].numbers), f"{record.file}, record {record.number:,}: {detail}")
            )
    return make_failure_table(groups, len(samples), "None: every record is a molecule.")
