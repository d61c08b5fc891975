"""Small charts as inline SVG: samples in color over the reference in gray."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from symdiff_evaluation.core.estimate import Estimate

WIDTH, HEIGHT = 400, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 10, 28
_BINS = 40
_PIXELS = 64
_LETTER = 8.6  # the width of a letter of a label, with what is between two labels


def draw_bars(shares: Mapping[str, float], target: Mapping[str, float] | None, most: int = 12) -> str:
    """Draw two distributions of labels as pairs of bars.

    Parameters
    ----------
    shares : mapping of str to float
        Share of the samples by label.
    target : mapping of str to float, optional
        Share of the reference by label.
    most : int
        Number of labels that are drawn; beyond it those of least weight are added up as "other".

    Returns
    -------
    str
        An inline SVG.
    """
    labels = list(shares) + [label for label in target or {} if label not in shares]
    heavy = sorted(labels, key=lambda label: -max(shares.get(label, 0), (target or {}).get(label, 0)))
    kept = set(heavy if len(labels) <= most else heavy[: most - 1])
    shown = sorted((label for label in labels if label in kept), key=_natural)
    columns = [(label, shares.get(label, 0.0), target.get(label, 0.0) if target else None) for label in shown]
    if len(kept) < len(labels):
        rest = [label for label in labels if label not in kept]
        columns.append(
            ("other", sum(shares.get(r, 0) for r in rest), sum(target.get(r, 0) for r in rest) if target else None)
        )
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
        small = (
            ""
            if len(label) * _LETTER < step
            else f' style="font-size:{max(14 * step / (len(label) * _LETTER), 9):.1f}px"'
        )
        parts.append(f'<text x="{center:.1f}" y="{HEIGHT - 9}" text-anchor="middle"{small}>{escape(label)}</text></g>')
    return _svg(parts)


def draw_densities(values: Sequence[float] | np.ndarray, quantiles: np.ndarray | None) -> str:
    """Draw the histogram of numbers as a filled outline over that of the reference.

    Parameters
    ----------
    values : sequence of float
        The numbers of the samples.
    quantiles : numpy.ndarray, (q,), optional
        Values of the reference, of equal weight.

    Returns
    -------
    str
        An inline SVG.
    """
    ours = np.asarray(values, float)
    everything = ours if quantiles is None else np.concatenate([ours, quantiles])
    low, high = np.quantile(everything, [0.001, 0.999])
    if low == high:
        return draw_bars({f"{low:g}": 1.0}, None if quantiles is None else {f"{low:g}": 1.0})
    whole = np.array_equal(everything, np.round(everything))
    if whole:  # as many numbers to each bin, or the histogram is a comb
        width = int((high - low) // _BINS) + 1
        low = np.floor(low) - 0.5
        high = low + width * np.ceil((high + 0.5 - low) / width)
        edges = np.arange(low, high + width / 2, width)
    else:
        edges = np.linspace(low, high, _BINS + 1)
    ours = np.histogram(ours.clip(low, high), edges)[0] / len(ours)
    target = None if quantiles is None else np.histogram(quantiles.clip(low, high), edges)[0] / len(quantiles)
    top = max(ours.max(), 0 if target is None else target.max())
    parts = [_axis(top)]
    if target is not None:
        parts.append(_outline(target / top, "target"))
    parts.append(_outline(ours / top, "ours"))
    for tick in _ticks(low, high):
        x = _LEFT + (tick - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)
        if x < WIDTH - 2 * _RIGHT and not (whole and tick % 1):  # a number at the very end would be cut
            parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 9}" text-anchor="middle">{tick:g}</text>')
    return _svg(parts)


def draw_curves(
    x: Sequence[float] | np.ndarray, ours: Sequence[Estimate], target: Sequence[float] | np.ndarray | None = None
) -> str:
    """Draw estimates as dots with their intervals, and exact or reference values as a line.

    Parameters
    ----------
    x : sequence of float, (k,)
        The horizontal positions.
    ours : sequence of Estimate, (k,)
        The values; those that are None are left out.
    target : sequence of float, (k,), optional
        The values of the line.

    Returns
    -------
    str
        An inline SVG, empty where there is nothing to draw.
    """
    places = np.asarray(x, float)
    shown = [(place, e, e.value) for place, e in zip(places, ours, strict=True) if e.value is not None]
    ends = [end for _, e, _ in shown for end in (e.value, e.low, e.high) if end is not None]
    ends += [] if target is None else list(target)
    if not ends:
        return ""
    low, high = min(*ends, 0.0), max(*ends, 0.0)
    high = high if high > low else low + 1
    left, right = float(places.min()), float(places.max())
    right = right if right > left else left + 1

    def point(place: float, value: float) -> tuple[float, float]:
        return _LEFT + 8 + (place - left) / (right - left) * (WIDTH - _LEFT - 2 * _RIGHT - 8), _height(
            (value - low) / (high - low)
        )

    parts = [_ruler(low, high)]
    if target is not None:
        path = "L".join(f"{px:.1f} {py:.1f}" for px, py in (point(a, b) for a, b in zip(places, target, strict=True)))
        parts.append(f'<path class="curve target" d="M{path}"/>')
    for place, e, value in shown:
        px, py = point(place, value)
        label = f"{place:g}: {value:.4f}"
        bar = ""
        if e.low is not None and e.high is not None:
            label += f" ({e.low:.4f} to {e.high:.4f})"
            bar = f'<path class="range" d="M{px:.1f} {point(place, e.low)[1]:.1f}V{point(place, e.high)[1]:.1f}"/>'
        parts.append(f'<g><title>{label}</title>{bar}<circle class="ours" cx="{px:.1f}" cy="{py:.1f}" r="3.2"/></g>')
    for tick in _ticks(left, right):
        parts.append(f'<text x="{point(tick, low)[0]:.1f}" y="{HEIGHT - 9}" text-anchor="middle">{tick:g}</text>')
    return _svg(parts)


def draw_heat_map(values: np.ndarray) -> str:
    """Draw a matrix on a logarithmic scale of 16 shades between its smallest and largest number.

    Parameters
    ----------
    values : numpy.ndarray, (rows, columns)
        Numbers of at least 0; more than 64 a side are averaged.

    Returns
    -------
    str
        An inline SVG.
    """
    values = np.atleast_2d(np.asarray(values, float))
    while max(values.shape) > _PIXELS:  # means of neighbors: more would only be bytes
        values = np.pad(values, [(0, size % 2) for size in values.shape], mode="edge")
        values = values.reshape(values.shape[0] // 2, 2, values.shape[1] // 2, 2).mean((1, 3))
    floor = max(float(values.max()) * 1e-6, 1e-300)
    logs = np.log(np.maximum(values, floor))
    spread = float(np.ptp(logs))
    shades = np.minimum((logs - logs.min()) / (spread if spread > 0 else 1) * 16, 15).astype(int)
    rows, columns = values.shape
    parts = []
    for shade in range(16):
        cells = "".join(f"M{c} {r}h1v1h-1z" for r, c in zip(*np.nonzero(shades == shade), strict=True))
        if cells:
            light = 96 - 5 * shade
            parts.append(f'<path fill="hsl(218 {30 + 2.5 * shade:g}% {light}%)" d="{cells}"/>')
    height = 200 * rows / columns
    head = f'<svg class="heat" viewBox="0 0 {columns} {rows}" width="200" height="{height:.0f}">'
    return f"{head}{''.join(parts)}</svg>"


def draw_interval(value: float, low: float | None, high: float | None) -> str:
    """Draw a share on the line from 0 to 1 with its interval.

    Parameters
    ----------
    value : float
        The share.
    low, high : float or None
        Ends of the interval; None for none.

    Returns
    -------
    str
        An inline SVG.
    """
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


def _ruler(low: float, high: float) -> str:
    """Grid lines at round numbers between ``low`` and ``high``."""
    parts = []
    for tick in _ticks(low, high):
        y = _height((tick - low) / (high - low))
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 5}" y="{y + 4.5:.1f}" text-anchor="end">{tick:.3g}</text>')
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
    number = label.removesuffix("+")
    return (int(number), "") if number.isascii() and number.isdigit() and len(number) < 20 else (0, label)
