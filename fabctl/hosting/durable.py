"""Small files that survive a power cut: whole or not there, never half."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_durably(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a JSON file in one step; on return it is on the disk.

    :raises OSError: the disk is full, or not ours to write.
    """
    half = path.with_name(f".{path.name}.new")
    with half.open("w") as file:
        json.dump(dict(content), file)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
    _sync_folder(path.parent)


def remove_durably(path: Path) -> None:
    """Remove a file, if it is there; on return its absence is on the disk."""
    path.unlink(missing_ok=True)
    _sync_folder(path.parent)


def read_durable(path: Path) -> dict[str, Any] | None:
    """Return a JSON object; None without a file; empty when it cannot be understood."""
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
