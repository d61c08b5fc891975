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
    about : str
        What the data are, in a line.
    """

    module: str
    function: str
    settings: Mapping[str, object] = field(default_factory=dict)
    about: str = ""

    def build(self, progress: Progress = None) -> Dataset:
        """Build the data set.

        Parameters
        ----------
        progress : callable, optional
            Called while the data set is built, where its function follows it.

        Returns
        -------
        Dataset
            All three splits.

        Raises
        ------
        UserError
            Where its files are missing.
        """
        function = getattr(importlib.import_module(self.module), self.function)
        follows = {"progress": progress} if "progress" in inspect.signature(function).parameters else {}
        return function(**self.settings, **follows)


def _name(module: str, function: str, about: str = "", /, **settings: object) -> Named:
    return Named(f"symdiff.data.sets.{module}", function, settings, about)


_QM9 = {
    "mu": "dipole moment in debye",
    "alpha": "polarizability in a0^3",
    "gap": "HOMO-LUMO gap in eV",
    "homo": "HOMO energy in eV",
    "lumo": "LUMO energy in eV",
    "cv": "heat capacity in cal/(mol K)",
}


_GRAPHS = {
    "planar": "Planar graphs of 64 nodes (SPECTRE)",
    "sbm": "Graphs of 2 to 5 communities, stochastic block model (SPECTRE)",
    "tree": "Trees of 64 nodes (Bergmeister et al., 2024)",
    "lobster": "Lobster trees (ConStruct)",
    "grid": "Grids of 100 to 400 nodes (GraphRNN)",
    "community_small": "Graphs of two communities of up to 20 nodes in all (GraphRNN)",
    "ego_small": "Neighborhoods of up to 18 nodes in the Citeseer graph",
    "enzymes": "Proteins of BRENDA as graphs",
    "spectre_community": "Small graphs of two communities (SPECTRE)",
    "high_tls": "Cell graphs with many tertiary lymphoid structures (ConStruct)",
    "low_tls": "Cell graphs with few tertiary lymphoid structures (ConStruct)",
}

TABLE: dict[str, Named] = {
    "small-molecules": _name(
        "enumeration", "small_molecules", "All valid molecules of up to 5 heavy atoms, enumerated by the package"
    ),
    "qm9": _name("qm9", "qm9", "QM9 as molecular graphs of heavy atoms", hydrogens=False),
    "qm9-h": _name("qm9", "qm9", "QM9 as molecular graphs, hydrogens as atoms", hydrogens=True),
    "qm9-3d": _name("qm9_3d", "qm9", "QM9 in 3D: atoms, bonds and positions"),
    **{
        f"qm9-3d-{name}": _name("qm9_3d", "qm9", f"QM9 in 3D, given its {_QM9[name]}", given=name)
        for name in ("mu", "alpha", "gap")
    },
    **{
        f"qm9-{name}": _name("qm9_properties", "qm9", f"QM9 as points, to predict the {_QM9[name]}", name=name)
        for name in ("mu", "alpha", "homo", "lumo", "cv")
    },
    "qm9-properties": _name("qm9_properties", "qm9", "QM9 as points, to predict five properties at once"),
    "cmu-walk": _name("motion", "walk", "Joints of a walker, to predict where they are 8 frames later"),
    "first-mm": _name("parts", "first_mm", "Household objects as points, to predict the part of each point"),
    "zinc": _name("zinc", "zinc", "Drug-like molecules, a part of ZINC250k, as graphs"),
    "druglike": _name("zinc", "druglike", "Drug-like molecules of MUV as graphs"),
    "moses": _name("moses", "moses", "MOSES, 1.9 million drug-like molecules as graphs, with its test set"),
    "moses-scaffolds": _name("moses", "moses", "MOSES with its test set of other scaffolds", scaffolds=True),
    "community-graphs": _name("random_graphs", "community_graphs", "Drawn graphs of two communities of 6 to 10 nodes"),
    "erdos-renyi": _name("random_graphs", "erdos_renyi", "Drawn graphs whose edges are independent"),
    "symmetric-graphs": _name("random_graphs", "symmetric_graphs", "Graphs of up to 16 nodes with many automorphisms"),
    **{
        name: _name("symmetric_problems", "symmetric_problem", f"{what} of symmetric graphs, all optima", name=name)
        for name, what in {
            "max-cut": "Maximum cuts",
            "independent-set": "Maximum independent sets",
            "removed-links": "Links between automorphic nodes",
        }.items()
    },
    "triangular": _name("symmetric_problems", "triangular", "Ground states of open triangular antiferromagnets"),
    **{
        f"ground-states-{side}": _name(
            "lattices", "ground_states", f"Ground states of alike couplings and fields, side {side}", side=side
        )
        for side in (4, 8)
    },
    **{
        f"spin-glass-{side}": _name(
            "lattices", "spin_glass", f"Ground states of spin glasses with random signs, side {side}", side=side
        )
        for side in (4, 6)
    },
    **{
        f"ising-{side}": _name(
            "lattices", "ising", f"Ising spins at temperatures from 1.6 to 3.4, side {side}", side=side, rounds=64
        )
        for side in (8, 16)
    },
    "ising-16-long": _name("lattices", "ising", "The same as ising-16, six times as many", side=16, rounds=384),
    "spin-tori": _name("tori", "spin_tori", "Ising spins on chain, square, triangular and cubic lattices of 64 sites"),
    **{name: _name("benchmark_graphs", "benchmark", about, name=name) for name, about in _GRAPHS.items()},
}
"""Every data set that has a name. A module of one's own may add to it, see ``--import``."""
