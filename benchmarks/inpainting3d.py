"""Molecules around a fragment that stays: are they as good as those without one?

    python benchmarks/inpainting3d.py qm9-3d [--count 64] [--steps 100] [--particles 1 4] [--out runs/inpainting3d]

Three fragments cut from molecules of QM9's test split, each with open valences: a benzene ring without hydrogens, an
amide, a cyclopropyl group. All samples have the median size of the test split's molecules that have the fragment.
Printed for each, and for the same sizes without a fragment: molecules stable and valid by EDM's rule, valid by the
bonds generated, different among these, whether the fragment is there (its atoms and bonds to the digit, its atoms with
full valences), and seconds; for the test split's molecules with the fragment EDM's stability alone. The fragments are
written as fragment-NAME.sdf, the molecules as NAME.sdf, and the first of them as NAME.png.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from rdkit import Chem

from symdiff.chemistry.geometry import Geometry, to_rdkit
from symdiff.data.registry import open_dataset
from symdiff.domains.molecule3d import Molecule3D
from symdiff.pipeline import SymdiffPipeline
from symdiff.sampling.inpainting import Inpainting
from symdiff.sampling.request import Request
from symdiff.state import State
from symdiff_evaluation.molecules3d import samples as geometries
from symdiff_evaluation.molecules3d.bonds import apply_edm
from symdiff_evaluation.molecules3d.edm import VALENCES

FRAGMENTS = {
    "benzene": ("c1ccccc1", ()),
    "amide": ("[NX3;H1;!R]-C(=O)-[CX4;!R]", (7,)),
    "cyclopropyl": ("[CH2]1[CH2][CH]1", (6,)),
}
"""A pattern, and the elements whose hydrogens are kept."""


def whole(domain: Molecule3D, view, part: int = 1000):
    """The molecules of a split: geometry, RDKit's view of it."""
    for rows in torch.arange(len(view)).split(part):
        for geometry in domain.codec.geometries(view.batch(rows)):
            mol = to_rdkit(geometry)
            Chem.SanitizeMol(mol)
            yield geometry, mol


def cut(geometry: Geometry, mol: Chem.Mol, match: tuple[int, ...], bearers: tuple[int, ...]) -> Geometry:
    """The matched atoms and the hydrogens on those of the elements ``bearers``."""
    hydrogens = [
        n.GetIdx()
        for k in match
        if geometry.element[k] in bearers
        for n in mol.GetAtomWithIdx(k).GetNeighbors()
        if n.GetAtomicNum() == 1
    ]
    atoms = [*match, *hydrogens]
    place = {atom: k for k, atom in enumerate(atoms)}
    inside = [k for k, (a, b) in enumerate(geometry.edges.tolist()) if a in place and b in place]
    edges = np.array([[place[a], place[b]] for a, b in geometry.edges[inside].tolist()], np.int16)
    return Geometry(
        geometry.element[atoms], geometry.charge[atoms], geometry.position[atoms], edges, geometry.order[inside]
    )


def found(pipeline: SymdiffPipeline, x: State, known: State | None) -> dict[str, float]:
    made = pipeline.domain.codec.geometries(x)
    edm = [apply_edm(geometries.PlacedAtoms(one.element, one.position)) for one in made]
    names = [name for name in pipeline.domain.codec.smiles(x) if name]
    row = {
        "stable": sum(one.stable == one.atoms for one in edm) / len(made),
        "valid (EDM)": sum(one.smiles is not None for one in edm) / len(made),
        "valid (bonds)": len(names) / len(made),
        "different": len(set(names)),
    }
    if known is not None:
        count, filled = known.mask.shape[1], []
        same = torch.stack(
            [
                (x[name][:, :count, :count] if name == "bond" else x[name][:, :count]).eq(known[name]).flatten(1).all(1)
                for name in known.schema
            ]
        )
        for one in made:
            orders = np.zeros(len(one.element), int)
            np.add.at(orders, one.edges.ravel(), np.repeat(one.order, 2))
            neutral = one.charge[:count] == 0
            full = orders[:count] == [VALENCES[number] for number in one.element[:count].tolist()]
            filled.append(bool((full | ~neutral).all()))
        row |= {"kept": float(same.all(0).float().mean()), "filled": sum(filled) / len(made)}
    return {key: round(value, 3) for key, value in row.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", nargs="?", default="qm9-3d")
    parser.add_argument("--dataset", default="qm9-3d")
    parser.add_argument("--fragments", nargs="+", choices=sorted(FRAGMENTS), default=list(FRAGMENTS))
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--particles", type=int, nargs="+", default=[1])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/inpainting3d"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    data, pipeline = open_dataset(chosen.dataset), SymdiffPipeline.load(chosen.checkpoint)
    having = {name: [] for name in chosen.fragments}
    for geometry, mol in whole(data.domain, data.split("test")):
        for name, matches in having.items():
            match = mol.GetSubstructMatch(Chem.MolFromSmarts(FRAGMENTS[name][0]))
            if match:
                edm = apply_edm(geometries.PlacedAtoms(geometry.element, geometry.position))
                matches.append((len(geometry.element), edm.stable == edm.atoms, geometry, mol, match))
    for name, matches in having.items():
        stable = [k for k, (_, steady, *_) in enumerate(matches) if steady]
        _, _, geometry, mol, match = matches[stable[0] if stable else 0]
        path = chosen.out / f"fragment-{name}.sdf"
        pipeline.domain.write([to_rdkit(cut(geometry, mol, match, FRAGMENTS[name][1]))], path)
        known = pipeline.domain.options.read_known({"fixed": str(path)})
        size = sorted(size for size, *_ in matches)[len(matches) // 2]
        print(
            json.dumps(
                {
                    "fragment": name,
                    "atoms": size,
                    "in the test split": len(matches),
                    "of these stable": round(len(stable) / len(matches), 3),
                }
            ),
            flush=True,
        )
        for given, particles in [(None, 1), *((known, particles) for particles in chosen.particles)]:
            start = time.perf_counter()
            request, steps = (
                Request(chosen.count, size, known=given, seed=chosen.seed),
                chosen.steps or pipeline.default_steps,
            )
            sampler = (
                pipeline.sampler(request, steps) if given is None else Inpainting(pipeline.diffusion, steps, particles)
            )
            samples = pipeline.sample(request, sampler, precision="bf16")
            row = {
                "fragment": name if given else None,
                "particles": particles,
                "seconds": round(time.perf_counter() - start, 1),
            }
            print(json.dumps({**row, **found(pipeline, samples.state(), given)}), flush=True)
        samples.write(chosen.out / f"{name}.sdf")
        pipeline.domain.draw(samples.objects(), chosen.out / f"{name}.png")


if __name__ == "__main__":
    main()
