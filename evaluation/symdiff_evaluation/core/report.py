"""The report: one self-contained HTML page, no script, nothing loaded from elsewhere."""

from __future__ import annotations

from html import escape
from pathlib import Path

from symdiff_evaluation.core.charts import draw_interval
from symdiff_evaluation.core.evaluation import Evaluation
from symdiff_evaluation.core.page import PageSection, format_number, is_percentage, is_share


def make_report(evaluation: Evaluation) -> str:
    """Make the report: one self-contained page, no script, nothing loaded from elsewhere.

    Parameters
    ----------
    evaluation : Evaluation
        What to show.

    Returns
    -------
    str
        HTML.
    """
    files = ", ".join(Path(file).name for file in evaluation.files) or "Samples"
    reference = evaluation.reference
    against = (
        f"against {reference.name} ({reference.count:,} {evaluation.kind.of})" if reference else "without a reference"
    )
    sections = [
        PageSection("numbers", "Numbers", _numbers(evaluation)),
        *evaluation.kind.make_sections(evaluation.samples, evaluation.reference, evaluation.estimates),
        PageSection("about", "About", _about(evaluation)),
    ]
    sections = [section for section in sections if section.body]
    style = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(files)}: evaluation</title><style>{style}</style></head><body><main>",
            f"<header><h1>{escape(files)}</h1>",
            f'<p class="lead">{evaluation.total:,} samples, protocol {escape(evaluation.protocol.name)}, '
            f"{escape(against)}</p>",
            "<nav>"
            + "".join(f'<a href="#{section.name}">{section.title}</a>' for section in sections)
            + "</nav></header>",
            _cards(evaluation),
            "".join(f'<div class="note">{escape(note)}</div>' for note in evaluation.notes),
            *(f'<section id="{section.name}"><h2>{section.title}</h2>{section.body}</section>' for section in sections),
            "</main></body></html>\n",
        ]
    )


def _cards(evaluation: Evaluation) -> str:
    headline, estimates = evaluation.kind.headline, evaluation.estimates
    cards = []
    for name in headline:
        estimate = estimates.get(name)
        if estimate is None or estimate.value is None:
            continue
        value = f"{100 * estimate.value:.2f} %" if is_percentage(name) else format_number(estimate.value)
        ends = [
            f"{100 * end:.2f}" if is_percentage(name) else format_number(end)
            for end in (estimate.low, estimate.high)
            if end is not None
        ]
        title, between = headline[name], " to ".join(ends)
        cards.append(f'<div class="card"><span class="name">{title}</span><b>{value}</b><span>{between}</span></div>')
    return f'<div class="cards">{"".join(cards)}</div>'


def _numbers(evaluation: Evaluation) -> str:
    rows, empty, last = [], [], None
    for name, estimate in evaluation.estimates.items():
        undecided = f"<br><span class='soft'>{estimate.undecided:,} undecided</span>" if estimate.undecided else ""
        metric = evaluation.kind.metrics_by_id[name]
        if estimate.value is None:
            empty.append(
                f"<tr><td class='id'><code>{name}</code></td><td class='number'>{estimate.count:,}{undecided}</td>"
                f"<td class='soft'>{escape(metric.about[name])}</td></tr>"
            )
            continue
        if metric.title != last:
            rows.append(f'<tr class="section"><th colspan="6">{escape(metric.title)}</th></tr>')
            last = metric.title
        between = (
            "–"
            if estimate.low is None
            else f"{format_number(estimate.low, name)} – {format_number(estimate.high, name)}"
        )
        line = draw_interval(estimate.value, estimate.low, estimate.high) if is_share(name) else ""
        rows.append(
            f"<tr><td class='id'><code>{name}</code></td>"
            f"<td class='number value'>{format_number(estimate.value, name)}</td>"
            f"<td class='number'>{between}</td><td>{line}</td><td class='number'>{estimate.count:,}{undecided}</td>"
            f"<td class='soft'>{escape(metric.about[name])}</td></tr>"
        )
    head = (
        "<th>metric</th><th class='number'>value</th><th class='number'>95 % interval</th>"
        "<th>0 to 1</th><th class='number'>of</th><th>meaning</th>"
    )
    table = f"<table><tr>{head}</tr>{''.join(rows)}</table>" if rows else ""
    if empty:
        summary = f"<summary class='soft'>{len(empty)} without a value</summary>"
        table += f"<details>{summary}<table>{''.join(empty)}</table></details>"
    return f"<div class='wide'>{table}</div>"


def _about(evaluation: Evaluation) -> str:
    parts = [f"<p>{escape(evaluation.protocol.about)}</p>"]
    if evaluation.reference:
        source = f" {escape(evaluation.reference.source)}." if evaluation.reference.source else ""
        parts.append(f"<p>Reference <b>{escape(evaluation.reference.name)}</b>.{source}</p>")
    text = f"{evaluation.kind.about} Every sample's verdict is in samples.csv, every number in metrics.json."
    return "".join(parts) + f"<p class='soft'>{escape(text)}</p>"
