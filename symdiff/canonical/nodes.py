"""A complete canonical labelling of graphs with colored nodes and pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from symdiff.canonical import coloring, refinement
from symdiff.canonical.base import Canonicalizer
from symdiff.canonical.search import search
from symdiff.canonical.traversal import traverse
from symdiff.groups.permutations import Symmetric
from symdiff.random import mix
from symdiff.state import State

Order = Literal["rank", "depth", "breadth"]


class Nodes(Canonicalizer):
    """Canonical labelling of graphs: forms are alike exactly where a permutation of the nodes carries one to the other.

    Color refinement decides most graphs, individualization the rest, all graphs of a batch together and on their
    device. Ties that are left are automorphisms. (Graphs are told apart by 64-bit hashes: a mistake needs a collision,
    1 in 10^19.)

    Parameters
    ----------
    order : {"rank", "depth", "breadth"}
        The representative. "rank": by label, then number of neighbors, then refined; "depth" and "breadth": a traversal
        of the ranked graph along its edges, which are the pairs with a label other than 0.
    fields : sequence of str, optional
        The Categorical fields that are read, all by default; others are carried along. Reading fewer fields than a
        structure has gives a coarser inversion kernel, whose distribution is still equivariant.

    Raises
    ------
    ValueError
        For an ``order`` of another name.
    """

    def __init__(self, order: Order = "rank", fields: Sequence[str] | None = None) -> None:
        if order not in get_args(Order):
            raise ValueError(f"order must be one of {get_args(Order)}, got {order!r}")
        self.order: Order = order
        self.fields = fields
        self.group = Symmetric()

    def element(self, x: State) -> Tensor:
        """Compute c with c⁻¹·x canonical: for every node its position in the canonical order, (B, N) int64."""
        return torch.cat([self._positions(labelling) for labelling in self._label(x)])

    def automorphisms(self, x: State, budget: int | None = None) -> Tensor:
        """Compute the order of every structure's automorphism group.

        Parameters
        ----------
        x : State
            B structures.
        budget : int, optional
            How many pairs of nodes the search through one structure may look at.

        Returns
        -------
        Tensor, (B,) float64
            The orders, exact below 2^53; 0 where the budget does not suffice.
        """
        return torch.cat(
            [labelling.order * (labelling.twins + 1).double().prod(1) for labelling in self._label(x, budget)]
        )

    def log_automorphisms(self, x: State) -> Tensor:
        """Compute the natural logarithm of ``automorphisms``, where many twins would make it overflow.

        Parameters
        ----------
        x : State
            B structures.

        Returns
        -------
        Tensor, (B,) float64
            The logarithms.
        """
        return torch.cat(
            [labelling.order.log() + (labelling.twins + 1).double().log().sum(1) for labelling in self._label(x)]
        )

    def form(self, x: State) -> Tensor:
        """Hash every structure's canonical form.

        It does not depend on ``order``, on padding or on the rest of the batch.

        Parameters
        ----------
        x : State
            B structures.

        Returns
        -------
        Tensor, (B,) int64
            Equal for isomorphic structures alone, up to collisions of 64-bit hashes.
        """
        return torch.cat([labelling.form() for labelling in self._label(x)])

    def form_within(self, x: State, budget: int) -> tuple[Tensor, Tensor]:
        """Hash canonical forms, as ``form`` does, with a bounded search.

        Parameters
        ----------
        x : State
            B structures.
        budget : int
            How many pairs of nodes the search through one structure may look at.

        Returns
        -------
        form : Tensor, (B,) int64
            The hashes, without meaning where the search was not complete.
        complete : Tensor, (B,) bool
            Where it was.
        """
        labellings = list(self._label(x, budget))
        return torch.cat([one.form() for one in labellings]), torch.cat([one.order > 0 for one in labellings])

    def _label(self, x: State, budget: int | None = None) -> Iterator[Labelling]:
        names = coloring.named_fields(x, self.fields)
        rows = refinement.portion(x.mask.shape[1])
        for start in range(0, max(len(x), 1), rows):
            yield label(coloring.read(x.select(slice(start, start + rows)), names), budget)

    def _positions(self, labelling: Labelling) -> Tensor:
        if self.order == "rank":
            return labelling.rank
        return traverse(labelling.graph.edges, labelling.rank, labelling.graph.mask, self.order)


@dataclass(frozen=True)
class Labelling:
    """What the search determines about graphs.

    Attributes
    ----------
    graph : Colored
        The graphs.
    rank : Tensor
        The canonical rank of the nodes, (B, N).
    order : Tensor
        The order of the automorphism group but for the permutations of twins, (B,).
    twins : Tensor
        For every node the number of its earlier twins, (B, N).
    """

    graph: coloring.Colored
    rank: Tensor
    order: Tensor
    twins: Tensor

    def form(self) -> Tensor:
        """Hash the graphs' canonical forms, (B,) int64."""
        graph = self.graph
        rows = mix(refinement.neighborhoods(graph.pairs, self.rank) + mix(self.rank + 1) + mix(graph.nodes + 1))
        return mix((rows * graph.mask).sum(1) + mix(graph.wholes + (graph.mask.sum(1) << 32)))


def label(graph: coloring.Colored, budget: int | None = None) -> Labelling:
    """Label graphs canonically: refine, order twins in any way, search what is still undecided.

    Parameters
    ----------
    graph : Colored
        B graphs.
    budget : int, optional
        How many pairs of nodes the search through one graph may look at; a graph with more gets order 0.

    Returns
    -------
    Labelling
        Ranks and orders of the automorphism groups.
    """
    pairs, mask = graph.pairs, graph.mask
    batch = torch.arange(len(mask), device=mask.device)
    rank = refinement.refine(pairs, batch, refinement.initial(graph.nodes, graph.edges.sum(-1), mask))
    order = torch.ones(len(mask), dtype=torch.float64, device=mask.device)
    twins = torch.zeros_like(rank)
    tied = batch[~refinement.discrete(rank)]
    if len(tied):
        tied_pairs = pairs.index_select(
            0, tied
        )  # unlike pairs[tied], on the processor this starts no threads for little work
        finer, twins[tied] = refinement.split_twins(tied_pairs, rank[tied], mask[tied])
        rank[tied] = refinement.refine(pairs, tied, finer)
        tied = tied[~refinement.discrete(rank[tied])]
    if len(tied):
        most = None if budget is None else budget // mask[tied].sum(1) ** 2
        rank[tied], order[tied] = search(pairs.index_select(0, tied), rank[tied], mask[tied], most)
    return Labelling(graph, rank, order, twins)
