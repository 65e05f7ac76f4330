"""A laser's interlock as two real processes: the daemon, and the cabinet that it is wired to."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabctl.commands.interlock_line import InterlockLine
from fabctl.config import LabConfig
from fabctl.config_file import load
from fabctl.errors import DeviceError
from fabctl.interlock import InterlockProfile
from fabctl.permits import Permit, seal
from fabctl_sim.interlock_box.process import CabinetProcess

LASER = """\
[lab]
id = "lab"
name = "Lab"
simulated = true
[machines.laser]
kind = "laser"
driver = "opaque"
[interlocks.laser]
kind = "laser"
factory = "simulated"
outputs = { k1 = 17, k2 = 27 }
[interlocks.laser.inputs]
lid_a = 5
lid_b = 6
flow = 13
exhaust = 19
estop = 26
key = 12
reset = 16
k1_feedback = 20
k2_feedback = 21
active = 25
"""
KEY = bytes(range(32))
PATIENCE_S = 20.0
PERMIT_S = 10.0
"""No permit holds longer."""
RENEW_EVERY_S = 3.0
State = dict[str, Any]


def until(holds: Callable[[], Any], what: str, within_s: float = PATIENCE_S) -> Any:
    """Return the first truthy answer; fail with ``what`` when none comes in time."""
    end = time.monotonic() + within_s
    while not (found := holds()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {within_s:g} s: {what}; last: {found!r}")
        time.sleep(0.005)
    return found


@dataclass
class Guarded:
    """Both processes and everything about them."""

    config: LabConfig
    profile: InterlockProfile
    cabinet: CabinetProcess
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    command: tuple[str, ...] = ()
    """Instead of ``fabctl interlock laser``."""
    serial: int = 0
    handing_in: threading.Lock = field(default_factory=threading.Lock)
    """Held from the making of a permit to its answer: serials only grow."""
    renewal: Renewal | None = None
    first_event: int = 1
    """Of the cabinet's events, those from this number on count; a test may share a cabinet."""

    # -- the daemon as a process -----------------------------------------------------------------

    @property
    def log(self) -> Path:
        """What it wrote."""
        return self.config.file.with_name("daemon.log")

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Start the daemon and wait until it answers."""
        words = ("-m", "fabctl", "interlock", "laser", "--config", str(self.config.file))
        command = self.command or (sys.executable, *words)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, **self.environment}
            )
        until(self.answers, f"the daemon answers; it said: {self.log.read_text()}")

    def answers(self) -> bool:
        """Say whether the daemon tells a state."""
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            self.state()
        except DeviceError:
            return False
        return True

    def send(self, signum: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, signum)

    def end(self, signum: signal.Signals = signal.SIGTERM) -> int:
        """End it and return its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signum)
        return self.process.wait(PATIENCE_S)

    def cabinet_is_hardware(self) -> bool:
        """Let the cabinet go before every program, as relays do; say whether that is allowed."""
        try:
            os.sched_setscheduler(self.cabinet.pid, os.SCHED_FIFO, os.sched_param(50))
        except PermissionError:
            return False
        return True

    # -- what is said ----------------------------------------------------------------------------

    def line(self) -> InterlockLine:
        """Return a new connection."""
        return InterlockLine(self.profile.socket)

    def state(self) -> State:
        """Return the present state."""
        with self.line() as line:
            return line.state()

    def wait(self, what: str, holds: Callable[[State], Any], within_s: float = PATIENCE_S) -> State:
        """Return the first state for which something holds."""
        with self.line() as line:
            now = line.state()
            if holds(now):
                return now
            found = line.wait(lambda words: "state" in words and bool(holds(words)), within_s)
            assert found is not None, f"not within {within_s:g} s: {what}; now: {line.state()}"
            return found

    def wait_for(self, state: str, within_s: float = PATIENCE_S) -> State:
        """Wait for a state by its name."""
        return self.wait(state, lambda words: words["state"] == state, within_s)

    def say(self, message: State) -> State:
        """Send one message and return its answer."""
        with self.line() as line:
            line.say(message)
            answer = line.wait(lambda words: "state" not in words)
            assert answer is not None
            return answer

    def sealed(self, key: bytes = KEY, **changes: Any) -> str:
        """Return a permit for 10 s, with some values changed."""
        self.serial += 1
        state = self.state()
        usual: dict[str, Any] = {
            "machine": "laser", "person": "p-1", "use": "u-1", "serial": self.serial,
            "seconds": 10.0, "boot": state["boot"], "challenge": state["challenge"],
        }  # fmt: skip
        return seal(key, Permit(**{**usual, **changes})).decode()

    def permit(self, seconds: float = 60.0, **changes: Any) -> State:
        """Hand in a permit and return the answer; for more than 10 s, renew it as a steward."""
        self.stop_renewing()
        answer = self.hand_in(seconds=min(seconds, PERMIT_S), **changes)
        if answer["accepted"] and seconds > PERMIT_S:
            self.renewal = Renewal(self, seconds, changes)
        return answer

    def hand_in(self, **changes: Any) -> State:
        """Hand in one permit and return the answer."""
        with self.handing_in, self.line() as line:
            line.say({"permit": self.sealed(**changes)})
            answer = line.wait(lambda words: "permit_answer" in words)
            assert answer is not None
            found: State = answer["permit_answer"]
            return found

    def drop(self, why: str) -> State:
        """Take the permission away, and give no more; return the answer."""
        self.stop_renewing()
        return self.say({"drop": why})

    def stop_renewing(self) -> None:
        """Let the permit that holds be the last."""
        renewal, self.renewal = self.renewal, None
        if renewal is not None:
            renewal.end()

    # -- what is done ----------------------------------------------------------------------------

    def prove(self) -> None:
        """Do what the self-test wants: open and close the lid once."""
        self.wait("wants the lid", lambda words: words["advice"] == "lid-not-seen-open")
        self.cabinet.ask("open-lid")
        self.wait("wants it closed", lambda words: words["advice"] == "lid-not-closed")
        self.cabinet.ask("close-lid")
        self.wait("proved", lambda words: words["state"] in {"locked", "ready"})

    def ready(self, **changes: Any) -> None:
        """Hand in a permit; everything is in order then."""
        assert self.permit(**changes) == {"accepted": True, "code": None}
        self.wait("ready", lambda words: words["advice"] == "press-reset")

    def press(self, seconds: float = 0.3) -> None:
        """Press reset."""
        self.cabinet.ask("reset-press", seconds=seconds)

    def arm(self, **changes: Any) -> None:
        """Come from LOCKED to ARMED, with both contacts closed."""
        self.ready(**changes)
        self.press()
        self.wait_for("armed")
        until(self.powered, "both contacts closed")

    def arm_again(self) -> None:
        """Come from TRIPPED to ARMED once the cause is gone; the permit still holds."""
        self.wait("ready", lambda words: words["advice"] == "press-reset")
        self.press()
        self.wait_for("armed")
        until(self.powered, "both contacts closed")

    def run(self) -> None:
        """Come from ARMED to RUNNING."""
        self.cabinet.ask("run")
        self.wait_for("running")

    def powered(self) -> bool:
        """Say whether the machine has its power: both main contacts are closed."""
        return bool(self.cabinet.status()["powered"])

    def stays_off(self, seconds: float = 0.6) -> None:
        """Hold that the machine has no power, for a while."""
        before = len(self.moves("K1", closed=True))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert not self.powered()
            time.sleep(0.01)
        assert len(self.moves("K1", closed=True)) == before

    def moves(self, relay: str, *, closed: bool) -> list[float]:
        """Return when a relay's main contact closed, or opened; monotonic, s."""
        return [
            float(event["t"])
            for event in self.cabinet.events(self.first_event)
            if event["kind"] == "contact"
            and (event["relay"], event["contact"], event["closed"]) == (relay, "main", closed)
        ]

    def off_after(self, seconds: float, relay: str) -> float:
        """Return when a relay's contact opened after an instant; it must."""

        def opened() -> float | None:
            return next((at for at in self.moves(relay, closed=False) if at >= seconds), None)

        return float(until(opened, f"{relay} opens"))

    def record(self) -> list[dict[str, Any]]:
        """Return what is on record."""
        lines = self.profile.record.read_text().splitlines()
        return [json.loads(line) for line in lines]


