"""``symdiff decode``: a file of latents becomes a file of structures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symdiff.cli.extend import Import
from symdiff.cli.options import Device, Json
from symdiff.errors import UserError

EXAMPLE = "Example: symdiff decode latents.npz --checkpoint qm9-autoencoder --out molecules.smi"


LatentsFile = Annotated[Path, typer.Argument(help="A .npz file as symdiff encode writes it.")]
CheckpointName = Annotated[str, typer.Option(help="A folder, the name of a bundled checkpoint, or a hub id.")]
Out = Annotated[Path, typer.Option(help="The file to write; its ending chooses the format.")]
Noise = Annotated[
    float,
    typer.Option(
        min=0, max=100, help="Standard deviation of noise on the latents, whose own root mean square counts 1."
    ),
]
Copies = Annotated[int, typer.Option(min=1, max=10**6, help="Structures for each latent, with noise.")]
Interpolate = Annotated[
    int | None,
    typer.Option(
        min=2,
        max=10**6,
        help="So many structures on the way from each latent to the next.",
        show_default="decode the latents as they are",
    ),
]
Seed = Annotated[int, typer.Option(help="Of the noise, and of the numbering of the nodes.")]
BatchSize = Annotated[int, typer.Option(min=1, max=10**6, help="Decoded together; changes the speed only.")]


def decode(
    latents: LatentsFile,
    checkpoint: CheckpointName,
    out: Out,
    noise: Noise = 0.0,
    copies: Copies = 1,
    interpolate: Interpolate = None,
    seed: Seed = 0,
    batch_size: BatchSize = 256,
    device: Device = None,
    import_: Import = None,
    as_json: Json = False,
) -> None:
    """Decode latents by the autoencoder that they were encoded with.

    The neighborhood of a structure: symdiff decode one.npz --noise 0.3 --copies 16 ...
    The way from one structure to another: symdiff decode two.npz --interpolate 9 ...
    """
    import time

    import torch

    from symdiff.cli.progress import bar, report
    from symdiff.cli.sample import find_device, objects
    from symdiff.cli.writing import writing
    from symdiff.pipeline import Pipeline
    from symdiff.sampling.coding import identify
    from symdiff.storage.latents import read_latents

    if copies > 1 and not noise:
        raise UserError(f"--copies {copies}: without --noise all of them would be the same structure")
    if interpolate is not None and noise:
        raise UserError("--interpolate and --noise: give one of them")
    pipeline = Pipeline.load(checkpoint)
    dim = pipeline.autoencoder.encoder.latent["latent"].trailing[0]
    points = torch.from_numpy(read_latents(latents, dim, identify(pipeline.autoencoder)))
    points = walk(points, noise, copies, interpolate, seed)
    pipeline.to(find_device(device))
    start, count, first = time.perf_counter(), len(points), []
    with writing(pipeline.domain, out), bar("decoding", count, "structures") as advance:
        pipeline.domain.write(objects(pipeline.decode(points, seed, batch_size, advance), first), out)
    seconds = time.perf_counter() - start
    picture = out.with_suffix(".png")
    has_picture = picture != out and pipeline.domain.draw(first, picture)
    values = {"out": str(out), "picture": str(picture) if has_picture else None, "checkpoint": checkpoint}
    values |= {"count": count, "seed": seed, "seconds": seconds, "per_second": count / seconds}
    lines = [f"{count:,} structures ({count / seconds:,.0f}/s): {out}"]
    lines += [f"a picture of the first: {picture}"] if has_picture else []
    report(values, "\n".join(lines), as_json)


def walk(points, noise: float, copies: int, interpolate: int | None, seed: int):
    """Choose the latents to decode: as they are, their neighborhoods, or the ways between them.

    Parameters
    ----------
    points : Tensor
        (M, dim), latents.
    noise : float
        The standard deviation of noise, 0 for none.
    copies : int
        Neighbors of each latent, with noise.
    interpolate : int or None
        Latents on the way from each to the next, both ends included.
    seed : int
        Of the noise.

    Returns
    -------
    Tensor
        (M', dim).

    Raises
    ------
    UserError
        For a way without two ends.
    """
    import torch

    from symdiff.autoencoders.walks import interpolate as between
    from symdiff.autoencoders.walks import neighbors
    from symdiff.random import Streams

    if interpolate is not None:
        if len(points) < 2:
            raise UserError(f"--interpolate {interpolate}: expected at least two latents, got {len(points)}")
        return torch.cat([between(a, b, interpolate) for a, b in zip(points[:-1], points[1:], strict=True)])
    if noise:
        return neighbors(points, noise, copies, Streams(seed, torch.arange(len(points) * copies)))
    return points
