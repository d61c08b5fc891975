"""``symdiff sample``: a checkpoint becomes a file of structures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from symdiff.cli import names
from symdiff.cli.extend import Import
from symdiff.cli.options import Device, Json
from symdiff.cli.writing import writing
from symdiff.errors import UserError, nearest

FIRST = 64
"""Structures that a picture can show."""


CheckpointName = Annotated[
    str,
    typer.Argument(help="A folder, the name of a bundled checkpoint, or a hub id.", autocompletion=names.checkpoints),
]
Count = Annotated[int, typer.Option(help="How many structures.", min=1, max=10**9)]
Out = Annotated[Path, typer.Option(help="The file to write; its ending chooses the format.")]
Steps = Annotated[
    int | None,
    typer.Option(help="Evaluations of the network a structure.", min=1, max=100_000, show_default="the recipe's"),
]
Seed = Annotated[int, typer.Option(help="Same seed, same structures.")]
NumNodes = Annotated[str | None, typer.Option(help="Number of nodes: 9 or 5-9.", show_default="as in training")]
BatchSize = Annotated[str, typer.Option(help="Structures sampled together; changes the speed only.")]
Precision = Annotated[str, typer.Option(help="fp32 or bf16.")]
Guidance = Annotated[
    float,
    typer.Option(help="Guidance strength: how many times as strongly a given property counts; 1 as in the data."),
]
Particles = Annotated[
    int, typer.Option(help="Candidates for each structure around a fragment that is fixed.", min=1, max=10_000)
]
Metropolis = Annotated[
    bool,
    typer.Option(
        "--metropolis",
        help="Correct spins to Boltzmann's distribution: a Markov chain accepts or rejects what the model proposes.",
    ),
]
ScoreFunction = Annotated[
    str | None,
    typer.Option(
        metavar="MODULE:FUNCTION",
        help="A function of one's own that structures shall have high values of: samples follow its gradient.",
        show_default=False,
    ),
]
ScoreStrength = Annotated[float, typer.Option(help="What the score is multiplied by.")]
TrajectoryFile = Annotated[
    Path | None,
    typer.Option(
        help="A file for the way from noise to the first structures: .gif, or a format of structures, such as "
        ".extxyz, with all frames of the first one."
    ),
]


def sample(
    context: typer.Context,
    checkpoint: CheckpointName,
    count: Count,
    out: Out,
    steps: Steps = None,
    seed: Seed = 0,
    num_nodes: NumNodes = None,
    batch_size: BatchSize = "auto",
    device: Device = None,
    precision: Precision = "fp32",
    guidance: Guidance = 1.0,
    particles: Particles = 1,
    metropolis: Metropolis = False,
    score: ScoreFunction = None,
    score_strength: ScoreStrength = 1.0,
    trajectory: TrajectoryFile = None,
    import_: Import = None,
    as_json: Json = False,
) -> None:
    """Sample structures from a checkpoint into a file.

    What the model is given (a temperature, couplings) are options of their own:
    symdiff sample ising --temperature 2.27 --size 32 ...
    Spins are corrected to Boltzmann's distribution by the model's own likelihood:
    symdiff sample ising --temperature 2.27 --metropolis ...
    Properties that may be absent count more with --guidance: symdiff sample qm9-3d-alpha --alpha 90 --guidance 2 ...
    They may be ranges or bounds, in which values are drawn as in the training data: --alpha 60-70 --gap '>4'
    A differentiable score leads samples: symdiff sample qm9-graph --score mine:few_rings --score-strength 2 ...
    Molecules of one formula are those of which all others were rejected: symdiff sample qm9-graph --formula C7H10O2 ...
    symdiff sample CHECKPOINT --help lists them for a model.
    """
    import collections

    batch = read_batch_size(batch_size)

    from symdiff.cli import trajectory as trajectories
    from symdiff.pipeline import Pipeline
    from symdiff.workers import process

    pipeline = Pipeline.load(checkpoint)
    request = read_request(context, pipeline, checkpoint, count, num_nodes, seed)
    steps = steps or pipeline.default_steps
    request, sampler = choose_sampler(pipeline, request, steps, guidance, particles, metropolis)
    if score is not None:
        sampler = follow(pipeline, sampler, score, score_strength, metropolis)
    request, sampler = choose_filter(pipeline, request, sampler, read_options(context.args), metropolis)
    target = find_device(device)
    if trajectory is not None:
        trajectories.check(trajectory, pipeline.domain, sampler, metropolis)
    stream = partial(pipeline.stream, request, sampler, batch, target, precision)
    if process()[0] > 0:
        collections.deque(stream(), 0)  # the first process gets what this one samples
        return
    values = {"count": count, "checkpoint": checkpoint, "steps": steps, "seed": seed, "device": str(target)}
    values |= {"precision": precision, "guidance": guidance, "metropolis": metropolis}
    if trajectory is not None:
        values["trajectory"] = str(trajectory)
        values["frames"] = trajectories.write(trajectory, pipeline, request, sampler, target, precision)
    write(pipeline, stream, out, values, as_json)


def write(pipeline, stream: Callable[..., Iterator], out: Path, values: dict, as_json: bool) -> None:
    """Write what ``stream`` samples, with a picture where the domain can draw one, and report it.

    Parameters
    ----------
    pipeline : SymdiffPipeline
        What is sampled from.
    stream : callable
        Takes a function that it calls with the number of finished structures, and yields blocks of samples.
    out : Path
        The file; the picture stands beside it.
    values : dict
        How it is sampled: a part of the report.
    as_json : bool
        Whether the report is one JSON object.
    """
    import collections
    import time

    from symdiff.cli.progress import bar, report
    from symdiff.sampling.chain import Chain
    from symdiff.storage import sidecar

    count, seed, metropolis = values["count"], values["seed"], values["metropolis"]
    start, first, chain = time.perf_counter(), [], Chain(seed)
    with writing(pipeline.domain, out), bar("sampling", count, "structures") as advance:
        blocks = stream(advance)
        blocks = chain(blocks) if metropolis else blocks
        pipeline.domain.write(objects(blocks, first), out)
        collections.deque(blocks, 0)  # a picture takes the first structures only
    seconds, effective = time.perf_counter() - start, chain.effective_share if metropolis else None
    sidecar.write(out, values["checkpoint"], pipeline.dataset, seed, count, values["steps"])
    picture = out.with_suffix(".png")
    has_picture = picture != out and pipeline.domain.draw(first, picture)
    lines = [f"{count:,} structures ({count / seconds:,.0f}/s): {out}"]
    if effective is not None:
        lines.append(f"of Boltzmann's distribution; they count as {effective * count:,.0f} independent ones")
    if has_picture:
        lines.append(f"a picture of the first: {picture}")
    if "trajectory" in values:
        lines.append(f"{values['frames']} frames of the way: {values['trajectory']}")
    values = {"out": str(out), "picture": str(picture) if has_picture else None, **values}
    values |= {"effective_share": effective, "seconds": seconds, "per_second": count / seconds}
    report(values, "\n".join(lines), as_json)


def read_batch_size(text: str) -> int | None:
    """Read ``auto``, or a number.

    Parameters
    ----------
    text : str
        What was written behind the option.

    Returns
    -------
    int or None
        None for ``auto``.

    Raises
    ------
    UserError
        For anything else.
    """
    if text == "auto":
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) > 0):
        raise UserError(f"--batch-size: expected auto or a number of at least 1, got {text!r}")
    return int(text)


def read_request(context: typer.Context, pipeline, checkpoint: str, count: int, num_nodes: str | None, seed: int):
    """Read what is wanted: the count, the sizes, and what the model's own options say.

    Parameters
    ----------
    context : typer.Context
        Whose ``args`` are the options that the command does not know.
    pipeline : SymdiffPipeline
        Whose domain knows them.
    checkpoint : str
        Its name, for messages.
    count : int
        How many structures.
    num_nodes : str or None
        ``9`` or ``5-9``.
    seed : int
        Same seed, same structures.

    Returns
    -------
    Request
        Which ``pipeline.prepare`` has not checked yet.

    Raises
    ------
    UserError
        For an option that the model does not have, and for what an option cannot say.
    """
    from symdiff.sampling.request import Request, parse_sizes

    sizes, words, options = parse_sizes(num_nodes), read_options(context.args), pipeline.domain.options
    for name in words:
        if name in options.absent:
            raise UserError(f"--{name}: {options.absent[name]}")
        if name not in options.help:
            own = [flag[2:] for parameter in context.command.params for flag in parameter.opts if flag.startswith("--")]
            raise UserError(f"--{name}: no such option of {checkpoint}{nearest(name, [*own, *options.help])}")
    for line in options.notes(words):
        typer.echo(f"note: {line}", err=True)
    streams = Request(count, seed=seed).values
    condition = options.read_condition(words, streams) if words or pipeline.domain.conditions else None
    if condition is not None and len(condition) > 1 and count != len(condition):
        condition = repeat(condition, count)
    return Request(count, sizes, condition, options.read_known(words), seed)


def repeat(condition, count: int):
    """Repeat each of several conditions as often as the others, its copies behind each other.

    Parameters
    ----------
    condition : State
        One row for each.
    count : int
        Rows of the result.

    Returns
    -------
    State
        ``count`` rows.

    Raises
    ------
    UserError
        Where ``count`` is no multiple of their number.
    """
    import torch

    each, rest = divmod(count, len(condition))
    if rest:
        raise UserError(f"--count: expected a multiple of the {len(condition)} given structures, got {count}")
    return condition.select(torch.arange(len(condition)).repeat_interleave(each))


def choose_sampler(pipeline, request, steps: int, guidance: float, particles: int, metropolis: bool):
    """Choose how a request is sampled.

    Parameters
    ----------
    pipeline : SymdiffPipeline
        What is sampled from.
    request : Request
        What is wanted.
    steps : int
        Evaluations of the network.
    guidance : float
        The guidance strength.
    particles : int
        Candidates for each structure around a fragment.
    metropolis : bool
        Whether samples are proposals of a Markov chain, and so need weights.

    Returns
    -------
    Request, Sampler
        The request, which is without its condition where guidance is 0: the sizes do not follow it either.

    Raises
    ------
    UserError
        For settings that do not go together.
    """
    from symdiff.guidance import hide
    from symdiff.sampling.importance import Importance

    condition = request.condition
    if guidance == 0 and condition is not None:
        request = replace(request, condition=hide(condition))
    sampler = pipeline.sampler(request, steps, guidance, particles)
    if not metropolis:
        return request, sampler
    if pipeline.has_latents:
        raise UserError("--metropolis: the likelihood of a structure is not known by way of its latent")
    if condition is not None and len(condition) > 1:
        raise UserError(
            f"--metropolis: expected one Hamiltonian and temperature for the whole chain, got {len(condition)}"
        )
    return request, Importance(sampler.diffusion, steps, pipeline.domain.log_density)


def follow(pipeline, sampler, score: str, strength: float, metropolis: bool):
    """The sampler with predictions that follow the gradient of a score of one's own: see ``Scored``.

    Raises
    ------
    UserError
        For a function that is not found, and a model or a sampler whose samples cannot follow one.
    """
    import math

    from symdiff.config.extensions import find_function
    from symdiff.denoisers.scored import Scored
    from symdiff.diffusion import Diffusion

    if not math.isfinite(strength):
        raise UserError(f"--score-strength: expected a finite number, got {strength}")
    if pipeline.has_latents or metropolis:
        why = "--metropolis corrects to another distribution" if metropolis else "the model samples latents"
        raise UserError(f"--score: {why}, where no score of structures leads")
    before = sampler.diffusion
    scored = Scored(before.denoiser, before.process, find_function(score, "--score"), strength)
    sampler.diffusion = Diffusion(scored, before.process, before.breaker)
    return sampler


def choose_filter(pipeline, request, sampler, words, metropolis: bool):
    """The request and the sampler for structures of which others are rejected, where an option asks for such.

    Raises
    ------
    UserError
        For what an option cannot say, and settings that do not go together.
    """
    wanted = pipeline.domain.options.read_filter(words)
    if wanted is None:
        return request, sampler
    if metropolis or pipeline.has_latents:
        raise UserError(f"{wanted.what}: only a diffusion of structures itself is sampled until one is accepted")
    from symdiff.sampling.rejection import Rejection

    if request.sizes not in (None, wanted.size):
        raise UserError(f"{wanted.what}: has {wanted.size} nodes; --num-nodes says otherwise")
    return replace(request, sizes=wanted.size), Rejection(sampler, wanted.accept, wanted.what)


def objects(blocks, first: list) -> Iterator:
    """Decode all blocks, one after the other.

    Parameters
    ----------
    blocks : iterable of Samples
        Consecutive structures.
    first : list
        To which up to ``FIRST`` objects of the first block are added.

    Yields
    ------
    object
        The next structure.
    """
    for samples in blocks:
        decoded = samples.objects()
        first += [] if first else decoded[:FIRST]
        yield from decoded


def read_options(words: Sequence[str]) -> dict[str, str]:
    """Read the options that the command does not know: ``--name value`` or ``--name=value``.

    Parameters
    ----------
    words : sequence of str
        The rest of the command line.

    Returns
    -------
    dict of str to str
        What was written behind each option, by its name without dashes.

    Raises
    ------
    UserError
        For what is no option with a value.
    """
    words, options = list(words), {}
    while words:
        name, sign, value = words.pop(0).partition("=")
        if not name.startswith("--") or len(name) < 3:
            raise UserError(f"unexpected argument {name!r}")
        if not sign and (not words or words[0].startswith("--")):
            raise UserError(f"{name}: expected a value behind it, or no such option")
        options[name[2:]] = value if sign else words.pop(0)
    return options


def find_device(name: str | None) -> str:
    """Find the device of a name, or the best there is.

    Parameters
    ----------
    name : str or None
        Such as ``cpu`` or ``cuda:1``; None for a GPU where there is one, under torchrun each process its own.

    Returns
    -------
    str
        The name.

    Raises
    ------
    UserError
        When there is no such device.
    """
    import os

    import torch

    if name is None:
        place = f":{os.environ['LOCAL_RANK']}" if "LOCAL_RANK" in os.environ else ""
        return f"cuda{place}" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UserError(f"--device {name}: {str(error).splitlines()[0]}") from error
    return name
