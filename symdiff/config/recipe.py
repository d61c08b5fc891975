"""A recipe: everything that a training run is, as names and numbers in strict YAML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StringConstraints, ValidationError

from symdiff.config import strict_yaml
from symdiff.config.building import build, check, find, names, told
from symdiff.errors import UserError, nearest
from symdiff.storage import bundled

__all__ = ["DataSettings", "Recipe", "SamplingSettings", "TrainingSettings", "build", "check", "dump", "find", "load", "names", "set"]

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Count = Annotated[int, Field(ge=1, le=10**12)]
Spec = dict[str, object]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class DataSettings(_Section):
    """What is learned: a dataset's name (or folder), and the canonical order of a structure's nodes.

    ``stored``: as the dataset has it; ``smiles``: the same, for molecules only; the others: those of ``Nodes``.
    """

    dataset: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    order: Literal["stored", "smiles", "rank", "breadth", "depth"] = "stored"


class TrainingSettings(_Section):
    """How it is learned. One step is one optimizer step on ``batch_size`` structures, over all processes together.

    ``by_size``: batches of structures that are alike in size, so that little is padded. ``start``: a checkpoint (folder, bundled
    name or hub id) whose weights training starts from, of the same network and code; the process may be another one. ``augment``: a
    group, such as ``{kind: Orthogonal, special: true}``: every structure is moved by an element of it, drawn afresh in every step. ``drop``:
    the share of the structures whose conditions are hidden, where the data have such, so that sampling can be guided. ``draws``:
    samples of the model's own for the condition of every structure; they are brought to the law that the domain knows (``LogVariance``); 0: the data are learned.
    """

    steps: Count = 100_000
    batch_size: Annotated[int, Field(ge=1, le=10**6)] = 256
    by_size: bool = False
    start: str | None = None
    augment: Spec | None = None
    drop: Annotated[float, Field(ge=0, le=1)] = 0.0
    draws: Annotated[int, Field(ge=0, le=10**6)] = 0
    optimizer: Literal["adamw", "muon"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 1e-3
    warmup: Annotated[int, Field(ge=0, le=10**12)] = 1000
    weight_decay: Annotated[float, Field(ge=0, le=10)] = 0.01
    clip: Annotated[float, Field(gt=0)] | None = 1.0
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.9995
    precision: Literal["fp32", "bf16"] = "bf16"
    compile: bool = False
    seed: Annotated[int, Field(ge=0, lt=2**53)] = 0
    save_every: Count = 1000
    sample_every: Annotated[int, Field(ge=0, le=10**12)] = 5000
    sample_count: Annotated[int, Field(ge=1, le=10**5)] = 256
    log_every: Count = 50
    tracker: Literal["tensorboard"] | None = None


class SamplingSettings(_Section):
    """How samples are drawn unless told otherwise: ``steps`` network evaluations a trajectory."""

    steps: Annotated[int, Field(ge=1, le=100_000)] = 50


class Recipe(_Section):
    """A validated recipe. ``denoiser``, ``process`` and ``breaker`` are specs that ``build`` turns into objects."""

    name: Name
    data: DataSettings
    denoiser: Spec
    process: Spec
    breaker: Spec = Field(default_factory=lambda: {"kind": "Nothing"})
    training: TrainingSettings = TrainingSettings()
    sampling: SamplingSettings = SamplingSettings()

    _source: str = PrivateAttr("recipe")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recipe) and self.model_dump() == other.model_dump()  # wherever they were read from

    @property
    def source(self) -> str:
        """The file that the recipe was read from, for messages."""
        return self._source


def load(source: str | Path) -> Recipe:
    """Read a recipe from a file, from a bundled recipe's name (``qm9-graph``) or from its YAML text (several lines).

    Raises
    ------
    UserError
        Names the file, the key, what was expected, what came and the nearest valid name.
    """
    if isinstance(source, str) and "\n" in source:
        return validate(strict_yaml.parse(source), "recipe")
    path = bundled.recipe(source)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot read the recipe: {getattr(error, 'strerror', None) or error}") from None
    return validate(strict_yaml.parse(text, str(path)), str(path))


def validate(plain: object, source: str = "recipe") -> Recipe:
    """The recipe that plain values describe; ``source`` begins the message of every error."""
    if not isinstance(plain, Mapping):
        raise UserError(f"{source}: expected a mapping with the keys {', '.join(Recipe.model_fields)}")
    try:
        recipe = Recipe.model_validate(dict(plain))
    except ValidationError as error:
        raise UserError(f"{source}: {_first(error)}") from None
    for name in ("denoiser", "process", "breaker"):
        if "kind" not in getattr(recipe, name):
            raise UserError(f"{source}: {name}: the key 'kind' is missing: which class it is")
        _check_kinds(getattr(recipe, name), f"{source}: {name}")
    if recipe.training.augment is not None:
        if "kind" not in recipe.training.augment:
            raise UserError(f"{source}: training.augment: the key 'kind' is missing: the name of a group")
        _check_kinds(recipe.training.augment, f"{source}: training.augment")
    recipe._source = source
    return recipe


def set(recipe: Recipe, assignment: str) -> Recipe:
    """The recipe with one value changed: ``set(recipe, "training/steps=100")``. The value is read as YAML.

    Raises
    ------
    UserError
        When the assignment has no ``=``, the key does not exist or the value does not fit.
    """
    path, equals, text = assignment.partition("=")
    keys = path.strip().split("/")
    if equals and "." in path:
        raise UserError(f"--set {assignment!r}: expected slashes between the keys: {path.strip().replace('.', '/')}={text}")
    if not equals or not all(keys):
        raise UserError(f"--set {assignment!r}: expected path/to/key=value")
    plain = recipe.model_dump(mode="json")
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
    """The recipe as YAML text, every default written out: ``load(dump(recipe)) == recipe``."""
    return strict_yaml.write(recipe.model_dump(mode="json"))


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
    section = Recipe
    for key in keys[:-1]:
        section = section.model_fields[key].annotation if isinstance(section, type) and issubclass(section, BaseModel) else section
    path = ".".join(key for key in keys if key not in ("float", "constrained-float"))
    if problem["type"] == "extra_forbidden":
        return f"{path}: unknown key{nearest(keys[-1], section.model_fields)}"
    if problem["type"] == "missing":
        return f"{path}: this key is missing"
    return f"{path}: {told(problem)}"
