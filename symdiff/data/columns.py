"""Numbers that files say of structures, and how they become properties of a data set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from symdiff.data.dataset import Dataset
from symdiff.domains.arrays import Columns
from symdiff.domains.base import Domain, domain_from_spec
from symdiff.domains.properties import Property
from symdiff.domains.property_set import NAME
from symdiff.errors import UserError, nearest
from symdiff.storage.numbers import read_real, show
from symdiff.storage.records import Record

RESERVED = [
    "count",
    "out",
    "steps",
    "seed",
    "num-nodes",
    "batch-size",
    "device",
    "precision",
    "guidance",
    "particles",
    "metropolis",
    "trajectory",
    "import",
    "json",
    "help",
    "fixed",
    "graphs",
    "hamiltonian",
    "size",
    "coupling",
    "field",
    "temperature",
    "formula",
    "score",
    "score-strength",
]
"""Names that mean something else to ``symdiff sample``."""
MISSING = ("", "na", "n/a", "nan", "none", "null", "-", "?")
"""What stands where a value is missing, in lower case."""
_ASKED = re.compile(r"(?:(?P<name>[^=\[\]]+)=)?(?P<column>[^\[\]]+?)\s*(?:\[(?P<unit>[^\[\]]*)\])?")


class Asked(NamedTuple):
    """A property that is asked for.

    Attributes
    ----------
    name : str
        What it is called in recipes and as an option.
    column : str
        What files call it.
    unit : str
        Its unit, in words.
    """

    name: str
    column: str
    unit: str = ""


def read_asked(text: str) -> Asked:
    """Read ``activity``, ``activity[nM]`` or ``activity=IC50 (nM)[nM]``.

    Parameters
    ----------
    text : str
        What was written behind ``--property``.

    Raises
    ------
    UserError
        For other text, a name that is no word, and one that is an option of ``symdiff sample`` already.
    """
    match = _ASKED.fullmatch(text.strip())
    if match is None:
        raise UserError(f"--property: expected name, name[unit] or name=column[unit], got {show(text)}")
    column = match["column"].strip()
    name = (match["name"] or column).strip()
    if not NAME.fullmatch(name):
        raise UserError(
            f"--property: expected a name of letters, digits, - and _, got {show(name)}; a column of another name is "
            "taken as name=column"
        )
    if name in RESERVED:
        raise UserError(
            f"--property: {name!r} is an option of symdiff sample already; call it otherwise: other-name={column}"
        )
    return Asked(name, column, (match["unit"] or "").strip())


class PropertyColumns:
    """The properties of the records of files, gathered while these are read.

    Parameters
    ----------
    asked : sequence of Asked
        Which properties.

    Raises
    ------
    UserError
        Where one is asked for twice.
    """

    def __init__(self, asked: Sequence[Asked]) -> None:
        self.asked = tuple(asked)
        self.rows: list[list[float]] = []
        names = [one.name for one in asked]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise UserError(f"--property: {twice!r} is asked for twice")

    @property
    def columns(self) -> list[str]:
        """What files call them."""
        return [one.column for one in self.asked]

    def take(self, record: Record) -> Record:
        """Read the values of the next record; with a value that is no number it becomes a broken one.

        Parameters
        ----------
        record : Record
            With its values of the asked columns as text.

        Returns
        -------
        Record
            The same, or one with the reason why it is broken.
        """
        numbers, reason = self._read(record.values)
        self.rows.append(numbers)
        return record if record.reason or not reason else replace(record, reason=reason)

    def take_all(self, rows: Sequence[Sequence[object]]) -> list[str]:
        """Read the values of many records: why each is broken, "" where it is not.

        Parameters
        ----------
        rows : sequence of sequence
            The values of the asked columns, record by record.

        Returns
        -------
        list of str
            A reason for each record.
        """
        reasons = []
        for values in rows:
            numbers, reason = self._read(values)
            self.rows.append(numbers)
            reasons.append(reason)
        return reasons

    def _read(self, values: Sequence[object]) -> tuple[list[float], str]:
        numbers, reason = [], ""
        for one, value in zip(self.asked, values or [""] * len(self.asked), strict=True):
            number = np.nan
            if not _is_missing(value):
                try:
                    number = read_real(value)
                except UserError as error:
                    reason = reason or f"property: {one.name}: {error}"
            numbers.append(number)
        return numbers, reason

    def join(
        self, domain: Domain, arrays: Mapping[str, np.ndarray], valid: np.ndarray
    ) -> tuple[Domain, dict[str, np.ndarray], dict]:
        """Add the properties to structures.

        Parameters
        ----------
        domain : Domain
            Of the structures, without properties.
        arrays : mapping of str to numpy.ndarray
            The structures, with their split: the properties are measured on the training part.
        valid : numpy.ndarray
            (M,) bool, which of the records became structures.

        Returns
        -------
        domain, arrays, report
            With the properties, and how many structures have none of each.

        Raises
        ------
        UserError
            Where no training structure has a value, or all of them are equal.
        """
        table = np.array(self.rows, np.float64).reshape(-1, len(self.asked))[np.asarray(valid, bool)]
        values = {one.name: table[:, k] for k, one in enumerate(self.asked)}
        units = {one.name: one.unit for one in self.asked}
        domain, arrays = add_properties(domain, arrays, values, units)
        return domain, arrays, {"missing": {name: int(np.isnan(column).sum()) for name, column in values.items()}}


def add_properties(
    domain: Domain, arrays: Mapping[str, np.ndarray], values: Mapping[str, np.ndarray], units: Mapping[str, str]
) -> tuple[Domain, dict[str, np.ndarray]]:
    """Add properties to structures in memory, measured on their training part.

    Parameters
    ----------
    domain : Domain
        Of the structures, without properties.
    arrays : mapping of str to numpy.ndarray
        The structures, with ``num_nodes`` and ``split``.
    values : mapping of str to numpy.ndarray
        By name (M,), nan where one is missing.
    units : mapping of str to str
        Their units.

    Returns
    -------
    Domain
        With the properties as conditions.
    dict of str to ndarray
        The structures with them.

    Raises
    ------
    UserError
        Where no training structure has a value, or all of them are equal.
    """
    train, given = arrays["split"] == 0, {}
    for name, column in values.items():
        try:
            given[name] = Property.of(column[train], arrays["num_nodes"][train], units.get(name, "")).plain
        except UserError as error:
            raise UserError(f"{name}: {error}") from None
    if not given:
        return domain, dict(arrays)
    domain = domain_from_spec({**domain.spec, "properties": given})
    return domain, {**arrays, **domain.properties.columns(values)}


def choose_properties(dataset: Dataset, names: Sequence[str]) -> Dataset:
    """Keep some of a data set's properties, and drop the others.

    Parameters
    ----------
    dataset : Dataset
        One with properties.
    names : sequence of str
        Those that stay.

    Returns
    -------
    Dataset
        Of the same structures.

    Raises
    ------
    UserError
        For a property that the data do not have.
    """
    given = dataset.domain.properties
    for name in names:
        if name not in given:
            raise UserError(
                f"{dataset.meta.get('name', 'the data set')} has no property {name!r}{nearest(name, given)}; "
                "symdiff data import FILE --property NAME keeps one"
            )
    if set(names) == set(given):
        return dataset
    spec = {**dataset.domain.spec, "properties": {name: given[name].plain for name in given if name in names}}
    domain = domain_from_spec(spec)
    gone = set(dataset.domain.schema) - set(domain.schema)
    arrays = {name: array.numpy() for name, array in dataset.columns.arrays.items() if name not in gone}
    return Dataset(domain, Columns(arrays, domain.schema), dataset.meta, dataset.rows, dataset.path)


def _is_missing(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in MISSING
    return value is None or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


def read_attributes(path: Path, columns: Sequence[str]) -> list[tuple] | None:
    """Read what arrays or GraphML say of each structure.

    Parameters
    ----------
    path : Path
        .npz or .safetensors with an array (M,) for each column, or .graphml whose graphs have attributes.
    columns : sequence of str
        Their names.

    Returns
    -------
    list of tuple or None
        Of every record its values, None where one is missing; None for a file of another kind.

    Raises
    ------
    UserError
        For a column that is not there.
    """
    from symdiff.graphs.files import recognize
    from symdiff.graphs.graphml import parse_drawings
    from symdiff.storage.arrays import ENDINGS, read_arrays

    if path.name.lower().endswith(ENDINGS):
        arrays = read_arrays(path)
        for column in columns:
            if column not in arrays:
                raise UserError(f"{path}: no array {column!r}{nearest(column, arrays)}")
            if arrays[column].ndim != 1 or arrays[column].dtype.kind not in "iuf":
                raise UserError(
                    f"{path}: {column}: expected a number for each structure, got {arrays[column].dtype} "
                    f"{arrays[column].shape}"
                )
        return list(zip(*(arrays[column].tolist() for column in columns), strict=False))
    if recognize(path) != "graphml":
        return None
    drawings = parse_drawings(path)
    names = sorted({str(name) for drawing in drawings for name in drawing.graph})
    for column in columns:
        if column not in names:
            raise UserError(f"{path}: no graph has the attribute {column!r}{nearest(column, names)}")
    return [tuple(drawing.graph.get(column) for column in columns) for drawing in drawings]
