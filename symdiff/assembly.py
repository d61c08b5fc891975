"""From a recipe to a model: its parts are checked, and put together."""

from __future__ import annotations

from collections.abc import Mapping

from symdiff.autoencoders.autoencoder import Autoencoder
from symdiff.autoencoders.base import LATENT, Decoder, Encoder
from symdiff.breaking.base import SymmetryBreaker
from symdiff.components import COMPONENTS
from symdiff.config.recipe import Recipe, build, check
from symdiff.denoisers.base import Denoiser
from symdiff.diffusion import Diffusion
from symdiff.domains.base import Domain
from symdiff.errors import UserError
from symdiff.nn.allocation import limit_memory
from symdiff.objectives.base import Objective
from symdiff.processes.base import Process
from symdiff.state import Schema, schema_to_plain

Model = Diffusion | Autoencoder


def assemble(
    recipe: Recipe, domain: Domain, marginals: Mapping[str, list[float]], autoencoder: Autoencoder | None = None
) -> Model:
    """Build the model of a recipe for a domain.

    Parameters
    ----------
    recipe : Recipe
        In which nothing is ``auto``.
    domain : Domain
        Of the structures in the data.
    marginals : mapping of str to list of float
        The frequency of every label of every field in the data.
    autoencoder : Autoencoder, optional
        Whose latents are diffused, for a recipe that names one.

    Returns
    -------
    Diffusion or Autoencoder
        With random weights.

    Raises
    ------
    UserError
        Names the file, the key, what was expected, what came and the nearest valid name.
    """
    if recipe.encoder is not None:
        return _assemble_autoencoder(recipe, domain)
    if autoencoder is None:
        driven = {name: field for name, field in domain.schema.items() if name not in domain.conditions}
        return _assemble_diffusion(recipe, domain, domain.schema, driven, marginals)
    driven: Schema = {LATENT: autoencoder.encoder.latent[LATENT]}
    given = {name: domain.schema[name] for name in domain.conditions}
    return _assemble_diffusion(recipe, domain, {**driven, **given}, driven, {})


def _assemble_diffusion(
    recipe: Recipe, domain: Domain, schema: Schema, driven: Schema, marginals: Mapping[str, list[float]]
) -> Diffusion:
    where = f"{recipe.source}: "
    with limit_memory():
        breaker = build(SymmetryBreaker, recipe.breaker, where=f"{where}breaker")
        process = build(
            Process,
            recipe.process or {},
            where=f"{where}process",
            schema=schema_to_plain(driven),
            marginals=dict(marginals),
        )
        noisy = process.noisy_schema()
        seen = {name: noisy.get(name, field) for name, field in schema.items() if name in noisy or name not in driven}
        denoiser = build(
            Denoiser,
            recipe.denoiser or {},
            where=f"{where}denoiser",
            schema=schema_to_plain(process.schema),
            noisy=schema_to_plain(seen),
            code=schema_to_plain(breaker.schema),
        )
    for name, part in (("denoiser", denoiser), ("process", process), ("breaker", breaker)):
        domain.check_part(part, getattr(recipe, name), f"{where}{name}")
    try:
        return Diffusion(denoiser, process, breaker, _build_objective(recipe, domain))
    except ValueError as error:
        raise UserError(f"{where}{error}") from error


def _assemble_autoencoder(recipe: Recipe, domain: Domain) -> Autoencoder:
    where, schema = f"{recipe.source}: ", schema_to_plain(domain.schema)
    with limit_memory():
        breaker = build(SymmetryBreaker, recipe.breaker, where=f"{where}breaker")
        code = schema_to_plain(breaker.schema)
        encoder = build(Encoder, recipe.encoder or {}, where=f"{where}encoder", schema=schema, code=code)
        decoder = build(
            Decoder,
            recipe.decoder or {},
            where=f"{where}decoder",
            schema=schema,
            latent=schema_to_plain(encoder.latent),
            code=code,
        )
    domain.check_part(breaker, recipe.breaker, f"{where}breaker")
    return Autoencoder(encoder, decoder, breaker, _build_objective(recipe, domain))


def _build_objective(recipe: Recipe, domain: Domain) -> Objective:
    return build(
        Objective,
        recipe.objective,
        where=f"{recipe.source}: objective",
        log_density=domain.log_density,
        steps=recipe.sampling.steps,
    )


def check_parts(recipe: Recipe) -> None:
    """Check the parts that a recipe names, and their settings, without building anything.

    Parameters
    ----------
    recipe : Recipe
        The recipe, whose ``source`` stands in messages.

    Raises
    ------
    UserError
        As ``assemble``.
    """
    for name, component in COMPONENTS.items():
        spec = getattr(recipe, name)
        if spec is not None:
            check(component.base, spec, where=f"{recipe.source}: {name}")
    check(Objective, recipe.objective, where=f"{recipe.source}: objective", given=("log_density", "steps"))
