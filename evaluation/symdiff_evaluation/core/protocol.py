"""A protocol: which numbers, of how many samples, against what. Strict YAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from symdiff.config import strict_yaml
from symdiff.errors import UserError, nearest
from symdiff.storage.files import read_text
from symdiff.storage.numbers import show
from symdiff_evaluation.core import filters
from symdiff_evaluation.core.installation import find_folder
from symdiff_evaluation.core.kinds import KINDS
from symdiff_evaluation.core.kinds import load_kind as kind_of

_KEYS = {"name": str, "about": str, "samples": int, "reference": str, "metrics": list}
_OPTIONAL = ("kind", "mcf")
_MAX_SAMPLES = 10**9
_FILTERED = "moses.filters"


@dataclass(frozen=True)
class Protocol:
    """``samples``: the number its published values are made with; another number is evaluated, and told.

    ``kind``: what its samples are, one of ``KINDS``. ``reference``: a shipped reference, a file, or "none".
    ``metrics``: ids, in the order of the report. ``mcf``: MOSES's list of medicinal chemistry filters, if it is at
    hand.
    """

    name: str
    about: str
    samples: int
    reference: str
    metrics: tuple[str, ...]
    kind: str = "molecule-graph"
    mcf: filters.Filters | None = None

    def with_metrics(self, metrics: Sequence[str]) -> Protocol:
        """The same with other metrics. Raises ``UserError`` for ids that are none of this kind."""
        _check_metrics(list(metrics), self.kind, "protocol")
        return replace(self, metrics=tuple(metrics))

    def with_mcf(self, path: str | Path) -> Protocol:
        """The same with the list in a file. Raises ``UserError``, also where no metric asks for it."""
        if _FILTERED not in self.metrics:
            raise UserError(f"mcf: the protocol {self.name} has no {_FILTERED}; molecule-graph-moses has")
        return replace(self, mcf=filters.load(path))


def load(name_or_path: str | Path) -> Protocol:
    """A shipped protocol by its name, or one from a .yaml file. Raises ``UserError``."""
    text = str(name_or_path)
    path = (
        Path(text) if Path(text).suffix in (".yaml", ".yml") else find_folder("protocols") / f"{Path(text).name}.yaml"
    )
    try:
        exists = path.is_file()
    except OSError:  # a name that is too long
        exists = False
    if not exists:
        raise UserError(f"protocol {show(text)} does not exist{nearest(text, list_shipped())}")
    return parse(strict_yaml.parse(read_text(path, strict_yaml.LARGEST), str(path)), str(path), path.parent)


def parse(plain: object, place: str = "protocol", beside: str | Path = ".") -> Protocol:
    """A protocol from names and numbers; ``mcf`` is the path of a file, from the folder ``beside`` on.

    Raises ``UserError`` for unknown or missing keys, wrong types, unknown metrics.
    """
    if not isinstance(plain, Mapping):
        raise UserError(f"{place}: expected the keys {', '.join(_KEYS)}, got {type(plain).__name__}")
    for key in plain:
        if key not in _OPTIONAL and key not in _KEYS:
            raise UserError(f"{place}: unknown key {show(key)}{nearest(str(key)[:100], (*_KEYS, *_OPTIONAL))}")
    for key, kind in {**_KEYS, **({"mcf": str} if "mcf" in plain else {})}.items():
        if key not in plain:
            raise UserError(f"{place}: the key {key!r} is missing")
        if not isinstance(plain[key], kind) or isinstance(plain[key], bool):
            raise UserError(f"{place}: {key}: expected {kind.__name__}, got {show(plain[key])}")
    kind = plain.get("kind", "molecule-graph")
    if not isinstance(kind, str) or kind not in KINDS:
        raise UserError(
            f"{place}: kind: expected one of {', '.join(KINDS)}, got {show(kind)}{nearest(show(kind), KINDS)}"
        )
    if not 1 <= plain["samples"] <= _MAX_SAMPLES:
        raise UserError(
            f"{place}: samples: expected a number above 0, at most {_MAX_SAMPLES:,}, got {show(plain['samples'])}"
        )
    _check_metrics(plain["metrics"], kind, place)
    given = {key: value for key, value in plain.items() if key != "mcf"}
    found = Protocol(**{**given, "about": " ".join(plain["about"].split()), "metrics": tuple(plain["metrics"])})
    return found.with_mcf(Path(beside) / plain["mcf"]) if "mcf" in plain else found


def _check_metrics(metrics: Sequence[object], kind: str, place: str) -> None:
    if not metrics:
        raise UserError(f"{place}: metrics: expected at least one of {', '.join(kind_of(kind).metrics_by_id)}")
    seen: set[str] = set()
    for name in metrics:
        if not isinstance(name, str):
            raise UserError(f"{place}: metrics: expected the ids of metrics, got {show(name)}")
        if name not in kind_of(kind).metrics_by_id:
            other = next((f" of {one}" for one in KINDS if name in kind_of(one).metrics_by_id), "")
            raise UserError(
                f"{place}: metrics: {show(name)} is no metric of "
                f"{kind}{other and f', but{other}'}{nearest(name, kind_of(kind).metrics_by_id)}"
            )
        if name in seen:
            raise UserError(f"{place}: metrics: {name} is named twice")
        seen.add(name)


def list_shipped() -> list[str]:
    """Names of the protocols that come with the package."""
    return sorted(path.stem for path in find_folder("protocols").glob("*.yaml"))
