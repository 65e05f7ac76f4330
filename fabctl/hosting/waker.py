"""What wakes a machine's main thread."""

from __future__ import annotations

import os

from fabctl.descriptors import ready
from fabctl.ports import Driver
from fabctl.units import Seconds


class Waker:
    """Ends the main thread's waiting, whether it waits in the driver or for the next try.

    An eventfd and no lock: a signal handler may interrupt the very code that waits.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._woken = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def __call__(self) -> None:
        """Wake it. Safe from any thread and from a signal handler."""
        os.eventfd_write(self._woken, 1)
        self._driver.wake()

    def wait(self, timeout: Seconds) -> None:
        """Wait without the driver, until woken (also since the last wait) or the timeout."""
        readable, _ = ready([self._woken], timeout_s=timeout)
        if readable:
            os.eventfd_read(self._woken)
