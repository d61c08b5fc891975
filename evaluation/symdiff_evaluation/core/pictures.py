"""Structures as small inline SVG: lattices as images, graphs laid out, points in space as projections."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

SIDE = 150  # of a picture, in pixels
_MOST_NODES = 200
_COLORS = {
    "H": "#c9d1db",
    "C": "#4a5361",
    "N": "#3560d8",
    "O": "#d8402f",
    "F": "#57b94c",
    "S": "#d9b02c",
    "P": "#e0852a",
    "Cl": "#3d9c3a",
    "Br": "#8e3a2b",
    "I": "#7a3fa0",
    "B": "#e09a8a",
    "Si": "#b99a6a",
}
_PALETTE = ("#2563c9", "#d9663b", "#3b9c6b", "#8b5fc2", "#c9a227", "#4aa3c4", "#c2477f", "#6b7684")
_RADII = {
    "H": 0.31,
    "C": 0.76,
    "N": 0.71,
    "O": 0.66,
    "F": 0.57,
    "S": 1.05,
    "P": 1.07,
    "Cl": 1.02,
    "Br": 1.20,
    "I": 1.39,
    "B": 0.84,
    "Si": 1.11,
}
_SLACK = 1.25  # of the sum of covalent radii: where a line is drawn


def draw_lattice(spins: np.ndarray, skewed: bool = False, colors: Sequence[str] | None = None) -> str:
    """Draw spins on a chain, a plane or, layer by layer, a cube.

    Parameters
    ----------
    spins : numpy.ndarray, (L,), (L1, L2) or (L1, L2, L3)
        ±1, down spins dark; or labels 0, 1, ... with ``colors``.
    skewed : bool
        Whether rows are those of a triangular lattice, each half a site to the right of the one above.
    colors : sequence of str, optional
        The color of each label.

    Returns
    -------
    str
        An inline SVG.
    """
    spins = np.asarray(spins)
    if spins.ndim == 1:
        spins = spins[None]
    if spins.ndim == 3:
        columns = math.ceil(math.sqrt(len(spins)))
        blank = np.full((-len(spins) % columns, *spins.shape[1:]), 1 if colors is None else -1, spins.dtype)
        layers = [
            np.pad(layer, ((0, 1), (0, 1)), constant_values=0 if colors is None else -1)
            for layer in np.concatenate([spins, blank])
        ]
        spins = np.block([layers[start : start + columns] for start in range(0, len(layers), columns)])[:-1, :-1]
    rows, columns = spins.shape
    wide = columns + (rows / 2 if skewed else 0)
    looks = (
        {1: 'class="up"', -1: 'class="down"'}
        if colors is None
        else {label: f'fill="{color}"' for label, color in enumerate(colors)}
    )
    paths = {value: "".join(_runs(spins == value, skewed)) for value in looks}
    drawn = "".join(
        f'<path {look} d="{paths[value]}"/>' for value, look in looks.items() if colors is None or paths[value]
    )
    height = SIDE * rows / wide if rows < 0.2 * wide else SIDE
    return (
        f'<svg class="lattice" viewBox="0 0 {wide:g} {rows}" width="{SIDE}" height="{max(height, 10):.0f}" '
        f'preserveAspectRatio="none">'
        f"{drawn}</svg>"
    )


def label_colors(model: str, states: int) -> list[str]:
    """Choose a color for every label: once around the color circle for clock spins, a palette for the first labels of
    Potts spins.

    Parameters
    ----------
    model : str
        "potts" or "clock".
    states : int
        Number of labels.

    Returns
    -------
    list of str
        CSS colors.
    """
    around = [f"hsl({360 * label / states:.0f} 55% 52%)" for label in range(states)]
    return list(_PALETTE[:states]) if model == "potts" and states <= len(_PALETTE) else around


def draw_graph(nodes: int, edges: Sequence[tuple[int, int]] | np.ndarray, labels: Sequence[int] | None = None) -> str:
    """Draw a graph as dots and lines.

    Parameters
    ----------
    nodes : int
        Number of nodes.
    edges : sequence of (int, int)
        Pairs of nodes.
    labels : sequence of int, (nodes,), optional
        Nodes are colored by these.

    Returns
    -------
    str
        An inline SVG; empty for more than 200 nodes, where a picture shows nothing.
    """
    if nodes > _MOST_NODES or nodes == 0:
        return ""
    edges = [(int(i), int(j)) for i, j in edges]
    place = _fit(_layout(nodes, edges))
    radius = max(2.0, 5.5 - nodes / 25)
    lines = "".join(f"M{place[i][0]:.1f} {place[i][1]:.1f}L{place[j][0]:.1f} {place[j][1]:.1f}" for i, j in edges)
    labels = [0] * nodes if labels is None else list(labels)
    colors = {label: _PALETTE[k % len(_PALETTE)] for k, label in enumerate(sorted(set(labels)))}
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{colors[labels[i]]}"/>'
        for i, (x, y) in enumerate(place)
    )
    return (
        f'<svg class="graph" viewBox="0 0 {SIDE} {SIDE}" width="{SIDE}" height="{SIDE}">'
        f'<path class="edge" d="{lines}"/>{dots}</svg>'
    )


def draw_points(elements: Sequence[str], positions: np.ndarray, lines: Sequence[tuple[int, int]] | None = None) -> str:
    """Draw a molecule in 3D, seen along its flattest axis; nearer atoms are drawn later and larger.

    Parameters
    ----------
    elements : sequence of str, (n,)
        Symbols of the elements.
    positions : numpy.ndarray, (n, 3)
        In ångström.
    lines : sequence of (int, int), optional
        Pairs of atoms to join; None joins those closer than 1.25 times the sum of their covalent radii.

    Returns
    -------
    str
        An inline SVG; empty for more than 200 atoms and positions that are not finite.
    """
    positions = np.asarray(positions, float)
    if not len(positions) or not np.isfinite(positions).all() or len(positions) > _MOST_NODES:
        return ""
    centered = positions - positions.mean(0)
    axes = np.linalg.svd(centered, full_matrices=True)[2]
    # the sign of a principal axis is arbitrary: a proper turn keeps the hand
    axes[2] = np.cross(axes[0], axes[1])
    seen = centered @ axes.T
    if lines is None:
        lines = _near(elements, positions)
    flat = _fit(seen[:, :2], 16)
    scale = _scale(seen[:, :2], 16)
    shapes = []
    for i, j in lines:
        path = f"M{flat[i][0]:.1f} {flat[i][1]:.1f}L{flat[j][0]:.1f} {flat[j][1]:.1f}"
        shapes.append(((seen[i, 2] + seen[j, 2]) / 2 - 0.1, f'<path class="bond" d="{path}"/>'))
    for i, element in enumerate(elements):
        radius = scale * 0.42 * _RADII.get(element, 1.0) * (1 + 0.04 * seen[i, 2])
        color = _COLORS.get(element, "#c2477f")
        x, y = flat[i]
        dot = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{min(max(radius, 2.5), 16):.1f}" fill="{color}" class="atom"/>'
        shapes.append((seen[i, 2], dot))
    drawn = "".join(shape for _, shape in sorted(shapes, key=lambda shape: shape[0]))
    return f'<svg class="points" viewBox="0 0 {SIDE} {SIDE}" width="{SIDE}" height="{SIDE}">{drawn}</svg>'


def _runs(cells: np.ndarray, skewed: bool) -> list[str]:
    """Each row's runs of true cells as rectangles of a path."""
    parts = []
    for y, row in enumerate(cells):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
        shift = (y / 2) if skewed else 0
        parts += [
            f"M{start + shift:g} {y}h{end - start}v1h-{end - start}z" for start, end in edges.reshape(-1, 2).tolist()
        ]
    return parts


