"""The transfer matrix of layers against the sum over all configurations, and against other exact values."""

from __future__ import annotations

import math

import pytest
import torch

from symdiff.groups.torus import torus
from symdiff.spins.exact import _columns, mean_energy
from symdiff.spins.hamiltonian import Hamiltonian, interaction
from symdiff.spins.layers import has_four_layers, log_partition_of_layers
from symdiff.spins.transfer import Boltzmann, Sweep


def cubic(*sides: int) -> Hamiltonian:
    return Hamiltonian.make(torus("cubic", sides), interaction("ising"))


def test_against_every_configuration():
    model = cubic(4, 2, 2)
    codes = torch.arange(1 << 16)
    labels = torch.stack([codes >> k & 1 for k in range(16)], 1)
    for temperature in (1.7, 4.5):
        every = (-model.total(labels) / temperature).logsumexp(0)
        assert float(log_partition_of_layers(model, temperature)) == pytest.approx(float(every), rel=1e-12)


def test_against_the_sweep_from_site_to_site():
    model = cubic(4, 2, 3)
    swept = _columns(Sweep(model), Boltzmann(3.0))[1].logsumexp(0)
    assert float(log_partition_of_layers(model, 3.0)) == pytest.approx(float(swept), rel=1e-12)


def test_limits_of_the_four_cube():
    model = cubic(4, 4, 4)
    assert has_four_layers(model) and not has_four_layers(cubic(3, 4, 4))
    cold = 2 * math.exp(192 / 1.0) * (1 + 64 * math.exp(-12 / 1.0) + 192 * math.exp(-20 / 1.0))
    assert float(log_partition_of_layers(model, 1.0)) == pytest.approx(math.log(cold), rel=1e-8)
    hot = 64 * math.log(2) + 192 * math.log(math.cosh(1 / 200))
    assert float(log_partition_of_layers(model, 200.0)) == pytest.approx(hot, rel=1e-8)
    assert float(mean_energy(model, 1.0)) == pytest.approx(-3.0, abs=1e-3)
