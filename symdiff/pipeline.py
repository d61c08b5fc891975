"""A pipeline: a checkpoint folder <-> a model that samples."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import diffusers
import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline

from symdiff import components
from symdiff.assembly import assemble as assemble
from symdiff.assembly import check_parts as check_parts
from symdiff.components import DIFFUSION, check_names
from symdiff.config import recipe
from symdiff.config.recipe import Recipe, SamplingSettings
from symdiff.diffusion import Diffusion
from symdiff.domains.base import Domain, domain_from_spec
from symdiff.errors import UserError
from symdiff.guidance import Guided, may_hide
from symdiff.objectives.denoising import Denoising
from symdiff.sampling.ancestral import Ancestral
from symdiff.sampling.batches import plan, sample
from symdiff.sampling.inpainting import Inpainting
from symdiff.sampling.preparation import prepare
from symdiff.sampling.request import Request
from symdiff.sampling.sampler import Sampler
from symdiff.sampling.samples import Samples
from symdiff.sampling.stream import block_size, join, pack, unpack
from symdiff.storage import bundled, checkpoint, hub
from symdiff.workers import process, share


class SymdiffPipeline(DiffusionPipeline):
    """A trained model: named components, the domain of its structures, and the distribution of their sizes.

    Parameters
    ----------
    domain
        The spec of the domain.
    size_histogram
        The share of the training structures with 0, 1, 2, ... nodes.
    components
        By the names of ``COMPONENTS``: denoiser, breaker and process of a diffusion, and others beside or instead of
        them.

    Raises
    ------
    ValueError
        Without a domain or a histogram.
    UserError
        For an unknown component, and a diffusion without one of its components.
    """

    def __init__(self, domain: dict | None = None, size_histogram: list | None = None, **components: Any) -> None:
        super().__init__()
        if domain is None or not size_histogram:
            raise ValueError("a pipeline needs the spec of a domain and a size histogram")
        check_names(components, "pipeline")
        self.names = tuple(components)
        self.register_modules(**components)
        self.register_to_config(domain=dict(domain), size_histogram=list(size_histogram))
        self.domain = domain_from_spec(domain)
        self.recipe: Recipe | None = None

    @classmethod
    def _get_signature_keys(cls, obj: Any) -> Any:
        # diffusers, which returns sets as well, would read the components off the constructor's signature
        return set(getattr(obj, "names", ())), {"domain", "size_histogram"}

    @classmethod
    def of(
        cls, diffusion: Diffusion, domain: Domain, size_histogram: list[float], recipe: Recipe | None = None
    ) -> SymdiffPipeline:
        """The pipeline around a trained diffusion."""
        parts = {name: getattr(diffusion, name) for name in DIFFUSION}
        pipeline = cls(domain.spec, size_histogram, **parts)
        pipeline.recipe = recipe
        return pipeline

    @property
    def diffusion(self) -> Diffusion:
        """Denoiser, process and breaker as one module, whose forward is the loss of denoising."""
        return Diffusion(self.denoiser, self.process, self.breaker, Denoising())

    @property
    def device(self) -> torch.device:
        """Where the denoiser is; a breaker without parameters is nowhere."""
        return self.denoiser.device

    @property
    def default_steps(self) -> int:
        """The number of network evaluations that the recipe names."""
        return (self.recipe.sampling if self.recipe else SamplingSettings()).steps

    @property
    def dataset(self) -> str | None:
        """Name of the data set that the recipe trains on."""
        return self.recipe.data.dataset if self.recipe else None

    def guide(self, strength: float) -> Diffusion:
        """The model with predictions that follow its conditions ``strength`` times as strongly: see ``Guided``.

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
        return Diffusion(Guided(self.denoiser, strength), self.process, self.breaker)

    def sampler(self, request: Request, steps: int | None = None) -> Sampler:
        """The sampler for a request unless another one is chosen.

        ``Ancestral``, or ``Inpainting`` around a fragment.
        """
        around = request.known is not None and not self.process.reveals
        return (Inpainting if around else Ancestral)(self.diffusion, self.default_steps if steps is None else steps)

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
        request
            What is wanted, or how many structures.
        sampler
            How it is sampled; a number stands for the usual sampler with so many steps, None for the steps that the
            recipe names.
        batch_size
            Structures that are sampled together; changes the speed only.
        device
            Where the model is moved to first.
        precision
            ``fp32`` or ``bf16`` (autocast).
        progress
            Called with the number of finished structures (a fraction of a batch after each step).

        Raises
        ------
        UserError
            For sizes that the model cannot have, a condition that is missing or has other fields, and values out of
            range.
        """
        draw, request, histogram = self._begin(request, sampler, batch_size, device, precision, progress)
        return draw(plan(request, histogram, batch_size, self.domain.pads))

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
        """
        draw, request, histogram = self._begin(request, sampler, batch_size, device, precision, progress)
        size = block_size(self.domain, request.largest(histogram))

        def blocks() -> Iterator[list[Request]]:
            for start in range(0, request.count, size):
                yield plan(
                    request.part(torch.arange(start, min(start + size, request.count))),
                    histogram,
                    batch_size,
                    self.domain.pads,
                )

        rank, processes = process()
        if processes == 1:
            yield from map(draw, blocks())
            return
        shared = share(
            lambda batch: draw([batch]),
            chain.from_iterable(blocks()),
            pack,
            lambda content: unpack(content, self.domain),
        )
        if rank > 0:
            deque(shared, 0)
            return
        for batches in blocks():
            finished = list(islice(shared, len(batches)))
            if progress is not None:
                progress(sum(len(samples) for place, samples in enumerate(finished) if place % processes))
            yield join(finished)

    def _begin(
        self,
        request: Request | int,
        sampler: Sampler | int | None,
        batch_size: int | None,
        device: str | torch.device | None,
        precision: str,
        progress: Callable[[float], None] | None,
    ) -> tuple[Callable[[list[Request]], Samples], Request, list[float]]:
        """Check what is asked for, and move the model.

        What samples planned batches, the request, and the distribution of open sizes.
        """
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

        def draw(batches: list[Request]) -> Samples:
            with torch.autocast(target.type, torch.bfloat16, enabled=precision == "bf16"):
                return sample(sampler, self.domain, batches, target, progress)

        return draw, *self.prepare(request)

    def prepare(self, request: Request) -> tuple[Request, list[float]]:
        """Check a request, and find the sizes that its condition or its known part has.

        Returns
        -------
        request, histogram
            The request, and the distribution of the numbers of nodes of structures that it leaves undecided.

        Raises
        ------
        UserError
            For a condition or a known part that the model does not have, and for sizes that it cannot have.
        """
        histogram = list(self.config["size_histogram"])
        return prepare(request, self.domain, self.process, self.breaker, histogram, self.device)

    # files

    def save(self, folder: str | Path, card: str = "", evaluation: Mapping | None = None, half: bool = False) -> None:
        """Write the checkpoint folder: whole or not at all.

        Parameters
        ----------
        folder : str or Path
            Is replaced where it is there.
        card : str
            Text of README.md.
        evaluation : mapping, optional
            Content of evaluation.json.
        half : bool
            Whether weights are written as float16.

        Raises
        ------
        UserError
            When it cannot be written; what was there before is untouched.
        """

        def fill(target: Path) -> None:
            index: dict[str, Any] = {"_class_name": type(self).__name__, "_diffusers_version": diffusers.__version__}
            for name in self.names:
                index[name] = components.write(target, name, getattr(self, name), half)
            settings = {key: self.config[key] for key in ("domain", "size_histogram")}
            checkpoint.write_json(target / "model_index.json", {**index, **settings})
            if self.recipe is not None:
                (target / "recipe.yaml").write_text(recipe.dump(self.recipe), encoding="utf-8")
            if card:
                (target / "README.md").write_text(card, encoding="utf-8")
            if evaluation is not None:
                checkpoint.write_json(target / "evaluation.json", evaluation)

        checkpoint.write(Path(folder), fill)

    @classmethod
    def load(cls, source: str | Path) -> SymdiffPipeline:
        """Load a folder, a bundled checkpoint by name, or a hub id (``organization/name``), strictly.

        Raises
        ------
        UserError
            For a file that is missing, altered or extra, an unknown class, weights that do not fit or are not finite.
        """
        folder = bundled.checkpoint(source)
        checkpoint.verify(folder)
        index = components.read_index(folder, cls.__name__)
        with torch.random.fork_rng(devices=[]):  # loading leaves the caller's random numbers alone
            parts = {
                name: components.read(folder, name, index[name][1]) for name in index if name not in components.SETTINGS
            }
        try:
            pipeline = cls(index["domain"], index["size_histogram"], **parts)
        except (TypeError, ValueError) as error:
            raise UserError(f"{folder / 'model_index.json'}: {error}") from None
        if (folder / "recipe.yaml").is_file():
            pipeline.recipe = recipe.load(folder / "recipe.yaml", earlier_keys=True)
        return pipeline

    # under diffusers' names: only the settings that mean something here

    @classmethod
    def from_pretrained(  # pyright: ignore[reportIncompatibleMethodOverride]
        cls,
        pretrained_model_name_or_path: str | Path,
        torch_dtype: torch.dtype | None = None,
        *,
        revision: str | None = None,
        cache_dir: str | Path | None = None,
        token: str | bool | None = None,
        local_files_only: bool = False,
        force_download: bool = False,
    ) -> SymdiffPipeline:
        """``load`` under diffusers' name.

        Parameters
        ----------
        pretrained_model_name_or_path : str or Path
            A folder, a bundled checkpoint's name or a hub id.
        torch_dtype : torch.dtype, optional
            What the networks are converted to.
        revision, cache_dir, token, local_files_only, force_download
            See ``symdiff.storage.hub.download``; they say nothing of a folder.

        Raises
        ------
        UserError
            As ``load``.
        """
        where = {"revision": revision, "cache_dir": cache_dir, "token": token}
        folder = bundled.checkpoint(
            pretrained_model_name_or_path, **where, local_files_only=local_files_only, force_download=force_download
        )
        pipeline = cls.load(folder)
        if torch_dtype is not None:
            for part in (getattr(pipeline, name) for name in pipeline.names):
                if isinstance(part, torch.nn.Module):
                    torch.nn.Module.to(part, torch_dtype)
        return pipeline

    def save_pretrained(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        save_directory: str | Path,
        safe_serialization: bool = True,
        *,
        push_to_hub: bool = False,
        repo_id: str | None = None,
        commit_message: str | None = None,
        private: bool | None = None,
        token: str | bool | None = None,
        create_pr: bool = False,
    ) -> None:
        """``save`` under diffusers' name.

        With ``push_to_hub`` the folder is pushed as well, as ``repo_id`` or under its own name.

        Raises
        ------
        UserError
            As ``save`` and ``symdiff.storage.hub.push``.
        """
        if not safe_serialization:
            raise UserError("save_pretrained: only safetensors are written, never pickles")
        name = repo_id or Path(save_directory).name
        self.save(save_directory, card=hub.card(name) if push_to_hub else "")
        if push_to_hub:
            hub.push(save_directory, name, commit_message, private, token, create_pr=create_pr)

    def push_to_hub(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        repo_id: str,
        commit_message: str | None = None,
        private: bool | None = None,
        token: str | bool | None = None,
        create_pr: bool = False,
        *,
        revision: str | None = None,
    ) -> str:
        """Push the checkpoint to the hub, whole.

        Parameters
        ----------
        repo_id : str
            ``user/name``.
        commit_message, private, token, create_pr, revision
            See ``symdiff.storage.hub.push``.

        Returns
        -------
        str
            The address of the commit.

        Raises
        ------
        UserError
            Says what is missing; no repository is left empty.
        """
        with TemporaryDirectory() as folder:
            self.save(Path(folder) / "checkpoint", card=hub.card(repo_id))
            return hub.push(Path(folder) / "checkpoint", repo_id, commit_message, private, token, revision, create_pr)

    @classmethod
    def read_domain(cls, source: str | Path) -> Domain:
        """The domain of a checkpoint, without its weights. Raises UserError."""
        folder = bundled.checkpoint(source)
        return domain_from_spec(components.read_index(folder, cls.__name__)["domain"])


Pipeline = SymdiffPipeline
