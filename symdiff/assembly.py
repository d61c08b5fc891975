"""From a recipe to a model: its parts are checked, and put together."""

from __future__ import annotations

from collections.abc import Mapping

from symdiff.breaking.base import SymmetryBreaker
from symdiff.components import COMPONENTS, DIFFUSION
from symdiff.config.recipe import Recipe, build, check
from symdiff.denoisers.base import Denoiser
from symdiff.diffusion import Diffusion
from symdiff.domains.base import Domain
from symdiff.errors import UserError
from symdiff.nn.allocation import limit_memory
from symdiff.objectives.base import Objective
from symdiff.processes.base import Process
from symdiff.state import schema_to_plain


def assemble(recipe: Recipe, domain: Domain, marginals: Mapping[str, list[float]]) -> Diffusion:
    """The model of a recipe for a domain; ``marginals``: frequency of every label of every field in the data.

    Raises
    ------
    UserError
        Names the file, the key, what was expected, what came and the nearest valid name.
    """
    where = f"{recipe.source}: "
    schema = schema_to_plain(domain.schema)
    driven = {name: field for name, field in schema.items() if name not in domain.conditions}
    with limit_memory():
        breaker = build(SymmetryBreaker, recipe.breaker, where=f"{where}breaker")
        process = build(Process, recipe.process, where=f"{where}process", schema=driven, marginals=dict(marginals))
        noisy = schema_to_plain(process.noisy_schema())
        denoiser = build(
            Denoiser,
            recipe.denoiser,
            where=f"{where}denoiser",
            schema=schema_to_plain(process.schema),
            noisy={
                name: noisy.get(name, field) for name, field in schema.items() if name in noisy or name not in driven
            },
            code=schema_to_plain(breaker.schema),
        )
    for name, part in (("denoiser", denoiser), ("process", process), ("breaker", breaker)):
        domain.check_part(part, getattr(recipe, name), f"{where}{name}")
    objective = build(
        Objective,
        recipe.objective,
        where=f"{where}objective",
        log_density=domain.log_density,
        steps=recipe.sampling.steps,
    )
    try:
        return Diffusion(denoiser, process, breaker, objective)
    except ValueError as error:
        raise UserError(f"{where}{error}") from error


def check_parts(recipe: Recipe) -> None:
    """Check the parts that a recipe names, and their settings, without building anything.

    Raises
    ------
    UserError
        As ``assemble``.
    """
    for name in DIFFUSION:
        check(
            COMPONENTS[name].base,
            getattr(recipe, name),
            where=f"{recipe.source}: {name}",
            given=COMPONENTS[name].supplied,
        )
    check(Objective, recipe.objective, where=f"{recipe.source}: objective", given=("log_density", "steps"))
