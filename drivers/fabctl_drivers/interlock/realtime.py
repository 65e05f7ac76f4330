"""What keeps the scan on time: a real-time priority, memory that stays, no garbage collection.

The scan works without any of it, later by some ms when all cores are busy (``make bench
ARGS=interlock`` has the figures); what is not allowed is told in one line.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import time

PRIORITY = 40
"""Under the kernel's own threads for interrupts (50), above every ordinary program (sched(7))."""
MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT = 1, 2, 4
"""mlockall(2), linux/mman.h. ONFAULT: what is touched stays; nothing is brought in for it, or the
daemon would hold all of every library and 8 MB for each stack."""
SWITCH_INTERVAL_S = 0.0005
"""How long another thread of ours may keep the interpreter from the scan (default 5 ms)."""


def settle() -> list[str]:
    """Make this thread hard to interrupt; return one line for each thing that was not allowed.

    Call it once everything is imported and built, from the scan's own thread.
    """
    _no_garbage_collection()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    return [line for line in (_real_time(), _memory_stays()) if line]


def suspended_s() -> float:
    """Return for how long the computer has been suspended since it was started, s.

    The difference of CLOCK_BOOTTIME and CLOCK_MONOTONIC (clock_gettime(2)); too little when the
    process is kept waiting between the two, never too much.
    """
    boottime = time.clock_gettime(time.CLOCK_BOOTTIME)
    return boottime - time.monotonic()


def _no_garbage_collection() -> None:
    """Collect once, then never: a full collection takes longer than a scan.

    Nothing is lost by it: a scan makes no reference cycles, and what it makes is freed by counting
    (a test counts what is left over after many scans).
    """
    gc.collect()
    gc.freeze()
    gc.disable()


def _real_time() -> str | None:
    try:
        # RESET_ON_FORK: threads and programs that are started later are ordinary ones
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
    except OSError as error:
        return (
            f"no real-time priority ({error.strerror}): the scan may be late when all cores are "
            "busy; allow it with LimitRTPRIO=40 or CAP_SYS_NICE"
        )
    return None


def _memory_stays() -> str | None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0:
        return None
    why = os.strerror(ctypes.get_errno())
    return (
        f"memory is not locked ({why}): the scan may wait for a swap; allow it with "
        "LimitMEMLOCK=infinity"
    )
