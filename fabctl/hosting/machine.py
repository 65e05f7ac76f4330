"""The heart of ``fabctl machine``: one thread between what is asked and what the driver does.

Everything here runs in the main thread: requests, driver, reports. Other threads (the link, a
preparation) only put things down for it and wake it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fabctl.clock import Clock
from fabctl.complaint import Complaint
from fabctl.errors import DeviceError
from fabctl.hosting.interlock_gate import InterlockGate
from fabctl.hosting.interlock_guard import JobGuard
from fabctl.hosting.job_keeper import MOST_REASON, JobKeeper, MachineFolders
from fabctl.hosting.machine_reports import MachineReports
from fabctl.hosting.machine_states import refusal, state_of
from fabctl.hosting.request_answers import RequestAnswers
from fabctl.hosting.request_desk import RequestDesk
from fabctl.hosting.running_mark import Hold
from fabctl.hosting.waker import Waker
from fabctl.messaging.payloads import JobPayload, MachineState, StatePayload
from fabctl.ports import (
    Connected,
    Driver,
    DriverEvent,
    JobEnded,
    JobProgress,
    MachineProfile,
    Phase,
    PhaseChanged,
    Telemetry,
    Trouble,
    WaitingForPerson,
)
from fabctl.units import Seconds

PUMP_AT_MOST = Seconds(1.0)
REOPEN_EVERY = Seconds(1.0)
STOP_WITHIN = Seconds(8.0)
"""At the end of the process: how long a job may take to stop."""
SHUT_DOWN = "fabctl was shut down"
NOT_ANSWERED = "The machine has not answered yet."


class MachineHost:
    """Runs one machine until it is told to end.

    :param turned: called with the monotonic clock after each turn of the loop.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # what it works with, each thing by its name
        self,
        profile: MachineProfile,
        driver: Driver,
        desk: RequestDesk,
        reports: MachineReports,
        folders: MachineFolders,
        clock: Clock,
        log: Callable[[str], None],
        wake: Waker,
        interlock: InterlockGate | None = None,
        turned: Callable[[Seconds], None] = lambda _now: None,
    ) -> None:
        self._driver = driver
        self._turned = turned
        self._desk = desk
        self._reports = reports
        self._clock = clock
        self._log = log
        self._wake = wake
        self._keeper = JobKeeper(profile, driver, reports, folders, clock, log, wake)
        self._guard = JobGuard(interlock, driver, self._keeper, log)
        self._answers = RequestAnswers(
            driver, self._keeper, self._guard, reports, lambda: self.state, self._cleared
        )
        self._trouble: str | None = None
        self._reason: str | None = None
        self._waiting: str | None = None
        self._open_again_at = Seconds(0.0)
        self._ending = False

    # -- life ----------------------------------------------------------------------------------

    def end(self) -> None:
        """Have :meth:`run` end in order. Safe from a signal handler."""
        self._ending = True
        self._wake()

    def run(self) -> None:
        """Drive the machine until :meth:`end`; then stop a running job, and tell."""
        self._keeper.tell_what_was_left_behind()
        while not self._ending:
            self.step()
            self._turned(self._clock.monotonic())
        self._shut_down()

    def step(self) -> None:
        """Do what is to be done now, then wait for the machine for at most a second."""
        for request in self._desk.take():
            self._desk.answer(request, self._answers.answer(request))
        self._keeper.go_on(self._why_not_start)
        self._keeper.settle()
        self._guard.step()
        self._open_if_due()
        self._report()
        events = self._pump()
        self._keeper.note_line()
        for event in events:
            self._heard(event)

    @property
    def state(self) -> MachineState:
        """What the machine is doing."""
        keeper = self._keeper
        state = state_of(self._driver.phase, held=bool(keeper.hold), taken=keeper.busy)
        return self._guard.shown(state)

    def _pump(self) -> Sequence[DriverEvent]:
        return self._pump_for(Seconds(0.0) if self._desk.busy else PUMP_AT_MOST)

    def _pump_for(self, wait: Seconds) -> Sequence[DriverEvent]:
        if self._driver.phase is Phase.CLOSED:
            left = self._open_again_at - self._clock.monotonic()
            self._wake.wait(Seconds(max(0.0, min(wait, left))))
            return ()
        return self._driver.pump(wait)

    def _open_if_due(self) -> None:
        now = self._clock.monotonic()
        if self._driver.phase is not Phase.CLOSED or now < self._open_again_at:
            return
        self._open_again_at = Seconds(now + REOPEN_EVERY)
        try:
            self._driver.open()
        except DeviceError as error:
            if self._reason != str(error):
                self._log(Complaint(f"cannot reach the machine: {error}"))
            self._reason = str(error)[:MOST_REASON]
        else:
            self._reason = NOT_ANSWERED

    def _cleared(self) -> None:
        self._trouble = self._reason = None

    def _why_not_start(self) -> str | None:
        state = state_of(self._driver.phase, held=bool(self._keeper.hold), taken=False)
        refused = refusal("start", state)
        return refused.reason if refused else self._guard.why_not_begin()

    # -- what the driver tells -------------------------------------------------------------------

    def _heard(self, event: DriverEvent) -> None:
        match event:
            case PhaseChanged():
                self._phase_changed(event)
            case JobProgress():
                if self._keeper.progressed(event):
                    self._waiting = None
            case JobEnded():
                self._guard.ended(event, f"{SHUT_DOWN}." if self._ending else None)
                self._waiting = None
            case Telemetry():
                self._reports.telemetry(event.group, event.values)
            case WaitingForPerson():
                self._waiting = event.message or "The machine waits for somebody."
            case Connected():
                self._reports.firmware(event.firmware)

    def _phase_changed(self, event: PhaseChanged) -> None:
        self._waiting = None
        self._trouble = event.trouble.value if event.trouble else None
        self._reason = event.reason
        if event.phase is Phase.BROKEN:
            trouble = event.trouble or Trouble.PROTOCOL
            reason = event.reason or "The machine stopped in a way nobody can explain."
            job = self._keeper.job
            line = self._driver.confirmed_line if job else None
            self._keeper.hold_machine(Hold(trouble.value, reason, job.id if job else None, line))
        elif event.phase is Phase.CLOSED:
            self._open_again_at = Seconds(self._clock.monotonic() + REOPEN_EVERY)
        self._keeper.phase_changed(event.phase)

    # -- reports ---------------------------------------------------------------------------------

    def _report(self) -> None:
        state, job = self.state, self._keeper.job
        hold = self._keeper.hold if state is MachineState.BROKEN else None
        self._reports.state(
            StatePayload(
                state=state,
                reason=(hold.reason if hold else self._reason)
                or self._guard.reason
                or self._reports.fault,
                trouble=hold.trouble if hold else self._trouble,
                job=job.id if job else None,
                waiting=self._waiting,
            )
        )
        self._reports.job(self._keeper.payload())
        self._reports.tick()

    # -- the end ---------------------------------------------------------------------------------

    def _shut_down(self) -> None:
        """Stop what runs, make the machine safe, tell; a job that will not stop keeps its mark."""
        self._keeper.give_up_preparing(f"{SHUT_DOWN}.")
        self._stop_job()
        if self._driver.phase is not Phase.CLOSED:
            self._driver.close()
        if self._keeper.busy:
            self._log(Complaint("the job did not stop in time; it will be told as interrupted"))
        self._reports.job(JobPayload(None))
        self._guard.end()
        self._reports.tick()
        self._reports.goodbye(f"{SHUT_DOWN}.")
        self._keeper.close()

    def _stop_job(self) -> None:
        """Stop what runs; what has just ended waits for the interlock's last word."""
        if self._driver.phase is Phase.CLOSED and not self._guard.waits:
            return
        if self._keeper.busy and not self._guard.waits:
            self._driver.stop()
        end = self._clock.monotonic() + STOP_WITHIN
        while self._keeper.busy and self._clock.monotonic() < end:
            events = self._pump_for(Seconds(0.2))
            self._keeper.note_line()
            for event in events:
                self._heard(event)
            self._guard.step()
            self._report()
