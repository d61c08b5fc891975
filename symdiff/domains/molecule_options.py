"""What the command line says of molecular graphs: properties and a formula."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from symdiff.domains import scaffolds
from symdiff.domains.formulas import HELP, read_filter
from symdiff.domains.options import Filter
from symdiff.domains.property_options import PropertyOptions
from symdiff.state import State

if TYPE_CHECKING:
    from symdiff.domains.molecule import MolecularGraph


class MoleculeOptions(PropertyOptions):
    """Those of a domain of molecules as graphs.

    Parameters
    ----------
    domain : MolecularGraph
        Whose options they are.
    """

    def __init__(self, domain: MolecularGraph) -> None:
        super().__init__(domain.properties)
        self.domain = domain

    @property
    def help(self) -> dict[str, str]:
        """A line for each property, for the formula and for a scaffold."""
        return {**super().help, "formula": HELP, "fixed": scaffolds.HELP}

    def read_known(self, words: Mapping[str, str]) -> State | None:
        """Read the scaffold that the option ``fixed`` says."""
        return scaffolds.read_scaffold(words["fixed"], self.domain) if "fixed" in words else None

    def read_filter(self, words: Mapping[str, str]) -> Filter | None:
        """Read the option ``formula``.

        Parameters
        ----------
        words : mapping of str to str
            What was written behind each option, by name.
        """
        if "formula" not in words:
            return None
        return read_filter(words["formula"], self.domain.atoms, self.domain.hydrogens, self.domain.codec.decode)
