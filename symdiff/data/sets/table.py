"""One table of the data sets that have a name: which function builds each, imported when it is asked for."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field

from symdiff.data.dataset import Dataset
from symdiff.data.parsing import Progress


@dataclass(frozen=True)
class Named:
    """A data set that has a name.

    Parameters
    ----------
    module : str
        Where the function is, such as ``symdiff.data.sets.qm9``.
    function : str
        What builds the data set. Where it has a parameter ``progress``, it is told of every step.
    settings : mapping
        What the function is given.
    """

    module: str
    function: str
    settings: Mapping[str, object] = field(default_factory=dict)

    def build(self, progress: Progress = None) -> Dataset:
        """Build the data set.

        Raises
        ------
        UserError
            Where its files are missing.
        """
        function = getattr(importlib.import_module(self.module), self.function)
        follows = {"progress": progress} if "progress" in inspect.signature(function).parameters else {}
        return function(**self.settings, **follows)


def _name(module: str, function: str, **settings: object) -> Named:
    return Named(f"symdiff.data.sets.{module}", function, settings)


TABLE: dict[str, Named] = {
    "small-molecules": _name("enumeration", "small_molecules"),
    "qm9": _name("qm9", "qm9", hydrogens=False),
    "qm9-h": _name("qm9", "qm9", hydrogens=True),
    "qm9-3d": _name("qm9_3d", "qm9"),
    **{f"qm9-3d-{name}": _name("qm9_3d", "qm9", given=name) for name in ("mu", "alpha", "gap")},
    **{f"qm9-{name}": _name("qm9_properties", "qm9", name=name) for name in ("mu", "alpha", "homo", "lumo", "cv")},
    "qm9-properties": _name("qm9_properties", "qm9"),
    "cmu-walk": _name("motion", "walk"),
    "first-mm": _name("parts", "first_mm"),
    "zinc": _name("zinc", "zinc"),
    "druglike": _name("zinc", "druglike"),
    "moses": _name("moses", "moses"),
    "moses-scaffolds": _name("moses", "moses", scaffolds=True),
    "community-graphs": _name("random_graphs", "community_graphs"),
    "erdos-renyi": _name("random_graphs", "erdos_renyi"),
    "symmetric-graphs": _name("random_graphs", "symmetric_graphs"),
    **{f"ground-states-{side}": _name("lattices", "ground_states", side=side) for side in (4, 8)},
    **{f"spin-glass-{side}": _name("lattices", "spin_glass", side=side) for side in (4, 6)},
    **{f"ising-{side}": _name("lattices", "ising", side=side, rounds=64) for side in (8, 16)},
    "ising-16-long": _name("lattices", "ising", side=16, rounds=384),
    **{
        name: _name("benchmark_graphs", "benchmark", name=name)
        for name in (
            *("planar", "sbm", "tree", "lobster", "grid", "community_small", "ego_small", "enzymes"),
            *("spectre_community", "high_tls", "low_tls"),
        )
    },
}
"""Every data set that has a name. A module of one's own may add to it, see ``--import``."""
