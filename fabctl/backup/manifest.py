"""What an archive says of itself: its last member, ``manifest.json``. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fabctl.errors import InputError

FORMAT = 1
NAME = "manifest.json"
LAB_TOML = "lab.toml"
SQLITE = "database.sqlite"
POSTGRESQL = "database.pgdump"
DATA = "data/"
"""What lies below the data directory."""
BESIDE = "beside/"
"""Files that lab.toml names, below its own folder."""
ELSEWHERE = "elsewhere/"
"""Files that lab.toml names anywhere else, by their whole path."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive."""

    size: int
    """Bytes."""
    sha256: str
    mode: int
    """Its permission bits."""


@dataclass(frozen=True, slots=True)
class Head:
    """What is known before the first file is written."""

    lab: str
    name: str
    """The lab's, for people."""
    taken_at: datetime
    """When it was begun, UTC."""
    fabctl: str
    """The version that wrote it."""
    revision: str
    """The migration its database stands at."""
    database_file: str = "lab.db"
    """SQLite's file, as seen from the data directory."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive holds."""

    head: Head
    entries: Mapping[str, Entry]
    missing: tuple[str, ...] = field(default=())
    """Job files that the database names and the disk did not have."""

    @property
    def database(self) -> str:
        """The member that holds the database."""
        return SQLITE if SQLITE in self.entries else POSTGRESQL

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.entries.values())


def encode(manifest: Manifest) -> bytes:
    """Return the manifest as JSON."""
    head = manifest.head
    body = {
        "format": FORMAT,
        "lab": head.lab,
        "name": head.name,
        "taken_at": head.taken_at.isoformat(),
        "fabctl": head.fabctl,
        "revision": head.revision,
        "database_file": head.database_file,
        "missing": list(manifest.missing),
        "files": {
            path: {"size": entry.size, "sha256": entry.sha256, "mode": f"{entry.mode:04o}"}
            for path, entry in manifest.entries.items()
        },
    }
    return json.dumps(body, indent=1, ensure_ascii=False).encode()


def decode(raw: bytes) -> Manifest:
    """Return what :func:`encode` wrote.

    :raises InputError: it is another format, or none.
    """
    try:
        body: dict[str, Any] = json.loads(raw)
        if body["format"] != FORMAT:
            raise InputError(
                f"the archive is of format {body['format']}, this fabctl reads {FORMAT}",
                next_step="use the fabctl that wrote it, or a newer one",
            )
        entries = {
            path: Entry(int(one["size"]), str(one["sha256"]), int(one["mode"], 8))
            for path, one in body["files"].items()
        }
        keys = ("lab", "name", "fabctl", "revision", "database_file")
        texts = {key: str(body[key]) for key in keys}
        head = Head(taken_at=datetime.fromisoformat(body["taken_at"]), **texts)
        return Manifest(head, entries, tuple(map(str, body["missing"])))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"the archive's {NAME} cannot be read: {error!r}") from error
