"""What coordinates tell: which atoms are bonded, how, how to order them, and whether they can be a molecule's."""

from __future__ import annotations

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdDetermineBonds
from rdkit.rdBase import BlockLogs

from symdiff.chemistry import kekule
from symdiff.chemistry.bonding import Undecided, assign
from symdiff.chemistry.coordinates import find_fault
from symdiff.chemistry.geometry import Geometry, geometry_of, to_rdkit
from symdiff.chemistry.normal import normalize
from symdiff.errors import UserError
from symdiff.storage.records import Broken

SLACK = 0.22
"""Angstrom; atoms are bonded where they are nearer than their covalent radii and this much: right for all but some in
10,000 of QM9."""
OVERLAP = 0.4
"""Angstrom; the shortest bond there is, that of H2, has 0.74."""
BOHR = 1 / 0.529177
_BOHR_BAND = (1.55, 2.4)
FACTOR = 1.15
"""Of the sum of covalent radii: up to there two atoms are bonded."""
DEFAULT_FACTOR = 1.3
"""RDKit's own, which bonds atoms across small rings: 5 % of QM9's molecules then have no valence."""
ITERATIONS = 10_000
"""Steps of RDKit's search for bond orders."""
_TABLE = Chem.GetPeriodicTable()
RADII = np.array([0.0, *(_TABLE.GetRcovalent(z) for z in range(1, kekule.MAX_ELEMENT + 1))])
"""Covalent radii by atomic number, angstrom."""


def distances(position: np.ndarray) -> np.ndarray:
    """Compute the distances of all pairs of atoms.

    Parameters
    ----------
    position : ndarray, (n, 3), angstrom
        Positions.

    Returns
    -------
    ndarray, (n, n), angstrom
        Symmetric; infinite on the diagonal.
    """
    lengths = np.linalg.norm(position[:, None] - position[None], axis=-1)
    np.fill_diagonal(lengths, np.inf)
    return lengths


def check(geometry: Geometry, max_atoms: int) -> None:
    """Check that coordinates can be those of a molecule in angstrom.

    Parameters
    ----------
    geometry : Geometry
        The atoms.
    max_atoms : int
        Larger molecules are refused.

    Raises
    ------
    Broken
        Where they cannot, as ``kind: detail``: overlapping atoms, or what looks like bohr, for instance.
    """
    reason = find_fault(geometry.element, geometry.position, max_atoms, OVERLAP)
    if reason:
        raise Broken(reason)
    if len(geometry.element) == 1:
        return
    gaps = distances(geometry.position)
    radii = RADII[geometry.element]
    ratio = float(np.median((gaps / (radii[:, None] + radii)).min(1)))
    if len(geometry.element) > 2 and _BOHR_BAND[0] < ratio < _BOHR_BAND[1]:
        raise Broken(
            f"unit: coordinates look like bohr, neighbors are {ratio:.1f} bond lengths apart; give angstrom, or say "
            "the units"
        )


def connectivity(geometry: Geometry) -> np.ndarray:
    """Find the bonded atoms by distance alone: nearer than their covalent radii and 0.22 angstrom.

    Parameters
    ----------
    geometry : Geometry
        The atoms; bonds that are known are not looked at.

    Returns
    -------
    ndarray, (E, 2) int16
        Pairs i < j.
    """
    radii = RADII[geometry.element]
    return (
        np.argwhere(np.triu(distances(geometry.position) < SLACK + radii[:, None] + radii))
        .astype(np.int16)
        .reshape(-1, 2)
    )


def perceive(geometry: Geometry) -> Geometry:
    """Add the bonds and formal charges of ``molecule`` to atoms.

    Parameters
    ----------
    geometry : Geometry
        The atoms; bonds that are known are replaced.

    Returns
    -------
    Geometry
        The same atoms with bonds.

    Raises
    ------
    UserError
        Where no bonds fit or the molecule is a radical, and where that is undecided.
    """
    try:
        mol = molecule(geometry.element, geometry.position, geometry.total)
        if unpaired := sum(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()):
            raise Broken(f"radical: {unpaired} unpaired electrons")
        graph = kekule.graph_of(mol)
    except Undecided as error:
        raise Broken(f"undetermined: {error}") from None
    return Geometry(graph.element, graph.charge, geometry.position, graph.edges, graph.order, int(graph.charge.sum()))


