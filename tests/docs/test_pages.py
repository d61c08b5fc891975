"""Every code block of the README and of the documentation runs as it stands, in order, in one folder a page.

Python blocks of a page share their names. A block is left out only by a comment before it, ``<!-- not run: the reason
in words -->``.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUN = [page for page in PAGES if "```" in page.read_text(encoding="utf-8")]
_BLOCK = re.compile(
    r"^(?:<!--(?P<comment>.*?)-->\s*\n)?```(?P<language>[^\n]*)\n(?P<text>.*?)^```\s*$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """A fenced block: what language, what text, and the reason for not running it, if any."""

    language: str
    text: str
    reason: str | None


def read_blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return parse_blocks(page.read_text(encoding="utf-8"))


def parse_blocks(text: str) -> list[Block]:
    """The fenced blocks of a text, in order."""
    fenced = []
    for match in _BLOCK.finditer(text):
        comment = (match["comment"] or "").strip()
        reason = comment.removeprefix("not run:").strip() if comment.startswith("not run:") else None
        fenced.append(Block(match["language"].strip(), match["text"], reason))
    return fenced


def commands(block: Block) -> str:
    """The shell commands of a block: all of ```bash, the lines behind ``$ `` of ```console."""
    if block.language == "bash":
        return block.text
    lines, taken = [], False
    for line in block.text.splitlines():
        taken = line.startswith("$ ") or (taken and bool(lines) and lines[-1].endswith("\\"))
        if taken:
            lines.append(line.removeprefix("$ "))
    return "\n".join(lines)


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    """A folder in which ``symdiff`` is this source tree, ``python`` this interpreter."""
    tools = tmp_path / "tools"
    tools.mkdir()
    scripts = {
        "python": f'exec {shlex.quote(sys.executable)} "$@"',
        "symdiff": f"exec {shlex.quote(sys.executable)} -c 'from symdiff.cli.main import main; main()' \"$@\"",
    }
    for name, script in scripts.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'evaluation'}",
        "SYMDIFF_CACHE": str(tmp_path / "cache"),
        "OMP_NUM_THREADS": "1",
    }


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_code_block_runs(page, tmp_path, environment):
    folder = tmp_path / "work"
    folder.mkdir()
    program = []
    for block in read_blocks(page):
        if block.reason is not None:
            continue
        if block.language in ("bash", "console"):
            run(["bash", "-euo", "pipefail", "-c", commands(block)], folder, environment, block)
        elif block.language == "python":
            program.append(block.text)  # later blocks may use what earlier ones made
            run([sys.executable, "-W", "error", "-c", "\n".join(program)], folder, environment, block)


def run(command: list[str], folder: Path, environment: dict[str, str], block: Block) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{block.text}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_is_left_out_says_why_and_every_block_names_a_language(page):
    known = {"bash", "console", "python", "text", "yaml", "bibtex"}
    for block in read_blocks(page):
        assert block.language in known, f"{block.language!r} is not in {sorted(known)}:\n{block.text}"
        assert block.reason is None or len(block.reason.split()) >= 3, f"say why in words:\n{block.text}"


def test_the_tutorials_and_the_readme_are_run():
    pages = [ROOT / "README.md", *(ROOT / "docs" / "tutorials").glob("*.md")]
    for page in pages:
        assert any(block.reason is None for block in read_blocks(page)), page


def test_blocks_are_found():
    page = (
        "a\n```bash\nx\n```\n\n<!-- not run: needs a GPU and a day -->\n"
        "```console\n$ y \\\n  z\nout\n$ w\n```\n<!-- a -->\n```python\nv\n```\n"
    )
    assert [(b.language, b.reason) for b in parse_blocks(page)] == [
        ("bash", None),
        ("console", "needs a GPU and a day"),
        ("python", None),
    ]
    assert commands(parse_blocks(page)[1]) == "y \\\n  z\nw"
