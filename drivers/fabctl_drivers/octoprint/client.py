"""A small client for OctoPrint's REST API (1.4 and later): what the driver needs, and no more.

Source: OctoPrint documentation, "REST API". Every call has a time limit; every error is a
:class:`ServerError` that says what was asked, what happened and what to do. The key goes into the
header ``X-Api-Key`` and nowhere else: into no address, no error, no log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from fabctl.errors import DeviceError, InputError
from fabctl_drivers.octoprint.multipart import MultipartFile

CONNECT_S = 3.05
"""A little more than the 3 s after which a lost SYN is sent again."""
ANSWER_S = 10.0
QUESTION_S = 4.0
"""A question is answered at once or not at all; a request may take a slow card its time."""
LOCAL = "local"


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
    if parts.scheme not in {"http", "https"} or not parts.hostname:
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


class OctoPrintClient:
    """One session with a server. Used by one thread at a time.

    Proxies and passwords of the environment are left out: the server stands in the lab.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["X-Api-Key"] = server.key
        self._session.verify = str(server.ca_file) if server.ca_file else True

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    # ---- what is known

    def version(self) -> str:
        """Return the server's name and version: ``OctoPrint 1.11.8``."""
        asked = "its version"
        answer = _object(self._get("/api/version", asked), asked, self.server.url)
        text = answer.get("text")
        if not isinstance(text, str) or not text.startswith("OctoPrint"):
            raise self._strange(asked, "it calls itself something else")
        return text

    def job(self) -> Mapping[str, object]:
        """Return the job under way, or the file selected."""
        asked = "the job"
        return _object(self._get("/api/job", asked), asked, self.server.url)

    def printer(self) -> Mapping[str, object] | None:
        """Return the printer's state and temperatures; None when it is not operational."""
        asked = "the printer's state"
        try:
            answer = self._get("/api/printer?exclude=sd", asked)
        except ServerError as error:
            if error.fault is Fault.CONFLICT:
                return None
            raise
        return _object(answer, asked, self.server.url)

    def file(self, name: str) -> Mapping[str, object] | None:
        """Return a file's facts, its prints among them; None when there is none."""
        asked = f"about the file {name}"
        try:
            answer = self._get(f"/api/files/{LOCAL}/{quote(name)}", asked)
        except ServerError as error:
            if error.fault is Fault.MISSING:
                return None
            raise
        return _object(answer, asked, self.server.url)

    def files(self) -> list[str]:
        """Return the names of the files in the storage's top folder."""
        asked = "its files"
        answer = _object(self._get(f"/api/files/{LOCAL}", asked), asked, self.server.url)
        found = answer.get("files")
        if not isinstance(found, list):
            raise self._strange(asked, "there is no list of files")
        names = (one.get("path") for one in found if isinstance(one, dict))
        return [name for name in names if isinstance(name, str)]

    # ---- what is asked for

    def upload_and_print(self, path: Path, name: str, give_up: Callable[[], bool]) -> bool:
        """Send a file, select it, print it; return whether the server says that it prints it.

        :param give_up: asked between blocks; True breaks the upload off.
        :raises ServerError: also GONE when given up.
        :raises OSError: the file cannot be read.
        """
        asked = f"to take the file {name}"
        fields = {"select": "true", "print": "true", "noOverwrite": "true"}
        with MultipartFile(path, name, fields, give_up) as body:
            response = self._call(
                "POST",
                f"/api/files/{LOCAL}",
                asked,
                data=body,
                headers={"Content-Type": body.content_type},
            )
        answer = _object(response, asked, self.server.url)
        return answer.get("effectivePrint") is True

    def command(self, command: str, **fields: str) -> None:
        """Ask ``cancel``, or ``pause`` with ``action`` pause or resume."""
        self._post("/api/job", {"command": command, **fields}, f"to {command} the job")

    def tool_targets(self, targets: Mapping[str, float]) -> None:
        """Set nozzle temperatures, in °C, without waiting for them; 0 switches off."""
        body = {"command": "target", "targets": dict(targets)}
        self._post("/api/printer/tool", body, "to set the nozzle's temperature")

    def bed_target(self, celsius: float) -> None:
        """Set the bed's temperature, in °C, without waiting for it; 0 switches it off."""
        body = {"command": "target", "target": celsius}
        self._post("/api/printer/bed", body, "to set the bed's temperature")

    def delete(self, name: str) -> None:
        """Remove a file; one that is not there is removed already."""
        try:
            self._call("DELETE", f"/api/files/{LOCAL}/{quote(name)}", f"to remove {name}")
        except ServerError as error:
            if error.fault is not Fault.MISSING:
                raise

    def sign_in(self) -> str:
        """Return what opens the push connection: ``name:session`` of a passive login."""
        asked = "to sign in"
        answer = _object(self._post("/api/login", {"passive": True}, asked), asked, self.server.url)
        name, session = answer.get("name"), answer.get("session")
        if not isinstance(name, str) or not isinstance(session, str):
            raise self._strange(asked, "there is no session")
        return f"{name}:{session}"

    # ---- asking

    def _get(self, path: str, asked: str) -> requests.Response:
        return self._call("GET", path, asked, answer_s=QUESTION_S)

    def _post(self, path: str, body: Mapping[str, object], asked: str) -> requests.Response:
        return self._call("POST", path, asked, json=body)

    def _call(self, method: str, path: str, asked: str, **more: Any) -> requests.Response:
        response = self._send(method, path, asked, **more)
        if response.ok and not response.is_redirect:
            return response
        raise self._refused(response, path, asked)

    def _send(
        self, method: str, path: str, asked: str, *, answer_s: float = ANSWER_S, **more: Any
    ) -> requests.Response:
        url = self.server.url + path
        try:
            return self._session.request(
                method, url, timeout=(CONNECT_S, answer_s), allow_redirects=False,
                **more,
            )  # fmt: skip
        except requests.RequestException as error:
            raise ServerError(
                f"was asked {asked}; {_cause(error)}",
                fault=Fault.GONE,
                device=self.server.url,
                next_step="check that OctoPrint's computer is on and in the network",
            ) from None  # the cause's text can be long and says no more

    def _refused(self, response: requests.Response, path: str, asked: str) -> ServerError:
        status = response.status_code
        if status in {HTTPStatus.FORBIDDEN, HTTPStatus.UNAUTHORIZED}:
            return self._forbidden(path, asked)
        if status == HTTPStatus.CONFLICT:
            return self._error(
                Fault.CONFLICT, asked, _why(response) or "the printer is not operational",
                "look at OctoPrint's own screen: is the printer connected, or busy?",
            )  # fmt: skip
        if status == HTTPStatus.NOT_FOUND:
            return self._error(
                Fault.MISSING, asked, "there is no such thing (404)",
                "check the server's address; is it an OctoPrint?",
            )  # fmt: skip
        if status in {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE}:
            return self._error(
                Fault.GONE, asked, f"OctoPrint is not running there ({status})",
                "wait until it has started, or look at its computer",
            )  # fmt: skip
        return self._strange(asked, _why(response) or f"it answered {status}")

    def _forbidden(self, path: str, asked: str) -> ServerError:
        """A bad key and a missing right are both 403: asking for the version tells them apart."""
        if path != "/api/version" and self._send("GET", "/api/version", "its version").ok:
            return self._error(
                Fault.RIGHT, asked, "the key's account has no right to that (403)",
                "give the account the rights to print, control, upload and delete files",
            )  # fmt: skip
        return self._error(
            Fault.KEY, asked, "it refuses the key (403): wrong, or revoked",
            "make a new key in OctoPrint's settings and put it into options.api_key_file",
        )  # fmt: skip

    def _strange(self, asked: str, happened: str) -> ServerError:
        next_step = "check the server's address; is it an OctoPrint of 1.4 or later?"
        return self._error(Fault.STRANGE, asked, happened, next_step)

    def _error(self, fault: Fault, asked: str, happened: str, next_step: str) -> ServerError:
        what = f"was asked {asked}; {happened}"
        return ServerError(what, fault=fault, device=self.server.url, next_step=next_step)


def _object(response: requests.Response, asked: str, url: str) -> Mapping[str, object]:
    try:
        found = response.json()
    except requests.JSONDecodeError:
        found = None
    if isinstance(found, dict):
        return found
    raise ServerError(
        f"was asked {asked}; it answered something that is not OctoPrint's",
        fault=Fault.STRANGE,
        device=url,
        next_step="check the server's address; is it an OctoPrint?",
    )


def _why(response: requests.Response) -> str | None:
    """Return OctoPrint's own sentence about a refusal."""
    try:
        found = response.json()
    except requests.JSONDecodeError:
        return None
    error = found.get("error") if isinstance(found, dict) else None
    return f"{error.rstrip('.')} ({response.status_code})" if isinstance(error, str) else None


def _cause(error: requests.RequestException) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted"
    if isinstance(error, requests.ConnectTimeout):
        return f"it cannot be reached within {CONNECT_S:.0f} s"
    if isinstance(error, requests.Timeout):
        return "it did not answer in time"
    if isinstance(error, requests.ConnectionError):
        return "it cannot be reached, or the connection broke"
    return f"that failed ({type(error).__name__})"
