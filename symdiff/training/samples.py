"""A look at what the model samples while it trains."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence

import torch

from symdiff.autoencoders.autoencoder import Autoencoder
from symdiff.data.dataset import Dataset
from symdiff.diffusion import Diffusion
from symdiff.domains.base import Domain
from symdiff.random import Streams
from symdiff.sampling.ancestral import Ancestral
from symdiff.sampling.batches import plan, sample
from symdiff.sampling.decoded import Decoded
from symdiff.sampling.request import Request
from symdiff.sampling.sampler import Sampler
from symdiff.state import State
from symdiff.training.batches import seed_for

SHOWN = 8
BATCH = 256


def observer(
    domain: Domain,
    size_histogram: Sequence[float],
    count: int,
    steps: int,
    seed: int,
    condition: State | None = None,
    autoencoder: Autoencoder | None = None,
) -> Callable[[Diffusion, int], dict]:
    """Make the function that looks at what a model samples while it trains.

    The draw depends on the seed, the training step and the weights alone.

    Parameters
    ----------
    domain : Domain
        What the structures are.
    size_histogram : sequence of float
        The share of structures with 0, 1, 2, ... nodes.
    count : int
        Structures that are sampled.
    steps : int
        Network evaluations.
    seed : int
        Of the training.
    condition : State, optional
        ``count`` rows of given fields, which also decide on the sizes.
    autoencoder : Autoencoder, optional
        For a diffusion of latents: whose they are.

    Returns
    -------
    callable
        (diffusion, step) -> values that a training logs.
    """
    sizes = None if condition is None else condition.num_nodes
    if autoencoder is not None:
        size_histogram, sizes = [0.0, 1.0], None

    def observe(diffusion: Diffusion, step: int) -> dict:
        own = seed_for(seed, "samples") + (step << 32)
        device = next(diffusion.parameters()).device
        batches = plan(Request(count, sizes, condition, seed=own), size_histogram, pads=domain.pads)
        sampler: Sampler = Ancestral(diffusion, steps)
        if autoencoder is not None:
            sampler = Decoded(sampler, autoencoder.to(device))
        return judge(domain, sample(sampler, domain, batches, device).state())

    return observe


def observe_reconstruction(dataset: Dataset, count: int, seed: int) -> Callable[[Autoencoder, int], dict]:
    """Make the function that tells which structures an autoencoder reconstructs exactly while it trains.

    Parameters
    ----------
    dataset : Dataset
        Whose valid split is looked at, or the train split where there is none.
    count : int
        The most structures.
    seed : int
        Of z.

    Returns
    -------
    callable
        (autoencoder, step) -> values that a training logs.
    """
    split = next(name for name in ("valid", "train") if name in dataset.splits)
    structures = dataset.split(split)
    rows = (torch.arange(min(count, len(structures))) * len(structures)) // min(count, len(structures))

    @torch.no_grad()
    def observe(autoencoder: Autoencoder, step: int) -> dict:
        device = next(autoencoder.parameters()).device
        exact = [
            autoencoder.exact(structures.batch(part).to(device), Streams(seed, part)).cpu()
            for part in rows.split(BATCH)
        ]
        return {"count": len(rows), "split": split, "exact": float(torch.cat(exact).double().mean())}

    return observe


def judge(domain: Domain, state: State) -> dict:
    """Measure validity (sanitizes, one component) and the distinct share of the valid, where the domain has molecules.

    Parameters
    ----------
    domain : Domain
        What the structures are.
    state : State
        Samples.

    Returns
    -------
    dict
        ``count``, and ``validity``, ``sanitized``, ``uniqueness`` (shares) and ``examples``; ``undecided`` where it
        cannot be decided, with the reason.
    """
    values: dict = {"count": len(state)}
    inspect = getattr(domain.codec, "inspect", None)
    if inspect is None:
        return {**values, "undecided": f"{type(domain).__name__} has no notion of validity"}
    if importlib.util.find_spec("rdkit") is None:
        return {**values, "undecided": "rdkit is not installed here, so validity was not computed"}
    verdicts = inspect(state)
    valid = [text for text, reason in verdicts if reason is None and "." not in text]
    values["validity"] = len(valid) / len(verdicts)
    values["sanitized"] = sum(reason is None for _, reason in verdicts) / len(verdicts)
    if valid:
        values["uniqueness"] = len(set(valid)) / len(valid)
    return {**values, "examples": [text if reason is None else f"({reason})" for text, reason in verdicts[:SHOWN]]}
