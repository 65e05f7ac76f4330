"""A small client for OctoPrint's REST API (1.4 and later): what the driver needs, and no more.

Source: OctoPrint documentation, "REST API". Every call has a time limit; every error is a
:class:`ServerError` that says what was asked, what happened and what to do. The key goes into the
header ``X-Api-Key`` and nowhere else: into no address, no error, no log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from fabctl_drivers.octoprint.exchange import (
    ANSWER_S,
    QUESTION_S,
    Answer,
    Exchange,
    Fault,
    Server,
    ServerError,
)
from fabctl_drivers.octoprint.multipart import MultipartFile

LOCAL = "local"


class OctoPrintClient:
    """One session with a server. Used by one thread at a time.

    :raises DeviceError: the certificate authority's file cannot be used.
    """

    def __init__(self, server: Server) -> None:
        self._exchange = Exchange(server)

    @property
    def server(self) -> Server:
        """Where the server is."""
        return self._exchange.server

    def close(self) -> None:
        """Close the connection."""
        self._exchange.close()

    # ---- what is known

    def version(self) -> str:
        """Return the server's name and version: ``OctoPrint 1.11.8``."""
        asked = "its version"
        answer = self._found(self._get("/api/version", asked), asked)
        text = answer.get("text")
        if not isinstance(text, str) or not text.startswith("OctoPrint"):
            raise self._strange(asked, "it calls itself something else")
        return text

    def job(self) -> Mapping[str, object]:
        """Return the job under way, or the file selected."""
        asked = "the job"
        return self._found(self._get("/api/job", asked), asked)

    def printer(self) -> Mapping[str, object] | None:
        """Return the printer's state and temperatures; None when it is not operational."""
        asked = "the printer's state"
        try:
            answer = self._get("/api/printer?exclude=sd", asked)
        except ServerError as error:
            if error.fault is Fault.CONFLICT:
                return None
            raise
        return self._found(answer, asked)

    def connection(self) -> str:
        """Return the connection to the printer as it is now: ``Operational``, ``Closed``, …

        What :meth:`job` and the push connection show may be older.
        """
        asked = "about the connection to its printer"
        current = self._found(self._get("/api/connection", asked), asked).get("current")
        state = current.get("state") if isinstance(current, dict) else None
        if not isinstance(state, str):
            raise self._strange(asked, "there is no state")
        return state

    def file(self, name: str) -> Mapping[str, object] | None:
        """Return a file's facts, its prints among them; None when there is none."""
        asked = f"about the file {name}"
        try:
            answer = self._get(f"/api/files/{LOCAL}/{quote(name)}", asked)
        except ServerError as error:
            if error.fault is Fault.MISSING:
                return None
            raise
        return self._found(answer, asked)

    def files(self) -> list[str]:
        """Return the names of the files in the storage's top folder."""
        asked = "its files"
        answer = self._found(self._get(f"/api/files/{LOCAL}", asked), asked)
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
            answer = self._call("POST", f"/api/files/{LOCAL}", asked, body=body)
        found = self._found(answer, asked)
        return found.get("effectivePrint") is True

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
        answer = self._found(self._post("/api/login", {"passive": True}, asked), asked)
        name, session = answer.get("name"), answer.get("session")
        if not isinstance(name, str) or not isinstance(session, str):
            raise self._strange(asked, "there is no session")
        return f"{name}:{session}"

    # ---- asking

    def _get(self, path: str, asked: str) -> Answer:
        return self._call("GET", path, asked, answer_s=QUESTION_S)

    def _post(self, path: str, body: Mapping[str, object], asked: str) -> Answer:
        return self._call("POST", path, asked, body=dict(body))

    def _call(
        self,
        method: str,
        path: str,
        asked: str,
        *,
        body: object = None,
        answer_s: float = ANSWER_S,
    ) -> Answer:
        answer = self._exchange.ask(method, path, asked, body=body, answer_s=answer_s)
        if answer.is_good:
            return answer
        raise self._refused(answer, path, asked)

    def _found(self, answer: Answer, asked: str) -> Mapping[str, object]:
        found = answer.json()
        if isinstance(found, dict):
            return found
        raise self._strange(asked, "it answered something that is not OctoPrint's")

    def _refused(self, answer: Answer, path: str, asked: str) -> ServerError:
        status = answer.status
        if status in {HTTPStatus.FORBIDDEN, HTTPStatus.UNAUTHORIZED}:
            return self._forbidden(path, asked)
        if status == HTTPStatus.CONFLICT:
            return self._error(
                Fault.CONFLICT, asked, answer.why or "the printer is not operational",
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
        return self._strange(asked, answer.why or f"it answered {status}")

    def _forbidden(self, path: str, asked: str) -> ServerError:
        """A bad key and a missing right are both 403: asking for the version tells them apart."""
        version = "/api/version"
        if path != version and self._exchange.ask("GET", version, "its version").is_good:
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
