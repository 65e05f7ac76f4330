"""The push connection: a web socket that the server writes its status into.

Source: OctoPrint documentation, "Push updates"; ``/sockjs/websocket`` is the raw socket, without
SockJS frames. The only import of websocket-client.
"""

from __future__ import annotations

import contextlib
import json
import ssl

import websocket

from fabctl.errors import DeviceError
from fabctl_drivers.octoprint.client import OctoPrintClient
from fabctl_drivers.octoprint.exchange import Server
from fabctl_drivers.octoprint.status import PUSH_SUBSCRIPTION

OPEN_S = 5.0
PING_AFTER_S = 15.0
DEAD_AFTER_S = 25.0


class PushLine:
    """An open push connection. :meth:`fileno` is readable when there is something to read."""

    def __init__(self, socket: websocket.WebSocket, now: float) -> None:
        self._socket = socket
        assert socket.sock is not None  # noqa: S101  # it was opened just now
        self._descriptor = int(socket.sock.fileno())
        self._heard_at = now
        self._pinged_at = now

    @classmethod
    def open(cls, client: OctoPrintClient, now: float) -> PushLine:
        """Sign in and subscribe.

        :raises DeviceError: it cannot be opened; the status has to be asked for.
        """
        token = client.sign_in()
        try:
            socket = _connect(client.server)
            socket.send(json.dumps({"auth": token}))
            socket.send(json.dumps({"subscribe": dict(PUSH_SUBSCRIPTION)}))
        except (websocket.WebSocketException, OSError, ValueError) as error:
            raise _lost(client.server.url, type(error).__name__) from None
        return cls(socket, now)

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._descriptor

    @property
    def has_more(self) -> bool:
        """Whether there is something to read that the descriptor does not show (https)."""
        sock = self._socket.sock
        return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0

    def read(self, now: float) -> str | None:
        """Return one message; None when what came was none.

        :raises DeviceError: the connection is over.
        """
        try:
            opcode, data = self._socket.recv_data(control_frame=True)
        except (BlockingIOError, ssl.SSLWantReadError):
            return None  # half a frame: the rest comes with a later reading, or tick() ends it
        except (websocket.WebSocketException, OSError) as error:
            raise _lost("the push connection", type(error).__name__) from None
        self._heard_at = now
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise _lost("the push connection", "the server closed it")
        is_text = opcode == websocket.ABNF.OPCODE_TEXT
        return bytes(data).decode(errors="replace") if is_text else None

    def tick(self, now: float) -> None:
        """Ask a silent server whether the connection still is.

        :raises DeviceError: it is not.
        """
        silent = now - self._heard_at
        if silent > DEAD_AFTER_S:
            raise _lost("the push connection", f"it was silent for {silent:.0f} s")
        if silent > PING_AFTER_S and now - self._pinged_at > PING_AFTER_S:
            self._pinged_at = now
            try:
                self._socket.ping()
            except (websocket.WebSocketException, OSError) as error:
                raise _lost("the push connection", type(error).__name__) from None

    def close(self) -> None:
        """Close the connection; one that is gone is closed too."""
        with contextlib.suppress(websocket.WebSocketException, OSError):
            self._socket.shutdown()  # type: ignore[no-untyped-call]  # it has no annotation


def _connect(server: Server) -> websocket.WebSocket:
    address = "ws" + server.url.removeprefix("http") + "/sockjs/websocket"
    options = {"ca_certs": str(server.ca_file)} if server.ca_file else {}
    socket = websocket.create_connection(
        address, timeout=OPEN_S, sslopt=options, http_no_proxy=["*"], enable_multithread=False
    )
    socket.settimeout(0)  # a frame may never become whole: nobody waits for it
    return socket


def _lost(device: str, happened: str) -> DeviceError:
    return DeviceError(
        f"push updates ended: {happened}", device=device, next_step="the status is asked for"
    )
