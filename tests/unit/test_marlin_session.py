"""Requests, progress, lost ports and broken machines, without a port."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl.errors import InputError, LocalError
from fabctl.ports import (
    Connected,
    JobEnded,
    JobFile,
    JobProgress,
    MachineKind,
    MachineProfile,
    Outcome,
    Phase,
    PhaseChanged,
    Telemetry,
    Trouble,
    WorkArea,
)
from fabctl_drivers.marlin.pausing import Parking
from fabctl_drivers.marlin.session import Session
from fabctl_drivers.marlin.settings import Settings, settings_of

FILE = JobFile("job-1", Path("a.gcode"), "a.gcode", lines=100_000, commands=100_000)


class Machine:
    """A session with a firmware that says ok to everything, at once."""

    def __init__(self) -> None:
        self.session = Session(Settings(baud=250_000))
        self.now = 50.0
        self.session.opened(self.now)

    def is_in(self, phase: Phase) -> bool:
        return self.session.phase is phase

    def tick(self) -> None:
        self.now = max(self.now, self.session.deadline)
        self.session.tick(self.now)

    def answer(self, extra: bytes = b"") -> bool:
        said = self.session.take_output()
        if said:
            self.session.receive(extra + b"ok\n" * said.count(b"\n"), self.now)
        return bool(said)

    def connect(self) -> None:
        while self.is_in(Phase.CONNECTING):
            if not self.answer():
                self.tick()
        self.session.take_events()

    def run_until_ended(self, seconds_each: float = 0.0) -> list[object]:
        events: list[object] = []
        while not any(isinstance(event, JobEnded) for event in events):
            self.now += seconds_each
            if not self.answer():
                self.tick()
            events += self.session.take_events()
        return events


@pytest.fixture
def machine() -> Machine:
    machine = Machine()
    machine.connect()
    return machine


def moves(count: int) -> Iterator[tuple[int, bytes]]:
    return ((line, b"G1 X%d" % line) for line in range(1, count + 1))


def test_connecting_tells_who_is_there_then_idle() -> None:
    machine = Machine()
    while machine.is_in(Phase.CONNECTING):
        if not machine.answer(b"FIRMWARE_NAME:Marlin 9\nCap:EEPROM:1\nCap:EMPTY:0\n"):
            machine.tick()
    events = machine.session.take_events()
    assert events == [
        PhaseChanged(Phase.CONNECTING),
        Connected("Marlin 9", frozenset({"EEPROM"})),
        PhaseChanged(Phase.IDLE),
    ]


def test_progress_is_told_at_most_five_times_a_second(machine: Machine) -> None:
    machine.session.start(FILE, moves(1000), machine.now)
    events = machine.run_until_ended(seconds_each=0.01)
    progress = [event for event in events if isinstance(event, JobProgress)]
    assert 45 <= len(progress) <= 51
    assert [p.line for p in progress] == sorted({p.line for p in progress})
    ended = events[-2]
    assert isinstance(ended, JobEnded)
    assert (ended.outcome, ended.line, ended.commands_done) == (Outcome.FINISHED, 1000, 1000)
    assert ended.seconds == pytest.approx(10.0, abs=0.2)
    assert ended.bytes_sent > 1000 * len(b"N1 G1 X1*1\n")
    assert events[-1] == PhaseChanged(Phase.IDLE)


def test_confirmed_line_is_exact_between_the_events(machine: Machine) -> None:
    machine.session.start(FILE, moves(3), machine.now)
    assert machine.session.confirmed_line == 0
    machine.answer()
    assert machine.session.confirmed_line == 1
    machine.answer()
    assert machine.session.confirmed_line == 2


def test_temperatures_are_told_once_a_second_at_most(machine: Machine) -> None:
    for _ in range(50):
        machine.now += 0.1
        machine.session.receive(b" T:20.0 /0.0\n", machine.now)
    told = [e for e in machine.session.take_events() if isinstance(e, Telemetry)]
    assert len(told) == 5
    assert told[0] == Telemetry("temperatures", {"nozzle_c": 20.0, "nozzle_target_c": 0.0})


def test_an_idle_machine_is_asked_for_its_temperatures(machine: Machine) -> None:
    machine.now += 2.0
    machine.session.tick(machine.now)
    assert b" M105*" in machine.session.take_output()


@pytest.mark.parametrize("request_", ["pause", "resume"])
def test_without_a_job_there_is_nothing_to_pause_or_resume(machine: Machine, request_: str) -> None:
    with pytest.raises(LocalError):
        getattr(machine.session, request_)(machine.now)


def test_two_jobs_never_run_at_once(machine: Machine) -> None:
    machine.session.start(FILE, moves(5), machine.now)
    with pytest.raises(LocalError, match="a job starts only on an idle machine"):
        machine.session.start(FILE, moves(5), machine.now)


def test_a_file_that_cannot_be_read_starts_nothing(machine: Machine) -> None:
    def broken(good_lines: int) -> Iterator[tuple[int, bytes]]:
        yield from moves(good_lines)
        raise InputError("the disk is gone")

    with pytest.raises(InputError, match="the disk is gone"):
        machine.session.start(FILE, broken(0), machine.now)
    assert machine.is_in(Phase.IDLE)
    assert machine.session.take_output() == b""


def test_stop_without_a_job_makes_the_machine_safe(machine: Machine) -> None:
    machine.session.stop(machine.now)
    said = b""
    while machine.is_in(Phase.STOPPING):
        said += machine.session.take_output()
        machine.session.receive(b"ok\n", machine.now)
    assert [line.split(b" ", 1)[1].split(b"*")[0] for line in said.splitlines()] == [
        b"M104 S0",
        b"M140 S0",
        b"M107",
        b"M105",
    ]
    assert machine.is_in(Phase.IDLE)


def test_a_lost_port_fails_the_job_and_a_person_must_look(machine: Machine) -> None:
    machine.session.start(FILE, moves(5), machine.now)
    machine.answer()
    machine.session.port_lost("the cable is out", machine.now)
    events = machine.session.take_events()
    ended, changed = events[-2:]
    assert isinstance(ended, JobEnded)
    assert (ended.outcome, ended.trouble, ended.line) == (Outcome.FAILED, Trouble.CABLE_LOST, 1)
    assert changed == PhaseChanged(Phase.CLOSED, Trouble.CABLE_LOST, "the cable is out")

    machine.session.opened(machine.now)
    machine.connect()
    assert machine.is_in(Phase.BROKEN)
    with pytest.raises(LocalError, match="idle machine; the machine is broken"):
        machine.session.start(FILE, moves(5), machine.now)
    machine.session.clear(machine.now)
    assert machine.is_in(Phase.IDLE)


def test_a_port_lost_without_a_job_is_no_riddle(machine: Machine) -> None:
    machine.session.port_lost("the cable is out", machine.now)
    machine.session.opened(machine.now)
    machine.connect()
    assert machine.is_in(Phase.IDLE)


def test_an_idle_controller_may_restart(machine: Machine) -> None:
    machine.session.receive(b"start\n", machine.now)
    assert machine.is_in(Phase.CONNECTING)
    machine.connect()
    assert machine.is_in(Phase.IDLE)


def test_a_broken_machine_that_is_silent_is_not_cleared(machine: Machine) -> None:
    machine.session.receive(b"Error:Printer halted. kill() called!\n", machine.now)
    assert machine.is_in(Phase.BROKEN)
    machine.now += 60.0
    machine.session.tick(machine.now)
    with pytest.raises(LocalError, match="does not answer"):
        machine.session.clear(machine.now)
    machine.session.receive(b"start\n", machine.now)
    while not machine.session.is_alive(machine.now):
        if not machine.answer():
            machine.tick()
    assert machine.is_in(Phase.BROKEN)
    machine.session.clear(machine.now)
    assert machine.is_in(Phase.IDLE)


def test_a_second_failure_does_not_hide_the_first(machine: Machine) -> None:
    machine.session.start(FILE, moves(5), machine.now)
    machine.session.receive(b"start\n", machine.now)
    machine.session.receive(b"Error:Printer halted. kill() called!\n", machine.now)
    machine.session.port_lost("gone", machine.now)
    machine.session.take_events()
    machine.session.opened(machine.now)
    while not machine.is_in(Phase.BROKEN):
        if not machine.answer():
            machine.tick()
    changed = [e for e in machine.session.take_events() if isinstance(e, PhaseChanged)]
    assert changed[-1].trouble is Trouble.CONTROLLER_RESET


def test_leaving_during_a_job_is_an_interruption(machine: Machine) -> None:
    machine.session.start(FILE, moves(5), machine.now)
    machine.session.closed(machine.now)
    ended = [e for e in machine.session.take_events() if isinstance(e, JobEnded)]
    assert [e.trouble for e in ended] == [Trouble.INTERRUPTED]
    assert machine.is_in(Phase.CLOSED)


def test_the_firmware_may_ask_to_be_left_alone(machine: Machine) -> None:
    machine.session.receive(b"//action:disconnect\n", machine.now)
    assert machine.session.wants_close
    assert machine.is_in(Phase.CLOSED)


# ---- options


def profile(**options: str | float | bool) -> MachineProfile:
    area = WorkArea((0, 1), (0, 1), (0, 1))
    return MachineProfile(
        "a", "A", MachineKind.PRINTER, "marlin", "h", "/dev/x", 250_000, area, options=options
    )


def test_options_have_defaults_and_are_taken() -> None:
    assert settings_of(profile()).window_bytes == 120
    assert settings_of(profile(window=False)).window_bytes == 0
    assert settings_of(profile(window=200)).window_bytes == 200
    parking = settings_of(profile(pause_lift_mm=9, pause_x_mm=1.5, pause_y_mm=-2)).parking
    assert parking == Parking(lift_mm=9.0, x_mm=1.5, y_mm=-2.0)  # type: ignore[arg-type]  # plain numbers read better here


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"windw": True}, "did you mean “window”"),
        ({"zzz": 1}, "it knows window, baud, pause_lift_mm"),
        ({"window": "yes"}, "the option window is 'yes'"),
        ({"window": -1}, "0 to 4096 bytes"),
        ({"pause_lift_mm": "high"}, "the option pause_lift_mm is 'high'"),
        ({"pause_lift_mm": -1}, "a number from 0"),
        ({"pause_lift_mm": True}, "the option pause_lift_mm is True"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, str | float | bool], message: str) -> None:
    with pytest.raises(InputError, match=message):
        settings_of(profile(**options))
