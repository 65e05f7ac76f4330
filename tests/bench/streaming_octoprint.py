"""A real OctoPrint as one of the senders: it connects, takes the file, prints it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.bench.streaming_contest import FINISHED, Asked, Run
from tests.octoprint_server import OctoPrintServer, octoprint_server, until


class OctoPrintSender:
    """One server for all runs. Seconds are those that it tells itself; CPU is its process's."""

    def __init__(self, server: OctoPrintServer) -> None:
        self._server = server
        self._count = 0

    def __call__(self, asked: Asked) -> Run:
        """Connect, print, disconnect."""
        server = self._server
        server.do("/api/settings", serial={"additionalPorts": [str(asked.port)]})
        server.do("/api/connection", command="connect", port=str(asked.port), baudrate=asked.baud)
        try:
            until(lambda: server.state == "Operational", "the machine is operational", 30.0)
            return self._print(asked)
        except (requests.RequestException, AssertionError):
            return Run(0, asked.limit_s, 0.0, f"not finished in {asked.limit_s:.0f} s")
        finally:
            self._let_go()

    def _let_go(self) -> None:
        """Leave the machine; a server that hangs in the middle of a repair is started anew."""
        server = self._server
        try:
            server.disconnect_printer()
            until(lambda: "Offline" in server.state or "Error" in server.state, "it let go")
        except (requests.RequestException, AssertionError):
            server.kill()
            server.start()

    def _print(self, asked: Asked) -> Run:
        server = self._server
        self._count += 1
        name = f"run{self._count}.gcode"
        before = self._cpu_s()
        server.print_elsewhere(name, asked.file.read_bytes())
        until(lambda: self._last(name) is not None, "printed", asked.limit_s)
        cpu_s = self._cpu_s() - before
        last = self._last(name) or {}
        lines = asked.file.read_bytes().count(b"\n")
        outcome = FINISHED if last["success"] else "the server says that it failed"
        return Run(lines, last["printTime"], cpu_s, outcome)

    def _last(self, name: str) -> dict[str, float] | None:
        told = self._server.ask("GET", f"/api/files/local/{name}").json()
        found = told.get("prints", {}).get("last")
        return found if found and "printTime" in found else None

    def _cpu_s(self) -> float:
        process = self._server._process
        assert process is not None
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def octoprint_sender(folder: Path) -> Iterator[OctoPrintSender]:
    """Give a running server as a sender."""
    with octoprint_server(folder) as server:
        yield OctoPrintSender(server)
