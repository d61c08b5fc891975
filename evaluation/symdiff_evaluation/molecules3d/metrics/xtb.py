"""Strain energies by GFN2-xTB."""

from __future__ import annotations

from symdiff_evaluation.core.estimate import Estimate
from symdiff_evaluation.core.limits import Undetermined
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules3d.metrics.strain import median
from symdiff_evaluation.molecules3d.reference import GeometryReference
from symdiff_evaluation.molecules3d.samples import Geometries
from symdiff_evaluation.molecules3d.xtb import require


class XTBStrainEnergy(Metric):
    """Strain of molecules by perceived bonds, the others undecided; needs the package ``tblite``, about a second a
    molecule.

    References
    ----------
    Bannwarth, Ehlert, Grimme, GFN2-xTB: An Accurate and Broadly Parametrized Self-Consistent Tight-Binding Quantum
    Chemical Method, J. Chem. Theory Comput. 15 (2019).
    """

    title = "Strain (GFN2-xTB)"
    about = {
        "strain.xtb": "median energy in kcal/mol that relaxing with GFN2-xTB to the nearest minimum gives",
        "strain.xtb_per_atom": "the same per atom, hydrogens among them",
        "strain.xtb_shift": "median RMSD in angstrom between geometry and minimum",
    }

    def __call__(self, samples: Geometries, reference: GeometryReference | None) -> dict[str, Estimate]:
        require()
        good = [one for one in samples.xtb_strains if not isinstance(one, Undetermined) and one.energy is not None]
        lost = len(samples) - len(good)
        return {
            "strain.xtb": median([one.energy for one in good], lost),
            "strain.xtb_per_atom": median([one.energy / one.atoms for one in good], lost),
            "strain.xtb_shift": median([one.shift for one in good], lost),
        }
