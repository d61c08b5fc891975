"""Bonds from positions: how many molecules come back from their coordinates alone, of drug-like ones and of QM9.

    python benchmarks/perception.py [--count 2000] [--seed 0] [--show 20]

Drug-like: molecules of MoleculeNet's MUV, drawn with ``--seed``, hydrogens added, embedded by RDKit's ETKDGv3 with that
seed and optimized by MMFF94s; a molecule that RDKit does not embed or MMFF does not know is replaced by the next one
drawn. All of MUV's molecules are of one component and neutral as a whole; one in thirty holds charged atoms (nitro
groups, zwitterions), and these are not left out. QM9: geometries drawn with ``--seed`` from those that its authors
found to be the molecule they set out from (130,831 of 133,885). A molecule comes back where its canonical SMILES
without stereo, in the normal form of charges, is that of the molecule that went in. The embedded geometries are kept in
symdiff's cache, so that only the first run takes minutes. RDKit's own search is measured beside ours.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from rdkit import Chem, RDLogger
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

from symdiff.chemistry.bonding import Undecided
from symdiff.chemistry.parse import canonical, flatten
from symdiff.chemistry.perception import FACTOR, molecule, molecule_by_rdkit
from symdiff.data.sources import local
from symdiff.storage.bundled import cache_folder
from symdiff.storage.records import Broken
from symdiff_evaluation.molecules3d.perception import check_complete

STEPS = 5000  # of MMFF


def druglike(count: int, seed: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """SMILES, atomic numbers (n,) and positions (n, 3) in angstrom of embedded molecules."""
    kept = cache_folder() / "perception" / f"druglike-{count}-{seed}.npz"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        _embed(kept, count, seed)
    with np.load(kept) as arrays:
        smiles, offsets, z, pos = (arrays[name] for name in ("smiles", "offsets", "z", "pos"))
    for k, text in enumerate(smiles.tolist()):
        atoms = slice(offsets[k], offsets[k + 1])
        yield text, z[atoms], pos[atoms]


def _embed(path: Path, count: int, seed: int) -> None:
    with gzip.open(local("druglike_muv", "muv_smiles.txt.gz"), "rt", encoding="utf-8") as stream:
        lines = stream.read().split()
    smiles, numbers, positions, skipped = [], [], [], 0
    for k in np.random.default_rng(seed).permutation(len(lines)).tolist():
        mol = Chem.AddHs(Chem.MolFromSmiles(lines[k]))
        settings = rdDistGeom.ETKDGv3()
        settings.randomSeed = seed
        settings.maxIterations = 200
        if (
            rdDistGeom.EmbedMolecule(mol, settings)
            or rdForceFieldHelpers.MMFFOptimizeMolecule(mol, "MMFF94s", STEPS) < 0
        ):
            skipped += 1
            continue
        smiles.append(lines[k])
        numbers.append([atom.GetAtomicNum() for atom in mol.GetAtoms()])
        positions.append(mol.GetConformer().GetPositions())
        if len(smiles) == count:
            break
    print(
        f"drug-like: {len(smiles)} embedded, {skipped} that RDKit does not embed or MMFF does not know were replaced",
        flush=True,
    )
    offsets = np.cumsum([0, *map(len, numbers)])
    np.savez(
        path,
        smiles=np.array(smiles),
        offsets=offsets,
        z=np.concatenate(numbers).astype(np.uint8),
        pos=np.concatenate(positions),
    )


def qm9(count: int, seed: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The same of QM9's relaxed geometries, with the SMILES that they were made from."""
    with np.load(local("qm9", "qm9_geom.npz")) as arrays:
        offsets, z, pos, strange = (arrays[name] for name in ("offsets", "z", "pos", "uncharacterized"))
    with gzip.open(local("qm9", "qm9_smiles.csv.gz"), "rt", encoding="utf-8") as stream:
        smiles = [row["smiles_gdb17"] for row in csv.DictReader(stream)]
    for k in np.random.default_rng(seed).permutation(np.flatnonzero(~strange))[:count].tolist():
        atoms = slice(offsets[k], offsets[k + 1])
        yield smiles[k], z[atoms], pos[atoms].astype(np.float64)


def outcome(smiles: str, numbers: np.ndarray, positions: np.ndarray, work: Callable) -> tuple[str, str]:
    """What comes of one geometry, "same", "other", "invalid" or "undetermined", and the SMILES or the reason."""
    try:
        mol = work(numbers, positions)
        check_complete(mol)
    except Undecided as error:
        return "undetermined", str(error)
    except Broken as error:
        return "invalid", str(error)
    back = canonical(flatten(mol))
    return ("same" if back == canonical(flatten(Chem.MolFromSmiles(smiles))) else "other"), back


def measure(name: str, source: Iterable[tuple[str, np.ndarray, np.ndarray]], show: int) -> None:
    some = list(source)
    for title, work in (("symdiff", molecule), ("RDKit", lambda z, x: molecule_by_rdkit(z, x, factor=FACTOR))):
        start = time.process_time()
        outcomes = [(smiles, *outcome(smiles, z, x, work)) for smiles, z, x in some]
        seconds = time.process_time() - start
        counts = Counter(kind for _, kind, _ in outcomes)
        shares = ", ".join(
            f"{kind} {counts[kind] / len(some):.2%}" for kind in ("same", "other", "invalid", "undetermined")
        )
        print(
            f"{name}, {len(some):,} geometries, by {title}: {shares}; {1000 * seconds / len(some):.1f} ms each",
            flush=True,
        )
        if title == "symdiff":
            for smiles, kind, back in [one for one in outcomes if one[1] != "same"][:show]:
                print(f"    {smiles}  {kind}: {back}")


if __name__ == "__main__":
    RDLogger.DisableLog("rdApp.*")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=20, help="how many of those that do not come back are printed")
    args = parser.parse_args()
    measure("QM9", qm9(args.count, args.seed), args.show)
    measure("drug-like", druglike(args.count, args.seed), args.show)
