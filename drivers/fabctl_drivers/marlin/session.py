"""A Marlin machine from the opened port on, as the shell and the core see it. Pure.

Bytes and time come in, bytes and events go out. :mod:`fabctl_drivers.marlin.driver` is the only
one that does input and output.
"""

from __future__ import annotations

from fabctl.ports import DriverEvent, Trouble
from fabctl_drivers.marlin.answers import OK, Ear
from fabctl_drivers.marlin.conduct import Conduct
from fabctl_drivers.marlin.job import Job
from fabctl_drivers.marlin.phases import Move
from fabctl_drivers.marlin.talk import heard

PROGRESS_EVERY_S = 0.2
"""At most five JobProgress events per second."""


class Session(Conduct):
    """One machine's state between bytes and the core."""

    # ---- what the shell asks

    @property
    def confirmed_line(self) -> int:
        """Line in the file of the running job's last confirmed command; 0 without a job."""
        return 0 if self._job is None else self._job.confirmed_line

    @property
    def baud(self) -> int:
        """Bits per second that the port must have now; it may change while CONNECTING."""
        return self._connection.baud

    @property
    def has_events(self) -> bool:
        """Whether :meth:`take_events` has something."""
        return bool(self._events)

    @property
    def deadline(self) -> float:
        """The time at which :meth:`tick` has something to do."""
        due = min(self._connection.deadline, self._readings.person.ask_at)
        link = self._connection.link
        return due if link is None else min(due, self._speech.deadline(link))

    @property
    def is_safe(self) -> bool:
        """Whether no job runs and the firmware confirmed all that we told it."""
        link = self._connection.link
        return link is not None and self._job is None and not self._errands and not link.in_flight

    @property
    def is_settling(self) -> bool:
        """Whether it is worth to wait for :attr:`is_safe`."""
        return self._connection.link is not None and not self.is_safe

    def take_events(self) -> list[DriverEvent]:
        """Return what happened, and forget it."""
        events, self._events = self._events, []
        return events

    def take_output(self) -> bytes:
        """Return the bytes to write now, and forget them."""
        return self._connection.take_output()

    # ---- what the shell brings

    def opened(self, now: float) -> None:
        """The port is open: begin to talk."""
        self._move(Move.OPENED)
        self._ear = Ear()
        self.wants_close = False
        self._greet(now)

    def receive(self, data: bytes, now: float) -> None:
        """Take in bytes of the firmware."""
        self._heard_at = now
        for answer in self._ear.hear(data):
            if answer is not OK:
                self._note(answer, now)
            if self._talks:
                self._events.append(heard(answer))
            events = self._connection.hear(answer, now)
            if events:
                self._follow(events, now)
        if self._ear.has_unfinished_ok and self._connection.link is not None:
            self._connection.link.hear_unfinished_ok(now)
        self._fill(now)
        if self._job is not None and now - self._progress_at >= PROGRESS_EVERY_S:
            self._report_progress(self._job, now)

    def tick(self, now: float) -> None:
        """Do what is due at ``now``."""
        self._follow(self._connection.tick(now), now)
        if now >= self._readings.person.ask_at:
            self._events += self._readings.person.ask(self._oldest)
        self._fill(now)

    def look_ahead(self) -> None:
        """Read and number the next line while the firmware is at work."""
        job, link = self._job, self._connection.link
        if job is not None and link is not None and job.fetch_if_needed():
            link.prepare(job.next_command)

    def closed(self, now: float) -> None:
        """We close the port ourselves."""
        reason = "fabctl left before the machine confirmed the stop"
        self._leave(Trouble.INTERRUPTED, reason, now)
        self._move(Move.PORT_LOST)

    def _report_progress(self, job: Job, now: float) -> None:
        self._progress_at = now
        link = self._connection.link
        if link is not None and job.has_moved():
            job.count(link.bytes_sent, link.resends)
            self._events.append(job.progress())
