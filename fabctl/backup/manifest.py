"""What an archive says of itself: its last member, ``manifest.json``. Pure."""

from __future__ import annotations

import json
import re
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
FILE_BITS, FOLDER_BITS = 0o777, 0o2777
"""What an archive may say of rights: no program that runs as its owner; a folder may pass on its
group."""
_PATH = re.compile(r"(?:[^/\0]+/)*[^/\0]+")


@dataclass(frozen=True, slots=True)
class Rights:
    """Who may do what with a file or a folder; by names, numbers differ between computers."""

    mode: int
    """Permission bits."""
    owner: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive."""

    size: int
    """Bytes."""
    sha256: str
    rights: Rights


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
    folders: Mapping[str, Rights] = field(default_factory=dict)
    """The folders below ``data/``, and that one itself."""
    missing: tuple[str, ...] = ()
    """Job files that the database names and the disk did not have."""
    unread: tuple[str, ...] = ()
    """Files and folders that whoever made the backup was not allowed to read."""

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
        "unread": list(manifest.unread),
        "folders": {path: _rights_json(rights) for path, rights in manifest.folders.items()},
        "files": {
            path: {"size": entry.size, "sha256": entry.sha256, **_rights_json(entry.rights)}
            for path, entry in manifest.entries.items()
        },
    }
    return json.dumps(body, indent=1, ensure_ascii=False).encode()


def decode(raw: bytes) -> Manifest:
    """Return what :func:`encode` wrote.

    :raises InputError: it is another format, or none, or it names a place outside of a lab.
    """
    try:
        body: dict[str, Any] = json.loads(raw)
        if body["format"] != FORMAT:
            raise InputError(
                f"the archive is of format {body['format']}, this fabctl reads {FORMAT}",
                next_step="use the fabctl that wrote it, or a newer one",
            )
        entries = {
            _inside(path): Entry(int(one["size"]), str(one["sha256"]), _rights(one, FILE_BITS))
            for path, one in body["files"].items()
        }
        keys = ("lab", "name", "fabctl", "revision", "database_file")
        texts = {key: str(body[key]) for key in keys}
        head = Head(taken_at=datetime.fromisoformat(body["taken_at"]), **texts)
        _inside(head.database_file)
        folders = {
            _data_folder(path): _rights(one, FOLDER_BITS) for path, one in body["folders"].items()
        }
        lists = {key: tuple(map(str, body[key])) for key in ("missing", "unread")}
        return Manifest(head, entries, folders, **lists)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"the archive's {NAME} cannot be read: {error!r}") from error


def _rights_json(rights: Rights) -> dict[str, str]:
    return {"mode": f"{rights.mode:04o}", "owner": rights.owner, "group": rights.group}


def _rights(body: Mapping[str, Any], bits: int) -> Rights:
    mode = int(body["mode"], 8)
    if mode & ~bits:
        raise ValueError(f"rights {body['mode']}")
    return Rights(mode, str(body["owner"]), str(body["group"]))


def is_inside(path: str) -> bool:
    """Say whether a path stays below the folder that it is put into."""
    return _PATH.fullmatch(path) is not None and not {".", ".."} & set(path.split("/"))


def _inside(path: str) -> str:
    if not is_inside(path):
        raise ValueError(f"a path {path!r}")
    return path


def _data_folder(path: str) -> str:
    if path != DATA and not (path.startswith(DATA) and is_inside(path)):
        raise ValueError(f"a folder {path!r}")
    return path
