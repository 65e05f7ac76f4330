"""What a machine process says on MQTT: retained state again and again, events until on record."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import fabctl
from fabctl.clock import Clock
from fabctl.hosting.event_teller import REPEAT_EXPIRY_S, EventTeller, Link
from fabctl.hosting.journal import Journal
from fabctl.hosting.wall_clock import Synchronisation
from fabctl.messaging.discovery import describe
from fabctl.messaging.interlocks import InterlockPayload
from fabctl.messaging.payloads import (
    STATE_MAX_AGE_S,
    EventType,
    JobPayload,
    MachineState,
    Stamp,
    StatePayload,
    encode,
)
from fabctl.messaging.topics import LabTopics, discovery
from fabctl.ports import MachineProfile
from fabctl.units import Seconds

STATE_AGAIN = Seconds(3.0)
EVENTS_AGAIN = Seconds(5.0)
JOB_AT_MOST_EVERY = Seconds(1.0)
TELEMETRY_AT_MOST_EVERY = Seconds(1.0)
TELEMETRY_EXPIRY_S = 60
REFUSALS_AT_MOST_EVERY = Seconds(10.0)


class Stamps:
    """Makes the fields that every message has; ``seq`` counts within this process's boot."""

    def __init__(self, clock: Clock, boot: str) -> None:
        self.boot = boot
        self._clock = clock
        self._synchronisation = Synchronisation(clock)
        self._seq: Iterator[int] = itertools.count(1)

    def next(self) -> Stamp:
        """Return the next stamp."""
        return Stamp(self._clock.now(), self._synchronisation.synced, self.boot, next(self._seq))


