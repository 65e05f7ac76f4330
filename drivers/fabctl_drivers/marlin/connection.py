"""The firmware at the other end of a port: first the greeting, then numbered lines. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from fabctl.units import Seconds
from fabctl_drivers.marlin.answers import Answer, Heard
from fabctl_drivers.marlin.conversation import Ended, LinkEvent, State
from fabctl_drivers.marlin.greeting import Greeting, Stage
from fabctl_drivers.marlin.link import Link

FIRST_LINE = b"M110 N0"
"""It gets the number 0, and the lines after it are counted from there (marlinfw.org, M110)."""


class Greeted(NamedTuple):
    """The firmware answers, and its heaters were told to be off.

    The first line to say is :data:`FIRST_LINE`.
    """

    firmware: str | None
    capabilities: frozenset[str]


class Unanswered(NamedTuple):
    """Nobody answered the greeting."""

    reason: str


ConnectionEvent = LinkEvent | Greeted | Unanswered


class Connection:
    """Greeting or link, whichever it is time for; neither where there is nobody to talk to.

    :param baud: bits per second.
    :param window_bytes: see :class:`Link`.
    """

    def __init__(self, *, baud: int, window_bytes: int) -> None:
        self.link: Link | None = None
        self._busy_s: Seconds | None = None
        self.baud = baud
        self._window_bytes = window_bytes
        self._greeting: Greeting | None = None
        self._aloud: list[bytes] = []

    def greet(self, now: float, *, hurried: bool = False) -> None:
        """Begin anew: whatever was said before counts no more.

        :param hurried: there are other baud rates to try.
        """
        self.link = None
        self._greeting = Greeting(now, hurried=hurried)

    def drop(self) -> None:
        """Talk to nobody."""
        self.link = self._greeting = None

    def shout(self, words: bytes) -> None:
        """Say something beside all numbers and oks."""
        self._aloud.append(words)

    def set_busy(self, busy_s: Seconds) -> None:
        """Be patient for this long with a firmware that says busy more often."""
        self._busy_s = busy_s
        if self.link is not None:
            self.link.set_busy(busy_s)

    @property
    def deadline(self) -> float:
        """The time at which :meth:`tick` has something to do."""
        if self.link is not None:
            return self.link.deadline
        return math.inf if self._greeting is None else self._greeting.deadline

    def take_output(self) -> bytes:
        """Return the bytes to write now, and forget them."""
        speaker = self.link or self._greeting
        out = b"" if speaker is None else speaker.take_output()
        if self._aloud:
            out = b"".join(self._aloud) + out
            self._aloud.clear()
        return out

    def hear(self, answer: Answer, now: float) -> Sequence[ConnectionEvent]:
        """Take in one line of the firmware; return what came of it."""
        if self.link is not None:
            self.link.hear(answer, now)
            return self._link_events(self.link)
        if answer.heard is Heard.HALT:
            return [
                Ended(State.HALTED, f"the firmware said “{answer.text.decode('ascii', 'replace')}”")
            ]
        if self._greeting is not None:
            self._greeting.hear(answer, now)
            return self._follow(self._greeting)
        if answer.heard is Heard.START:
            return [Ended(State.RESET, "the controller restarted")]
        return ()

    def tick(self, now: float) -> Sequence[ConnectionEvent]:
        """Do what is due at ``now``; return what came of it."""
        if self.link is not None:
            self.link.tick(now)
            return self._link_events(self.link)
        if self._greeting is not None:
            self._greeting.tick(now)
            return self._follow(self._greeting)
        return ()

    def _link_events(self, link: Link) -> Sequence[ConnectionEvent]:
        if not link.events:
            return ()
        events, link.events = link.events, []
        return events

    def _follow(self, greeting: Greeting) -> Sequence[ConnectionEvent]:
        if greeting.stage is Stage.FAILED:
            self._greeting = None
            return [Unanswered(greeting.failure)]
        if greeting.stage is not Stage.DONE:
            return ()
        self._greeting = None
        self.link = Link(
            last_number=-1,
            baud=self.baud,
            busy_s=self._busy_s,
            window_bytes=self._window_bytes,
            is_marlin=(greeting.firmware or "").startswith("Marlin"),
        )
        return [Greeted(greeting.firmware, frozenset(greeting.capabilities))]
