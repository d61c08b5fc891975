"""A checkpoint: named components with a domain, as a folder, on the hub and in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import diffusers
import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline

from symdiff import components
from symdiff.components import check_names
from symdiff.config import recipe
from symdiff.config.recipe import Recipe
from symdiff.domains.base import Domain, domain_from_spec
from symdiff.errors import UserError
from symdiff.storage import bundled, checkpoint, hub


class Checkpoint(DiffusionPipeline):
    """Named components, the domain of their structures, and the distribution of the structures' sizes.

    Parameters
    ----------
    domain : dict, optional
        The spec of the domain.
    size_histogram : list of float, optional
        The share of the training structures with 0, 1, 2, ... nodes.
    **components
        By the names of ``COMPONENTS``: denoiser, breaker and process of a diffusion, encoder, decoder and breaker of an
        autoencoder, or all of them.

    Raises
    ------
    ValueError
        Without a domain or a histogram.
    UserError
        For an unknown component, and a diffusion or an autoencoder without one of its components.
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
    def load(cls, source: str | Path) -> Self:
        """Load a folder, a bundled checkpoint by name, or a hub id (``organization/name``), strictly.

        Parameters
        ----------
        source : str or Path
            A folder, the name of a bundled checkpoint, or a hub id.

        Returns
        -------
        Checkpoint
            Of the class on which it is called; ``recipe`` is set where the folder has one.

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
    ) -> Self:
        """Load a checkpoint: ``load`` under diffusers' name.

        Parameters
        ----------
        pretrained_model_name_or_path : str or Path
            A folder, a bundled checkpoint's name or a hub id.
        torch_dtype : torch.dtype, optional
            What the networks are converted to.
        revision, cache_dir, token, local_files_only, force_download
            See ``symdiff.storage.hub.download``; they say nothing of a folder.

        Returns
        -------
        Checkpoint
            Of the class on which it is called.

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
        """Write the checkpoint to a folder and maybe to the hub: ``save`` under diffusers' name.

        Parameters
        ----------
        save_directory : str or Path
            The folder to write.
        safe_serialization : bool
            Must be true: only safetensors are written.
        push_to_hub : bool
            Whether the folder is pushed as well.
        repo_id : str, optional
            The repository on the hub, ``organization/name``; else the folder's own name.
        commit_message, private, token, create_pr
            As for ``symdiff.storage.hub.push``.

        Raises
        ------
        UserError
            For ``safe_serialization`` off, and as ``save`` and ``symdiff.storage.hub.push``.
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
        """Read the domain of a checkpoint, without its weights.

        Parameters
        ----------
        source : str or Path
            A folder, the name of a bundled checkpoint, or a hub id.

        Returns
        -------
        Domain
            What its structures are.

        Raises
        ------
        UserError
            For a checkpoint that is not found, or an index that cannot be read.
        """
        folder = bundled.checkpoint(source)
        return domain_from_spec(components.read_index(folder, cls.__name__)["domain"])
