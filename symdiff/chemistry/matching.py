"""Which atom of a geometry is which atom of a SMILES: bonds and charges for coordinates that come without."""

from __future__ import annotations

import numpy as np
from rdkit import Chem

from symdiff.chemistry import kekule
from symdiff.chemistry.geometry import Geometry
from symdiff.chemistry.perception import connectivity
from symdiff.errors import UserError

_MARK = 100
_MOST = 64
"""Symmetric ways to lay a molecule's heavy atoms over themselves that are compared."""


def match(smiles: str, element: np.ndarray, position: np.ndarray) -> Geometry:
    """Give a geometry the bonds and charges of a SMILES.

    Distances tell which atoms are bonded, and have to agree with the SMILES. Where that leaves several ways to place
    double bonds, the one with the shortest multiple bonds is taken.

    Parameters
    ----------
    smiles : str
        The molecule.
    element : ndarray, (n,)
        Atomic numbers, hydrogens among them, in any order.
    position : ndarray, (n, 3), angstrom
        Positions of these atoms.

    Returns
    -------
    Geometry
        Atoms in the order of the canonical SMILES, hydrogens behind their atom.

    Raises
    ------
    UserError
        Where atoms or bonds differ from those of the SMILES, or a hydrogen is near to two atoms or to none.
    """
    graph = kekule.to_kekule(kekule.parse_smiles(smiles))
    template = kekule.from_kekule(graph)
    template.UpdatePropertyCache(strict=False)
    hydrogens = [atom.GetTotalNumHs() for atom in template.GetAtoms()]
    behind, edges = _heavy(element, position)
    heavy = np.fromiter(behind, np.int64, len(behind))
    if len(heavy) != len(graph.element) or len(element) != len(heavy) + sum(hydrogens):
        raise UserError("the geometry has other atoms than the SMILES")
    place = {atom: k for k, atom in enumerate(behind)}
    measured = _mark(element[heavy], [len(some) for some in behind.values()], [(place[i], place[j]) for i, j in edges])
    wanted = _mark(graph.element, hydrogens, graph.edges.tolist())
    if measured.GetNumBonds() != wanted.GetNumBonds():
        raise UserError("other bonds by distance than in the SMILES")
    ways = np.array(measured.GetSubstructMatches(wanted, uniquify=False, maxMatches=_MOST), np.int64)
    if not len(ways):
        raise UserError("other bonds by distance than in the SMILES")
    way = heavy[ways[_shortest(position[heavy][ways], graph) if len(ways) > 1 else 0]]
    return _laid_out(graph, position, [[atom, *behind[atom]] for atom in way.tolist()])


def _heavy(element: np.ndarray, position: np.ndarray) -> tuple[dict[int, list[int]], list[tuple[int, int]]]:
    """For every heavy atom its hydrogens, and the bonds among heavy atoms. Raises UserError."""
    behind: dict[int, list[int]] = {atom: [] for atom in np.nonzero(element > 1)[0].tolist()}
    edges, count = [], 0
    for i, j in connectivity(Geometry(element, np.zeros(len(element), np.int8), position)).tolist():
        if i in behind and j in behind:
            edges.append((i, j))
            continue
        count += 1
        if i in behind:
            behind[i].append(j)
        elif j in behind:
            behind[j].append(i)
    if count != len(element) - len(behind) or sum(map(len, behind.values())) != count:
        raise UserError("a hydrogen is near to two atoms or to none")
    return behind, edges


def _mark(element: np.ndarray, hydrogens: list[int], edges: list) -> Chem.Mol:
    """The graph of single bonds, the number of hydrogens as the isotope: what a match has to keep."""
    mol = Chem.RWMol()
    for number, count in zip(element.tolist(), hydrogens, strict=True):
        atom = Chem.Atom(number)
        atom.SetNoImplicit(True)
        atom.SetIsotope(_MARK + count)
        mol.AddAtom(atom)
    for i, j in edges:
        mol.AddBond(i, j, Chem.BondType.SINGLE)
    return mol


def _shortest(position: np.ndarray, graph: kekule.Kekule) -> int:
    """The way (of W, ``position`` (W, n, 3)) whose bonds are shortest, weighted by their order."""
    i, j = graph.edges.astype(np.int64).T
    lengths = np.linalg.norm(position[:, i] - position[:, j], axis=-1)
    return int((lengths * graph.order).sum(1).argmin())


def _laid_out(graph: kekule.Kekule, position: np.ndarray, groups: list[list[int]]) -> Geometry:
    """Heavy atoms in their order, each the first of its group and its hydrogens behind it."""
    starts = np.cumsum([0, *map(len, groups)])
    order = np.array([atom for group in groups for atom in group])
    element, charge = np.ones(len(order), np.uint8), np.zeros(len(order), np.int8)
    element[starts[:-1]], charge[starts[:-1]] = graph.element, graph.charge
    single = [
        (start, start + k) for start, group in zip(starts.tolist(), groups, strict=False) for k in range(1, len(group))
    ]
    edges = np.concatenate(
        [starts[graph.edges.astype(np.int64)].reshape(-1, 2), np.array(single, np.int64).reshape(-1, 2)]
    )
    kinds = np.concatenate([graph.order, np.ones(len(single), np.uint8)])
    place = np.lexsort((edges[:, 1], edges[:, 0]))
    return Geometry(
        element,
        charge,
        position[order],
        edges[place].astype(np.int16),
        kinds[place].astype(np.uint8),
        int(charge.sum()),
    )
