"""``symdiff sample --trajectory``: the way from noise to the first structures."""

from __future__ import annotations

from pathlib import Path

SHOWN = 16
"""Structures of an animated picture."""


def check(path: Path, domain, sampler, metropolis: bool) -> None:
    """Fail before the work where a trajectory cannot be written.

    Parameters
    ----------
    path : Path
        The file of the trajectory.
    domain : Domain
        What the structures are.
    sampler : Sampler
        How they are sampled.
    metropolis : bool
        Whether a chain accepts or rejects them.

    Raises
    ------
    UserError
        For a file that cannot be written, and samples that have no trajectory of structures.
    """
    from symdiff.cli.writing import writing
    from symdiff.errors import UserError
    from symdiff.sampling.recorded import Recorded

    if metropolis:
        raise UserError("--trajectory: a chain that rejects has none; leave --metropolis out")
    probe = path.with_suffix(".png") if path.suffix.lower() == ".gif" else path
    if path.suffix.lower() == ".png":
        raise UserError(f"--trajectory {path}: expected .gif, or a format of structures for all frames of the first")
    if probe is path:
        with writing(domain, path):
            pass
    Recorded(sampler)  # which refuses what has no trajectory


def write(path: Path, pipeline, request, sampler, device: str, precision: str) -> int:
    """Sample the first structures once more, and write what they were on the way.

    A .gif shows up to 16 of them; any other format has the frames of the first one, one after the other.

    Parameters
    ----------
    path : Path
        The file, whose ending chooses the format.
    pipeline : SymdiffPipeline
        What is sampled from.
    request : Request
        What is wanted.
    sampler : Sampler
        How it is sampled.
    device : str
        Where.
    precision : {"fp32", "bf16"}
        Whether the networks run under autocast.

    Returns
    -------
    int
        How many frames.

    Raises
    ------
    UserError
        For a model whose states on the way are no structures, and where the file cannot be written.
    """
    import torch

    from symdiff.domains.animation import animate

    moving = path.suffix.lower() == ".gif"
    first = request.part(torch.arange(min(request.count, SHOWN if moving else 1)))
    frames = pipeline.record(first, sampler, device=device, precision=precision)
    path.parent.mkdir(parents=True, exist_ok=True)
    if moving:
        animate([frame.objects() for frame in frames], pipeline.domain, path)
    else:
        pipeline.domain.write([frame.objects()[0] for frame in frames], path)
    return len(frames)
