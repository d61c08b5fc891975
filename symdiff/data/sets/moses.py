"""MOSES: 1.9 million drug-like molecules with a fixed split."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from itertools import chain
from pathlib import Path

import numpy as np

from symdiff.chemistry.reading import read
from symdiff.data.dataset import Dataset
from symdiff.data.molecules import molecules, split_rows
from symdiff.data.parsing import Progress
from symdiff.data.sources import data_folder, local, origin
from symdiff.errors import UserError
from symdiff.storage import atomic
from symdiff.storage.bundled import cache_folder
from symdiff.storage.sealed import sha256

TITLE = "MOSES: Polykovskiy et al., Molecular Sets (MOSES), Frontiers in Pharmacology 11 (2020)"
WHEEL = "molsets==0.3.1"
SHA256 = {
    "train.csv.gz": "786f0313aa6b9ba5514df685f885742a70ea8d86f1a4fa48115f7f80a634265c",
    "test.csv.gz": "f896fbf3764f88d94670b9959e5872c600c12152a18233823e820761b7a791b2",
    "test_scaffolds.csv.gz": "adffb2192c1bfe31ab0e13154d4af19a37dc18bdbf3cd7b4491e04405128adde",
}
"""Of the files in the wheel, whose license is MIT."""
VALID = 0.005
"""Of the training molecules, which validate."""


def moses(scaffolds: bool = False, progress: Progress = None) -> Dataset:
    """Open the data set of MOSES: 1,584,663 molecules to train and validate (one in 200, by a hash), 176,074 to test.

    Parameters
    ----------
    scaffolds : bool
        Test on the 176,225 molecules whose scaffolds occur in neither of the others.
    progress : callable, optional
        Is told what was done.

    Returns
    -------
    Dataset
        Of a ``MolecularGraph``.

    Raises
    ------
    UserError
        Where a file is missing or damaged.

    References
    ----------
    Polykovskiy et al.: Molecular Sets (MOSES): A Benchmarking Platform for Molecular Generation Models (Frontiers in
    Pharmacology 11, 2020).
    """
    test = "test_scaffolds" if scaffolds else "test"
    if data_folder() is not None:
        paths = [local("moses", f"{name}.smi.gz") for name in ("train", test)]
    else:
        paths = [_fetch(f"{name}.csv.gz") for name in ("train", test)]
    texts = [[record.text for record in read(path)] for path in paths]
    split = np.concatenate([split_rows(texts[0], valid=VALID, test=0.0), np.full(len(texts[1]), 2, np.uint8)])
    meta = {"name": "moses-scaffolds" if scaffolds else "moses", "source": origin(TITLE, paths)}
    return molecules(list(chain(*texts)), split, meta, max_nodes=64, progress=progress)


def _fetch(name: str) -> Path:
    """A file of MOSES's own package, which pip fetches: it is read, never installed.

    Raises
    ------
    UserError
        Where it cannot be had, or is not what it was.
    """
    path = cache_folder() / "downloads" / "moses" / name
    if path.is_file() and sha256(path) == SHA256[name]:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", WHEEL, "--dest", str(path.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(path.parent.glob("molsets-*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
        raise UserError(
            f"{WHEEL}: cannot be downloaded ({reason}); or set SYMDIFF_DATA to a folder that holds the data"
        )
    part = path.with_name(f"{name}.part")
    with zipfile.ZipFile(wheels[-1]) as wheel:
        part.write_bytes(wheel.read(f"moses/dataset/data/{name}"))
    if sha256(part) != SHA256[name]:
        part.unlink()
        raise UserError(f"{wheels[-1]}: {name} is not the file of {WHEEL}: not used")
    atomic.put(part, path)
    return path
