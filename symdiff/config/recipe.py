"""A recipe: everything that a training run is, as names and numbers in strict YAML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, PrivateAttr, StringConstraints, ValidationError, model_validator

from symdiff.config import automatic, earlier, strict_yaml
from symdiff.config.building import build, check, describe_problem, find, names
from symdiff.config.training import Section, TrainingSettings
from symdiff.errors import UserError, nearest
from symdiff.storage import bundled

__all__ = [
    "DataSettings",
    "Recipe",
    "SamplingSettings",
    "TrainingSettings",
    "build",
    "check",
    "dump",
    "fill",
    "find",
    "load",
    "names",
    "set",
]

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Spec = dict[str, object]
PARTS = ("denoiser", "process", "encoder", "decoder", "breaker", "objective")
"""The keys of a recipe whose values are specs."""


class DataSettings(Section):
    """What is learned: a data set, and the canonical order of a structure's nodes.

    Parameters
    ----------
    dataset : str
        The name of a data set, or a folder.
    order : {"stored", "smiles", "rank", "breadth", "depth"}
        "stored": as the data set has it; "smiles": the same, for molecules only; the others: those of ``Nodes``.
    conditions : list of str, optional
        The properties of the data set that models are given, all that it has where none are named.
    """

    dataset: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    order: Literal["stored", "smiles", "rank", "breadth", "depth"] = "stored"
    conditions: list[Annotated[str, StringConstraints(min_length=1, max_length=64)]] | None = None


class SamplingSettings(Section):
    """How samples are drawn where nothing else is asked for.

    Parameters
    ----------
    steps : int
        Steps of a trajectory.
    """

    steps: Annotated[int, Field(ge=1, le=100_000)] = 50


class Recipe(Section):
    """A validated recipe.

    The parts are specs that ``build`` turns into objects. A diffusion has a denoiser and a process, an autoencoder an
    encoder and a decoder; a diffusion of latents has a denoiser, a process, and the checkpoint of the autoencoder whose
    latents they are.

    A value ``auto`` follows from the data, which training decides before it begins (``symdiff.training.auto``); until
    then the default stands in its place.

    Parameters
    ----------
    name : str
        The name of what is trained.
    data : DataSettings
        The data set.
    denoiser, process, encoder, decoder : dict, optional
        Specs of the parts.
    autoencoder : str, optional
        The checkpoint whose latents are diffused.
    breaker : dict
        The spec of the symmetry breaker; ``Nothing`` by default.
    objective : dict
        The spec of what training minimizes; ``Denoising`` by default, of an autoencoder ``Autoencoding``.
    training : TrainingSettings
        How the model is trained.
    sampling : SamplingSettings
        How samples are drawn by default.
    """

    name: Name
    data: DataSettings
    denoiser: Spec | None = None
    process: Spec | None = None
    encoder: Spec | None = None
    decoder: Spec | None = None
    autoencoder: Annotated[str, StringConstraints(min_length=1, max_length=1000)] | None = None
    breaker: Spec = Field(default_factory=lambda: {"kind": "Nothing"})
    objective: Spec
    training: TrainingSettings = TrainingSettings()
    sampling: SamplingSettings = SamplingSettings()

    _source: str = PrivateAttr("recipe")
    _auto: tuple[automatic.Place, ...] = PrivateAttr(())

    @model_validator(mode="before")
    @classmethod
    def _choose_objective(cls, plain: object) -> object:
        if not isinstance(plain, Mapping) or plain.get("objective") is not None:
            return plain
        return {**plain, "objective": {"kind": "Denoising" if plain.get("encoder") is None else "Autoencoding"}}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recipe) and self.plain() == other.plain()  # wherever they were read from

    @property
    def source(self) -> str:
        """The file that the recipe was read from, for messages."""
        return self._source

    @property
    def auto(self) -> tuple[automatic.Place, ...]:
        """The places of the values that are ``auto`` still."""
        return self._auto

    def plain(self) -> dict:
        """The recipe as plain names and numbers, ``auto`` where it says so."""
        plain = self.model_dump(mode="json")
        for place in self._auto:
            automatic.put(plain, place, automatic.AUTO)
        return plain


def load(source: str | Path, earlier_keys: bool = False) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    source : str or Path
        A file, a bundled recipe's name (``qm9-graph``) or YAML text (several lines).
    earlier_keys : bool
        Take keys that have another place now for what they meant: in a checkpoint or a run of before, whose recipe no
        one should edit.

    Returns
    -------
    Recipe
        The validated recipe.

    Raises
    ------
    UserError
        Names the file, the key, what was expected, what came and the nearest valid name, or the place that a key has
        now.
    """
    if isinstance(source, str) and "\n" in source:
        return validate(strict_yaml.parse(source), "recipe")
    path = bundled.recipe(source)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot read the recipe: {getattr(error, 'strerror', None) or error}") from None
    plain = strict_yaml.parse(text, str(path))
    return validate(
        earlier.bring_up_to_date(plain) if earlier_keys and isinstance(plain, Mapping) else plain, str(path)
    )


