"""Small files that survive a power cut: whole or not there, never half."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fabctl.whole_files import sync_folder, write_whole


def write_durably(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a JSON file in one step; on return it is on the disk.

    :raises OSError: the disk is full, or not ours to write.
    """
    write_whole(path, json.dumps(dict(content)))


def remove_durably(path: Path) -> None:
    """Remove a file, if it is there; on return its absence is on the disk."""
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def read_durable(path: Path) -> dict[str, Any] | None:
    """Return a JSON object; None without a file; empty when it cannot be understood."""
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
