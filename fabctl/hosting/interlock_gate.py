"""A machine's interlock as its process knows it: heard, published, obeyed; never made up.

Used by the machine's main thread. The line below it (:mod:`fabctl.hosting.interlock_line`) brings
what the daemon says; the rules (:mod:`fabctl.hosting.interlock_rules`) say what follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from fabctl.clock import Clock
from fabctl.complaint import Complaint
from fabctl.hosting.interlock_line import SILENCE, Heard
from fabctl.hosting.interlock_meter import Ran, WorkMeter
from fabctl.hosting.interlock_news import ARMED, LOCKED, InterlockNews, Teller
from fabctl.hosting.interlock_rules import ROWS, Act, Row, why
from fabctl.hosting.machine_states import Refused
from fabctl.interlock import InterlockState as State
from fabctl.messaging.interlocks import UNKNOWN, InterlockPayload
from fabctl.messaging.payloads import EventType, MachineState
from fabctl.units import Seconds

SAY_AGAIN = Seconds(2.0)
BESIDE_IT_FOR = Seconds(60.0)
"""So long after the green button somebody counts as standing there. Decision 0143."""
PERMITS_BURST = 5.0
PERMITS_PER_S = 2.0
"""The steward sends one in 3 s. More than this is not handed on: the daemon hangs up on a flood,
and a line that is cut pauses a job."""
NOTHING = InterlockPayload(UNKNOWN)


class Line(Protocol):
    """What the gate needs of an :class:`~fabctl.hosting.interlock_line.InterlockLine`."""

    def take(self) -> list[Heard]:
        """Return what the daemon said since the last call, oldest first."""

    def ask(self) -> int:
        """Ask for its state; return the question's number, which the answer's ``asked`` reaches."""

    def forward(self, permit: bytes) -> bool:
        """Hand a permit on; False: no daemon would read it."""

    def drop(self, why: str) -> None:
        """Have the daemon take its permission away."""


class InterlockGate:
    """One machine's interlock."""

    def __init__(
        self, line: Line, reports: Teller, clock: Clock, log: Callable[[str], None]
    ) -> None:
        self._line = line
        self._reports = reports
        self._clock = clock
        self._log = log
        self._meter = WorkMeter()
        self._news = InterlockNews(reports, clock)
        self._heard_at: Seconds | None = None
        self._said: InterlockPayload = NOTHING
        self._before: InterlockPayload | None = None
        """The last word, however old: events are what changed since."""
        self._published: InterlockPayload | None = None
        self._published_at = Seconds(0.0)
        self._permits = PERMITS_BURST
        self._counted_at = clock.monotonic()
        self._armings: tuple[str | None, int] | None = None
        """Boot and trips when the job that runs was begun, or last gone on with."""
        self._armed_at: Seconds | None = None
        """When the green button was pressed; None: not armed, or nobody saw when."""
        self._answered = 0
        """The question that the last word answers."""

    # -- what is so -----------------------------------------------------------------------------

    @property
    def said(self) -> InterlockPayload:
        """What the daemon says, ``unknown`` once it has been silent for 1.5 s."""
        heard = self._heard_at
        if heard is None or self._clock.monotonic() - heard > SILENCE:
            return NOTHING
        return self._said

    @property
    def row(self) -> Row:
        """What follows from it."""
        return ROWS[self.said.state]

    @property
    def pressed_lately(self) -> bool:
        """Whether somebody stood at the machine less than a minute ago: it was armed then."""
        armed_at = self._armed_at
        return armed_at is not None and self.now - armed_at <= BESIDE_IT_FOR

    @property
    def reason(self) -> str | None:
        """One English sentence: why the machine is shown as blocked; None: it is not."""
        return why(self.said) if self.row.shown else None

    def refusal(self, verb: str) -> Refused | None:
        """Return why the interlock is against a request; None: it is not."""
        return self.row.refused if verb in {"start", "resume"} else None

    def shown(self, state: MachineState, *, watched_only: bool) -> MachineState:
        """Return the state to publish, from that of the driver.

        :param watched_only: fabctl sends the machine nothing: its run signal says that it works.
        """
        if state is not MachineState.IDLE:
            return state
        if watched_only and self.row.works:
            return MachineState.RUNNING
        return self.row.shown or state

    # -- the job --------------------------------------------------------------------------------

    def begin_job(self) -> None:
        """A job begins, or goes on: what trips from now on is its trip."""
        self._armings = _life(self.said)

    @property
    def armed_as_before(self) -> bool:
        """Whether it is the same boot, and nothing has tripped, since the job went on."""
        return self._armings == _life(self.said)

    @property
    def trips_since_armed(self) -> int | None:
        """Trips since the job went on; None: the daemon has started anew since."""
        if self._armings is None or self._armings[0] != self.said.boot:
            return None
        return self.said.trips - self._armings[1]

    @property
    def act(self) -> Act:
        """What a job that was begun must do now."""
        said = self.said
        if said.state in ARMED and not self.armed_as_before:
            return Act.PAUSE  # it tripped and was armed again, faster than we heard
        return self.row.act

    @property
    def why(self) -> str:
        """One English sentence: what the interlock did to the job."""
        said = self.said
        if said.state in LOCKED and not (said.first_cause or said.fault):
            return "The permission to use the machine ended in the middle of the job."
        return why(said)

    # -- time -----------------------------------------------------------------------------------

    @property
    def now(self) -> Seconds:
        """Our monotonic clock."""
        return self._clock.monotonic()

    def ask(self) -> int:
        """Ask the daemon for its state; return the question's number."""
        return self._line.ask()

    @property
    def answered(self) -> int:
        """The newest question that the last word answers."""
        return self._answered

    def step(self) -> None:
        """Take in what the daemon said, tell events, publish the state when it is time."""
        for at, said, answered in self._line.take():
            if self._before is not None:
                self._news.tell(self._before, said)
            self._note_arming(at, said)
            self._ran(self._meter.hear(said))
            self._heard_at, self._said, self._before = at, said, said
            self._answered = answered
        self._news.tell_refusals()
        now = self.said
        if now.state == UNKNOWN and self._said is not NOTHING:
            self._log(Complaint("the interlock is silent"))
            self._ran(self._meter.take())
            self._said = NOTHING
        self._publish(now)

    def _note_arming(self, at: Seconds, said: InterlockPayload) -> None:
        """Note when the green button armed it: that press is made at the machine."""
        was = self._before
        if said.state not in ARMED:
            self._armed_at = None
        elif was is None or was.state not in ARMED or (was.boot, was.trips) != _life(said):
            is_new = said.state == State.ARMED and said.since_s is not None
            self._armed_at = Seconds(at - (said.since_s or 0.0)) if is_new else None

    def end(self) -> None:
        """Tell what was counted; from now on nobody knows."""
        self._ran(self._meter.take())
        self._reports.interlock(NOTHING)

    def _publish(self, said: InterlockPayload) -> None:
        now = self._clock.monotonic()
        changed = self._published is None or _gist(said) != _gist(self._published)
        if changed or now - self._published_at >= SAY_AGAIN:
            self._published, self._published_at = said, now
            self._reports.interlock(said)

    # -- permits --------------------------------------------------------------------------------

    def forward(self, permit: bytes) -> Refused | None:
        """Hand a permit on to the daemon, unread; return why it was not."""
        now = self._clock.monotonic()
        left = self._permits + PERMITS_PER_S * (now - self._counted_at)
        self._permits, self._counted_at = min(PERMITS_BURST, left), now
        if self._permits < 1.0:
            return _FLOOD
        self._permits -= 1.0
        return None if self._line.forward(permit) else _NO_PERMIT

    def drop(self, why: str) -> None:
        """Have the daemon take its permission away: anybody may ask for that."""
        self._line.drop(why)

    def _ran(self, ran: Sequence[Ran]) -> None:
        for one in ran:
            self._reports.event(EventType.INTERLOCK_RAN, use=one.use, seconds=round(one.seconds, 3))


_FLOOD = Refused("too-many-permits", "Permits come too fast; this one was left out.")
_NO_PERMIT = Refused("malformed", "This is no permit.")


def _life(said: InterlockPayload) -> tuple[str | None, int]:
    """Return what changes with every trip and every start of the daemon."""
    return said.boot, said.trips


def _gist(said: InterlockPayload) -> tuple[object, ...]:
    """Return what is published at once when it changes: all but what only counts time."""
    inputs = tuple((role, word.condition, word.say) for role, word in said.inputs.items())
    use = said.permit.use if said.permit else None
    return (
        said.state, said.boot, said.cause, said.first_cause, said.fault, said.trouble,
        said.advice, said.challenge, inputs, use,
        said.outputs_on, said.active, said.trips, sum(said.permits_refused.values()),
    )  # fmt: skip
