"""The first words with a firmware: heaters off, and who are you. Pure.

It must work with boards that reset when the port opens (they say ``start`` after a second or
more, and hear nothing before) and with those that do not, even in the middle of what somebody
told them before. So we listen for a moment, then say it all, and say it all again after every
``start``. Nothing is numbered yet: a line number is good only after the ok to an M110, which
Marlin obeys twice, when it reads it and when it runs it (``gcode/queue.cpp``, ``host/M110.cpp``).
The answer to M115 tells our own oks from those that somebody else's lines are still owed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum, auto

from fabctl.errors import LocalError
from fabctl.units import Seconds
from fabctl_drivers.marlin import safety
from fabctl_drivers.marlin.answers import Answer, Heard, Topic


class Stage(Enum):
    """How far the greeting is."""

    LISTENING = auto()
    HAILED = auto()
    """We said it all and wait for an answer."""
    NAMED = auto()
    """The firmware told its name; the ok to our question for it follows."""
    SETTLING = auto()
    """Oks came; whatever else is still coming belongs to before."""
    DONE = auto()
    FAILED = auto()


class Cue(Enum):
    """What moves the greeting."""

    QUIET = auto()
    """As long without a word as this stage asks for."""
    GAVE_UP = auto()
    START = auto()
    NAME = auto()
    OK = auto()
    LATE_OK = auto()
    """An ok after we said it all more than once: answers to the first time may still come."""
    REFUSED = auto()
    """A Resend: our words were damaged."""
    BUSY = auto()
    OTHER = auto()


_OPEN = (Stage.LISTENING, Stage.HAILED, Stage.NAMED, Stage.SETTLING)

NEXT: Mapping[tuple[Stage, Cue], Stage] = {
    **{(stage, cue): stage for stage in _OPEN for cue in Cue},
    (Stage.LISTENING, Cue.QUIET): Stage.HAILED,
    (Stage.HAILED, Cue.NAME): Stage.NAMED,
    (Stage.HAILED, Cue.OK): Stage.SETTLING,
    (Stage.HAILED, Cue.LATE_OK): Stage.SETTLING,
    (Stage.NAMED, Cue.QUIET): Stage.HAILED,
    (Stage.NAMED, Cue.OK): Stage.DONE,
    (Stage.NAMED, Cue.LATE_OK): Stage.SETTLING,
    (Stage.SETTLING, Cue.NAME): Stage.NAMED,
    (Stage.SETTLING, Cue.BUSY): Stage.HAILED,
    (Stage.SETTLING, Cue.QUIET): Stage.DONE,
    **{(stage, Cue.REFUSED): Stage.LISTENING for stage in _OPEN},
    **{(stage, Cue.START): Stage.LISTENING for stage in _OPEN},
    **{(stage, Cue.GAVE_UP): Stage.FAILED for stage in _OPEN},
}
"""Every stage that is not an end, and every cue."""

_QUIET_S: Mapping[Stage, float] = {
    Stage.LISTENING: 0.5,
    Stage.HAILED: 5.0,
    Stage.NAMED: 5.0,
    Stage.SETTLING: 1.0,
}


class Greeting:
    """One greeting, begun at ``now``. It ends DONE or FAILED.

    :param hurried: there are other baud rates to try.
    """

    HURRIED_S = Seconds(6.0)
    """Patience with a rate that is one of many: a board that resets speaks after 2 s."""

    GIVE_UP_S = Seconds(20.0)
    """Without a word for so long, nobody is there."""
    LONGEST_S = Seconds(90.0)
    """With words but no sense in them for so long, the baud rate is wrong."""
    TALKS_ON_S = Seconds(3.0)
    """A firmware that talks all the time is hailed all the same."""

    def __init__(self, now: float, *, hurried: bool = False) -> None:
        self.stage = Stage.LISTENING
        self._patience_s = self.HURRIED_S if hurried else self.GIVE_UP_S
        self._longest_s = self.HURRIED_S if hurried else self.LONGEST_S
        self.firmware: str | None = None
        self.capabilities: set[str] = set()
        self._out: list[bytes] = []
        self._hails = 0
        self._since = now
        self._entered = now
        self._heard_at = now
        self._words = 0

    @property
    def deadline(self) -> float:
        """The time at which :meth:`tick` has something to do."""
        if self.stage not in _QUIET_S:
            return math.inf
        return min(self._quiet_at, self._gives_up_at)

    @property
    def failure(self) -> str:
        """Why it failed."""
        if self._words:
            return "what comes from the port makes no sense; is the baud rate right?"
        return f"the firmware gave no answer within {self._patience_s:.0f} s"

    def take_output(self) -> bytes:
        """Return the bytes to write now, and forget them."""
        out = b"".join(self._out)
        self._out.clear()
        return out

    def hear(self, answer: Answer, now: float) -> None:
        """Take in one line of the firmware."""
        if b"paused for" not in answer.text:  # that ends by an M108 of ours: say it again
            self._heard_at = now
        self._words += 1
        if answer.topic is Topic.CAPABILITY:
            self._learn(answer.text)
        elif answer.topic is Topic.FIRMWARE:
            self.firmware = _name(answer.text)
        if answer.heard in _ALIVE or answer.topic is Topic.TEMPERATURES:
            self._since = now  # it is there, and it is a printer
        self._go(self._cue(answer), now)

    def tick(self, now: float) -> None:
        """Do what is due at ``now``."""
        if now >= self._gives_up_at:
            self._go(Cue.GAVE_UP, now)
        elif now >= self._quiet_at:
            self._go(Cue.QUIET, now)

    @property
    def _quiet_at(self) -> float:
        quiet_at = max(self._heard_at, self._entered) + _QUIET_S[self.stage]
        if self.stage is Stage.LISTENING:
            return min(quiet_at, self._entered + self.TALKS_ON_S)
        return quiet_at

    @property
    def _gives_up_at(self) -> float:
        heard_at = max(self._heard_at, self._since)
        return min(heard_at + self._patience_s, self._since + self._longest_s)

    def _go(self, cue: Cue, now: float) -> None:
        before = self.stage
        try:
            self.stage = NEXT[before, cue]
        except KeyError:
            raise LocalError(f"{cue.name} has no place in stage {before.name}") from None
        if cue is Cue.START:
            self._hails = 0
        if self.stage is Stage.HAILED and cue is Cue.QUIET:
            self._hail()
        if self.stage is not before or cue is Cue.QUIET:
            self._entered = now

    def _cue(self, answer: Answer) -> Cue:
        if answer.topic is Topic.FIRMWARE:
            return Cue.NAME
        cue = _CUES.get(answer.heard, Cue.OTHER)
        return Cue.LATE_OK if cue is Cue.OK and self._hails > 1 else cue

    def _hail(self) -> None:
        self._hails += 1
        self._out.append(safety.shout() + b"M115\n")

    def _learn(self, text: bytes) -> None:
        name, _, has_it = text.decode("ascii", "replace").partition(":")
        if has_it.strip() == "1":
            self.capabilities.add(name.strip())


_ALIVE = (Heard.BUSY, Heard.START)
_CUES = {
    Heard.OK: Cue.OK,
    Heard.RESEND: Cue.REFUSED,
    Heard.START: Cue.START,
    Heard.BUSY: Cue.BUSY,
}


def _name(text: bytes) -> str:
    """Return the firmware's name and version; the fields of M115's answer after it are left out."""
    name = text.decode("ascii", "replace")
    for field in (" SOURCE_CODE_URL:", " PROTOCOL_VERSION:", " FIRMWARE_URL:", " MACHINE_TYPE:"):
        name = name.partition(field)[0]
    return name.strip()
