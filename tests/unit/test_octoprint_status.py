"""What an OctoPrint server says, and what follows from it: pure, as tables and conversations."""

from __future__ import annotations

import contextlib
import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.errors import DeviceError, LocalError
from fabctl.ports import (
    DriverEvent,
    JobEnded,
    JobFile,
    JobProgress,
    Outcome,
    Phase,
    PhaseChanged,
    Telemetry,
    Trouble,
)
from fabctl.units import Seconds
from fabctl_drivers.octoprint.errands import AskHistory, Command, HeatersOff, JobCommand, Upload
from fabctl_drivers.octoprint.stages import JOB_STAGES, NEXT, PHASES, Heard, Stage, heard
from fabctl_drivers.octoprint.status import (
    Notice,
    NoticeKind,
    Printer,
    SignInAgain,
    Status,
    Temperatures,
    contradicts,
    printer_of,
    read_history,
    read_poll,
    read_push,
)
from fabctl_drivers.octoprint.watch import Watch

NAME = "fabctl_p_1.gcode"


# -- reading -------------------------------------------------------------------------------------


def flags(*names: str) -> dict[str, bool]:
    """Flags as the server sends them: all of them, some true."""
    known = (
        "operational", "printing", "cancelling", "pausing", "resuming", "finishing",
        "closedOrError", "error", "paused", "ready", "sdReady",
    )  # fmt: skip
    return {name: name in names for name in known}


@pytest.mark.parametrize(
    ("set_flags", "printer"),
    [
        (("operational", "ready", "sdReady"), Printer.READY),
        (("operational", "printing"), Printer.PRINTING),
        (("operational", "printing", "finishing"), Printer.PRINTING),
        (("operational", "printing", "resuming"), Printer.PRINTING),
        (("operational", "printing", "pausing"), Printer.PAUSING),
        (("operational", "paused"), Printer.PAUSED),
        (("operational", "printing", "cancelling"), Printer.CANCELLING),
        (("closedOrError",), Printer.DETACHED),
        (("closedOrError", "error"), Printer.FAULT),
        (("operational",), Printer.UNKNOWN),
    ],
)
def test_flags(set_flags: tuple[str, ...], printer: Printer) -> None:
    assert printer_of({"text": "whatever", "flags": flags(*set_flags)}) is printer


@pytest.mark.parametrize(
    ("text", "printer"),
    [
        ("Offline", Printer.DETACHED),
        ("Offline after error", Printer.FAULT),
        ("Detecting serial connection", Printer.CONNECTING),
        ("Operational", Printer.UNKNOWN),  # such a server would have given flags
        ("Hors ligne", Printer.UNKNOWN),
        (None, Printer.UNKNOWN),
    ],
)
def test_texts_without_flags(text: str | None, printer: Printer) -> None:
    assert printer_of({"text": text}) is printer


def test_a_pushed_status() -> None:
    frame = {
        "current": {
            "state": {"text": "Printing", "flags": flags("printing"), "error": ""},
            "job": {"file": {"path": NAME, "origin": "local"}},
            "progress": {"filepos": 995},
            "resends": {"count": 3},
            "temps": [{"time": 1, "tool0": {"actual": 20.5, "target": 210}, "bed": None}],
        }
    }
    assert read_push(json.dumps(frame)) == (
        Status(Printer.PRINTING, None, NAME, 995, 3),
        Temperatures({"tool0": (20.5, 210.0)}),
    )


def test_a_file_on_the_card_is_never_ours() -> None:
    job = {"job": {"file": {"path": NAME, "origin": "sdcard"}}, "state": "Printing"}
    (status,) = read_poll(job, {"state": {"flags": flags("printing")}})
    assert isinstance(status, Status)
    assert heard(status, NAME) is Heard.OTHERS


def test_a_poll_of_a_printer_that_is_not_operational() -> None:
    job = {"state": "Offline after error", "error": "No answer", "job": {}, "progress": {}}
    assert read_poll(job, None) == (Status(Printer.FAULT, "No answer"),)


