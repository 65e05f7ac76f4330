"""Many open pages in one process: what each was shown of which machine, and when.

``python -m tests.bench.scale_screens --address HOST:PORT --boards 100 --pages ID,ID,…`` opens that
many boards' streams and one machine's page for each ID. With SIGTERM it prints one JSON object: how
many were refused (a page would ask every 10 s instead), how many events came, and every change of a
machine's look as [monotonic time, screen, machine, look].
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import selectors
import signal
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

LOOK = re.compile(rb"event: (?:face|live)-(\S+)\ndata: .{0,40}?state-([a-z]+)")
END = b"\n\n"


@dataclass
class Screen:
    """One open stream."""

    number: int
    path: str
    looks: dict[bytes, bytes] = field(default_factory=dict)
    rest: bytes = b""
    begun: bool = False


class Room:
    """All screens in one loop."""

    def __init__(self, host: str, port: int, paths: list[str]) -> None:
        self._selector = selectors.DefaultSelector()
        self._seen: list[tuple[float, int, str, str]] = []
        self._counts: Counter[str] = Counter()
        self.is_over = False
        for number, path in enumerate(paths):
            connection = socket.create_connection((host, port), timeout=30)
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
            connection.setblocking(False)
            self._selector.register(connection, selectors.EVENT_READ, Screen(number, path))

    def run(self) -> None:
        """Read until the end."""
        while not self.is_over:
            for key, _ in self._selector.select(0.2):
                assert isinstance(key.fileobj, socket.socket)
                self._read(key.fileobj, key.data)

    def _read(self, connection: socket.socket, screen: Screen) -> None:
        try:
            data = connection.recv(262_144)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        now = time.monotonic()
        if not data:
            self._counts["closed"] += 1
            self._selector.unregister(connection)
            connection.close()
            return
        if not screen.begun:
            screen.begun = True
            self._counts["opened" if b" 200 " in data[:32] else "refused"] += 1
        whole, mark, screen.rest = (screen.rest + data).rpartition(END)
        self._counts["bytes"] += len(data)
        for machine, look in LOOK.findall(whole + mark):
            self._counts["events"] += 1
            if screen.looks.get(machine) != look:
                screen.looks[machine] = look
                self._seen.append((now, screen.number, machine.decode(), look.decode()))

    def told(self) -> dict[str, object]:
        """Return all that was seen."""
        return {**self._counts, "seen": self._seen}


def main() -> None:
    """Read the command line."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--address", required=True)
    words.add_argument("--boards", type=int, default=100)
    words.add_argument("--pages", default="")
    asked = words.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    host, _, port = asked.address.partition(":")
    pages = [f"/events?machine={one}" for one in asked.pages.split(",") if one]
    room = Room(host, int(port), ["/events"] * asked.boards + pages)
    signal.signal(signal.SIGTERM, lambda *_: setattr(room, "is_over", True))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    room.run()
    sys.stdout.write(json.dumps(room.told()))


if __name__ == "__main__":
    main()
