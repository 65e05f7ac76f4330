"""A job's file on its way from one of the lab's computers to another, asked for by its SHA-256.

A machine's process asks the lab's server for the file of the job that was just started, with the
token of its host; a web process asks the others for a file that came in there, and shows that it
holds the lab's secret. What arrives counts only if it has the SHA-256 that was asked for.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import io
import re
import socket
import ssl
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from fabctl.clock import Clock, SystemClock
from fabctl.complaint import Complaint
from fabctl.errors import InputError, LocalError
from fabctl.units import Seconds

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SCHEME = "fabctl-file"
"""Of a web process's Authorization header: ``fabctl-file PROOF``."""
CHUNK = 1 << 18
QUIET_S = 20.0
"""So long nothing may come, in s."""
ANSWER_S = 120.0
"""So long the lab's server may think: it may have to fetch a big file itself first."""
SLOWEST_B_PER_S = 20_000
"""A file that comes slower than this, on the whole, is given up."""
LONGEST_S = 600.0
"""So long a file may come at most, whatever its size: after that no job begins by it either."""
_TOKEN = re.compile(r"[!-~]+")
FOUND, NOT_FOUND, REFUSED = 200, 404, (401, 403)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file: what it is, and how long, in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Source:
    """Where files are asked for, and as whom."""

    url: str
    """``https://name`` or ``http://name:port``."""
    path: str
    """What stands before the SHA-256."""
    authorization: Callable[[str], str]
    """Returns the header that shows who asks for this SHA-256."""
    ca_file: Path | None = None
    """The lab's own authority, beside those that this computer trusts."""
    answer_s: float | None = None
    """How long the answer may take to begin; None: as long as anything else."""


def joined_server(url: str, token_file: Path, ca_file: Path | None) -> Source:
    """Return the server that this computer joined.

    :raises LocalError: when it is asked, and the token cannot be read.
    """

    def authorization(_sha256: str) -> str:
        try:
            token = token_file.read_text("ascii", "replace").strip()
        except OSError as error:
            raise LocalError(f"{token_file} cannot be read: {error.strerror}") from error
        if not _TOKEN.fullmatch(token):  # http.client would tell it to everybody in its error
            raise LocalError(f"{token_file} holds no token", next_step="fabctl host join --again")
        return f"Bearer {token}"

    return Source(url, "/api/hosts/files/", authorization, ca_file, ANSWER_S)


def peer(url: str, secret: bytes, ca_file: Path | None) -> Source:
    """Return another web process of this lab."""
    return Source(url, "/files/", lambda sha256: f"{SCHEME} {proof(secret, sha256)}", ca_file)


def proof(secret: bytes, sha256: str) -> str:
    """Return what shows that somebody holds the lab's secret, for this file only; 64 hex digits."""
    covered = b"\n".join((b"fabctl-file-v1", sha256.encode()))
    return hmac.new(secret, covered, hashlib.sha256).hexdigest()


def is_proof(said: str, secret: bytes, sha256: str) -> bool:
    """Say whether a proof is right."""
    return hmac.compare_digest(said.encode(), proof(secret, sha256).encode())


def fetch(
    source: Source,
    wanted: Wanted,
    target: Path,
    go_on: Callable[[], None] = lambda: None,
    clock: Clock | None = None,
) -> None:
    """Write a file to ``target``; where that fails, nothing is left there.

    It is given up when nothing comes for 20 s, and when all of it takes longer than it may.

    :param go_on: called for each piece; what it raises ends the fetching.
    :raises InputError: it is not there, we may not have it, or what came is something else.
    :raises LocalError: nobody answers, or not in time.
    :raises OSError: it cannot be written.
    """
    host = urlsplit(source.url).netloc
    patience = _Patience(clock or SystemClock(), source.answer_s or QUIET_S, wanted.size)
    connection = _connection(source)
    try:
        with closing(_asked(source, connection, wanted.sha256, host, patience)) as answer:
            _require_found(answer.status, host)
            with target.open("wb") as file:
                _received(answer, file, wanted, host, go_on)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    finally:
        connection.close()


def allowed_s(size: int) -> float:
    """Return how long a file of so many bytes may come, in s."""
    return min(LONGEST_S, QUIET_S + size / SLOWEST_B_PER_S)


