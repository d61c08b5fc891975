"""Do molecules have the polarizability that was asked for? By guidance weight.

    python benchmarks/guidance3d.py runs/qm9-3d-alpha/checkpoint --dataset qm9-3d-alpha [--asked 65 85] [--weights 0 1 2
    4] [--count 256] [--num-nodes 18]

Nobody computes the property of a sampled molecule here: it is estimated from the counts of its atoms and bonds by a
linear fit to the data set, whose own error on the test split is printed first. All samples have one size, so that the
size tells nothing of the property. Printed for every asked value and weight: mean and spread of the estimates, their
mean distance from what was asked, and molecules stable by EDM's rule.
"""

from __future__ import annotations

import argparse
import json

import torch
from torch import Tensor

from symdiff.data.dataset import Dataset
from symdiff.data.registry import open_dataset
from symdiff.pipeline import SymdiffPipeline
from symdiff.sampling.ancestral import Ancestral
from symdiff.sampling.request import Request
from symdiff.state import State
from symdiff_evaluation.molecules3d.bonds import apply_edm
from symdiff_evaluation.molecules3d.samples import PlacedAtoms


def counts(x: State, atoms: int) -> Tensor:
    """How many atoms and bonds of every kind, and 1: (B, atoms + 4) float64."""
    kinds = (torch.nn.functional.one_hot(x["atom"], atoms) * x.mask[..., None]).sum(1)
    bonds = torch.nn.functional.one_hot(x["bond"].triu(1), 4)[..., 1:].sum((1, 2))
    return torch.cat([kinds, bonds, torch.ones(len(x), 1)], 1).double()


def fit(data: Dataset, name: str, part: int = 4000) -> tuple[Tensor, float]:
    """The coefficients of the linear fit, and the mean absolute error on the test split, in the property's unit."""
    one, atoms = data.domain.properties[name], len(data.symbols)
    sides = []
    for split in ("train", "test"):
        view = data.split(split)
        rows = torch.arange(len(view)).split(part)[:5]
        batches = [view.batch(each) for each in rows]
        values = torch.cat([batch[name][:, 0].double() for batch in batches]) * one.spread + one.mean
        sides.append((torch.cat([counts(batch, atoms) for batch in batches]), values))
    (known, truth), (test, wanted) = sides
    weights = torch.linalg.lstsq(known, truth[:, None], driver="gelsd").solution[
        :, 0
    ]  # hydrogens follow from the others, nearly
    return weights, float((test @ weights - wanted).abs().mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("--dataset", default="qm9-3d-alpha")
    parser.add_argument("--asked", type=float, nargs="+", default=[65.0, 85.0])
    parser.add_argument("--weights", type=float, nargs="+", default=[0.0, 1.0, 2.0, 4.0])
    parser.add_argument("--count", type=int, default=256)
    parser.add_argument("--num-nodes", type=int, default=18)
    parser.add_argument("--steps", type=int)
    chosen = parser.parse_args()
    data, pipeline = open_dataset(chosen.dataset), SymdiffPipeline.load(chosen.checkpoint)
    (name,) = pipeline.domain.properties
    weights, error = fit(data, name)
    print(
        json.dumps(
            {"property": name, "unit": data.domain.properties[name].unit, "error of the estimate": round(error, 3)}
        ),
        flush=True,
    )
    for asked in chosen.asked:
        for weight in chosen.weights:
            condition = pipeline.domain.options.read_condition({name: str(asked)})
            request = Request(chosen.count, chosen.num_nodes, condition, seed=1)
            x = pipeline.sample(
                request, Ancestral(pipeline.guide(weight), chosen.steps or pipeline.default_steps), precision="bf16"
            ).state()
            found = counts(x, len(pipeline.domain.atoms)) @ weights
            stable = [apply_edm(PlacedAtoms(one.element, one.position)) for one in pipeline.domain.codec.geometries(x)]
            row = {
                "asked": asked,
                "guidance": weight,
                "mean": float(found.mean()),
                "spread": float(found.std()),
                "off": float((found - asked).abs().mean()),
            }
            print(
                json.dumps(
                    {
                        **{k: round(v, 2) for k, v in row.items()},
                        "stable": round(sum(one.stable == one.atoms for one in stable) / len(x), 3),
                    }
                ),
                flush=True,
            )


if __name__ == "__main__":
    main()
