"""Files that the demo's processes pass on to each other."""

from __future__ import annotations

from pathlib import Path

from fabctl.whole_files import write_whole

ACCOUNTS = "demo-accounts.json"
"""The demo's people, in the data directory, as the seed wrote them."""


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read; it appears whole or not at all."""
    write_whole(path, text, mode=0o600)
