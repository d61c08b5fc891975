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
from symdiff_evaluation.core.kinds import KINDS, load_kind

_KEYS = {"name": str, "about": str, "samples": int, "reference": str, "metrics": list}
_OPTIONAL = ("kind", "mcf")
_MAX_SAMPLES = 10**9
_FILTERED = "moses.filters"


@dataclass(frozen=True)
class Protocol:
    """Which numbers are computed, of how many samples, against what.

    Parameters
    ----------
    name : str
        The name.
    about : str
        What it is for.
    samples : int
        The number of samples that published values are made with; another number is evaluated, with a note.
    reference : str
        A shipped reference, a file, or "none".
    metrics : tuple of str
        Ids, in the order of the report.
    kind : str
        What its samples are, one of ``KINDS``.
    mcf : Filters, optional
        MOSES's list of medicinal chemistry filters.
    """

    name: str
    about: str
    samples: int
    reference: str
    metrics: tuple[str, ...]
    kind: str = "molecule-graph"
    mcf: filters.Filters | None = None

    def with_metrics(self, metrics: Sequence[str]) -> Protocol:
        """Replace the metrics.

        Parameters
        ----------
        metrics : sequence of str
            Their ids.

        Returns
        -------
        Protocol
            With these metrics.

        Raises
        ------
        UserError
            For an id that is none of this kind.
        """
        _check_metrics(list(metrics), self.kind, "protocol")
        return replace(self, metrics=tuple(metrics))

    def with_mcf(self, path: str | Path) -> Protocol:
        """Add MOSES's list of medicinal chemistry filters.

        Parameters
        ----------
        path : str or Path
            The file that holds it.

        Returns
        -------
        Protocol
            With the list.

        Raises
        ------
        UserError
            For a file that cannot be read, and where no metric asks for the list.
        """
        if _FILTERED not in self.metrics:
            raise UserError(f"mcf: the protocol {self.name} has no {_FILTERED}; molecule-graph-moses has")
        return replace(self, mcf=filters.load(path))


def load(name_or_path: str | Path) -> Protocol:
    """Load a protocol.

    Parameters
    ----------
    name_or_path : str or Path
        Name of a shipped protocol, or a .yaml file.

    Returns
    -------
    Protocol
        The protocol.

    Raises
    ------
    UserError
        For one that does not exist or cannot be read.
    """
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
    """Make a protocol of names and numbers.

    Parameters
    ----------
    plain : object
        A mapping with the keys of ``Protocol``; ``mcf`` is the path of a file.
    place : str
        Where it stands, for errors.
    beside : str or Path
        The folder from which ``mcf`` is looked for.

    Returns
    -------
    Protocol
        The protocol.

    Raises
    ------
    UserError
        For unknown or missing keys, wrong types, unknown metrics.
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
    protocol = Protocol(**{**given, "about": " ".join(plain["about"].split()), "metrics": tuple(plain["metrics"])})
    return protocol.with_mcf(Path(beside) / plain["mcf"]) if "mcf" in plain else protocol


def _check_metrics(metrics: Sequence[object], kind: str, place: str) -> None:
    if not metrics:
        raise UserError(f"{place}: metrics: expected at least one of {', '.join(load_kind(kind).metrics_by_id)}")
    seen: set[str] = set()
    for name in metrics:
        if not isinstance(name, str):
            raise UserError(f"{place}: metrics: expected the ids of metrics, got {show(name)}")
        if name not in load_kind(kind).metrics_by_id:
            other = next((f" of {one}" for one in KINDS if name in load_kind(one).metrics_by_id), "")
            raise UserError(
                f"{place}: metrics: {show(name)} is no metric of "
                f"{kind}{other and f', but{other}'}{nearest(name, load_kind(kind).metrics_by_id)}"
            )
        if name in seen:
            raise UserError(f"{place}: metrics: {name} is named twice")
        seen.add(name)


def list_shipped() -> list[str]:
    """Names of the protocols that come with the package."""
    return sorted(path.stem for path in find_folder("protocols").glob("*.yaml"))
