"""The controller at the other end of a port: what it says, when it is asked, how it is reset. Pure.

Between the bytes and the session: lines go through the link, questions through the watch, and the
way to rest through the halt.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from fabctl.ports import Telemetry
from fabctl_drivers.grbl import readings, realtime
from fabctl_drivers.grbl.answers import Answer, Heard
from fabctl_drivers.grbl.arrival import Errand
from fabctl_drivers.grbl.halt import Halt, Stage
from fabctl_drivers.grbl.identity import Identity
from fabctl_drivers.grbl.link import Link, LinkEvent, Restarted
from fabctl_drivers.grbl.report import Reader, Report
from fabctl_drivers.grbl.watch import Watch


class Reported(NamedTuple):
    """A status report; a fresh one tells of the time after our last request."""

    report: Report
    fresh: bool
    text: bytes
    """As it was said."""


class Rested(NamedTuple):
    """The machine was brought to rest and reset: its banner was heard."""


class Unanswered(NamedTuple):
    """No banner came, however often we said 0x18."""


ControllerEvent = LinkEvent | Reported | Rested | Unanswered | Telemetry

LISTENING_ASKS_S, HALTING_ASKS_S = 0.5, 0.2


class Controller:
    """One controller since the port was opened."""

    def __init__(self, rx_bytes: int | None) -> None:
        self.link = Link()
        self.watch = Watch()
        self.identity = Identity()
        self.halt: Halt | None = None
        self.in_check_mode = False
        """Whether it said so."""
        self._asks_s = math.inf
        self._reader = Reader()
        self._rx_bytes = rx_bytes
        self._start_over()

    @property
    def asks_s(self) -> float:
        """How often to ask for a report while it is not being brought to rest."""
        return self._asks_s

    @asks_s.setter
    def asks_s(self, seconds: float) -> None:
        self._asks_s = seconds
        self._choose_pace()

    @property
    def deadline(self) -> float:
        """The time at which :meth:`tick` has something to do."""
        due = self.watch.due_at
        return due if self.halt is None else min(due, self.halt.deadline)

    def begin_halt(self, stage: Stage, now: float) -> None:
        """Bring it to rest and reset it, from ``stage`` on; Rested or Unanswered follows."""
        self.halt = Halt(stage, now)
        if stage is Stage.LISTENING:
            self.watch.wait_until(now + LISTENING_ASKS_S)
        self._obey_halt()

    def ask_anew(self, *, at_once: bool = False) -> None:
        """Ask as soon as it may be; reports to older questions are not fresh.

        :param at_once: one answer will do.
        """
        self.watch.mark(at_once=at_once)

    def say_now(self, byte: bytes) -> None:
        """Say a real-time byte; reports to older questions are not fresh."""
        self.link.say_now(byte)
        self.watch.mark()

    def drop(self) -> None:
        """Talk to nobody."""
        self.halt = None
        self.asks_s = math.inf
        self.watch.forget()
        self._start_over()

    def learned(self) -> None:
        """It told who it is, and its settings: use them."""
        self.link.counting.limit = self._rx_bytes or self.identity.rx_bytes
        self._reader.in_inches = self.identity.settings.get(13, 0.0) == 1.0

    def hear(self, answer: Answer, now: float) -> Iterator[ControllerEvent]:
        """Take in one line that is no ok; yield what came of it."""
        if answer.heard is Heard.NOTE:
            yield from self._hear_note(answer.text, now)
        elif answer.heard is Heard.REPORT:
            yield from self._hear_report(answer.text, now)
        else:
            event = self.link.hear(answer)
            if isinstance(event, Restarted):
                yield from self._restarted(event, now)
            elif event is not None:
                yield event

    def tick(self, now: float) -> Iterator[ControllerEvent]:
        """Do what is due at ``now``; yield what came of it."""
        if self.halt is not None:
            self.halt.tick(now)
            yield from self._obey_halt()
        if now >= self.watch.due_at:
            self.watch.asked(now)
            self.link.say_now(realtime.STATUS)

    # ---- what it says

    def _hear_note(self, text: bytes, now: float) -> Iterator[ControllerEvent]:
        self.identity.hear(text)
        if text == _WAITS_FOR_RESET and self.halt is not None:
            self.halt.deaf_until_now(now)
            yield from self._obey_halt()
        if text in _CHECK_MODE:
            self.in_check_mode = _CHECK_MODE[text]
        if text.startswith(b"[PRB:") and self.link.oldest is not Errand.OFFSETS:
            told = readings.probe(text, in_inches=self._reader.in_inches)
            if told is not None:
                yield told

    def _hear_report(self, text: bytes, now: float) -> Iterator[ControllerEvent]:
        report = self._reader.read(text)
        if report is None:
            return
        fresh = self.watch.is_fresh(now)
        if self.halt is not None and fresh:
            self.halt.report(report, now)
            yield from self._obey_halt()
        yield Reported(report, fresh and self.halt is None, text)

    def _restarted(self, event: Restarted, now: float) -> Iterator[ControllerEvent]:
        if self.halt is None:  # nobody knows what was done to it
            self._start_over()
        self._forget_reports()
        if self.identity.version is None:
            self.identity.hear_banner(event.banner)
        if self.halt is None:
            yield event
            return
        self.halt.banner(now)
        yield from self._obey_halt()

    def _obey_halt(self) -> list[ControllerEvent]:
        """Say what the halt wants said; return its end, where it came."""
        halt = self.halt
        if halt is None:
            return []
        if halt.wants_hold:
            halt.wants_hold = False
            self.say_now(realtime.HOLD)
        if halt.wants_reset:
            halt.wants_reset = False
            self.link.reset()
            self.watch.forget()
        if halt.stage in {Stage.DONE, Stage.FAILED}:
            self.halt = None
            self._choose_pace()
            return [Rested() if halt.stage is Stage.DONE else Unanswered()]
        self._choose_pace()
        return []

    def _choose_pace(self) -> None:
        if self.halt is None:
            self.watch.every_s = self._asks_s
        else:
            self.watch.every_s = _PACE.get(self.halt.stage, math.inf)

    def _start_over(self) -> None:
        """What the controller was told, and what it told of itself, counts no more."""
        self.identity = Identity()
        self.link.counting.limit = min(self._rx_bytes or self.identity.rx_bytes, 127)
        self._forget_reports()

    def _forget_reports(self) -> None:
        """A reset: offsets, overrides and check mode are as at the start."""
        self.in_check_mode = False
        self._reader.forget()
        self.watch.forget()


_CHECK_MODE = {b"[MSG:Enabled]": True, b"[MSG:Disabled]": False}
"""interface.md, "Feedback messages": the answers to ``$C``."""
_WAITS_FOR_RESET = b"[MSG:Reset to continue]"
"""After ALARM:1 and ALARM:2 Grbl waits for half a second, forgets the resets of this time, says
this, and hears nothing but a reset (``report.c``, ``protocol.c``)."""
_PACE = {Stage.LISTENING: LISTENING_ASKS_S, Stage.HOLDING: HALTING_ASKS_S}
