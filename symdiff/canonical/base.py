"""Randomized canonicalization: exact draws from the inversion kernel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from symdiff.groups.base import Element, Group
from symdiff.random import Generator
from symdiff.state import State


class Canonicalizer(ABC):
    """Chooses for every structure an element that carries its orbit's representative to it."""

    group: Group[Any]

    @abstractmethod
    def element(self, x: State) -> Element:
        """Compute some c such that c⁻¹·x is canonical.

        Ties may be decided in any way, by the order of the nodes for one.

        Parameters
        ----------
        x : State
            B structures.

        Returns
        -------
        Element
            B elements of ``group``.
        """

    def sample(self, x: State, generator: Generator | None = None) -> Element:
        """Draw g such that g⁻¹·x is canonical, uniformly among all such g.

        The distribution is equivariant: ``sample(h·x)`` is distributed as ``h · sample(x)``, whatever ``element`` does
        with ties.

        Parameters
        ----------
        x : State
            B structures.
        generator : Generator, optional
            The source of randomness: one stream a structure, or torch's.

        Returns
        -------
        Element
            B elements of ``group``.

        References
        ----------
        Lawrence, Portilheiro, Zhang, Kaba: Improving Equivariant Networks with Probabilistic Symmetry Breaking (ICLR
        2025, https://arxiv.org/abs/2503.21985).
        """
        h = self.group.sample(x.mask, generator)
        c = self.element(self.group.act(h, x))
        return self.group.compose(self.group.inverse(h), c)

    def canonical(self, x: State) -> State:
        """Compute the representatives of the orbits.

        Parameters
        ----------
        x : State
            B structures.

        Returns
        -------
        State
            c⁻¹·x, with the c of ``element``.
        """
        return self.group.act(self.group.inverse(self.element(x)), x)
