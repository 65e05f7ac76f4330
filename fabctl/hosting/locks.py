"""Locks between processes, given back by the kernel whatever ends the holder."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from fabctl.errors import LocalError

TRY_EVERY_S = 0.1


class FolderLock:
    """A file that one process at a time holds; it contains the holder's process id."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self, what: str, patience_s: float = 0.0) -> None:
        """Take the lock.

        :param what: what is locked, for the error: "this data directory".
        :param patience_s: how long a holder that is just ending is waited for.
        :raises LocalError: another process holds it.
        """
        end = time.monotonic() + patience_s
        while not self._try():
            if time.monotonic() >= end:
                holder = self._path.read_text().strip() or "unknown"
                raise LocalError(
                    f"{what} is in use by another fabctl (process {holder})",
                    next_step="end that one first",
                )
            time.sleep(TRY_EVERY_S)
        with suppress(OSError):  # who holds it is for people; a full disk must not keep us out
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def wait(self) -> None:
        """Wait until the lock is ours, for ever."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def give_back(self) -> None:
        """Let others have it."""
        os.close(self._descriptor)

    def _try(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
