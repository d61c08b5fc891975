"""The reference that a data set of molecules makes: worked out once, kept in the cache."""

from __future__ import annotations

from hashlib import sha256

from rdkit import Chem

from symdiff.errors import UserError
from symdiff.storage.bundled import cache_folder
from symdiff_evaluation.core.execution import ALONE, Execution
from symdiff_evaluation.core.kind import StructureSet
from symdiff_evaluation.molecules.build import build
from symdiff_evaluation.molecules.reference import Reference, load, write

_ROWS = 4096  # structures decoded at once


def derive(
    dataset: StructureSet,
    name: str,
    fcd: bool,
    moses: bool,
    execution: Execution = ALONE,
) -> Reference:
    """The statistics of a data set's splits; minutes for 100,000 molecules, the first time.

    Parameters
    ----------
    dataset : StructureSet
        Of molecules as graphs.
    name : str
        The name of the reference.
    fcd, moses : bool
        Whether ChemNet's statistics, or what MOSES's numbers need, are wanted of the training and the test split.
    execution : Execution
        Processes, and progress in molecules.

    Returns
    -------
    Reference
        Read from the cache where it is there.

    Raises
    ------
    UserError
        For a data set of other structures.
    """
    from symdiff.domains.molecule import MolecularGraph  # torch, which samples do without

    if not isinstance(dataset.domain, MolecularGraph):
        raise UserError(f"{name}: expected a data set of molecules, got {type(dataset.domain).__name__}")
    splits = ("train", "test") if fcd or moses else ("train",)
    if dataset.path is None:
        raise UserError(f"{name}: expected a data set that is kept in a folder, got one in memory")
    description = (dataset.path / "dataset.json").read_bytes()  # it holds the SHA-256 of the arrays
    mark = sha256(description).hexdigest()[:16]
    stem = cache_folder() / "references" / f"{name}-{mark}-{'-'.join(splits)}{'-fcd' * fcd}{'-moses' * moses}"
    if not stem.with_name(f"{stem.name}.json").is_file():
        smiles = {split: _smiles(dataset.split(split)) for split in splits}
        if execution.begin is not None:
            execution.begin(sum(map(len, smiles.values())), f"statistics of {name}")
        source = str(dataset.meta.get("source", {}).get("title", name))
        write(build(smiles, name, source, fcd, moses, execution), stem)
    return load(stem.with_name(f"{stem.name}.json"))


def _smiles(part: StructureSet) -> list[str]:
    rows = [range(start, min(start + _ROWS, len(part))) for start in range(0, len(part), _ROWS)]
    return [Chem.MolToSmiles(mol) for some in rows for mol in part.domain.decode(part.batch(list(some)))]
