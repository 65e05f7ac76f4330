"""One job on one driver: from the open port to the result."""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from types import FrameType

from fabctl.clock import Clock
from fabctl.commands.stream_keys import SHOWN, Key, Keys, keyboard
from fabctl.commands.stream_pause import OnHold, Pauses
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
    pauses: int = 0
    """How often the job was held, by whomever, or waited for a person."""
    pause_reasons: tuple[str, ...] = ()
    """Each one once, at most 20."""


class Signals:
    """Remembers what signals asked for: to stop (the last number, and how many), to go on."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.count = 0
        self.go_on = False
        self.driver: Driver | None = None

    def hear(self, number: int, _frame: FrameType | None) -> None:
        """Take in a signal: note it, and wake the driver."""
        if number == signal.SIGUSR1:
            self.go_on = True
        else:
            self.number = self.number or number
            self.count += 1
        if self.driver is not None:
            self.driver.wake()


@contextmanager
def hear_signals() -> Iterator[Signals]:
    """Hear Ctrl-C, SIGTERM, a closed terminal and SIGUSR1; afterwards as before."""
    signals = Signals()
    before = {
        number: signal.signal(number, signals.hear)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
    }
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Streaming:
    """One job on one driver, from open to close.

    :param from_line: the first line of the file's own, where it does not begin at the first.
    :param if_locked: what to do about a machine that is found locked.
    :param on_hold: what to do about a hold that nobody here asked for.
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
        on_hold: OnHold = OnHold.WAIT,
        if_locked: str | None = None,
    ) -> None:
        self._driver = driver
        self._job = job
        self._off = "heaters off" if kind is MachineKind.PRINTER else "spindle and laser off"
        self._from_line = from_line
        self._clock = clock
        self._signals = signals
        self._signals_told = 0
        self._show = Show(sys.stderr, job.commands, clock.monotonic())
        self._on_hold = on_hold
        self._if_locked = if_locked
        self._pauses = Pauses(driver, on_hold, self._show.say, at_terminal=False)
        self._given_up: str | None = None
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
            with keyboard(self._driver.wake) as keys:
                self._follow(keys)
        finally:
            self._show.end()
            self._driver.close()
            self._hear_all(Seconds(0.0))
        result = self._result()
        return replace(result, pauses=self._pauses.count, pause_reasons=tuple(self._pauses.reasons))

    def _result(self) -> Result:
        if self._ended is not None:
            result = _result(self._ended, self._from_line)
            if self._given_up is not None and self._ended.outcome is Outcome.STOPPED:
                return replace(result, outcome=Outcome.FAILED.value, reason=self._given_up)
            return result
        if self._signals.count:
            return self._failed(None, Outcome.STOPPED)
        return self._failed(self._trouble or "the machine did not come to an end")

    def _follow(self, keys: Keys) -> None:
        while self._is(Phase.CONNECTING):
            if self._signals.count:
                return
            self._hear_all(PUMP_S)
        if not self._is(Phase.IDLE):
            if self._trouble and "locked" in self._trouble and self._if_locked:
                self._trouble += f" → {self._if_locked}"
            self._trouble = self._trouble or f"the machine is {self._driver.phase.value}, not idle"
            return
        if keys.at_terminal:
            self._show.say(SHOWN)
        self._pauses = Pauses(
            self._driver, self._on_hold, self._show.say, at_terminal=keys.at_terminal
        )
        self._show.begin(self._clock.monotonic())
        self._driver.start(self._job)
        while self._ended is None and not self._is(Phase.CLOSED):
            self._obey_keys(keys)
            self._obey_signals()
            self._hear_all(PUMP_S)
            self._obey_time()

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

    def _obey_keys(self, keys: Keys) -> None:
        for key in keys.take():
            if key is Key.STOP:
                self._signals.hear(signal.SIGINT, None)
            elif key is Key.PAUSE:
                self._pauses.pause()
            else:
                self._pauses.go_on()
        if self._signals.go_on:
            self._signals.go_on = False
            self._pauses.go_on()

    def _obey_time(self) -> None:
        given_up = self._pauses.tick(self._clock.monotonic())
        if given_up is not None and self._given_up is None:
            self._given_up = given_up
            self._show.say(f"{given_up}; stopping")
            self._driver.stop()

    def _hear_all(self, timeout: Seconds) -> None:
        for event in self._driver.pump(timeout):
            now = self._clock.monotonic()
            if isinstance(event, JobProgress):
                self._pauses.progressed()
                self._show.progress(event, now)
            elif isinstance(event, JobEnded):
                self._ended = event
            elif isinstance(event, Telemetry) and event.group == "temperatures":
                self._show.temperatures(event.values)
            elif isinstance(event, WaitingForPerson):
                self._pauses.waits(event, now)
            elif isinstance(event, PhaseChanged):
                self._changed(event, now)

    def _changed(self, event: PhaseChanged, now: float) -> None:
        if event.reason:
            self._trouble = event.reason
        if self._pauses.changed(event, now) or not event.reason:
            return
        is_note = event.phase is Phase.RUNNING and event.trouble is None
        self._show.say(event.reason if is_note else f"{event.phase.value}: {event.reason}")

    def _failed(self, reason: str | None, outcome: Outcome = Outcome.FAILED) -> Result:
        return Result(0, 0, 0.0, 0.0, 0, outcome.value, reason)


# ---- afterwards


def refused(error: FabError) -> Result:
    """Return the result of a job that was refused before anything was sent."""
    return Result(0, 0, 0.0, 0.0, 0, Outcome.FAILED.value, str(error))


_NAMES_A_LINE = re.compile(r"\bline \d")


def _result(ended: JobEnded, from_line: int) -> Result:
    reason = ended.reason
    if reason and ended.outcome is Outcome.FAILED and not _NAMES_A_LINE.search(reason):
        reason += f" (after line {ended.line})"
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
