"""What happened to an interlock, as events: the difference between two words of its daemon."""

from __future__ import annotations

from collections import Counter
from typing import Any, Protocol

from fabctl.clock import Clock
from fabctl.hosting.interlock_rules import why
from fabctl.interlock import InterlockState as State
from fabctl.messaging.interlocks import InterlockPayload
from fabctl.messaging.payloads import EventType
from fabctl.units import Seconds

REFUSALS_AT_MOST_EVERY = Seconds(10.0)
TROUBLE_AT_MOST_EVERY = Seconds(60.0)
ARMED = frozenset({State.ARMED, State.RUNNING, State.DRAIN})
LOCKED = frozenset({State.LOCKED, State.READY})


class Teller(Protocol):
    """What says things on MQTT: the machine's reports."""

    def interlock(self, said: InterlockPayload) -> None:
        """Publish the state."""

    def event(self, type_: EventType, **fields: Any) -> None:
        """Keep an event, then say it."""


class InterlockNews:
    """Used by the machine's main thread only."""

    def __init__(self, reports: Teller, clock: Clock) -> None:
        self._reports = reports
        self._clock = clock
        self._refusals: Counter[str] = Counter()
        """Permits that the daemon refused, not told yet."""
        self._refusals_told_at: Seconds | None = None
        self._trouble_told_at: Seconds | None = None

    def tell(self, was: InterlockPayload, now: InterlockPayload) -> None:
        """Tell what happened between two words of the daemon."""
        if now.boot != was.boot:
            self._reports.event(EventType.INTERLOCK_BOOT, reason=f"boot {now.boot}")
        same_boot = now.boot == was.boot
        if now.state != was.state or not same_boot:
            self._changed(was, now)
        elif now.trips > was.trips:
            self._tripped(now)
        if now.trouble and now.trouble != was.trouble:
            self._in_trouble(now.trouble)
        refused_before = was.permits_refused if same_boot else {}
        for code, count in now.permits_refused.items():
            self._refusals[code] += max(0, count - refused_before.get(code, 0))
        self._refusals += Counter()  # leaves out what is zero

    def _changed(self, was: InterlockPayload, now: InterlockPayload) -> None:
        use = now.permit.use if now.permit else None
        if now.state == State.TRIPPED:
            self._tripped(now)
        elif now.state == State.FAULT:
            self._reports.event(
                EventType.INTERLOCK_FAULT, trouble=now.fault, reason=why(now), use=use
            )
        elif was.state == State.FAULT:
            self._reports.event(EventType.INTERLOCK_CLEARED, trouble=was.fault)
        elif now.state in ARMED and was.state not in ARMED:
            self._reports.event(EventType.INTERLOCK_ARMED, use=use)
        elif now.state in LOCKED and was.state in ARMED:
            self._reports.event(EventType.INTERLOCK_LOCKED, use=use)

    def _tripped(self, now: InterlockPayload) -> None:
        cause = now.first_cause or now.cause
        use = now.permit.use if now.permit else None
        self._reports.event(EventType.INTERLOCK_TRIPPED, trouble=cause, reason=why(now), use=use)

    def _in_trouble(self, why: str) -> None:
        """Tell of a disk in trouble; one that comes and goes must not fill ours."""
        told = self._trouble_told_at
        if told is None or self._clock.monotonic() - told >= TROUBLE_AT_MOST_EVERY:
            self._trouble_told_at = self._clock.monotonic()
            self._reports.event(EventType.INTERLOCK_TROUBLE, reason=why)

    def tell_refusals(self) -> None:
        """Tell of refused permits, every 10 s at most: a hostile sender must not fill the disk."""
        now, told = self._clock.monotonic(), self._refusals_told_at
        if not self._refusals or (told is not None and now - told < REFUSALS_AT_MOST_EVERY):
            return
        self._refusals_told_at = now
        for code, count in sorted(self._refusals.items()):
            self._reports.event(EventType.INTERLOCK_PERMIT_REFUSED, trouble=code, count=count)
        self._refusals.clear()
