"""The proxy configurations of deploy/proxy, before a small server that tells what it was told."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.brokers import wait_until
from tests.ports import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
NAME = "machines.fablab.example"
SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin"


Proxy = Callable[[Path, int], AbstractContextManager["Front"]]


class Teller(BaseHTTPRequestHandler):
    """Answers with the headers that came; /stream sends one event and then waits."""

    protocol_version = "HTTP/1.1"
    go_on = threading.Event()

    def do_GET(self) -> None:
        """Answer."""
        if self.path == "/stream":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"data: first\n\n")
            self.wfile.flush()
            self.go_on.wait(30)
            self.close_connection = True
            return
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@dataclass
class Front:
    """A proxy's own ports, and who vouches for it."""

    secure: int
    plain: int
    name: str
    trusted: Callable[[], Path]
    said: list[str] = field(default_factory=list)

    def connection(self) -> HTTPSConnection:
        context = ssl.create_default_context(cafile=str(self.trusted()))
        return HTTPSConnection(self.name, self.secure, context=context, timeout=15)

    def answers(self) -> bool:
        """Say whether it has its certificate and serves."""
        try:
            with self.connection_that_closes() as connection:
                connection.request("GET", "/")
                return connection.getresponse().status == 200
        except OSError:
            return False

    @contextmanager
    def connection_that_closes(self) -> Iterator[HTTPSConnection]:
        connection = self.connection()
        try:
            yield connection
        finally:
            connection.close()


def need(program: str) -> str:
    """Return where a program is; skip without it on a person's computer, fail on CI."""
    found = shutil.which(program, path=SBIN)
    if found is None:
        missing = f"{program} is missing: apt-get install nginx-light caddy"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@pytest.fixture(scope="module")
def backend() -> Iterator[int]:
    """Run the small server; return its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Teller)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    Teller.go_on.set()
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def nginx(folder: Path, backend: int) -> Iterator[Front]:
    program = need("nginx")
    secure, plain = free_port(), free_port()
    subprocess.run([DEPLOY / "make-certificates.sh", folder, "localhost"], check=True, timeout=30)
    ours = (DEPLOY / "proxy" / "nginx.conf").read_text()
    for old, new in (
        ("    listen [::]:80;\n", ""),
        ("    listen [::]:443 ssl http2;\n", ""),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{secure} ssl"),
        (f"/etc/fabctl/tls/{NAME}", str(folder / "localhost")),
        (NAME, "localhost"),
        ("http://127.0.0.1:8080", f"http://127.0.0.1:{backend}"),
        ("/var/log/nginx/error.log", str(folder / "log")),
    ):
        assert old in ours, old
        ours = ours.replace(old, new)
    (folder / "fabctl.conf").write_text(ours)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/log;\nevents {{}}\n"
        # as Debian has it, whose requests ours keep out of it
        f"http {{ access_log {folder}/access;\n{temporary}include {folder}/fabctl.conf; }}\n"
    )
    words = [
        program,
        "-p",
        str(folder),
        "-e",
        str(folder / "log"),
        "-c",
        str(folder / "nginx.conf"),
    ]
    subprocess.run([*words, "-t", "-q"], check=True, timeout=10)
    with started(words, folder):
        yield Front(secure, plain, "localhost", lambda: folder / "lab-ca.pem")


@contextmanager
def caddy(folder: Path, backend: int) -> Iterator[Front]:
    program = need("caddy")
    secure, plain = free_port(), free_port()
    ours = (DEPLOY / "proxy" / "Caddyfile").read_text()
    own = f"\tskip_install_trust\n\tadmin off\n\thttp_port {plain}\n\thttps_port {secure}\n"
    own += f"\tstorage file_system {folder}/kept\n"
    for old, new in (
        ("\tskip_install_trust\n", own),
        (f"{NAME} {{", "localhost {"),
        ("127.0.0.1:8080", f"127.0.0.1:{backend}"),
    ):
        assert old in ours, old
        ours = ours.replace(old, new)
    (folder / "Caddyfile").write_text(ours)
    words = [program, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with started(words, folder):
        root = folder / "kept/pki/authorities/local/root.crt"
        yield Front(secure, plain, "localhost", lambda: root)


@contextmanager
def started(words: list[str], folder: Path) -> Iterator[None]:
    environment = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(words, stdout=output, stderr=output, env=environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("proxy", [nginx, caddy])
def test_events_go_on_at_once_and_headers_are_the_proxys_own(
    proxy: Proxy, tmp_path: Path, backend: int
) -> None:
    with proxy(tmp_path, backend) as front:
        wait_until(front.answers, f"it serves: {(tmp_path / 'output').read_text()}")
        with front.connection_that_closes() as connection:
            forged = {"X-Forwarded-For": "10.1.2.3", "X-Forwarded-Host": "evil.example"}
            forged["X-Forwarded-Proto"] = "http"
            connection.request("GET", "/", headers=forged)
            told = json.loads(connection.getresponse().read())
            assert told["x-forwarded-for"] == "127.0.0.1"
            assert told["x-forwarded-proto"] == "https"
            assert told["x-forwarded-host"].partition(":")[0] == "localhost"
            assert told["host"].partition(":")[0] == "localhost"

            Teller.go_on.clear()
            connection.request("GET", "/stream")  # its end comes after the assertion only
            try:
                assert connection.getresponse().readline() == b"data: first\n"
            finally:
                Teller.go_on.set()


@pytest.mark.parametrize("proxy", [nginx, caddy])
def test_without_tls_one_is_sent_to_it(proxy: Proxy, tmp_path: Path, backend: int) -> None:
    with proxy(tmp_path, backend) as front:
        wait_until(front.answers, f"it serves: {(tmp_path / 'output').read_text()}")
        with socket.create_connection(("localhost", front.plain), timeout=10) as plain:
            plain.sendall(b"GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            said = plain.makefile("rb").read().decode()
        assert said.split()[1] in {"301", "308"}
        assert "https://localhost" in said


@pytest.mark.parametrize("proxy", [nginx, caddy])
def test_no_request_is_written_down(proxy: Proxy, tmp_path: Path, backend: int) -> None:
    """Whom the staff search for stands in the address, also where the pages do not answer."""
    for port, expected in ((backend, 200), (free_port(), 502)):
        folder = tmp_path / str(expected)
        folder.mkdir()
        with proxy(folder, port) as front:
            answers = partial(has_answered, front, expected)
            wait_until(answers, f"it answers: {(folder / 'output').read_text()}")
            with socket.create_connection(("localhost", front.plain), timeout=10) as plain:
                plain.sendall(b"GET /?words=Camille HTTP/1.0\r\nHost: localhost\r\n\r\n")
                plain.makefile("rb").read()
        written = "".join(
            file.read_text(errors="replace") for file in folder.rglob("*") if file.is_file()
        )
        assert "output" in {file.name for file in folder.iterdir()}
        assert [line for line in written.splitlines() if "Camille" in line] == []


def has_answered(front: Front, status: int) -> bool:
    """Search for a name as the staff do; say whether it is answered so."""
    try:
        with front.connection_that_closes() as connection:
            connection.request("GET", "/staff/people/?words=Camille")
            return connection.getresponse().status == status
    except OSError:
        return False
