"""Every integer that a recipe or a checkpoint may set has a range, which is checked before anything is allocated."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from typing import Annotated, get_args, get_origin

import pytest
import torch
from torch import nn

from symdiff.cli.main import main
from symdiff.components import COMPONENTS
from symdiff.config.building import _abstract, _parameters, build, check, find, names
from symdiff.domains.base import Domain
from symdiff.errors import UserError
from symdiff.groups.base import Group
from symdiff.nn.allocation import limit_memory, limit_shapes
from symdiff.pipeline import Pipeline
from symdiff.processes.revealing import Revealing
from symdiff.storage import bundled, sealed
from symdiff.training import run

NEEDED = {
    "SymPE": {"canonicalizer": {"kind": "Nodes"}, "code": {"kind": "NodeCode", "nodes": 4}},
    "NodeCode": {"nodes": 4},
    "Orbits": {"group": "cyclic 5"},
    "GraphOrbits": {"field": "bond"},
    "Molecules": {"atoms": ["C"]},
    "NodesGiven": {"given": ["edge"]},
    "Sites": {"group": {"kind": "Space"}},
    "NetworkEncoder": {"network": {"kind": "NodeTransformer"}, "dim": 4},
    "NetworkDecoder": {"network": {"kind": "NodeTransformer"}, "nodes": 4},
    "Autoguided": {"denoiser": {"kind": "NodeTransformer"}, "weak": {"kind": "NodeTransformer", "layers": 1}},
    "InFrame": {"denoiser": {"kind": "NodeTransformer"}},
    "MolecularGraph": {"atoms": ["C"]},
    "Molecule3D": {"atoms": ["C"]},
    "PointCloud": {
        "given": {"position": {"kind": "Real", "axes": "node", "dim": 1, "vector": 3}},
        "predicted": {"mass": {"kind": "Real", "axes": "node", "dim": 1}},
    },
    "PermutationGroup": {"nodes": 3},
    "Relabel": {"fields": ["spin"], "classes": 2, "generators": [[1, 0]]},
    "Product": {"parts": []},
    "DirectProduct": {"groups": [{"kind": "Symmetric"}]},
}
"""What must be given, by the name of the class."""
LATTICE_SIDES = {"sides": 2}  # of the square lattice, which is the default everywhere


def inner(hint: object) -> Iterator[object]:
    """An annotation and everything within it."""
    yield hint
    for part in get_args(hint) if get_origin(hint) is not Annotated else ():
        yield from inner(part)


def reachable() -> set[type]:
    """The abstract classes whose final classes a recipe or a checkpoint may name."""
    todo, known = [*(one.base for one in COMPONENTS.values()), Domain, Group, Revealing], set()
    while todo:
        base = todo.pop()
        if base in known:
            continue
        known.add(base)
        for name in names(base):
            hints = (hint for hint, _ in _parameters(find(base, name)).values())
            todo += [cls for hint in hints for part in inner(hint) if (cls := _abstract(part)) is not None]
    return known


def given(base: type) -> tuple[str, ...]:
    return next((one.supplied for one in COMPONENTS.values() if one.base is base), ())


CLASSES = [(base, name) for base in sorted(reachable(), key=lambda base: base.__qualname__) for name in names(base)]


def integers(hint: object, value: int, name: str) -> list[object]:
    """Values of a parameter in which some integer is ``value``; none where it holds no integer."""
    hint = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if hint is int:
        return [value]
    found = []
    for part in get_args(hint):
        if (
            isinstance(get_origin(hint), type)
            and not issubclass(get_origin(hint), (list, tuple))
            and "Sequence" not in str(hint)
        ):
            continue
        found += [
            [one] * LATTICE_SIDES.get(name, 1) if "Sequence" in str(get_origin(hint)) else one
            for one in integers(part, value, name)
        ]
    return found


CASES = [
    (base, name, setting, value)
    for base, name in CLASSES
    for setting, (hint, _) in _parameters(find(base, name)).items()
    if setting not in given(base)
    for number in (-1, 0, 10**12)
    for value in integers(hint, number, setting)
]


def needed(base: type, name: str) -> dict:
    """The least that a class must be given."""
    wanted = {setting for setting, (_, must) in _parameters(find(base, name)).items() if must}
    return {"kind": name, **{setting: value for setting, value in NEEDED.get(name, {}).items() if setting in wanted}}


def largest(value: object) -> int:
    return value if isinstance(value, int) else largest(value[0])


def peak() -> int:
    """The most memory that this process ever had, in bytes."""
    resource = pytest.importorskip("resource", reason="no measure of memory on this system")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.parametrize(("base", "name"), CLASSES, ids=lambda value: getattr(value, "__name__", value))
def test_the_least_is_accepted(base, name):
    check(base, needed(base, name), given=given(base))


def test_there_are_integers_of_every_kind():
    assert {base.__name__ for base, *_ in CASES} >= {
        "Denoiser",
        "SymmetryBreaker",
        "Code",
        "Process",
        "Schedule",
        "Group",
        "Domain",
    }
    assert len(CASES) > 150


@pytest.mark.parametrize(
    ("base", "name", "setting", "value"), CASES, ids=lambda value: getattr(value, "__name__", str(value))
)
def test_every_integer_has_a_range(base, name, setting, value):
    before = peak()
    spec = {**needed(base, name), setting: value}
    if largest(value) == 0:  # none, where that means something
        try:
            check(base, spec, given=given(base))
            if not given(base):
                build(base, spec)
        except UserError as error:
            assert "\n" not in str(error)
    else:
        with pytest.raises(UserError) as caught:
            check(base, spec, given=given(base))
        assert "\n" not in str(caught.value) and setting in str(caught.value)
    assert peak() - before < 100e6


@pytest.mark.parametrize("irreps", ["1000000000000x0e", "8x0e + 1x100o", "1000000x0e + 1x1o"])
def test_representations_have_a_range(irreps):
    pytest.importorskip("e3nn", reason="steerable layers need e3nn")
    from symdiff.nn.steerable import read_irreps

    with pytest.raises(ValueError, match="irreps"):
        read_irreps(irreps)


@pytest.mark.parametrize("value", [-1, 10**12])
def test_fields_have_a_range(value):
    spec = {
        "kind": "PointCloud",
        **NEEDED["PointCloud"],
        "predicted": {"mass": {"kind": "Real", "axes": "node", "dim": value}},
    }
    with pytest.raises(UserError, match="field 'mass': dim must be 0 to"):
        build(Domain, spec)


@pytest.mark.parametrize(
    ("recipe", "setting"),
    [
        ("tiny", "denoiser/width=1000000"),
        ("tiny", "denoiser/layers=0"),
        ("tiny", "denoiser/layers=-1"),
        ("tiny", "breaker/code/nodes=1000000000000"),
        ("qm9-3d", "denoiser/denoiser/width=1000000"),
        ("qm9-3d", "denoiser/denoiser/layers=-1"),
        ("qm9-3d", "denoiser/denoiser/widht=8"),
    ],
)
def test_a_run_that_cannot_start_leaves_no_folder(recipe, setting, tmp_path, monkeypatch, capsys):
    """It is told before the data are read, which takes minutes for QM9's geometries."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "open_dataset", lambda *_: pytest.fail("the data were read first"))
    monkeypatch.setattr(sys, "argv", ["symdiff", "train", recipe, "--out", "run", "--set", setting])
    with pytest.raises(SystemExit) as caught:
        main()
    error = capsys.readouterr().err
    assert caught.value.code == 2 and error.count("\n") == 1 and setting.partition("=")[0].split("/")[-1] in error
    assert list(tmp_path.iterdir()) == []


