"""From specs to objects: only final subclasses, checked against signature and annotations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Annotated, Literal

import pytest
from pydantic import Field

from symdiff.config.building import build, check, find, names
from symdiff.errors import UserError


class Shape(ABC):
    @abstractmethod
    def area(self) -> float: ...


class Rounded(Shape):
    """Abstract still: it adds nothing that is missing."""


class Square(Shape):
    def __init__(
        self, unit: str, side: float = 1.0, corners: tuple[int, ...] = (), style: Literal["plain", "bold"] = "plain"
    ) -> None:
        if side < 0:
            raise ValueError(f"side must not be negative, got {side}")
        self.unit, self.side, self.corners, self.style = unit, side, corners, style

    def area(self) -> float:
        return self.side**2


class Empty(Shape):
    def area(self) -> float:
        return 0.0


class Union(Shape):
    def __init__(self, parts: list[Shape], named: dict[str, Shape] | None = None, hole: Shape | None = None) -> None:
        self.parts, self.named, self.hole = parts, named, hole

    def area(self) -> float:
        return sum(part.area() for part in self.parts)


class Configured(Shape):
    """Keeps its config as a diffusers class does: nested choices stay plain and are built by itself."""

    def __init__(self, inner: Shape | Mapping, size: Annotated[int, Field(ge=1)] = 1) -> None:
        self.config, self.inner = {"inner": inner, "size": size}, build(Shape, inner)

    def register_to_config(self) -> None: ...

    def area(self) -> float:
        return self.inner.area()


class Anything(Shape):
    def __init__(self, **settings: object) -> None: ...

    def area(self) -> float:
        return 0.0


def test_builds_what_is_named_with_what_is_given():
    square = build(Shape, {"kind": "Square", "side": 2, "corners": [1, 2]}, unit="m")
    assert (square.area(), square.unit, square.corners) == (4, "m", (1, 2))
    assert build(Shape, square) is square
    assert isinstance(build(Shape, {"kind": "Empty"}, unit="m"), Empty), (
        "a class takes those of the given that it names"
    )


def test_builds_nested_choices_in_lists_mappings_and_unions():
    spec = {
        "kind": "Union",
        "parts": [{"kind": "Empty"}, {"kind": "Union", "parts": []}],
        "named": {"a": {"kind": "Empty"}},
        "hole": {"kind": "Empty"},
    }
    union = build(Shape, spec)
    assert [type(part) for part in (*union.parts, union.named["a"], union.hole)] == [Empty, Union, Empty, Empty]


def test_a_class_with_a_config_gets_plain_specs():
    found = build(Shape, {"kind": "Configured", "inner": {"kind": "Empty"}})
    assert found.config == {"inner": {"kind": "Empty"}, "size": 1} and isinstance(found.inner, Empty)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"kind": "Sqare"}, "shape.kind: expected the name of a Shape, got 'Sqare' (did you mean 'Square'?)"),
        ({"kind": "Rounded"}, "shape.kind: expected the name of a Shape, got 'Rounded'"),
        ({"kind": "Shape"}, "shape.kind: expected the name of a Shape, got 'Shape'"),
        ({"kind": "dict"}, "shape.kind: expected the name of a Shape, got 'dict'"),
        ({"kind": {}}, "shape.kind: expected the name of a Shape, got {}"),
        ({}, "shape: the key 'kind' is missing"),
        (7, "shape: expected a mapping with the key 'kind', got 7"),
        ({"kind": "Square", "unit": "m"}, "shape.unit: not a setting: the package supplies it"),
        ({"kind": "Square", "sied": 1}, "shape.sied: Square has no such setting (did you mean 'side'?)"),
        ({"kind": "Square", "side": True}, "shape.side: expected a number, got True"),
        ({"kind": "Square", "side": -1}, "shape: side must not be negative, got -1"),
        ({"kind": "Square", "corners": [1, "a"]}, "shape.corners[1]: expected an integer, got 'a'"),
        ({"kind": "Square", "style": "bald"}, "shape.style: expected 'plain' or 'bold', got 'bald'"),
        ({"kind": "Union"}, "shape.parts: Union needs this setting"),
        ({"kind": "Union", "parts": {"kind": "Empty"}}, "shape.parts: expected a list, got {'kind': 'Empty'}"),
        ({"kind": "Union", "parts": [{"kind": "Empty", "x": 1}]}, "shape.parts[0].x: Empty has no such setting"),
        (
            {"kind": "Union", "parts": [], "named": {"a": {"kind": "b"}}},
            "shape.named.a.kind: expected the name of a Shape, got 'b'",
        ),
        ({"kind": "Union", "parts": [], "hole": 3}, "shape.hole: expected a mapping with the key 'kind', got 3"),
        (
            {"kind": "Configured", "inner": {"kind": "Squore"}},
            "shape.inner.kind: expected the name of a Shape, got 'Squore'",
        ),
        ({"kind": "Configured", "inner": {"kind": "Empty"}, "size": 0}, "shape.size: expected at least 1, got 0"),
    ],
)
def test_a_bad_spec_names_the_place(spec, message):
    with pytest.raises(UserError) as caught:
        build(Shape, spec, unit="m")
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


def test_a_class_that_swallows_settings_cannot_be_built():
    with pytest.raises(TypeError, match="must name its parameters"):
        build(Shape, {"kind": "Anything"})


def test_checking_builds_nothing():
    assert check(Shape, {"kind": "Square", "side": -1}, given=("unit",)) is Square


def test_names_are_the_final_classes():
    assert {"Square", "Empty", "Union", "Configured"} <= {*names(Shape)} and not {"Shape", "Rounded"} & {*names(Shape)}


def test_every_named_class_of_ours_can_be_found():
    from symdiff.breaking.base import SymmetryBreaker
    from symdiff.canonical.base import Canonicalizer
    from symdiff.denoisers.base import Denoiser
    from symdiff.domains.base import Domain
    from symdiff.groups.base import Group
    from symdiff.processes.base import Process

    for base in (SymmetryBreaker, Canonicalizer, Denoiser, Domain, Group, Process):
        own = list(names(base))
        assert own, base
    assert {find(SymmetryBreaker, name).__module__.split(".")[0] for name in ("SymPE", "Nothing", "Noise")} == {
        "symdiff"
    }