def molecule(element: np.ndarray, position: np.ndarray, total: int = 0) -> Chem.Mol:
    """Find the molecule that atoms at given positions are, with all hydrogens as atoms.

    Atoms are bonded up to ``FACTOR`` times the sum of their covalent radii; orders and charges are those of
    ``bonding.assign``. Where there are none with common valences (carbocations, other elements), RDKit's search is
    asked, and an answer of it is taken.

    Parameters
    ----------
    element : numpy.ndarray
        (n,) atomic numbers.
    position : numpy.ndarray
        (n, 3) in angstrom.
    total : int
        The charge of the whole.

    Returns
    -------
    rdkit.Chem.Mol
        Sanitized, with one conformer, of any number of components; radicals are left as they are.

    Raises
    ------
    Broken
        It is certain that no bonds fit: "valence: ...", "charge: ...", "aromaticity: ...", "sanitization: ..." or
        "perception: ...".
    Undecided
        The searches took too many steps ("iterations"), or RDKit's finds nothing either for an element whose valences
        are not known here ("element").
    """
    mol = _drop_bonds(element, position)
    rdDetermineBonds.DetermineConnectivity(mol, useVdw=True, covFactor=FACTOR)
    ends = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in mol.GetBonds()]
    edges = np.array(ends, np.int64).reshape(-1, 2)
    lengths = np.linalg.norm(position[edges[:, 0]] - position[edges[:, 1]], axis=1)
    try:
        assigned, undecided = assign(element, edges, lengths, total), None
    except Undecided as error:
        assigned, undecided = None, error
    if assigned is None:
        try:
            return molecule_by_rdkit(element, position, total, FACTOR)
        except Broken as error:
            raise (undecided or error) from None
    for bond, order in zip(mol.GetBonds(), assigned.orders.tolist(), strict=True):
        bond.SetBondType(kekule.ORDERS[order])
    for atom, charge in zip(mol.GetAtoms(), assigned.charges.tolist(), strict=True):
        atom.SetFormalCharge(charge)
    return _sanitize(mol)


def molecule_by_rdkit(
    element: np.ndarray, position: np.ndarray, total: int = 0, factor: float = DEFAULT_FACTOR
) -> Chem.Mol:
    """Do the same as ``molecule`` by RDKit's ``DetermineBonds`` alone.

    Parameters
    ----------
    element : ndarray, (n,)
        Atomic numbers.
    position : ndarray, (n, 3), angstrom
        Positions.
    total : int
        The charge of the molecule.
    factor : float
        Atoms are bonded up to this multiple of the sum of their covalent radii.

    Returns
    -------
    rdkit.Chem.Mol
        Sanitized, with one conformer.

    Raises
    ------
    Broken
        As in ``molecule``. "charge: ..." may be the search's own failure: it tries few of the ways to place charges.
    Undecided
        The search took more than ``ITERATIONS`` steps ("iterations").

    References
    ----------
    Kim and Kim, Universal structure conversion method for organic molecules, Bulletin of the Korean Chemical Society 36
    (2015).
    """
    mol = _drop_bonds(element, position)
    with BlockLogs():
        try:
            rdDetermineBonds.DetermineBonds(
                mol, charge=total, useVdw=True, covFactor=factor, embedChiral=False, maxIterations=ITERATIONS
            )
        except RuntimeError as error:
            if str(error).startswith("Max Iterations"):
                raise Undecided("iterations") from error
            raise Broken(f"perception: {_one_line(error)}") from error
        except Chem.MolSanitizeException as error:
            raise _reason(error) from error
        except ValueError as error:
            if str(error).startswith("Final molecular charge"):
                raise Broken(f"charge: no bonds and charges of its atoms make a total charge of {total:+d}") from error
            raise Broken(f"valence: {_one_line(error)}") from error
    return _sanitize(mol)


def _drop_bonds(element: np.ndarray, position: np.ndarray) -> Chem.RWMol:
    mol = Chem.RWMol()
    for number in element.tolist():
        atom = Chem.Atom(number)
        atom.SetNoImplicit(True)
        mol.AddAtom(atom)
    conformer = Chem.Conformer(len(element))
    conformer.SetPositions(np.ascontiguousarray(position, np.float64))
    mol.AddConformer(conformer)
    return mol


def _sanitize(mol: Chem.RWMol) -> Chem.Mol:
    with BlockLogs():
        try:
            Chem.SanitizeMol(mol)
        except Chem.MolSanitizeException as error:
            raise _reason(error) from error
    return mol.GetMol()


