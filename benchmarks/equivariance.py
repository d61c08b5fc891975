"""Which symmetry is left, kernels (internal) by inputs (external), alone and jointly with the frame, and its cost.

    python benchmarks/equivariance.py [--speed] [--json]

For every network with random weights and every choice of inputs, the greatest difference between g·f(x, z) and f(g·x,
z) ("alone") or f(g·x, g·z) ("jointly": the frame in z turns with the structure), over the greatest entry of f, in
float64: 0 to rounding where the symmetry is kept. Rotations are those of O(3), mirrors among them. ``--speed``:
molecules a second on one thread, loss and gradients, at the default widths.
"""

from __future__ import annotations

import argparse
import json
import time

import torch

from symdiff.config.recipe import build
from symdiff.denoisers.base import Denoiser
from symdiff.groups.orthogonal import Orthogonal
from symdiff.groups.permutations import Symmetric
from symdiff.groups.translations import Translations
from symdiff.random import Streams, normal, uniform
from symdiff.state import Categorical, Real, Schema, State, node_mask, schema_to_plain
from symdiff.testing import equivariance_error

SCHEMA: Schema = {
    "atom": Categorical("node", 5),
    "position": Real("node", 1, vector=3),
    "bond": Categorical("pair", 4, undirected=True),
}
NOISY: Schema = {**SCHEMA, "velocity": Real("node", 1, vector=3)}
FRAME: Schema = {"frame": Real("whole", 3, vector=3)}
INTERNAL = {
    "rotations, 0 directions": {"kind": "PointConvolution", "equivariance": "rotations", "orientations": 0},
    "rotations, 8 directions": {"kind": "PointConvolution", "equivariance": "rotations", "orientations": 8},
    "translations, 0 directions": {"kind": "PointConvolution", "equivariance": "translations", "orientations": 0},
    "translations, 8 directions": {"kind": "PointConvolution", "equivariance": "translations", "orientations": 8},
    "frame, 0 directions": {"kind": "PointConvolution", "equivariance": "frame", "orientations": 0},
    "frame, 8 directions": {"kind": "PointConvolution", "equivariance": "frame", "orientations": 8},
    "steerable": {"kind": "SteerableNetwork"},
}
SMALL = {
    "PointConvolution": {"width": 12, "layers": 1, "basis": 8, "readout": 4},
    "SteerableNetwork": {"irreps": "8x0e + 4x1o + 2x2e", "layers": 1, "edge_width": 8, "radial": 4, "readout": 4},
}
# (inputs, whether the code has a frame)
EXTERNAL = {
    "nothing": ({}, False),
    "velocity as vectors": ({"velocity": "vectors"}, False),
    "velocity as scalars": ({"velocity": "scalars"}, False),
    "position as vectors": ({"position": "vectors"}, False),
    "position as scalars": ({"position": "scalars"}, False),
    "nothing, beside a frame": ({}, True),
    "frame as vectors": ({"frame": "vectors"}, True),
    "frame as scalars": ({"frame": "scalars"}, True),
    "velocity along the frame": ({"velocity": "framed"}, True),
}


def structures(rows: int, nodes: int, dtype: torch.dtype) -> tuple[State, State, torch.Tensor]:
    """Random molecules, the frames beside them, and times."""
    mask, streams, like = (
        node_mask(torch.arange(rows) % 2 + nodes - 1),
        Streams(0, torch.arange(rows)),
        torch.zeros((), dtype=dtype),
    )
    bond = (uniform((rows, nodes, nodes), streams) * 4).long().triu(1) * (mask[:, :, None] & mask[:, None])
    values = {
        "atom": (uniform((rows, nodes), streams) * 5).long() * mask,
        "position": 2 * normal((rows, nodes, 1, 3), streams, like) * mask[..., None, None],
        "bond": bond + bond.mT,
        "velocity": normal((rows, nodes, 1, 3), streams, like) * mask[..., None, None],
    }
    frame = Orthogonal(3).sample(mask, streams).to(dtype)
    return State(mask, NOISY, values), State(mask, FRAME, {"frame": frame}), torch.full((rows,), 0.5, dtype=dtype)


