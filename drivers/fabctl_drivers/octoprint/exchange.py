"""One HTTP session with one server: asked, answered or refused, each within a time limit.

Built on ``http.client``: a machine's process has it in memory anyhow (paho needs it), while
requests and urllib3 cost it 6 MB more. Proxies and passwords of the environment are left out:
the server stands in the lab.
"""

from __future__ import annotations

import contextlib
import json
import select
import ssl
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from fabctl.errors import DeviceError, InputError
from fabctl_drivers.octoprint.multipart import MultipartFile

CONNECT_S = 3.05
"""A little more than the 3 s after which a lost SYN is sent again."""
ANSWER_S = 10.0
QUESTION_S = 4.0
"""A question is answered at once or not at all; a request may take a slow card its time."""
LONGEST_ANSWER = 16 * 1024 * 1024
"""Bytes; a list of some thousand files with their analysis has a few MB."""
BLOCK = 65536


class Fault(StrEnum):
    """What kind of failure a :class:`ServerError` is."""

    GONE = "gone"
    """No answer, or the connection broke: whether it was done is not known."""
    KEY = "key"
    """The key is not (or no longer) good."""
    RIGHT = "right"
    """The key is good, its account lacks a right."""
    CONFLICT = "conflict"
    """The printer's state does not allow it (409)."""
    MISSING = "missing"
    STRANGE = "strange"
    """Not what an OctoPrint server answers."""


class ServerError(DeviceError):
    """The server did not do what was asked; ``fault`` says in which way."""

    def __init__(self, what: str, *, fault: Fault, device: str, next_step: str) -> None:
        super().__init__(what, device=device, next_step=next_step)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is and how to be let in.

    :param url: ``http(s)://host[:port][/path]``.
    :param key: empty for a visitor who has none yet.
    :param ca_file: certificate authority for https with a certificate of one's own.
    """

    url: str
    key: str
    ca_file: Path | None = None

    def __repr__(self) -> str:
        return f"Server({self.url!r})"  # the key is in no log


def checked_url(url: str, machine: str) -> str:
    """Return a server's address without its last slash.

    :raises InputError: it is no http(s) address, or holds a password.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not _is_plain(url):
        raise InputError(
            "the driver octoprint needs the server's address",
            device=machine,
            next_step='give the machine port = "http://octopi.local:80"',
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InputError(
            "the server's address may hold host, port and path only",
            device=machine,
            next_step="put the key into options.api_key_file",
        )
    return url.rstrip("/")


def _is_plain(url: str) -> bool:
    """Whether it can stand in a request as it is, and its port is a number from 1 to 65535."""
    try:
        port = urlsplit(url).port
    except ValueError:
        return False
    return port != 0 and url.isascii() and url.isprintable() and " " not in url


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes

    @property
    def is_good(self) -> bool:
        """Whether it was done. Being sent elsewhere is not: OctoPrint's API does not do that."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    def json(self) -> object:
        """Return the body; None when it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def why(self) -> str | None:
        """OctoPrint's own sentence about a refusal."""
        found = self.json()
        error = found.get("error") if isinstance(found, dict) else None
        return f"{error.rstrip('.')} ({self.status})" if isinstance(error, str) else None


class Exchange:
    """Asks a server, over one connection that is kept open. Used by one thread at a time.

    :raises DeviceError: the certificate authority's file cannot be used.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        parts = urlsplit(server.url)
        self._path = parts.path
        self._connection = _connection(server, parts.hostname or "", parts.port)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def ask(
        self,
        method: str,
        path: str,
        asked: str,
        *,
        body: object = None,
        answer_s: float = ANSWER_S,
    ) -> Answer:
        """Return what the server answers, whatever its status.

        :param asked: the request in words, as it follows "was asked".
        :param body: sent as JSON, a :class:`MultipartFile` as it is; None: no body.
        :raises ServerError: GONE: there is no answer.
        """
        try:
            return self._ask(method, path, body, answer_s)
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise ServerError(
                f"was asked {asked}; {_cause(error)}",
                fault=Fault.GONE,
                device=self.server.url,
                next_step="check that OctoPrint's computer is on and in the network",
            ) from None  # the cause's text can be long and says no more

    def _ask(self, method: str, path: str, body: object, answer_s: float) -> Answer:
        connection = self._connected(answer_s)
        with contextlib.suppress(BrokenPipeError):  # it answers first and reads no further
            connection.request(method, self._path + path, *self._letter(body))
        response = connection.getresponse()
        found = response.read(LONGEST_ANSWER)
        if not response.isclosed():
            connection.close()  # what is left of it would be the next answer
        return Answer(response.status, found)

    def _connected(self, answer_s: float) -> HTTPConnection:
        connection = self._connection
        if connection.sock is not None and select.select([connection.sock], [], [], 0)[0]:
            connection.close()  # readable before it was asked: the server has hung up
        if connection.sock is None:
            connection.timeout = CONNECT_S
            try:
                connection.connect()
            except TimeoutError:
                raise _UnreachableError from None
        connection.sock.settimeout(answer_s)
        return connection

    def _letter(self, body: object) -> tuple[MultipartFile | bytes | None, dict[str, str]]:
        headers = {"X-Api-Key": self.server.key} if self.server.key else {}
        match body:
            case None:
                return None, headers
            case MultipartFile():
                headers |= {"Content-Type": body.content_type, "Content-Length": str(len(body))}
                return body, headers
        return json.dumps(body).encode(), headers | {"Content-Type": "application/json"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _UnreachableError(TimeoutError):
    """No connection within its time."""


def _connection(server: Server, host: str, port: int | None) -> HTTPConnection:
    if server.url.startswith("http:"):
        return HTTPConnection(host, port, blocksize=BLOCK)
    try:
        trust = ssl.create_default_context(cafile=server.ca_file)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise DeviceError(
            f"options.ca_file ({server.ca_file}) cannot be used: {type(error).__name__}",
            device=server.url,
            next_step="give the certificate of the authority that signed OctoPrint's, as PEM",
        ) from error
    return HTTPSConnection(host, port, context=trust, blocksize=BLOCK)


def _cause(error: OSError | HTTPException) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return "its certificate is not trusted"
        case _UnreachableError():
            return f"it cannot be reached within {CONNECT_S:.0f} s"
        case TimeoutError():
            return "it did not answer in time"
        case OSError():
            return "it cannot be reached, or the connection broke"
    return f"that failed ({type(error).__name__})"
