"""Time as it would have passed on a computer that lets every process run at once.

A claim such as "the screen is red within 2 s" is about the program. While a process of the lab was
ready to run and the kernel let another one go first, or the hypervisor gave the core to another
guest, nothing can be said against the program. Both are counted by the kernel: proc(5),
``/proc/[pid]/schedstat`` (its second figure, ns) and ``steal`` in ``/proc/stat``. A program that is
slow by itself, or sleeps for too long, is found as slow as it is.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import psutil

_STEAL = 8
"""Its place in the first line of /proc/stat."""


class FairWatch:
    """Counts the seconds from its making on, less those that processes were kept from running.

    :param pids: return the processes that something is waited of; ours is one of them always.
    """

    def __init__(self, pids: Callable[[], Iterable[int]] = tuple) -> None:
        self._pids = pids
        self._stolen = _stolen_s()
        self._waited = self._waits()
        self._began = time.monotonic()

    def elapsed_s(self) -> float:
        """Return how long it took the program, at least."""
        passed = time.monotonic() - self._began
        now = self._waits()
        kept_ns = sum(ns - self._waited.get(task, 0) for task, ns in now.items())
        return passed - kept_ns * 1e-9 - (_stolen_s() - self._stolen)

    def _waits(self) -> dict[str, int]:
        """Return what every thread has waited for a core so far, ns."""
        found: dict[str, int] = {}
        for pid in {os.getpid(), *self._pids()}:
            with suppress(OSError):  # it has ended
                for task in Path(f"/proc/{pid}/task").iterdir():
                    found[task.name] = int((task / "schedstat").read_text().split()[1])
        return found


LOOKS = 5


def own_share(process: psutil.Process, enough: float = 0.01) -> float:
    """Return what a process takes of one core by itself: the least of some looks of 2 s.

    A busy computer adds to it, by what it throws out of the caches. The sleep is the measurement;
    nothing waits on it.

    :param enough: a share that needs no further look.
    """
    shares: list[float] = []
    while len(shares) < LOOKS and (not shares or shares[-1] > enough):
        before, begin = process.cpu_times(), time.monotonic()
        time.sleep(2.0)
        after, end = process.cpu_times(), time.monotonic()
        used_s = after.user + after.system - before.user - before.system
        shares.append(used_s / (end - begin))
    return min(shares)


def _stolen_s() -> float:
    with Path("/proc/stat").open() as stat:
        ticks = int(stat.readline().split()[_STEAL])
    return ticks / os.sysconf("SC_CLK_TCK")
