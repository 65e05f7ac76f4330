"""A machine's camera: asked only while somebody looks, bounded; an old picture is never live."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fabctl.clock import ManualClock
from fabctl_web.headers import FILE_POLICY
from fabctl_web.machines.camera import LARGEST, TOO_OLD_S, Camera
from tests.gcode_pictures import png
from tests.web_lab import WebLab, lab_config, web_lab

PICTURE = png(32, 24)
JPEG = b"\xff\xd8\xff\xe0 a picture"
PAGE = "/m/printer-a"
KIOSK = "127.0.0.1"


@dataclass
class Eye:
    """A camera's web server."""

    url: str = ""
    type: str = "image/png"
    data: bytes = PICTURE
    status: int = 200
    asked: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def eye() -> Iterator[Eye]:
    found = Eye()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            self.send_response(found.status)
            self.send_header("Content-Type", found.type)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(found.data)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}/snapshot"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def camera(eye: Eye, clock: ManualClock) -> Camera:
    return Camera(eye.url, clock)


def test_at_most_one_question_per_second(eye: Eye, clock: ManualClock, camera: Camera) -> None:
    assert eye.asked == [], "nobody looked"
    for _ in range(5):
        found = camera.snapshot()
        assert found
        assert (found[0].type, found[0].data, found[1]) == ("image/png", PICTURE, 0.0)
    assert eye.asked == ["/snapshot"]
    clock.advance(1.0)
    camera.snapshot()
    assert len(eye.asked) == 2


def test_an_old_picture_is_not_given_out(eye: Eye, clock: ManualClock, camera: Camera) -> None:
    assert camera.snapshot()
    eye.status = 500
    clock.advance(4.0)
    found = camera.snapshot()
    assert found
    assert found[1] == 4.0, "its age is told"
    clock.advance(TOO_OLD_S)
    assert camera.snapshot() is None
    assert "500" in camera.trouble
    eye.status = 200
    clock.advance(1.0)
    assert camera.snapshot()
    assert camera.trouble == ""


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("text/html", PICTURE),
        ("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("image/png", b"<html>no picture</html>"),
        ("image/jpeg", PICTURE),
        ("image/png", b""),
        ("image/png", PICTURE + bytes(LARGEST)),
    ],
)
def test_what_is_no_picture_is_not_shown(eye: Eye, camera: Camera, kind: str, data: bytes) -> None:
    eye.type, eye.data = kind, data
    assert camera.snapshot() is None
    assert camera.trouble


def test_no_redirect_is_followed(eye: Eye, camera: Camera) -> None:
    eye.status, eye.headers = 302, {"Location": "/elsewhere"}
    assert camera.snapshot() is None
    assert eye.asked == ["/snapshot"]


def test_a_camera_that_is_away_is_no_error(clock: ManualClock) -> None:
    assert Camera("http://127.0.0.1:9/", clock).snapshot() is None


@pytest.fixture
def lab(tmp_path: Path, eye: Eye) -> Iterator[WebLab]:
    config = lab_config(tmp_path)
    seen = replace(config.machines["printer-a"], camera=eye.url)
    config = replace(config, machines={**config.machines, "printer-a": seen})
    with web_lab(tmp_path, config=config) as found:
        yield found


def test_who_sees_the_camera(lab: WebLab, eye: Eye) -> None:
    stranger, screen = lab.browser(), lab.browser(KIOSK)
    assert 'id="camera"' not in stranger.get(PAGE).get_data(as_text=True)
    assert stranger.get(f"{PAGE}/camera").status_code == 404
    assert 'id="camera"' in screen.get(PAGE).get_data(as_text=True)
    assert eye.asked == [], "a page alone asks nothing"
    assert screen.get(f"{PAGE}/camera").data == PICTURE
    lab.person("alex")
    alex = lab.browser()
    alex.sign_in("alex")
    assert alex.get(f"{PAGE}/camera").status_code == 200
    assert 'id="camera"' not in screen.get("/m/printer-b").get_data(as_text=True)
    assert screen.get("/m/printer-b/camera").status_code == 404


def test_the_answer_says_its_age_and_is_kept_nowhere(lab: WebLab, eye: Eye) -> None:
    eye.type, eye.data = "image/jpeg", JPEG
    screen = lab.browser(KIOSK)
    answer = screen.get(f"{PAGE}/camera")
    assert (answer.mimetype, answer.headers["Age"]) == ("image/jpeg", "0")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"] == FILE_POLICY
    eye.type = "text/plain"
    assert isinstance(lab.clock, ManualClock)
    lab.clock.advance(3.0)
    assert screen.get(f"{PAGE}/camera").headers["Age"] == "3"
    lab.clock.advance(10.0)
    assert screen.get(f"{PAGE}/camera").status_code == 503
