"""Pieces that all pages of the report are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from symdiff_evaluation.core.estimate import Estimate

GALLERY, SYMMETRIC, EXAMPLES = 24, 12, 4

# ids (or the ends of ids) whose values are no shares between 0 and 1
_NO_SHARES = frozenset(
    [
        "logp",
        "qed",
        "weight",
        "log_order",
        "log_order_distance",
        "breaking_gap",
        "energy_per_site",
        "magnetization",
        "binder_cumulant",
        "specific_heat",
        "susceptibility",
        "autocorrelation_time",
        "second_moment",
        "exponential",
        "half",
        "energy",
        "abs_magnetization_difference",
        "energy_gap",
        "two_point",
        "two_point_half",
        "sa",
        "accessibility",
        "mmff",
        "mmff_per_atom",
        "mmff_shift",
        "mmff_distance",
        "xtb",
        "xtb_per_atom",
        "xtb_shift",
        "mirror",
        "inversion",
        "rotation",
        "chirality",
        "chirality_distance",
        "bond_length",
        "bond_angle",
    ]
)
_NO_SHARES_AT_ALL = ("fcd", "exact", "infinite", "mmd", "reference")


@dataclass(frozen=True)
class PageSection:
    """A section of the report.

    Parameters
    ----------
    name : str
        Its anchor.
    title : str
        Its heading.
    body : str
        HTML; empty: the section is not shown.
    """

    name: str
    title: str
    body: str


def format_number(value: float | None, name: str = "") -> str:
    """Format a value for the report.

    Parameters
    ----------
    value : float or None
        The value.
    name : str
        Its id, which tells whether it is a share.

    Returns
    -------
    str
        Shares with four digits, others with three that count, a dash for None.
    """
    if value is None:
        return "–"
    if value and abs(value) < 5e-5:
        return f"{value:.1e}"
    return f"{value:.4f}" if is_share(name) or abs(value) < 10 else f"{value:,.2f}"


def is_share(name: str) -> bool:
    """Tell whether a number lies between 0 and 1 by its nature.

    Parameters
    ----------
    name : str
        Its id.

    Returns
    -------
    bool
        False for energies, lengths, logarithms and unbounded distances.
    """
    first, last = name.split(".")[0], name.split(".")[-1]
    return (
        bool(name)
        and first not in _NO_SHARES_AT_ALL
        and last not in _NO_SHARES
        and not name.startswith("geometry.bond_length.")
    )


def is_percentage(name: str) -> bool:
    """Tell whether a number is a share of samples, and no distance, order parameter or p-value.

    Parameters
    ----------
    name : str
        Its id.

    Returns
    -------
    bool
        Whether it reads well in percent.
    """
    return (
        is_share(name)
        and name.split(".")[0] not in ("balance", "pgd", "distance", "abs_magnetization")
        and name != "mirror.balance"
    )


def make_panel(title: str, caption: str, chart: str) -> str:
    """Make a chart with its title and a line below it.

    Parameters
    ----------
    title : str
        The title.
    caption : str
        The line.
    chart : str
        An inline SVG.

    Returns
    -------
    str
        HTML, empty without a chart.
    """
    return (
        f'<div class="panel"><h3>{escape(title)}</h3><p class="soft">{escape(caption)}&nbsp;</p>{chart}</div>'
        if chart
        else ""
    )


def join_panels(parts: Sequence[str]) -> str:
    """Put panels side by side.

    Parameters
    ----------
    parts : sequence of str
        The panels.

    Returns
    -------
    str
        HTML.
    """
    return f'<div class="grid2">{"".join(parts)}</div>'


def make_sample(picture: str, text: str, tag: str = "", new: bool = False) -> str:
    """Make one sample of a gallery.

    Parameters
    ----------
    picture : str
        An inline SVG.
    text : str
        A line below it.
    tag : str
        A mark, such as "novel".
    new : bool
        Whether the mark is set off by a color.

    Returns
    -------
    str
        HTML.
    """
    line = f"<code>{escape(text)}</code>" if text else ""
    mark = f'<span class="tag{" new" if new else ""}">{escape(tag)}</span>' if tag else ""
    return f'<div class="mol">{picture}{line}{mark}</div>'


def make_gallery(samples: Sequence[str]) -> str:
    """Put samples side by side.

    Parameters
    ----------
    samples : sequence of str
        What ``make_sample`` gave.

    Returns
    -------
    str
        HTML.
    """
    return f'<div class="mols">{"".join(samples)}</div>'


def make_symmetric_gallery(drawn: Sequence[str]) -> str:
    """Make the gallery of the most symmetric samples.

    Parameters
    ----------
    drawn : sequence of str
        The samples with symmetries, the most symmetric first.

    Returns
    -------
    str
        HTML, with a line in place of the gallery where there is none.
    """
    heading = '<h3 style="margin:22px 0 10px">The most symmetric samples</h3>'
    return heading + (make_gallery(drawn) if drawn else '<p class="soft">None: no sample has a symmetry.</p>')


def make_key(both: bool, other: str = "reference") -> str:
    """Explain the colors of charts.

    Parameters
    ----------
    both : bool
        Whether a reference is drawn beside the samples.
    other : str
        What the second color stands for.

    Returns
    -------
    str
        HTML.
    """
    return f'<p class="key"><i class="ours"></i>samples{f"<i class=target></i>{other}" if both else ""}</p>'


def compute_shares(counts: Mapping[str, int]) -> dict[str, float]:
    """Divide counts by their sum.

    Parameters
    ----------
    counts : mapping of str to int
        Counts by label.

    Returns
    -------
    dict of str to float
        Shares by label, empty where the sum is 0.
    """
    total = sum(counts.values())
    return {label: count / total for label, count in counts.items()} if total else {}


def space_evenly(count: int, most: int = GALLERY) -> list[int]:
    """Choose numbers at even distances.

    Parameters
    ----------
    count : int
        The numbers are below this.
    most : int
        Largest number of them.

    Returns
    -------
    list of int
        Rising from 0.
    """
    step = max(count // most, 1)
    return list(range(0, count, step))[:most]


def make_failure_table(groups: Mapping[str, Sequence[tuple[str, str]]], total: int, nothing: str) -> str:
    """Make the table of reasons why samples are not valid.

    Parameters
    ----------
    groups : mapping of str to sequence of (str, str)
        For each reason its samples: what stands in the file, and where and why.
    total : int
        Number of records.
    nothing : str
        The text where there are none.

    Returns
    -------
    str
        HTML.
    """
    if not groups:
        return f"<p>{escape(nothing)}</p>"
    rows, most = [], max(map(len, groups.values()))
    for reason, samples in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        different = list(dict(reversed(samples)).items())[::-1][:EXAMPLES]
        examples = "<br>".join(
            f"<code>{escape(shown) or '(nothing)'}</code> <span class='soft'>{escape(place)}</span>"
            for shown, place in different
        )
        rows.append(
            f"<tr><td><b>{escape(reason)}</b></td><td class='number'>{len(samples):,}</td><td "
            f"class='number'>{len(samples) / total:.4f}</td>"
            f"<td><span class='share' style='width:{90 * len(samples) / most:.0f}px'></span></td>"
            f"<td>{examples}</td></tr>"
        )
    head = "<th>reason</th><th class='number'>samples</th><th class='number'>share</th><th></th><th>examples</th>"
    return f"<div class='wide'><table><tr>{head}</tr>{''.join(rows)}</table></div>"


def describe_estimate(estimates: Mapping[str, Estimate], name: str, what: str) -> str:
    """Put a number into words.

    Parameters
    ----------
    estimates : mapping of str to Estimate
        The numbers by id.
    name : str
        The id of the one.
    what : str
        What it is, before the value.

    Returns
    -------
    str
        With its interval; empty where it has no value.
    """
    estimate = estimates.get(name)
    if estimate is None or estimate.value is None:
        return ""
    spread = (
        ""
        if estimate.low is None
        else f" ({format_number(estimate.low, name)} to {format_number(estimate.high, name)})"
    )
    return f"{what} {format_number(estimate.value, name)}{spread}"
