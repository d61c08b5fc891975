"""The report: one self-contained HTML page, no script, nothing loaded from elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from html import escape
from pathlib import Path

from symdiff_evaluation.charts import bars, densities, interval
from symdiff_evaluation.drawing import svg
from symdiff_evaluation.estimate import Estimate
from symdiff_evaluation.evaluation import Evaluation
from symdiff_evaluation.protocol import known
from symdiff_evaluation.reference import sum_counts

HEADLINE = {
    "validity.strict": "valid",
    "uniqueness": "unique",
    "novelty": "novel",
    "vun": "all three",
    "fcd.test": "FCD, test split",
    "fcd.train": "FCD, train split",
    "molecule_stability": "stable",
    "symmetry.asymmetric_share": "asymmetric",
}
GALLERY, SYMMETRIC, EXAMPLES = 24, 12, 4
_DRAWN = 120  # characters of SMILES beyond which a picture is no use


def report(evaluation: Evaluation) -> str:
    """The page as text."""
    files = ", ".join(Path(file).name for file in evaluation.files)
    reference = evaluation.reference
    against = f"against {reference.name} ({reference.count:,} molecules)" if reference else "without a reference"
    sections = [
        ("numbers", "Numbers", _numbers(evaluation)),
        ("distributions", "Distributions", _distributions(evaluation)),
        ("symmetry", "Symmetry", _symmetry(evaluation)),
        ("samples", "Samples", _gallery(evaluation)),
        ("failures", "Failures", _failures(evaluation)),
        ("about", "About", _about(evaluation)),
    ]
    sections = [section for section in sections if section[2]]
    style = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(files)}: evaluation</title><style>{style}</style></head><body><main>",
            f"<header><h1>{escape(files)}</h1>",
            f'<p class="lead">{len(evaluation.samples):,} samples, protocol {escape(evaluation.protocol.name)}, {escape(against)}</p>',
            "<nav>" + "".join(f'<a href="#{name}">{title}</a>' for name, title, _ in sections) + "</nav></header>",
            _cards(evaluation.estimates),
            "".join(f'<div class="note">{escape(note)}</div>' for note in evaluation.notes),
            *(f'<section id="{name}"><h2>{title}</h2>{body}</section>' for name, title, body in sections),
            "</main></body></html>\n",
        ]
    )


def number(value: float | None, name: str = "") -> str:
    """A value as the report shows it: shares with four digits, others with three that count."""
    if value is None:
        return "–"
    return f"{value:.4f}" if _is_share(name) or abs(value) < 10 else f"{value:,.2f}"


def _is_share(name: str) -> bool:
    ends = ("logp", "qed", "weight", "log_order", "log_order_distance")
    return bool(name) and not name.startswith("fcd") and name.split(".")[-1] not in ends


def _cards(estimates: Mapping[str, Estimate]) -> str:
    shown = [(name, estimates[name]) for name in HEADLINE if name in estimates and estimates[name].value is not None]
    cards = []
    for name, estimate in shown:
        value = f"{100 * estimate.value:.2f} %" if _is_share(name) else number(estimate.value)
        spread = ""
        if estimate.low is not None:
            ends = [f"{100 * end:.2f}" if _is_share(name) else number(end) for end in (estimate.low, estimate.high)]
            spread = f"{ends[0]} to {ends[1]}"
        cards.append(f'<div class="card"><span class="name">{HEADLINE[name]}</span><b>{value}</b><span>{spread}</span></div>')
    return f'<div class="cards">{"".join(cards)}</div>'


def _numbers(evaluation: Evaluation) -> str:
    rows, last = [], None
    for name, estimate in evaluation.estimates.items():
        metric = known()[name]
        if metric is not last:
            rows.append(f'<tr class="section"><th colspan="6">{metric.title}</th></tr>')
            last = metric
        between = "–" if estimate.low is None else f"{number(estimate.low, name)} – {number(estimate.high, name)}"
        line = interval(estimate.value, estimate.low, estimate.high) if _is_share(name) and estimate.value is not None else ""
        undecided = f"<br><span class='soft'>{estimate.undecided:,} undecided</span>" if estimate.undecided else ""
        rows.append(
            f"<tr><td class='id'><code>{name}</code></td><td class='number value'>{number(estimate.value, name)}</td>"
            f"<td class='number'>{between}</td><td>{line}</td><td class='number'>{estimate.count:,}{undecided}</td>"
            f"<td class='soft'>{escape(metric.about[name])}</td></tr>"
        )
    head = "<th>metric</th><th class='number'>value</th><th class='number'>95 % interval</th><th>0 to 1</th><th class='number'>of</th><th>meaning</th>"
    return f"<div class='wide'><table><tr>{head}</tr>{''.join(rows)}</table></div>"


def _distributions(evaluation: Evaluation) -> str:
    traits, reference = evaluation.samples.traits, evaluation.reference
    if not traits:
        return ""
    counted = {
        "size": ("Heavy atoms", Counter(str(t.size) for t in traits)),
        "atoms": ("Elements and charges", sum_counts(t.atoms for t in traits)),
        "bonds": ("Bonds", sum_counts(t.bonds for t in traits)),
        "rings": ("Ring sizes", sum_counts(t.rings for t in traits)),
    }
    measured = {"logp": "logP (Crippen)", "qed": "QED", "weight": "Molecular weight in dalton"}
    panels = []
    for name, (title, counts) in counted.items():
        chart = bars(_shares(counts), _shares(reference.counts[name]) if reference else None)
        panels.append(_panel(title, _distance(evaluation, f"distance.{name}"), chart))
    for name, title in measured.items():
        chart = densities([getattr(t, name) for t in traits], reference.quantiles[name] if reference else None)
        panels.append(_panel(title, _distance(evaluation, f"distance.{name}"), chart))
    return f'{_key(reference is not None)}<div class="grid2">{"".join(panels)}</div>'


def _symmetry(evaluation: Evaluation) -> str:
    samples, reference = evaluation.samples, evaluation.reference
    orders = [t.order for t in samples.traits if t.order is not None]
    if not orders:
        return ""
    target = _shares(_short(reference.counts["order"])) if reference else None
    chart = bars(_shares(_short(Counter(map(str, orders)))), target, most=9)
    share: dict[str, list[float]] = {}
    for t in samples.traits:
        if t.orbits is not None:
            share.setdefault(str(t.size), []).append(float(t.order == 1))
    by_size = {size: sum(found) / len(found) for size, found in share.items()}
    panels = _panel("Number of automorphisms", _distance(evaluation, "symmetry.order_distance"), chart)
    panels += _panel("Asymmetric share", "by number of heavy atoms", bars(by_size, None))
    most: dict[str, int] = {}
    for judged in samples.judged:
        if judged.canonical and judged.traits and judged.traits.order:
            most[judged.canonical] = judged.traits.order
    top = sorted(most, key=lambda text: (-most[text], text))[:SYMMETRIC]
    drawn = "".join(_molecule(text, f'<span class="tag">{_power(str(most[text]))} automorphisms</span>') for text in top)
    text = (
        "An automorphism maps the heavy-atom graph to itself and keeps elements, charges, hydrogens and bonds. A model that"
        " cannot break symmetry makes too many symmetric samples, or too few."
    )
    return (
        f'<p class="soft">{text}</p>{_key(reference is not None)}<div class="grid2">{panels}</div>'
        f'<h3 style="margin:22px 0 10px">The most symmetric samples</h3><div class="mols">{drawn}</div>'
    )


def _short(counts: Mapping[str, int]) -> Counter[str]:
    short: Counter[str] = Counter()
    for order, number in counts.items():
        short[_power(order)] += number
    return short


def _power(order: str) -> str:
    """An order as it fits under a bar: beyond five digits, its power of ten."""
    return order if len(order) < 6 else f"10^{len(order) - 1}"


def _gallery(evaluation: Evaluation) -> str:
    samples, reference = evaluation.samples, evaluation.reference
    valid = samples.valid
    if not valid:
        return ""
    step = max(len(valid) // GALLERY, 1)
    chosen = valid[::step][:GALLERY]
    known_ones = reference.knows(chosen) if reference else [None] * len(chosen)
    marks = {None: "", False: '<span class="tag new">novel</span>', True: '<span class="tag">in the training set</span>'}
    drawn = "".join(_molecule(t, marks[None if k is None else bool(k)]) for t, k in zip(chosen, known_ones, strict=True))
    told = f"{len(chosen)} of the {len(valid):,} valid samples, evenly spaced in the order of the files, not selected."
    return f'<p class="soft">{told}</p><div class="mols">{drawn}</div>'


def _failures(evaluation: Evaluation) -> str:
    samples = evaluation.samples
    groups: dict[str, list[int]] = {}
    for index, judged in enumerate(samples.judged):
        if judged.reason:
            groups.setdefault(judged.reason.split(":")[0], []).append(index)
    if not groups:
        return "<p>None: every record is a strictly valid molecule.</p>"
    rows, most = [], max(map(len, groups.values()))
    for reason, found in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        different = list({samples.judged[index].smiles: index for index in reversed(found)}.values())
        examples = "<br>".join(_example(evaluation, index) for index in sorted(different)[:EXAMPLES])
        wide = 90 * len(found) / most
        rows.append(
            f"<tr><td><b>{escape(reason)}</b></td><td class='number'>{len(found):,}</td><td class='number'>{len(found) / len(samples):.4f}</td>"
            f"<td><span class='share' style='width:{wide:.0f}px'></span></td><td>{examples}</td></tr>"
        )
    head = "<th>reason</th><th class='number'>samples</th><th class='number'>share</th><th></th><th>examples</th>"
    return f"<div class='wide'><table><tr>{head}</tr>{''.join(rows)}</table></div>"


def _example(evaluation: Evaluation, index: int) -> str:
    record, judged = evaluation.samples.records[index], evaluation.samples.judged[index]
    detail = judged.reason.partition(": ")[2]
    shown = judged.smiles if len(judged.smiles) <= 80 else judged.smiles[:77] + "..."
    return f"<code>{escape(shown) or '(nothing)'}</code> <span class='soft'>{escape(record.file)}, record {record.number:,}: {escape(detail)}</span>"


def _about(evaluation: Evaluation) -> str:
    parts = [f"<p>{escape(evaluation.protocol.about)}</p>"]
    if evaluation.reference:
        source = f" {escape(evaluation.reference.source)}." if evaluation.reference.source else ""
        parts.append(f"<p>Reference <b>{escape(evaluation.reference.name)}</b>.{source}</p>")
    parts.append(
        "<p class='soft'>Molecules are compared by canonical SMILES without stereo, isotopes and atom maps. Intervals are 95 %:"
        " Wilson's for shares, the delta method over samples for distances, a grouped jackknife for FCD; uniqueness and V.U.N."
        " use the variance of a number of distinct kinds. Distances near zero are biased upwards by the finite number of"
        " samples. Every sample's verdict is in samples.csv, every number in metrics.json.</p>"
    )
    return "".join(parts)


def _distance(evaluation: Evaluation, name: str) -> str:
    estimate = evaluation.estimates.get(name)
    if estimate is None or estimate.value is None:
        return ""
    kind = known()[name].about[name].rpartition(": ")[2]
    return f"{kind} {number(estimate.value, name)}"


def _panel(title: str, told: str, chart: str) -> str:
    return f'<div class="panel"><h3>{escape(title)}</h3><p class="soft">{escape(told)}&nbsp;</p>{chart}</div>'


def _molecule(smiles: str, tag: str) -> str:
    drawn = svg(smiles) if len(smiles) <= _DRAWN else ""
    return f'<div class="mol">{drawn}<code>{escape(smiles[:_DRAWN])}</code>{tag}</div>'


def _key(both: bool) -> str:
    return f'<p class="key"><i class="ours"></i>samples{"<i class=target></i>reference" if both else ""}</p>'


def _shares(counts: Mapping[str, int]) -> dict[str, float]:
    total = sum(counts.values())
    return {label: number / total for label, number in counts.items()} if total else {}
