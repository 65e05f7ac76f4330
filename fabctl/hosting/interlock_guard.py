"""Between a machine's interlock and its job: who may start, and what a trip does to what runs."""

from __future__ import annotations

from collections.abc import Callable

from fabctl.complaint import Complaint
from fabctl.errors import FabError
from fabctl.hosting.interlock_end import LastWord
from fabctl.hosting.interlock_gate import InterlockGate
from fabctl.hosting.interlock_rules import Act
from fabctl.hosting.job_keeper import MOST_REASON, JobKeeper
from fabctl.hosting.machine_states import IS_BLOCKED, Refused
from fabctl.messaging.payloads import MachineState
from fabctl.ports import Driver, JobEnded, Outcome, Phase, WatchedOnly


class JobGuard:
    """Used by the machine's main thread only. Without an interlock it stands in nobody's way."""

    def __init__(
        self,
        gate: InterlockGate | None,
        driver: Driver,
        keeper: JobKeeper,
        log: Callable[[str], None],
    ) -> None:
        self._gate = gate
        self._driver = driver
        self._keeper = keeper
        self._log = log
        self._watched_only = isinstance(driver, WatchedOnly)
        self._cannot_pause: str | None = None
        self._last_word: LastWord | None = None
        """A job's end that is told once the interlock has spoken."""

    # -- what the host asks ----------------------------------------------------------------------

    def shown(self, state: MachineState) -> MachineState:
        """Return the state to publish, from that of driver and job."""
        if self._gate is None:
            return state
        if self._last_word is not None and state is MachineState.PREPARING:
            return MachineState.RUNNING  # its end is not told yet
        return self._gate.shown(state, watched_only=self._watched_only)

    @property
    def reason(self) -> str | None:
        """One English sentence: why the machine is blocked, or a job cannot be paused."""
        return (self._cannot_pause or self._gate.reason) if self._gate else None

    @property
    def waits(self) -> bool:
        """Whether a job's end waits for the interlock's last word."""
        return self._last_word is not None

    def refusal(self, verb: str, refused: Refused | None, *, at_machine: bool) -> Refused | None:
        """Return why a request is refused; the interlock says it in more words than “blocked”.

        :param refused: what the machine's own state says.
        :param at_machine: it was asked on a screen beside the machine.
        """
        if self._gate is None or refused not in {None, IS_BLOCKED}:
            return refused
        refused = self._gate.refusal(verb) or refused
        if refused is None and verb == "resume" and not at_machine:
            return None if self._gate.pressed_lately else NOT_BESIDE
        return refused

    def why_not_begin(self) -> str | None:
        """Return why the interlock is against the job that is to begin now; None: it is not, and
        what trips from now on is this job's trip.
        """
        if self._gate is None:
            return None
        self._gate.begin_job()
        refused = self._gate.refusal("start")
        return refused.reason if refused else None

    def permit(self, message: bytes) -> Refused | None:
        """Hand a permit on to the daemon; return why it was not."""
        return self._gate.forward(message) if self._gate else NO_INTERLOCK

    def drop_permit(self, why: str) -> Refused | None:
        """Have the daemon take its permission away."""
        if self._gate is None:
            return NO_INTERLOCK
        self._gate.drop(why)
        return None

    def stopped(self) -> None:
        """Somebody asked for a stop: where nothing is streamed, that ends the permission."""
        if self._gate is not None and self._watched_only:
            self._gate.drop("somebody asked for a stop")

    def gone_on(self) -> None:
        """Somebody resumed the job, with the interlock armed: its trip is over."""
        if self._gate is not None:
            self._gate.begin_job()
        if self._keeper.job is not None:
            self._keeper.job.go_on()

    def ended(self, event: JobEnded, stopped_because: str | None) -> None:
        """Tell a job's end; one that seems finished only when the interlock held until then."""
        if self._gate is not None and event.outcome is Outcome.FINISHED:
            self._last_word = LastWord(event, self._gate)
        else:
            self._keeper.ended(event, stopped_because)

    # -- what time asks for ----------------------------------------------------------------------

    def step(self) -> None:
        """Hear the interlock, and have the job obey it."""
        if self._gate is None:
            return
        self._gate.step()
        if self._last_word is None:
            self._obey(self._gate)
        else:
            self._judge(self._last_word)

    def _judge(self, last_word: LastWord) -> None:
        why, job = last_word.verdict(), self._keeper.job
        if why is None:
            return
        if why and job is not None and job.tripped is None:
            job.tripped = _stopped(why)
            self._log(Complaint(job.tripped))
        self._last_word = None
        self._keeper.ended(last_word.event, None)

    def end(self) -> None:
        """Tell what was counted; from now on nobody knows what the interlock does."""
        if self._gate is not None:
            self._gate.end()

    def _obey(self, gate: InterlockGate) -> None:
        """Have a job that was begun do what the interlock's state asks for.

        Asked in every step, not at changes: a job that goes on by a button at the machine after a
        trip, without anybody's signed resume, is paused again.
        """
        job, act = self._keeper.job, gate.act
        self._cannot_pause = None
        if job is None or job.ready is None or job.doomed or act is Act.GO_ON:
            return
        running = self._driver.phase is Phase.RUNNING
        why = _stopped(gate.why)
        cut_short = act is Act.FAIL_UNLESS_AT_REST and running and not job.tripped
        if act is Act.FAIL or cut_short:
            self._log(Complaint(why))
            job.doomed = why
            self._driver.stop()
            return
        if job.tripped is None:
            self._log(Complaint(why))
            job.tripped, job.tripped_at = why, self._driver.confirmed_line
        if running:
            self._pause()

    def _pause(self) -> None:
        try:
            self._driver.pause()
        except FabError as error:  # asked again in the next step; the relays are off all the same
            self._cannot_pause = f"It cannot be paused just now: {error}"[:MOST_REASON]


def _stopped(why: str) -> str:
    return f"The interlock stopped the machine. {why}"[:MOST_REASON]


NOT_BESIDE = Refused(
    "not-beside-machine",
    "This machine goes on only when somebody stands beside it. Use the lab's screen there; or open "
    "the lid or door, close it, press the green button, and go on within a minute.",
)
NO_INTERLOCK = Refused("no-interlock", "This machine has no interlock.")
