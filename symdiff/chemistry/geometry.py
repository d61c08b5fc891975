"""Molecules with coordinates: RDKit, ASE and PyG <-> one record of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from rdkit import Chem
from rdkit.Geometry import Point3D

from symdiff.chemistry import kekule
from symdiff.chemistry.elements import HEAVIEST
from symdiff.chemistry.limits import MAX_CHARGE, MAX_TOTAL_CHARGE
from symdiff.errors import UserError
from symdiff.storage.numbers import read_integer
from symdiff.storage.records import Broken

TOTAL = "charge"
"""The property of an RDKit molecule, and the key of an xyz comment, that says the total charge where no bonds tell
it."""


@dataclass(frozen=True)
class Geometry:
    """A molecule with coordinates, as arrays.

    Parameters
    ----------
    element : ndarray, (n,) uint8
        Atomic numbers.
    charge : ndarray, (n,) int8
        Formal charges.
    position : ndarray, (n, 3) float64, angstrom
        Positions.
    edges : ndarray, (E, 2) int16, or None
        Kekule bonds i < j; None where bonds are not known.
    order : ndarray, (E,) uint8, or None
        Orders 1, 2, 3 of the bonds.
    total : int
        The charge of the molecule, which formal charges tell where bonds are known.
    """

    element: np.ndarray
    charge: np.ndarray
    position: np.ndarray
    edges: np.ndarray | None = None
    order: np.ndarray | None = None
    total: int = 0

    @property
    def bonded(self) -> bool:
        """Whether the bonds are known."""
        return self.edges is not None

    def graph(self) -> kekule.Kekule:
        """The atoms with their bonds, or with none where they are not known."""
        edges = np.zeros((0, 2), np.int16) if self.edges is None else self.edges
        return kekule.Kekule(
            self.element, self.charge, edges, np.zeros(0, np.uint8) if self.order is None else self.order
        )

    def reorder(self, order: np.ndarray) -> Geometry:
        """Put the atoms in another order.

        Parameters
        ----------
        order : ndarray, (n,)
            The atoms, one after the other.

        Returns
        -------
        Geometry
            The same molecule; bonds are sorted again.
        """
        edges, kinds = self.edges, self.order
        if edges is not None and kinds is not None:
            ends = np.sort(np.argsort(order)[edges.astype(np.int64)], axis=1).reshape(-1, 2)
            place = np.lexsort((ends[:, 1], ends[:, 0]))
            edges, kinds = ends[place].astype(np.int16), kinds[place]
        return Geometry(self.element[order], self.charge[order], self.position[order], edges, kinds, self.total)


def geometry_of(obj, strict: bool = True) -> Geometry:
    """Read a molecule with coordinates from another library's object.

    A molecule that does not sanitize is taken as it stands.

    Parameters
    ----------
    obj : Geometry, rdkit.Chem.Mol, ase.Atoms or torch_geometric.data.Data
        An RDKit molecule needs a conformer, a Data needs ``z`` and ``pos``.
    strict : bool
        Whether radicals are refused.

    Returns
    -------
    Geometry
        The arrays.

    Raises
    ------
    UserError
        For an object without coordinates, and for what no molecule has.
    """
    if isinstance(obj, Geometry):
        return obj
    if isinstance(obj, Chem.Mol):
        return _from_rdkit(obj, strict)
    if hasattr(obj, "get_atomic_numbers"):
        numbers = np.asarray(obj.get_atomic_numbers())
        formal = obj.arrays.get("formal_charge", np.zeros(len(numbers)))
        return bare(numbers, obj.get_positions(), formal, obj.info.get(TOTAL))
    if hasattr(obj, "pos") and hasattr(obj, "z"):
        return _from_pyg(obj)
    raise UserError(f"expected an RDKit molecule, an ASE Atoms or a PyG Data with z and pos, got {type(obj).__name__}")


def bare(element, position, charge=None, total: int | None = None) -> Geometry:
    """Make a molecule of atoms without bonds.

    Parameters
    ----------
    element : array, (n,)
        Atomic numbers, whole.
    position : array, (n, 3), angstrom
        Positions.
    charge : array, (n,), optional
        Formal charges, whole; zero by default.
    total : int, optional
        The charge of the molecule; by default the sum of ``charge``.

    Returns
    -------
    Geometry
        The molecule.

    Raises
    ------
    UserError
        For shapes that do not fit, numbers that are not whole, elements that are none, or charges that are too large.
    """
    element, position = _read_whole("element", element), np.asarray(position, np.float64)
    charge = np.zeros(element.shape, np.int8) if charge is None else _read_whole("charge", charge)
    if element.ndim != 1 or position.shape != (len(element), 3) or charge.shape != element.shape:
        raise UserError(f"expected (n,) elements and (n, 3) positions, got {element.shape} and {position.shape}")
    if len(element) and not (element.min() >= 1 and element.max() <= HEAVIEST):
        atom = int(((element < 1) | (element > HEAVIEST)).argmax())
        raise Broken(f"element: atom {atom + 1} has the atomic number {element[atom]}")
    if len(element) and not (-MAX_CHARGE <= charge.min() and charge.max() <= MAX_CHARGE):
        atom = int(((charge < -MAX_CHARGE) | (charge > MAX_CHARGE)).argmax())
        raise Broken(f"too large: atom {atom + 1} has the charge {charge[atom]:+}, up to {MAX_CHARGE} are read")
    whole = int(charge.sum()) if total is None else int(total)
    return Geometry(element.astype(np.uint8), charge.astype(np.int8), position, total=whole)


def _read_whole(name: str, numbers) -> np.ndarray:
    """Integers, where they come as other numbers without a fraction, too. Raises UserError."""
    values = np.asarray(numbers)
    if values.dtype.kind in "iu":
        return values
    if values.dtype.kind not in "bf":
        raise UserError(f"{name}: expected whole numbers, got {values.dtype}")
    finite = np.where(np.isfinite(values), values, 0.5)
    broken = (finite % 1 != 0) | (abs(finite) > 1e9)
    if broken.any():
        raise Broken(f"{name}: expected a whole number, got {values[broken].reshape(-1)[0]}")
    return finite.astype(np.int64)


def _from_rdkit(mol: Chem.Mol, strict: bool) -> Geometry:
    if not mol.GetNumConformers():
        raise UserError("no coordinates (the molecule has no conformer)")
    position = np.asarray(mol.GetConformer().GetPositions(), np.float64).reshape(-1, 3)
    nameless = [atom for atom in mol.GetAtoms() if not atom.GetAtomicNum()]
    if nameless:
        raise Broken(f"element: atom {nameless[0].GetIdx() + 1} is {nameless[0].GetSymbol()!r}")
    known = mol.GetNumBonds() > 0
    graph = kekule.graph_of(mol, radicals=not (strict and known))
    total = _total(mol) if mol.HasProp(TOTAL) and not known else int(graph.charge.sum())
    edges, order = (graph.edges, graph.order) if known else (None, None)
    return Geometry(graph.element, graph.charge, position, edges, order, total)


def _total(mol: Chem.Mol) -> int:
    try:
        return read_integer(str(mol.GetPropsAsDict().get(TOTAL)), -MAX_TOTAL_CHARGE, MAX_TOTAL_CHARGE, decimals=True)
    except UserError as error:
        raise Broken(f"charge: {error}") from None


def to_rdkit(geometry: Geometry) -> Chem.Mol:
    """Make an RDKit molecule with one conformer, unsanitized; it has the hydrogens that are atoms, and no others.

    Parameters
    ----------
    geometry : Geometry
        The molecule.

    Returns
    -------
    rdkit.Chem.Mol
        Without bonds where these are not known; the property ``charge`` then says the total charge.
    """
    mol = kekule.from_kekule(geometry.graph())
    for atom in mol.GetAtoms():
        atom.SetNoImplicit(True)
    conformer = Chem.Conformer(len(geometry.element))
    conformer.Set3D(True)
    for place, point in enumerate(geometry.position.tolist()):
        conformer.SetAtomPosition(place, Point3D(*point))
    mol.AddConformer(conformer)
    if not geometry.bonded and geometry.total:
        mol.SetIntProp(TOTAL, geometry.total)
    return mol


def to_ase(obj):
    """Make an ASE Atoms; bonds are lost.

    Parameters
    ----------
    obj : object
        Whatever ``geometry_of`` reads.

    Returns
    -------
    ase.Atoms
        Formal charges as the array ``formal_charge``, the total charge in ``info``.
    """
    from ase import Atoms

    geometry = geometry_of(obj, strict=False)
    atoms = Atoms(numbers=geometry.element.astype(int), positions=geometry.position)
    if geometry.charge.any():
        atoms.set_array("formal_charge", geometry.charge.astype(int))
    atoms.info[TOTAL] = geometry.total
    return atoms


def to_pyg(obj):
    """Make a PyG Data.

    Parameters
    ----------
    obj : object
        Whatever ``geometry_of`` reads.

    Returns
    -------
    torch_geometric.data.Data
        ``z`` (n,) atomic numbers, ``charge`` (n,), ``pos`` (n, 3) float32 in angstrom; where bonds are known
        ``edge_index`` (2, 2E), both directions, and ``edge_attr`` (2E,) their orders 1, 2, 3.
    """
    import torch
    from torch_geometric.data import Data

    geometry = geometry_of(obj, strict=False)
    given: Mapping = {}
    if geometry.edges is not None and geometry.order is not None:
        ends = torch.from_numpy(geometry.edges.astype(np.int64)).mT
        order = torch.from_numpy(geometry.order.astype(np.int64))
        given = {"edge_index": torch.cat([ends, ends.flip(0)], 1), "edge_attr": torch.cat([order, order])}
    z, charge = (torch.from_numpy(array.astype(np.int64)) for array in (geometry.element, geometry.charge))
    return Data(z=z, charge=charge, pos=torch.from_numpy(geometry.position.astype(np.float32)), **given)


def _from_pyg(data) -> Geometry:
    """A Data has bonds where ``edge_index`` comes with an ``edge_attr`` (2E,) of orders 1, 2, 3."""
    charge = None if getattr(data, "charge", None) is None else data.charge.reshape(-1).tolist()
    atoms = bare(data.z.reshape(-1).cpu().numpy(), data.pos.cpu().numpy(), charge)
    if getattr(data, "edge_index", None) is None or getattr(data, "edge_attr", None) is None:
        return atoms
    ends, order = data.edge_index.cpu().numpy(), data.edge_attr.cpu().numpy()
    if order.ndim != 1 or not np.isin(order, (1, 2, 3)).all():
        raise UserError("edge_attr: expected (2E,) bonds of order 1, 2 or 3")
    if ends.size and not (ends.min() >= 0 and ends.max() < len(atoms.element)):
        raise UserError("edge_index: a bond to an atom that is not there")
    half = ends[0] < ends[1]
    if not np.array_equal(_edges(ends[:, half], order[half]), _edges(ends[::-1, ~half], order[~half])):
        raise UserError("edge_index: expected every bond once in both directions, and no loops")
    edges = _edges(ends[:, half], order[half])
    if len(np.unique(edges[:, :2], axis=0)) != len(edges):
        raise UserError("edge_index: two bonds between the same atoms")
    return Geometry(
        atoms.element,
        atoms.charge,
        atoms.position,
        edges[:, :2].astype(np.int16),
        edges[:, 2].astype(np.uint8),
        atoms.total,
    )


def _edges(ends: np.ndarray, order: np.ndarray) -> np.ndarray:
    """(E, 3) rows i, j, order, sorted."""
    rows = np.concatenate([ends, order[None]]).T.astype(np.int64)
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]
