"""What is worked out of geometries, as shards hold it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from symdiff_evaluation.core.limits import Limits, Undetermined, run_each
from symdiff_evaluation.core.shards import Work
from symdiff_evaluation.molecules3d.bonds import EDM
from symdiff_evaluation.molecules3d.perception import PerceivedMolecule
from symdiff_evaluation.molecules3d.strain import Strain
from symdiff_evaluation.molecules3d.symmetry import Shape, SymmetryLevel

if TYPE_CHECKING:
    from symdiff_evaluation.molecules3d.samples import PlacedAtoms


class _Form(NamedTuple):
    """How one work's results are written down and read back, where there are any.

    Its cost, and the packages that it depends on.
    """

    plain: Callable[[Any], object]
    restore: Callable[[Any], object]
    cost: int
    packages: tuple[str, ...]


def make_work(name: str, work: Callable[[PlacedAtoms], object], limits: Limits) -> Work:
    """Describe one of the works on geometries so that shards can keep it.

    Parameters
    ----------
    name : str
        Name of its attribute in ``Geometries``.
    work : callable
        From ``PlacedAtoms`` to a result, which may be ``Undetermined`` or None.
    limits : Limits
        Processes, time and memory.

    Returns
    -------
    Work
        The work.
    """
    form = _FORMS[name]
    bounds = f"{limits.seconds:g} s, {limits.megabytes} MB" if limits.workers else "no limits"
    return Work(
        name,
        run=lambda items, progress: run_each(work, items, limits, progress),
        identity=identity,
        plain=partial(_plain, form.plain),
        restore=partial(_restore, form.restore),
        packages=form.packages,
        cost=form.cost,
        setting=bounds,
    )


def identity(geometry: PlacedAtoms) -> bytes:
    """Give bytes that differ where two geometries do; their number tells the number of atoms.

    Parameters
    ----------
    geometry : PlacedAtoms
        The geometry.

    Returns
    -------
    bytes
        Charge, atomic numbers and positions.
    """
    numbers, positions = geometry.numbers.astype("u1"), geometry.positions.astype("<f8")
    return geometry.charge.to_bytes(8, "little", signed=True) + numbers.tobytes() + positions.tobytes()


def _plain(form: Callable[[Any], object], one: object) -> object:
    if isinstance(one, Undetermined):
        return {"undetermined": str(one)}
    return None if one is None else {"found": form(one)}


def _restore(form: Callable[[Any], object], plain: Mapping[str, Any] | None) -> object:
    if plain is None:
        return None
    return Undetermined(plain["undetermined"]) if "undetermined" in plain else form(plain["found"])


def _perception(one: PerceivedMolecule) -> dict[str, Any]:
    return {
        **vars(one),
        "bonds": None if one.bonds is None else one.bonds.tolist(),
        "default": _plain(str, one.default),
    }


def _restore_perception(plain: Mapping[str, Any]) -> PerceivedMolecule:
    bonds = None if plain["bonds"] is None else np.array(plain["bonds"], np.int32).reshape(-1, 3)
    return PerceivedMolecule(**{**plain, "bonds": bonds, "default": _restore(str, plain["default"])})


def _shape(one: Shape) -> dict[str, Any]:
    return {"levels": [list(level) for level in one.levels], "measures": dict(one.measures)}


def _restore_shape(plain: Mapping[str, Any]) -> Shape:
    return Shape(tuple(SymmetryLevel(*level) for level in plain["levels"]), plain["measures"])


_FORMS: Mapping[str, _Form] = {
    "edm": _Form(asdict, lambda told: EDM(**told), 1, ("rdkit", "numpy")),
    "perceptions": _Form(_perception, _restore_perception, 16, ("rdkit", "numpy", "scipy")),
    "strains": _Form(asdict, lambda told: Strain(**told), 16, ("rdkit", "numpy", "scipy")),
    "xtb_strains": _Form(asdict, lambda told: Strain(**told), 128, ("rdkit", "numpy", "scipy", "tblite")),
    "shapes": _Form(_shape, _restore_shape, 16, ("numpy", "scipy")),
    "poses": _Form(dict, dict, 128, ("rdkit", "numpy", "scipy", "posebusters")),
}
