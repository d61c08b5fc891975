"""The statistics of data sets that evaluation/reference ships, made again from the files in $SYMDIFF_DATA.

    python benchmarks/references.py [graphs] [qm9-train] [qm9-3d-train] [--out evaluation/reference] [--count 5000]
    [--fcd] [--workers 2]

qm9-train: hashes, counts, quantiles and what MOSES's numbers need, from the GDB-17 SMILES of EDM's partition. ChemNet's
Gaussians are kept from the shipped ``qm9-train`` unless ``--fcd`` asks for them anew (package fcd, an hour). graphs:
planar, sbm, tree and lobster, training against test graphs. qm9-3d-train: bond lengths, angles, strain and point groups
of ``--count`` geometries of QM9's training split (EDM's partition), evenly spaced; the hashes, which decide on novelty,
are those of the whole split's SMILES, from the shipped ``qm9-train``.
"""

from __future__ import annotations

import argparse
import csv
import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np

from symdiff.data.sources import local
from symdiff.storage.arrays import read_arrays
from symdiff_evaluation.core.execution import Execution
from symdiff_evaluation.core.limits import Limits
from symdiff_evaluation.graphs.kind import write_from_file
from symdiff_evaluation.molecules.build import build
from symdiff_evaluation.molecules.reference import MEASURED, load, write
from symdiff_evaluation.molecules3d.read import from_columns
from symdiff_evaluation.molecules3d.reference import build as build_geometries
from symdiff_evaluation.molecules3d.reference import write as write_geometries

GRAPHS = {
    "planar": "SPECTRE's planar graphs of 64 nodes (Martinkus et al., 2022): 128 training and 40 test graphs",
    "sbm": "SPECTRE's stochastic block models (Martinkus et al., 2022): 128 training and 40 test graphs",
    "tree": "trees of 64 nodes (Bergmeister et al., 2024): 128 training and 40 test graphs",
    "lobster": "lobsters (GRAN's, Liao et al., 2019): 64 training and 20 test graphs",
}
QM9 = "QM9 (Ramakrishnan et al., 2014), B3LYP geometries of EDM's training split"


def graphs(out: Path) -> None:
    for name, source in GRAPHS.items():
        made = write_from_file(local("graphs", f"{name}.npz"), out / name, name, source)
        print(name, made.count, {kind: round(value, 5) for kind, value in made.baseline.items()})


def molecules(out: Path, fcd: bool, workers: int) -> None:
    splits = read_arrays(local("qm9", "qm9_geom.npz"))["edm_split"]
    with gzip.open(local("qm9", "qm9_smiles.csv.gz"), "rt", encoding="utf-8") as stream:
        smiles = [row["smiles_gdb17"] for row in csv.DictReader(stream)]
    parts = {name: [smiles[k] for k in np.flatnonzero(splits == code)] for name, code in (("train", 0), ("test", 2))}
    before = load("qm9-train")
    made = build(parts, "qm9-train", before.source, fcd, True, Execution(workers))
    if not fcd:
        made = replace(made, gaussians=before.gaussians)
    same = np.array_equal(made.hashes, before.hashes) and made.counts == before.counts
    same &= all(np.array_equal(made.quantiles[name], before.quantiles[name]) for name in MEASURED)
    write(made, out / "qm9-train")
    print("qm9-train", made.count, "as shipped" if same else "other hashes, counts or quantiles than those shipped")


def geometries(out: Path, count: int, workers: int) -> None:
    arrays = read_arrays(local("qm9", "qm9_geom.npz"))
    rows = np.flatnonzero(arrays["edm_split"] == 0)
    some = rows[:: len(rows) // count][:count]
    starts, stops = arrays["offsets"][some], arrays["offsets"][some + 1]
    atoms = np.concatenate([np.arange(a, b) for a, b in zip(starts, stops, strict=True)])
    offsets = np.concatenate([[0], np.cumsum(stops - starts)])
    found = from_columns({"offsets": offsets, "z": arrays["z"][atoms], "pos": arrays["pos"][atoms]}, "qm9")
    made = build_geometries(
        replace(found, limits=Limits(workers=workers)),
        "qm9-3d-train",
        f"{QM9}, {count:,} of {len(rows):,} evenly spaced",
    )
    write_geometries(replace(made, hashes=load("qm9-train").hashes), out / "qm9-3d-train")
    print("qm9-3d-train", made.count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["graphs", "qm9-3d-train"], help="graphs, qm9-train, qm9-3d-train")
    parser.add_argument("--fcd", action="store_true", help="ChemNet's Gaussians anew")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "evaluation" / "reference")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    if "graphs" in arguments.names:
        graphs(arguments.out)
    if "qm9-train" in arguments.names:
        molecules(arguments.out, arguments.fcd, arguments.workers)
    if "qm9-3d-train" in arguments.names:
        geometries(arguments.out, arguments.count, arguments.workers)


if __name__ == "__main__":
    main()
