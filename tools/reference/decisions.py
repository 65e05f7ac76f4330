"""The decisions as a list: number, title, and what it is about by the hundreds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs/decisions"


def decisions() -> str:
    """Return a list of all records, and the part of the navigation that they are."""
    found = sorted(FOLDER.glob("[0-9]*.md"))
    listed = "\n".join(f"- [{title_of(path)}](../decisions/{path.name})" for path in found)
    return f"{listed}\n\n{''.join(_navigation(found))}"


def title_of(path: Path) -> str:
    """Return a record's first line, without its mark.

    :raises ValueError: the record does not begin with a title.
    """
    first = path.read_text("utf-8").partition("\n")[0]
    if not first.startswith("# "):
        raise ValueError(f"{path.name} does not begin with a title")
    return first.removeprefix("# ")


def _navigation(found: list[Path]) -> Iterator[str]:
    yield "```{toctree}\n:hidden:\n:maxdepth: 1\n\n"
    yield from (f"../decisions/{path.name}\n" for path in found)
    yield "```\n"