@pytest.mark.parametrize("shown", ["Operational", "Printing", "Something new", None])
@pytest.mark.parametrize(
    ("connection", "printer"),
    [
        ("Closed", Printer.DETACHED),
        ("Connecting", Printer.CONNECTING),
        ("Operational", Printer.UNKNOWN),  # it was connected in between: the next answer says
        ("Something new", Printer.UNKNOWN),
    ],
)
def test_what_is_shown_of_a_printer_that_is_not_operational_may_be_old(
    shown: str | None, connection: str, printer: Printer
) -> None:
    job: dict[str, object] = {"state": shown, "job": {}, "progress": {}}
    assert contradicts(job, None)
    assert read_poll(job, None, connection) == (Status(printer),)


def test_the_connection_is_asked_about_only_where_answers_contradict_each_other() -> None:
    assert not contradicts({"state": "Offline"}, None)
    assert not contradicts({"state": "Offline after error"}, None)
    assert not contradicts({"state": "Operational"}, {"state": {}})


def test_events() -> None:
    done = {"event": {"type": "PrintDone", "payload": {"path": NAME, "origin": "local"}}}
    assert read_push(json.dumps(done)) == (Notice(NoticeKind.DONE, NAME),)
    error = {"event": {"type": "Error", "payload": {"error": "MINTEMP", "reason": "firmware"}}}
    assert read_push(json.dumps(error)) == (Notice(NoticeKind.ERROR, None, "MINTEMP", "firmware"),)
    assert read_push('{"event": {"type": "Startup", "payload": null}}') == ()
    assert read_push('{"reauthRequired": {"reason": "stale"}}') == (SignInAgain(),)
    assert read_push('{"timelapse": null}') == ()


@pytest.mark.parametrize("raw", ["", "no", "[1]", "3", b"\xff\xfe\x00"])
def test_what_is_no_message_is_an_error(raw: str | bytes) -> None:
    with pytest.raises(DeviceError):
        read_push(raw)


