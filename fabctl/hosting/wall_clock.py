"""Whether this computer's wall clock is known to be right: a Raspberry Pi starts without one."""

from __future__ import annotations

import ctypes
import errno
import os

from fabctl.clock import Clock
from fabctl.units import Seconds

TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised to a reliable server."""
ASKED_AGAIN_AFTER = Seconds(30.0)
_TIMEX_BYTES = 1024
"""More than ``struct timex`` (208 bytes on 64-bit Linux); ``modes`` = 0 only reads."""


class Synchronisation:
    """Asks the kernel now and then."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked_at: Seconds | None = None
        self._synced = False

    @property
    def synced(self) -> bool:
        """Whether a time server disciplines the wall clock; False when the kernel does not say."""
        now = self._clock.monotonic()
        if self._asked_at is None or now - self._asked_at > ASKED_AGAIN_AFTER:
            self._asked_at, self._synced = now, _ask()
        return self._synced


def _ask() -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    result: int = libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    if result == -1:
        error = ctypes.get_errno()
        if error in {errno.EPERM, errno.ENOSYS}:  # a container without the call: not known
            return False
        raise OSError(error, os.strerror(error))
    return result != TIME_ERROR
