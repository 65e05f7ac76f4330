"""What streams send, rendered once for all of them.

A board's stream asks a :class:`Sheet` for the cards that changed since it asked last; with two
hundred screens open, each card is still rendered once, and no stream looks at machines that rest.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection

from jinja2 import Environment

from fabctl_web.board.views import face_of
from fabctl_web.interlocks.shown import interlock_of
from fabctl_web.lab import Lab
from fabctl_web.language import words_in
from fabctl_web.machines.now import now_of

KEEP_S = 1.0
"""How long a rendered fragment is shared between streams when nothing changed."""
SHEET_AGAIN_S = 0.9
"""How often every card is rendered: time goes by, and silence changes a state. A stream looks
once a second, so that none finds a sheet that was made at the look before."""


class Fragments:
    """Rendered fragments, shared by all streams of one language. Safe from any thread."""

    def __init__(self, lab: Lab, env: Environment) -> None:
        self._lab = lab
        self._env = env
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str, str], tuple[int, str, float, bytes]] = {}
        self._sheets: dict[str, Sheet] = {}
        self._makers: dict[str, Callable[[str, str], bytes]] = {
            "live": self._live,
            "lock": self._lock_panel,
        }

    def get(self, kind: str, machine: str, language: str) -> bytes:
        """Return a fragment as it is now: at most 1 s old, and never older than a change."""
        with self._lock:
            version, now = self._lab.hub.version_of(machine), self._lab.clock.monotonic()
            state = self._lab.machine(machine).state  # grows old without a new version
            kept = self._kept.get((kind, machine, language))
            if kept and kept[:2] == (version, state) and now - kept[2] < KEEP_S:
                return kept[3]
            made = self._makers[kind](machine, language)
            self._kept[kind, machine, language] = (version, state, now, made)
            return made

    def sheet(self, language: str) -> Sheet:
        """Return the boards' cards in a language."""
        with self._lock:
            if language not in self._sheets:
                self._sheets[language] = Sheet(self._lab, lambda one: self._face(one, language))
            return self._sheets[language]

    def _face(self, machine: str, language: str) -> bytes:
        face = face_of(self._lab, machine, self._lab.speech(language))
        return self._render("board/face.html", language, face=face)

    def _live(self, machine: str, language: str) -> bytes:
        shown = now_of(self._lab, machine, self._lab.speech(language))
        return self._render("machines/now.html", language, shown=shown)

    def _lock_panel(self, machine: str, language: str) -> bytes:
        lock = interlock_of(self._lab, machine, self._lab.speech(language))
        return self._render("interlocks/panel.html", language, lock=lock)

    def _render(self, template: str, language: str, **values: object) -> bytes:
        words = words_in(self._lab, language)
        made = self._env.get_template(template).render(**words, **values)
        return made.strip().encode()


class Sheet:
    """All cards of the board in one language, each with the number of its last change.

    Safe from any thread.
    """

    def __init__(self, lab: Lab, make: Callable[[str], bytes]) -> None:
        self._lab = lab
        self._make = make
        self._lock = threading.Lock()
        self._number = 0
        self._cards: dict[str, tuple[int, bytes]] = {}
        """In the order in which they changed: the number, and the event that shows it."""
        self._news: dict[int, bytes] = {}
        """What streams were told that had seen this number: most ask with the same one."""
        self._version = 0
        self._made_at = -math.inf

    def of(self, machines: Collection[str]) -> tuple[int, bytes]:
        """Return the number of now, and the events that show these machines."""
        with self._lock:
            self._bring_up_to_date()
            shown = [data for one, (_, data) in self._cards.items() if one in machines]
            return self._number, b"".join(shown)

    def since(self, number: int) -> tuple[int, bytes]:
        """Return the number of now, and the events of all cards that changed after ``number``."""
        with self._lock:
            self._bring_up_to_date()
            if number not in self._news:
                self._news[number] = self._joined(number)
            return self._number, self._news[number]

    def _joined(self, number: int) -> bytes:
        news: list[bytes] = []
        for at, data in reversed(self._cards.values()):
            if at <= number:
                break
            news.append(data)
        return b"".join(reversed(news))

    def _bring_up_to_date(self) -> None:
        """Render what pressed since the last time; every card when the last time is long ago."""
        hub, now = self._lab.hub, self._lab.clock.monotonic()
        version = hub.version
        which: Collection[str] = self._lab.config.machines
        if now - self._made_at < SHEET_AGAIN_S:
            pressing = hub.pressing_since(self._version)
            which = [one for one in which if one in pressing]
        else:
            self._made_at = now
        self._version = version
        for machine in which:
            data = event(f"face-{machine}", self._make(machine))
            if self._cards.get(machine, (0, b""))[1] != data:
                self._number += 1
                self._news.clear()
                self._cards.pop(machine, None)
                self._cards[machine] = (self._number, data)


def event(name: str, data: bytes) -> bytes:
    """Return one server-sent event."""
    lines = data.replace(b"\r", b" ").split(b"\n")
    return b"event: %s\n" % name.encode() + b"".join(b"data: %s\n" % x for x in lines) + b"\n"