class MachineReports:
    """Speaks for one machine. Used by the main thread only, but for :meth:`connected`."""

    def __init__(
        self,
        profile: MachineProfile,
        topics: LabTopics,
        link: Link,
        journal: Journal,
        stamps: Stamps,
        clock: Clock,
        log: Callable[[str], None],
    ) -> None:
        self._profile = profile
        self._topics = topics
        self._link = link
        self._stamps = stamps
        self._clock = clock
        self._log = log
        self.refused = 0
        """Requests refused since the start."""
        self._events = EventTeller(
            lambda type_: topics.event(profile.id, type_), link, journal, log
        )
        self._refused_untold = 0
        self._refused_told_at: Seconds | None = None
        self._state: StatePayload | None = None
        self._job = JobPayload(None)
        self._job_said: JobPayload | None = None
        self._readings: dict[str, Mapping[str, float | None]] = {}
        self._firmware: str | None = None
        self._last: dict[str, Seconds] = {}
        self._connected_again = False

    def connected(self) -> None:
        """Note that the broker was (again) reached. From the link's thread."""
        self._events.connected()
        self._connected_again = True

    # -- what the host tells -----------------------------------------------------------------

    def state(self, state: StatePayload) -> None:
        """Say what the machine is doing: at once when it changed, else when it is time."""
        changed = self._state != state
        self._state = state
        if changed or self._is_due("state", STATE_AGAIN):
            self._say_state()

    def interlock(self, said: InterlockPayload) -> None:
        """Say what the interlock said; the caller knows when it is time."""
        self._link.publish(
            self._topics.interlock(self._profile.id),
            said.encode(self._stamps.next()),
            retain=True,
            expiry_s=said.max_age_s,
        )

    def job(self, job: JobPayload) -> None:
        """Say how far the job is: at once when it is another job, else once a second."""
        self._job = job
        other = self._job_said is None or self._job_said.job != job.job
        if other or (job != self._job_said and self._is_due("job", JOB_AT_MOST_EVERY)):
            self._say_job()

    def telemetry(self, group: str, values: Mapping[str, float | None]) -> None:
        """Say a group's readings, at most once a second; readings in between are left out."""
        self._readings[group] = values
        if self._is_due(f"telemetry/{group}", TELEMETRY_AT_MOST_EVERY):
            payload = encode(dict(values), self._stamps.next())
            topic = self._topics.telemetry(self._profile.id, group)
            self._link.publish(topic, payload, qos=0, expiry_s=TELEMETRY_EXPIRY_S)

    def firmware(self, firmware: str | None) -> None:
        """Say which firmware answered."""
        self._firmware = firmware
        self._say_meta()

    @property
    def fault(self) -> str | None:
        """Why the disk does not keep events, or does not forget them, just now."""
        return self._events.fault

    @property
    def all_kept(self) -> bool:
        """Whether every event that was told is on the disk, or on record."""
        return self._events.all_kept

    def event(self, type_: EventType, **fields: Any) -> None:
        """Keep an event on the disk, then say it; it is said again until it is on record."""
        self._events.tell(type_, self._stamps.next(), **fields)

    def require_room(self) -> None:
        """Do nothing while a job's events can be kept. :raises LocalError: they cannot."""
        self._events.require_room()

    def recorded(self, events: list[tuple[str, int]]) -> None:
        """Forget events that are on record, named by (boot, seq)."""
        self._events.recorded(events)

    def refusal(self, code: str, reason: str) -> None:
        """Count a refused request; tell it as an event, at most one every 10 s."""
        self.refused += 1
        self._refused_untold += 1
        now = self._clock.monotonic()
        told = self._refused_told_at
        if told is None or now - told >= REFUSALS_AT_MOST_EVERY:
            count, self._refused_untold, self._refused_told_at = self._refused_untold, 0, now
            self.event(EventType.REQUEST_REFUSED, reason=f"{code}: {reason}"[:400], count=count)

    # -- what time asks for ------------------------------------------------------------------

    def tick(self) -> None:
        """Say what is due: all of it after a connect, the events that are not on record."""
        if self._connected_again:
            self._connected_again = False
            self.everything()
        elif self._is_due("events", EVENTS_AGAIN):
            self._events.keep_again()
            self._events.say_all(REPEAT_EXPIRY_S)

    def everything(self) -> None:
        """Say again all that the broker may have lost."""
        self._say_meta()
        self._link.publish(
            discovery(self._profile.id),
            describe(self._topics, self._profile, fabctl.__version__),
            retain=True,
        )
        self._say_job()
        if self._state is not None:
            self._say_state()
        self._mark("events")
        self._events.say_all(None)

    def goodbye(self, reason: str) -> None:
        """Say, for good, that the machine's process has ended in order."""
        payload = StatePayload(MachineState.OFFLINE, reason=reason, refused=self.refused)
        topic = self._topics.state(self._profile.id)
        self._link.publish(topic, payload.encode(self._stamps.next()), retain=True)

    # -- saying ------------------------------------------------------------------------------

    def _say_state(self) -> None:
        assert self._state is not None  # noqa: S101  # both callers have set or checked it
        self._mark("state")
        self._link.publish(
            self._topics.state(self._profile.id),
            replace(self._state, refused=self.refused).encode(self._stamps.next()),
            retain=True,
            expiry_s=STATE_MAX_AGE_S,
        )

    def _say_job(self) -> None:
        self._mark("job")
        self._job_said = self._job
        payload = self._job.encode(self._stamps.next())
        self._link.publish(self._topics.job(self._profile.id), payload, retain=True)

    def _say_meta(self) -> None:
        profile, limits, area = self._profile, self._profile.limits, self._profile.work_area
        fields = {
            "name": profile.name,
            "kind": profile.kind.value,
            "host": profile.host,
            "driver": profile.driver,
            "firmware": self._firmware,
            "limits": {name: getattr(limits, name) for name in limits.__slots__},
            "work_area": {name: getattr(area, name) for name in "xyz"} if area else None,
        }
        payload = encode(fields, self._stamps.next())
        self._link.publish(self._topics.meta(profile.id), payload, retain=True)

    # -- when --------------------------------------------------------------------------------

    def _is_due(self, what: str, every: Seconds) -> bool:
        now = self._clock.monotonic()
        last = self._last.get(what)
        if last is not None and now - last < every:
            return False
        self._last[what] = now
        return True

    def _mark(self, what: str) -> None:
        self._last[what] = self._clock.monotonic()
