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
    """Return a list of pages."""
    return "".join(f"- [{title_of(path)}](../{path.name})\n" for path in paths)


def in_navigation(paths: Sequence[Path]) -> str:
    """Return the part of the navigation that they are, for a page one folder below docs/."""
    entries = "".join(f"../{path.name}\n" for path in paths)
    return f"```{{toctree}}\n:hidden:\n\n{entries}```\n" if entries else ""


def of_installers() -> str:
    """Return the pages about labs of several computers, and about what may go wrong."""
    pages = found("many-pis*.md", "three-hosts*.md", "full-disk*.md")
    return f"{listed(pages)}\n{in_navigation(pages)}"


def of_developers() -> str:
    """Return the navigation to the pages about drivers."""
    return in_navigation(found("driver*.md"))