CHANGES = {"width": 8192, "heads": 512, "widening": 64, "readout": 8192}


@pytest.mark.parametrize("setting", CHANGES)
def test_a_config_is_compared_with_its_weights_before_anything_is_filled(setting, tmp_path):
    folder = tmp_path / "checkpoint"
    shutil.copytree(bundled.checkpoint("qm9-graph"), folder)
    path = folder / "denoiser" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), setting: CHANGES[setting]}))
    (folder / sealed.SUMS).unlink()
    sealed.sign(folder)
    before = peak()
    with pytest.raises(UserError) as caught:
        Pipeline.load(folder)
    assert "denoiser/config.json" in str(caught.value) and "\n" not in str(caught.value)
    assert "which the weights do not have" in str(caught.value)
    assert peak() - before < 100e6


def test_a_model_larger_than_the_memory_is_refused():
    with pytest.raises(UserError, match="more than 0.000977 GiB"), limit_memory(2**20):
        nn.Sequential(*(nn.Linear(256, 256) for _ in range(10)))
    with limit_memory(2**20):
        nn.Linear(256, 256)


def test_a_parameter_larger_than_any_memory_is_one_line():
    with pytest.raises(UserError, match="needs more memory than there is"), limit_memory():
        nn.Parameter(torch.empty(2**50))
    nn.Linear(2, 2)  # what was watched is watched no longer
    with pytest.raises(UserError, match=r"weight of shape \(3, 2\)"), limit_shapes([(2, 2), (3,)]):
        nn.Linear(2, 3)
