"""One conversation between a person and a machine."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from fabctl.commands import terminal_words
from fabctl.errors import FabError, LocalError
from fabctl.ports import (
    Driver,
    Heard,
    Phase,
    PhaseChanged,
    Telemetry,
    Tone,
    Trouble,
    WaitingForPerson,
)
from fabctl.units import Seconds

PUMP_S = Seconds(0.5)
QUIET_S = 1.0
"""A script's last answer is waited for until nothing was heard for so long."""
PLACE_S = 5.0
"""The end of a move by hand is waited for so long after the last word of a machine that does not
tell its place by itself. Marlin says that it is busy every 2 s (M113)."""
SETTLED_S = 0.3
"""After it told its place: G28 tells it too, before the end (marlinfw.org G28)."""
_NOBODY_THERE = frozenset({Trouble.CABLE_LOST, Trouble.NO_ANSWER, Trouble.PROTOCOL})

_READING = re.compile(r"(?:ok )? *T\d?:")
"""Marlin's temperatures, asked for or not (marlinfw.org M105, M155)."""
_PLACE = re.compile(r"X:-?\d")
"""Marlin's answer to M114, which ends its moves by hand."""
_HEAT = re.compile(r"M(?:105|109|155|190|191)\b", re.IGNORECASE)


class Talk:
    """One conversation on an open driver; typed lines come from another thread."""

    def __init__(
        self, driver: Driver, tell: Callable[[str, Tone], None], monotonic: Callable[[], float]
    ) -> None:
        self._driver = driver
        self._tell = tell
        self._monotonic = monotonic
        self._heard_at = monotonic()
        self._reason: str | None = None
        self._trouble: Trouble | None = None
        self._typed: deque[str | None] = deque()
        self._hold_s = 0.0
        """What comes next waits until nothing was heard for so long: a move by hand is on."""
        self._opening = False
        """What comes next waits for what opens a lock."""
        self._unanswered = 0
        """Lines said, less the answers heard; a move by hand waits for them."""
        self._asked_heat = self._asked_percentages = False
        self._ended = False
        self.lost: str | None = None
        """Why the machine left us, where it did."""

    def connect(self) -> None:
        """Wait until the machine answers. One that a person must look at first may be talked to.

        :raises LocalError: it does not answer, or works for somebody else.
        """
        while self._driver.phase is Phase.CONNECTING:
            self._pump()
        phase = self._driver.phase
        if phase is Phase.BROKEN and self._trouble not in _NOBODY_THERE:
            self._tell("look at the machine first, then /clear (on Grbl also $X or $H)", Tone.ECHO)
        elif phase is not Phase.IDLE:
            raise LocalError(self._reason or f"the machine is {phase.value}")

    def run(self, lines: Iterable[str]) -> None:
        """Say every line, show every answer, until the lines end and all is answered."""

        def read() -> None:
            for line in lines:
                self._typed.append(line)
                self._driver.wake()
            self._typed.append(None)
            self._driver.wake()

        threading.Thread(target=read, daemon=True).start()
        while self._driver.phase is not Phase.CLOSED:
            if (line := self._take()) is not None:
                self._say(line)
            elif self._is_over():
                return
            else:
                self._pump()
        self.lost = self._reason or "the port was closed"

    def _take(self) -> str | None:
        """Return the next line that may be said now: the first, or one that acts at once."""
        may_talk = self._driver.phase in (Phase.IDLE, Phase.BROKEN) and not self._is_held()
        for place, line in enumerate(tuple(self._typed)):
            if line is None:
                self._ended = self._ended or place == 0
                return None
            waits = not may_talk or (self._unanswered and terminal_words.moves(line))
            if (place == 0 and not waits) or terminal_words.acts_at_once(line):
                del self._typed[place]
                if terminal_words.stops(line):
                    self._forget(place)
                return line
        return None

    def _forget(self, count: int) -> None:
        """The lines before a stop are not said any more: the person wants it all to end."""
        for _ in range(count):
            self._typed.popleft()
        if count:
            self._tell(f"not said, for /stop came: {count} lines typed before it", Tone.ECHO)

    def _is_held(self) -> bool:
        quiet_s = self._monotonic() - self._heard_at
        is_locked = self._driver.phase is Phase.BROKEN
        self._unanswered = 0 if quiet_s >= QUIET_S else self._unanswered
        self._opening = self._opening and is_locked and quiet_s < QUIET_S
        self._hold_s = self._hold_s if quiet_s < self._hold_s else 0.0
        return self._hold_s > 0.0 or self._opening

    def _is_over(self) -> bool:
        is_working = self._driver.phase not in (Phase.IDLE, Phase.BROKEN)
        quiet_s = self._monotonic() - self._heard_at
        return self._ended and not is_working and quiet_s >= QUIET_S

    def _say(self, line: str) -> None:
        self._heard_at = self._monotonic()
        said = line.strip()
        try:
            if said.lower() in ("/quit", "/exit"):
                self._typed.clear()
                self._typed.append(None)
                self._ended, self._heard_at = True, -QUIET_S
            elif said.lower() == "/help":
                for usage in terminal_words.usages():
                    self._tell(usage, Tone.OTHER)
            elif said.startswith("/"):
                terminal_words.obey(self._driver, said)
                self._hold_s = PLACE_S if terminal_words.moves(said) else self._hold_s
                self._asked_percentages = True
            elif said:
                self._opening = self._driver.phase is Phase.BROKEN
                self._asked_heat = _HEAT.match(said) is not None
                self._driver.say(line)
                self._unanswered += 1
        except FabError as error:
            self._tell(str(error), Tone.ERROR)

    def _pump(self) -> None:
        for event in self._driver.pump(PUMP_S):
            if isinstance(event, Heard):
                self._hear(event)
            elif isinstance(event, PhaseChanged):
                self._change(event)
            elif isinstance(event, WaitingForPerson):
                self._tell(f"it waits for you: {event.message or 'look at it'}", Tone.ECHO)
            elif isinstance(event, Telemetry) and event.group == "position":
                self._hold_s = 0.0
            elif isinstance(event, Telemetry) and event.group == "overrides":
                self._show_percentages(event.values)

    def _hear(self, event: Heard) -> None:
        if _READING.match(event.text) and not self._asked_heat:
            return  # the driver asks for temperatures all the time
        if event.tone in (Tone.OK, Tone.ERROR):
            self._unanswered = max(0, self._unanswered - 1)
        if _PLACE.match(event.text):
            self._hold_s = min(self._hold_s, SETTLED_S)
        if event.tone is not Tone.OTHER:
            self._heard_at = self._monotonic()
        self._tell(event.text, event.tone)

    def _change(self, event: PhaseChanged) -> None:
        if event.phase is not Phase.CONNECTING:
            self._heard_at = self._monotonic()
        if event.trouble is not None:
            self._trouble = event.trouble
            self._hold_s = 0.0
        if event.reason:
            self._reason = event.reason
            self._tell(event.reason, Tone.ERROR)

    def _show_percentages(self, values: Mapping[str, float | None]) -> None:
        shown = [f"{name.removesuffix('_percent')} {v:g} %" for name, v in values.items() if v]
        if self._asked_percentages and shown:
            self._tell("  ".join(shown), Tone.ECHO)
