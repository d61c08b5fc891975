"""The layers of the package, and what its import may cost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import grimp
import networkx
import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("torch", "rdkit", "diffusers", "matplotlib", "numpy", "symdiff_evaluation")


def test_imports_only_go_down(capsys):
    from importlinter.cli import lint_imports

    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == 0, capsys.readouterr().out


def test_no_modules_import_each_other_in_a_circle():
    graph = grimp.build_graph("symdiff", "symdiff_evaluation", exclude_type_checking_imports=True)
    imports = networkx.DiGraph(
        (module, other) for module in graph.modules for other in graph.find_modules_directly_imported_by(module)
    )
    assert [sorted(part) for part in networkx.strongly_connected_components(imports) if len(part) > 1] == []


@pytest.mark.parametrize("module", ["symdiff", "symdiff.config.recipe", "symdiff.cli.main"])
def test_imports_nothing_heavy(module):
    code = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={"PYTHONPATH": ".:evaluation"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
