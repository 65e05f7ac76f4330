"""The interlock's record: every change of state with its cause, appended, bounded, never rewritten.

One JSON object a line. ``n`` grows by one for ever; ``boot`` and ``mono_s`` (monotonic clock)
order what happened, ``wall`` is for people. Two files of at most :data:`MOST_BYTES` each: the
older one is replaced when the newer one is full. No personal data but the opaque id of a use.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fabctl.errors import DeviceError

MOST_BYTES = 1_000_000
"""Of one file: some 5,000 entries, months of a busy laser."""


class Record:
    """The record on disk.

    :param path: ``…/record.jsonl``; the older half lies beside it as ``record.1.jsonl``.
    :param most_bytes: where a file counts as full.
    """

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        self.path = path
        self.older = path.with_name(f"{path.stem}.1{path.suffix}")
        self._most_bytes = most_bytes
        self._number: int | None = None

    def exists(self) -> bool:
        """Say whether anything was ever put on record here."""
        return self.path.exists() or self.older.exists()

    def append(self, entry: Mapping[str, Any]) -> int:
        """Add an entry; on return it is on the disk. Returns its number.

        :raises DeviceError: the disk is full or broken; the entry is not in the record.
        """
        try:
            number = self._last_number() + 1
            line = json.dumps({"n": number, **entry}).encode() + b"\n"
            self._write(line)
        except OSError as error:
            self._number = None  # what is on the disk now: the next entry looks
            raise DeviceError(f"{self.path} cannot be written: {error}") from error
        self._number = number
        return number

    def entries(self) -> Iterator[dict[str, Any]]:
        """Return what can be read, oldest first; a line that was cut off is left out."""
        for path in (self.older, self.path):
            try:
                with path.open("rb") as file:
                    lines = file.read(2 * self._most_bytes).splitlines()
            except FileNotFoundError:
                continue
            yield from filter(None, map(_entry, lines))

    def _write(self, line: bytes) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o640)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line  # the writer before us was cut off in the middle of a line
            written = os.write(descriptor, line)
            if written != len(line):
                os.ftruncate(descriptor, size)
                raise OSError(errno.ENOSPC, "only a part could be written")
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        if size + len(line) >= self._most_bytes:
            self.path.replace(self.older)

    def _last_number(self) -> int:
        if self._number is None:
            self._number = max((int(one["n"]) for one in self.entries()), default=0)
        return self._number


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    is_entry = isinstance(entry, dict) and isinstance(entry.get("n"), int)
    return entry if is_entry else None
