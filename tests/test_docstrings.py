"""Public functions say what they take: a Parameters section in NumPy's form, one line a parameter."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = [
    *(
        f"symdiff/{name}.py"
        for name in ("state", "random", "errors", "testing", "face", "workers", "progress", "guidance")
    ),
    *(f"symdiff/{name}.py" for name in ("assembly", "checkpoint", "components", "diffusion", "pipeline")),
    "evaluation/symdiff_evaluation",
    "symdiff/autoencoders",
    "symdiff/breaking",
    "symdiff/canonical",
    "symdiff/chemistry",
    "symdiff/config",
    "symdiff/data",
    "symdiff/denoisers",
    "symdiff/domains",
    "symdiff/graphs",
    "symdiff/groups",
    "symdiff/nn",
    "symdiff/objectives",
    "symdiff/processes",
    "symdiff/sampling",
    "symdiff/spins",
    "symdiff/storage",
    "symdiff/training",
]
"""Folders and files, from the root of the repository, in which every public function documents its parameters."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def read_trees() -> dict[Path, ast.Module]:
    """The syntax tree of every file of both packages."""
    files = [*(ROOT / "symdiff").rglob("*.py"), *(ROOT / "evaluation" / "symdiff_evaluation").rglob("*.py")]
    return {file: ast.parse(file.read_text(encoding="utf-8")) for file in sorted(files)}


@cache
def read_classes() -> dict[str, list[ast.ClassDef]]:
    """The classes of both packages, by name."""
    classes: dict[str, list[ast.ClassDef]] = {}
    for tree in read_trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                classes.setdefault(node.name, []).append(node)
    return classes


def list_bases(cls: ast.ClassDef) -> Iterator[ast.ClassDef]:
    """The classes of both packages from which ``cls`` inherits, near and far."""
    for base in cls.bases:
        inner = base.value if isinstance(base, ast.Subscript) else base
        name = inner.attr if isinstance(inner, ast.Attribute) else getattr(inner, "id", "")
        for parent in read_classes().get(name, []):
            if parent is not cls:
                yield parent
                yield from list_bases(parent)


def read_section(node: Function | ast.ClassDef, title: str = "Parameters") -> str:
    """What stands in a section of a docstring; empty without it."""
    text = ast.get_docstring(node) or ""
    match = re.search(rf"^{title}\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", text, re.MULTILINE | re.DOTALL)
    return match[1] if match else ""


def list_arguments(function: Function) -> set[str]:
    """The names of a function's arguments, without ``self``, ``cls`` and those that begin with an underscore."""
    spec = function.args
    every = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, *(a for a in (spec.vararg, spec.kwarg) if a)]
    return {a.arg for a in every if a.arg not in ("self", "cls") and not a.arg.startswith("_")}


def list_described(node: Function | ast.ClassDef) -> set[str]:
    """The names that the Parameters (of a class also Attributes) of a docstring describe."""
    lines = f"{read_section(node)}\n{read_section(node, 'Attributes')}".splitlines()
    heads = [line.partition(" :")[0] for line in lines if line and not line[0].isspace()]
    return {name.strip().lstrip("*") for head in heads for name in head.split(",")}


def describes(cls: ast.ClassDef, method: str) -> bool:
    """Whether a base of ``cls`` documents the parameters of ``method``."""
    for parent in list_bases(cls):
        for node in parent.body:
            if isinstance(node, Function) and node.name == method and list_arguments(node) <= list_described(node):
                return True
    return False


def is_described_elsewhere(method: Function) -> bool:
    """Whether a method is the setter of a property, or a signature that the function itself describes."""
    return any(
        (isinstance(d, ast.Attribute) and d.attr == "setter") or (isinstance(d, ast.Name) and d.id == "overload")
        for d in method.decorator_list
    )


def list_undocumented(tree: ast.Module) -> Iterator[str]:
    """The public functions of a module that leave an argument undescribed, with the arguments."""
    for node in tree.body:
        if isinstance(node, Function) and not node.name.startswith("_"):
            if left := list_arguments(node) - list_described(node):
                yield f"{node.name}: {sorted(left)}"
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for method in node.body:
                if not isinstance(method, Function):
                    continue
                constructs = method.name == "__init__"
                if (method.name.startswith("_") and not constructs) or is_described_elsewhere(method):
                    continue
                left = list_arguments(method) - list_described(node if constructs else method)
                if left and not (not constructs and describes(node, method.name)):
                    yield f"{node.name}.{method.name}: {sorted(left)}"


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_function_describes_its_parameters(room):
    chosen = {file: tree for file, tree in read_trees().items() if file.is_relative_to(ROOT / room)}
    assert chosen, f"no file in {room}"
    left = [f"{file.relative_to(ROOT)} {entry}" for file, tree in chosen.items() for entry in list_undocumented(tree)]
    assert not left, "\n".join(left)
