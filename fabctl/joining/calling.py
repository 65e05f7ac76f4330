"""Calling the lab's server from a computer that joins it, or that joined: HTTPS, checked.

Who the server is, is known by an authority's certificate, or by the SHA-256 of the server's own
that a person compared. Plain HTTP goes to this computer only.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import secrets
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from fabctl.config_broker import is_loopback
from fabctl.errors import DeviceError, FabError, InputError

WITHIN_S = 20.0
MOST_BYTES = 1 << 20
JOIN_PATH = "/api/hosts/join"


class NotTrustedError(FabError):
    """The server's certificate is nobody's that this computer trusts."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a lab's server is."""

    host: str
    port: int
    tls: bool

    @property
    def url(self) -> str:
        """Its address as lab.toml has it."""
        scheme, usual = ("https", 443) if self.tls else ("http", 80)
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}" + ("" if self.port == usual else f":{self.port}")


def parse_server(url: str) -> Server:
    """Return what an address says.

    :raises InputError: it is none, or plain HTTP to another computer.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InputError(f"{url!r} is no address: {error}") from error
    host = parts.hostname or ""
    if parts.scheme not in {"https", "http"} or not host or parts.path.strip("/") or parts.username:
        raise InputError(f"{url!r} is no address", limit="https://NAME or https://NAME:PORT")
    if parts.scheme == "http" and not is_loopback(host):
        raise InputError(
            f"{url} is not encrypted: keys and passwords would be read on their way",
            next_step="use https://; deploy/proxy has what the lab's server needs",
        )
    return Server(host, port or (443 if parts.scheme == "https" else 80), parts.scheme == "https")


@dataclass(frozen=True, slots=True)
class Trust:
    """By what the server is known."""

    authority: str | None = None
    """PEM; None: whom this computer trusts anyway."""
    fingerprint: str | None = None
    """64 hex digits: the server's own certificate, and no authority counts."""


def fingerprint(said: str) -> str:
    """Return a fingerprint's 64 hex digits. :raises InputError: it is none."""
    plain = said.replace(":", "").replace(" ", "").lower()
    if len(plain) != 64 or any(one not in "0123456789abcdef" for one in plain):
        raise InputError("that is no SHA-256 fingerprint", limit="64 hex digits")
    return plain


def shown(plain: str) -> str:
    """Return a fingerprint as people compare it: ``AB:CD:…``."""
    return ":".join(plain[n : n + 2] for n in range(0, len(plain), 2)).upper()


def seen_fingerprint(server: Server) -> str:
    """Return the fingerprint of whatever certificate the server shows; nothing is trusted yet.

    :raises DeviceError: it cannot be reached.
    """
    connection = _connection(server, _anybody())
    try:
        return _connect(connection, server)
    finally:
        connection.close()


def own_fingerprint(server: Server, authority: str | None) -> str:
    """Return the fingerprint of the lab's own server, for people to compare with.

    :param authority: who vouches for it, PEM; None: nobody, and it counts only on this computer.
    :raises NotTrustedError: whoever answers may be somebody else.
    :raises DeviceError: it cannot be reached.
    """
    connection = _connection(server, _known(authority) if authority else _anybody())
    try:
        found = _connect(connection, server)
        if authority is None and not _is_here(connection.sock):
            raise NotTrustedError("it is not on this computer, and nobody vouches for it")
        return found
    finally:
        connection.close()


def _is_here(connection: socket.socket) -> bool:
    """Say whether both ends are on this computer: it then speaks from the address it speaks to."""
    there, here = (str(end[0]) for end in (connection.getpeername(), connection.getsockname()))
    return there == here or is_loopback(there)  # Debian calls itself 127.0.1.1


def post(server: Server, trust: Trust, path: str, body: Mapping[str, str]) -> bytes:
    """Send JSON and return what came back.

    :raises NotTrustedError: the server is not the one that is meant; nothing was sent.
    :raises DeviceError: it cannot be reached.
    :raises InputError: it refused; its reasons are in the sentence.
    """
    connection = open_connection(server, trust)
    try:
        headers = {"Content-Type": "application/json", "Accept-Language": "en"}
        connection.request("POST", path, json.dumps(dict(body)), headers)
        answer = connection.getresponse()
        raw = answer.read(MOST_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise DeviceError(f"no answer: {error}", device=server.url) from error
    finally:
        connection.close()
    if answer.status != 200:
        raise InputError(_refusal(answer.status, raw), device=server.url)
    return raw


def open_connection(server: Server, trust: Trust) -> http.client.HTTPConnection:
    """Return a connection to the server that is meant.

    :raises NotTrustedError: it is another, or nobody knows.
    :raises DeviceError: it cannot be reached.
    """
    connection = _connection(server, _anybody() if trust.fingerprint else _known(trust.authority))
    try:
        found = _connect(connection, server)
        if trust.fingerprint and not secrets.compare_digest(found, trust.fingerprint):
            raise NotTrustedError(
                f"the server's fingerprint is {shown(found)}, not the one that was given",
                device=server.url,
            )
    except FabError:
        connection.close()
        raise
    return connection


def _known(authority: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=authority)
    except (ssl.SSLError, ValueError) as error:
        raise InputError(f"the authority's certificate cannot be read: {error}") from error


def _anybody() -> ssl.SSLContext:
    """Encrypted, with whoever answers: the caller compares the certificate itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _connection(server: Server, context: ssl.SSLContext) -> http.client.HTTPConnection:
    if not server.tls:
        return http.client.HTTPConnection(server.host, server.port, timeout=WITHIN_S)
    return http.client.HTTPSConnection(server.host, server.port, timeout=WITHIN_S, context=context)


def _connect(connection: http.client.HTTPConnection, server: Server) -> str:
    """Connect; return the fingerprint of the server's certificate, empty without TLS."""
    try:
        connection.connect()
    except ssl.SSLCertVerificationError as error:
        raise NotTrustedError(
            f"its certificate is not trusted: {error.verify_message}", device=server.url
        ) from error
    except OSError as error:
        raise DeviceError(f"cannot be reached: {error}", device=server.url) from error
    if not isinstance(connection.sock, ssl.SSLSocket):
        return ""
    return hashlib.sha256(connection.sock.getpeercert(binary_form=True) or b"").hexdigest()


def _refusal(status: int, raw: bytes) -> str:
    try:
        refusals = json.loads(raw)["refusals"]
        return " ".join(f"{one['message']} {one['next_step']}" for one in refusals)
    except (ValueError, TypeError, KeyError):
        return f"the server answered {status}"