def _layout(nodes: int, edges: Sequence[tuple[int, int]]) -> np.ndarray:
    """Places in the plane whose distances are near those of the graph, components side by side: (nodes, 2)."""
    import networkx as nx

    whole = nx.Graph()
    whole.add_nodes_from(range(nodes))
    whole.add_edges_from(edges)
    place, left = np.zeros((nodes, 2)), 0.0
    for part in sorted(nx.connected_components(whole), key=lambda part: (-len(part), min(part))):
        members = sorted(part)
        spread: Mapping[int, np.ndarray] = {members[0]: np.zeros(2)}
        if len(members) > 1:
            spread = nx.kamada_kawai_layout(whole.subgraph(members), scale=math.sqrt(len(members)))
        here = np.array([spread[i] for i in members])
        place[members] = here - here.min(0) + (left, 0)
        left += np.ptp(here[:, 0]) + 1.0
    return place


def _near(elements: Sequence[str], positions: np.ndarray) -> list[tuple[int, int]]:
    radii = np.array([_RADII.get(element, 1.0) for element in elements])
    distance = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    close = np.triu(distance < _SLACK * (radii[:, None] + radii), 1)
    return [(int(i), int(j)) for i, j in zip(*np.nonzero(close), strict=True)]


def _scale(flat: np.ndarray, margin: float) -> float:
    reach = float(np.ptp(flat, axis=0).max()) if len(flat) > 1 else 0.0
    return (SIDE - 2 * margin) / reach if reach > 0 else 20.0


def _fit(flat: np.ndarray, margin: float = 9) -> list[tuple[float, float]]:
    middle = (flat.max(0) + flat.min(0)) / 2
    fitted = (flat - middle) * _scale(flat, margin) + SIDE / 2
    return [(float(x), float(y)) for x, y in fitted]
