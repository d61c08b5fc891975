"""Small charts as inline SVG: samples in color over the reference in gray."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

WIDTH, HEIGHT = 400, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 10, 28
_BINS = 40


def bars(shares: Mapping[str, float], target: Mapping[str, float] | None, most: int = 12) -> str:
    """Pairs of bars, one a label; beyond ``most`` labels those of least weight are added up as "other"."""
    labels = list(shares) + [label for label in target or {} if label not in shares]
    heavy = sorted(labels, key=lambda label: -max(shares.get(label, 0), (target or {}).get(label, 0)))
    kept = set(heavy if len(labels) <= most else heavy[: most - 1])
    shown = sorted((label for label in labels if label in kept), key=_natural)
    columns = [(label, shares.get(label, 0.0), target.get(label, 0.0) if target else None) for label in shown]
    if len(kept) < len(labels):
        rest = [label for label in labels if label not in kept]
        columns.append(("other", sum(shares.get(r, 0) for r in rest), sum(target.get(r, 0) for r in rest) if target else None))
    top = max([value for _, one, two in columns for value in (one, two or 0)] + [1e-9])
    parts, step = [_axis(top)], (WIDTH - _LEFT - _RIGHT) / max(len(columns), 1)
    wide = min(step * 0.38, 26)
    for place, (label, one, two) in enumerate(columns):
        center = _LEFT + (place + 0.5) * step
        hint = f"{label}: {one:.4f}" + (f", reference {two:.4f}" if two is not None else "")
        parts.append(f"<g><title>{escape(hint)}</title>")
        if two is not None:
            parts.append(_bar(center, wide, two / top, "target"))
        parts.append(_bar(center - (wide if two is not None else wide / 2), wide, one / top, "ours"))
        parts.append(f'<text x="{center:.1f}" y="{HEIGHT - 9}" text-anchor="middle">{escape(label)}</text></g>')
    return _svg(parts)


def densities(values: Sequence[float], quantiles: np.ndarray | None) -> str:
    """Histogram of ``values`` as a filled outline over that of the law with equal mass at ``quantiles``."""
    values = np.asarray(values, float)
    everything = values if quantiles is None else np.concatenate([values, quantiles])
    low, high = np.quantile(everything, [0.001, 0.999])
    high = high if high > low else low + 1
    edges = np.linspace(low, high, _BINS + 1)
    ours = np.histogram(values.clip(low, high), edges)[0] / len(values)
    target = None if quantiles is None else np.histogram(quantiles.clip(low, high), edges)[0] / len(quantiles)
    top = max(ours.max(), 0 if target is None else target.max())
    parts = [_axis(top)]
    if target is not None:
        parts.append(_outline(target / top, "target"))
    parts.append(_outline(ours / top, "ours"))
    for tick in _ticks(low, high):
        x = _LEFT + (tick - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)
        if x < WIDTH - 2 * _RIGHT:  # a number at the very end would be cut
            parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 9}" text-anchor="middle">{tick:g}</text>')
    return _svg(parts)


def interval(value: float, low: float | None, high: float | None) -> str:
    """A share on the line from 0 to 1 with its interval."""
    low, high = (value, value) if low is None or high is None else (low, high)
    wide, end = 110, 106
    x, a, b = (4 + min(max(v, 0), 1) * (end - 4) for v in (value, low, high))
    return (
        f'<svg class="interval" viewBox="0 0 {wide} 16" width="{wide}" height="16" role="img">'
        f'<line class="rail" x1="4" y1="8" x2="{end}" y2="8"/>'
        f'<line class="range" x1="{a:.1f}" y1="8" x2="{max(b, a + 1):.1f}" y2="8"/>'
        f'<circle cx="{x:.1f}" cy="8" r="3.6"/></svg>'
    )


def _axis(top: float) -> str:
    """Horizontal lines at round shares up to ``top``."""
    step = next(s for s in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1) if top / s <= 4 or s == 1)
    parts = []
    for k in range(int(top / step + 1e-9) + 1):
        y = _height(k * step / top)
        parts.append(f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{WIDTH - _RIGHT}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 5}" y="{y + 4.5:.1f}" text-anchor="end">{k * step:.3g}</text>')
    return "".join(parts)


def _ticks(low: float, high: float) -> list[float]:
    """Three to seven round numbers between ``low`` and ``high``."""
    size = 10.0 ** np.floor(np.log10(high - low))
    step = next(size * part for part in (0.1, 0.2, 0.25, 0.5, 1) if (high - low) / (size * part) <= 6 or part == 1)
    first = int(np.ceil(low / step))
    return [round(k * step, 10) for k in range(first, int(np.floor(high / step)) + 1)]


def _bar(x: float, wide: float, height: float, kind: str) -> str:
    y = _height(height)
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{_height(0) - y:.1f}"/>'


def _outline(heights: np.ndarray, kind: str) -> str:
    step = (WIDTH - _LEFT - _RIGHT) / len(heights)
    points = [f"{_LEFT},{_height(0)}"]
    for place, height in enumerate(heights):
        y = f"{_height(float(height)):.1f}"
        points += [f"{_LEFT + place * step:.1f},{y}", f"{_LEFT + (place + 1) * step:.1f},{y}"]
    points.append(f"{WIDTH - _RIGHT},{_height(0)}")
    return f'<polygon class="{kind} area" points="{" ".join(points)}"/>'


def _height(share: float) -> float:
    return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)


def _svg(parts: Sequence[str]) -> str:
    return f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(parts)}</svg>'


def _natural(label: str) -> tuple[int, str]:
    return (int(label), "") if label.isdigit() else (0, label)
