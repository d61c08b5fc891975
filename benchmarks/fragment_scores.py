"""Derive the table of the synthetic accessibility score from the one that comes with RDKit.

    python benchmarks/fragment_scores.py [--out evaluation/symdiff_evaluation/molecules/fragment_scores.safetensors]

RDKit's Contrib/SA_Score keeps its fragment scores as a gzipped pickle. It is read here as text, once, and nothing of it
is unpickled; the evaluation reads the arrays that this writes. RDKit's license (BSD-3-Clause) stands in the file.
"""

from __future__ import annotations

import argparse
import gzip
import pickletools
from pathlib import Path

import numpy as np
from rdkit import RDConfig, rdBase
from safetensors.numpy import save_file

OUT = Path(__file__).resolve().parent.parent / "evaluation/symdiff_evaluation/molecules/fragment_scores.safetensors"


def read_numbers(data: bytes) -> list[list[float]]:
    """The numbers in a list of lists that was pickled. Raises ValueError for anything else."""
    rows: list[list[float]] = []
    for operation, value, _ in pickletools.genops(data):
        match operation.name:
            case "LIST":
                rows.append([])
            case "FLOAT" | "INT" | "LONG":
                rows[-1].append(float(value or 0))
            case "MARK" | "PUT" | "APPEND" | "STOP":
                pass
            case strange:
                raise ValueError(f"expected numbers in lists, got the operation {strange}")
    return rows[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT)
    out = parser.parse_args().out
    with gzip.open(Path(RDConfig.RDContribDir) / "SA_Score" / "fpscores.pkl.gz") as stream:
        rows = read_numbers(stream.read())
    ids = np.concatenate([np.array(row[1:], np.uint32) for row in rows])
    scores = np.repeat([row[0] for row in rows], [len(row) - 1 for row in rows])
    # where an id stands twice the later row counts
    fragments, last = np.unique(ids[::-1], return_index=True)
    levels, level = np.unique(scores[::-1][last], return_inverse=True)
    arrays = {"fragment": fragments, "level": level.astype(np.uint16), "score": levels}
    about = {
        "title": "Fragment scores of RDKit's Contrib/SA_Score 1.1 (Ertl and Schuffenhauer, J. Cheminform. 1, 2009)",
        "rdkit": rdBase.rdkitVersion,
        "license": "BSD-3-Clause",
    }
    assert len(levels) < 2**16
    save_file(arrays, out, about)
    print(f"{out}: {len(fragments):,} fragments, {len(levels):,} different scores, {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
