"""A whole demo lab as real processes, for end-to-end tests and benchmarks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil
import requests

from fabctl.config_file import load
from fabctl_sim.control import SimControl

Found = TypeVar("Found")
START_TIMEOUT_S = 150.0
END_TIMEOUT_S = 90.0


def wait_for(
    what: str, find: Callable[[], Found | None], timeout: float = 30.0, every: float = 0.05
) -> Found:
    """Return the first truthy answer of ``find``; fail with ``what`` after ``timeout`` s."""
    deadline = time.monotonic() + timeout
    while True:
        found = find()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:.0f} s: {what}; last seen: {found!r}")
        time.sleep(every)


@dataclass
class RunningLab:
    """A demo lab that runs. Everything about it is found from its data directory."""

    process: subprocess.Popen[bytes]
    data: Path
    ready: dict[str, Any]
    log: Path

    @property
    def url(self) -> str:
        """Address of the board, without a slash at the end."""
        return str(self.ready["url"]).rstrip("/")

    def account(self, login: str) -> dict[str, Any]:
        """Return a demo account: login, password, pin, what it may do."""
        accounts: list[dict[str, Any]] = self.ready["accounts"]
        return next(account for account in accounts if account["login"] == login)

    def sim(self, machine: str) -> SimControl:
        """Return a connection to a machine's stand-in."""
        return SimControl(self.data / "sim" / f"{machine}.sock")

    def children(self) -> list[psutil.Process]:
        """Return every process below `fabctl demo`, itself not included."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, *words: str) -> psutil.Process:
        """Return the youngest-named child whose command line holds all these words."""
        return wait_for(f"a process with {words}", lambda: self._child(words), timeout=90)

    def _child(self, words: tuple[str, ...]) -> psutil.Process | None:
        for child in self.children():
            try:
                line = child.cmdline()
            except psutil.Error:
                continue  # it ended between the list and the look
            if all(
                any(word == part or part.endswith(f"/{word}") for part in line) for word in words
            ):
                return child
        return None

    def kill(self, *words: str) -> int:
        """Kill a child with -9 and return the pid that died."""
        child = self.child(*words)
        child.send_signal(signal.SIGKILL)
        child.wait(30)
        return child.pid

    def interlock_record(self, machine: str) -> Path:
        """Return the file in which an interlock's daemon keeps what happened."""
        return load(self.data / "lab.toml").interlocks[machine].record

    def token(self, login: str) -> str:
        """Create and return an API token for a person."""
        command = [*fabctl("token", "create", "--config", str(self.data / "lab.toml")), login]
        shown = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
        return next(word for word in shown.stdout.split() if word.startswith("fab_"))

    def api(self, login: str) -> requests.Session:
        """Return a session that calls the API as this person."""
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self.token(login)}"
        session.headers["Accept-Language"] = "en"
        return session

    def machine(self, machine: str) -> dict[str, Any]:
        """Return a machine as the API shows it; an empty dict while the web is away."""
        try:
            answer = requests.get(f"{self.url}/api/v1/machines/{machine}", timeout=30)
        except requests.RequestException:
            return {}
        return dict(answer.json()) if answer.ok else {}

    def state(self, machine: str) -> str | None:
        """Return a machine's state as the API shows it, None while the web is away."""
        state = self.machine(machine).get("state")
        return None if state is None else str(state)

    def stop(self) -> tuple[int, list[psutil.Process]]:
        """Press Ctrl-C; return the exit code and every process that was left behind."""
        children = self.children()
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(END_TIMEOUT_S)
        _, alive = psutil.wait_procs(children, timeout=20)
        return code, alive


def fabctl(*words: str) -> list[str]:
    """Return the command line that runs fabctl with this interpreter."""
    return [sys.executable, "-m", "fabctl", *words]


@contextmanager
def running_lab(folder: Path, *options: str) -> Iterator[RunningLab]:
    """Start `fabctl demo` in a folder, hand it over once it says it is ready, end it."""
    data, log = folder / "lab", folder / "demo.log"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            fabctl("demo", "--data", str(data), "--port", "0", *options),
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    try:
        yield RunningLab(process, data, _wait_until_ready(process, data, log), log)
    finally:
        _end(process)


def _wait_until_ready(process: subprocess.Popen[bytes], data: Path, log: Path) -> dict[str, Any]:
    def ready() -> dict[str, Any] | None:
        if process.poll() is not None:
            raise AssertionError(f"fabctl demo ended at once:\n{log.read_text()[-3000:]}")
        file = data / "demo.json"
        return dict(json.loads(file.read_text())) if file.exists() else None

    try:
        return wait_for("the demo is ready", ready, timeout=START_TIMEOUT_S)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{log.read_text()[-3000:]}") from None


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
