"""``fabctl interlock ID --commission`` against a real daemon, with somebody at the cabinet."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fabctl.commands.interlock_checklist import checklist, numbered
from fabctl.errors import DeviceError
from fabctl.interlock import InputRole
from tests.guarded import LASER, Guarded, guarded
from tests.guarded_processes import PATIENCE_S, until
from tests.lab import fabctl
from tests.steady import steady

pytestmark = pytest.mark.timeout(600)  # rounds that are made again: tests/steady.py

QUICK = "[interlocks.laser.timings]\nclear_s = 0.5\nexhaust_s = 0.3\nidle_running_s = 1.0\n"
RELAY = f"""\
[lab]
id = "lab"
name = "Lab"
simulated = true
[machines.laser]
kind = "other"
driver = "opaque"
[interlocks.laser]
kind = "relay"
factory = "simulated"
inputs = {{ reset = 16 }}
outputs = {{ k1 = 17, k2 = 27 }}
{QUICK}"""
KEYS = {str(number): check.key for number, check in numbered()}
FIGURES = {"V": "0.1", "ms": "20"}
HOLD = "hold of the monostable"


class Use:
    """A use that is open: its permits are renewed until it is cut off."""

    def __init__(self, it: Guarded) -> None:
        self._it = it
        self._open = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._renew)
        self._thread.start()

    def begin(self) -> None:
        """Have permits."""
        self._open.set()

    def cut(self) -> None:
        """Have no further ones."""
        self._open.clear()

    def end(self) -> None:
        """End the thread."""
        self._end.set()
        self._thread.join()

    def _renew(self) -> None:
        while not self._end.wait(1.0):
            if not self._open.is_set():
                continue
            try:
                self._it.permit(seconds=4.0)
            except (DeviceError, AssertionError, OSError):
                continue  # the daemon is stopped or starts again just now; a steward goes on, too


class Walk:
    """A person at the machine: reads what ``--commission`` says, acts at the cabinet, answers."""

    def __init__(self, it: Guarded, use: Use) -> None:
        self.it, self.use = it, use
        self.said = ""
        self.done: set[str] = set()
        self.process = self._start()

    def run(self) -> int:
        """Go through the list."""
        key = ""
        while (question := self._until_asked()) is not None:
            found = re.findall(r"no\. (\d+) \(", question)
            key = KEYS[found[-1]] if found else key
            self._type(self._answer(key, question))
        code = self.process.wait(PATIENCE_S)
        self._close()
        return code

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            fabctl("interlock", "laser", "--commission", "--config", str(self.it.config.file)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.it.config.file.parent,
        )

    def _close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()

    def _until_asked(self) -> str | None:
        assert self.process.stdout is not None
        heard = ""
        while data := os.read(self.process.stdout.fileno(), 4096):
            heard += data.decode()
            self.said += data.decode()
            if heard.rstrip().endswith(("leave it out:", "runs again:", ", or s:")):
                return heard
        return None

    def _type(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(word.encode() + b"\n")
        self.process.stdin.flush()

    def _answer(self, key: str, question: str) -> str:
        if HOLD in question.splitlines()[-1]:
            return "175"
        if unit := re.search(r"how many (\w+) \(", question):
            return FIGURES[unit[1]]
        if "yes, no" in question:
            return "yes"
        assert "Enter to read again" not in question, self.said[-2000:]
        if key not in self.done:
            self.done.add(key)
            self._act(key)
        return ""

    # -- at the cabinet --------------------------------------------------------------------------

    def _act(self, key: str) -> None:
        ask = self.it.cabinet.ask
        if key == "arm" or key.startswith("arm-"):
            self._arm()
        elif key.endswith("-pulled") and key != "reset-pulled":
            ask("wire-broken", role=key.removesuffix("-pulled").replace("-", "_"))
        elif key.endswith("-put-back"):
            ask("repair")
        elif key.endswith("-alone"):
            ask("wire-broken", role="lid_a" if "-a-" in key else "lid_b")
        elif key.endswith("-cleared"):
            self._clear()
        elif key in SWITCHES:
            ask(SWITCHES[key])
        elif key in TRIPS:
            off, on = TRIPS[key]
            ask(off)
            self.it.wait_for("tripped")
            ask(on)
        else:
            self._others()[key]()

    def _others(self) -> dict[str, Callable[[], None]]:
        return {
            "boot": lambda: None,
            "wait": lambda: None,
            "level": lambda: None,
            "as-found": lambda: None,
            "use": self.use.begin,
            "network-back": self.use.begin,
            "drain-back": self.use.begin,
            "network-idle": self.use.cut,
            "drain": self._drain,
            "reset-pulled": self._reset_pulled,
            "press-unsafe": self._press_unsafe,
            "stop": self._stop_and_go_on,
            "kill": self._kill,
            "remembered": self._kill,
            "power": self._power,
            "k1-coil": lambda: self._coil("k1-stuck"),
            "k2-coil": lambda: self._coil("k2-stuck"),
            "machine-off": self.use.cut,
        }

    def _arm(self) -> None:
        if InputRole.LID_A in self.it.profile.inputs:
            self.it.cabinet.ask("close-lid")
            self.it.cabinet.ask("estop-release")
        self.use.begin()
        state = self.it.wait(
            "can be armed",
            lambda words: (
                words["advice"] in {"press-reset", "lid-not-seen-open"} or words["outputs_on"]
            ),
        )
        if state["advice"] == "lid-not-seen-open":
            self.it.prove()
        if not state["outputs_on"]:
            self.it.arm_again()
        until(self.it.powered, "both contacts closed")

    def _press(self) -> None:
        self.it.press()
        time.sleep(0.5)  # a person holds it for 0.3 s

    def _drain(self) -> None:
        self.it.run()
        self.use.cut()
        self.it.wait_for("drain")

    def _reset_pulled(self) -> None:
        self.it.cabinet.ask("wire-broken", role="reset")
        self._press()
        self.it.cabinet.ask("repair")

    def _press_unsafe(self) -> None:
        self.it.cabinet.ask("open-lid")
        self._press()
        self.it.cabinet.ask("close-lid")

    def _stop_and_go_on(self) -> None:
        self.it.send(signal.SIGSTOP)
        until(lambda: not self.it.powered(), "K1 lets go")
        self.it.send(signal.SIGCONT)

    def _kill(self) -> None:
        self.it.cabinet.ask("reset-release")
        self.it.end(signal.SIGKILL)
        self.it.start()

    def _power(self) -> None:
        """The computer is off and on again: the walk begins anew, and goes on where it was."""
        self.process.kill()
        self.process.wait()
        self._close()
        self._kill()
        self.process = self._start()
        question = self._until_asked()
        assert question is not None
        assert "it goes on there" in question
        assert KEYS[re.findall(r"no\. (\d+) \(", question)[-1]] == "power"

    def _coil(self, fault: str) -> None:
        self.it.cabinet.ask(fault)
        self.it.wait("its turn", lambda words: words["advice"] == "press-reset")
        self.it.press()

    def _clear(self) -> None:
        self.it.cabinet.ask("repair")
        self.it.cabinet.ask("reset-release")
        self._press()
        fault = self.it.state()["fault"]
        words = ("interlock", "laser", "--clear-fault", "--config", str(self.it.config.file))
        done = subprocess.run(
            fabctl(*words), check=False, input=f"{fault}\n", capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        if InputRole.LID_A in self.it.profile.inputs:
            self.it.prove()


SWITCHES = {
    "lids-open": "open-lid",
    "lids-closed": "close-lid",
    "flow-off": "flow-stop",
    "flow-on": "flow-start",
    "exhaust-off": "exhaust-off",
    "exhaust-on": "exhaust-on",
    "estop-off": "estop",
    "estop-on": "estop-release",
    "key-off": "key-off",
    "key-on": "key-on",
    "press-without-use": "reset-press",
    "run": "run",
    "idle": "idle",
    "drained": "idle",
    "lid": "open-lid",
    "lid-closed-again": "close-lid",
    "reset-held": "reset-hold",
    "beam-lid": "open-lid",
    "beam-estop": "estop",
}
TRIPS = {
    "estop-armed": ("estop", "estop-release"),
    "key-armed": ("key-off", "key-on"),
    "flow-armed": ("flow-stop", "flow-start"),
    "exhaust-armed": ("exhaust-off", "exhaust-on"),
}


@contextmanager
def commissioned(text: str = LASER + QUICK, *options: str) -> Iterator[tuple[Guarded, Use]]:
    with guarded(text, *options) as it:
        use = Use(it)
        try:
            yield it, use
        finally:
            use.end()


def report_of(it: Guarded) -> str:
    (report,) = it.config.file.parent.glob("interlock-laser-*.txt")
    return report.read_text()


@steady
def test_a_laser_passes_every_check_of_the_list_and_goes_on_after_a_loss_of_power() -> None:
    with commissioned() as (it, use):
        walk = Walk(it, use)
        code = walk.run()
        assert code == 0, walk.said[-3000:]
        text = report_of(it)
        count = len(checklist(it.profile))
        assert f"{count} of {count} checks passed. All checks passed." in text
        assert "FAULT `lids-differ`" in text
        assert "hold of the monostable after its last edge: 175 ms (150 to 200 ms)" in text
        assert text.count("Signature: ____") == 2
        assert it.state()["boot"] in text
        assert not it.powered()
        assert not list(it.config.file.parent.glob("*.notes.json"))


@steady
def test_a_plain_machine_behind_a_relay_passes_its_own_list() -> None:
    with commissioned(RELAY, "--profile", "relay") as (it, use):
        walk = Walk(it, use)
        code = walk.run()
        assert code == 0, walk.said[-3000:]
        text = report_of(it)
        assert "All checks passed." in text
        assert "lid" not in re.sub("if asked, tap .*|lid once if asked.*", "", text)


@pytest.fixture(scope="module")
def untouched() -> Iterator[Guarded]:
    """A daemon at which nobody does anything."""
    with guarded(LASER + QUICK) as it:
        yield it


def typed(it: Guarded, *lines: str) -> subprocess.CompletedProcess[str]:
    """Run the walk with these lines on its standard input."""
    for left in it.config.file.parent.glob("*.notes.json"):
        left.unlink()
    return again(it, *lines)


def again(it: Guarded, *lines: str) -> subprocess.CompletedProcess[str]:
    (it.config.file.parent / "r.txt").unlink(missing_ok=True)
    config = str(it.config.file)
    return subprocess.run(
        fabctl("interlock", "laser", "--commission", "--report", "r.txt", "--config", config),
        check=False,
        input="".join(line + "\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=90,
        cwd=it.config.file.parent,
    )


def until_the_lid(it: Guarded) -> list[str]:
    """Return what a person types who agrees with everything up to the first act."""
    lines: list[str] = []
    for _, check in checklist(it.profile):
        if check.key == "lids-open":
            return lines
        lines += [""] if check.read is not None else []
        lines += ["0.1" if hasattr(one, "unit") else "yes" for one in check.ask]
    raise AssertionError("no lid in the list")


def test_who_does_nothing_and_agrees_with_everything_fails(untouched: Guarded) -> None:
    said = typed(untouched, *until_the_lid(untouched), "f")
    assert said.returncode == 1, said.stdout + said.stderr
    report = (Path(untouched.config.file.parent) / "r.txt").read_text()
    assert "NOT all checks passed: do not use it." in report
    assert "daemon  FAILED: selftest" in report
    assert "not made: " in report
    assert not untouched.moves("K1", closed=True)


def test_a_no_ends_the_list_with_what_was_seen(untouched: Guarded) -> None:
    said = typed(untouched, "y", "no", "a loose wire at X1.3")
    assert said.returncode == 1
    report = (Path(untouched.config.file.parent) / "r.txt").read_text()
    assert "none is loose. no: a loose wire at X1.3" in report
    assert "0 of " in report


@pytest.mark.parametrize("wrong", ["nan", "-0.1", "inf", "1e-9", "", "0,1 V"])
def test_a_figure_is_a_number_and_within_its_limits(untouched: Guarded, wrong: str) -> None:
    lines = until_the_lid(untouched)
    at = lines.index("0.1")
    said = typed(untouched, *lines[:at], wrong, "0,5")
    assert said.stdout.count("K1's line: how many V (at most 0.4 V)") == 2
    report = typed(untouched, *lines[:at], "0,5", *lines[at + 1 :])
    assert report.returncode == 1


def test_a_step_left_out_is_none_that_passed(untouched: Guarded) -> None:
    said = typed(untouched, "s", *until_the_lid(untouched)[1:], "f")
    assert said.returncode == 1
    report = (Path(untouched.config.file.parent) / "r.txt").read_text()
    assert "left out" in report
    assert "NOT all checks passed" in report


def test_who_gives_up_goes_on_there_but_not_with_other_wiring(untouched: Guarded) -> None:
    said = typed(untouched, "yes")
    assert said.returncode == 2
    assert "given up" in said.stderr
    assert "1 checks were made before" in again(untouched, "yes").stdout
    (notes,) = untouched.config.file.parent.glob("*.notes.json")
    notes.write_text(notes.read_text().replace('"list": "', '"list": "0'))
    other = again(untouched, "yes")
    assert other.returncode == 2
    assert "other wiring" in other.stderr
