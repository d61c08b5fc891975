"""A picture of graphs."""

from __future__ import annotations

import io
from collections.abc import Sequence

MOST = 16


def picture(graphs: Sequence) -> bytes:
    """Draw the first 16 graphs; labels of nodes are colors, those of edges widths.

    Parameters
    ----------
    graphs : sequence of networkx.Graph
        Any number of them.

    Returns
    -------
    bytes
        A PNG.
    """
    import networkx
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = list(graphs)[:MOST]
    columns = max(1, min(4, len(shown)))
    figure = Figure(figsize=(2.4 * columns, 2.4 * max(1, -(-len(shown) // columns))), layout="constrained")
    FigureCanvasAgg(figure)
    for place, graph in enumerate(shown, 1):
        axes = figure.add_subplot(max(1, -(-len(shown) // columns)), columns, place)
        axes.set_axis_off()
        networkx.draw_networkx(
            graph,
            networkx.spring_layout(graph, seed=0),
            ax=axes,
            with_labels=False,
            node_size=max(10, 600 / max(1, len(graph))),
            node_color=[label for _, label in graph.nodes(data="label", default=0)],
            cmap="tab10",
            vmin=0,
            vmax=9,
            width=[float(label) for *_, label in graph.edges(data="label", default=1)],
            edge_color="#808080",
        )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()
