"""``fabctl stream``: one file, one machine, no lab."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import FrameType

import click

from fabctl.clock import Clock, SystemClock
from fabctl.commands.stream_options import USUAL_BAUD, Baud, dry_run, own_options
from fabctl.commands.stream_show import Show, duration
from fabctl.errors import DeviceError, FabError, InputError
from fabctl.ports import (
    Driver,
    JobEnded,
    JobFile,
    JobProgress,
    Limits,
    MachineKind,
    MachineProfile,
    Outcome,
    Phase,
    PhaseChanged,
    Telemetry,
    WaitingForPerson,
)
from fabctl.units import Seconds

PUMP_S = Seconds(0.5)
TOLERATED = {"no-motion"}
"""What a preflight calls an error and a person at a terminal may well mean."""
EXIT_FAILED = 1
EXIT_SIGNALS = 128


@dataclass(frozen=True)
class Result:
    """What ``--json`` prints."""

    lines: int
    """Commands that the machine confirmed."""
    bytes: int
    """Bytes sent, line numbers and checksums included."""
    seconds: float
    lines_per_second: float
    resends: int
    outcome: str
    reason: str | None


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--driver", "driver_name", required=True, metavar="NAME", help="Such as marlin.")
@click.option("--port", metavar="PORT", help="Such as /dev/ttyUSB0 or socket://host:port.")
@click.option("--baud", type=Baud(), default=USUAL_BAUD, show_default=True)
@click.option("--window", metavar="on|off|BYTES", help="Lines sent ahead, where that is proven.")
@click.option(
    "--dry-run",
    "dry_run_to",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Send nothing: write what would be sent, exactly, to this file.",
)
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in MachineKind]),
    default=MachineKind.PRINTER.value,
    show_default=True,
    help="What the machine is, for the check of the file.",
)
@click.option(
    "--option", "options", multiple=True, metavar="KEY=VALUE", help="An option of the driver's own."
)
@click.option("--force", is_flag=True, help="Send the file in spite of what its check found.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def stream(  # noqa: PLR0913  # one for each option
    file: Path,
    driver_name: str,
    port: str | None,
    baud: int,
    window: str | None,
    dry_run_to: Path | None,
    kind: str,
    options: tuple[str, ...],
    *,
    force: bool,
    as_json: bool,
) -> None:
    """Send FILE to one machine, and stay until it has done it all.

    \b
    fabctl stream part.gcode --driver marlin --port /dev/ttyUSB0 --baud 115200
    fabctl stream part.gcode --driver marlin --port socket://printer:23 --option window=true

    PORT is anything that pyserial's serial_for_url takes. The file is checked before anything is
    sent. Heaters are turned off when the port opens and when the program ends, however it ends.
    Ctrl-C stops cleanly: no more lines, heaters off.

    Progress goes to stderr. --json prints to stdout, at the end, {"lines", "bytes", "seconds",
    "lines_per_second", "resends", "outcome": "finished", "stopped" or "failed", "reason"}.

    Exit codes: 0 finished, 1 failed (or cancelled at the machine), 2 refused before anything
    was sent, 130 stopped with Ctrl-C (143 with SIGTERM, 129 with SIGHUP).
    """
    clock = SystemClock()
    try:
        profile = MachineProfile(
            id=port or driver_name,
            name=driver_name,
            kind=MachineKind(kind),
            driver=driver_name,
            host="here",
            port=port,
            baud=baud or USUAL_BAUD,
            options=own_options(baud=baud, window=window) | dict(_option(o) for o in options),
        )
        job = check(file, profile.kind, force=force)
        if dry_run_to is not None:
            size = dry_run(find_driver(profile, clock), job, dry_run_to)
            click.echo(f"{size} bytes written to {dry_run_to}")
            return
        with _signals() as signals:
            result = Streaming(find_driver(profile, clock), job, clock, signals).run()
    except FabError as error:
        if as_json:
            click.echo(_json(refused(error)))
        raise
    _finish(result, signals, as_json=as_json)


def _finish(result: Result, signals: Signals, *, as_json: bool) -> None:
    if as_json:
        click.echo(_json(result))
    else:
        click.echo(_sentence(result))
    if result.outcome == Outcome.FINISHED:
        return
    by_signal = result.outcome == Outcome.STOPPED and signals.number is not None
    code = EXIT_SIGNALS + (signals.number or 0) if by_signal else EXIT_FAILED
    raise click.exceptions.Exit(code)


# ---- before anything is sent


def check(file: Path, kind: MachineKind, *, force: bool) -> JobFile:
    """Return the job that a file is, after reading all of it.

    :raises InputError: it cannot be read, holds nothing to send, or its check found errors.
    """
    from fabctl.gcode.preflight import inspect  # noqa: PLC0415  # `fabctl --help` stays quick

    try:
        with file.open("rb") as opened:
            report = inspect(opened, kind=kind, work_area=None, limits=Limits())
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", device=str(file)) from error
    errors = [p for p in report.problems if p.severity == "error" and p.code not in TOLERATED]
    if errors and not (force and report.commands):
        raise InputError(
            " ".join(str(problem.message) for problem in errors[:3]),
            device=str(file),
            next_step="correct the file, or send it all the same with --force"
            if report.commands
            else None,
        )
    return JobFile(str(file), file, file.name, report.lines, report.commands)


def find_driver(profile: MachineProfile, clock: Clock) -> Driver:
    """Return a closed driver, found by its name.

    :raises InputError: there is no such driver (it says which there are), or it wants another
        profile.
    """
    from fabctl.hosting.drivers import make_driver  # noqa: PLC0415  # the same

    known = sorted(entry.name for entry in entry_points(group="fabctl.drivers"))
    if profile.driver not in known:
        raise InputError(
            f"no driver is called {profile.driver!r}", next_step=f"one of: {', '.join(known)}"
        )
    return make_driver(profile, clock)


def _option(text: str) -> tuple[str, str | int | float | bool]:
    """Read ``key=value``; the value is JSON where it can be, else a word."""
    key, equals, word = text.partition("=")
    if not equals:
        raise InputError(f"--option {text} is not KEY=VALUE")
    try:
        value = json.loads(word)
    except json.JSONDecodeError:
        return key, word
    return key, value if isinstance(value, int | float | bool) else word


# ---- sending


class Signals:
    """Remembers that somebody asked to stop; the last signal's number, and how many came."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.count = 0
        self.driver: Driver | None = None

    def hear(self, number: int, _frame: FrameType | None) -> None:
        """Take in a signal: note it, and wake the driver."""
        self.number = self.number or number
        self.count += 1
        if self.driver is not None:
            self.driver.wake()


