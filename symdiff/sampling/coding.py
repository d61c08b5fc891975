"""Many structures to latents and back, batch by batch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import torch
from torch import Tensor

from symdiff.autoencoders.autoencoder import Autoencoder
from symdiff.autoencoders.base import LATENT
from symdiff.random import Streams
from symdiff.sampling.batches import BLOCK, padded_size
from symdiff.state import State

BATCH = 256


class Structures(Protocol):
    """Structures that can be encoded: their numbers of nodes, and padded batches of them."""

    @property
    def num_nodes(self) -> Tensor:
        """Numbers of nodes, (M,) int64."""
        ...

    def batch(self, indices: Tensor, nodes: int | None = None) -> Any:
        """Pad some of the structures to one size.

        Parameters
        ----------
        indices : Tensor
            (B,) int64, which of the M.
        nodes : int, optional
            The size; that of the largest of them by default.

        Returns
        -------
        State
            B rows.
        """
        ...


def encode(
    autoencoder: Autoencoder,
    structures: Structures,
    seed: int = 0,
    batch_size: int = BATCH,
    progress: Callable[[float], None] | None = None,
) -> Tensor:
    """Encode structures, one latent each.

    A latent depends on its structure alone, for an encoder that sees the canonical order: the seed decides between
    orders that are equally canonical.

    Parameters
    ----------
    autoencoder : Autoencoder
        With latents of whole structures.
    structures : Structures
        A ``Dataset``, for one.
    seed : int
        Of z.
    batch_size : int
        Structures that are encoded together; changes the speed only.
    progress : callable, optional
        Called with the number of structures that are finished.

    Returns
    -------
    Tensor
        (M, dim) float32, on the CPU.

    Raises
    ------
    ValueError
        For an autoencoder with latents of nodes.
    """
    if not autoencoder.per_structure:
        raise ValueError("expected an autoencoder with one latent a structure, got one with latents of nodes")
    sizes, device = structures.num_nodes, next(autoencoder.parameters()).device
    largest = int(sizes.max())
    widths = torch.tensor([padded_size(size, largest) for size in range(largest + 1)])[sizes]
    latents = torch.empty(len(sizes), autoencoder.encoder.latent[LATENT].trailing[0])
    with torch.no_grad():
        for width in widths.unique().tolist():
            for rows in torch.nonzero(widths == width)[:, 0].split(_whole_blocks(batch_size)):
                padded = _fill(rows)
                x = structures.batch(padded, width).to(device)
                latent = autoencoder.encode(x, Streams(seed, padded))[LATENT]
                latents[rows] = latent[: len(rows)].float().cpu()
                if progress is not None:
                    progress(len(rows))
    return latents


def decode(
    autoencoder: Autoencoder,
    latents: Tensor,
    seed: int = 0,
    batch_size: int = BATCH,
    progress: Callable[[float], None] | None = None,
) -> Iterator[tuple[Tensor, State]]:
    """Decode latents, a batch at a time.

    Parameters
    ----------
    autoencoder : Autoencoder
        Whose latents they are.
    latents : Tensor
        (M, dim).
    seed : int
        Of the numbering of each structure's nodes.
    batch_size : int
        Structures that are decoded together; changes the speed only.
    progress : callable, optional
        Called with the number of structures that are finished.

    Yields
    ------
    rows, structures : Tensor, State
        (b,) int64 in order, and b structures on the CPU.

    Raises
    ------
    ValueError
        For latents of another size, or that are not finite.
    """
    schema = {LATENT: autoencoder.encoder.latent[LATENT]}
    dim, device = schema[LATENT].trailing[0], next(autoencoder.parameters()).device
    if latents.ndim != 2 or latents.shape[1] != dim:
        raise ValueError(f"expected latents of {dim} numbers each, got the shape {tuple(latents.shape)}")
    broken = torch.nonzero(~latents.isfinite().all(1))[:, 0]
    if len(broken):
        raise ValueError(f"{len(broken)} latents are not finite, the first is number {int(broken[0]) + 1}")
    with torch.no_grad():
        for rows in torch.arange(len(latents)).split(_whole_blocks(batch_size)):
            padded = _fill(rows)
            mask = torch.ones(len(padded), 1, dtype=torch.bool, device=device)
            latent = State(mask, schema, {LATENT: latents[padded].float().to(device)})
            structures = autoencoder.decode(latent, Streams(seed, padded))
            yield rows, structures.select(slice(0, len(rows))).to("cpu")
            if progress is not None:
                progress(len(rows))


def identify(autoencoder: Autoencoder) -> str:
    """Name the weights that latents are decoded with: the SHA-256 of the decoder's.

    Parameters
    ----------
    autoencoder : Autoencoder
        Whose decoder is named.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(autoencoder.decoder.state_dict().items()):
        digest.update(name.encode() + tensor.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _whole_blocks(batch_size: int) -> int:
    return -(-batch_size // BLOCK) * BLOCK


def _fill(rows: Tensor) -> Tensor:
    """Repeat the last row up to whole blocks, so that a row's result does not depend on the others (``batches``)."""
    return rows[torch.arange(len(rows) + -len(rows) % BLOCK).clamp_max(len(rows) - 1)]
