"""A conversation with a running interlock daemon: JSON lines on its Unix socket."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fabctl.errors import DeviceError

ANSWERS_WITHIN_S = 5.0
Words = dict[str, Any]


class InterlockLine:
    """One connection.

    :param path: the socket.
    :raises DeviceError: nobody answers there.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.parent.name
        self._socket = socket.socket(socket.AF_UNIX)
        self._rest = b""
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise DeviceError(
                f"its interlock does not answer: {error}",
                device=self._name,
                next_step=f"is `fabctl interlock {self._name}` running, and by this user?",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def say(self, message: Words) -> None:
        """Send one message.

        :raises DeviceError: the daemon has gone.
        """
        try:
            self._socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise self._gone(error) from error

    def wait(
        self, wanted: Callable[[Words], bool], within_s: float = ANSWERS_WITHIN_S
    ) -> Words | None:
        """Return the first line from now on that is wanted, None when none came in time.

        :raises DeviceError: the daemon has gone.
        """
        end = time.monotonic() + within_s
        while (left := end - time.monotonic()) > 0:
            line = self._line(left)
            if line is not None and wanted(line):
                return line
        return None

    def state(self) -> Words:
        """Ask for the present state.

        :raises DeviceError: the daemon has gone, or tells none.
        """
        self.say({"hello": 1})
        state = self.wait(lambda line: "state" in line)
        if state is None:
            raise DeviceError("its interlock tells no state", device=self._name)
        return state

    def _line(self, within_s: float) -> Words | None:
        self._socket.settimeout(within_s)
        while b"\n" not in self._rest:
            try:
                data = self._socket.recv(4096)
            except TimeoutError:
                return None
            except OSError as error:
                raise self._gone(error) from error
            if not data:
                raise self._gone("it hung up")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        found = json.loads(line)
        return found if isinstance(found, dict) else None

    def _gone(self, why: object) -> DeviceError:
        return DeviceError(f"the conversation with its interlock ended: {why}", device=self._name)