class _Patience:
    """How long the next byte is waited for; ``answer_s`` for the first one, in s."""

    def __init__(self, clock: Clock, answer_s: float, size: int) -> None:
        self._clock = clock
        self._all_s = answer_s + allowed_s(size)
        self._end = Seconds(clock.monotonic() + self._all_s)
        self.quiet_s = answer_s

    def left_s(self) -> float:
        """Return how long. :raises TimeoutError: no longer at all."""
        left = self._end - self._clock.monotonic()
        if left <= 0:
            raise TimeoutError(f"too slow: it took longer than {self._all_s:.0f} s")
        return min(self.quiet_s, left)


class _Patiently(io.RawIOBase):
    """Reads from a connection as long as there is patience: a trickle is no end in itself."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, patience: _Patience) -> None:
        self._raw, self._sock, self._patience = raw, sock, patience

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        """Wait for something. :raises TimeoutError: it did not come in time."""
        self._sock.settimeout(self._patience.left_s())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Close the connection's side, too."""
        self._raw.close()
        super().close()


def _asked(
    source: Source,
    connection: http.client.HTTPConnection,
    sha256: str,
    host: str,
    patience: _Patience,
) -> http.client.HTTPResponse:
    said = {"Authorization": source.authorization(sha256)}
    try:
        connection.request("GET", f"{source.path}{sha256}", headers=said)
        answer = http.client.HTTPResponse(connection.sock, method="GET")
        patiently = _Patiently(answer.fp.detach(), connection.sock, patience)
        answer.fp = io.BufferedReader(patiently)
        try:
            answer.begin()
        except BaseException:
            answer.close()
            raise
    except (OSError, http.client.HTTPException) as error:
        raise LocalError(f"the file could not be fetched from {host}: {error}") from error
    patience.quiet_s = QUIET_S
    return answer


def _require_found(status: int, host: str) -> None:
    if status == NOT_FOUND:
        raise InputError(f"{host} does not have the file", next_step="send it again")
    if status in REFUSED:
        raise InputError(f"{host} does not hand the file out to us")
    if status != FOUND:
        raise LocalError(f"{host} answered {status} instead of the file")


def _received(
    answer: http.client.HTTPResponse,
    file: BinaryIO,
    wanted: Wanted,
    host: str,
    go_on: Callable[[], None],
) -> None:
    digest, size = hashlib.sha256(), 0
    while piece := _next_piece(answer, host):
        go_on()
        size += len(piece)
        if size > wanted.size:
            break
        digest.update(piece)
        file.write(piece)
    if size < wanted.size:  # http.client does not tell a connection that broke from an end
        raise LocalError(f"the file did not come whole from {host}")
    if size > wanted.size or digest.hexdigest() != wanted.sha256:
        raise InputError(f"what came from {host} is not the file that was asked for")


def _next_piece(answer: http.client.HTTPResponse, host: str) -> bytes:
    try:
        return answer.read1(CHUNK)  # what is there: a trickle must not hold us until all is
    except (OSError, http.client.HTTPException) as error:
        raise LocalError(f"the file did not come whole from {host}: {error}") from error


def _connection(source: Source) -> http.client.HTTPConnection:
    parts = urlsplit(source.url)
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=QUIET_S)
    context = ssl.create_default_context()
    try:
        if source.ca_file is not None:
            context.load_verify_locations(source.ca_file)
    except OSError as error:
        raise LocalError(f"{source.ca_file} cannot be read: {error}") from error
    return http.client.HTTPSConnection(
        parts.hostname or "", parts.port, timeout=QUIET_S, context=context
    )


def fetch_from_any(
    sources: list[Source],
    wanted: Wanted,
    target: Path,
    log: Callable[[str], None],
    clock: Clock | None = None,
) -> bool:
    """Fetch a file from the first that has it; say whether one had.

    :raises OSError: it cannot be written.
    """
    for source in sources:
        try:
            fetch(source, wanted, target, clock=clock)
        except (InputError, LocalError) as error:
            log(Complaint(f"{wanted.sha256[:12]}: {error}"))
        else:
            return True
    return False
