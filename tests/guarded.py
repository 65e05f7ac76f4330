"""A laser's interlock as two real processes: the daemon, and the cabinet that it is wired to."""

from __future__ import annotations

import secrets
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabctl.config_file import load
from fabctl.errors import DeviceError
from fabctl.permits import Permit, seal
from fabctl_sim.control import SimError
from fabctl_sim.interlock_box.process import CabinetProcess
from tests.guarded_processes import PATIENCE_S, BothProcesses, State, until
from tests.steady import WATCH, in_rounds

INTERLOCK = """\
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
LASER = f"""\
[lab]
id = "lab"
name = "Lab"
simulated = true
[machines.laser]
kind = "laser"
driver = "opaque"
{INTERLOCK}"""
KEY = bytes(range(32))
PERMIT_S = 10.0
"""No permit holds longer."""
RENEW_EVERY_S = 3.0
PRESSES = 5
"""So often at most does a person press again because the computer stood still meanwhile."""
AT_REST = (
    "repair", "close-lid", "idle", "estop-release", "key-on", "exhaust-on", "reset-release",
    "flow-start",
)  # fmt: skip
"""What puts a laser's cabinet right."""


@dataclass
class Guarded(BothProcesses):
    """Both processes, permits for the daemon, and hands at the cabinet."""

    serial: int = 0
    handing_in: threading.Lock = field(default_factory=threading.Lock)
    """Held from the making of a permit to its answer: serials only grow."""
    renewal: Renewal | None = None

    # -- permits ---------------------------------------------------------------------------------

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
        """Hand in a permit; everything is in order then, for as long as it holds."""
        with self.line() as line:  # it is told though we come late
            assert self.permit(**changes) == {"accepted": True, "code": None}
            line.say({"hello": 1})
            told = line.wait(lambda words: words.get("advice") == "press-reset", PATIENCE_S)
        assert told is not None, f"not ready within {PATIENCE_S:g} s: {self.state()}"

    def press(self, seconds: float = 0.3) -> None:
        """Press reset."""
        self.cabinet.ask("reset-press", seconds=seconds)

    def act(self, command: str, **details: Any) -> float:
        """Do something at the cabinet; return when its pin showed it, by the cabinet's clock."""
        start = self.cabinet.status()["events"] + 1
        done = float(self.cabinet.ask(command, **details)["t"])
        return next((e["t"] for e in self.cabinet.events(start) if e["kind"] == "input"), done)

    def arm(self, **changes: Any) -> None:
        """Come from LOCKED to ARMED, with both contacts closed."""

        def go() -> None:
            self.ready(**changes)
            self.arm_again()

        in_rounds(go, self.begin_anew)

    def is_armed(self) -> bool:
        """Say whether it is ARMED."""
        return bool(self.state()["state"] == "armed")

    def arm_again(self) -> None:
        """Come to ARMED once nothing trips; a permit holds.

        As a person does: whoever sees that it tripped because the computer stood still presses
        once more. Any other cause fails.
        """
        for _ in range(PRESSES):
            before = self.wait("ready", lambda words: words["advice"] == "press-reset")
            self.press()
            if self._is_armed_by(before["trips"]):
                return
        raise AssertionError(f"not armed by {PRESSES} presses: {self.state()}")

    def _is_armed_by(self, trips: int) -> bool:
        self.wait(
            "armed",
            lambda words: words["state"] == "armed" or words["trips"] > trips or words["fault"],
        )
        until(lambda: self.powered() or self.state()["trips"] > trips, "both contacts closed")
        now = self.state()
        assert now["trips"] == trips or now["cause"] == "scan-stalled", now
        return bool(now["trips"] == trips)

    def run(self) -> None:
        """Come from ARMED to RUNNING."""
        self.cabinet.ask("run")
        self.wait_for("running")

    def stays_off(self, seconds: float = 0.6) -> None:
        """Hold that the machine has no power, for a while."""
        before = len(self.moves("K1", closed=True))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert not self.powered()
            time.sleep(0.01)
        assert len(self.moves("K1", closed=True)) == before

    def begin_anew(self, *, armed: bool = False) -> None:
        """Put everything right, and come to LOCKED or to ARMED.

        The daemon goes on, unless it has ended or remembers a fault: then a new one begins, as if
        somebody had seen to it.
        """
        self.stop_renewing()
        for act in AT_REST:
            with suppress(SimError):  # a cabinet without this input
                self.cabinet.ask(act)
        if self.process is not None and self.process.poll() is None:
            self.send(signal.SIGCONT)
        else:
            self.start()
        if self.state()["fault"]:
            self.end(signal.SIGKILL)
            self.profile.fault_file.write_text('{"v": 1, "fault": null}\n')
            self.start()
        self.drop("the next round")
        if self.state()["state"] in {"boot", "selftest"}:
            self.prove()
        self.wait_for("locked")
        self.first_event = self.cabinet.status()["events"] + 1
        if armed:
            self.arm()


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
    WATCH.begin(it)
    try:
        cabinet.start()
        it.cabinet_is_hardware()
        if start:
            it.start()
        yield it
    finally:
        it.stop_renewing()
        WATCH.end(it)
        if it.process is not None and it.process.poll() is None:
            it.process.kill()
            it.process.wait()
        cabinet.end()
        shutil.rmtree(folder)


def own_key() -> bytes:
    """Return a key that is not the machine's."""
    return secrets.token_bytes(32)
