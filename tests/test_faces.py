"""Every package has a face: its nouns can be imported from it, and importing it imports nothing heavy."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import symdiff
from symdiff.config.catalog import _subclasses

ROOT = Path(symdiff.__file__).resolve().parent.parent
PACKAGES = [
    package.name
    for package in pkgutil.walk_packages(symdiff.__path__, "symdiff.")
    if package.ispkg and package.name not in ("symdiff.cli", "symdiff.data.sets", "symdiff.autoencoders")
]
HEAVY = ("torch", "rdkit", "diffusers", "matplotlib", "numpy")


@pytest.mark.parametrize("package", ["symdiff", *PACKAGES])
def test_every_name_of_a_face_is_there(package):
    module = importlib.import_module(package)
    assert module.__all__ and module.__doc__ and set(module.__all__) <= set(dir(module))
    for name in module.__all__:
        if name == "SteerableNetwork":
            pytest.importorskip("e3nn", reason="steerable layers need e3nn")
        value = getattr(module, name)
        assert value.__name__ in (name, "SymdiffPipeline") and value is getattr(module, name)
    with pytest.raises(AttributeError, match="has no attribute 'Nobody'"):
        _ = module.Nobody


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_recipe_may_name_is_in_the_face(package):
    """Every final subclass of the package's abstract classes."""
    module = importlib.import_module(package)
    offered = set(module.__all__)
    for name in offered - {"SteerableNetwork"}:
        base = getattr(module, name)
        if isinstance(base, type) and inspect.isabstract(base) and base.__module__.startswith(package):
            ours = {cls.__name__ for cls in _subclasses(base) if cls.__module__.startswith(f"{package}.")}
            assert {name for name in ours if not name.startswith("_") and name not in ABSTRACT} <= offered


ABSTRACT = {"Corrected", "KarrasPath", "StraightPath"}
"""Abstract classes that stand between."""


def test_faces_import_nothing_heavy():
    code = f"import sys, {', '.join(['symdiff', *PACKAGES])}; print([name for name in {HEAVY} if name in sys.modules])"
    environment = {"PYTHONPATH": f"{ROOT}"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.strip() == "[]", done.stderr


def test_help_is_quick():
    """Under half a second on a machine that does nothing else: the best of three, with room for a busy one."""
    code = "import sys; sys.argv = ['symdiff', '--help']; from symdiff.cli.main import main; main()"
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONPATH": f"{ROOT}"}, capture_output=True, text=True
        )
        assert done.returncode == 0 and "train" in done.stdout
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 3
