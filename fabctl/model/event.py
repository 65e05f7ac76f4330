"""What a machine reported, as the record keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EventKind(StrEnum):
    """The last part of the topic ``…/event/<kind>``. Other kinds are recorded unread."""

    JOB_STARTED = "job-started"
    JOB_PAUSED = "job-paused"
    JOB_RESUMED = "job-resumed"
    JOB_FINISHED = "job-finished"
    JOB_STOPPED = "job-stopped"
    JOB_FAILED = "job-failed"
    JOB_INTERRUPTED = "job-interrupted"
    MACHINE_BROKEN = "machine-broken"
    MACHINE_CLEARED = "machine-cleared"
    REQUEST_REFUSED = "request-refused"
    INTERLOCK_BOOT = "interlock-boot"
    INTERLOCK_ARMED = "interlock-armed"
    INTERLOCK_LOCKED = "interlock-locked"
    INTERLOCK_TRIPPED = "interlock-tripped"
    INTERLOCK_FAULT = "interlock-fault"
    INTERLOCK_CLEARED = "interlock-cleared"
    INTERLOCK_TROUBLE = "interlock-trouble"
    INTERLOCK_PERMIT_REFUSED = "interlock-permit-refused"
    INTERLOCK_RAN = "interlock-ran"
    """The machine worked for some seconds of a use, as the interlock counted."""


INTERLOCK_PREFIX = "interlock-"
"""Kinds that begin so go into the interlocks' own history."""


@dataclass(frozen=True, slots=True)
class MachineEvent:
    """One event of one machine; (machine, boot, seq) names it for ever."""

    machine: str
    boot: str
    """Random, new at every start of the machine's process."""
    seq: int
    """Counts up within one boot."""
    kind: str
    at: datetime | None = None
    """When it happened by the machine's wall clock, aware; None when it did not say."""
    synced: bool = False
    """Whether that clock was known to be right; if not, the time of arrival counts."""
    job: str | None = None
    line: int | None = None
    commands: int | None = None
    resends: int | None = None
    seconds: float | None = None
    """How long the job ran, on the machine's monotonic clock, in s."""
    trouble: str | None = None
    reason: str | None = None
    by: str | None = None
    """The id of the person who asked, where the machine knows."""
    count: int | None = None
    """How many requests or permits were refused since the last such event."""
    use: str | None = None
    """The use that the interlock's permit named."""
    after: tuple[str, int] | None = None
    """Boot and number of the machine's event before this one; None: it did not say."""

    def happened_at(self, arrived: datetime) -> datetime:
        """Return the machine's own time where its clock was right, else the time of arrival."""
        return min(self.at, arrived) if self.at is not None and self.synced else arrived
