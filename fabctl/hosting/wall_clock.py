"""Whether this computer's wall clock is known to be right: a Raspberry Pi starts without one."""

from __future__ import annotations

from fabctl.clock import Clock
from fabctl.synchronisation import asked_kernel
from fabctl.units import Seconds

ASKED_AGAIN_AFTER = Seconds(30.0)


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
            self._asked_at, self._synced = now, asked_kernel() is True
        return self._synced
