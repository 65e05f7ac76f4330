"""The stream of a page: one event per machine that changed, and a heartbeat every 3 s.

``face-<id>``, ``live-<id>`` and ``lock-<id>`` (a machine with an interlock) carry the fragments
that everybody sees; ``turn-<id>`` says that what *this* person may do has changed, and the page
asks for its panel again.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from flask import Blueprint, Response, current_app, request
from jinja2 import Environment

from fabctl_web.board.faces import look_key
from fabctl_web.board.views import face_of
from fabctl_web.interlocks.shown import interlock_of
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import chosen_language, words_in
from fabctl_web.live.hub import TooManyStreamsError
from fabctl_web.machines.now import now_of

BEAT_S = 3.0
BEAT = b"event: beat\ndata:\n\n"
RETRY = b"retry: 2000\n\n"
LOOK_S = 1.0
"""How often a stream looks whether a machine fell silent: nobody tells that."""
POLL_EVERY_S = 10
KEEP_S = 1.0
"""How long a rendered fragment is shared between streams when nothing changed."""

area = Blueprint("live", __name__)


@area.get("/events")
def events() -> Response:
    """Open a stream: ``?machine=`` for one machine's page, without it for the board.

    ``?since=`` is the hub's version when the page was made: what changed since is sent at once.
    """
    lab = current_lab()
    machine = request.args.get("machine")
    if machine is not None:
        lab.profile(machine)
    since = request.args.get("since", type=int, default=lab.hub.version)
    try:
        lab.hub.enter()
    except TooManyStreamsError:
        busy = Response(status=503)
        busy.headers["Retry-After"] = str(POLL_EVERY_S)
        return busy
    fragments = current_app.extensions["fabctl-fragments"]
    stream = Stream(lab, fragments, chosen_language(), machine, since, _socket())
    answer = Response(stream.chunks(), content_type="text/event-stream; charset=utf-8")
    answer.call_on_close(lab.hub.leave)
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


def _socket() -> socket.socket | None:
    """Return the connection of this request, where the server hands it out (gunicorn does)."""
    found = request.environ.get("gunicorn.socket")
    return found if isinstance(found, socket.socket) else None


@dataclass
class Stream:
    """What one open page has been told so far."""

    lab: Lab
    fragments: Fragments
    language: str
    machine: str | None
    since: int
    connection: socket.socket | None = None
    _sent: dict[str, bytes] = field(default_factory=dict)
    _turns: dict[str, str] = field(default_factory=dict)
    _states: dict[str, str] = field(default_factory=dict)

    @property
    def machines(self) -> list[str]:
        """The machines that this page shows."""
        return list(self.lab.config.machines) if self.machine is None else [self.machine]

    def chunks(self) -> Iterator[bytes]:
        """Yield what is to be sent, until the server stops or the client is gone."""
        hub, clock = self.lab.hub, self.lab.clock
        seen = self.since
        for machine in set(self.machines) - hub.changed_since(seen):
            self._news(machine)  # the page has it already: remembered, not sent
        yield RETRY + BEAT
        next_beat = clock.monotonic() + BEAT_S
        while not hub.closed and not self._left():
            version = hub.wait(seen, max(0.0, min(LOOK_S, next_beat - clock.monotonic())))
            beat = clock.monotonic() >= next_beat
            changed = set(self.machines) if beat else hub.changed_since(seen) | self._silent()
            news = [self._news(machine) for machine in self.machines if machine in changed]
            seen = version
            if beat:
                news.append(BEAT)
                next_beat = clock.monotonic() + BEAT_S
            if any(news):
                yield b"".join(news)

    def _silent(self) -> frozenset[str]:
        """Return the machines whose state is another than at the last look: mostly grown old."""
        now = {machine: self.lab.machine(machine).state for machine in self.machines}
        before, self._states = self._states, now
        return frozenset(machine for machine in now if now[machine] != before.get(machine))

    def _left(self) -> bool:
        """Say whether the page was closed: a write would notice only the second time, 6 s late."""
        if self.connection is None:
            return False
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""

    def _news(self, machine: str) -> bytes:
        if self.machine is None:
            return self._if_new("face", machine)
        lock = self._if_new("lock", machine) if machine in self.lab.config.interlocks else b""
        return lock + self._if_new("live", machine) + self._turn(machine)

    def _if_new(self, kind: str, machine: str) -> bytes:
        found = self.fragments.get(kind, machine, self.language)
        name = f"{kind}-{machine}"
        if self._sent.get(name) == found:
            return b""
        self._sent[name] = found
        return event(name, found)

    def _turn(self, machine: str) -> bytes:
        found = turn(self.lab, machine)
        if self._turns.get(machine) == found:
            return b""
        self._turns[machine] = found
        return event(f"turn-{machine}", b"")


def event(name: str, data: bytes) -> bytes:
    """Return one server-sent event."""
    lines = data.replace(b"\r", b" ").split(b"\n")
    return b"event: %s\n" % name.encode() + b"".join(b"data: %s\n" % x for x in lines) + b"\n"


def turn(lab: Lab, machine: str) -> str:
    """Return what decides over a person's possibilities on a machine, as one text to compare."""
    view, booked, now = lab.machine(machine), lab.bookings.of(machine), lab.clock.now()
    lock = lab.interlock(machine)
    look = look_key(view, booked, now, lock)
    return repr((view.state, view.trouble, view.job, booked, look, lock and lock.state))


class Fragments:
    """Rendered fragments, shared by all streams of one language. Safe from any thread."""

    def __init__(self, lab: Lab, env: Environment) -> None:
        self._lab = lab
        self._env = env
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str, str], tuple[int, str, float, bytes]] = {}
        self._makers: dict[str, Callable[[str, str], bytes]] = {
            "face": self._face,
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


def init_app(lab: Lab, env: Environment) -> Fragments:
    """Let MQTT's thread wake the streams, and return the shared fragments."""
    lab.view.subscribe(lab.hub.note)
    return Fragments(lab, env)
