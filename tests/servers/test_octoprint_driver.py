"""The driver against a real OctoPrint with its virtual printer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from fabctl.clock import SystemClock
from fabctl.errors import DeviceError, LocalError
from fabctl.ports import (
    Connected,
    DriverEvent,
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
)
from fabctl.units import Seconds
from fabctl_drivers.octoprint.driver import OctoPrintDriver
from tests.octoprint_server import OctoPrintServer, octoprint_server, until
from tests.relay import Relay

pytestmark = pytest.mark.timeout(300)

Event = TypeVar("Event")
QUICK = b"; a part\nG28\nM117 hello\n" + b"".join(b"G1 X%d F6000\n" % (n % 9) for n in range(120))
LASTS_5_S = b"G28\n" + b"G4 P50\n" * 100
"""So that it is not over before somebody who comes two seconds late."""
SLOW = b"G28\nM104 S55\nM140 S45\n" + b"G4 P100 ; wait\n\n" * 3000


class Bench:
    """A driver, what it told, and the server behind it."""

    def __init__(
        self,
        server: OctoPrintServer,
        folder: Path,
        url: str | None = None,
        **options: str | float | bool,
    ) -> None:
        self.server = server
        self.folder = folder
        self.key_file = folder / "key"
        self.key_file.write_text(server.new_key() + "\n")
        self.profile = MachineProfile(
            id="printer-o", name="Imprimante", kind=MachineKind.PRINTER, driver="octoprint",
            host="pi1", port=url or server.url, baud=0,
            options={"api_key_file": str(self.key_file), "patience_s": 10, **options},
        )  # fmt: skip
        self.driver = OctoPrintDriver(self.profile, SystemClock())
        self.events: list[DriverEvent] = []

    def pump_until(self, true: Callable[[], bool], what: str, within_s: float = 40.0) -> None:
        """Pump until something is true."""

        def tried() -> bool:
            self.events += self.driver.pump(Seconds(0.1))
            return true()

        until(tried, f"{what}; told: {self.told[-8:]}", within_s)

    @property
    def told(self) -> list[DriverEvent]:
        """What was told, without readings and steps."""
        return [e for e in self.events if not isinstance(e, Telemetry | JobProgress)]

    def all(self, kind: type[Event]) -> list[Event]:
        """Every event of a kind, oldest first."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def reasons(self) -> list[str]:
        """Every reason of a phase."""
        return [change.reason for change in self.all(PhaseChanged) if change.reason]

    def phase(self, phase: Phase, within_s: float = 40.0) -> None:
        """Wait for a phase."""
        self.pump_until(lambda: self.driver.phase is phase, f"phase {phase}", within_s)

    def shows(self, phase: Phase) -> bool:
        """Whether this is the driver's phase now."""
        return self.driver.phase is phase

    def idle(self) -> None:
        """Open and wait until the printer is free and safe."""
        self.driver.open()
        self.phase(Phase.IDLE)

    def start(self, text: bytes, name: str = "part.gcode") -> JobFile:
        """Start a job with this file."""
        path = self.folder / name
        path.write_bytes(text)
        lines = text.splitlines()
        commands = sum(bool(line.partition(b";")[0].strip()) for line in lines)
        job = JobFile(f"job{len(self.all(JobEnded))}", path, name, len(lines), commands)
        self.driver.start(job)
        return job

    def under_way(self, text: bytes = SLOW) -> JobFile:
        """Start a job and wait until some of it is done."""
        before = len(self.all(JobProgress))
        job = self.start(text)
        self.pump_until(lambda: len(self.all(JobProgress)) > before, "the job moves")
        return job

    def moves_on(self) -> None:
        """Wait until more of the job is done."""
        before = len(self.all(JobProgress))
        self.pump_until(lambda: len(self.all(JobProgress)) > before, "the job goes on")

    def ended(self, within_s: float = 60.0) -> JobEnded:
        """Wait for the job's end."""
        before = len(self.all(JobEnded))
        self.pump_until(lambda: len(self.all(JobEnded)) > before, "the job's end", within_s)
        return self.all(JobEnded)[-1]

    def no_end_yet(self) -> bool:
        """Whether no job has ended."""
        return not self.all(JobEnded)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OctoPrintServer]:
    with octoprint_server(tmp_path_factory.mktemp("octoprint")) as server:
        yield server


