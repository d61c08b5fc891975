"""``python -m symdiff_evaluation FILE... --out FOLDER``: the command without the rest of symdiff."""

from __future__ import annotations

import argparse
import sys

from symdiff.errors import UserError


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0, or 2 with one line on stderr for what a user can put right."""
    parser = argparse.ArgumentParser("symdiff_evaluation", description="Evaluate files of samples.")
    parser.add_argument("files", nargs="+", help=".smi .txt .csv .tsv .sdf .xyz .extxyz, optionally .gz, or .npz .safetensors .graphml")
    parser.add_argument("--out", required=True, help="folder for report.html, metrics.json, samples.csv, about.json")
    parser.add_argument("--protocol", help="name or .yaml file (default: what goes with the files)")
    parser.add_argument("--reference", help="name of a shipped reference, file of SMILES, or none")
    parser.add_argument("--workers", type=int, help="processes (default: all processors)")
    parser.add_argument("--shards", help="folder in which a killed evaluation goes on (default: beside --out for over a million)")
    parser.add_argument("--mcf", help="MOSES's list of medicinal chemistry filters, mcf.csv, for moses.filters")
    parser.add_argument("--column", help="column of SMILES in tables (default: the one called smiles)")
    parser.add_argument("--atoms", help="what the labels of nodes stand for, in files of graphs, such as C,N,O,F")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    given = parser.parse_args(arguments)
    from symdiff_evaluation.core.command import run

    try:
        run(given.files, given.out, given.protocol, given.reference, given.workers, given.json, given.shards, given.mcf, given.column, given.atoms and given.atoms.split(","))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
