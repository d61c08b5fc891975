"""The latents of a data set, which a diffusion is trained on."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from symdiff.autoencoders.autoencoder import Autoencoder
from symdiff.autoencoders.base import LATENT
from symdiff.data.dataset import Dataset
from symdiff.sampling.coding import encode
from symdiff.state import Schema, State


class Latents:
    """One latent a structure, with its conditions, as structures of one node.

    Parameters
    ----------
    schema : Mapping of str to Field
        ``latent`` and the conditions.
    values : dict of str to Tensor
        (M, ...) each.
    """

    def __init__(self, schema: Schema, values: dict[str, Tensor]) -> None:
        self.schema, self.values = schema, values

    @classmethod
    def of(cls, autoencoder: Autoencoder, structures: Dataset, seed: int = 0) -> Latents:
        """Encode a data set; a latent is the mean where the encoder is variational.

        Parameters
        ----------
        autoencoder : Autoencoder
            With an encoder.
        structures : Dataset
            In its domain.
        seed : int
            Of z, which matters where a structure has several canonical orders.

        Returns
        -------
        Latents
            With the conditions of the data set.
        """
        given = structures.domain.conditions
        schema = {
            LATENT: autoencoder.encoder.latent[LATENT],
            **{name: structures.domain.schema[name] for name in given},
        }
        values = {LATENT: encode(autoencoder, structures, seed)}
        values |= {name: structures.columns.arrays[name][structures.rows] for name in given}
        return cls(schema, values)

    @property
    def digest(self) -> str:
        """Names the content."""
        return hashlib.sha256(self.values[LATENT].numpy().tobytes()).hexdigest()

    def __len__(self) -> int:
        return len(self.values[LATENT])

    @property
    def num_nodes(self) -> Tensor:
        """(M,) int64, all 1."""
        return torch.ones(len(self), dtype=torch.int64)

    def batch(self, indices: Tensor, nodes: int | None = None) -> State:
        """Make a batch of latents.

        Parameters
        ----------
        indices : Tensor
            (B,) int64, which of the M.
        nodes : int, optional
            Not used: every latent is a structure of one node.

        Returns
        -------
        State
            B structures of one node.
        """
        mask = torch.ones(len(indices), 1, dtype=torch.bool)
        return State(mask, self.schema, {name: values[indices] for name, values in self.values.items()})
