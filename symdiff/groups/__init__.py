"""Groups that act on structures: permutations, rotations, lattice symmetries, relabelings and their products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.face import face

if TYPE_CHECKING:
    from symdiff.groups.base import Group as Group
    from symdiff.groups.lattices import Space as Space
    from symdiff.groups.named import parse_group as parse_group
    from symdiff.groups.orthogonal import Orthogonal as Orthogonal
    from symdiff.groups.permutation_group import PermutationGroup as PermutationGroup
    from symdiff.groups.permutations import Symmetric as Symmetric
    from symdiff.groups.product import DirectProduct as DirectProduct
    from symdiff.groups.relabel import Relabel as Relabel
    from symdiff.groups.torus import Torus as Torus
    from symdiff.groups.translations import Translations as Translations

__getattr__, __dir__ = face(__name__)
