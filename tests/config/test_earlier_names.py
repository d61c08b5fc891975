"""Classes that had another name in checkpoints and recipes of before are still known by it."""

from __future__ import annotations

import pytest

from symdiff.config.building import build, names
from symdiff.config.catalog import find
from symdiff.config.earlier import RENAMED
from symdiff.groups import DirectProduct, Group


@pytest.mark.parametrize(("base", "before", "now"), [(b, o, n) for b, one in RENAMED.items() for o, n in one.items()])
def test_a_former_name_finds_the_class(base, before, now):
    assert base == "Group" and find(Group, before) is find(Group, now)
    assert before not in names(Group)


def test_a_group_of_before_is_built():
    assert isinstance(build(Group, {"kind": "Product", "groups": [{"kind": "Symmetric"}]}), DirectProduct)
