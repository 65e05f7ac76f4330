"""Files that people send: written straight to disk while they are hashed, never held in memory.

An upload lies in ``data/tmp`` until it is kept; whatever was not kept is deleted when its request
ends, and what a killed server left behind is deleted at the next start.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO, cast

from flask import Flask, Request, abort, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from fabctl.whole_files import explaining_full_disk, make_folder, sync_folder
from fabctl_web.lab import current_lab

PREFIX = "upload-"
FORM_LIMIT = 64 * 1024
"""Bytes; the most that a request without a file may have."""
MULTIPART_EXTRA = 64 * 1024
"""Bytes around the file in its request: boundaries, names, the form token."""
DRAIN_LIMIT = 1024**3
DRAIN_TIME_S = 120.0
CHUNK = 256 * 1024
NAME_LENGTH = 100
PAGE_UPLOADS = frozenset({"machines.upload", "staff_import.take"})
"""Forms with a file: nobody who is not signed in sends one."""
UPLOAD_ENDPOINTS = PAGE_UPLOADS | {"api_jobs.prepare_job"}


class Upload:
    """One file being received; a file object for Werkzeug's form parser."""

    def __init__(self, folder: Path) -> None:
        with explaining_full_disk(folder):
            folder.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix=PREFIX, dir=folder)
        self.path = Path(name)
        self._file = os.fdopen(descriptor, "w+b")
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # alive: see _delete_left_behind
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        """Append and hash.

        :raises DiskFullError: there is no room.
        """
        with explaining_full_disk(self.path):
            self._file.write(data)
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    @property
    def sha256(self) -> str:
        """The hash of what was received, 64 hex digits."""
        return self._hash.hexdigest()

    def seek(self, position: int, whence: int = 0) -> int:
        """Move in the file, after its last bytes were written.

        :raises DiskFullError: there is no room for them.
        """
        with explaining_full_disk(self.path):
            return self._file.seek(position, whence)

    def read(self, size: int = -1) -> bytes:
        """Read from the file."""
        return self._file.read(size)

    def opened(self) -> BinaryIO:
        """Return the file, at its beginning.

        :raises DiskFullError: there is no room for its last bytes.
        """
        self.seek(0)
        return self._file

    def settle(self) -> None:
        """Bring every byte to the disk: what is kept afterwards survives a power cut.

        :raises DiskFullError: there is no room.
        """
        with explaining_full_disk(self.path):
            self._file.flush()
            os.fsync(self._file.fileno())

    def keep(self, target: Path) -> None:
        """Give the file its lasting place.

        :raises DiskFullError: there is no room for its name.
        """
        with explaining_full_disk(target):
            make_folder(target.parent)
            self.path.chmod(0o644)
            self.path.replace(target)
            sync_folder(target.parent)

    def close(self) -> None:
        """Close the file; what was not kept is deleted."""
        self.path.unlink(missing_ok=True)
        with suppress(OSError):  # it writes what is left of the file; nobody wants that any more
            self._file.close()


class UploadRequest(Request):
    """A request whose files go to ``data/tmp``."""

    def _get_file_stream(  # Werkzeug's name for "where does this part go?"
        self,
        total_content_length: int | None,  # noqa: ARG002  # Werkzeug's signature
        content_type: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002
        content_length: int | None = None,  # noqa: ARG002
    ) -> IO[bytes]:
        if self.endpoint not in UPLOAD_ENDPOINTS:
            abort(400)
        upload = Upload(Path(current_app.config["UPLOAD_FOLDER"]))
        self.uploads.append(upload)
        return cast("IO[bytes]", upload)  # it has what the parser and FileStorage use

    @property
    def uploads(self) -> list[Upload]:
        """The files received so far."""
        found: list[Upload] = self.environ.setdefault("fabctl.uploads", [])
        return found


def init_app(app: Flask, folder: Path) -> None:
    """Receive files in ``folder``; begin by deleting what a killed server left there."""
    app.request_class = UploadRequest
    app.config["UPLOAD_FOLDER"] = str(folder)
    _delete_left_behind(folder)
    app.before_request(_limit)
    app.teardown_request(lambda _error: _discard())


def _delete_left_behind(folder: Path) -> None:
    """Delete the uploads that nobody holds; another web process may share this folder."""
    for left in folder.glob(f"{PREFIX}*"):
        try:
            with left.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink(missing_ok=True)
        except (BlockingIOError, FileNotFoundError):
            continue  # being received, or just kept


def max_bytes() -> int:
    """Return the largest file that is taken, in bytes."""
    return current_lab().config.web.upload_max_mb * 1024 * 1024


def received(field: str) -> tuple[Upload, str] | None:
    """Return the file of a form's field and its name for people; None when there is none.

    :raises RequestEntityTooLarge: the file is larger than allowed.
    """
    storage = request.files.get(field)
    if storage is None or not storage.filename:
        return None
    upload = storage.stream
    assert isinstance(upload, Upload)  # noqa: S101  # made by _get_file_stream above
    if upload.size > max_bytes():
        raise RequestEntityTooLarge
    return upload, clean_name(storage.filename)


def goes_with_request(upload: Upload) -> None:
    """Delete a file that was not sent but made here when the request ends, unless it is kept."""
    request.environ.setdefault("fabctl.uploads", []).append(upload)


def clean_name(name: str) -> str:
    """Return a file's name for people: no folder, no control characters, at most 100 long."""
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(c for c in last if c.isprintable()).strip()
    return plain[-NAME_LENGTH:] or "file.gcode"


def drain() -> None:
    """Read and drop what the client still sends, so that it gets to read our answer.

    At most 1 GiB or 120 s; after that the connection is closed on it.
    """
    stream = request.environ["wsgi.input"]
    left, deadline = DRAIN_LIMIT, time.monotonic() + DRAIN_TIME_S
    while left > 0 and time.monotonic() < deadline:
        chunk = stream.read(min(CHUNK, left))
        if not chunk:
            return
        left -= len(chunk)


def _limit() -> None:
    takes_file = request.endpoint in UPLOAD_ENDPOINTS
    request.max_content_length = max_bytes() + MULTIPART_EXTRA if takes_file else FORM_LIMIT


def _discard() -> None:
    for upload in request.environ.get("fabctl.uploads", []):
        upload.close()
