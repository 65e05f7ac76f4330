"""What a machine's process does about a request that may be considered, and what it answers."""

from __future__ import annotations

from collections.abc import Callable

from fabctl.errors import FabError
from fabctl.hosting.interlock_guard import JobGuard
from fabctl.hosting.job_keeper import MOST_REASON, JobKeeper
from fabctl.hosting.machine_reports import MachineReports
from fabctl.hosting.machine_states import OTHER_JOB, Refused, refusal
from fabctl.hosting.request_desk import Request
from fabctl.messaging.payloads import Answer, MachineState, PayloadError, StartOrder
from fabctl.ports import Driver, Phase

OK = Answer(True, "ok")


class RequestAnswers:
    """Used by the machine's main thread only.

    :param state: returns what the machine is doing now.
    :param cleared: called once a person has released the machine.
    """

    def __init__(
        self,
        driver: Driver,
        keeper: JobKeeper,
        guard: JobGuard,
        reports: MachineReports,
        state: Callable[[], MachineState],
        cleared: Callable[[], None],
    ) -> None:
        self._driver = driver
        self._keeper = keeper
        self._guard = guard
        self._reports = reports
        self._state = state
        self._cleared = cleared

    def answer(self, request: Request) -> Answer:
        """Do what is asked, or say why not."""
        match request.verb:
            case "recorded":
                self._reports.recorded(_named_events(request.body.values.get("events")))
                return OK
            case "permit":
                return _said(self._guard.permit(request.message.payload))
            case "drop-permit":
                return _said(self._guard.drop_permit("somebody asked for it"))
        return self._answer_about_job(request)

    def _answer_about_job(self, request: Request) -> Answer:
        try:
            refused = refusal(request.verb, self._state())
            refused = self._guard.refusal(request.verb, refused, at_machine=_at_machine(request))
            refused = refused or self._meant_another(request)
            if refused is None:
                self._try(request)
            elif not self._gave_up(request):
                return _said(refused)
        except PayloadError as error:
            return Answer(False, "malformed", str(error)[:MOST_REASON])
        except FabError as error:
            return Answer(False, "machine-refused", str(error)[:MOST_REASON])
        except OSError as error:
            return Answer(False, "local-fault", f"This computer's disk failed: {error}."[:400])
        return OK

    def _meant_another(self, request: Request) -> Refused | None:
        """A request that names its job is not done to the one that took its place meanwhile."""
        if request.verb == "start":
            return None
        meant = request.body.text_or_none("job", limit=64)
        job = self._keeper.job
        return OTHER_JOB if meant and (job is None or job.id != meant) else None

    def _gave_up(self, request: Request) -> bool:
        """Stop a job that was not begun, also when the machine is out of reach just now."""
        if request.verb != "stop":
            return False
        self._keeper.asked("stop", request.by)
        return self._keeper.give_up_preparing()

    def _try(self, request: Request) -> None:
        """Do it; who asked for what was not done is not named by a later event."""
        try:
            self._do(request)
        except (FabError, OSError):
            self._keeper.not_done(request.verb)
            raise

    def _do(self, request: Request) -> None:
        by = request.by
        self._keeper.asked(request.verb, by)
        match request.verb:
            case "start":
                self._reports.require_room()
                self._keeper.take_on(StartOrder.read(request.body))
            case "pause":
                self._driver.pause()
            case "resume":
                self._driver.resume()
                self._guard.gone_on()
            case "stop":
                self._keeper.give_up_preparing()
                self._driver.stop()
                self._guard.stopped()
            case _:
                self._clear(by)

    def _clear(self, by: str | None) -> None:
        """A person at the machine says that it may be used again. Nothing starts by this."""
        if self._driver.phase is Phase.BROKEN:
            self._driver.clear()
        self._keeper.clear(by)
        self._cleared()


def _at_machine(request: Request) -> bool:
    """Say whether the desk signed that this was asked on a screen beside the machine."""
    return request.body.values.get("at_machine") is True


def _said(refused: Refused | None) -> Answer:
    return Answer(False, refused.code, refused.reason) if refused else OK


def _named_events(events: object) -> list[tuple[str, int]]:
    """Return the (boot, seq) pairs of a ``recorded`` request; what is malformed is left out."""
    pairs = []
    for event in events if isinstance(events, list) else []:
        match event:
            case {"boot": str(boot), "seq": int(seq)}:
                pairs.append((boot, seq))
    return pairs
