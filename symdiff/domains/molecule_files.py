"""Files of molecules: .smi, .txt, .csv, .sdf; as graphs .npz, .safetensors, .graphml."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rdkit import Chem

from symdiff.chemistry import formats, reading, writing
from symdiff.chemistry.limits import MAX_ATOMS
from symdiff.chemistry.parse import parse
from symdiff.chemistry.writing import WRITE
from symdiff.domains import molecule_graphs
from symdiff.domains.file_kinds import FileKind, Wanted
from symdiff.errors import UserError
from symdiff.graphs.files import WRITE as GRAPHS
from symdiff.graphs.files import recognize
from symdiff.storage.arrays import ENDINGS as ARRAYS
from symdiff.storage.files import ending
from symdiff.storage.records import Record

SPATIAL = (".extxyz", ".xyz", ".cif", ".pdb")


def read_records(
    path: str | Path,
    column: str | None = None,
    split_column: str | None = None,
    max_atoms: int = MAX_ATOMS,
    atoms: Sequence[str] | None = None,
    properties: Sequence[str] = (),
) -> Iterator[Record]:
    """Read the molecules of a file, record by record.

    Parameters
    ----------
    path : str or Path
        A SMILES a line, a table or an SDF, gzipped or not, recognized by what it holds; or graphs of atoms as arrays or
        GraphML.
    column : str, optional
        The column of SMILES in a table; without, the one called ``smiles``, or the only one that starts so.
    split_column : str, optional
        The column of a table that names the split of each molecule.
    max_atoms : int
        What is larger is a broken record.
    atoms : sequence of str, optional
        What the labels of nodes stand for, from 0, where the file is one of labeled graphs.
    properties : sequence of str
        The columns of a table or the data fields of an SDF whose values come with each record.

    Yields
    ------
    Record
        In the order of the file; a broken one says why.

    Raises
    ------
    UserError
        For a file that is missing, damaged, of another kind, or has no such column.
    """
    if recognize(path) is None:
        if atoms:
            raise UserError(f"{path}: holds no graphs, whose labels --atoms could tell")
        yield from reading.read(path, column, split_column, max_atoms, properties)
        return
    if column or split_column:
        raise UserError(f"{path}: has no columns; only a table, such as .csv or .tsv, has them")
    yield from molecule_graphs.read_records(path, atoms, max_atoms)


def read(path: str | Path) -> list[Chem.Mol]:
    """Read the molecules of a file, unsanitized as ``MoleculeCodec.decode`` makes them.

    Parameters
    ----------
    path : str or Path
        The file, whose ending tells the format.

    Returns
    -------
    list of rdkit.Chem.Mol
        One for each record.

    Raises
    ------
    UserError
        For a broken record.
    """
    if Path(path).name.lower().removesuffix(".gz").endswith(GRAPHS):
        return molecule_graphs.read(path)
    mols = []
    for record in reading.read(path):
        try:
            mols.append(parse(record))
        except UserError as error:
            raise UserError(f"{path}: record {record.number}: {error}") from None
    return mols


def write(mols: Iterable[Chem.Mol], path: str | Path) -> None:
    """Write molecules to a file, as ``chemistry.writing.write`` does or as graphs of atoms.

    Parameters
    ----------
    mols : iterable of rdkit.Chem.Mol
        Which may be made while they are written.
    path : str or Path
        The file, whose ending chooses the format.

    Raises
    ------
    UserError
        For an ending that is not written, and for a molecule that the format cannot hold.
    """
    name = Path(path).name.lower().removesuffix(".gz")
    if name.endswith(SPATIAL):
        raise UserError(
            f"{path}: this format needs coordinates, which a molecular graph has not; expected "
            f"{', '.join((*WRITE, *GRAPHS))}"
        )
    if name.endswith(GRAPHS):
        molecule_graphs.write(mols, path)
    else:
        ending(path, (*WRITE, *GRAPHS))
        writing.write(mols, path)


def holds(path: Path, wanted: Wanted) -> bool:
    """Tell whether a file is one of molecules without coordinates.

    Parameters
    ----------
    path : Path
        The file.
    wanted : Wanted
        How files are taken that could be of two kinds.

    Returns
    -------
    bool
        True for molecules, as graphs of atoms too.

    Raises
    ------
    UserError
        For a file that cannot be read, and a format that is not read.
    """
    if path.name.lower().endswith(ARRAYS) or (path.is_file() and recognize(path) is not None):
        return wanted.atoms or molecule_graphs.holds_molecules(path)
    return formats.recognize(path) != "xyz"


KIND = FileKind("molecule-graph", "molecules", holds)
