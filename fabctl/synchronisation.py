"""Whether the kernel says that a time server disciplines the wall clock (adjtimex)."""

from __future__ import annotations

import ctypes
import errno
import os

TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised to a reliable server."""
_TIMEX_BYTES = 1024
"""More than ``struct timex`` (208 bytes on 64-bit Linux); ``modes`` = 0 only reads."""


def asked_kernel() -> bool | None:
    """Return whether the wall clock is synchronised; None: the kernel does not say.

    :raises OSError: the call fails for a reason that nobody foresaw.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    result: int = libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    if result == -1:
        error = ctypes.get_errno()
        if error in {errno.EPERM, errno.ENOSYS}:  # a container without the call: not known
            return None
        raise OSError(error, os.strerror(error))
    return result != TIME_ERROR
