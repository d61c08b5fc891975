"""QM9: 133,885 molecules of up to nine heavy atoms, as the GDB SMILES and the split that diffusion models use."""

from __future__ import annotations

import csv
import io
import tarfile
from pathlib import Path

import numpy as np

from symdiff.data.dataset import Dataset
from symdiff.data.download import Remote
from symdiff.data.molecules import molecules
from symdiff.data.parsing import Progress
from symdiff.data.sources import data_folder, fetch, local, origin
from symdiff.errors import UserError
from symdiff.storage.files import read_text

# Sizes and hashes as TensorFlow Datasets publishes them: tensorflow/datasets,
# tensorflow_datasets/datasets/qm9/checksums.tsv
QM9_ARCHIVE = Remote(
    "dsgdb9nsd.xyz.tar.bz2",
    "https://ndownloader.figshare.com/files/3195389",
    "3a63848ac80691bdb8d41834b575afad345b9300d7a2db0c38adb7f6eaa8360c",
    86144227,
)
QM9_UNCHARACTERIZED = Remote(
    "uncharacterized.txt",
    "https://ndownloader.figshare.com/files/3195404",
    "3aa5115d540b356de94791d4a74c3bf1ed91c469ecf52a4f5d7cc0506fe02e24",
    486752,
)
TITLE = "QM9: Ramakrishnan, Dral, Rupp, von Lilienfeld, Scientific Data 1:140022 (2014)"
_HEAD, _FOOT = 9, 2  # lines of uncharacterized.txt around its list
_TRAIN, _ENTRY = 100_000, 100_000  # molecules; bytes, where the longest file of QM9 has about 3,000


def qm9(hydrogens: bool = False, progress: Progress = None) -> Dataset:
    """Open the characterized molecules of QM9 as graphs.

    Parameters
    ----------
    hydrogens : bool
        Whether hydrogens are nodes.
    progress : callable, optional
        Called with how many molecules were read now, and how many there are.

    Returns
    -------
    Dataset
        Of a ``MolecularGraph``, in the split of EDM.

    Raises
    ------
    UserError
        Where a file is missing or damaged.

    References
    ----------
    Ramakrishnan, Dral, Rupp, von Lilienfeld: Quantum Chemistry Structures and Properties of 134 Kilo Molecules
    (Scientific Data 1, 2014).
    """
    if data_folder() is not None:
        path = local("qm9", "qm9_smiles.csv.gz")
        rows, source = smiles_table(path), origin(TITLE, [path])
    else:
        paths = fetch([QM9_ARCHIVE, QM9_UNCHARACTERIZED])
        rows, source = _originals(*paths), origin(TITLE, paths)
    characterized = [smiles for smiles, doubtful in rows if not doubtful]
    meta = {
        "name": "qm9-h" if hydrogens else "qm9",
        "source": source,
        "left_out": {"uncharacterized": len(rows) - len(characterized)},
    }
    return molecules(
        characterized, edm_split(len(characterized)), meta, hydrogens=hydrogens, max_nodes=64, progress=progress
    )


def edm_split(count: int, train: int = _TRAIN) -> np.ndarray:
    """Return the split of EDM for molecules in QM9's order.

    A legacy permutation of seed 0: 100,000 to train, a tenth of all to test, the rest to validate.

    Parameters
    ----------
    count : int
        The number of characterized molecules.
    train : int
        How many are for training.

    Returns
    -------
    ndarray
        (count,) uint8: 0 for train, 1 for valid, 2 for test.

    Raises
    ------
    UserError
        For too few molecules.

    References
    ----------
    Hoogeboom, Garcia Satorras, Vignac, Welling: Equivariant Diffusion for Molecule Generation in 3D (ICML 2022),
    https://github.com/ehoogeboom/e3_diffusion_for_molecules.
    """
    test = int(0.1 * count)
    if count < train + test:
        raise UserError(f"QM9: expected more than {train} characterized molecules, got {count}")
    order = np.random.RandomState(0).permutation(count)
    split = np.zeros(count, np.uint8)
    split[order[train:]] = 1
    split[order[count - test :]] = 2
    return split


def smiles_table(path: Path) -> list[tuple[str, bool]]:
    """Read the GDB SMILES of QM9's molecules, in its order.

    Parameters
    ----------
    path : Path
        A .csv (``.gz`` too) with the columns index, smiles_gdb17 and uncharacterized.

    Returns
    -------
    list of (str, bool)
        The SMILES, and whether the molecule is among the uncharacterized ones.

    Raises
    ------
    UserError
        Where the table cannot be read.
    """
    reader = csv.DictReader(io.StringIO(read_text(path)))
    missing = {"index", "smiles_gdb17", "uncharacterized"} - set(reader.fieldnames or [])
    if missing:
        raise UserError(f"{path}: no column {sorted(missing)[0]!r}")
    rows = sorted((int(row["index"]), row["smiles_gdb17"], row["uncharacterized"] == "1") for row in reader)
    return [(smiles, doubtful) for _, smiles, doubtful in rows]


def _originals(archive: Path, uncharacterized: Path) -> list[tuple[str, bool]]:
    """From the authors' own files; nothing is extracted to disk."""
    listed = read_text(uncharacterized).split("\n")[_HEAD:-_FOOT]
    doubtful = {int(line.split()[0]) for line in listed}
    smiles = {}
    with tarfile.open(archive, "r:bz2") as files:
        for entry in files:
            if not entry.isfile() or entry.size > _ENTRY:
                raise UserError(f"{archive}: {entry.name} is not a small file")
            content = files.extractfile(entry)
            assert content is not None
            number, text = _smiles(content.read().decode(), f"{archive}: {entry.name}")
            smiles[number] = text
    return [(smiles[number], number in doubtful) for number in sorted(smiles)]


def _smiles(text: str, place: str) -> tuple[int, str]:
    """Number and GDB SMILES of an entry.

    Atoms, comment "gdb NUMBER ...", coordinates, frequencies, "SMILES SMILES", InChI.
    """
    lines = text.split("\n")
    try:
        return int(lines[1].split()[1]), lines[int(lines[0]) + 3].split()[0]
    except (ValueError, IndexError) as error:
        raise UserError(f"{place}: not an entry of QM9") from error