def network(internal: str, external: str, small: bool = True) -> Denoiser | None:
    """The network of a cell; None where kernels need a frame that is not there."""
    spec, (inputs, framed) = INTERNAL[internal], EXTERNAL[external]
    if spec.get("equivariance") == "frame" and not framed:
        return None
    torch.manual_seed(0)
    schemas = {"schema": SCHEMA, "noisy": NOISY, "code": FRAME if framed else {}}
    settings = {**spec, **(SMALL[spec["kind"]] if small else {}), "inputs": inputs}
    denoiser = build(Denoiser, settings, **{name: schema_to_plain(schema) for name, schema in schemas.items()})
    for parameter in denoiser.parameters():
        parameter.data = torch.randn_like(parameter) * (0.4 if small else 0.05)
    return denoiser


def errors(internal: str, external: str, draws: int = 3) -> dict[str, float] | None:
    """The relative errors of a cell under permutations, translations, rotations, and these with the frame."""
    made = network(internal, external)
    if made is None:
        return None
    net, (x, z, t) = made.double(), structures(2, 6, torch.float64)
    z = z if EXTERNAL[external][1] else State(z.mask, {}, {})
    with torch.no_grad():
        scale = max(value.abs().max().item() for value in net(x, t, z).values.values())

    def error(group, jointly: bool = True) -> float:
        if jointly:
            return (
                equivariance_error(
                    lambda a, b: net(a, t, b), group, x, z, draws=draws, generator=Streams(1, torch.arange(2))
                )
                / scale
            )
        return (
            equivariance_error(lambda a: net(a, t, z), group, x, draws=draws, generator=Streams(1, torch.arange(2)))
            / scale
        )

    return {
        "permutations": error(Symmetric()),
        "translations": error(Translations()),
        "rotations alone": error(Orthogonal(3), jointly=False),
        "rotations jointly": error(Orthogonal(3)),
    }


def speed(internal: str, rows: int = 16, nodes: int = 18) -> dict[str, float]:
    """Parameters, and molecules a second of processor time and of the wall, the best of three."""
    external = "nothing, beside a frame"
    net, (x, z, t) = network(internal, external, small=False), structures(rows, nodes, torch.float32)
    cpu = wall = float("inf")
    for _ in range(3):
        start_cpu, start = time.process_time(), time.perf_counter()
        out = net(x, t, z)
        sum(value.square().mean() for value in out.values.values()).backward()
        cpu, wall = min(cpu, time.process_time() - start_cpu), min(wall, time.perf_counter() - start)
    return {"parameters": sum(p.numel() for p in net.parameters()), "processor": rows / cpu, "wall": rows / wall}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed", action="store_true", help="also molecules a second")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    found = {internal: {external: errors(internal, external) for external in EXTERNAL} for internal in INTERNAL}
    rates = {internal: speed(internal) for internal in INTERNAL} if chosen.speed else {}
    if chosen.json:
        print(json.dumps({"errors": found, "speed": rates}))
        return
    print(f"{'internal':27}{'external':26}{'permut.':>10}{'transl.':>10}{'rot. alone':>12}{'jointly':>10}")
    for internal, cells in found.items():
        for external, cell in cells.items():
            if cell is not None:
                a, b, c, d = cell.values()
                print(f"{internal:27}{external:26}{a:10.0e}{b:10.0e}{c:12.0e}{d:10.0e}")
    for internal, rate in rates.items():
        print(
            f"{internal:27}{rate['parameters'] / 1e6:6.2f} M parameters  {rate['processor']:8.1f} molecules / s of "
            "processor time"
        )


if __name__ == "__main__":
    main()
