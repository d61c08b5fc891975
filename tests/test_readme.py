"""Every code block of the README runs as it stands, in order, in one folder; Python blocks share their names.

A block is left out only by a comment before it, ``<!-- not run: the reason in words -->``.
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

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
MOST_LEFT_OUT = 6
_BLOCK = re.compile(r"^(?:<!--(?P<comment>.*?)-->\s*\n)?```(?P<language>[^\n]*)\n(?P<text>.*?)^```\s*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: what language, what text, and the reason for not running it, if any."""

    language: str
    text: str
    reason: str | None


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = []
    for match in _BLOCK.finditer(text):
        comment = (match["comment"] or "").strip()
        reason = comment.removeprefix("not run:").strip() if comment.startswith("not run:") else None
        found.append(Block(match["language"].strip(), match["text"], reason))
    return found


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


@pytest.mark.timeout(600)
def test_every_code_block_of_the_readme_runs(tmp_path, environment):
    folder = tmp_path / "work"
    folder.mkdir()
    program = []
    for block in blocks(README.read_text(encoding="utf-8")):
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


def test_few_blocks_are_left_out_and_each_says_why():
    left_out = [block for block in blocks(README.read_text(encoding="utf-8")) if block.reason is not None]
    assert len(left_out) <= MOST_LEFT_OUT
    for block in left_out:
        assert len(block.reason.split()) >= 3, f"say why in words:\n{block.text}"


def test_every_block_names_a_language():
    known = {"bash", "console", "python", "text", "yaml", "bibtex"}
    for block in blocks(README.read_text(encoding="utf-8")):
        assert block.language in known, f"{block.language!r} is not in {sorted(known)}:\n{block.text}"


def test_blocks_are_found():
    page = "a\n```bash\nx\n```\n\n<!-- not run: needs a GPU and a day -->\n```console\n$ y \\\n  z\nout\n$ w\n```\n<!-- a -->\n```python\nv\n```\n"
    assert [(b.language, b.reason) for b in blocks(page)] == [("bash", None), ("console", "needs a GPU and a day"), ("python", None)]
    assert commands(blocks(page)[1]) == "y \\\n  z\nw"
