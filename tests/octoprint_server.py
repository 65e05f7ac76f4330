"""A real OctoPrint with its virtual printer, in a virtual environment of its own.

The environment is made once, in the folder that ``$FABCTL_CACHE`` names (else
``~/.cache/fabctl``). ``python -m tests.octoprint_server`` makes it beforehand.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests

from tests.ports import free_port

VERSION = "1.11.8"
CONSTRAINTS = Path(__file__).parent / "data" / "octoprint-constraints.txt"
OLD_PICTURE = Path(__file__).parent / "data" / "octoprint_old_picture.py"
START_S = 60.0
ANSWER_S = 60.0
"""A request may take so long: a disconnection waits up to 10 s for what is still to be sent
(OctoPrint 1.11.8, util/comm.py, close)."""
DISCONNECTIONS = 5
SHOWN_S = 3.0
ON_THE_WAY = {
    "Cancelling", "Connecting", "Detecting serial connection", "Finishing",
    "Opening serial connection", "Pausing", "Resuming", "Starting",
}  # fmt: skip
"""States of the printer that become another one by themselves (util/comm.py, getStateString)."""
_LEFT_OUT = (
    "achievements", "announcements", "backup", "discovery", "errortracking", "firmware_check",
    "file_check", "gcodeviewer", "health_check", "pi_support", "pluginmanager", "softwareupdate",
    "tracking", "uploadmanager",
)  # fmt: skip


def environment() -> Path:
    """Return the folder of the virtual environment; make it when it is not whole.

    One process makes it, others wait. A half-made one has no mark and is thrown away.
    """
    base = Path(os.environ.get("FABCTL_CACHE") or Path.home() / ".cache" / "fabctl")
    base.mkdir(parents=True, exist_ok=True)
    pins = hashlib.sha256(CONSTRAINTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = base / f"octoprint-{VERSION}-{pins}"
    with (base / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "whole").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder)
            (folder / "whole").touch()
    return folder


def _make(folder: Path) -> None:
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [
            str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet",
            "--disable-pip-version-check", "--constraint", str(CONSTRAINTS),
            f"OctoPrint=={VERSION}",
        ],
    ):  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(
                f"the environment of OctoPrint {VERSION} could not be made: {done.stderr[-1500:]}"
            )


def until(true: Callable[[], bool], what: str, within_s: float = 40.0) -> None:
    """Wait until something is true.

    :raises AssertionError: it is not, within that time.
    """
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, f"not within {within_s} s: {what}"
        time.sleep(0.05)


class OctoPrintServer:
    """One server in one folder, on one port of this computer."""

    def __init__(self, python: Path, folder: Path) -> None:
        self._python = python
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._boss_key = secrets.token_hex(20)
        self._process: subprocess.Popen[bytes] | None = None
        self._set_up()

    # -- life ----------------------------------------------------------------------------------

    def _set_up(self) -> None:
        config = {
            "server": {
                "host": "127.0.0.1", "firstRun": False, "onlineCheck": {"enabled": False},
                "pluginBlacklist": {"enabled": False},
            },
            "accessControl": {"defaultReauthenticationTimeout": 0},
            "gcodeAnalysis": {"runAt": "never"},
            "serial": {"autoconnect": False},
            "webcam": {"timelapseEnabled": False},
            "plugins": {
                "_disabled": list(_LEFT_OUT),
                "virtual_printer": {
                    "enabled": True, "throttle": 0.001, "simulated_errors": [],
                },
            },
        }  # fmt: skip
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "config.yaml").write_text(json.dumps(config))  # JSON is YAML
        (self.folder / "plugins").mkdir(exist_ok=True)
        shutil.copy(OLD_PICTURE, self.folder / "plugins" / "old_picture.py")
        self._octoprint("user", "add", "boss", "--password", "boss-password", "--admin")
        users = self.folder / "users.yaml"
        text = users.read_text()
        assert "apikey: null" in text
        users.write_text(text.replace("apikey: null", f"apikey: {self._boss_key}"))

    def _octoprint(self, *arguments: str) -> None:
        command = [str(self._python), "-m", "octoprint", "-b", str(self.folder), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = [
            str(self._python), "-m", "octoprint", "serve", "-b", str(self.folder),
            "--host", "127.0.0.1", "--port", str(self.port), "--iknowwhatimdoing",
        ]  # fmt: skip
        with (self.folder / "output.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        until(self._answers, "OctoPrint answers", START_S)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "output.log").read_text()[-2000:]
        with contextlib.suppress(requests.RequestException):
            return self.ask("GET", "/api/version").ok
        return False

    def kill(self) -> None:
        """End the server at once, as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def freeze(self) -> None:
        """Let the server hang: it keeps its connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    # -- what a person does on its screen ------------------------------------------------------

    def ask(self, method: str, path: str, body: object = None) -> requests.Response:
        """Ask as the administrator."""
        headers = {"X-Api-Key": self._boss_key}
        return requests.request(
            method, self.url + path, json=body, headers=headers, timeout=ANSWER_S
        )

    def do(self, path: str, **body: object) -> None:
        """Have the administrator do something."""
        answer = self.ask("POST", path, body)
        assert answer.ok, answer.text

    def new_key(self) -> str:
        """Return a fresh application key; the one before it is revoked."""
        self.revoke_key()
        answer = self.ask("POST", "/api/plugin/appkeys", {"command": "generate", "app": "fabctl"})
        return str(answer.json()["api_key"])

    def revoke_key(self) -> None:
        """Revoke the application key, if there is one."""
        self.ask("POST", "/api/plugin/appkeys", {"command": "revoke", "app": "fabctl"})

    def connect_printer(self) -> None:
        """Connect the virtual printer, fresh."""
        self.do("/api/connection", command="connect", port="VIRTUAL", baudrate=115200)
        until(
            lambda: self.connection == self.state == "Operational",
            "the virtual printer is operational",
        )

    def disconnect_printer(self) -> None:
        """Disconnect the printer, once it is not on its way to another state.

        What tells that it is done is the connection. The state that OctoPrint shows is a text which
        each of its threads computes and sets for itself, under no lock (printer/standard.py,
        on_comm_state_change and _setState): when a job's file is removed while the connection is
        closed, "Operational" may stay there for good, and was seen to. Another connection sets it
        anew.
        """
        until(lambda: self.connection not in ON_THE_WAY, "the printer has come to rest")
        for _ in range(DISCONNECTIONS):
            self.close_connection()
            with contextlib.suppress(AssertionError):
                until(lambda: self.state.startswith("Offline"), "that is shown too", SHOWN_S)
                return
            self.connect_printer()
        raise AssertionError(f"{self.state} is shown of a printer that is disconnected")

    def close_connection(self) -> None:
        """Disconnect the printer, whatever is shown of it then."""
        self.do("/api/connection", command="disconnect")
        until(lambda: self.connection == "Closed", "the printer is disconnected")

    def show_operational(self) -> None:
        """Have the server show its printer as operational, as it was seen to by itself."""

        def shown() -> bool:  # the end of a connection is shown a little later
            self.do("/api/plugin/old_picture", command="show")
            return self.state == "Operational"

        until(shown, "it is shown")

    def terminal(self, command: str) -> None:
        """Type something in the terminal; ``!!DEBUG:`` talks to the virtual printer itself."""
        self.do("/api/printer/command", command=command)

    @property
    def job(self) -> dict[str, Any]:
        """What the server says of its job."""
        found = self.ask("GET", "/api/job").json()
        assert isinstance(found, dict)
        return found

    @property
    def state(self) -> str:
        """The printer's state in the server's words."""
        return str(self.job["state"])

    @property
    def connection(self) -> str:
        """The state of the connection itself; "Closed" when there is none."""
        return str(self.ask("GET", "/api/connection").json()["current"]["state"])

    @property
    def targets(self) -> dict[str, float]:
        """What the heaters are asked for, in °C."""
        found = self.ask("GET", "/api/printer").json()["temperature"]
        return {name: one["target"] for name, one in found.items()}

    @property
    def file_names(self) -> list[str]:
        """The files in its local storage."""
        return [one["name"] for one in self.ask("GET", "/api/files/local").json()["files"]]

    def print_elsewhere(self, name: str, text: bytes) -> None:
        """Upload and print a file as somebody else does."""
        answer = requests.post(
            f"{self.url}/api/files/local",
            files={"file": (name, text)},
            data={"print": "true"},
            headers={"X-Api-Key": self._boss_key},
            timeout=ANSWER_S,
        )
        assert answer.json()["effectivePrint"] is True


@contextlib.contextmanager
def octoprint_server(folder: Path) -> Iterator[OctoPrintServer]:
    """Give a running server; end it after use."""
    server = OctoPrintServer(environment() / "bin" / "python", folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


if __name__ == "__main__":
    environment()
