"""What is asked of one sample, worked out in one pass, so that metrics only count."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from rdkit import Chem, rdBase
from rdkit.Chem import QED, rdMolDescriptors, rdqueries

from symdiff.chemistry.parse import canonical, explain, flatten, parse, sanitize
from symdiff.storage.records import Broken, Record
from symdiff_evaluation.core.automorphisms import SearchExhausted, automorphisms
from symdiff_evaluation.molecules.charges import add_charges
from symdiff_evaluation.molecules.numbering import Numbering, classify_atoms, hash_image
from symdiff_evaluation.molecules.stability import count_stable

STABILITY: Final = "stability"
COUNTS: Final = "counts"
PROPERTIES: Final = "properties"
SYMMETRY: Final = "symmetry"
NUMBERING: Final = "numbering"
EVERYTHING = frozenset({STABILITY, COUNTS, PROPERTIES, SYMMETRY, NUMBERING})
"""What can be asked of a sample beyond its verdict; each costs as much as the verdict, or several times that."""

_RADICAL = rdqueries.NumRadicalElectronsGreaterQueryAtom(0)
_MARKED = re.compile(r"[][*~/\\.]")


@dataclass(frozen=True, slots=True)
class Traits:
    """A strictly valid molecule in numbers, of its heavy-atom graph (hydrogen itself where there is nothing else).

    Parameters
    ----------
    size
        Number of atoms.
    atoms, bonds, rings
        Counts by label ("C", "N+", "single", "aromatic", "6"); empty where nobody asked for ``COUNTS``.
    logp, qed, weight
        Crippen's logP, QED, and the weight in dalton; None where nobody asked for ``PROPERTIES``.
    order, orbits
        Of the automorphism group; None where the search gave up, and where nobody asked for ``SYMMETRY``.
    """

    size: int
    atoms: dict[str, int] = field(default_factory=dict)
    bonds: dict[str, int] = field(default_factory=dict)
    rings: dict[str, int] = field(default_factory=dict)
    logp: float | None = None
    qed: float | None = None
    weight: float | None = None
    order: int | None = None
    orbits: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One sample and its verdict.

    Parameters
    ----------
    smiles
        As written; of a mol block, RDKit's.
    reason
        Why the sample is not strictly valid, else "".
    canonical
        Flat canonical SMILES if it is strictly valid, else None.
    fragment, relaxed
        That of the largest fragment, if the whole sanitizes as written, or after DiGress's charges.
    components
        Their number, None where the record cannot be parsed.
    radicals
        Number of unpaired electrons where the sample is strictly valid, else None.
    stable
        Stable atoms and atoms, None where the record cannot be parsed or nobody asked for ``STABILITY``.
    hydrogens
        Whether the record writes hydrogens as atoms, where ``STABILITY`` was asked for.
    traits
        Of a strictly valid sample, where ``COUNTS``, ``PROPERTIES`` or ``SYMMETRY`` were asked for.
    numbering
        None for SMILES, where the record cannot be parsed, and where nobody asked for ``NUMBERING``.
    """

    smiles: str
    reason: str = ""
    canonical: str | None = None
    fragment: str | None = None
    relaxed: str | None = None
    components: int | None = None
    radicals: int | None = None
    stable: tuple[int, int] | None = None
    hydrogens: bool = False
    traits: Traits | None = field(default=None, repr=False)
    numbering: Numbering | None = field(default=None, repr=False)


def restore(plain: Mapping[str, Any]) -> Verdict:
    """Turn what ``dataclasses.asdict`` and JSON made of a verdict back into one.

    Parameters
    ----------
    plain : mapping
        As read from JSON.

    Returns
    -------
    Verdict
        The verdict.
    """
    stable, numbers, order = plain["stable"], plain["traits"], plain["numbering"]
    numbering = order and Numbering(tuple(order["kinds"]), order["image"])
    return Verdict(
        **{**plain, "stable": stable and tuple(stable), "traits": numbers and Traits(**numbers), "numbering": numbering}
    )


def judge(record: Record, aspects: frozenset[str] = EVERYTHING) -> Verdict:
    """Judge one record; whatever a library raises over it is its reason.

    Parameters
    ----------
    record : Record
        A SMILES or a mol block.
    aspects : frozenset of str
        What is worked out beyond the verdict, of ``EVERYTHING``.

    Returns
    -------
    Verdict
        With a reason where the record is not strictly valid.
    """
    with rdBase.BlockLogs():
        try:
            return _judge(parse(record), record, aspects)
        except Broken as error:
            return Verdict(_show(record), str(error))
        except Exception as error:  # a library raises whatever a molecule leads it to: it costs this record alone
            return Verdict(_show(record), str(explain(error)))