WORDS = (
    "current", "history", "event", "type", "payload", "state", "flags", "text", "job", "file",
    "path", "origin", "progress", "filepos", "temps", "tool0", "actual", "target", "printing",
    "ready", "prints", "success", "failure",
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(WORDS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, JSON)
def test_anything_at_all_is_read_or_refused(one: Any, other: Any) -> None:
    read_poll(one, other)
    assert read_history(one) in {True, False, None}
    with contextlib.suppress(DeviceError):
        assert isinstance(read_push(json.dumps(one)), tuple)


@pytest.mark.parametrize(
    ("prints", "how"),
    [
        ({"success": 1, "failure": 0}, True),
        ({"success": 1, "failure": 1}, False),
        ({"success": 0, "failure": 1}, False),
        ({"success": 0, "failure": 0}, None),
        ({}, None),
        (None, None),
    ],
)
def test_history(prints: object, how: bool | None) -> None:
    assert read_history({"prints": prints}) is how


# -- the table -----------------------------------------------------------------------------------


def test_every_pair_that_can_happen_is_in_the_table() -> None:
    without = (Stage.LOOKING, Stage.FREE, Stage.ELSEWHERE, Stage.BROKEN)
    alone = (Heard.UNKNOWN, Heard.DETACHED, Heard.FAULT, Heard.READY, Heard.OTHERS)
    assert set(NEXT) == {*product(without, alone), *product(JOB_STAGES, Heard)}
    assert set(PHASES) == set(Stage)


def test_unknown_never_permits_and_never_ends() -> None:
    for stage in JOB_STAGES:
        assert NEXT[stage, Heard.UNKNOWN] is stage
    frees = {what for (_, what), new in NEXT.items() if new is Stage.FREE}
    assert frees == {Heard.READY}


# -- conversations -------------------------------------------------------------------------------


class FlatFile:
    """Ten bytes a line."""

    position = 0

    def at(self, position: int) -> tuple[int, int]:
        """Count without a file."""
        self.position = min(position, 1000) // 10 * 10
        return self.position // 10, self.position // 10


class Talk:
    """A watch, a clock, and what was told."""

    def __init__(self, *, free: bool = True) -> None:
        self.watch = Watch("fabctl_p_", Seconds(60))
        self.now = 0.0
        self.events: list[DriverEvent] = []
        self.errands: list[object] = []
        self.watch.opened("OctoPrint 1.11.8")
        if free:
            self.says(Printer.READY)
            self.watch.made_safe(self.now, error=None)
            self.take()

    def says(self, printer: Printer, path: str | None = None, position: int = 0) -> None:
        self.watch.hear(Status(printer, None, path, position), self.now)
        self.take()

    def event(self, kind: NoticeKind, path: str | None = NAME, **more: str) -> None:
        self.watch.hear(Notice(kind, path, **more), self.now)
        self.take()

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.watch.tick(self.now)
        self.take()

    def take(self) -> None:
        self.events += self.watch.take_events()
        self.errands += self.watch.take_errands()

    def printing(self) -> Talk:
        """Start a job that the server prints."""
        file = JobFile("job", Path("part.gcode"), "part.gcode", 100, 100)
        self.watch.begin(file, NAME, FlatFile(), self.now)
        self.watch.uploaded(prints=True, now=self.now)
        self.wait(1)
        self.says(Printer.PRINTING, NAME, 500)
        assert self.shows(Phase.RUNNING)
        return self

    def shows(self, phase: Phase) -> bool:
        """Whether this is the phase now."""
        return self.watch.phase is phase

    @property
    def no_end(self) -> bool:
        """Whether the job has not ended."""
        return self.end is None

    @property
    def end(self) -> JobEnded | None:
        found = [event for event in self.events if isinstance(event, JobEnded)]
        assert len(found) <= 1
        return found[0] if found else None

    def ended(self, outcome: Outcome, trouble: Trouble | None = None) -> str:
        assert self.end is not None
        assert (self.end.outcome, self.end.trouble) == (outcome, trouble)
        return self.end.reason or ""

    @property
    def last_change(self) -> PhaseChanged:
        return [event for event in self.events if isinstance(event, PhaseChanged)][-1]


def test_becoming_free_switches_the_heaters_off_first() -> None:
    talk = Talk(free=False)
    talk.watch.hear(Temperatures({"tool0": (20, 0), "tool1": (20, 0), "bed": (20, 0)}), 0)
    talk.says(Printer.READY)
    assert talk.errands[0] == HeatersOff(("tool0", "tool1"))
    assert isinstance(talk.events[-1], PhaseChanged | Telemetry)


def test_heaters_that_stay_on_are_shown_and_tried_again() -> None:
    talk = Talk(free=False)
    talk.says(Printer.READY)
    talk.watch.made_safe(talk.now, error="OctoPrint was asked; no")
    talk.take()
    assert "heaters could not be switched off" in (talk.last_change.reason or "")
    talk.wait(4)
    assert talk.errands.count(HeatersOff(("tool0",))) == 2


def test_a_ready_printer_alone_is_no_end_of_success() -> None:
    talk = Talk().printing()
    talk.says(Printer.READY)
    assert talk.no_end
    assert talk.errands[-1] == AskHistory(NAME)
    talk.wait(6)
    assert "does not know how it ended" in talk.ended(Outcome.FAILED, Trouble.PROTOCOL)
    assert talk.shows(Phase.BROKEN)


def test_a_print_that_ends_by_itself_is_not_shown_as_being_stopped() -> None:
    talk = Talk().printing()
    talk.says(Printer.READY)
    assert talk.shows(Phase.RUNNING)
    talk.watch.stop(talk.now)
    assert talk.shows(Phase.STOPPING)
    talk = Talk().printing()
    talk.says(Printer.PAUSED, NAME, 600)
    talk.says(Printer.READY)  # cancelled there: it did not go on
    assert talk.shows(Phase.STOPPING)


def test_the_history_says_that_it_finished() -> None:
    talk = Talk().printing()
    talk.says(Printer.READY)
    talk.watch.recorded(None, talk.now)
    assert talk.no_end
    talk.watch.recorded(True, talk.now)
    talk.take()
    talk.ended(Outcome.FINISHED)
    assert talk.end is not None
    assert (talk.end.line, talk.end.commands_done, talk.end.bytes_sent) == (100, 100, 1000)


def test_done_ends_only_when_the_server_no_longer_prints() -> None:
    talk = Talk().printing()
    talk.event(NoticeKind.DONE)
    talk.says(Printer.PRINTING, NAME, 1000)
    assert talk.no_end
    talk.says(Printer.READY)
    talk.ended(Outcome.FINISHED)


def test_events_about_other_files_change_nothing() -> None:
    talk = Talk().printing()
    talk.event(NoticeKind.DONE, "other.gcode")
    talk.says(Printer.READY)
    talk.wait(6)
    talk.ended(Outcome.FAILED, Trouble.PROTOCOL)


@pytest.mark.parametrize(
    ("reason", "trouble"),
    [
        ("firmware", Trouble.FIRMWARE_HALTED),
        ("timeout", Trouble.NO_ANSWER),
        ("connection", Trouble.CABLE_LOST),
        ("resend_loop", Trouble.TOO_MANY_RESENDS),
        ("something new", Trouble.FIRMWARE_HALTED),
    ],
)
def test_errors_are_failures_even_after_a_stop(reason: str, trouble: Trouble) -> None:
    talk = Talk().printing()
    talk.watch.stop(talk.now)
    talk.event(NoticeKind.ERROR, None, error="it broke", reason=reason)
    talk.says(Printer.FAULT)
    assert "it broke" in talk.ended(Outcome.FAILED, trouble)


def test_our_stop_waits_for_the_cancel_to_be_answered() -> None:
    talk = Talk().printing()
    talk.watch.stop(talk.now)
    talk.take()
    assert talk.errands[-1] == Command(JobCommand.CANCEL, NAME)
    talk.says(Printer.READY)
    assert talk.no_end
    talk.watch.commanded(JobCommand.CANCEL, error=None)
    talk.says(Printer.READY)
    talk.wait(2)
    assert talk.ended(Outcome.STOPPED) == ""
    assert HeatersOff(("tool0",)) in talk.errands[-2:]


def test_a_cancel_that_was_lost_is_asked_again() -> None:
    talk = Talk().printing()
    talk.watch.stop(talk.now)
    talk.watch.commanded(JobCommand.CANCEL, error="OctoPrint was asked; gone")
    talk.now += 4
    talk.says(Printer.PRINTING, NAME, 600)
    assert talk.errands.count(Command(JobCommand.CANCEL, NAME)) == 2


def test_old_statuses_after_a_pause_change_nothing() -> None:
    talk = Talk().printing()
    talk.watch.pause(talk.now)
    talk.says(Printer.PRINTING, NAME, 600)
    assert talk.shows(Phase.PAUSING)
    talk.says(Printer.PAUSED, NAME, 600)
    assert talk.last_change == PhaseChanged(Phase.PAUSED)
    talk.watch.resume(talk.now)
    talk.says(Printer.PAUSED, NAME, 600)
    assert talk.shows(Phase.RUNNING)


def test_a_resume_that_does_nothing_is_seen() -> None:
    talk = Talk().printing()
    talk.says(Printer.PAUSED, NAME, 600)
    assert "OctoPrint's own screen" in (talk.last_change.reason or "")
    talk.watch.resume(talk.now)
    talk.now += 4
    talk.says(Printer.PAUSED, NAME, 600)
    assert talk.shows(Phase.PAUSED)


def test_a_silent_server_keeps_its_job_for_a_while() -> None:
    talk = Talk().printing()
    talk.watch.silent("OctoPrint was asked; no answer", talk.now, refused=False)
    talk.wait(59)
    assert talk.no_end
    assert talk.last_change.trouble is Trouble.NO_ANSWER
    talk.watch.answered()
    talk.says(Printer.PRINTING, NAME, 700)
    assert talk.last_change == PhaseChanged(Phase.RUNNING)
    talk.watch.silent("OctoPrint was asked; no answer", talk.now, refused=False)
    talk.wait(61)
    assert "may still be printing" in talk.ended(Outcome.FAILED, Trouble.NO_ANSWER)
    assert talk.shows(Phase.CLOSED)
    talk.watch.opened("OctoPrint 1.11.8")
    assert talk.shows(Phase.BROKEN)


def test_without_a_job_a_silent_server_is_closed_soon_and_a_refused_key_at_once() -> None:
    talk = Talk()
    talk.watch.silent("no answer", talk.now, refused=False)
    assert talk.shows(Phase.IDLE)
    with pytest.raises(LocalError):
        talk.printing()
    talk.wait(4)
    assert talk.last_change == PhaseChanged(Phase.CLOSED, Trouble.NO_ANSWER, "no answer")
    talk = Talk()
    talk.watch.silent("refuses the key", talk.now, refused=True)
    assert talk.shows(Phase.CLOSED)


def test_an_upload_without_an_answer_may_print_all_the_same() -> None:
    talk = Talk()
    file = JobFile("job", Path("part.gcode"), "part.gcode", 100, 100)
    talk.watch.begin(file, NAME, FlatFile(), talk.now)
    talk.take()
    assert talk.errands[-1] == Upload(Path("part.gcode"), NAME)
    talk.watch.upload_failed("the file could not be sent", talk.now, certain=False)
    talk.says(Printer.PRINTING, NAME, 100)
    talk.event(NoticeKind.DONE)
    talk.says(Printer.READY)
    talk.ended(Outcome.FINISHED)


def test_a_watch_that_waits_for_nothing_does_not_hurry() -> None:
    talk = Talk()
    talk.wait(1)
    talk.watch.swept(0, talk.now)
    assert talk.watch.deadline == float("inf")
    talk.watch.silent("no answer", talk.now, refused=False)
    assert talk.watch.deadline > talk.now


STATUS = st.tuples(
    st.sampled_from(Printer), st.sampled_from([NAME, "other.gcode", None]), st.integers(0, 1200)
)
STEP = st.one_of(
    STATUS,
    st.sampled_from([kind for kind in NoticeKind if kind is not NoticeKind.DONE]),
    st.sampled_from(["pause", "resume", "stop", "silent", "answered", "cancelled", "none"]),
    st.floats(0.1, 70),
)


@given(st.lists(STEP, max_size=25))
def test_nothing_is_finished_that_the_server_did_not_call_done(steps: list[Any]) -> None:
    talk = Talk().printing()
    for step in steps:
        _take_step(talk, step)
    finished = [e for e in talk.events if isinstance(e, JobEnded)]
    assert all(end.outcome is not Outcome.FINISHED for end in finished)
    assert len(finished) <= 1
    steps_told = [e.commands_done for e in talk.events if isinstance(e, JobProgress)]
    assert steps_told == sorted(set(steps_told))


def _take_step(talk: Talk, step: Any) -> None:
    match step:
        case (printer, path, position):
            talk.says(printer, path, position)
        case NoticeKind():
            talk.event(step)
        case float():
            talk.wait(step)
        case "silent":
            talk.watch.silent("no answer", talk.now, refused=False)
        case "answered":
            talk.watch.answered()
        case "cancelled":
            talk.watch.commanded(JobCommand.CANCEL, error=None)
        case "none":
            talk.watch.recorded(None, talk.now)
        case _:
            with contextlib.suppress(LocalError):  # a request that the state does not allow
                getattr(talk.watch, step)(talk.now)
    talk.take()
