"""A pipeline: a checkpoint folder <-> a model that samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from symdiff.assembly import Model
from symdiff.assembly import assemble as assemble
from symdiff.assembly import check_parts as check_parts
from symdiff.autoencoders.autoencoder import Autoencoder
from symdiff.breaking.nothing import Nothing
from symdiff.checkpoint import Checkpoint
from symdiff.config.recipe import Recipe, SamplingSettings
from symdiff.data.dataset import Dataset
from symdiff.data.orders import reorder
from symdiff.diffusion import Diffusion
from symdiff.domains import arrays
from symdiff.domains.base import Domain
from symdiff.errors import UserError
from symdiff.guidance import Guided, may_hide
from symdiff.objectives.autoencoding import Autoencoding
from symdiff.objectives.denoising import Denoising
from symdiff.sampling.ancestral import Ancestral
from symdiff.sampling.coding import BATCH, decode, encode
from symdiff.sampling.decoded import Decoded
from symdiff.sampling.inpainting import Inpainting
from symdiff.sampling.preparation import prepare
from symdiff.sampling.recorded import FRAMES, Recorded
from symdiff.sampling.request import Request
from symdiff.sampling.run import Run
from symdiff.sampling.sampler import Sampler
from symdiff.sampling.samples import Samples
from symdiff.sampling.scaffolding import OPEN, Scaffolding


class SymdiffPipeline(Checkpoint):
    """A trained model: a diffusion samples, an autoencoder encodes and decodes, a diffusion of latents does all three.

    ``Checkpoint`` says what it is made of, and how it is saved and loaded.
    """

    @classmethod
    def of(
        cls,
        model: Model,
        domain: Domain,
        size_histogram: list[float],
        recipe: Recipe | None = None,
        autoencoder: Autoencoder | None = None,
    ) -> SymdiffPipeline:
        """Put a trained model into a pipeline, with the autoencoder whose latents it diffuses if there is one.

        Parameters
        ----------
        model : Diffusion or Autoencoder
            What was trained.
        domain : Domain
            What its structures are.
        size_histogram : list of float
            The share of the training structures with 0, 1, 2, ... nodes.
        recipe : Recipe, optional
            What it was trained by, written beside the weights.
        autoencoder : Autoencoder, optional
            For a diffusion of latents: whose they are.

        Returns
        -------
        SymdiffPipeline
            Which shares the networks of ``model``.
        """
        parts = {**model.parts, **(autoencoder.parts if autoencoder is not None else {})}
        pipeline = cls(domain.spec, size_histogram, **parts)
        pipeline.recipe = recipe
        return pipeline

    @property
    def diffusion(self) -> Diffusion:
        """Denoiser, process and breaker as one module, whose forward is the loss of denoising.

        Latents are invariant, so a diffusion of them breaks no symmetry.

        Raises
        ------
        UserError
            For an autoencoder alone.
        """
        if "denoiser" not in self.names:
            raise UserError("this checkpoint is an autoencoder: it encodes and decodes, and has nothing to sample with")
        breaker = Nothing() if self.has_latents else self.breaker
        return Diffusion(self.denoiser, self.process, breaker, Denoising())

    @property
    def autoencoder(self) -> Autoencoder:
        """Encoder, decoder and breaker as one module.

        Raises
        ------
        UserError
            Where there is no encoder.
        """
        if "encoder" not in self.names:
            raise UserError("this checkpoint has no encoder: it samples, and neither encodes nor decodes")
        return Autoencoder(self.encoder, self.decoder, self.breaker, Autoencoding())

    @property
    def has_latents(self) -> bool:
        """Whether what is diffused are latents, or there is nothing but an autoencoder."""
        return "decoder" in self.names

    @property
    def _decoding(self) -> Autoencoder:
        """The autoencoder as far as decoding needs it, which is without the encoder."""
        return Autoencoder(self.encoder if "encoder" in self.names else None, self.decoder, self.breaker)

    @property
    def device(self) -> torch.device:
        """Where the networks are; a breaker without parameters is nowhere."""
        return (self.denoiser if "denoiser" in self.names else self.decoder).device

    @property
    def default_steps(self) -> int:
        """The number of network evaluations that the recipe names."""
        return (self.recipe.sampling if self.recipe else SamplingSettings()).steps

    @property
    def dataset(self) -> str | None:
        """Name of the data set that the recipe trains on."""
        return self.recipe.data.dataset if self.recipe else None

    def guide(self, strength: float) -> Diffusion:
        """Return the model with predictions that follow its conditions more strongly: see ``Guided``.

        Parameters
        ----------
        strength : float
            The guidance strength; 1 leaves the model as it is, more than 1 follows the conditions more strongly.

        Returns
        -------
        Diffusion
            Around the same networks.

        Raises
        ------
        UserError
            When no condition was hidden in training, or the strength is not finite.
        """
        if not math.isfinite(strength):
            raise UserError(f"guidance: expected a finite number, got {strength}")
        if strength == 1:
            return self.diffusion
        if not may_hide(self.domain.schema):
            raise UserError(f"guidance: the model has no condition that may be absent, so expected 1, got {strength:g}")
        return Diffusion(Guided(self.denoiser, strength), self.process, self.diffusion.breaker)

    def sampler(self, request: Request, steps: int | None = None, guidance: float = 1.0, particles: int = 1) -> Sampler:
        """The sampler for a request unless another one is chosen.

        ``Ancestral``, or ``Inpainting`` around a fragment; ``Decoded`` for a diffusion of latents.

        Parameters
        ----------
        request : Request
            What is wanted, which decides between them.
        steps : int, optional
            Evaluations of the network; those that the recipe names by default.
        guidance : float
            The guidance strength: see ``guide``.
        particles : int
            Trajectories for each structure around a fragment.

        Returns
        -------
        Sampler
            Which samples this model.

        Raises
        ------
        UserError
            For settings that do not go together.
        """
        diffusion, steps = self.guide(guidance), self.default_steps if steps is None else steps
        has_scaffold = request.known is not None and OPEN in request.known.schema
        around = request.known is not None and not diffusion.process.reveals
        if particles > 1 and not around and not has_scaffold:
            raise UserError(f"--particles: expected 1, for no fragment is fixed, got {particles}")
        if has_scaffold:
            sampler = Scaffolding(diffusion, steps, particles)
        else:
            sampler = Inpainting(diffusion, steps, particles) if around else Ancestral(diffusion, steps)
        return Decoded(sampler, self._decoding) if self.has_latents else sampler

    def sample(
        self,
        request: Request | int,
        sampler: Sampler | int | None = None,
        batch_size: int | None = None,
        device: str | torch.device | None = None,
        precision: str = "fp32",
        progress: Callable[[float], None] | None = None,
    ) -> Samples:
        """Sample structures, all of them in memory.

        Parameters
        ----------
        request : Request or int
            What is wanted, or how many structures.
        sampler : Sampler or int, optional
            How it is sampled; a number stands for the usual sampler with so many steps, None for the steps that the
            recipe names.
        batch_size : int, optional
            Structures that are sampled together; changes the speed only.
        device : str or torch.device, optional
            Where the model is moved to first.
        precision : str
            ``fp32`` or ``bf16`` (autocast).
        progress : callable, optional
            Called with the number of finished structures (a fraction of a batch after each step).

        Returns
        -------
        Samples
            As many as the request wants, in its order.

        Raises
        ------
        UserError
            For sizes that the model cannot have, a condition that is missing or has other fields, and values out of
            range.
        """
        return self._begin(request, sampler, batch_size, device, precision, progress).collect()

    __call__ = sample

    def stream(
        self,
        request: Request | int,
        sampler: Sampler | int | None = None,
        batch_size: int | None = None,
        device: str | torch.device | None = None,
        precision: str = "fp32",
        progress: Callable[[float], None] | None = None,
    ) -> Iterator[Samples]:
        """Sample as ``sample`` does, but block after block of consecutive structures.

        So no more than one block is in memory. Under torchrun the processes share the batches: the first one gets all
        blocks, in order; the others do their part and get none.

        Parameters
        ----------
        request, sampler, batch_size, device, precision, progress
            As for ``sample``.

        Yields
        ------
        Samples
            The next block.

        Raises
        ------
        UserError
            As ``sample``.
        """
        run = self._begin(request, sampler, batch_size, device, precision, progress)
        nodes = self.decoder.config["nodes"] if self.has_latents else run.request.largest(run.histogram)
        yield from run.stream(nodes)

    def record(
        self,
        request: Request | int,
        sampler: Sampler | int | None = None,
        frames: int = FRAMES,
        device: str | torch.device | None = None,
        precision: str = "fp32",
    ) -> list[Samples]:
        """Sample as ``sample`` does, and keep what the structures were on the way.

        Parameters
        ----------
        request, sampler, device, precision
            As in ``sample``.
        frames : int
            Moments that are kept, evenly over the steps.

        Returns
        -------
        list of Samples
            One for every moment, from noise to the samples.

        Raises
        ------
        UserError
            As ``sample``, and for a model whose states on the way are no structures, such as one of latents.
        """
        request = Request(request) if isinstance(request, int) else request
        if self.has_latents:
            raise UserError("a trajectory of latents has no structures: they are decoded at the end")
        recorded = Recorded(sampler if isinstance(sampler, Sampler) else self.sampler(request, sampler), frames)
        return self._begin(request, recorded, None, device, precision, None).record(recorded)

    def _begin(
        self,
        request: Request | int,
        sampler: Sampler | int | None,
        batch_size: int | None,
        device: str | torch.device | None,
        precision: str,
        progress: Callable[[float], None] | None,
    ) -> Run:
        """Check what is asked for, and move the model."""
        request = Request(request) if isinstance(request, int) else request
        sampler = sampler if isinstance(sampler, Sampler) else self.sampler(request, sampler)
        if batch_size is not None and batch_size < 1:
            raise UserError(f"batch size: expected at least 1, got {batch_size}")
        if precision not in ("fp32", "bf16"):
            raise UserError(f"precision: expected 'fp32' or 'bf16', got {precision!r}")
        target = torch.device(device) if device is not None else self.device
        if target != self.device:
            self.to(target)
        sampler.diffusion.eval()
        return Run(sampler, self.domain, *self.prepare(request), target, batch_size, precision, progress)

    def encode(
        self,
        structures: Dataset | Sequence,
        seed: int = 0,
        batch_size: int = BATCH,
        progress: Callable[[float], None] | None = None,
    ) -> Tensor:
        """Encode structures, one latent each.

        Parameters
        ----------
        structures : Dataset or sequence
            A data set in the model's domain, or objects that its codec encodes: molecules, graphs.
        seed : int
            Of z, which matters where a structure has several canonical orders.
        batch_size : int
            Structures that are encoded together; changes the speed only.
        progress : callable, optional
            Called with the number of structures that are finished.

        Returns
        -------
        Tensor
            (M, dim) float32.

        Raises
        ------
        UserError
            For an object that does not fit the domain, a structure larger than the decoder's, and a model without an
            encoder.
        """
        autoencoder, order = self.autoencoder.eval(), self.recipe.data.order if self.recipe else "stored"
        if not isinstance(structures, Dataset):
            flat = arrays.pack([self.domain.encode(each) for each in structures], self.domain.schema)
            structures = Dataset.from_arrays(self.domain, flat, {"name": "objects", "order": self.domain.codec.order})
        structures = reorder(structures, order)
        try:
            return encode(autoencoder, structures, seed, batch_size, progress)
        except ValueError as error:
            raise UserError(
                f"cannot encode structures of up to {int(structures.num_nodes.max())} nodes: {error}"
            ) from None

    def decode(
        self,
        latents: Tensor,
        seed: int = 0,
        batch_size: int = BATCH,
        progress: Callable[[float], None] | None = None,
    ) -> Iterator[Samples]:
        """Decode latents, block after block of consecutive structures.

        Parameters
        ----------
        latents : Tensor
            (M, dim).
        seed : int
            Of the numbering of the nodes, nothing else.
        batch_size : int
            Structures that are decoded together; changes the speed only.
        progress : callable, optional
            Called with the number of structures that are finished.

        Yields
        ------
        Samples
            The structures of the next rows of ``latents``.

        Raises
        ------
        UserError
            For latents of another size or that are not finite, and a model without a decoder.
        """
        try:
            for rows, structures in decode(self.autoencoder.eval(), latents, seed, batch_size, progress):
                yield Samples(self.domain, [structures], [rows - rows[0]])
        except ValueError as error:
            raise UserError(f"cannot decode: {error}") from None

    def prepare(self, request: Request) -> tuple[Request, list[float]]:
        """Check a request, and find the sizes that its condition or its known part has.

        Parameters
        ----------
        request : Request
            What is wanted.

        Returns
        -------
        request : Request
            With sizes where the condition or the known part decides on them.
        histogram : list of float
            The share of structures with 0, 1, 2, ... nodes, for sizes that are left open.

        Raises
        ------
        UserError
            For a condition or a known part that the model does not have, and for sizes that it cannot have.
        """
        histogram = list(self.config["size_histogram"])
        if self.has_latents:
            if request.sizes is not None or request.known is not None:
                what = "num_nodes" if request.known is None else "known"
                raise UserError(f"{what}: a diffusion of latents takes none: its decoder decides on the structure")
            histogram = [0.0, 1.0]
        return prepare(request, self.domain, self.process, self.diffusion.breaker, histogram, self.device)


Pipeline = SymdiffPipeline


def load(source: str | Path) -> SymdiffPipeline:
    """Load a checkpoint: ``symdiff.load("qm9-3d").sample(16).to_rdkit()``.

    Parameters
    ----------
    source : str or Path
        A folder, a bundled checkpoint's name or a hub id.

    Returns
    -------
    SymdiffPipeline
        Ready to sample, encode or decode, on the CPU.

    Raises
    ------
    UserError
        As ``Checkpoint.load``.
    """
    return SymdiffPipeline.load(source)
