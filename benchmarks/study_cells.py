"""The tasks and cells of the study of internal and external symmetry breaking.

What is chosen, and the recipe's keys that it sets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from symdiff.breaking.base import SymmetryBreaker
from symdiff.random import Generator
from symdiff.state import Real, Schema, State


class Axes(SymmetryBreaker):
    """The same frame for every structure, however it is turned.

    Coordinates as they are, which is no equivariant law.
    """

    anchor = "none"

    @register_to_config
    def __init__(self) -> None:
        super().__init__()

    @property
    def schema(self) -> Schema:
        return {"frame": Real("whole", 3, vector=3)}

    def sample(self, x: State, generator: Generator | None = None) -> State:
        return self.prior(x.mask, generator)

    def prior(self, mask: Tensor, generator: Generator | None = None) -> State:
        return State(mask, self.schema, {"frame": torch.eye(3, device=mask.device).expand(len(mask), 3, 3)})


@dataclass(frozen=True)
class Task:
    """What is predicted, and how its error is shown.

    Parameters
    ----------
    vertical
        The axis of the data that points up.
    reach
        A length that most distances are below.
    measure
        The error, that in the unit of the data times ``times``.
    columns
        Of several numbers that are predicted: what each is divided by before they are averaged, and multiplied by
        where it is shown by itself.
    published
        Errors of a group convolution with 8 directions, 7 layers of width 256, after 1,000 epochs (van der Linden et
        al., arXiv 2506.18629).
    """

    recipe: str
    vertical: int
    reach: float
    inputs: Mapping[str, Mapping[str, str]]
    measure: str
    times: float = 1.0
    limit: int | None = None
    settings: tuple[str, ...] = ()
    columns: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    published: tuple[float, ...] = ()


VELOCITY = {"velocity": "vectors"}
MOLECULES = {
    "nothing": {},
    "pose as vectors": {"pose": "vectors"},
    "coordinates as vectors": {"position": "vectors"},
    "coordinates as scalars": {"position": "scalars"},
}
PROPERTIES = {
    "mu": (2.673, 1.503, 1.0, "debye", 0.0145),
    "alpha": (75.31, 8.170, 1.0, "cubic bohr", 0.0522),
    "homo": (-6.535, 0.597, 1e3, "meV", 21.4),
    "lumo": (0.322, 1.274, 1e3, "meV", 19.3),
    "cv": (31.63, 4.064, 1.0, "cal/(mol K)", 0.0275),
}
"""Mean and spread of the training split, what the error is multiplied by and its unit, and what is published."""
TASKS = {
    "motion": Task(
        "cmu-walk",
        1,
        2.0,
        {
            "velocity as vectors": VELOCITY,
            "velocity and pose as vectors": {**VELOCITY, "pose": "vectors"},
            "velocity as scalars": {"velocity": "scalars"},
            "velocity as vectors, coordinates as scalars": {**VELOCITY, "position": "scalars"},
            "velocity as vectors, pose as scalars": {**VELOCITY, "pose": "scalars"},
            "nothing": {},
        },
        "mean squared error of a coordinate, cm²",
        1e4,
        270,
    ),
    "parts": Task(
        "first-mm",
        2,
        2.0,
        {
            "normals as vectors": {"normal": "vectors"},
            "normals and pose as vectors": {"normal": "vectors", "pose": "vectors"},
            "normals as scalars": {"normal": "scalars"},
            "coordinates as scalars": {"normal": "vectors", "position": "scalars"},
            "nothing": {},
        },
        "1 - mean intersection over union of the parts of a cloud, %",
        100.0,
        240,
    ),
    **{
        name: Task(
            "qm9-mu",
            2,
            8.0,
            MOLECULES,
            f"MAE, {unit}",
            times,
            2048,
            (
                f"data/dataset=qm9-{name}",
                f"process/mean={{property: {mean}}}",
                f"process/spread={{property: {spread}}}",
            ),
            published=(published,),
        )
        for name, (mean, spread, times, unit, published) in PROPERTIES.items()
    },
    "properties": Task(
        "qm9-properties",
        2,
        8.0,
        MOLECULES,
        "MAE over the spread, mean of five properties, %",
        100.0,
        2048,
        columns={f"{name}, {unit}": (spread, times) for name, (_, spread, times, unit, _) in PROPERTIES.items()},
        published=tuple(published for *_, published in PROPERTIES.values()),
    ),
}
INTERNAL = {
    "translations, 0 directions": {"equivariance": "translations", "orientations": 0},
    "rotations, 0 directions": {"equivariance": "rotations", "orientations": 0},
    "rotations, 8 directions": {"equivariance": "rotations", "orientations": 8},
    "translations, 8 directions": {"equivariance": "translations", "orientations": 8},
}
POSE = {"kind": "Given", "field": "pose"}
PRINCIPAL = {
    "kind": "SymPE",
    "canonicalizer": {"kind": "Frames", "special": True, "fields": []},
    "code": {"kind": "FrameCode"},
}
ALONG = {"along the pose, 0 directions": POSE, "along principal axes, 0 directions": PRINCIPAL}
"""Kernels as those for translations, with differences taken along a frame."""
TRANSFORMER = {
    "in the frame of the pose": POSE,
    "in sampled principal axes": PRINCIPAL,
    "in coordinates as they are": {"kind": "Axes"},
}


@dataclass(frozen=True)
class Cell:
    """A row of the table."""

    internal: str
    external: str
    augmented: bool

    @property
    def name(self) -> str:
        return f"{self.internal}; {self.external}; {'turned' if self.augmented else 'not turned'}"

    @property
    def folder(self) -> str:
        return "".join(each if each.isalnum() else "-" for each in self.name).replace("--", "-")

    def settings(self, task: Task) -> Iterator[str]:
        """The recipe's keys that differ."""
        if not self.augmented:
            yield "objective={kind: Denoising}"
        if self.internal == "transformer":
            inner = {"kind": "NodeTransformer", "width": 64, "layers": 3, "heads": 4}
            framed = {"kind": "InFrame", "denoiser": inner, "distances": 16, "waves": 4, "reach": task.reach}
            yield f"denoiser={json.dumps(framed)}"
            yield f"breaker={json.dumps(TRANSFORMER[self.external])}"
            return
        if self.internal in ALONG:
            yield f"breaker={json.dumps(ALONG[self.internal])}"
        for key, value in INTERNAL.get(self.internal, {"equivariance": "frame", "orientations": 0}).items():
            yield f"denoiser/{key}={value}"
        yield f"denoiser/inputs={json.dumps(dict(task.inputs[self.external]))}"


def cells(task: Task) -> list[Cell]:
    """All cells, the most telling first.

    What is exactly equivariant, alone or with its pose, need not be turned in training.
    """
    first, second, *others = task.inputs
    found = [Cell(internal, first, augmented) for internal in INTERNAL for augmented in (True, False)]
    found += [Cell(internal, second, True) for internal in INTERNAL]
    found += [Cell(internal, first, False) for internal in ALONG]
    found += [Cell("transformer", frame, augmented) for frame in TRANSFORMER for augmented in (True, False)]
    found += [Cell(internal, other, True) for other in others for internal in list(INTERNAL)[:3]]
    exact = [Cell("transformer", frame, True) for frame in list(TRANSFORMER)[:2]]
    exact += [
        Cell("rotations, 0 directions", name, True)
        for name, ways in task.inputs.items()
        if "scalars" not in ways.values()
    ]
    return list(dict.fromkeys(Cell(cell.internal, cell.external, False) if cell in exact else cell for cell in found))
