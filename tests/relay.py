"""A relay in the network before a server: connections through it can be cut."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self


class Relay:
    """Stands in the network before a server: its connections can be cut, and made anew."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._door = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._guard = threading.Lock()
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._welcome, daemon=True).start()

    @property
    def sockets_open(self) -> int:
        """How many ends of connections there are."""
        with self._guard:
            return len(self._open)

    def cut(self) -> None:
        """Break every connection."""
        with self._guard:
            for one in self._open:
                with contextlib.suppress(OSError):  # it broke by itself
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
            self._open.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._door.close()
        self.cut()

    def _welcome(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:  # the door is closed
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            with self._guard:
                self._open += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):  # cut
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
