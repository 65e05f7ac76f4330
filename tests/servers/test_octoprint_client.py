"""The REST client against servers that are not what they should be, and the driver's settings."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fabctl.clock import SystemClock
from fabctl.errors import DeviceError, InputError
from fabctl.ports import MachineKind, MachineProfile
from fabctl_drivers.octoprint.client import OctoPrintClient
from fabctl_drivers.octoprint.driver import OctoPrintDriver
from fabctl_drivers.octoprint.errands import Upload
from fabctl_drivers.octoprint.exchange import Fault, Server, ServerError
from fabctl_drivers.octoprint.place import FilePlace
from fabctl_drivers.octoprint.worker import Worker

KEY = "VERYSECRETKEY0123456789"


class Answers(BaseHTTPRequestHandler):
    """Answers by path; a POST of a file is read whole and kept."""

    bodies: list[tuple[str, bytes]]
    by_path: dict[str, tuple[int, str]]

    def do_GET(self) -> None:
        """Answer."""
        status, text = self.by_path.get(self.path, (404, "<html>nothing here</html>"))
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Keep the body, then answer."""
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            return  # the sender gave up and is gone
        self.bodies.append((self.headers["Content-Type"], body))
        self.do_GET()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def answers() -> Iterator[tuple[str, type[Answers]]]:
    kind = type("OwnAnswers", (Answers,), {"bodies": [], "by_path": {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", kind
        server.shutdown()
        thread.join()


def failure(url: str) -> ServerError:
    """Return how asking for the version fails."""
    client = OctoPrintClient(Server(url, KEY))
    try:
        with pytest.raises(ServerError) as caught:
            client.version()
    finally:
        client.close()
    assert KEY not in str(caught.value) + repr(caught.value)
    assert caught.value.device == url
    assert caught.value.next_step
    return caught.value


@pytest.mark.parametrize(
    ("status", "text", "fault"),
    [
        (404, "<html>", Fault.MISSING),
        (200, "<html>", Fault.STRANGE),
        (200, "[]", Fault.STRANGE),
        (200, '{"text": "Moonraker"}', Fault.STRANGE),
        (302, "", Fault.STRANGE),
        (500, '{"error": "it broke."}', Fault.STRANGE),
        (503, "starting", Fault.GONE),
        (403, "{}", Fault.KEY),
        (401, "{}", Fault.KEY),
    ],
)
def test_what_is_no_octoprint_is_told(
    answers: tuple[str, type[Answers]], status: int, text: str, fault: Fault
) -> None:
    url, kind = answers
    kind.by_path["/api/version"] = (status, text)
    assert failure(url).fault is fault


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # and nobody listens; nobody else gets it meanwhile
        error = failure(f"http://127.0.0.1:{free.getsockname()[1]}")
    assert error.fault is Fault.GONE
    assert "cannot be reached" in str(error)


def test_a_missing_right_is_not_a_bad_key(answers: tuple[str, type[Answers]]) -> None:
    url, kind = answers
    kind.by_path |= {
        "/api/version": (200, '{"text": "OctoPrint 1.11.8"}'),
        "/api/job": (403, "{}"),
    }
    client = OctoPrintClient(Server(url, KEY))
    with pytest.raises(ServerError, match="no right") as caught:
        client.command("cancel")
    client.close()
    assert caught.value.fault is Fault.RIGHT


def test_an_upload_is_one_form_with_the_file_as_it_is(
    answers: tuple[str, type[Answers]], tmp_path: Path
) -> None:
    url, kind = answers
    kind.by_path["/api/files/local"] = (200, json.dumps({"effectivePrint": True}))
    path = tmp_path / "part"
    path.write_bytes(bytes(range(256)) * 1000)
    client = OctoPrintClient(Server(url, KEY))
    assert client.upload_and_print(path, "a.gcode", lambda: False) is True
    with pytest.raises(ServerError) as caught:
        client.upload_and_print(path, "a.gcode", lambda: True)
    client.close()
    assert caught.value.fault is Fault.GONE
    kind_of_body, body = kind.bodies[0]
    boundary = kind_of_body.partition("boundary=")[2].encode()
    parts = body.split(b"--" + boundary)
    assert parts[-1] == b"--\r\n"
    assert parts[-2].endswith(b"\r\n\r\n" + path.read_bytes() + b"\r\n")
    assert b'name="print"\r\n\r\ntrue\r\n' in body


@pytest.mark.parametrize(
    ("connection", "uploads"),
    [
        ({"current": {"state": "Operational"}}, 1),
        ({"current": {"state": "Closed"}}, 0),
        ({"current": {"state": "Printing"}}, 0),
        ({"current": {}}, 0),
        ({}, 0),
        (None, 0),
    ],
)
def test_no_file_is_sent_where_the_connection_is_not_known_to_be_operational(
    answers: tuple[str, type[Answers]],
    tmp_path: Path,
    connection: dict[str, object] | None,
    uploads: int,
) -> None:
    url, kind = answers
    kind.by_path["/api/files/local"] = (200, json.dumps({"effectivePrint": True}))
    if connection is not None:
        kind.by_path["/api/connection"] = (200, json.dumps(connection))
    path = tmp_path / "part"
    path.write_bytes(b"G28\n")
    worker = Worker(OctoPrintClient(Server(url, KEY)), time.monotonic, lambda: None)
    worker.send(Upload(path, "a.gcode"))
    done = worker.results.get(timeout=60)
    worker.end()
    assert (done.result is True, done.error is None) == (uploads == 1, uploads == 1)
    assert len(kind.bodies) == uploads


def profile(
    port: str | None = "http://octopi.local", **options: str | float | bool
) -> MachineProfile:
    """A machine behind an OctoPrint."""
    return MachineProfile(
        id="p", name="P", kind=MachineKind.PRINTER, driver="octoprint", host="pi1", port=port,
        baud=0, options=options,
    )  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        profile(None, api_key=KEY),
        profile("/dev/ttyUSB0", api_key=KEY),
        profile("http://me:secret@octopi.local", api_key=KEY),
        profile(),
        profile(api_key=KEY, api_key_file="key"),
        profile(api_key=""),
        profile(api_key=3),
        profile(api_key=KEY, patience_s=0),
        profile(api_key=KEY, patience_s=True),
        profile(api_key=KEY, speed=3),
    ],
)
def test_wrong_settings_are_refused(wrong: MachineProfile) -> None:
    with pytest.raises(InputError):
        OctoPrintDriver(wrong, SystemClock())


def test_the_key_is_in_no_error_and_no_log(
    answers: tuple[str, type[Answers]], caplog: pytest.LogCaptureFixture
) -> None:
    url, kind = answers
    kind.by_path["/api/version"] = (403, "{}")
    driver = OctoPrintDriver(profile(url, api_key=KEY), SystemClock())
    with caplog.at_level(logging.DEBUG), pytest.raises(DeviceError) as caught:
        driver.open()
    assert KEY not in caplog.text + str(caught.value) + repr(driver.__dict__)


def test_places_are_lines_and_commands(tmp_path: Path) -> None:
    path = tmp_path / "part.gcode"
    path.write_bytes(b"; c\nG28\n\nG1 X1 ; move\nM84")
    place = FilePlace(path)
    assert [place.at(n) for n in (0, 3, 4, 7, 8, 9, 10, 99)] == [
        (0, 0), (0, 0), (1, 0), (1, 0), (2, 1), (3, 1), (3, 1), (5, 3),
    ]  # fmt: skip
    assert place.position == path.stat().st_size
    place.close()
    with pytest.raises(InputError):
        FilePlace(tmp_path / "none")
