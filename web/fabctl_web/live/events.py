"""The stream of a page: one event per machine that changed, and a heartbeat every 3 s.

``face-<id>``, ``live-<id>`` and ``lock-<id>`` (a machine with an interlock) carry the fragments
that everybody sees; ``turn-<id>`` says that what *this* person may do has changed, and the page
asks for its panel again.
"""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterator
from typing import Protocol

from flask import Blueprint, Response, current_app, request
from jinja2 import Environment

from fabctl.config_broker import is_loopback
from fabctl.descriptors import ready
from fabctl.messaging.payloads import MachineState
from fabctl.model.tries import network_of
from fabctl_web.board.faces import look_key
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import chosen_language
from fabctl_web.live.fragments import Fragments, Sheet, event
from fabctl_web.live.hub import TooManyStreamsError
from fabctl_web.live.news import Herald

BEAT_S = 3.0
BEAT = b"event: beat\ndata:\n\n"
RETRY = b"retry: 2000\n\n"
LOOK_S = 1.0
"""How often a stream looks by itself: for figures, and whether a machine fell silent, which
nobody tells."""
POLL_EVERY_S = 10

area = Blueprint("live", __name__)


@area.get("/events")
def events() -> Response:
    """Open a stream: ``?machine=`` for one machine's page, without it for the board.

    ``?since=`` is the hub's mark when the page was made: what changed since is sent at once.
    Where another process made the page, everything is.
    """
    lab = current_lab()
    machine = request.args.get("machine")
    if machine is not None:
        lab.profile(machine)
    since = lab.hub.since(request.args.get("since"))
    visitor = _visitor()
    try:
        lab.hub.enter(visitor)
    except TooManyStreamsError:
        busy = Response(status=503)
        busy.headers["Retry-After"] = str(POLL_EVERY_S)
        return busy
    fragments, language = current_app.extensions["fabctl-fragments"], chosen_language()
    shown: Shown = (
        Board(fragments.sheet(language), list(lab.config.machines))
        if machine is None
        else Page(lab, fragments, language, machine)
    )
    answer = Response(
        chunks(lab, shown, since, _socket()), content_type="text/event-stream; charset=utf-8"
    )
    answer.call_on_close(lambda: lab.hub.leave(visitor))
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


def _visitor() -> str | None:
    """Return what counts as one visitor. None: this computer, which may be its own screen, or a
    proxy that lab.toml does not name: everybody comes from there.
    """
    address = request.remote_addr or ""
    return None if is_loopback(address) else network_of(address)


def _socket() -> socket.socket | None:
    """Return the connection of this request, where the server hands it out (gunicorn does)."""
    found = request.environ.get("gunicorn.socket")
    return found if isinstance(found, socket.socket) else None


class Shown(Protocol):
    """What a page shows, and what it was told of it."""

    machines: list[str]

    def begin(self, new: Collection[str]) -> bytes:
        """Return the events of these machines; the page has those of the others already."""

    def news(self) -> bytes:
        """Return the events of what changed since the last time."""


def chunks(
    lab: Lab, shown: Shown, since: int | None, connection: socket.socket | None
) -> Iterator[bytes]:
    """Yield what is to be sent, until the server stops or the client is gone.

    :param since: the version of the page; None: nobody here knows what it shows.
    :param connection: the client's, where the server hands it out.
    """
    hub, clock = lab.hub, lab.clock
    seen = hub.version if since is None else since
    everything = frozenset(shown.machines)
    changed = everything if since is None else hub.changed_since(seen) | _silent(lab)
    first = shown.begin(changed & everything)
    yield RETRY + BEAT + first
    next_beat = clock.monotonic() + BEAT_S
    while not hub.closed and not _left(connection):
        seen = hub.wait(seen, max(0.0, min(LOOK_S, next_beat - clock.monotonic())))
        news = shown.news()
        if clock.monotonic() >= next_beat:
            news += BEAT
            next_beat = clock.monotonic() + BEAT_S
        if news:
            yield news


def _silent(lab: Lab) -> frozenset[str]:
    """Return the machines of which nothing is known: they fell silent, and silence tells nobody.

    It may have been after the page was made, which then shows the last word as if it still held.
    """
    return frozenset(
        machine
        for machine in lab.config.machines
        if lab.machine(machine).state == MachineState.UNKNOWN
        or ((lock := lab.interlock(machine)) is not None and not lock.known)
    )


def _left(connection: socket.socket | None) -> bool:
    """Say whether the page was closed: a write would notice only the second time, 6 s late."""
    if connection is None:
        return False
    readable, _ = ready([connection], timeout_s=0)
    return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""


class Board:
    """A page with every machine's card."""

    def __init__(self, sheet: Sheet, machines: list[str]) -> None:
        self.machines = machines
        self._sheet = sheet
        self._number = 0

    def begin(self, new: Collection[str]) -> bytes:
        """Return the events of these machines; the page has those of the others already."""
        self._number, found = self._sheet.of(new)
        return found

    def news(self) -> bytes:
        """Return the cards that changed since the last time."""
        self._number, found = self._sheet.since(self._number)
        return found


class Page:
    """One machine's page."""

    def __init__(self, lab: Lab, fragments: Fragments, language: str, machine: str) -> None:
        self.machines = [machine]
        self._lab = lab
        self._fragments = fragments
        self._language = language
        self._machine = machine
        self._kinds = ("lock", "live") if machine in lab.config.interlocks else ("live",)
        self._sent: dict[str, bytes] = {}
        self._turn = ""
        self._version = 0
        self._looked_at = 0.0

    def begin(self, new: Collection[str]) -> bytes:
        """Return the machine's events if it is new; else remember what the page has."""
        found = self._look()
        return found if self._machine in new else b""

    def news(self) -> bytes:
        """Return what changed; nothing, and quickly, where another machine woke the stream."""
        version = self._lab.hub.pressing(self._machine)
        if version == self._version and self._lab.clock.monotonic() - self._looked_at < LOOK_S:
            return b""
        return self._look()

    def _look(self) -> bytes:
        self._version = self._lab.hub.pressing(self._machine)
        self._looked_at = self._lab.clock.monotonic()
        return b"".join(map(self._if_new, self._kinds)) + self._turned()

    def _if_new(self, kind: str) -> bytes:
        found = self._fragments.get(kind, self._machine, self._language)
        if self._sent.get(kind) == found:
            return b""
        self._sent[kind] = found
        return event(f"{kind}-{self._machine}", found)

    def _turned(self) -> bytes:
        found = turn(self._lab, self._machine)
        if self._turn == found:
            return b""
        self._turn = found
        return event(f"turn-{self._machine}", b"")


def turn(lab: Lab, machine: str) -> str:
    """Return what decides over a person's possibilities on a machine, as one text to compare."""
    view, booked, now = lab.machine(machine), lab.bookings.of(machine), lab.clock.now()
    lock = lab.interlock(machine)
    look = look_key(view, booked, now, lock)
    return repr((view.state, view.trouble, view.job, booked, look, lock and lock.state))


def init_app(lab: Lab, env: Environment) -> Fragments:
    """Let MQTT's thread wake the streams, and return the shared fragments."""
    lab.view.subscribe(Herald(lab).heard)
    return Fragments(lab, env)
