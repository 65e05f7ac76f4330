"""Where in a file a byte position lies: the server counts bytes, people count lines."""

from __future__ import annotations

import contextlib
from pathlib import Path

from fabctl.errors import InputError
from fabctl_drivers.job_text import sendable

LONGEST_LINE = 65536


class FilePlace:
    """Walks through a file as the job does; never holds more than a line of it.

    :raises InputError: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise InputError(f"the file cannot be read: {error}", device=str(path)) from error
        self._position = 0
        self._line = 0
        self._commands = 0

    def at(self, position: int) -> tuple[int, int]:
        """Return (lines, commands) that end at or before this byte; it never goes back.

        The server has read this far for sending; the firmware is a few lines behind.
        """
        # A disk that fails now only stops our counting: the job runs from the server's copy.
        with contextlib.suppress(OSError):
            self._walk(position)
        return self._line, self._commands

    def _walk(self, position: int) -> None:
        while self._position < position:
            raw = self._file.readline(LONGEST_LINE)
            if not raw or self._position + len(raw) > position:
                self._file.seek(self._position)
                break
            self._position += len(raw)
            self._line += 1
            self._commands += bool(sendable(raw))

    @property
    def position(self) -> int:
        """Bytes of the lines counted so far."""
        return self._position

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
