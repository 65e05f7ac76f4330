"""``fabctl octoprint-key`` against a real OctoPrint, with somebody at its page."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.octoprint_server import OctoPrintServer, octoprint_server, until

pytestmark = pytest.mark.timeout(180)
# OctoPrint takes three requests a minute from one address, so there are three here.


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OctoPrintServer]:
    with octoprint_server(tmp_path_factory.mktemp("octokey")) as server:
        yield server


def asking(server: OctoPrintServer, out: Path, *more: str) -> subprocess.Popen[str]:
    base = [sys.executable, "-m", "fabctl", "octoprint-key", "--url", server.url, "--out", str(out)]
    return subprocess.Popen(
        [*base, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def pending(server: OctoPrintServer) -> list[dict[str, str]]:
    found = server.ask("GET", "/api/plugin/appkeys").json()["pending"]
    assert isinstance(found, dict)
    return list(found.values())


def decide(server: OctoPrintServer, *, yes: bool) -> None:
    """What the button on OctoPrint's page does."""
    until(lambda: bool(pending(server)), "the request is shown")
    (request,) = pending(server)
    assert request["app_id"] == "fabctl"
    server.do(f"/plugin/appkeys/decision/{request['user_token']}", decision=yes)


def test_a_person_confirms_and_the_key_works(server: OctoPrintServer, tmp_path: Path) -> None:
    out = tmp_path / "printer.key"
    with asking(server, out) as process:
        decide(server, yes=True)
        said, trouble = process.communicate(timeout=90)
    assert process.returncode == 0, trouble
    assert f"{server.url}/plugin/appkeys/auth/" in said
    key = out.read_text().strip()
    assert key not in said + trouble
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    answer = requests.get(f"{server.url}/api/job", headers={"X-Api-Key": key}, timeout=60)
    assert answer.ok


def test_a_person_says_no(server: OctoPrintServer, tmp_path: Path) -> None:
    out = tmp_path / "printer.key"
    with asking(server, out) as process:
        decide(server, yes=False)
        _, trouble = process.communicate(timeout=90)
    assert process.returncode == 2
    assert "the person there said no" in trouble
    assert not out.exists()


def test_nobody_is_there(server: OctoPrintServer, tmp_path: Path) -> None:
    with asking(server, tmp_path / "printer.key", "--wait", "2") as process:
        _, trouble = process.communicate(timeout=90)
    assert process.returncode == 2
    assert "nobody confirmed in time" in trouble


def test_what_needs_no_request(server: OctoPrintServer, tmp_path: Path) -> None:
    out = tmp_path / "printer.key"
    out.write_text("mine")
    with asking(server, out) as process:
        assert "there is such a file already" in process.communicate(timeout=90)[1]
    assert (process.returncode, out.read_text()) == (2, "mine")
    with asking(server, tmp_path / "other.key", "--url", f"{server.url}/elsewhere") as process:
        assert "it has no application keys" in process.communicate(timeout=90)[1]
    with asking(server, tmp_path / "other.key", "--url", "octopi.local") as process:
        assert "needs the server's address" in process.communicate(timeout=90)[1]
    assert not (tmp_path / "other.key").exists()
