"""``make test`` runs what there is."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_folder_with_tests_is_named_in_the_makefile() -> None:
    named = re.search(r"^TESTS \?= (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert named is not None
    there = {file.relative_to(ROOT).parts[1] for file in (ROOT / "tests").rglob("test_*.py")}
    assert {f"tests/{folder}" for folder in there} == set(named[1].split())
