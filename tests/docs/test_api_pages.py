"""The API pages hold every module that a package's face names, each once, and the site lists every page."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
FACES = [*(ROOT / "symdiff").glob("*/__init__.py"), ROOT / "evaluation/symdiff_evaluation/__init__.py"]
PAGES = sorted((ROOT / "docs/api").glob("*.md"))


def test_every_public_module_is_on_one_page():
    written = Counter(name for page in PAGES for name in re.findall(r"^::: (\S+)$", page.read_text(), re.MULTILINE))
    assert not [name for name, count in written.items() if count > 1]
    wanted = {name for face in FACES for name in re.findall(r"^    from (\S+) import", face.read_text(), re.MULTILINE)}
    assert len(wanted) > 100 and not wanted - set(written)
    for name in written:
        assert any(
            (root / (name.replace(".", "/") + ending)).exists()
            for root in (ROOT, ROOT / "evaluation")
            for ending in (".py", "/__init__.py")
        )


def test_the_site_lists_every_page():
    listed = set(re.findall(r"- (api/\w+\.md)", (ROOT / "mkdocs.yml").read_text()))
    assert listed == {f"api/{page.name}" for page in PAGES}
