"""What the command line says of molecules in 3D: properties, and a fragment that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from symdiff.domains.formulas import HELP, read_filter
from symdiff.domains.options import Filter
from symdiff.domains.property_options import PropertyOptions
from symdiff.errors import UserError
from symdiff.state import State

if TYPE_CHECKING:
    from symdiff.domains.molecule3d import Molecule3D


class Molecule3DOptions(PropertyOptions):
    """The options of a domain of molecules in 3D.

    Parameters
    ----------
    domain : Molecule3D
        Whose properties are read.
    """

    def __init__(self, domain: Molecule3D) -> None:
        super().__init__(domain.properties)
        self.domain = domain

    @property
    def help(self) -> dict[str, str]:
        """Every property, in its unit, and ``fixed``."""
        return {
            **super().help,
            "formula": HELP,
            "fixed": "an .sdf file of a fragment whose atoms are in every molecule, where they stand",
        }

    def read_filter(self, words: Mapping[str, str]) -> Filter | None:
        """Read the option ``formula``; for a model without bonds only atoms are counted.

        Parameters
        ----------
        words : mapping of str to str
            What was written behind each option, by name.
        """
        if "formula" not in words:
            return None
        return read_filter(words["formula"], self.domain.atoms, True, self.domain.codec.decode)

    def read_known(self, words: Mapping[str, str]) -> State | None:
        """Read the fragment in the file ``fixed``: its atoms as they are, with bonds to them left open.

        Raises
        ------
        UserError
            For a file that does not hold one molecule of these atoms.
        """
        if "fixed" not in words:
            return None
        from symdiff.chemistry.perception import check
        from symdiff.chemistry.reading import read_geometries

        path, domain = words["fixed"], self.domain
        entries = list(read_geometries(path, domain.max_nodes))
        if len(entries) != 1 or entries[0][1] is None:
            raise UserError(
                f"--fixed: {path}: expected one molecule, got "
                f"{entries[0][0].reason if len(entries) == 1 else len(entries)}"
            )
        fragment = entries[0][1]
        try:
            check(fragment, domain.max_nodes)
            if domain.bonds and not fragment.bonded and len(fragment.element) > 1:
                raise UserError("expected bonds among the atoms; give an .sdf file that has them")
            x = domain.collate(
                [domain.codec.label(replace(fragment, edges=fragment.graph().edges, order=fragment.graph().order))]
            )
        except UserError as error:
            raise UserError(f"--fixed: {path}: {error}") from None
        position = torch.from_numpy(fragment.position).float()[None, :, None]
        return x.only(*(name for name in x.schema if name not in domain.conditions)).with_values(position=position)
