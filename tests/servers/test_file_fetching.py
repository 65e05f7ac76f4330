"""Fetching a job's file from another computer: from a small server that does it right, or not."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fabctl import file_fetching
from fabctl.clock import ManualClock
from fabctl.errors import FabError, InputError, LocalError
from fabctl.file_fetching import (
    CHUNK,
    Source,
    Wanted,
    allowed_s,
    fetch,
    fetch_from_any,
    is_proof,
    joined_server,
    peer,
    proof,
)
from fabctl.units import Seconds

FILE = b"G1 X1\n" * (2 * CHUNK // 6)
WANTED = Wanted(hashlib.sha256(FILE).hexdigest(), len(FILE))
SECRET = bytes(range(32))


class Keeper(BaseHTTPRequestHandler):
    """The first word of the address says how it answers."""

    def do_GET(self) -> None:
        """Answer."""
        way, sha256 = self.path.strip("/").rsplit("/", 1)
        if way in {"404", "401", "403", "500", "302"}:
            self.send_response(int(way))
            self.send_header("Location", f"/right/{sha256}")
            self.end_headers()
            return
        if (
            way == "files"
            and self.headers["Authorization"] != f"fabctl-file {proof(SECRET, sha256)}"
        ):
            way = "other"
        if way == "api/hosts/files" and self.headers["Authorization"] != "Bearer a-token":
            way = "other"
        content = {"other": b"x" * len(FILE), "longer": FILE + b"\n", "shorter": FILE[:-1]}
        body = content.get(way, FILE)
        self.send_response(200)
        self.send_header("Content-Length", str(len(FILE) if way == "torn" else len(body)))
        self.end_headers()
        self.wfile.write(body[: CHUNK if way == "torn" else None])

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Keeper) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def source(url: str, way: str) -> Source:
    return Source(url, f"/{way}/", lambda _sha256: "anybody")


def test_a_file_comes_whole(url: str, tmp_path: Path) -> None:
    pieces: list[None] = []
    fetch(source(url, "right"), WANTED, tmp_path / "file", lambda: pieces.append(None))
    assert (tmp_path / "file").read_bytes() == FILE
    assert len(pieces) >= 2


@pytest.mark.parametrize(
    ("way", "error", "why"),
    [
        ("404", InputError, "does not have the file → send it again"),
        ("401", InputError, "does not hand the file out to us"),
        ("403", InputError, "does not hand the file out to us"),
        ("500", LocalError, "answered 500"),
        ("302", LocalError, "answered 302"),
        ("other", InputError, "is not the file that was asked for"),
        ("longer", InputError, "is not the file that was asked for"),
        ("shorter", LocalError, "did not come whole"),
        ("torn", LocalError, "did not come whole"),
    ],
)
def test_what_is_not_the_file_is_nowhere(
    url: str, tmp_path: Path, way: str, error: type[FabError], why: str
) -> None:
    with pytest.raises(error, match=why):
        fetch(source(url, way), WANTED, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_it_can_be_given_up(url: str, tmp_path: Path) -> None:
    class GivenUpError(Exception):
        pass

    def give_up() -> None:
        raise GivenUpError

    with pytest.raises(GivenUpError):
        fetch(source(url, "right"), WANTED, tmp_path / "file", give_up)
    assert list(tmp_path.iterdir()) == []


def test_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"could not be fetched from 127\.0\.0\.1:9"):
        fetch(source("http://127.0.0.1:9", "right"), WANTED, tmp_path / "file")


def test_the_first_that_has_it_counts(url: str, tmp_path: Path) -> None:
    said: list[str] = []
    sources = [source(url, "404"), source(url, "other"), source(url, "right"), source(url, "500")]
    assert fetch_from_any(sources, WANTED, tmp_path / "file", said.append)
    assert (tmp_path / "file").read_bytes() == FILE
    assert len(said) == 2
    assert not fetch_from_any(sources[:2], WANTED, tmp_path / "other", said.append)


def test_who_asks_shows_it(url: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a-token\n")
    fetch(peer(url, SECRET, None), WANTED, tmp_path / "file")
    fetch(joined_server(url, token, None), WANTED, tmp_path / "file")
    for spoilt in ("", "a-token\nanother", "a-tokén"):
        token.write_text(spoilt)
        with pytest.raises(LocalError, match="holds no token") as error:
            fetch(joined_server(url, token, None), WANTED, tmp_path / "file")
        assert "a-tok" not in str(error.value), "what is wrong with it is nobody's to read"
    token.unlink()
    with pytest.raises(LocalError, match="token cannot be read"):
        fetch(joined_server(url, token, None), WANTED, tmp_path / "file")


def test_a_proof_is_for_one_file_and_one_secret() -> None:
    said = proof(SECRET, WANTED.sha256)
    assert is_proof(said, SECRET, WANTED.sha256)
    assert not is_proof(said, SECRET, "0" * 64)
    assert not is_proof(said, bytes(32), WANTED.sha256)
    assert not is_proof("é", SECRET, WANTED.sha256)


def test_a_server_that_has_to_fetch_it_first_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_fetching, "QUIET_S", 0.5)
    token = tmp_path / "token"
    token.write_text("a-token\n")
    small = b"G28\n"
    wanted = Wanted(hashlib.sha256(small).hexdigest(), len(small))
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_late() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                time.sleep(1.5)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + small)
                connection.recv(4096)  # until the other side has it

        thread = threading.Thread(target=answer_late)
        thread.start()
        late = f"http://127.0.0.1:{server.getsockname()[1]}"
        fetch(joined_server(late, token, None), wanted, tmp_path / "file")
        thread.join()
    assert (tmp_path / "file").read_bytes() == small


class HurriedClock(ManualClock):
    """Whoever looks at it finds that nearly two minutes have gone."""

    def monotonic(self) -> Seconds:
        """Return another moment."""
        self.advance(110.0)
        return self.elapsed


@pytest.mark.parametrize(
    ("begun", "why"),
    [
        (b"H", r"could not be fetched from .*: too slow: it took longer than 200 s"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nG", "not come whole from .*: too slow"),
    ],
)
def test_a_trickle_is_given_up_when_its_time_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: bytes, why: str
) -> None:
    """Something has just come, so it was not silent for long."""
    monkeypatch.setattr(file_fetching, "QUIET_S", 100.0)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def begin() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(begun)
                connection.recv(4096)  # until the other side has gone

        thread = threading.Thread(target=begin)
        thread.start()
        slow = source(f"http://127.0.0.1:{server.getsockname()[1]}", "right")
        with pytest.raises(LocalError, match=why):
            fetch(slow, Wanted("0" * 64, 9), tmp_path / "file", clock=HurriedClock())
        thread.join()
    assert list(tmp_path.iterdir()) == []


def test_how_long_a_file_may_come() -> None:
    assert allowed_s(1_000_000) == 70.0
    assert allowed_s(200_000_000) == 600.0
