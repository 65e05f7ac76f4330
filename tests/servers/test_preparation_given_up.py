"""A job is given up while its file is on its way from a computer that has fallen silent."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from pathlib import Path

import pytest

from fabctl import file_fetching
from fabctl.file_fetching import Source
from fabctl.hosting.preparation import PART, Preparation, Prepared, Ready
from fabctl.messaging.payloads import StartOrder
from fabctl.ports import MachineKind, MachineProfile
from tests.brokers import wait_until

FILE = b"G28\nG1 X1 F600\n"
ORDER = StartOrder("job-1", hashlib.sha256(FILE).hexdigest(), len(FILE), "a.gcode", 2, 2)
PROFILE = MachineProfile(
    "printer", "Printer", MachineKind.PRINTER, "marlin", "here", port=None, baud=115_200
)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(FILE)


def test_nobody_waits_for_a_server_that_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_fetching, "QUIET_S", 3600.0)
    said: list[Prepared] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = Source(f"http://127.0.0.1:{server.getsockname()[1]}", "/", lambda _sha256: "me")
        late = Preparation(ORDER, PROFILE, tmp_path / "none", tmp_path, said.append, source)
        late.begin()
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(HEAD + FILE[:4])
            giving_up = threading.Thread(target=late.cancel, daemon=True)
            giving_up.start()
            giving_up.join(60.0)
            assert not giving_up.is_alive(), "it waits for the server"

            # the next job's file is here; what comes late of the first takes no other's place
            (tmp_path / "there").write_bytes(FILE)
            os.link(tmp_path / "there", tmp_path / "job.gcode")
            connection.sendall(FILE[4:])
        wait_until(lambda: not list(tmp_path.glob(f"{PART}*")), "what came late is gone")
    assert (tmp_path / "job.gcode").samefile(tmp_path / "there")
    assert said == []


def test_what_came_whole_takes_its_place(tmp_path: Path) -> None:
    done: list[Prepared] = []
    (tmp_path / f"{PART}of-a-killed-process").touch()
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = Source(f"http://127.0.0.1:{server.getsockname()[1]}", "/", lambda _sha256: "me")
        Preparation(ORDER, PROFILE, tmp_path / "none", tmp_path, done.append, source).begin()
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(HEAD + FILE)
            wait_until(lambda: bool(done), "the file is checked")
    assert isinstance(done[0].result, Ready)
    assert [path.name for path in tmp_path.iterdir()] == ["job.gcode"]
