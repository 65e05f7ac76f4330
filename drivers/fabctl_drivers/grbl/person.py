"""A person's own words with the firmware: single lines, what they need, what is answered. Pure.

Sources: Grbl ``doc/markdown/commands.md`` (``$`` commands only when Idle, some in Alarm; the
real-time bytes), ``interface.md`` (error:8, error:9, EEPROM writers), ``jogging.md``.
"""

from __future__ import annotations

import re
from collections import deque
from enum import Enum, auto
from typing import NamedTuple

from fabctl import ports
from fabctl.errors import InputError, LocalError
from fabctl_drivers.grbl import realtime
from fabctl_drivers.grbl.answers import Answer, Heard
from fabctl_drivers.grbl.codes import alarm_text
from fabctl_drivers.grbl.identity import Flavour
from fabctl_drivers.grbl.job_lines import PASSED_OVER, Kind, job_line

REALTIME = {"?": realtime.STATUS, "!": realtime.HOLD, "~": realtime.GO_ON}
_OPENERS = re.compile(rb"\$(?:X|H[XYZABC]?)$")
_QUESTIONS = re.compile(rb"\$(?:\$|#|I\+?|G|N|)$")
TAKES_LINES = frozenset({"Idle", "Run", "Check"})
TAKES_DOLLARS = frozenset({"Idle", "Check", "Alarm"})
WILL_PASS = frozenset({"Run", "Jog", "Home", "Door:3"})


class SaidLine(NamedTuple):
    """One line that a person typed, as it is sent."""

    data: bytes
    """Newline included."""
    kind: Kind

    @property
    def text(self) -> str:
        """The line, for people."""
        return self.data.decode("ascii").rstrip()

    @property
    def command(self) -> bytes:
        """The line as the firmware reads it, without newline."""
        return self.data.rstrip().translate(None, PASSED_OVER).upper()

    @property
    def opens(self) -> bool:
        """Whether it unlocks or homes: a person's word that the machine may be used again."""
        return _OPENERS.match(self.command) is not None

    @property
    def asks(self) -> bool:
        """Whether it only asks."""
        return _QUESTIONS.match(self.command) is not None

    @property
    def jogs(self) -> bool:
        """Whether it is a jog."""
        return self.command.startswith(b"$J=")

    @property
    def goes_alone(self) -> bool:
        """Whether nothing may be said before its answer."""
        return self.kind in {Kind.ALONE, Kind.DOLLAR} and not self.jogs

    @property
    def homes(self) -> bool:
        """Whether Grbl answers nothing before it has homed."""
        return self.command.startswith(b"$H")


def line_of(text: str, longest: int) -> SaidLine:
    """Return what is sent for a line that a person typed.

    :param longest: bytes of a line at most, newline not counted.
    :raises InputError: nothing is left to send, it is more than one line, or does not fit.
    """
    if "\n" in text or "\r" in text:
        raise InputError("one line at a time")
    found = job_line(text.encode("utf-8"), None, longest)
    if found is None:
        raise InputError("there is nothing to send in this line")
    return SaidLine(found.data, found.kind)


class Now(Enum):
    """What may be done with the next line."""

    SAY = auto()
    WAIT = auto()
    ASK = auto()
    """A fresh report must tell first."""
    DROP = auto()
    """The machine stands where it reads no lines."""


class Spoken:
    """The lines that wait to be said, and the ones that wait for their answers."""

    def __init__(self) -> None:
        self.was_used = False
        """Whether somebody spoke since the port was opened: then answers are told."""
        self.shows_report = False
        """Whether the next report is an answer to a person's ``?``."""
        self.opened = False
        """Whether a person's ``$X`` or ``$H`` was taken; the next report tells whether it did."""
        self._waiting: deque[SaidLine] = deque()
        self._in_flight = 0
        self._state: str | None = None
        self._is_fresh = False

    @property
    def is_busy(self) -> bool:
        """Whether a line waits, or what became of the last one is not known yet."""
        return bool(self._waiting) or self._in_flight > 0

    def add(self, line: SaidLine) -> None:
        """A person typed a line."""
        self.was_used = True
        self._waiting.append(line)

    @property
    def coming(self) -> SaidLine | None:
        """The next line."""
        return self._waiting[0] if self._waiting else None

    @property
    def state(self) -> str:
        """The newest state, for people."""
        return self._state or "unknown"

    def look(self, *, all_answered: bool) -> Now:
        """Return what may be done with the next line; there must be one.

        :param all_answered: whether nothing is in flight.
        """
        line, state = self._waiting[0], self._state
        if state is None:
            return Now.ASK
        if line.kind is Kind.DOLLAR:
            if not all_answered:
                return Now.WAIT
            if not self._is_fresh:
                return Now.ASK
            fits = state in TAKES_DOLLARS or (line.jogs and state == "Jog")
        elif line.kind is Kind.ALONE and not all_answered:
            return Now.WAIT
        else:
            fits = state in TAKES_LINES or state == "Alarm"  # the firmware says error:9
        if fits:
            return Now.SAY
        return Now.ASK if state in WILL_PASS or not self._is_fresh else Now.DROP

    def take(self) -> SaidLine:
        """Return the next line, which is said or dropped now."""
        return self._waiting.popleft()

    def said(self, line: SaidLine) -> None:
        """A line went out: what the reports said before it is old."""
        self._in_flight += 1
        self._is_fresh = False
        if line.kind is Kind.DOLLAR and not line.asks:
            self._state = None

    def answered(self, line: SaidLine, *, taken: bool) -> None:
        """The oldest line was answered."""
        self._in_flight -= 1
        self._is_fresh = False
        self.opened = self.opened or (taken and line.opens)

    def report(self, state: str) -> None:
        """Take in a fresh report."""
        self._state, self._is_fresh = state, True

    def stale(self) -> None:
        """Something else was said to the machine: what the reports said is old."""
        self._state, self._is_fresh = None, False

    def forget(self) -> int:
        """The controller began anew: return how many lines were not said."""
        lost = len(self._waiting)
        self._waiting.clear()
        self._in_flight = 0
        self._state, self._is_fresh = None, False
        self.opened = self.shows_report = False
        return lost


def require_takes(phase: ports.Phase, line: SaidLine | None) -> None:
    """Check whether a person may say a line now; ``None`` is a real-time character.

    :raises LocalError: the phase does not allow it.
    """
    if phase is ports.Phase.IDLE:
        return
    if phase is not ports.Phase.BROKEN:
        raise LocalError(f"only an idle machine takes single lines; it is {phase.value}")
    if line is not None and not (line.opens or line.asks):
        raise LocalError(
            "the machine needs a person before it works again",
            next_step="look at it, then $X unlocks it where it stands, or $H homes it; ?, $$, $#, "
            "$G, $I and $N ask",
        )


def heard(answer: Answer, flavour: Flavour) -> ports.Heard | None:
    """Return what the firmware said, for the person to read; None for an answer to a line."""
    text = answer.text.decode("utf-8", "replace")
    if answer.heard is Heard.ALARM:
        return ports.Heard(alarm_text(answer.code, flavour), ports.Tone.ERROR)
    if answer.heard is Heard.BANNER or text.startswith("[MSG:"):
        return ports.Heard(text, ports.Tone.ECHO)
    return ports.Heard(text, ports.Tone.OTHER) if answer.heard is Heard.NOTE and text else None