@pytest.fixture
def server(running: OctoPrintServer) -> Iterator[OctoPrintServer]:
    running.connect_printer()
    yield running
    running.disconnect_printer()


@pytest.fixture(params=["push", "polling"])
def either(
    request: pytest.FixtureRequest, server: OctoPrintServer, tmp_path: Path
) -> Iterator[Bench]:
    """A bench that listens, and one that only asks: both must tell the same."""
    made = Bench(server, tmp_path, push=request.param == "push")
    yield made
    made.driver.close()


@pytest.fixture
def bench(server: OctoPrintServer, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(server, tmp_path)
    yield made
    made.driver.close()


# -- whole jobs ----------------------------------------------------------------------------------


def test_a_whole_job(either: Bench) -> None:
    either.idle()
    job = either.start(QUICK)
    end = either.ended()
    assert (end.job, end.outcome, end.trouble, end.reason) == (
        job.id, Outcome.FINISHED, None, None,
    )  # fmt: skip
    assert (end.line, end.commands_done, end.bytes_sent) == (job.lines, job.commands, len(QUICK))
    steps = either.all(JobProgress)
    assert [s.commands_done for s in steps] == sorted({s.commands_done for s in steps})
    assert steps[-1].commands_done == job.commands
    assert all(step.line >= step.commands_done for step in steps)
    either.phase(Phase.IDLE)
    assert either.all(Connected) == [Connected("OctoPrint 1.11.8")]
    either.pump_until(lambda: not either.server.file_names, "our file is removed")


def test_two_jobs_one_after_the_other(bench: Bench) -> None:
    bench.idle()
    for _ in range(2):
        bench.start(QUICK)
        assert bench.ended().outcome is Outcome.FINISHED
        bench.phase(Phase.IDLE)


def test_progress_names_the_line_of_the_file(bench: Bench) -> None:
    bench.idle()
    bench.under_way()
    step = bench.all(JobProgress)[-1]
    assert 1 <= bench.driver.confirmed_line <= 6003
    assert step.line >= step.commands_done


def test_temperatures_are_told(bench: Bench) -> None:
    bench.idle()
    bench.under_way()
    bench.pump_until(
        lambda: bench.all(Telemetry)[-1].values["nozzle_target_c"] == 55, "the target is told"
    )
    last = bench.all(Telemetry)[-1]
    assert (last.group, last.values["bed_target_c"]) == ("temperatures", 45)
    nozzle = last.values["nozzle_c"]
    assert nozzle is not None
    assert 20 < nozzle < 60


# -- pause, resume, stop -------------------------------------------------------------------------


def test_pause_and_resume(bench: Bench) -> None:
    bench.idle()
    bench.under_way(LASTS_5_S)
    bench.driver.pause()
    bench.driver.pause()  # once more changes nothing
    bench.phase(Phase.PAUSED)
    until(lambda: bench.server.state == "Paused", "OctoPrint shows it")
    assert bench.reasons == []
    bench.driver.resume()
    assert bench.ended().outcome is Outcome.FINISHED
    phases = [change.phase for change in bench.all(PhaseChanged)]
    assert phases.count(Phase.PAUSED) == 1


def test_stop_cancels_and_switches_the_heaters_off(either: Bench) -> None:
    either.idle()
    either.under_way()
    until(lambda: either.server.targets.get("tool0") == 55, "the nozzle heats")
    either.driver.stop()
    end = either.ended()
    assert (end.outcome, end.trouble, end.reason) == (Outcome.STOPPED, None, None)
    either.phase(Phase.IDLE)
    either.pump_until(lambda: not any(either.server.targets.values()), "the heaters are off")
    assert either.server.state == "Operational"


def test_stop_while_the_file_is_on_its_way(bench: Bench) -> None:
    bench.idle()
    bench.start(SLOW)
    bench.driver.stop()
    assert bench.ended().outcome is Outcome.STOPPED
    bench.phase(Phase.IDLE)
    bench.pump_until(lambda: not bench.server.file_names, "nothing of it is left")
    assert bench.server.state == "Operational"


def test_leaving_stops_our_job(bench: Bench) -> None:
    bench.idle()
    bench.under_way()
    bench.driver.close()
    bench.events += bench.driver.pump(Seconds(0))
    assert bench.all(JobEnded)[-1].outcome is Outcome.STOPPED
    assert bench.driver.phase is Phase.CLOSED
    assert bench.server.state in {"Operational", "Cancelling"}


# -- somebody else at OctoPrint's own screen -------------------------------------------------------


def test_cancelled_by_somebody_else(either: Bench) -> None:
    either.idle()
    either.under_way()
    either.server.do("/api/job", command="cancel")
    end = either.ended()
    assert end.outcome is Outcome.STOPPED
    assert end.reason is not None
    assert "cancelled" in end.reason


def test_paused_and_resumed_by_somebody_else(bench: Bench) -> None:
    bench.idle()
    bench.under_way(LASTS_5_S)
    bench.server.do("/api/job", command="pause", action="pause")
    bench.phase(Phase.PAUSED)
    assert "OctoPrint's own screen" in bench.reasons[-1]
    bench.server.do("/api/job", command="pause", action="resume")
    bench.phase(Phase.RUNNING)
    assert bench.ended().outcome is Outcome.FINISHED


def test_started_over_by_somebody_else(bench: Bench) -> None:
    bench.idle()
    bench.under_way()
    bench.driver.pause()
    bench.phase(Phase.PAUSED)
    bench.server.do("/api/job", command="restart")
    end = bench.ended()
    assert end.outcome is Outcome.STOPPED
    assert end.reason is not None
    assert "started the file over" in end.reason
    bench.driver.stop()
    bench.phase(Phase.IDLE)


def test_a_job_that_was_started_elsewhere_is_shown_and_left_alone(bench: Bench) -> None:
    bench.server.print_elsewhere("theirs.gcode", SLOW)
    bench.driver.open()
    bench.phase(Phase.RUNNING)
    assert bench.reasons[-1] == "printing a job that was started elsewhere"
    with pytest.raises(LocalError, match="started elsewhere"):
        bench.start(QUICK)
    with pytest.raises(LocalError, match="started elsewhere"):
        bench.driver.pause()
    until(lambda: bench.server.targets.get("tool0") == 55, "it heats")
    bench.driver.close()
    assert bench.server.state == "Printing"
    assert bench.server.targets.get("tool0") == 55
    assert bench.all(JobProgress) == []


def test_somebody_elses_job_in_the_place_of_ours(bench: Bench) -> None:
    bench.idle()
    bench.under_way()
    bench.server.do("/api/job", command="cancel")
    until(lambda: bench.server.state == "Operational", "ours is cancelled")
    bench.server.print_elsewhere("theirs.gcode", SLOW)
    end = bench.ended()
    assert end.outcome is not Outcome.FINISHED
    assert end.reason is not None
    assert "OctoPrint" in end.reason
    if bench.shows(Phase.BROKEN):  # nobody saw it cancelled
        bench.driver.stop()
    else:
        bench.phase(Phase.RUNNING)
        assert bench.reasons[-1] == "printing a job that was started elsewhere"
        bench.driver.stop()
    bench.pump_until(lambda: bench.server.state == "Operational", "theirs is stopped too")
    bench.server.ask("DELETE", "/api/files/local/theirs.gcode")


def test_stop_stops_a_job_that_was_started_elsewhere(bench: Bench) -> None:
    bench.server.print_elsewhere("theirs.gcode", SLOW)
    bench.driver.open()
    bench.phase(Phase.RUNNING)
    bench.driver.stop()
    bench.phase(Phase.IDLE)
    assert bench.no_end_yet()
    bench.pump_until(lambda: not any(bench.server.targets.values()), "the heaters are off")
    assert "theirs.gcode" in bench.server.file_names
    bench.server.ask("DELETE", "/api/files/local/theirs.gcode")


# -- the printer's errors --------------------------------------------------------------------------


def test_resends_are_counted_and_the_job_finishes(bench: Bench) -> None:
    bench.idle()
    bench.under_way(b"G28\n" + b"G4 P20\n" * 250)
    for error in ("trigger_resend_checksum", "trigger_resend_lineno"):
        bench.server.terminal(f"!!DEBUG:{error}")
    end = bench.ended()
    assert end.outcome is Outcome.FINISHED
    assert end.resends >= 2


def test_a_fatal_error_fails_the_job_and_breaks_the_machine(either: Bench) -> None:
    either.idle()
    either.under_way()
    either.server.terminal("!!DEBUG:trigger_fatal_error_marlin")
    end = either.ended()
    assert (end.outcome, end.trouble) == (Outcome.FAILED, Trouble.FIRMWARE_HALTED)
    assert end.reason is not None
    either.phase(Phase.BROKEN)
    with pytest.raises(LocalError, match="not ready"):
        either.driver.clear()
    either.server.connect_printer()
    either.driver.clear()
    either.phase(Phase.IDLE)


def test_a_reset_of_the_controller_fails_the_job(bench: Bench) -> None:
    bench.idle()
    bench.under_way()
    bench.server.terminal("!!DEBUG:reset")
    end = bench.ended()
    assert (end.outcome, end.trouble) == (Outcome.FAILED, Trouble.CONTROLLER_RESET)
    bench.phase(Phase.BROKEN)


def test_a_printer_disconnected_in_the_middle_fails_the_job(either: Bench) -> None:
    either.idle()
    either.under_way()
    either.server.disconnect_printer()
    end = either.ended()
    assert (end.outcome, end.trouble) == (Outcome.FAILED, Trouble.CABLE_LOST)
    either.phase(Phase.CONNECTING)
    assert "not connected to its printer" in either.reasons[-1]
    either.server.connect_printer()
    either.phase(Phase.IDLE)


def test_a_printer_that_is_only_shown_as_ready_is_not_ready(either: Bench) -> None:
    either.server.close_connection()
    either.server.show_operational()
    either.driver.open()
    either.phase(Phase.CONNECTING)
    either.pump_until(lambda: bool(either.reasons), "it is said why")
    assert "not connected to its printer" in either.reasons[-1]
    either.server.show_operational()  # what is pushed now is as old
    with pytest.raises(LocalError, match="cannot start"):
        either.start(QUICK)
    with pytest.raises(LocalError, match="not ready"):
        either.driver.clear()
    assert Phase.IDLE not in [change.phase for change in either.all(PhaseChanged)]
    either.server.connect_printer()
    either.phase(Phase.IDLE)


def test_nothing_is_sent_to_a_printer_that_was_disconnected_just_now(bench: Bench) -> None:
    bench.idle()
    bench.server.close_connection()
    bench.server.show_operational()
    bench.start(QUICK)  # nobody has told the driver yet
    end = bench.ended()
    assert end.outcome is Outcome.FAILED
    assert end.reason is not None
    assert "did not begin" not in end.reason  # OctoPrint was not even sent the file
    bench.phase(Phase.CONNECTING)
    bench.server.connect_printer()
    bench.phase(Phase.IDLE)


def test_a_cut_cable_fails_the_job(bench: Bench) -> None:
    bench.idle()
    bench.under_way()
    bench.server.terminal("!!DEBUG:drop_connection")
    end = bench.ended()
    assert end.outcome is Outcome.FAILED
    assert end.trouble in {Trouble.CABLE_LOST, Trouble.FIRMWARE_HALTED}


# -- the server ---------------------------------------------------------------------------------


def test_a_revoked_key_ends_the_job_as_what_it_is(server: OctoPrintServer, tmp_path: Path) -> None:
    bench = Bench(server, tmp_path, patience_s=5)
    bench.idle()
    bench.under_way()
    bench.server.revoke_key()
    end = bench.ended()
    assert (end.outcome, end.trouble) == (Outcome.FAILED, Trouble.PROTOCOL)
    assert end.reason is not None
    assert "refuses the key" in end.reason
    assert "may still be printing" in end.reason
    assert bench.driver.phase is Phase.CLOSED
    with pytest.raises(DeviceError, match="refuses the key"):
        bench.driver.open()
    assert bench.server.state == "Printing"
    bench.key_file.write_text(bench.server.new_key())
    bench.driver.open()
    assert bench.shows(Phase.BROKEN)
    bench.driver.stop()
    bench.pump_until(lambda: bench.server.state == "Operational", "what was left is cancelled")
    bench.driver.clear()
    bench.phase(Phase.IDLE)
    bench.driver.close()


def test_a_server_that_restarts_in_the_middle(bench: Bench) -> None:
    bench.idle()
    bench.under_way()
    bench.server.kill()
    bench.pump_until(lambda: bool(bench.reasons), "the silence is shown")
    assert "cannot be reached" in bench.reasons[-1]
    assert bench.shows(Phase.RUNNING)
    assert bench.no_end_yet()
    end = bench.ended()
    assert (end.outcome, end.trouble) == (Outcome.FAILED, Trouble.NO_ANSWER)
    assert bench.shows(Phase.CLOSED)
    bench.server.start()
    bench.driver.open()
    assert bench.shows(Phase.BROKEN)
    with pytest.raises(LocalError, match="not ready"):
        bench.driver.clear()
    bench.server.connect_printer()
    bench.driver.clear()
    bench.phase(Phase.IDLE)
    bench.pump_until(lambda: not bench.server.file_names, "our file is removed")


def test_a_stop_that_the_server_missed_is_done_when_it_is_back(
    server: OctoPrintServer, tmp_path: Path
) -> None:
    bench = Bench(server, tmp_path, push=False, patience_s=5)
    bench.idle()
    bench.under_way()
    bench.server.freeze()
    bench.driver.stop()
    end = bench.ended()
    assert (end.outcome, end.trouble) == (Outcome.FAILED, Trouble.NO_ANSWER)
    bench.server.thaw()
    bench.driver.open()
    bench.pump_until(lambda: bench.server.state == "Operational", "the job is cancelled")
    assert bench.shows(Phase.BROKEN)
    bench.driver.close()


def test_a_server_that_is_silent_for_a_while_keeps_its_job(
    server: OctoPrintServer, tmp_path: Path
) -> None:
    bench = Bench(server, tmp_path, push=False, patience_s=120)
    bench.idle()
    bench.under_way(LASTS_5_S)
    server.freeze()
    try:
        bench.pump_until(lambda: bool(bench.reasons), "the silence is shown")
        assert bench.shows(Phase.RUNNING)
    finally:
        server.thaw()
    assert bench.ended().outcome is Outcome.FINISHED
    bench.driver.close()


def test_a_server_that_is_back_in_time_did_not_finish_the_job(
    server: OctoPrintServer, tmp_path: Path
) -> None:
    bench = Bench(server, tmp_path, patience_s=120)
    bench.idle()
    bench.under_way()
    server.kill()
    bench.pump_until(lambda: bool(bench.reasons), "the silence is shown")
    server.start()
    end = bench.ended()
    assert end.outcome is Outcome.FAILED
    assert end.reason is not None
    assert "disconnected" in end.reason
    bench.driver.close()


def test_a_push_connection_that_breaks_is_made_up_for_by_asking(
    server: OctoPrintServer, tmp_path: Path
) -> None:
    with Relay(server.port) as relay:
        bench = Bench(server, tmp_path, url=relay.url)
        bench.idle()
        bench.under_way(LASTS_5_S)
        bench.pump_until(lambda: relay.sockets_open > 0, "it listens")
        for _ in range(2):
            relay.cut()
            bench.moves_on()
        assert bench.ended().outcome is Outcome.FINISHED
        assert Trouble.PROTOCOL not in [change.trouble for change in bench.all(PhaseChanged)]
        bench.driver.close()


def test_no_server_and_a_wrong_key_are_told_apart(server: OctoPrintServer, tmp_path: Path) -> None:
    bench = Bench(server, tmp_path)
    bench.key_file.write_text("wrong")
    with pytest.raises(DeviceError, match="refuses the key"):
        bench.driver.open()
    bench.key_file.unlink()
    with pytest.raises(DeviceError, match="cannot be read"):
        bench.driver.open()
    assert bench.driver.phase is Phase.CLOSED
