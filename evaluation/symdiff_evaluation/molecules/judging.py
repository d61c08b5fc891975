"""Everything that is known of one sample, worked out in one pass, so that metrics only count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rdkit import Chem, rdBase
from rdkit.Chem import QED, Crippen, Descriptors

from symdiff_evaluation.core.automorphisms import Undecided, automorphisms
from symdiff_evaluation.core.records import Record
from symdiff_evaluation.molecules.chemistry import Broken, broken, canonical, flat, sanitized, written
from symdiff_evaluation.molecules.numbering import Numbering, image, kinds
from symdiff_evaluation.molecules.relaxed import charged
from symdiff_evaluation.molecules.stability import stable_atoms


@dataclass(frozen=True)
class Traits:
    """A strictly valid molecule in numbers, of its heavy-atom graph (hydrogen itself where there is nothing else).

    ``atoms``, ``bonds``, ``rings``: counts by label ("C", "N+", "single", "aromatic", "6"); ``order`` and ``orbits``: of the
    automorphism group, None where the search gave up; ``weight`` in dalton.
    """

    size: int
    atoms: dict[str, int]
    bonds: dict[str, int]
    rings: dict[str, int]
    logp: float
    qed: float
    weight: float
    radicals: int
    order: int | None
    orbits: int | None


@dataclass(frozen=True)
class Judged:
    """One sample. ``canonical``: flat canonical SMILES if strictly valid, else None with a ``reason``.

    ``fragment`` and ``relaxed``: that of the largest fragment, if the whole sanitizes as written or after DiGress's charges;
    ``components`` and ``stable`` (stable atoms, atoms) are None where the record cannot be parsed; ``numbering`` there too, and for SMILES.
    """

    smiles: str
    reason: str = ""
    canonical: str | None = None
    fragment: str | None = None
    relaxed: str | None = None
    components: int | None = None
    stable: tuple[int, int] | None = None
    hydrogens: bool = False
    traits: Traits | None = field(default=None, repr=False)
    numbering: Numbering | None = field(default=None, repr=False)


def restored(plain: Mapping[str, Any]) -> Judged:
    """What ``dataclasses.asdict`` and JSON made of one."""
    stable, numbers, order = plain["stable"], plain["traits"], plain["numbering"]
    numbering = order and Numbering(tuple(order["kinds"]), order["image"])
    return Judged(**{**plain, "stable": stable and tuple(stable), "traits": numbers and Traits(**numbers), "numbering": numbering})


def judge(record: Record, properties: bool = True) -> Judged:
    """Judge one record; never raises for what stands in it. ``properties=False`` leaves logP, QED and weight at zero."""
    with rdBase.BlockLogs():
        try:
            mol = written(record)
        except Broken as error:
            return Judged(_shown(record), str(error))
        smiles = record.text if record.form == "smiles" else Chem.MolToSmiles(mol)
        known = {
            "smiles": smiles,
            "components": len(Chem.GetMolFrags(mol)),
            "stable": stable_atoms(mol),
            "hydrogens": any(atom.GetAtomicNum() == 1 for atom in mol.GetAtoms()),
            "numbering": None if record.form == "smiles" else Numbering(kinds(mol)),
        }
        try:
            return _valid(mol, known, properties)
        except Broken as error:
            return Judged(**known, reason=str(error), relaxed=_rescued(mol))


def _valid(mol: Chem.Mol, known: dict, properties: bool) -> Judged:
    clean = sanitized(mol)
    try:
        if known["components"] > 1:
            largest = _largest(clean)
            return Judged(**known, reason=f"fragments: {known['components']} components", fragment=largest, relaxed=largest)
        bare = flat(clean)
        name = canonical(bare)
        if known["numbering"] is not None:
            known["numbering"] = replace(known["numbering"], image=image(*_colored(bare)))
        return Judged(**known, canonical=name, fragment=name, relaxed=name, traits=traits(bare, properties))
    except Chem.MolSanitizeException as error:  # RDKit accepts some exotic rings once, but not a second time
        raise broken(error) from error


def traits(mol: Chem.Mol, properties: bool = True) -> Traits:
    """The numbers of a sanitized flat molecule."""
    full, bonds = _colored(mol)
    labels = [label for label, _ in full]
    try:
        order, orbits = automorphisms(full, bonds)
    except Undecided:
        order, orbits = None, None
    return Traits(
        size=len(labels),
        atoms=_counts(labels),
        bonds=_counts(bonds.values()),
        rings=_counts(str(len(ring)) for ring in mol.GetRingInfo().AtomRings()),
        logp=Crippen.MolLogP(mol) if properties else 0.0,
        qed=QED.qed(mol) if properties else 0.0,
        weight=Descriptors.MolWt(mol) if properties else 0.0,
        radicals=sum(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()),
        order=order,
        orbits=orbits,
    )


def _colored(mol: Chem.Mol) -> tuple[list[tuple[str, int]], dict[tuple[int, int], str]]:
    """Label and hydrogens of each atom, and the kind of each bond: what an automorphism keeps."""
    labels = [(_label(atom), atom.GetTotalNumHs()) for atom in mol.GetAtoms()]
    return labels, {(b.GetBeginAtomIdx(), b.GetEndAtomIdx()): b.GetBondType().name.lower() for b in mol.GetBonds()}


def _label(atom: Chem.Atom) -> str:
    charge = atom.GetFormalCharge()
    return atom.GetSymbol() + ("+" if charge > 0 else "-") * (charge != 0) + (str(abs(charge)) if abs(charge) > 1 else "")


def _counts(labels) -> dict[str, int]:
    counts: dict[str, int] = {}
    for label in labels:
        counts[label] = counts.get(label, 0) + 1
    return counts


def _largest(mol: Chem.Mol) -> str:
    """Flat canonical SMILES of the component with the most atoms as written, the first among equals (as DiGress does)."""
    parts = Chem.GetMolFrags(mol, asMols=True, sanitizeFrags=True)
    return canonical(flat(max(parts, key=lambda part: part.GetNumAtoms())))


def _rescued(mol: Chem.Mol) -> str | None:
    try:
        return _largest(sanitized(charged(mol)))
    except (Broken, Chem.MolSanitizeException):
        return None


def _shown(record: Record) -> str:
    return record.text[:200] if record.form == "smiles" else ""
