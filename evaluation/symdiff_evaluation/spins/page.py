"""The pages of spin lattices: distributions, correlations, symmetry, a gallery."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np

from symdiff.spins.transfer_matrix import TransferMatrix, covers
from symdiff_evaluation.core.charts import draw_bars, draw_curves, draw_densities, draw_heat_map
from symdiff_evaluation.core.estimate import Estimate
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
from symdiff_evaluation.core.pictures import draw_lattice, label_colors
from symdiff_evaluation.spins.balance import label_balance, variant_balance
from symdiff_evaluation.spins.exact import find_torus_values
from symdiff_evaluation.spins.metrics.thermodynamics import strongest
from symdiff_evaluation.spins.observables import phase_name, waves
from symdiff_evaluation.spins.relabelings import Relabelings
from symdiff_evaluation.spins.samples import Spins
from symdiff_evaluation.spins.series import series_mean
from symdiff_evaluation.spins.symmetry import phases, space_group, symmetries

_QUANTILES = 512
_PARTS = 4  # Hamiltonians and temperatures that get panels of their own


def make_sections(
    spins: Spins, estimates: Mapping[str, Estimate], reference: Mapping[str, np.ndarray] | None = None
) -> list[PageSection]:
    """Make the sections of the report.

    Parameters
    ----------
    spins : Spins
        What was read.
    estimates : mapping of str to Estimate
        The numbers that texts quote.
    reference : mapping of str to numpy.ndarray, optional
        Quantiles of a set to compare with, by "energy" and "magnetization".

    Returns
    -------
    list of PageSection
        Distributions, symmetry, samples and failures.
    """
    return [
        PageSection("distributions", "Distributions", _distributions(spins, estimates, reference or {})),
        PageSection("symmetry", "Symmetry", _symmetry(spins, estimates)),
        PageSection("samples", "Samples", _gallery(spins)),
        PageSection("failures", "Failures", _failures(spins)),
    ]


def _distributions(spins: Spins, estimates: Mapping[str, Estimate], reference: Mapping[str, np.ndarray]) -> str:
    if not len(spins):
        return ""
    observed, exact = spins.observations, _distribution(spins)
    shown = [
        make_panel(
            "Energy per site in J",
            describe_estimate(estimates, "energy_per_site", "mean"),
            draw_densities(observed.energy, reference.get("energy")),
        ),
        make_panel(
            "Magnetization" if spins.is_ising else "Order parameter",
            describe_estimate(estimates, "abs_magnetization", "mean |m|"),
            draw_densities(observed.magnetization, reference.get("magnetization") if exact is None else exact),
        ),
    ]
    if len(spins.parts) == 1:
        shown += _correlations(spins, estimates)
    what = "reference" if reference else "exact value of the same torus"
    return make_key(bool(reference) or exact is not None, what) + join_panels(shown)


def _correlations(spins: Spins, estimates: Mapping[str, Estimate]) -> list[str]:
    part = spins.parts[0]
    exact = find_torus_values(part)
    shown = []
    for axis, size in enumerate(part.shape):
        line = part.observations.lines[axis]
        line_means = [series_mean(line[:, t], part.chain) for t in range(line.shape[1])]
        known = exact.two_point if exact is not None and exact.two_point is not None and exact.axis == axis else None
        title = f"Two-point function along the {['first', 'second', 'third'][axis]} axis"
        shown.append(
            make_panel(
                title,
                describe_estimate(estimates, "correlation_length.second_moment", "second-moment length"),
                draw_curves(range(size // 2 + 1), line_means, known),
            )
        )
    factor = part.observations.structure_factor / math.prod(part.shape)
    middle = np.fft.fftshift(factor) if factor.ndim < 3 else np.fft.fftshift(factor[0])
    shown.append(
        make_panel(
            "Structure factor, k = 0 in the middle",
            describe_estimate(estimates, "structure_factor.peak", "largest S(k)/N"),
            draw_heat_map(middle),
        )
    )
    return shown


def _symmetry(spins: Spins, estimates: Mapping[str, Estimate]) -> str:
    if not len(spins):
        return ""
    group = space_group(spins.shape, spins.lattice)
    group = group if spins.is_ising else Relabelings(group, spins.model, spins.states)
    shown = [_stabilizers(spins, group.order), _phases(spins)]
    for part in spins.parts[:_PARTS]:
        shown += _variants(part)
    flip = "the flip of all spins" if spins.is_ising else "a permutation of labels that keeps the interaction"
    text = (
        f"A symmetry is a translation, a rotation or reflection of the lattice, or {flip}. Couplings and field may "
        "have all of them while every sample breaks most: an invariant distribution has all variants equally often."
    )
    words = [
        describe_estimate(estimates, "balance.variants", "variants equally frequent: p ="),
        describe_estimate(estimates, "balance.images", "images equally frequent: p ="),
        describe_estimate(estimates, "balance.places", "all places equally frequent: p ="),
        describe_estimate(estimates, "symmetry.breaking_gap", "symmetry-breaking gap"),
    ]
    summary = "; ".join(word for word in words if word)
    return (
        f'<p class="soft">{text}</p><p>{summary}</p>{make_key(True, "equally frequent")}{join_panels(shown)}'
        f"{make_symmetric_gallery(_draw_most_symmetric(spins, group.order))}"
    )


def _stabilizers(spins: Spins, order: int) -> str:
    labels = "flip" if spins.is_ising else "permutations of labels"
    return make_panel(
        "Symmetries that a sample keeps",
        f"of the {order:,} of the space group times {labels}",
        draw_bars(compute_shares(Counter(map(str, spins.observations.stabilizer.tolist()))), None, 9),
    )


def _phases(spins: Spins) -> str:
    best, known = phases(spins.observations.orders)[0], waves(spins.shape)
    names = Counter(phase_name(known[k]).replace("_", " ") for k in best.tolist())
    return make_panel("Strongest order", "share of samples by phase", draw_bars(compute_shares(names), None))


def _variants(part: Spins) -> list[str]:
    """A panel for each order of one Hamiltonian and temperature that has several variants."""
    balance = (
        variant_balance(part.observations.orders, symmetries(part.hamiltonian), part.chain)
        if part.is_ising
        else label_balance(part.configurations, part.states, part.chain)
    )
    shown = []
    for counts in balance.counts:
        if len(counts) > 1:
            chart = draw_bars(
                {name.replace("stripes_", ""): share for name, share in compute_shares(counts).items()},
                {name.replace("stripes_", ""): 1 / len(counts) for name in counts},
            )
            name = " ".join(next(iter(counts)).replace("_", " ").split()[:1])
            caption = f"{sum(counts.values()):,} samples; gray: equally frequent"
            shown.append(make_panel(f"Variants: {name}{_where(part)}", caption, chart))
    return shown


def _draw_most_symmetric(spins: Spins, order: int) -> list[str]:
    """The different configurations with the largest stabilizers."""
    orders = spins.observations.stabilizer
    different, seen = [], set()
    for k in np.argsort(-orders, kind="stable").tolist():
        code = spins.configurations[k].tobytes()
        if orders[k] > 1 and code not in seen and len(different) < SYMMETRIC:
            seen.add(code)
            different.append(make_sample(_picture(spins, k), "", f"keeps {orders[k]:,} of {order:,}"))
    return different


def _gallery(spins: Spins) -> str:
    if not len(spins):
        return ""
    energy, m = spins.observations.energy, spins.observations.magnetization
    chosen = space_evenly(len(spins))
    drawn = [
        make_sample(
            _picture(spins, k),
            f"e = {energy[k]:.3f}, m = {m[k]:+.3f}",
            "" if math.isnan(t := spins.temperatures[k]) else f"T = {t:g}",
        )
        for k in chosen
    ]
    wave = phase_name(strongest(spins)).replace("_", " ")
    note = (
        f"{len(chosen)} of the {len(spins):,} samples, evenly spaced in the order of the file, not selected. "
        f"Strongest order: {wave}."
    )
    colors = "Up is light, down is dark." if spins.is_ising else "Each label has its color."
    return f'<p class="soft">{note} {colors}</p>{make_gallery(drawn)}'


def _failures(spins: Spins) -> str:
    groups: dict[str, list[tuple[str, str]]] = {}
    for record, reason in sorted(spins.reasons.items()):
        name, _, detail = reason.partition(": ")
        groups.setdefault(name, []).append((detail.split(" where")[0], f"record {record + 1:,}: {detail}"))
    return make_failure_table(groups, max(spins.total, 1), "None: every record is a configuration of spins.")


def _distribution(spins: Spins) -> np.ndarray | None:
    """Quantiles of the exact distribution of the magnetization, where the transfer matrix gives it."""
    if len(spins.parts) != 1:
        return None
    part = spins.parts[0]
    if not part.is_ising or part.temperature is None or math.isnan(part.temperature) or not covers(part.hamiltonian):
        return None
    values, distribution = TransferMatrix(part.hamiltonian, part.temperature).magnetizations
    heap = np.cumsum(distribution) / distribution.sum()
    return values[np.searchsorted(heap, (np.arange(_QUANTILES) + 0.5) / _QUANTILES)]


def _picture(spins: Spins, k: int) -> str:
    colors = None if spins.is_ising else label_colors(spins.model, spins.states)
    return draw_lattice(spins.configurations[k], spins.lattice == "triangular", colors)


def _where(part: Spins) -> str:
    return "" if part.temperature is None or math.isnan(part.temperature) else f", T = {part.temperature:g}"
