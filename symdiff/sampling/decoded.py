"""Structures by way of their latents."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from symdiff.autoencoders.autoencoder import Autoencoder
from symdiff.random import Generator
from symdiff.sampling.request import Request
from symdiff.sampling.sampler import Sampler, Trajectory


class Decoded(Sampler):
    """Samples latents as another sampler does, and decodes them at the end.

    Latents of whole structures are invariant, so nothing breaks a symmetry on the way; z is drawn once, uniformly, for
    the decoder.

    Parameters
    ----------
    latents : Sampler
        Of a diffusion of latents.
    autoencoder : Autoencoder
        Whose latents they are.
    """

    def __init__(self, latents: Sampler, autoencoder: Autoencoder) -> None:
        super().__init__(latents.diffusion, latents.steps)
        self.latents, self.autoencoder = latents, autoencoder
        self.particles, self.differentiable = latents.particles, latents.differentiable

    def init(self, request: Request, generator: Generator | None = None) -> Trajectory:
        """Begin a trajectory of latents."""
        return self.latents.init(request, generator)

    def step(self, path: Trajectory, t: Tensor, s: Tensor, generator: Generator | None = None) -> Trajectory:
        """Step with the sampler of latents."""
        return self.latents.step(path, t, s, generator)

    def finish(self, path: Trajectory, generator: Generator | None = None) -> Trajectory:
        """Decode the latents, and keep the given fields beside the structures."""
        path = self.latents.finish(path, generator)
        structures = self.autoencoder.decode(path.x, generator)
        given = {name: field for name, field in path.x.schema.items() if name not in self.diffusion.process.schema}
        return replace(path, x=structures.with_values(given, **{name: path.x[name] for name in given}))
