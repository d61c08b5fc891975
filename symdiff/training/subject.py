"""What a recipe trains: a diffusion of structures, an autoencoder, or a diffusion of an autoencoder's latents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from symdiff.assembly import Model
from symdiff.autoencoders.autoencoder import Autoencoder
from symdiff.config.recipe import Recipe
from symdiff.data.dataset import Dataset
from symdiff.errors import UserError
from symdiff.pipeline import SymdiffPipeline, assemble
from symdiff.training.latents import Latents
from symdiff.training.loop import TrainingData
from symdiff.training.samples import observe_reconstruction, observer


@dataclass(frozen=True)
class Subject:
    """A model with what it is trained on.

    Attributes
    ----------
    model : Diffusion or Autoencoder
    structures : TrainingData
        The data, or their latents.
    observe : callable
        ``observe(model, step)`` returns what a look at the model while it trains is to log.
    package : callable
        Makes the pipeline of the model.
    data : str
        Names the content of ``structures``.
    """

    model: Model
    structures: TrainingData
    observe: Callable[[Any, int], dict]
    package: Callable[[], SymdiffPipeline]
    data: str


def subject_of(recipe: Recipe, dataset: Dataset) -> Subject:
    """Build what a recipe trains on a data set.

    Parameters
    ----------
    recipe : Recipe
        In which nothing is ``auto``.
    dataset : Dataset
        That the recipe names, all splits.

    Returns
    -------
    Subject
        The model, and the training split or its latents.

    Raises
    ------
    UserError
        For parts that cannot be built, or that do not fit the data.
    """
    structures, settings = dataset.split("train"), recipe.training
    domain, histogram = structures.domain, structures.size_histogram()
    data = structures.meta.get("arrays", {}).get("sha256", "")
    autoencoder = None if recipe.autoencoder is None else load_autoencoder(recipe, dataset)
    torch.manual_seed(settings.seed)
    model = assemble(recipe, domain, structures.marginals(), autoencoder)

    def package() -> SymdiffPipeline:
        return SymdiffPipeline.of(model, domain, histogram, recipe, autoencoder)

    if isinstance(model, Autoencoder):
        observe = observe_reconstruction(dataset, settings.sample.count, settings.seed)
        return Subject(model, structures, observe, package, data)
    try:
        model.process.times(recipe.sampling.steps)
    except ValueError as error:
        raise UserError(f"{recipe.source}: sampling.steps: {error}") from error
    given = domain.conditions
    count = settings.sample.count
    shown = torch.arange(count) * len(structures) // count
    condition = structures.batch(shown).only(*given) if given else None
    observe = observer(domain, histogram, count, recipe.sampling.steps, settings.seed, condition, autoencoder)
    if autoencoder is None:
        return Subject(model, structures, observe, package, data)
    latents = Latents.of(autoencoder, structures, settings.seed)
    return Subject(model, latents, observe, package, f"{data} {latents.digest}")


def load_autoencoder(recipe: Recipe, dataset: Dataset) -> Autoencoder:
    """Load the autoencoder whose latents a recipe diffuses; its weights stay as they are.

    Parameters
    ----------
    recipe : Recipe
        Which names an autoencoder.
    dataset : Dataset
        That the recipe names.

    Returns
    -------
    Autoencoder
        In evaluation mode, without gradients.

    Raises
    ------
    UserError
        For a checkpoint that is no autoencoder, or is of another domain, and for latents of nodes.
    """
    assert recipe.autoencoder is not None
    place = f"{recipe.source}: autoencoder"
    pipeline = SymdiffPipeline.load(recipe.autoencoder)
    if pipeline.domain.spec != dataset.domain.spec:
        raise UserError(
            f"{place}: {recipe.autoencoder} was trained on {pipeline.domain.spec}, the data are {dataset.domain.spec}"
        )
    autoencoder = pipeline.autoencoder
    if not autoencoder.per_structure:
        raise UserError(f"{place}: {recipe.autoencoder} has latents of nodes; expected one latent a structure")
    return autoencoder.requires_grad_(False).eval()
