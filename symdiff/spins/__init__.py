"""Spin models on periodic lattices: Hamiltonians, exact references, Monte Carlo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.face import face

if TYPE_CHECKING:
    from symdiff.spins.configuration import Configuration as Configuration
    from symdiff.spins.hamiltonian import Hamiltonian as Hamiltonian
    from symdiff.spins.heat_bath import HeatBath as HeatBath
    from symdiff.spins.tempering import Tempering as Tempering
    from symdiff.spins.transfer_matrix import TransferMatrix as TransferMatrix
    from symdiff.spins.wolff import Wolff as Wolff

__getattr__, __dir__ = face(__name__)
