"""Files that the demo's processes pass on to each other."""

from __future__ import annotations

from pathlib import Path

ACCOUNTS = "demo-accounts.json"
"""The demo's people, in the data directory, as the seed wrote them."""


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read; it appears whole or not at all."""
    half = path.with_name(f".{path.name}.half")
    half.touch(mode=0o600)
    half.write_text(text)
    half.replace(path)
