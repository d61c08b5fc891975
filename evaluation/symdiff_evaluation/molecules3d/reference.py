"""What a data set of molecules in 3D looks like, in few numbers: enough for novelty and distances without the data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from symdiff.errors import UserError
from symdiff_evaluation.core.digest import digest
from symdiff_evaluation.core.limits import Undetermined
from symdiff_evaluation.core.storage import read_files, unreadable, write_files
from symdiff_evaluation.molecules3d.internal_coordinates import pool
from symdiff_evaluation.molecules3d.samples import Geometries
from symdiff_evaluation.molecules3d.symmetry import LIMIT, LOOSE, TIGHT, Shape

KIND = "molecule-3d"
QUANTILES = 512
_RARE = 50  # values of a label that are too few for a distribution


@dataclass(frozen=True, eq=False)
class GeometryReference:
    """Statistics of a training set of molecules in 3D.

    Parameters
    ----------
    name : str
        The name of the reference.
    count : int
        Number of readable records.
    hashes : numpy.ndarray, (n,) uint64
        ``digest`` of the canonical SMILES of those that are molecules, sorted.
    counts : mapping of str to mapping of str to int
        Counts by label: "bond" (as "C=O") and "angle" (as "C-C-H") of valid molecules by perceived bonds,
        "point_group.0.1" and "point_group.0.3" by Schoenflies symbol.
    quantiles : mapping of str to numpy.ndarray, (q,)
        Sorted values of equal weight: "length.C=O" in ångström and "angle.C-C-H" in degrees for labels with at least 50
        values, "strain" in kcal/mol per atom, "chirality" in ångström.
    source : str
        Where the data come from.
    """

    name: str
    count: int
    hashes: np.ndarray
    counts: Mapping[str, Mapping[str, int]]
    quantiles: Mapping[str, np.ndarray]
    source: str = ""

    def knows(self, smiles: Sequence[str]) -> np.ndarray:
        """Tell which molecules are in the training set.

        Parameters
        ----------
        smiles : sequence of str, (n,)
            Canonical SMILES.

        Returns
        -------
        numpy.ndarray, (n,) bool
            Whether each is.
        """
        return np.isin(np.array([digest(text) for text in smiles], np.uint64), self.hashes)


def build(geometries: Geometries, name: str, source: str = "", most: int = 10_000) -> GeometryReference:
    """Take the statistics of readable geometries.

    Parameters
    ----------
    geometries : Geometries
        The training set.
    name : str
        The name of the reference.
    source : str
        Where the data come from.
    most : int
        Shapes and strain are taken of so many at most, at even distances.

    Returns
    -------
    GeometryReference
        The statistics.

    Raises
    ------
    UserError
        Where no record is readable.
    """
    if not geometries.readable:
        raise UserError(f"reference {name}: none of its {len(geometries)} records is readable, no molecule")
    spans, bends = (pool(part) for part in geometries.internal)
    some = geometries.select(geometries.readable[:: -(-len(geometries.readable) // most)])
    shapes = [one for one in some.shapes if not isinstance(one, Undetermined)]
    names = {
        one.canonical
        for one in geometries.perceptions
        if not isinstance(one, Undetermined) and one.canonical is not None
    }
    quantiles = {f"length.{label}": _quantiles(values) for label, values in spans.items() if len(values) >= _RARE}
    quantiles |= {f"angle.{label}": _quantiles(values) for label, values in bends.items() if len(values) >= _RARE}
    quantiles["chirality"] = _quantiles(measure_chiralities(shapes))
    relaxed = [one for one in some.strains if not isinstance(one, Undetermined) and one.energy is not None]
    quantiles["strain"] = _quantiles(np.array([one.energy / one.atoms for one in relaxed]))
    return GeometryReference(
        name=name,
        count=len(geometries.readable),
        hashes=np.sort(np.array([digest(text) for text in sorted(names)], np.uint64)),
        counts={
            "bond": {label: len(values) for label, values in spans.items()},
            "angle": {label: len(values) for label, values in bends.items()},
            **{
                f"point_group.{tolerance}": dict(sorted(count_point_groups(shapes, tolerance).items()))
                for tolerance in (TIGHT, LOOSE)
            },
        },
        quantiles=quantiles,
        source=source,
    )


def write(reference: GeometryReference, out: str | Path) -> None:
    """Write ``OUT.safetensors`` and ``OUT.json``.

    Parameters
    ----------
    reference : GeometryReference
        What to write.
    out : str or Path
        Path without ending.
    """
    about = {
        "kind": KIND,
        "name": reference.name,
        "count": reference.count,
        "source": reference.source,
        "counts": reference.counts,
    }
    arrays = {
        "hashes": reference.hashes,
        **{f"quantiles.{name}": values for name, values in reference.quantiles.items()},
    }
    write_files(about, arrays, out)


def load(name_or_path: str | Path) -> GeometryReference:
    """Load a reference.

    Parameters
    ----------
    name_or_path : str or Path
        Name of a shipped one, or path of either file that ``write`` wrote.

    Returns
    -------
    GeometryReference
        The statistics.

    Raises
    ------
    UserError
        Where it is missing or was altered.
    """
    about, arrays = read_files(name_or_path, KIND)
    try:
        return GeometryReference(
            name=about["name"],
            count=int(about["count"]),
            hashes=arrays["hashes"],
            counts={
                name: {label: int(number) for label, number in distribution.items()}
                for name, distribution in about["counts"].items()
            },
            quantiles={key.split(".", 1)[1]: values for key, values in arrays.items() if key.startswith("quantiles.")},
            source=about["source"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unreadable(name_or_path, error) from error


def count_point_groups(shapes: Sequence[Shape], tolerance: float) -> Counter[str]:
    """Count the shapes by point group.

    Parameters
    ----------
    shapes : sequence of Shape
        The shapes.
    tolerance : float
        In ångström.

    Returns
    -------
    collections.Counter
        How often each Schoenflies symbol occurs.
    """
    return Counter(one.group(tolerance) for one in shapes)


def measure_chiralities(shapes: Sequence[Shape]) -> np.ndarray:
    """Measure the RMSD to the nearest operation that mirrors.

    Parameters
    ----------
    shapes : sequence of Shape, (n,)
        The shapes.

    Returns
    -------
    numpy.ndarray, (n,)
        In ångström, at most ``LIMIT``: larger ones are only bounded.
    """
    return np.array([min(one.chirality, LIMIT) for one in shapes])


def _quantiles(values: np.ndarray) -> np.ndarray:
    if len(values) <= QUANTILES:
        return np.sort(values).astype(np.float32)
    return np.quantile(values, (np.arange(QUANTILES) + 0.5) / QUANTILES).astype(np.float32)