@contextmanager
def _signals() -> Iterator[Signals]:
    """Hear Ctrl-C, SIGTERM and a closed terminal; afterwards as before."""
    signals = Signals()
    before = {
        number: signal.signal(number, signals.hear)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Streaming:
    """One job on one driver, from open to close."""

    def __init__(self, driver: Driver, job: JobFile, clock: Clock, signals: Signals) -> None:
        self._driver = driver
        self._job = job
        self._clock = clock
        self._signals = signals
        self._signals_told = 0
        self._show = Show(sys.stderr, job.commands, clock.monotonic())
        self._ended: JobEnded | None = None
        self._trouble: str | None = None

    def run(self) -> Result:
        """Send the job and wait for its end; the driver is closed, whatever happens.

        :raises LocalError: the driver does not take jobs.
        """
        self._signals.driver = self._driver
        try:
            self._driver.open()
        except DeviceError as error:
            return self._failed(str(error))
        try:
            self._follow()
        finally:
            self._show.end()
            self._driver.close()
            self._hear_all(Seconds(0.0))
        if self._ended is not None:
            return _result(self._ended)
        if self._signals.count:
            return self._failed(None, Outcome.STOPPED)
        return self._failed(self._trouble or "the machine did not come to an end")

    def _follow(self) -> None:
        while self._is(Phase.CONNECTING):
            if self._signals.count:
                return
            self._hear_all(PUMP_S)
        if not self._is(Phase.IDLE):
            return
        self._show.begin(self._clock.monotonic())
        self._driver.start(self._job)
        while self._ended is None and not self._is(Phase.CLOSED):
            self._obey_signals()
            self._hear_all(PUMP_S)

    def _is(self, phase: Phase) -> bool:
        return self._driver.phase is phase

    def _obey_signals(self) -> None:
        count, told = self._signals.count, self._signals_told
        if count <= told:
            return
        self._signals_told = count
        if told:
            self._show.say("still stopping: waiting until the machine confirms it")
        else:
            self._show.say("stopping: no more lines, heaters off")
            self._driver.stop()

    def _hear_all(self, timeout: Seconds) -> None:
        for event in self._driver.pump(timeout):
            if isinstance(event, JobProgress):
                self._show.progress(event, self._clock.monotonic())
            elif isinstance(event, JobEnded):
                self._ended = event
            elif isinstance(event, Telemetry) and event.group == "temperatures":
                self._show.temperatures(event.values)
            elif isinstance(event, WaitingForPerson):
                self._show.say(f"the machine waits for you: {event.message or 'look at it'}")
            elif isinstance(event, PhaseChanged) and event.reason:
                self._trouble = event.reason
                self._show.say(f"{event.phase.value}: {event.reason}")

    def _failed(self, reason: str | None, outcome: Outcome = Outcome.FAILED) -> Result:
        return Result(0, 0, 0.0, 0.0, 0, outcome.value, reason)


# ---- afterwards


def refused(error: FabError) -> Result:
    """Return the result of a job that was refused before anything was sent."""
    return Result(0, 0, 0.0, 0.0, 0, Outcome.FAILED.value, str(error))


def _result(ended: JobEnded) -> Result:
    return Result(
        lines=ended.commands_done,
        bytes=ended.bytes_sent,
        seconds=round(ended.seconds, 3),
        lines_per_second=round(ended.commands_done / ended.seconds, 1) if ended.seconds else 0.0,
        resends=ended.resends,
        outcome=ended.outcome.value,
        reason=ended.reason,
    )


def _json(result: Result) -> str:
    return json.dumps(asdict(result), ensure_ascii=False)


def _sentence(result: Result) -> str:
    figures = (
        f"{result.lines} lines in {duration(result.seconds)} "
        f"({result.lines_per_second:.0f} lines/s, {result.resends} resent)"
    )
    reason = f": {result.reason}" if result.reason else ""
    return f"{result.outcome}{reason}; {figures}"
