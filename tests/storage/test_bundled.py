"""What comes with the package is found from the source tree and from a wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from symdiff.errors import UserError
from symdiff.storage import bundled

ROOT = Path(__file__).resolve().parents[2]


def test_the_source_tree_has_recipes():
    assert "tiny" in bundled.recipes() and bundled.recipe("tiny").is_file()


def test_a_folder_is_no_recipe(tmp_path):
    with pytest.raises(UserError, match="expected a recipe file, got a folder"):
        bundled.recipe(tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_the_wheel_holds_everything(tmp_path):
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("symdiff_torch-*.whl")
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        file.extractall(tmp_path / "site")
    for kind, ours in (("recipes", bundled.recipes()), ("checkpoints", bundled.checkpoints())):
        for path in ours.values():
            inside = f"symdiff/bundled_files/{kind}/{path.relative_to(bundled.folder(kind)).as_posix()}"
            assert any(name == inside or name.startswith(f"{inside}/") for name in names), inside
    assert any(name.startswith("symdiff_evaluation/protocols/") for name in names)
    assert any(name.startswith("symdiff_evaluation/reference/") for name in names)
    assert not any("test" in name.split("/")[0] or name.endswith((".pyc", ".pt", ".bin")) for name in names)
    code = "from symdiff.storage import bundled; print(*bundled.recipes())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": "site"}, capture_output=True, text=True
    )
    assert done.stdout.split() == list(bundled.recipes()), done.stderr
