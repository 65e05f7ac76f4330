"""The socket beside a stand-in: JSON lines in, JSON lines out, for tests and for the demo.

A request is one object with ``cmd``; the answer is one object with ``ok`` true, or false with
``error``. After ``watch`` the connection carries a stream of events instead, each with ``t``
(this machine's monotonic clock, s) and ``kind``.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Answerer = Callable[[dict[str, Any]], dict[str, Any]]
_MOST_UNSENT = 8 * 1024 * 1024


class SimError(RuntimeError):
    """The stand-in refused a request, or is not there."""


class Client:
    """One connection to the server."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.watching = False
        self.unsent = bytearray()
        self._line = bytearray()

    def lines(self) -> list[bytes] | None:
        """Return the complete lines that have come; None when the other end is gone."""
        try:
            data = self.connection.recv(65536)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not data:
            return None
        *complete, rest = (bytes(self._line) + data).split(b"\n")
        self._line[:] = rest
        return complete

    def send(self, message: dict[str, Any]) -> None:
        """Queue one message and send what can be sent now."""
        self.unsent += json.dumps(message, ensure_ascii=False).encode() + b"\n"
        self.flush()

    def flush(self) -> None:
        """Send what can be sent now; a reader who never reads loses everything."""
        try:
            sent = self.connection.send(self.unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            sent = len(self.unsent)  # the other end is gone: the next read will say so
        del self.unsent[:sent]
        if len(self.unsent) > _MOST_UNSENT:
            self.unsent.clear()


class ControlServer:
    """Listens on a Unix socket; its descriptors go into the stand-in's own select loop."""

    def __init__(self, path: Path, answer: Answerer) -> None:
        self.path = path
        self._answer = answer
        self.clients: dict[int, Client] = {}
        path.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(path))
        path.chmod(0o600)
        self.listener.listen(8)
        self.listener.setblocking(False)

    def descriptors(self) -> tuple[list[int], list[int]]:
        """Return what to select on for reading and for writing."""
        reading = [self.listener.fileno(), *self.clients]
        return reading, [fd for fd, client in self.clients.items() if client.unsent]

    def serve(self, readable: list[int], writable: list[int]) -> None:
        """Do what select found ready."""
        for fd in writable:
            if fd in self.clients:
                self.clients[fd].flush()
        for fd in readable:
            if fd == self.listener.fileno():
                self._accept()
            elif fd in self.clients:
                self._read(self.clients[fd])

    def tell(self, event: dict[str, Any]) -> None:
        """Send an event to everybody who watches."""
        for client in self.clients.values():
            if client.watching:
                client.send(event)

    def close(self) -> None:
        """Close every connection and remove the socket."""
        for client in self.clients.values():
            client.connection.close()
        self.clients.clear()
        self.listener.close()
        self.path.unlink(missing_ok=True)

    def _accept(self) -> None:
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return  # gone again before we came to it
        connection.setblocking(False)
        self.clients[connection.fileno()] = Client(connection)

    def _read(self, client: Client) -> None:
        lines = client.lines()
        if lines is None:
            del self.clients[client.connection.fileno()]
            client.connection.close()
            return
        for line in lines:
            client.send(self._answered(client, line))

    def _answered(self, client: Client, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                return {"ok": False, "error": 'a request is a JSON object with "cmd"'}
            if request.get("cmd") == "watch":
                client.watching = True
                return {"ok": True}
            return {"ok": True, **self._answer(request)}
        except (ValueError, KeyError, TypeError) as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}


class SimControl:
    """Talk to a running stand-in.

    :param path: its control socket.
    :param timeout: s to wait for an answer.
    :raises SimError: nothing listens there.
    """

    def __init__(self, path: str | Path, timeout: float = 10.0) -> None:
        self.path = Path(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise SimError(f"no stand-in answers at {path}: {error}") from error
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the stand-in goes on."""
        self._file.close()
        self._socket.close()

    def ask(self, command: str, **details: object) -> dict[str, Any]:
        """Send one request and return its answer.

        :raises SimError: it was refused, or the stand-in has ended.
        """
        self._socket.sendall(json.dumps({"cmd": command, **details}).encode() + b"\n")
        answer = self._next()
        if not answer.get("ok"):
            raise SimError(f"{command}: {answer.get('error')}")
        return answer

    def status(self) -> dict[str, Any]:
        """Return phase, port, temperatures, position, counts."""
        return self.ask("status")

    def received(self, start: int = 0) -> list[dict[str, Any]]:
        """Return the commands run so far, in order: ``n`` (None: came without) and ``text``."""
        commands: list[dict[str, Any]] = self.ask("received", start=start)["commands"]
        return commands

    def texts(self, *, numbered_only: bool = True) -> list[str]:
        """Return the texts of the commands run, by default of those with number and checksum."""
        return [c["text"] for c in self.received() if c["n"] is not None or not numbered_only]

    def moves(self, start: int = 0) -> list[dict[str, Any]]:
        """Return the moves run to their end (Grbl): mode, end, feed, power, line."""
        moves: list[dict[str, Any]] = self.ask("moves", start=start)["moves"]
        return moves

    def clear_received(self) -> None:
        """Empty the list of commands."""
        self.ask("clear-received")

    def unplug(self) -> None:
        """Pull the cable; the board stays powered and goes on with what it has."""
        self.ask("unplug")

    def plug(self, *, reset: bool = False) -> None:
        """Put the cable back, on a new pseudo-terminal under the same link."""
        self.ask("plug", reset=reset)

    def reset(self) -> None:
        """Pull the board's reset line."""
        self.ask("reset")

    def inject(self, what: str, **details: object) -> None:
        """Inject a fault; ``--help`` of the stand-in lists them."""
        self.ask("inject", what=what, **details)

    def factor(self, factor: float | str) -> None:
        """Change the speed: simulated seconds per second, or ``instant``."""
        self.ask("factor", factor=factor)

    def watch(self, timeout: float | None = None) -> Iterator[dict[str, Any]]:
        """Return the events from now on, until the stand-in ends; nothing else can be asked here.

        :param timeout: s to wait for the next event before TimeoutError; None for ever.
        """
        self.ask("watch")
        self._socket.settimeout(timeout)
        return (json.loads(line) for line in self._file)

    def _next(self) -> dict[str, Any]:
        line = self._file.readline()
        if not line:
            raise SimError(f"the stand-in at {self.path} has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer
