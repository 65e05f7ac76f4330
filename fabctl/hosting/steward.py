"""The steward: puts on record what machines report, and does what the clock asks for.

Events reach it at least once: the broker keeps its session while it is away, and machines repeat
what is not on record. Recording is idempotent, so nothing is lost and nothing counts twice.
"""

from __future__ import annotations

import queue
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from fabctl.believed_clock import jump_of
from fabctl.clock import Clock
from fabctl.complaint import Complaint
from fabctl.errors import FabError
from fabctl.hosting.host_watch import HostWatch
from fabctl.hosting.machine_reports import Stamps
from fabctl.hosting.permit_office import PermitOffice
from fabctl.hosting.turns import Turns
from fabctl.messaging.lab_view import LabView
from fabctl.messaging.link import Received
from fabctl.messaging.payloads import (
    EventPayload,
    MachineState,
    PayloadError,
    PresencePayload,
    encode,
    instant,
)
from fabctl.messaging.speaker import SpeakerAndListener
from fabctl.messaging.topics import LabTopics
from fabctl.model.booking_facts import PARIS
from fabctl.services import noshows, retention
from fabctl.services.due_maintenance import do_due_maintenance
from fabctl.services.due_training import Done, do_due_certifications, do_due_workshops
from fabctl.services.housekeeping import tidy
from fabctl.services.machines import bookings_projection
from fabctl.services.recording import (
    MachineEvent,
    is_its_turn,
    record_event,
    sweep_unanswered,
)
from fabctl.services.reminders import do_due_reminders
from fabctl.store.engine import Database
from fabctl.units import Seconds

CLOCK_WORK_EVERY = Seconds(5.0)
BOOKINGS_AGAIN = Seconds(60.0)
HEALTH_EVERY = Seconds(10.0)
TIDY_EVERY = Seconds(3600.0)
WORKSHOPS_EVERY = Seconds(60.0)
CERTIFICATIONS_EVERY = Seconds(3600.0)
MAINTENANCE_EVERY = Seconds(300.0)
RESERVATIONS_EVERY = Seconds(15.0)
HOSTS_EVERY = Seconds(10.0)
MOST_WAITING = 10_000
"""Events beyond so many are left to the machines, which say them again."""

Projection = dict[str, tuple[datetime | None, datetime | None]]


class Acknowledges(Protocol):
    """What tells machines what is on record: an :class:`Acknowledger`."""

    def add(self, machine: str, boot: str, seq: int) -> None:
        """Have a machine told that this event is on record; returns at once."""


class Steward:
    """Used by its process's main thread; only :meth:`heard` runs in the link's.

    :param job_files: the folder of the uploaded files.
    :param machines: what the machines say; it is made to follow them here.
    :param permits: renews the permits; None: no machine has an interlock.
    :param zone: the lab's, for opening hours and quotas of those who wait for a slot.
    :param turned: called with the monotonic clock after each turn of the loop.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # what it works with, each thing by its name
        self,
        topics: LabTopics,
        database: Database,
        link: SpeakerAndListener,
        acknowledger: Acknowledges,
        stamps: Stamps,
        clock: Clock,
        log: Callable[[str], None],
        job_files: Path,
        machines: LabView,
        permits: PermitOffice | None = None,
        zone: ZoneInfo = PARIS,
        turned: Callable[[Seconds], None] = lambda _now: None,
    ) -> None:
        self._turned = turned
        self._zone = zone
        self._job_files = job_files
        self._machines = machines
        self._permits = permits
        self._patience = CLOCK_WORK_EVERY if permits is None else Seconds(permits.renew_every / 3)
        self._topics = topics
        self._database = database
        self._link = link
        self._acknowledger = acknowledger
        self._stamps = stamps
        self._clock = clock
        self._log = log
        self._events: queue.SimpleQueue[MachineEvent | None] = queue.SimpleQueue()
        self._bookings: Projection = {}
        self._turns = Turns(clock)
        self._hosts = HostWatch(machines, database, clock)
        self._last: dict[str, Seconds] = {}
        self._ending = False
        self.recorded = 0
        self.repeated = 0
        self.failures = 0
        self.last_failure: str | None = None
        self.tidied_at: datetime | None = None
        link.subscribe(topics.every("event"), self.heard)
        self._strays: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._known = frozenset(view.id for view in machines.all())
        for kind in ("state", "job", "interlock", "host"):
            link.subscribe(topics.every(kind), machines.take, qos=0)
        for kind in ("meta", "booking"):
            link.subscribe(topics.every(kind), self.heard_kept, qos=0)

    # -- life ----------------------------------------------------------------------------------

    def run(self) -> None:
        """Work until :meth:`end`, then record what has already been heard."""
        while not self._ending:
            self._do_clock_work()
            self._record_next(self._patience)
            self._turned(self._clock.monotonic())
        while not self._events.empty():
            self._record_next(Seconds(0.0))

    def end(self) -> None:
        """Have :meth:`run` end. Safe from a signal handler: SimpleQueue.put is reentrant."""
        self._ending = True
        self._events.put(None)

    def heard(self, message: Received) -> None:
        """Take an event in, in the link's thread. :raises PayloadError: it is malformed."""
        place = self._topics.place(message.topic)
        event = EventPayload.decode(message.payload)
        if place is None or place.name != event.type:
            raise PayloadError(f"an event {event.type!r} on the topic {message.topic}")
        if self._events.qsize() < MOST_WAITING:
            self._events.put(_for_the_record(place.owner, event))

    def heard_kept(self, message: Received) -> None:
        """Note a machine that lab.toml does not name (any more); in the link's thread."""
        place = self._topics.place(message.topic)
        if place and message.retain and message.payload and place.owner not in self._known:
            self._strays.put(place.owner)

    def connected(self) -> None:
        """Have all retained topics said again. From the link's thread."""
        self._last.clear()
        self._events.put(None)

    # -- recording -----------------------------------------------------------------------------

    def _record_next(self, patience: Seconds) -> None:
        try:
            event = self._events.get(timeout=max(0.001, patience))
        except queue.Empty:
            return
        if event is not None:
            self._record(event)

    def _record(self, event: MachineEvent) -> None:
        def recording() -> None:
            with self._database.transaction() as session:
                if not self._turns.has_come(event, is_its_turn(session, event)):
                    return  # the machine says both again, in their order
                new = record_event(session, self._clock, event)
            self.recorded += new
            self.repeated += not new
            self._acknowledger.add(event.machine, event.boot, event.seq)

        self._guarded(f"recording {event.kind} of {event.machine}", recording)

    # -- what the clock asks for ---------------------------------------------------------------

    def _do_clock_work(self) -> None:
        if self._permits is not None and self._is_due("permits", self._permits.renew_every):
            self._guarded("renewing permits", self._permits.renew)
        if self._is_due("clock work", CLOCK_WORK_EVERY):
            self._guarded("giving up unanswered starts", self._sweep)
            self._guarded("saying what is booked", self._say_bookings)
            self._guarded("clearing what is kept of removed machines", self._clear_strays)
        if self._is_due("reservations", RESERVATIONS_EVERY):
            self._guarded("what is due of reservations", self._do_due_reservations)
        if self._is_due("hosts", HOSTS_EVERY):
            self._guarded("noting which hosts are heard", self._hosts.look)
        if self._is_due("workshops", WORKSHOPS_EVERY):
            self._guarded("what is due in workshops", lambda: self._do_due(do_due_workshops))
            self._guarded("reminding", self._remind)
        if self._is_due("certifications", CERTIFICATIONS_EVERY):
            self._guarded("what certifications end", lambda: self._do_due(do_due_certifications))
        if self._is_due("maintenance", MAINTENANCE_EVERY):
            self._guarded("what maintenance is due", lambda: self._do_due(do_due_maintenance))
        if self._is_due("tidying", TIDY_EVERY):
            self._guarded("tidying", self._tidy)
            self._guarded("forgetting what is old", self._forget)
        if self._is_due("health", HEALTH_EVERY):
            self._say_health()

    def _sweep(self) -> None:
        with self._database.transaction() as session:
            for job in sweep_unanswered(session, self._clock, self._has_job):
                self._log(
                    Complaint(f"the start of job {job} was never answered; it counts as failed")
                )

    def _has_job(self, machine: str, job: str) -> bool | None:
        """Say whether a machine has a job; None: its last word is too old, or it is offline."""
        view = self._machines.machine(machine)
        if view.state in {MachineState.UNKNOWN, MachineState.OFFLINE}:
            return None
        return view.job == job

    def _do_due_reservations(self) -> None:
        with self._database.transaction() as session:
            done = noshows.catch_up(session, self._clock, self._zone)
        for one in done.no_shows:
            self._log(f"nobody came for reservation {one.id}: {one.resource_id} is free again")
        for offer in done.offers:
            self._log(f"{offer.resource_id} is kept for {offer.id} of the waiting list")

    def _do_due(self, work: Callable[..., list[Done]]) -> None:
        with self._database.transaction() as session:
            done = work(session, self._clock)
        for one in done:
            self._log(f"{one.what} of {one.subject}, due {instant(one.due_at)}")

    def _remind(self) -> None:
        with self._database.transaction() as session:
            told = do_due_reminders(session, self._clock)
        if told:
            self._log(f"reminders written: {told}")

    def _forget(self) -> None:
        with self._database.transaction() as session:
            for one in retention.apply(session, self._clock, self._zone):
                self._log(f"{one.kind} kept long enough: {one.rows} forgotten")

    def _tidy(self) -> None:
        for path in tidy(self._database, self._clock, self._job_files):
            self._log(f"{path.name} was deleted: no job needs it any more")
        self.tidied_at = self._clock.now()

    def _clear_strays(self) -> None:
        """Have the broker forget the machines that left the lab: screens would show them still."""
        strays = set()
        while not self._strays.empty():
            strays.add(self._strays.get())
        for machine in sorted(strays):
            self._log(f"{machine} is not in lab.toml: what the broker kept of it is cleared")
            for topic in self._topics.kept(machine):
                self._link.publish(topic, b"", retain=True)

    def _say_bookings(self) -> None:
        with self._database.reading() as session:
            now = bookings_projection(session, self._clock)
        all_of_it = self._is_due("bookings", BOOKINGS_AGAIN)
        for machine, (busy_until, next_start) in now.items():
            if all_of_it or self._bookings.get(machine) != (busy_until, next_start):
                fields = {"busy_until": _said(busy_until), "next_start": _said(next_start)}
                payload = encode(fields, self._stamps.next())
                self._link.publish(self._topics.booking(machine), payload, retain=True)
        self._bookings = now

    def _say_health(self) -> None:
        figures = {
            "recorded": self.recorded,
            "repeated": self.repeated,
            "failures": self.failures,
            "last_failure": self.last_failure,
            "tidied_at": _said(self.tidied_at),
            "clock_held": int(jump_of(self._clock) is not None),
        }
        payload = PresencePayload(online=True, figures=figures).encode(self._stamps.next())
        self._link.publish(self._topics.steward_status, payload, retain=True)

    def goodbye(self) -> None:
        """Say that the steward is gone."""
        payload = PresencePayload(online=False).encode(self._stamps.next())
        self._link.publish(self._topics.steward_status, payload, retain=True)

    # -- small things --------------------------------------------------------------------------

    def _guarded(self, what: str, work: Callable[[], None]) -> None:
        """Do one piece of work; its failure is shown and must not stop the others."""
        try:
            work()
        except FabError as error:
            self._failed(what, str(error))
        except Exception as error:  # noqa: BLE001  # top of a piece of work: its health shows it
            self._failed(what, f"{type(error).__name__}: {error}")
            self._log(Complaint(traceback.format_exc().rstrip()))

    def _failed(self, what: str, why: str) -> None:
        self.failures += 1
        self.last_failure = f"{what}: {why}"[:400]
        self._log(Complaint(f"{what} failed: {why}"))
        self._say_health()

    def _is_due(self, what: str, every: Seconds) -> bool:
        now = self._clock.monotonic()
        last = self._last.get(what)
        if last is not None and now - last < every:
            return False
        self._last[what] = now
        return True


def _for_the_record(machine: str, event: EventPayload) -> MachineEvent:
    return MachineEvent(
        machine=machine,
        boot=event.stamp.boot,
        seq=event.stamp.seq,
        kind=event.type,
        at=event.stamp.ts,
        synced=event.stamp.synced,
        job=event.job,
        line=event.line,
        commands=event.commands,
        resends=event.resends,
        seconds=event.seconds,
        trouble=event.trouble,
        reason=event.reason,
        by=event.by,
        use=event.use,
        after=_before(event),
        count=event.count,
    )


def _before(event: EventPayload) -> tuple[str, int] | None:
    if event.after_boot is None or event.after_seq is None:
        return None
    return event.after_boot, event.after_seq


def _said(moment: datetime | None) -> str | None:
    return None if moment is None else instant(moment)
