"""What the firmware tells of its machine beside the conversation. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from fabctl.ports import DriverEvent
from fabctl.units import Seconds
from fabctl_drivers.marlin.answers import Answer, Heard, Topic
from fabctl_drivers.marlin.person import Person
from fabctl_drivers.marlin.thermometer import Thermometer

BUSY_LEAST_S = 3.0


class Readings:
    """Temperatures, position, keep-alive interval, and for whom it waits."""

    def __init__(self) -> None:
        self.thermometer = Thermometer()
        self.person = Person()
        self._places: list[bytes] = []
        self.busy_s: Seconds | None = None
        """Patience with this firmware, once it told how often it says busy."""

    @property
    def position(self) -> bytes:
        """The answer to M114, once two in a row agreed: it has no checksum. Empty until then."""
        agreed = len(self._places) == 2 and self._places[0] == self._places[1]
        return self._places[1] if agreed else b""

    def forget_position(self) -> None:
        """The machine moves, or is about to be asked."""
        self._places = []

    def note(self, answer: Answer, now: float, oldest: bytes) -> Sequence[DriverEvent]:
        """Take in one line; return what is worth telling.

        :param oldest: the command that the firmware is at; empty when there is none.
        """
        if answer.topic is Topic.TEMPERATURES:
            return self.thermometer.read(answer.text, now)
        if answer.heard is Heard.BUSY:
            return self.person.hear_busy(answer.text, oldest)
        if answer.topic is Topic.ACTION:
            return self.person.hear_prompt(answer.text)
        if answer.topic is Topic.POSITION:
            self._places = [*self._places[-1:], answer.text]
        elif answer.topic is Topic.KEEPALIVE and answer.number:
            self.busy_s = Seconds(max(BUSY_LEAST_S, answer.number + 1.0))
        return ()
