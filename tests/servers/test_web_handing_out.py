"""Job files for other web processes of the lab: who gets one, and what is deleted when."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fabctl.clock import ManualClock
from fabctl.file_fetching import proof
from fabctl_web.machines.handing_out import fetched
from fabctl_web.machines.tidying import Tidying
from tests.web_lab import SECRET, WebLab, lab_config, web_lab

FILE = b"G28\nG1 X10 F600\n"
SHA256 = hashlib.sha256(FILE).hexdigest()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    config = lab_config(tmp_path)
    with_peers = replace(config.web, peers=("http://127.0.0.1:9",))
    with web_lab(tmp_path, config=replace(config, web=with_peers)) as found:
        yield found


def sent(lab: WebLab) -> Path:
    """Send the file as somebody; return where it lies."""
    lab.certified("camille")
    browser = lab.browser()
    browser.sign_in("camille")
    assert browser.upload(FILE, page="/m/printer-a").status_code == 303
    return lab.config.paths.job_file(SHA256)


def asked(lab: WebLab, said: str | None, sha256: str = SHA256) -> tuple[int, bytes]:
    headers = {"Authorization": said} if said else {}
    answer = lab.app.test_client().get(f"/files/{sha256}", headers=headers)
    data = answer.get_data()
    answer.close()
    return answer.status_code, data


def test_whoever_holds_the_secret_gets_a_file(lab: WebLab) -> None:
    path = sent(lab)
    right = f"fabctl-file {proof(SECRET, SHA256)}"
    assert asked(lab, right) == (200, FILE)
    wrong = (
        None, "fabctl-file x", "fabctl-file", f"Bearer {proof(SECRET, SHA256)}", "Basic eDp5",
        f"fabctl-file {proof(bytes(32), SHA256)}", f"fabctl-file {proof(SECRET, '0' * 64)}",
    )  # fmt: skip
    assert {asked(lab, said)[0] for said in wrong} == {404}
    for name in ("0" * 64, "..", "secret.key", SHA256.upper()):
        assert asked(lab, f"fabctl-file {proof(SECRET, name)}", name)[0] == 404
    path.unlink()
    assert asked(lab, right)[0] == 404  # it asks nobody else in turn


class Peer(BaseHTTPRequestHandler):
    """Another web process that has the file."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(FILE)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


def test_what_the_second_peer_has_is_on_the_disk_too(
    lab: WebLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first, which is switched off, must not take along the file that is made sure of."""
    path = sent(lab)
    path.unlink()
    synced: set[int] = set()
    fsync = os.fsync

    def noting(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    with ThreadingHTTPServer(("127.0.0.1", 0), Peer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        there = f"http://127.0.0.1:{server.server_address[1]}"
        own = lab.app.extensions["fabctl"]
        web = replace(own.config.web, peers=("http://127.0.0.1:9", there))
        with lab.app.app_context():
            assert fetched(replace(own, config=replace(own.config, web=web)), SHA256)
        server.shutdown()
        thread.join()
    assert path.read_bytes() == FILE
    assert path.stat().st_ino in synced
    assert lab.files_on_disk() == [path.name]


def test_what_the_record_forgot_goes_once_a_day(lab: WebLab) -> None:
    assert isinstance(lab.clock, ManualClock)
    kept = sent(lab)
    left, new = (kept.with_name(f"{digit * 64}.gcode") for digit in "01")
    picture = lab.config.paths.previews / f"{'0' * 64}.png"
    picture.parent.mkdir(exist_ok=True)
    for path in (left, picture, new):
        path.write_bytes(b"x")
    old = (lab.clock.now() - timedelta(days=2)).timestamp()
    os.utime(left, (old, old))
    now = lab.clock.now().timestamp()
    os.utime(new, (now, now))
    tidying = Tidying()
    with lab.app.app_context():
        found = lab.app.extensions["fabctl"]
        tidying.after_a_file(found)
        assert [path.exists() for path in (kept, new, left, picture)] == [True, True, False, False]
        os.utime(new, (old, old))
        tidying.after_a_file(found)
        assert new.exists()
        lab.clock.advance(24 * 3600)
        tidying.after_a_file(found)
    assert [path.exists() for path in (kept, new)] == [True, False]


def test_what_another_process_receives_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data/tmp"
    folder.mkdir(parents=True)
    for name in ("upload-held", "upload-left"):
        (folder / name).write_bytes(b"half a file")
    with (folder / "upload-held").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with web_lab(tmp_path) as lab:
            assert lab.files_on_disk() == ["upload-held"]
