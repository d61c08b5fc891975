"""Canonical labelling of graphs of which a part is given: the rule for conditions."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from symdiff.canonical.base import Canonicalizer
from symdiff.canonical.nodes import Nodes, Order
from symdiff.state import Categorical, State


class NodesGiven(Canonicalizer):
    """Canonicalizes the given fields c, and the others under the stabilizer of c alone.

    The representative of (c, x0) has the canonical c of ``Nodes``, whatever x0 is. So the draw for (c, x0), as training
    makes it, lies in the coset γ(c)·Stab(c), and chooses there what makes x0 canonical; the draw for c alone, as
    sampling makes it, is uniform on that coset. Where x0 given c follows an equivariant distribution the first,
    averaged over x0, is the second.

    An element is made of two: κ carries the canonical form of (c, x0) together to the structure, δ the canonical c to
    the c in that form. κδ depends on (c, x0) up to the symmetries of both alone.

    Parameters
    ----------
    given : sequence of str
        The Categorical fields of c.
    order : {"rank", "depth", "breadth"}
        The representative of c, see ``Nodes``.

    Raises
    ------
    ValueError
        For no given field, or one name in place of a list.
    """

    def __init__(self, given: Sequence[str], order: Order = "rank") -> None:
        if isinstance(given, str) or not given:
            raise ValueError(f"given needs a list of at least one name, got {given!r}")
        self.given, self.order = list(given), order
        self._given = Nodes(order, self.given)
        self.group = self._given.group

    def element(self, x: State) -> Tensor:
        """Compute c with c⁻¹·x canonical, (B, N) int64; fields that are not given may be absent."""
        names = [name for name, field in x.schema.items() if isinstance(field, Categorical)]
        if set(names) == set(self.given):
            return self._given.element(x)
        together = Nodes("rank", names).element(x)
        first = self.group.act(self.group.inverse(together), x)
        return self.group.compose(together, self._given.element(first))
