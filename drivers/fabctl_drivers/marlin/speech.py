"""What is said next: errands first, then a question for the temperatures, then the job. Pure."""

from __future__ import annotations

import math

from fabctl.ports import Phase
from fabctl_drivers.marlin.conversation import State
from fabctl_drivers.marlin.errands import Errand, Errands
from fabctl_drivers.marlin.job import Job
from fabctl_drivers.marlin.link import Link
from fabctl_drivers.marlin.person import Person

POLL_IDLE_S, POLL_RUNNING_S, POLL_ALIVE_S = 2.0, 5.0, 10.0
"""How often we ask for temperatures; the last where they come by themselves."""

_QUERY = b"M105"


class Speech:
    """Fills the link with as much as it takes.

    :param person: is told what may make the firmware wait for somebody.
    """

    def __init__(self, person: Person) -> None:
        self.errands = Errands()
        self._person = person
        self._poll_every = math.inf
        self._polled_at = -math.inf

    def choose_poll(self, phase: Phase, *, reports_by_itself: bool) -> None:
        """Ask as often as the machine's phase calls for."""
        if reports_by_itself:
            self._poll_every = math.inf if phase is Phase.RUNNING else POLL_ALIVE_S
        else:
            self._poll_every = POLL_RUNNING_S if phase is Phase.RUNNING else POLL_IDLE_S

    def polled(self, now: float) -> None:
        """The temperatures are known as of now."""
        self._polled_at = now

    def deadline(self, link: Link) -> float:
        """Return the time at which there is a question to ask, if the link is free for it."""
        return self._polled_at + self._poll_every if link.state is State.READY else math.inf

    def fill(self, link: Link, job: Job | None, now: float, *, may_poll: bool) -> None:
        """Say as much as the link takes.

        :param job: the running job; None where none runs, or it is held.
        """
        while True:
            if self.errands:
                if not link.has_room(self.errands.next_command):
                    return
                link.send(*self.errands.pop(), now)
            elif may_poll and now >= self._polled_at + self._poll_every:
                if not link.has_room(_QUERY):
                    return
                self._polled_at = now
                link.send(_QUERY, Errand.POLL, now)
            elif job is None or not self._say_job_line(link, job, now):
                return

    def _say_job_line(self, link: Link, job: Job, now: float) -> bool:
        """Say the job's next line; return whether there is more to say."""
        job.fetch_if_needed()
        coming = job.coming
        if coming is None:
            return self._say_the_end(link, job)
        if not link.has_room(coming.command):
            return False
        link.send(coming.command, coming, now)
        job.taken()
        if coming.command[:1] == b"M":
            self._person.hear_command(coming.command, now)
        return True

    def _say_the_end(self, link: Link, job: Job) -> bool:
        """After the last confirmed line, ask for the end of the last move, once.

        The ok to the question after it cannot be taken for another's: it has temperatures in it.
        """
        if link.in_flight or job.is_over:
            return False
        job.is_over = True
        if job.unreadable is None:
            self.errands.add([b"M400", _QUERY], Errand.FINISH)
        return job.unreadable is None