def _judge(mol: Chem.Mol, record: Record, aspects: frozenset[str]) -> Verdict:
    known: dict[str, Any] = {"smiles": record.text if record.form == "smiles" else Chem.MolToSmiles(mol)}
    plain = record.form == "smiles" and not _MARKED.search(record.text)
    known["components"] = 1 if plain else len(Chem.GetMolFrags(mol))
    if STABILITY in aspects:
        known["stable"] = count_stable(mol)
        known["hydrogens"] = not plain and any(atom.GetAtomicNum() == 1 for atom in mol.GetAtoms())
    if NUMBERING in aspects and record.form != "smiles":
        known["numbering"] = Numbering(classify_atoms(mol))
    try:
        return _valid(mol, known, plain, aspects)
    except Broken as error:
        return Verdict(**known, reason=str(error), relaxed=_rescue(mol))


def _valid(mol: Chem.Mol, known: dict[str, Any], plain: bool, aspects: frozenset[str]) -> Verdict:
    """The verdict of what sanitizes.

    ``plain``: SMILES without brackets, dots and stereo, of which nothing is to be taken away.
    """
    clean = sanitize(mol)
    try:
        if known["components"] > 1:
            largest = _largest(clean)
            return Verdict(
                **known, reason=f"fragments: {known['components']} components", fragment=largest, relaxed=largest
            )
        bare = clean if plain else flatten(clean)
        name = canonical(bare)
        if known.get("numbering") is not None:
            known["numbering"] = replace(known["numbering"], image=hash_image(*_color(bare)))
        if not aspects.isdisjoint({COUNTS, PROPERTIES, SYMMETRY}):
            known["traits"] = measure_traits(bare, aspects)
        unpaired = () if plain else bare.GetAtomsMatchingQuery(_RADICAL)
        known["radicals"] = sum(atom.GetNumRadicalElectrons() for atom in unpaired)
        return Verdict(**known, canonical=name, fragment=name, relaxed=name)
    except Broken:
        raise
    except Exception as error:  # a library raises whatever a molecule leads it to
        raise explain(error) from error


def measure_traits(mol: Chem.Mol, aspects: frozenset[str] = EVERYTHING) -> Traits:
    """Measure a molecule.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        Sanitized and flat, without stereo.
    aspects : frozenset of str
        What is measured, of ``EVERYTHING``.

    Returns
    -------
    Traits
        Its numbers.
    """
    known: dict[str, Any] = {"size": mol.GetNumAtoms()}
    full, bonds = _color(mol) if COUNTS in aspects or SYMMETRY in aspects else ([], {})
    if COUNTS in aspects:
        rings = _counts(str(len(ring)) for ring in mol.GetRingInfo().AtomRings())
        known |= {"atoms": _counts(label for label, _ in full), "bonds": _counts(bonds.values()), "rings": rings}
    if PROPERTIES in aspects:
        known |= {
            "logp": rdMolDescriptors.CalcCrippenDescriptors(mol)[0],
            "qed": QED.qed(mol),
            "weight": rdMolDescriptors._CalcMolWt(mol),
        }
    if SYMMETRY in aspects:
        with suppress(SearchExhausted):
            known["order"], known["orbits"] = automorphisms(full, bonds)
    return Traits(**known)


def _color(mol: Chem.Mol) -> tuple[list[tuple[str, int]], dict[tuple[int, int], str]]:
    """Label and hydrogens of each atom, and the kind of each bond: what an automorphism keeps."""
    labels = [(_label(atom), atom.GetTotalNumHs()) for atom in mol.GetAtoms()]
    return labels, {(b.GetBeginAtomIdx(), b.GetEndAtomIdx()): b.GetBondType().name.lower() for b in mol.GetBonds()}


def _label(atom: Chem.Atom) -> str:
    charge = atom.GetFormalCharge()
    return (
        atom.GetSymbol() + ("+" if charge > 0 else "-") * (charge != 0) + (str(abs(charge)) if abs(charge) > 1 else "")
    )


def _counts(labels) -> dict[str, int]:
    counts: dict[str, int] = {}
    for label in labels:
        counts[label] = counts.get(label, 0) + 1
    return counts


def _largest(mol: Chem.Mol) -> str:
    """Flat canonical SMILES of the component with the most atoms as written, the first among equals (as DiGress
    does)."""
    parts = Chem.GetMolFrags(mol, asMols=True, sanitizeFrags=True)
    return canonical(flatten(max(parts, key=lambda part: part.GetNumAtoms())))


def _rescue(mol: Chem.Mol) -> str | None:
    try:
        return _largest(sanitize(add_charges(mol)))
    except Exception:  # what cannot be rescued stays invalid
        return None


def _show(record: Record) -> str:
    return record.text[:200] if record.form == "smiles" else ""