def _reason(error: Chem.MolSanitizeException) -> Broken:
    kind = "sanitization"
    if isinstance(error, Chem.AtomValenceException):
        kind = "valence"
    elif isinstance(error, Chem.KekulizeException | Chem.AtomKekulizeException):
        kind = "aromaticity"
    return Broken(f"{kind}: {_one_line(error)}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def written_order(geometry: Geometry) -> np.ndarray:
    """Order the atoms as the canonical SMILES does, the hydrogens of an atom right behind it.

    Where bonds are not known, by the graph of single bonds that distances tell. Hydrogens of one atom keep their order.

    Parameters
    ----------
    geometry : Geometry
        The molecule.

    Returns
    -------
    ndarray, (n,) int64
        The atoms, one after the other.

    Raises
    ------
    UserError
        For a molecule with bonds that does not sanitize.
    """
    if geometry.bonded:
        mol = to_rdkit(geometry)
        reason = kekule.problem(mol)
        if reason is not None:
            raise UserError(reason)
    else:
        edges = connectivity(geometry)
        blank = np.zeros_like(geometry.charge)
        mol = to_rdkit(Geometry(geometry.element, blank, geometry.position, edges, np.ones(len(edges), np.uint8)))
        mol.UpdatePropertyCache(strict=False)
        Chem.FastFindRings(mol)
    return smiles_order(mol)


def prepare(geometry: Geometry, bonds: bool, max_atoms: int) -> Geometry:
    """Check a geometry and put its atoms in ``written_order``.

    Parameters
    ----------
    geometry : Geometry
        The molecule.
    bonds : bool
        Whether it must have bonds, which are perceived where they are not known.
    max_atoms : int
        Larger molecules are refused.

    Returns
    -------
    Geometry
        The molecule; Kekule bonds as they are placed in that order.

    Raises
    ------
    UserError
        For coordinates that no molecule has, bonds that cannot be perceived, or a total charge that the formal charges
        do not add up to.
    """
    check(geometry, max_atoms)
    if bonds and not geometry.bonded:
        geometry = perceive(geometry)
    if geometry.total != int(geometry.charge.sum()):
        raise Broken(
            f"charge: {geometry.total:+d} in all, the formal charges of atoms are {int(geometry.charge.sum()):+d}"
        )
    geometry = geometry.reorder(written_order(geometry))
    return geometry_of(to_rdkit(geometry)) if bonds else geometry  # Kekule bonds as they are placed in that order


def smiles_order(mol: Chem.Mol) -> np.ndarray:
    """Order the atoms of an RDKit molecule as ``written_order`` does.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        Hydrogens as atoms.

    Returns
    -------
    ndarray, (n,) int64
        The atoms, one after the other.
    """
    owner = {}
    for atom in mol.GetAtoms():
        heavy = [one.GetIdx() for one in atom.GetNeighbors()]
        if atom.GetAtomicNum() == 1 and len(heavy) == 1 and mol.GetAtomWithIdx(heavy[0]).GetAtomicNum() != 1:
            owner[atom.GetIdx()] = heavy[0]
    others = [k for k in range(mol.GetNumAtoms()) if k not in owner]
    behind: dict[int, list[int]] = {k: [] for k in others}
    for hydrogen, heavy in owner.items():
        behind[heavy].append(hydrogen)
    bare = Chem.RWMol(mol)
    bare.BeginBatchEdit()
    for heavy, hydrogens in behind.items():
        bare.GetAtomWithIdx(heavy).SetNumExplicitHs(len(hydrogens))
    for hydrogen in owner:
        bare.RemoveAtom(hydrogen)
    bare.CommitBatchEdit()
    Chem.MolToSmiles(bare, isomericSmiles=False)  # leaves behind the order in which it wrote the atoms
    written = bare.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"]
    return np.array([atom for place in written for atom in (others[place], *behind[others[place]])], np.int64)


def verdict(geometry: Geometry) -> tuple[str | None, str | None]:
    """Write the canonical SMILES of a geometry, or say why there is none.

    Parameters
    ----------
    geometry : Geometry
        The molecule; bonds are perceived where they are not known.

    Returns
    -------
    smiles : str or None
        Without hydrogens and stereo.
    reason : str or None
        Why there is none.
    """
    if not np.isfinite(geometry.position).all():
        return None, "coordinates are not finite"
    try:
        bonded = geometry if geometry.bonded else perceive(geometry)
    except UserError as error:
        return None, str(error)
    mol = to_rdkit(bonded)
    reason = kekule.problem(mol)
    if reason is None and any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()):
        reason = "radical"
    if reason is not None:
        return None, reason
    with BlockLogs():
        return Chem.MolToSmiles(Chem.RemoveHs(normalize(mol)), isomericSmiles=False), None
