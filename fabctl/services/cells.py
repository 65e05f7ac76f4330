"""Cells of tables that a spreadsheet opens."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would run a cell that begins so."""


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe stands before it."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
