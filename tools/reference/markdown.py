"""Markdown tables, and the marks between which a document holds what was made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def cell(words: object) -> str:
    """Return words as a table's cell: one line, no bar that would end it."""
    return " ".join(str(words).split()).replace("|", "\\|")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; without a row nothing at all."""
    body = [f"| {' | '.join(map(cell, row))} |" for row in rows]
    if not body:
        return ""
    return "\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *body, ""])


def code(words: object) -> str:
    """Return words as code."""
    return f"`{words}`"


def plain(docstring: str | None) -> str:
    """Return a docstring's first paragraph, its code and its roles as Markdown has them."""
    said = " ".join((docstring or "").strip().split("\n\n", maxsplit=1)[0].split())
    said = re.sub(r":\w+:`~?\.?([^`]+)`", lambda found: f"`{found[1].rsplit('.', 1)[-1]}`", said)
    return said.replace("``", "`")


def between(document: str, name: str, made: str) -> str:
    """Return the document with what stands between the marks of ``name`` replaced.

    :raises ValueError: it has no such marks.
    """
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, found, rest = document.partition(begin)
    _, found_too, after = rest.partition(end)
    if not found or not found_too:
        raise ValueError(f"there is no {begin.strip()} … {end}")
    return f"{before}{begin}\n{made.strip()}\n\n{end}{after}"
