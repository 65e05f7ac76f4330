"""Pages that the navigation takes as it finds them: a new one needs no entry by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tools.reference.decisions import title_of

DOCS = Path(__file__).parents[2] / "docs"


def found(*patterns: str) -> list[Path]:
    """Return the documents right below docs/ that fit, pattern by pattern."""
    every = [path for pattern in patterns for path in sorted(DOCS.glob(pattern))]
    return list(dict.fromkeys(every))


def listed(paths: Sequence[Path]) -> str:
    """Return a list of pages, and their navigation, for a page one folder below docs/."""
    if not paths:
        return ""
    lines = [f"- [{title_of(path)}](../{path.name})\n" for path in paths]
    entries = [f"../{path.name}\n" for path in paths]
    return "".join([*lines, "\n```{toctree}\n:hidden:\n\n", *entries, "```\n"])


def of_installers() -> str:
    """Return the pages about labs of several computers, and about what may go wrong."""
    return listed(found("many-pis*.md", "three-hosts*.md", "full-disk*.md"))


def of_developers() -> str:
    """Return the pages about drivers."""
    return listed(found("driver*.md"))
