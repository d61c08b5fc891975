"""Molecules as objects of packages for graphs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from symdiff.state import State


def to_networkx(state: State, atoms: Sequence[str]) -> list:
    """The networkx graphs of molecules.

    Parameters
    ----------
    state : State
        With ``atom``, and with ``bond`` and ``position`` where there are such.
    atoms : sequence of str
        What the labels of nodes stand for.

    Returns
    -------
    list of networkx.Graph
        Nodes 0 .. n - 1 with ``atom`` (``C``, ``N+``) and, in 3D, ``position`` in angstrom; edges with ``order``.
    """
    import networkx

    graphs = []
    for row, (labels, ends, orders) in enumerate(_records(state)):
        graph = networkx.Graph()
        for node, label in enumerate(labels.tolist()):
            graph.add_node(node, atom=atoms[label])
            if "position" in state.schema:
                graph.nodes[node]["position"] = tuple(state["position"][row, node, 0].tolist())
        for (i, j), order in zip(ends.tolist(), orders.tolist(), strict=True):
            graph.add_edge(i, j, order=order)
        graphs.append(graph)
    return graphs


def to_pyg(state: State, atoms: Sequence[str]) -> list:
    """Convert molecular graphs to PyG ``Data``, as molecules in 3D are, without positions.

    Parameters
    ----------
    state : State
        B structures with ``atom`` and ``bond``.
    atoms : sequence of str
        The names of the labels: an element and its formal charge.

    Returns
    -------
    list of torch_geometric.data.Data
        ``z`` (n,) atomic numbers, ``charge`` (n,), ``edge_index`` (2, 2E) both ways, ``edge_attr`` (2E,) orders.
    """
    from torch_geometric.data import Data

    from symdiff.chemistry import kekule

    element, charge = (torch.tensor(column) for column in zip(*map(kekule.parse_label, atoms), strict=True))
    graphs = []
    for labels, ends, orders in _records(state):
        index, kinds = torch.from_numpy(ends).long().T, torch.from_numpy(labels).long()
        graphs.append(
            Data(
                z=element[kinds],
                charge=charge[kinds],
                edge_index=torch.cat([index, index.flip(0)], 1),
                edge_attr=torch.from_numpy(orders).long().repeat(2),
                num_nodes=len(kinds),
            )
        )
    return graphs


def _records(state: State) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """For every structure the labels (n,), the pairs with a bond (E, 2) and their orders (E,)."""
    atoms = state["atom"].cpu().numpy()
    bonds = state["bond"].triu(1).cpu().numpy() if "bond" in state.schema else None
    for row, size in enumerate(state.num_nodes.tolist()):
        ends = np.argwhere(bonds[row, :size, :size]) if bonds is not None else np.zeros((0, 2), np.int64)
        orders = bonds[row][tuple(ends.T)] if bonds is not None else np.zeros(0, np.int64)
        yield atoms[row, :size], ends, orders
