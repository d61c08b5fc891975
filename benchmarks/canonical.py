"""Canonical labelling of QM9-sized molecular graphs: graphs per second, and the ratio to igraph's BLISS.

    python benchmarks/canonical.py [--graphs 20000] [--threads 2] [--json]

Reads QM9's SMILES from ``$SYMDIFF_DATA/qm9`` where that is set, else draws random graphs of the same sizes and
valences. BLISS gets graphs that are built already, single bonds as edges and other bonds as colored nodes between two
edges, and labels them one by one on one thread, as it does.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import torch

from symdiff.canonical.nodes import Nodes
from symdiff.canonical.stored import Stored
from symdiff.random import Streams, uniform
from symdiff.state import Categorical, State, node_mask

BATCH = 1024
SCHEMA = {"atom": Categorical("node", 16), "bond": Categorical("pair", 4, undirected=True)}


def qm9(path: Path, count: int) -> State:
    """A random part of QM9 without hydrogens, padded to 9 nodes."""
    from rdkit import Chem, RDLogger

    RDLogger.DisableLog("rdApp.*")
    with gzip.open(path, "rt") as file:
        smiles = [row["smiles_gdb17"] for row in csv.DictReader(file)]
    labels: dict[tuple[str, int], int] = {}
    atoms = torch.zeros(count, 9, dtype=torch.int64)
    bonds = torch.zeros(count, 9, 9, dtype=torch.int64)
    sizes = torch.zeros(count, dtype=torch.int64)
    chosen = torch.randperm(len(smiles), generator=torch.Generator().manual_seed(0))[:count].tolist()
    for row, place in enumerate(chosen):
        molecule = Chem.MolFromSmiles(smiles[place])
        Chem.Kekulize(molecule, clearAromaticFlags=True)
        sizes[row] = molecule.GetNumAtoms()
        for k, atom in enumerate(molecule.GetAtoms()):
            atoms[row, k] = labels.setdefault((atom.GetSymbol(), atom.GetFormalCharge()), len(labels))
        for bond in molecule.GetBonds():
            i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            bonds[row, i, j] = bonds[row, j, i] = int(bond.GetBondTypeAsDouble())
    return State(node_mask(sizes, 9), SCHEMA, {"atom": atoms, "bond": bonds})


def molecule_like(count: int) -> State:
    """Random trees of 9 nodes with up to three more edges: a node's parent is one of the three before it."""
    streams = Streams(0, torch.arange(count))
    mask = torch.ones(count, 9, dtype=torch.bool)
    rows = torch.arange(count)
    atoms = (uniform((count, 9), streams) ** 3 * 4).long()
    bonds = torch.zeros(count, 9, 9, dtype=torch.int64)
    for child in range(1, 12):
        i = child if child < 9 else (uniform((count,), streams) * 9).long()
        back = 1 + (uniform((count,), streams) * 3).long()
        j = (torch.as_tensor(i) - back).clamp(min=0)
        kind = 1 + (uniform((count,), streams) ** 4 * 3).long()
        bonds[rows, i, j] = bonds[rows, j, i] = kind
    bonds.diagonal(dim1=1, dim2=2).zero_()
    return State(mask, SCHEMA, {"atom": atoms, "bond": bonds})


def bliss(x: State) -> Callable[[State], None]:
    """A function that labels every structure of a batch of x with BLISS."""
    import igraph

    built = {}
    for row in range(0, len(x), BATCH):
        part = x.select(slice(row, row + BATCH))
        graphs = built[part["atom"].data_ptr()] = []
        for size, atoms, bonds in zip(
            part.num_nodes.tolist(), part["atom"].tolist(), part["bond"].tolist(), strict=True
        ):
            colors, edges = atoms[:size], []
            for i in range(size):
                for j in range(i):
                    if bonds[i][j] == 1:
                        edges.append((i, j))
                    elif bonds[i][j]:
                        edges += [(i, len(colors)), (len(colors), j)]
                        colors = [*colors, 100 + bonds[i][j]]
            graphs.append((igraph.Graph(n=len(colors), edges=edges), colors))

    def run(part: State) -> None:
        for graph, colors in built[part["atom"].data_ptr()]:
            graph.canonical_permutation(color=colors)

    return run


def rate(x: State, function: Callable[[State], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Graphs per second over batches of 1,024; of every batch the best of five passes, as other programs may run."""
    total = 0.0
    for row in range(0, len(x), BATCH):
        part, best = x.select(slice(row, row + BATCH)), float("inf")
        for _ in range(5):
            start = clock()
            function(part)
            best = min(best, clock() - start)
        total += best
    return len(x) / total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    source = Path(os.environ.get("SYMDIFF_DATA", "")) / "qm9" / "qm9_smiles.csv.gz"
    real = "SYMDIFF_DATA" in os.environ and source.exists()
    x = qm9(source, arguments.graphs) if real else molecule_like(arguments.graphs)

    rank, depth, breadth, stored = Nodes(), Nodes("depth"), Nodes("breadth"), Stored()
    result = {
        "data": "QM9" if real else "random graphs like molecules",
        "threads": arguments.threads,
        "symmetric_share": (rank.automorphisms(x) > 1).double().mean().item(),
        "graphs_per_second": {
            "element": rate(x, rank.element),
            "element, processor time": rate(x, rank.element, time.process_time),
            "element, depth": rate(x, depth.element),
            "element, breadth": rate(x, breadth.element),
            "sample": rate(x, rank.sample),
            "form": rate(x, rank.form),
            "Stored, sample": rate(x, stored.sample),
            "BLISS, one thread": rate(x, bliss(x)),
        },
    }
    speeds = result["graphs_per_second"]
    result["ratio_to_bliss"] = speeds["element"] / speeds["BLISS, one thread"]
    if arguments.json:
        print(json.dumps(result))
        return
    print(
        f"{len(x):,} graphs of {result['data']}, {result['symmetric_share']:.1%} with symmetry, {arguments.threads} "
        "threads"
    )
    for name, speed in speeds.items():
        print(f"{name:26s} {speed:12,.0f} graphs/s")
    print(f"element / BLISS            {result['ratio_to_bliss']:12.1f}")


if __name__ == "__main__":
    main()
