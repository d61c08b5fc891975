"""A picture of configurations."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from symdiff.groups.bravais import bravais
from symdiff.spins.configuration import Configuration

if TYPE_CHECKING:
    from symdiff.domains.lattice import SpinLattice

MOST = 16
PALETTE = "viridis"


def picture(objs: Sequence[Configuration], domain: SpinLattice) -> bytes:
    """Draw the first 16 configurations.

    Chains are drawn as rows, planes at their places, of a cubic lattice the layer n_0 = 0. What is hidden still is
    white.

    Parameters
    ----------
    objs : sequence of Configuration
        With spins.
    domain : SpinLattice
        The lattice and the states of a spin.

    Returns
    -------
    bytes
        A PNG.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = list(objs)[:MOST]
    columns = max(min(4, len(shown)), 1)
    rows = max(-(-len(shown) // columns), 1)
    figure = Figure(figsize=(2.2 * columns, 2.4 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    lattice = bravais(domain.lattice)
    low, high = (-1, 1) if domain.model == "ising" else (0, domain.states - 1)
    for place, obj in enumerate(shown, 1):
        axes = figure.add_subplot(rows, columns, place)
        spins = np.asarray(obj.spins)
        spins = spins[0] if lattice.dim == 3 else np.atleast_2d(spins)
        if lattice.dim == 2:
            n = np.stack(np.meshgrid(*(np.arange(side + 1) for side in spins.shape), indexing="ij"), -1)
            x, y = np.moveaxis(n @ lattice.cell.numpy(), -1, 0)
        else:
            y, x = np.meshgrid(*(np.arange(side + 1) for side in spins.shape), indexing="ij")
        hidden = spins == (0 if domain.model == "ising" else -1)
        axes.pcolormesh(x, y, np.ma.masked_array(spins, hidden), cmap=PALETTE, vmin=low, vmax=high)
        axes.set_aspect("equal")
        axes.set_axis_off()
        if obj.temperature is not None:
            axes.set_title(f"T = {obj.temperature:g}", fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()
