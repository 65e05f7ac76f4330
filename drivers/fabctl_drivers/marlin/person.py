"""When the firmware waits for somebody at the machine. Pure.

Sources: marlinfw.org M0/M1, M226, M600; Marlin ``feature/host_actions.cpp`` (``prompt_begin``,
``prompt_show``, ``prompt_end``); ``busy: paused for user`` is said every two seconds while it
waits (Marlin ``gcode/gcode.cpp``, ``host_keepalive``).
"""

from __future__ import annotations

import math
import re

from fabctl.ports import WaitingForPerson
from fabctl_drivers.marlin.patience import waits_for_person

ASK_AFTER_S = 1.0
"""M0 and its like are answered at once where nobody has to do anything."""

_PARAMETERS = re.compile(rb"(?:[A-Z]-?[\d.]*\s*)*$")


class Person:
    """Knows for which person's act the firmware waits, and says it once."""

    def __init__(self) -> None:
        self.ask_at = math.inf
        """When :meth:`ask` is due."""
        self._asked = False
        self._shown: str | None = None
        self._prompt: str | None = None

    def hear_command(self, command: bytes, now: float) -> None:
        """A command of the job went out."""
        if command.startswith(b"M117"):
            self._shown = _words(command[4:])
        elif waits_for_person(command):
            self.ask_at = now + ASK_AFTER_S

    def hear_busy(self, text: bytes, oldest: bytes) -> list[WaitingForPerson]:
        """The firmware said busy."""
        return self._ask(oldest) if b"paused for" in text else []

    def hear_prompt(self, action: bytes) -> list[WaitingForPerson]:
        """The firmware said ``//action:…``."""
        verb, _, words = action.partition(b" ")
        if verb == b"prompt_begin":
            self._prompt = _words(words)
        elif verb == b"prompt_end":
            self._prompt = None
        elif verb == b"prompt_show" and self._prompt is not None:
            return [WaitingForPerson(self._prompt)]
        return []

    def ask(self, oldest: bytes) -> list[WaitingForPerson]:
        """Return the request, where the firmware is still at such a command."""
        self.ask_at = math.inf
        return self._ask(oldest) if waits_for_person(oldest) else []

    def moved_on(self) -> None:
        """The job goes on: nobody is waited for."""
        if self._asked or self.ask_at < math.inf:
            self._asked, self.ask_at = False, math.inf

    def _ask(self, oldest: bytes) -> list[WaitingForPerson]:
        if self._asked:
            return []
        self._asked = True
        _, _, words = oldest.partition(b" ")
        own = None if _PARAMETERS.match(words) else _words(words)
        return [WaitingForPerson(self._prompt or own or self._shown)]


def _words(text: bytes) -> str | None:
    return text.decode("utf-8", "replace").strip() or None