class Renewal:
    """A steward for one use: a permit every 3 s, for this boot of the daemon only."""

    def __init__(self, it: Guarded, seconds: float, changes: dict[str, Any]) -> None:
        self._it = it
        self._ends_at = time.monotonic() + seconds
        self._changes = {"boot": it.state()["boot"], **changes}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="renewal", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Hand in nothing more, from the return on."""
        self._over.set()
        self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        left_s = self._ends_at - time.monotonic()
        while left_s > PERMIT_S and not self._over.wait(RENEW_EVERY_S):
            left_s = self._ends_at - time.monotonic()
            try:
                self._it.hand_in(seconds=max(0.01, min(left_s, PERMIT_S)), **self._changes)
            except (OSError, DeviceError, AssertionError) as error:
                # the test has stopped or ended the daemon; what it holds without a permit is its
                # business
                print(f"no permit was handed in: {error}")  # noqa: T201  # shown when it fails


@contextmanager
def guarded(text: str = LASER, *options: str, start: bool = True) -> Iterator[Guarded]:
    """Run both until the end of the block; the lab's folder has a short name."""
    folder = Path(tempfile.mkdtemp(prefix="fabil"))
    file = folder / "lab.toml"
    file.write_text(text)
    config = load(file)
    profile = config.interlocks["laser"]
    profile.folder.mkdir(parents=True)
    key = config.paths.permit_key("laser")
    key.parent.mkdir(parents=True)
    key.write_text(KEY.hex())
    cabinet = CabinetProcess(profile.cabinet, *options)
    it = Guarded(config, profile, cabinet)
    try:
        cabinet.start()
        it.cabinet_is_hardware()
        if start:
            it.start()
        yield it
    finally:
        it.stop_renewing()
        if it.process is not None and it.process.poll() is None:
            it.process.kill()
            it.process.wait()
        cabinet.end()
        shutil.rmtree(folder)


def own_key() -> bytes:
    """Return a key that is not the machine's."""
    return secrets.token_bytes(32)