def validate(plain: object, source: str = "recipe") -> Recipe:
    """Check the plain values of a recipe.

    Parameters
    ----------
    plain : object
        What should be a mapping of a recipe's keys.
    source : str
        Begins the message of every error.

    Returns
    -------
    Recipe
        The recipe; places that are ``auto`` hold their defaults.

    Raises
    ------
    UserError
        For a key that is unknown, missing or has moved, or a value that does not fit.
    """
    if not isinstance(plain, Mapping):
        raise UserError(f"{source}: expected a mapping with the keys {', '.join(Recipe.model_fields)}")
    moved = earlier.describe_moved(plain)
    if moved is not None:
        raise UserError(f"{source}: {moved}")
    auto = tuple(automatic.find_places(plain))
    try:
        recipe = Recipe.model_validate(automatic.without(dict(plain), auto))
    except ValidationError as error:
        raise UserError(f"{source}: {_first(error)}") from None
    _check_parts(recipe, source)
    for name in PARTS:
        spec = getattr(recipe, name)
        if spec is not None and "kind" not in spec:
            raise UserError(f"{source}: {name}: the key 'kind' is missing: which class it is")
        _check_kinds(spec, f"{source}: {name}")
    recipe._source, recipe._auto = source, auto
    return recipe


def fill(recipe: Recipe, values: Mapping[automatic.Place, object]) -> Recipe:
    """Fill places of a recipe that were ``auto``.

    Parameters
    ----------
    recipe : Recipe
        The recipe; it is not changed.
    values : mapping of tuple to object
        The value of every place.

    Returns
    -------
    Recipe
        The recipe with these values.

    Raises
    ------
    UserError
        When a value does not fit.
    """
    plain = recipe.plain()
    for place, value in values.items():
        automatic.put(plain, place, value)
    return validate(plain, recipe.source)


def set(recipe: Recipe, assignment: str) -> Recipe:
    """Change one value of a recipe: ``set(recipe, "training/steps=100")``.

    Parameters
    ----------
    recipe : Recipe
        The recipe; it is not changed.
    assignment : str
        The keys with slashes between them, ``=``, and the value as YAML.

    Returns
    -------
    Recipe
        The recipe with this value.

    Raises
    ------
    UserError
        When the assignment has no ``=``, the key does not exist or the value does not fit.
    """
    path, equals, text = assignment.partition("=")
    keys = path.strip().split("/")
    if equals and "." in path:
        raise UserError(
            f"--set {assignment!r}: expected slashes between the keys: {path.strip().replace('.', '/')}={text}"
        )
    if not equals or not all(keys):
        raise UserError(f"--set {assignment!r}: expected path/to/key=value")
    plain = recipe.plain()
    place = plain
    for depth, key in enumerate(keys[:-1], 1):
        if key not in place:
            raise UserError(f"--set {assignment!r}: no such key {'/'.join(keys[:depth])!r}{nearest(key, place)}")
        place = place[key]
        if not isinstance(place, dict):
            raise UserError(f"--set {assignment!r}: {'/'.join(keys[:depth])} is a value, not a section")
    place[keys[-1]] = strict_yaml.parse(text, f"--set {assignment!r}")
    changed = validate(plain, f"--set {assignment!r}")
    changed._source = recipe.source
    return changed


def dump(recipe: Recipe) -> str:
    """Write a recipe as YAML, every default written out: ``load(dump(recipe)) == recipe``.

    Parameters
    ----------
    recipe : Recipe
        The recipe.

    Returns
    -------
    str
        The text.
    """
    plain = recipe.plain()
    absent = [name for name in (*PARTS, "autoencoder") if plain[name] is None]
    return strict_yaml.write({key: value for key, value in plain.items() if key not in absent})


def _check_parts(recipe: Recipe, source: str) -> None:
    """Check that the parts are those of a diffusion, of an autoencoder, or of a diffusion of latents."""
    coded = recipe.encoder is not None or recipe.decoder is not None
    needed = ("encoder", "decoder") if coded else ("denoiser", "process")
    foreign = ("denoiser", "process", "autoencoder") if coded else ()
    for name in needed:
        if getattr(recipe, name) is None:
            raise UserError(f"{source}: {name}: this key is missing")
    for name in foreign:
        if getattr(recipe, name) is not None:
            raise UserError(
                f"{source}: {name}: an autoencoder has none; a diffusion of its latents is a recipe of its own, with "
                "the key 'autoencoder'"
            )
    if recipe.autoencoder is not None and recipe.breaker != {"kind": "Nothing"}:
        raise UserError(f"{source}: breaker: the autoencoder has its own, expected none for a diffusion of its latents")


def _check_kinds(value: object, where: str) -> None:
    if isinstance(value, Mapping):
        if not isinstance(value.get("kind", ""), str):
            raise UserError(f"{where}.kind: expected a name, got {value['kind']!r}")
        for key, entry in value.items():
            _check_kinds(entry, f"{where}.{key}")


def _first(error: ValidationError) -> str:
    """The first problem of a validation in one line, unknown keys before all others."""
    problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    problem = problems[0]
    keys = [str(key) for key in problem["loc"]]
    section: type[BaseModel] = Recipe
    for key in keys[:-1]:
        inner = section.model_fields[key].annotation if key in section.model_fields else None
        section = inner if isinstance(inner, type) and issubclass(inner, BaseModel) else section
    path = ".".join(key for key in keys if key not in ("float", "constrained-float"))
    if problem["type"] == "extra_forbidden":
        return f"{path}: unknown key{nearest(keys[-1], section.model_fields)}"
    if problem["type"] == "missing":
        return f"{path}: this key is missing"
    return f"{path}: {describe_problem(problem)}"
