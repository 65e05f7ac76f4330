"""The chain: readings and permits in, outputs out; time is passed in. Pure.

One object for one boot of the daemon. It starts in BOOT with everything off, and whatever it does
not know is unsafe to it.
"""

from __future__ import annotations

from fabctl.interlock import InterlockProfile
from fabctl.interlock import InterlockState as State
from fabctl_drivers.interlock.causes import FaultRecord
from fabctl_drivers.interlock.permit_desk import PermitAnswer, PermitDesk
from fabctl_drivers.interlock.view import ChainEvent


class Chain:
    """One machine's interlock.

    :param key: the machine's key for permits, 32 bytes.
    :param boot: names this run of the daemon; permits must name it too.
    :param now: monotonic, s, as everywhere here.
    :param remembered: the fault in which an earlier run ended, as the daemon kept it.
    """

    def __init__(
        self,
        profile: InterlockProfile,
        *,
        key: bytes,
        boot: str,
        now: float,
        remembered: FaultRecord | None = None,
    ) -> None:
        self._profile = profile
        self._boot = boot
        self._desk = PermitDesk(profile.machine, key, boot, now)
        self._fault = remembered
        self.state = State.BOOT
        self.events: list[ChainEvent] = []
        """What happened; the daemon takes it out by :meth:`take_events`."""

    def take_permit(self, message: bytes, now: float) -> PermitAnswer:
        """Verify a permit. It moves nothing by itself: the next scan sees it."""
        return self._desk.take(message, now)

    def take_events(self) -> list[ChainEvent]:
        """Return what happened since the last call, oldest first."""
        taken, self.events = self.events, []
        return taken
