"""Permutation groups by a text that may name a file: ``automorphisms of petersen.graphml``."""

from __future__ import annotations

import re

import torch

from symdiff.errors import UserError
from symdiff.graphs.edge_list import EdgeList
from symdiff.graphs.files import read_graphs
from symdiff.groups.closure import BUDGET, closure
from symdiff.groups.named import parse_group
from symdiff.groups.permutation_group import PermutationGroup

MOST_NODES = 4096
_OF_A_FILE = re.compile(r"\s*automorphisms\s+of\s+(.+?)\s*", re.IGNORECASE)


def read_group(text: str, budget: int = BUDGET) -> PermutationGroup:
    """Read a permutation group from a text: ``automorphisms of FILE``, or one of ``parse_group``.

    Parameters
    ----------
    text : str
        FILE holds one graph, in any format that is read, such as .graphml; labels of nodes and edges count.
    budget : int
        Placements of a node that the search for automorphisms may try.

    Returns
    -------
    PermutationGroup
        The group.

    Raises
    ------
    UserError
        For an unknown name, a file without exactly one graph, and a search that the budget does not suffice for.
    """
    match = _OF_A_FILE.fullmatch(text)
    if match is None:
        return parse_group(text)
    graph_set = read_graphs(match[1], MOST_NODES)
    if len(graph_set) != 1 or graph_set.graphs[0] is None:
        reason = f": {graph_set.records[0].reason}" if len(graph_set) == 1 else ""
        raise UserError(f"{match[1]}: expected one graph, got {len(graph_set)}{reason}")
    return automorphism_group(graph_set.graphs[0], match[1], budget)


def automorphism_group(graph: EdgeList, place: str, budget: int = BUDGET) -> PermutationGroup:
    """Compute the automorphisms of a graph, which keep its labels.

    Parameters
    ----------
    graph : EdgeList
        The graph.
    place : str
        Begins the message of an error, such as the name of the file.
    budget : int
        Placements of a node that the search may try.

    Returns
    -------
    PermutationGroup
        The group, on the nodes of the graph.

    Raises
    ------
    UserError
        Where the budget does not suffice.
    """
    n = graph.num_nodes
    colors = torch.zeros(n, n, dtype=torch.long)
    first, second = torch.from_numpy(graph.edges).T
    labels = torch.ones(len(first), dtype=torch.long)
    if graph.edge_labels is not None:
        labels = torch.from_numpy(graph.edge_labels)
    colors[first, second] = colors[second, first] = labels
    nodes = torch.zeros(n, dtype=torch.long) if graph.node_labels is None else torch.from_numpy(graph.node_labels)
    colors.diagonal().copy_(nodes)
    group = closure(colors, PermutationGroup(n), budget)
    if group is None:
        raise UserError(f"{place}: the automorphisms were not found within {budget:,} placements of a node")
    return group
