"""The face of the package: its nouns by name, loaded when they are asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import symdiff.chemistry as chemistry


@pytest.mark.parametrize("name", chemistry.__all__)
def test_every_noun_is_there(name):
    assert getattr(chemistry, name).__name__ == name and name in dir(chemistry)


def test_the_face_loads_nothing():
    code = "import sys, symdiff.chemistry; print({'rdkit', 'numpy', 'torch'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "set()"
    )


def test_an_unknown_noun_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'smile'"):
        _ = chemistry.smile
