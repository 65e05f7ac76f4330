"""What an OctoPrint pushes, beside what it answers: a socket of our own in place of its push."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping

import websocket

from fabctl.ports import Phase
from fabctl.units import Seconds
from fabctl_drivers.octoprint.client import OctoPrintClient
from fabctl_drivers.octoprint.errands import Listen
from fabctl_drivers.octoprint.exchange import Server
from fabctl_drivers.octoprint.push import PushLine
from fabctl_drivers.octoprint.server_line import ServerLine
from fabctl_drivers.octoprint.watch import Watch
from fabctl_drivers.octoprint.worker import Done, Worker
from tests.octoprint_server import until
from tests.servers.test_octoprint_client import Answers, answers  # noqa: F401  # a fixture

READY = {"state": {"flags": {"operational": True, "ready": True}}}
PRINTING = {"state": {"flags": {"operational": True, "printing": True}}}


class Line:
    """A line to a server that answers, and pushes what it is told to."""

    def __init__(self, url: str) -> None:
        self.watch = Watch("fabctl_p_", Seconds(60))
        self.worker = Worker(OctoPrintClient(Server(url, "key")), lambda: 0.0, lambda: None)
        self.line = ServerLine(self.worker, self.watch, 0.0, wants_push=False)
        self.watch.opened("OctoPrint 1.11.8")
        near, self.far = socket.socketpair()
        opened = websocket.WebSocket()
        opened.sock = near
        opened.settimeout(0)
        self.worker.results.put(Done(Listen(), PushLine(opened, 0.0)))
        self.line.take_in(0.0)

    def asks(self, now: float) -> None:
        """Ask the server, and take in what it answers."""
        self.line.ask_now(now)
        self.line.ask_for_status(now)
        until(lambda: not self.worker.results.empty(), "the server answered")
        self.line.take_in(now)

    def pushes(self, current: Mapping[str, object], now: float) -> None:
        """Have something pushed, and take it in."""
        text = json.dumps({"current": current}).encode()
        frame = websocket.ABNF(1, 0, 0, 0, websocket.ABNF.OPCODE_TEXT, 0, text)
        self.far.sendall(frame.format())
        self.line.take_in(now)

    def shows(self, phase: Phase) -> bool:
        """Whether this is the phase now."""
        return self.watch.phase is phase

    def close(self) -> None:
        """Leave."""
        self.line.close()
        self.far.close()


def test_what_is_pushed_is_believed_once_an_answer_said_that_the_printer_is_there(
    answers: tuple[str, type[Answers]],  # noqa: F811  # the fixture
) -> None:
    url, kind = answers
    kind.by_path |= {
        "/api/printer?exclude=sd": (409, "{}"),
        "/api/job": (200, json.dumps({"state": "Operational"})),
        "/api/connection": (200, json.dumps({"current": {"state": "Closed"}})),
    }
    line = Line(url)
    line.pushes(READY, 1.0)
    assert line.shows(Phase.CONNECTING)  # nobody has answered yet
    line.asks(2.0)
    line.pushes(READY, 2.5)
    assert line.shows(Phase.CONNECTING)
    assert line.line.deadline == 3.0  # an answer soon, but not at once
    line.asks(3.0)
    assert line.shows(Phase.CONNECTING)
    kind.by_path["/api/printer?exclude=sd"] = (200, json.dumps(READY))
    line.asks(4.0)
    assert line.shows(Phase.IDLE)
    line.pushes(PRINTING, 5.0)
    assert line.shows(Phase.RUNNING)
    line.close()
