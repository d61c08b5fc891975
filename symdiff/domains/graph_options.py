"""What the command line says of graphs: those that are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from symdiff.domains.property_options import PropertyOptions
from symdiff.errors import UserError
from symdiff.graphs.edge_list import EdgeList
from symdiff.graphs.files import read_graphs
from symdiff.random import Streams
from symdiff.state import State

if TYPE_CHECKING:
    from symdiff.domains.graph import Graph


class GraphOptions(PropertyOptions):
    """The options of a domain of graphs: a file of the graphs whose labels are asked for.

    Parameters
    ----------
    domain : Graph
        Whose conditions are read.
    """

    def __init__(self, domain: Graph) -> None:
        super().__init__(domain.properties)
        self.domain = domain

    @property
    def help(self) -> dict[str, str]:
        """``graphs``, for a domain with conditions."""
        given, lines = self.domain.given, super().help
        return (
            {"graphs": f"a file of graphs (.graphml, .npz), whose {given[0]}s are given", **lines} if given else lines
        )

    def read_condition(self, words: Mapping[str, str], streams: Streams | None = None) -> State | None:
        """Read the given fields of all graphs in the file ``graphs``.

        Raises
        ------
        UserError
            For a file that cannot be read, one without graphs, and labels that the model does not know.
        """
        if not self.domain.given:
            return super().read_condition(words, streams)
        if "graphs" not in words:
            raise UserError("--graphs: expected a file of graphs, whose labels this model samples")
        path, records = words["graphs"], []
        graph_set = read_graphs(path, self.domain.max_nodes)
        for record, graph in zip(graph_set.records, graph_set.graphs, strict=True):
            try:
                if graph is None:
                    raise UserError(record.reason)
                records.append(self.domain.codec.record_of(self._given(graph)))
            except UserError as error:
                raise UserError(f"{path}: graph {record.number}: {error}") from error
        if not records:
            raise UserError(f"{path}: no graphs")
        graphs = self.domain.collate(records).only(*self.domain.given)
        given = super().read_condition(words, streams)
        if given is None:
            return graphs
        if 1 != len(given) != len(graphs):
            raise UserError(f"--count: expected {len(graphs)}, a structure for each graph, where ranges are drawn from")
        given = given.select([0] * len(graphs)) if len(given) == 1 else given
        return graphs.with_values(given.schema, **given.values)

    def _given(self, graph: EdgeList) -> EdgeList:
        """The graph without what is to be sampled."""
        if "node" not in self.domain.given:
            return graph._replace(node_labels=None)
        return graph._replace(edges=graph.edges[:0], edge_labels=None)
