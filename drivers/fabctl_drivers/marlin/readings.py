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
        self.position = b""
        """The last answer to M114."""
        self.busy_s: Seconds | None = None
        """Patience with this firmware, once it told how often it says busy."""

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
            self.position = answer.text
        elif answer.topic is Topic.KEEPALIVE and answer.number:
            self.busy_s = Seconds(max(BUSY_LEAST_S, answer.number + 1.0))
        return ()
