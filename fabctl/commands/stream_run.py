"""One job on one driver: from the open port to the result."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from types import FrameType

from fabctl.clock import Clock
from fabctl.commands.stream_show import Show, duration
from fabctl.commands.terminal_holder import holder_of
from fabctl.errors import DeviceError, FabError
from fabctl.ports import (
    Driver,
    JobEnded,
    JobFile,
    JobProgress,
    MachineKind,
    Outcome,
    Phase,
    PhaseChanged,
    Telemetry,
    WaitingForPerson,
)
from fabctl.units import Seconds

PUMP_S = Seconds(0.5)


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
def hear_signals() -> Iterator[Signals]:
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
    """One job on one driver, from open to close.

    :param from_line: the first line of the file's own, where it does not begin at the first.
    """

    def __init__(
        self,
        driver: Driver,
        job: JobFile,
        clock: Clock,
        signals: Signals,
        kind: MachineKind = MachineKind.PRINTER,
        *,
        from_line: int = 0,
    ) -> None:
        self._driver = driver
        self._job = job
        self._off = "heaters off" if kind is MachineKind.PRINTER else "spindle and laser off"
        self._from_line = from_line
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
            return self._failed(f"{error}{holder_of(error.device)}")
        try:
            self._follow()
        finally:
            self._show.end()
            self._driver.close()
            self._hear_all(Seconds(0.0))
        if self._ended is not None:
            return _result(self._ended, self._from_line)
        if self._signals.count:
            return self._failed(None, Outcome.STOPPED)
        return self._failed(self._trouble or "the machine did not come to an end")

    def _follow(self) -> None:
        while self._is(Phase.CONNECTING):
            if self._signals.count:
                return
            self._hear_all(PUMP_S)
        if not self._is(Phase.IDLE):
            self._trouble = self._trouble or f"the machine is {self._driver.phase.value}, not idle"
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
            self._show.say(f"stopping: no more lines, {self._off}")
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
                is_note = event.phase is Phase.RUNNING and event.trouble is None
                self._show.say(event.reason if is_note else f"{event.phase.value}: {event.reason}")

    def _failed(self, reason: str | None, outcome: Outcome = Outcome.FAILED) -> Result:
        return Result(0, 0, 0.0, 0.0, 0, outcome.value, reason)


# ---- afterwards


def refused(error: FabError) -> Result:
    """Return the result of a job that was refused before anything was sent."""
    return Result(0, 0, 0.0, 0.0, 0, Outcome.FAILED.value, str(error))


def _result(ended: JobEnded, from_line: int) -> Result:
    reason = ended.reason
    if reason and ended.line < from_line - 1:
        reason += f" (on the way to line {from_line}, in what fabctl says before it)"
    return Result(
        lines=ended.commands_done,
        bytes=ended.bytes_sent,
        seconds=round(ended.seconds, 3),
        lines_per_second=round(ended.commands_done / ended.seconds, 1) if ended.seconds else 0.0,
        resends=ended.resends,
        outcome=ended.outcome.value,
        reason=reason,
    )


def as_json(result: Result) -> str:
    return json.dumps(asdict(result), ensure_ascii=False)


def sentence(result: Result) -> str:
    figures = (
        f"{result.lines} lines in {duration(result.seconds)} "
        f"({result.lines_per_second:.0f} lines/s, {result.resends} resent)"
    )
    reason = f": {result.reason}" if result.reason else ""
    return f"{result.outcome}{reason}; {figures}"
