"""What one machine said last, and whether whoever says it lives. Pure: times are passed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from fabctl.messaging.interlocks import InterlockPayload
from fabctl.messaging.payloads import JobPayload, MachineState, Stamp, StatePayload
from fabctl.messaging.readings import LastReadings
from fabctl.units import Seconds


@dataclass(frozen=True)
class ClockView:
    """Which time a machine's computer shows."""

    ahead_s: float
    """Of this computer's wall clock; a message's way is in it (a fraction of a second)."""
    synced: bool
    """Whether a time server disciplines it."""


@dataclass
class LastWords:
    """One machine's; nothing was heard yet where a field is None."""

    state: StatePayload | None = None
    clock: ClockView | None = None
    said_at: Seconds | None = None
    job: JobPayload = field(default_factory=lambda: JobPayload(None))
    readings: LastReadings = field(default_factory=LastReadings)
    interlock: InterlockPayload | None = None
    interlock_at: Seconds | None = None
    _stamp: Stamp | None = None
    _offline_in_a_row: int = 0
    """Words that the machine is offline, each said later than the one before."""

    @property
    def is_offline(self) -> bool:
        """Whether the last word was so; of the machine, or of its process."""
        return self.state is not None and self.state.state is MachineState.OFFLINE

    def says_offline(self, age_s: float | None) -> bool:
        """Say whether the process lives and says itself that its machine is not there.

        One such word proves nothing: it may be its last, or its will, which the broker says.

        :param age_s: of the last word.
        """
        fresh = self.state is not None and age_s is not None and age_s <= self.state.max_age_s
        return fresh and self._offline_in_a_row > 1

    def take_stamp(self, stamp: Stamp, now: datetime, *, kept: bool) -> None:
        """Note when the state that was just taken in was said.

        What the broker had kept tells no time, nor does a will: it was written at the connect.
        """
        before, self._stamp, self.clock = self._stamp, stamp, None
        if kept:
            self._offline_in_a_row = 0
            return
        later = before is not None and before.boot == stamp.boot and before.seq < stamp.seq
        so_far = self._offline_in_a_row if later else 0
        self._offline_in_a_row = so_far + 1 if self.is_offline else 0
        if self._offline_in_a_row != 1:
            self.clock = ClockView((stamp.ts - now).total_seconds(), stamp.synced)
