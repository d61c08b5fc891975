"""Drug-like molecules: ZINC and MUV."""

from __future__ import annotations

from symdiff.chemistry.reading import read
from symdiff.data.dataset import Dataset
from symdiff.data.molecules import molecules, split_rows
from symdiff.data.parsing import Progress
from symdiff.data.sources import local, origin

ZINC = (
    "ZINC250k selection: Gomez-Bombarelli et al., ACS Central Science 4(2) (2018); test split of Jin et al., ICML 2018"
)
MUV = "MUV: Rohrer and Baumann, Journal of Chemical Information and Modeling 49(2) (2009)"


def zinc(progress: Progress = None) -> Dataset:
    """Open 33,902 molecules of ZINC250k: JT-VAE's test split to test, of the rest every twentieth to validate.

    Parameters
    ----------
    progress : callable, optional
        Called with how many molecules were read now, and how many there are.

    Returns
    -------
    Dataset
        Of a ``MolecularGraph``.

    Raises
    ------
    UserError
        Where the file is missing or damaged.
    """
    path = local("zinc", "zinc250k_subset.csv.gz")
    records = list(read(path, "smiles", "split"))
    split = split_rows([record.text for record in records], valid=0.05, test=0.0)
    split[[record.split == "test" for record in records]] = 2
    return molecules(records, split, {"name": "zinc", "source": origin(ZINC, [path])}, progress=progress)


def druglike(progress: Progress = None) -> Dataset:
    """Open 93,087 molecules of MUV, split by content.

    Parameters
    ----------
    progress : callable, optional
        Called with how many molecules were read now, and how many there are.

    Returns
    -------
    Dataset
        Of a ``MolecularGraph``.

    Raises
    ------
    UserError
        Where the file is missing or damaged.
    """
    path = local("druglike_muv", "muv_smiles.txt.gz")
    return molecules(read(path), None, {"name": "druglike", "source": origin(MUV, [path])}, progress=progress)
