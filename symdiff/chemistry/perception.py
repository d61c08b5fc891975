"""What coordinates tell: which atoms are bonded, how, in which order to write them, and whether they can be a molecule's."""

from __future__ import annotations

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdDetermineBonds
from rdkit.rdBase import BlockLogs

from symdiff.chemistry import kekule
from symdiff.chemistry.geometry import Geometry, geometry_of, to_rdkit
from symdiff.errors import UserError

SLACK = 0.22
"""Angstrom; atoms are bonded where they are nearer than their covalent radii and this much: right for all but some in 10,000 of QM9."""
OVERLAP = 0.4
"""Angstrom; the shortest bond there is, that of H2, has 0.74."""
REACH = 10_000.0
"""Angstrom; coordinates beyond are those of no molecule, and in single precision not exact to 0.001."""
BOHR = 1 / 0.529177
_BOHR_BAND = (1.55, 2.4)
_TRIALS = 1000
_TABLE = Chem.GetPeriodicTable()
RADII = np.array([0.0, *(_TABLE.GetRcovalent(z) for z in range(1, kekule.MAX_ELEMENT + 1))])
"""Covalent radii by atomic number, angstrom."""


def distances(position: np.ndarray) -> np.ndarray:
    """(n, n) angstrom; infinite on the diagonal."""
    found = np.linalg.norm(position[:, None] - position[None], axis=-1)
    np.fill_diagonal(found, np.inf)
    return found


def check(geometry: Geometry, max_atoms: int) -> None:
    """Raises UserError for coordinates that no molecule in angstrom has: few words, then a colon and where."""
    count = len(geometry.element)
    if count == 0:
        raise UserError("no atoms")
    if count > max_atoms:
        raise UserError(f"too many atoms: {count}, at most {max_atoms}")
    bad = np.nonzero(~np.isfinite(geometry.position).all(1))[0]
    if len(bad):
        raise UserError(f"coordinates are not finite: atom {bad[0] + 1} at {geometry.position[bad[0]].tolist()}")
    far = np.nonzero((abs(geometry.position) > REACH).any(1))[0]
    if len(far):
        raise UserError(f"coordinates out of reach: atom {far[0] + 1} at {geometry.position[far[0]].tolist()}, expected at most {REACH:g} angstrom")
    if count == 1:
        return
    gaps = distances(geometry.position)
    i, j = np.unravel_index(gaps.argmin(), gaps.shape)
    if gaps[i, j] < OVERLAP:
        raise UserError(f"overlapping atoms: {i + 1} and {j + 1} are {gaps[i, j]:.2f} angstrom apart, expected at least {OVERLAP}")
    radii = RADII[geometry.element]
    ratio = float(np.median((gaps / (radii[:, None] + radii)).min(1)))
    if count > 2 and _BOHR_BAND[0] < ratio < _BOHR_BAND[1]:
        raise UserError(f"coordinates look like bohr: neighbors are {ratio:.1f} bond lengths apart; give angstrom, or say the units")


def connectivity(geometry: Geometry) -> np.ndarray:
    """The pairs of bonded atoms by distance alone, (E, 2) int16 i < j."""
    radii = RADII[geometry.element]
    return np.argwhere(np.triu(distances(geometry.position) < SLACK + radii[:, None] + radii)).astype(np.int16).reshape(-1, 2)


def perceive(geometry: Geometry) -> Geometry:
    """The same atoms with bonds and formal charges that fit their distances and the total charge. Raises UserError.

    Kim and Kim, Universal structure conversion method for organic molecules (2015), as RDKit has it.
    """
    mol = Chem.RWMol(to_rdkit(Geometry(geometry.element, np.zeros_like(geometry.charge), geometry.position)))
    with BlockLogs():
        try:
            rdDetermineBonds.DetermineBonds(mol, charge=geometry.total, embedChiral=False, maxIterations=_TRIALS)
        except (ValueError, RuntimeError):
            raise UserError("no bonds fit the distances") from None
        if kekule.problem(mol) is not None:
            raise UserError("no bonds fit the distances")
        graph = kekule.graph_of(mol)
    return Geometry(graph.element, graph.charge, geometry.position, graph.edges, graph.order, int(graph.charge.sum()))


def written_order(geometry: Geometry) -> np.ndarray:
    """The atoms in the order of the canonical SMILES, the hydrogens of an atom right behind it, (n,). Raises UserError.

    Where bonds are not known, that of the graph of single bonds that distances tell. Hydrogens of one atom keep their order.
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


def prepared(geometry: Geometry, bonds: bool, max_atoms: int) -> Geometry:
    """The geometry in ``written_order``, checked, with bonds if ``bonds``: perceived where they are not known. Raises UserError."""
    check(geometry, max_atoms)
    if bonds and not geometry.bonded:
        geometry = perceive(geometry)
    if geometry.total != int(geometry.charge.sum()):
        raise UserError(f"charge without formal charges of atoms: {geometry.total:+d} in all, atoms have {int(geometry.charge.sum()):+d}")
    geometry = geometry.ordered(written_order(geometry))
    return geometry_of(to_rdkit(geometry)) if bonds else geometry  # Kekule bonds as they are placed in that order


def smiles_order(mol: Chem.Mol) -> np.ndarray:
    """See ``written_order``."""
    atoms = list(mol.GetAtoms())
    owner = {}
    for atom in atoms:
        heavy = [one.GetIdx() for one in atom.GetNeighbors()]
        if atom.GetAtomicNum() == 1 and len(heavy) == 1 and atoms[heavy[0]].GetAtomicNum() != 1:
            owner[atom.GetIdx()] = heavy[0]
    kept = [k for k in range(len(atoms)) if k not in owner]
    behind: dict[int, list[int]] = {k: [] for k in kept}
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
    return np.array([atom for place in written for atom in (kept[place], *behind[kept[place]])], np.int64)


def verdict(geometry: Geometry) -> tuple[str | None, str | None]:
    """(canonical SMILES without hydrogens, None), or (None, the reason why there is none)."""
    if not np.isfinite(geometry.position).all():
        return None, "coordinates are not finite"
    try:
        found = geometry if geometry.bonded else perceive(geometry)
    except UserError as error:
        return None, str(error)
    mol = to_rdkit(found)
    reason = kekule.problem(mol)
    if reason is None and any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()):
        reason = "radical"
    if reason is not None:
        return None, reason
    with BlockLogs():
        return Chem.MolToSmiles(Chem.RemoveHs(mol), isomericSmiles=False), None
