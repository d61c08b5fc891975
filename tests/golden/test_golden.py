"""Same seed, same samples, same numbers, same training: against what was recorded (``golden.py``).

Labels and spins must agree exactly, reals to 1e-3: another processor may sum in another order.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.golden.golden import EVALUATED, HERE, SAMPLES, evaluate, read_arrays, sample, train

pytestmark = pytest.mark.slow

RECORDED = load_file(HERE / "samples.safetensors")
METRICS = json.loads((HERE / "metrics.json").read_text())
MENDED: set[tuple[str, str]] = set()
"""(kind, metric) whose recorded value was wrong or is no longer given, each with its reason beside it."""


def compare(arrays: dict[str, np.ndarray], name: str, tolerance: float) -> None:
    recorded = {key.removeprefix(f"{name}/"): value for key, value in RECORDED.items() if key.startswith(f"{name}/")}
    assert arrays.keys() == recorded.keys()
    for key, value in recorded.items():
        if value.dtype.kind == "f":
            np.testing.assert_allclose(arrays[key], value, atol=tolerance, rtol=tolerance, err_msg=key)
        else:
            np.testing.assert_array_equal(arrays[key], value, err_msg=key)


@pytest.mark.parametrize("name", SAMPLES)
def test_same_seed_same_samples(name: str, tmp_path: Path):
    compare(read_arrays(sample(name, tmp_path)), name, 1e-3)


@pytest.mark.parametrize("kind", [*EVALUATED, "graphs"])
def test_same_file_same_numbers(kind: str, tmp_path: Path):
    metrics = evaluate(HERE / f"{kind}.npz", kind, tmp_path)
    for name, before in METRICS[kind].items():
        if (kind, name) in MENDED:
            continue
        now = metrics[name]
        for key, value in before.items():
            close = now[key] == value or (
                value is not None and math.isclose(now[key], value, rel_tol=1e-6, abs_tol=1e-9)
            )
            assert close, (name, key, value, now[key])


def test_same_recipe_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SYMDIFF_CACHE", str(tmp_path / "cache"))
    compare(train(tmp_path), "tiny", 1e-3)
