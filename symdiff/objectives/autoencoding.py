"""Reconstruction: how surprising a structure is to the decoder of its own latent."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from symdiff.autoencoders.autoencoder import Autoencoder
from symdiff.autoencoders.base import LATENT, LOG_VARIANCE
from symdiff.objectives.base import Objective
from symdiff.processes.base import add
from symdiff.random import Generator, normal
from symdiff.state import Logits, State, support


class Autoencoding(Objective):
    """−log p(structure | latent, z), summed over labels and the number of nodes, in nats.

    The z of the structure says which node is which, so nothing is matched. Reals add their squared error, as under a
    normal distribution of standard deviation ``precision``, up to a constant.

    Parameters
    ----------
    noise : float
        The standard deviation of normal noise that is added to latents before they are decoded, which makes them
        smooth; of latents whose root mean square is 1.
    kl : float
        The weight of the Kullback-Leibler divergence from the distribution of a variational encoder's latent to the
        standard normal one.
    precision : float
        The standard deviation of the error of reals that counts 1/2 nat, in the unit of the data.

    References
    ----------
    Kingma, Welling: Auto-Encoding Variational Bayes (ICLR 2014).
    """

    def __init__(
        self,
        noise: Annotated[float, Field(ge=0, le=100)] = 0.0,
        kl: Annotated[float, Field(ge=0, le=1e6)] = 0.0,
        precision: Annotated[float, Field(gt=0, le=1e6)] = 0.1,
    ) -> None:
        self.noise, self.kl, self.precision = noise, kl, precision

    def __call__(self, model: Autoencoder, x0: State, generator: Generator | None = None) -> Tensor:
        """Encode, add noise, decode with the same z, and sum the surprise of every field and of the number of nodes."""
        z = model.draw(x0, generator)
        latent = model.encoder(x0, z)
        loss, variational = torch.zeros(len(x0), device=x0.device), LOG_VARIANCE in latent.schema
        if self.kl and not variational:
            raise ValueError("objective.kl needs an encoder that is variational; noise smooths the latents of others")
        clean, deviation = latent[LATENT], self.noise
        if variational:
            log_variance = latent[LOG_VARIANCE]
            divergence = 0.5 * (clean.square() + log_variance.exp() - 1 - log_variance)
            present = support(latent.schema[LATENT], latent.mask)[..., None]
            loss = loss + self.kl * torch.where(present, divergence, 0.0).reshape(len(x0), -1).sum(1)
            deviation = (0.5 * log_variance).exp()
        if variational or self.noise:
            noise = normal(tuple(clean.shape), generator, latent.mask)
            latent = latent.with_values(**{LATENT: clean + deviation * noise})
        out = model.predict(latent, z)
        loss = loss + add(self._surprise(name, out, x0) for name in out.schema)
        if model.per_structure:
            sizes = model.decoder.sizes(latent)
            if int(x0.mask.shape[1]) >= sizes.shape[1]:
                raise ValueError(
                    f"the decoder has {sizes.shape[1] - 1} nodes, got structures with up to {x0.mask.shape[1]}"
                )
            loss = loss + functional.nll_loss(sizes, x0.num_nodes, reduction="none")
        return loss

    def _surprise(self, name: str, out: State, x0: State) -> Tensor:
        """−log p of a field, (B,)."""
        field, value = out.schema[name], out[name].float()
        present = support(field, x0.mask)
        if isinstance(field, Logits):
            surprise = functional.cross_entropy(value.flatten(0, -2), x0[name].flatten(), reduction="none")
            surprise = surprise.view(present.shape)
        else:
            error = (value - x0[name]).square().flatten(present.ndim)
            surprise = 0.5 * error.sum(-1) / self.precision**2
        return torch.where(present, surprise, 0.0).reshape(len(x0), -1).sum(1)
