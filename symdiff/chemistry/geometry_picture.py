"""A picture of molecules in 3D."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from symdiff.chemistry.geometry import Geometry
from symdiff.chemistry.perception import RADII, connectivity

MOST = 16
COLORS = {
    1: "#e8e8e8",
    6: "#4a4a4a",
    7: "#3f5fe0",
    8: "#e03c31",
    9: "#58b947",
    15: "#f08a24",
    16: "#e6c229",
    17: "#2fae3c",
}
OTHER = "#b56ed6"


def picture(geometries: Sequence[Geometry], like: Sequence[Geometry] | None = None) -> bytes:
    """Draw the first 16 molecules, each seen along its shortest axis; atoms in front cover those behind.

    Parameters
    ----------
    geometries : sequence of Geometry
        The molecules.
    like : sequence of Geometry, optional
        As many molecules whose axes and size decide on the view of each, in place of its own.

    Returns
    -------
    bytes
        A PNG.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = list(geometries)[:MOST]
    columns = max(1, min(4, len(shown)))
    rows = max(1, -(-len(shown) // columns))
    figure = Figure(figsize=(2.4 * columns, 2.4 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for place, (geometry, viewed) in enumerate(zip(shown, list(like or shown)[:MOST], strict=True), 1):
        axes = figure.add_subplot(rows, columns, place)
        axes.set_aspect("equal")
        axes.set_axis_off()
        _draw(axes, geometry, viewed)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()


def _draw(axes, geometry: Geometry, viewed: Geometry) -> None:
    from matplotlib.patches import Circle

    if not len(geometry.element) or not np.isfinite([geometry.position, viewed.position]).all():
        axes.text(0.5, 0.5, "no picture", ha="center", transform=axes.transAxes)
        return
    point = geometry.position - geometry.position.mean(0)
    shape = viewed.position - viewed.position.mean(0)
    view = np.linalg.eigh(shape.T @ shape)[1][:, ::-1]
    point, shape = point @ view, shape @ view
    edges, widths = geometry.edges, geometry.order
    if edges is None or widths is None:
        edges = connectivity(geometry)
        widths = np.ones(len(edges))
    for (i, j), width in zip(edges.tolist(), widths.tolist(), strict=True):
        ends = point[[i, j]]
        axes.plot(ends[:, 0], ends[:, 1], color="#808080", linewidth=1.5 * width, zorder=float(ends[:, 2].mean()))
    for (x, y, depth), element in zip(point.tolist(), geometry.element.tolist(), strict=True):
        radius = 0.25 + 0.3 * float(RADII[element])
        axes.add_patch(
            Circle(
                (x, y),
                radius,
                facecolor=COLORS.get(element, OTHER),
                edgecolor="#202020",
                linewidth=0.6,
                zorder=depth + 0.01,
            )
        )
    reach = np.abs(shape[:, :2]).max() + 0.8
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-reach, reach)
