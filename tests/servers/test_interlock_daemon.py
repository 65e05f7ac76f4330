"""The daemon as a process: its disk, its clocks, its sockets, systemd, and its command line."""

from __future__ import annotations

import ast
import json
import os
import resource
import select
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest

import fabctl_drivers.interlock.daemon
from fabctl.commands.interlock_line import InterlockLine
from tests.guarded import LASER, Guarded, guarded
from tests.guarded_processes import PATIENCE_S, until
from tests.lab import fabctl
from tests.steady import steady

pytestmark = pytest.mark.timeout(400)  # rounds that are made again: tests/steady.py

QUICK = "[interlocks.laser.timings]\nclear_s = 0.5\nexhaust_s = 0.3\nidle_running_s = 1.0\n"


@pytest.fixture
def laser() -> Iterator[Guarded]:
    with guarded(LASER + QUICK) as it:
        it.prove()
        yield it


@pytest.fixture
def armed(laser: Guarded) -> Guarded:
    laser.arm()
    return laser


def command(it: Guarded, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run ``fabctl interlock laser …`` with these lines on its standard input."""
    return subprocess.run(
        [*fabctl("interlock", "laser", *words), "--config", str(it.config.file)],
        check=False,
        input=typed,
        capture_output=True,
        text=True,
        timeout=90,
        cwd=it.config.file.parent,
    )


def clear(it: Guarded, code: str) -> tuple[int, str]:
    """Clear a fault as a person at the machine does; return the exit code and what was said."""
    words = fabctl("interlock", "laser", "--clear-fault", "--config", str(it.config.file))
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{code}\n".encode())
        process.stdin.flush()
        said = b""
        while data := os.read(process.stdout.fileno(), 4096):
            if b"Press the reset button" in data:
                time.sleep(0.1)  # a person is slower; the button is to be seen released first
                it.press()
            said += data
        return process.wait(PATIENCE_S), said.decode()


# -- the disk ------------------------------------------------------------------------------------


def full(it: Guarded, *, room: bool = False) -> None:
    """Let the disk be full for the daemon, or have room again."""
    _, most = resource.prlimit(it.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(it.pid, resource.RLIMIT_FSIZE, (most if room else 0, most))


@steady
def test_a_full_disk_is_safe_and_the_fault_is_remembered(armed: Guarded) -> None:
    """The kernel refuses every byte that the daemon writes from here on (RLIMIT_FSIZE 0)."""
    full(armed)
    armed.cabinet.ask("channel-a-stuck")
    armed.cabinet.ask("open-lid")
    state = armed.wait("told", lambda words: words["state"] == "fault" and words["trouble"])
    assert "cannot be written" in state["trouble"]
    assert not armed.powered()
    until(lambda: armed.profile.fault_file.read_bytes() == b"", "emptied: as far as can be")
    armed.end(signal.SIGKILL)
    armed.start()
    again = armed.wait_for("fault")
    assert (again["fault"], again["outputs_on"], again["trouble"]) == ("fault-file", False, None)


@steady
def test_a_disk_that_has_room_again_gets_what_was_missing(armed: Guarded) -> None:
    full(armed)
    armed.cabinet.ask("channel-a-stuck")
    armed.cabinet.ask("open-lid")
    armed.wait("told", lambda words: words["state"] == "fault" and words["trouble"])
    full(armed, room=True)
    armed.wait("no trouble", lambda words: words["trouble"] is None)
    assert json.loads(armed.profile.fault_file.read_text())["fault"]["code"] == "fault-file"
    until(lambda: armed.record()[-1]["fault"] == "fault-file", "on record too")


@steady
def test_a_disk_that_takes_nothing_from_the_start_is_a_fault() -> None:
    """What could not be remembered must not be risked."""
    with guarded(start=False) as it:
        new = it.profile.fault_file.with_name(".fault.json.new")
        new.mkdir()  # in the way of every write
        it.start()
        state = it.wait_for("fault")
        assert state["fault"] == "fault-file"
        assert "cannot be written" in state["fault_why"]
        exit_code, said = clear(it, "fault-file")
        assert exit_code != 0
        assert "cannot be written" in said
        assert it.state()["state"] == "fault"
        new.rmdir()
        assert clear(it, "fault-file")[0] == 0
        it.prove()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 512,
        b'{"v": 1, "fault": nul',
        b'{"v": 1, "fault": {"code": "no such code", "why": "", "first_cause": null}}',
        b'{"v": 2, "fault": null}',
        b"[" * 5000,
        None,
    ],
)
@steady
def test_a_damaged_or_missing_fault_file_is_a_fault(content: bytes | None) -> None:
    with guarded(start=False) as it:
        it.profile.record.write_text('{"n": 1}\n')
        if content is not None:
            it.profile.fault_file.write_bytes(content)
        it.start()
        state = it.wait_for("fault")
        assert (state["fault"], state["outputs_on"]) == ("fault-file", False)
        it.permit()
        it.press()
        it.stays_off()


def test_a_fault_file_that_is_a_folder_is_a_fault() -> None:
    with guarded(start=False) as it:
        it.profile.fault_file.mkdir()
        it.start()
        assert it.wait_for("fault")["fault"] == "fault-file"


# -- clocks --------------------------------------------------------------------------------------

JUMPS = """
import sys
from datetime import timedelta
from pathlib import Path
from fabctl.clock import SystemClock
from fabctl.config_file import load
from fabctl_drivers.interlock.daemon import GpioInterlock

class Jumps(SystemClock):
    days = 0
    def now(self):
        self.days = {0: 1, 1: -1, -1: 0}[self.days]
        return super().now() + timedelta(days=self.days)

config = load(Path(sys.argv[1]))
key = bytes.fromhex(config.paths.permit_key("laser").read_text())
GpioInterlock(config.interlocks["laser"], key, Jumps(), simulated=True, say=print).run()
"""


@steady
def test_the_wall_clock_jumps_a_day_and_nothing_changes() -> None:
    with guarded(LASER + QUICK, start=False) as it:
        it.command = (sys.executable, "-c", JUMPS, str(it.config.file))
        it.start()
        it.prove()
        it.arm()
        it.run()
        it.permit(seconds=8.0)
        permitted = time.monotonic()
        assert it.state()["permit"]["left_s"] > 5
        opened = it.act("open-lid")
        assert it.off_after(opened, "K2") - opened < 0.1
        it.cabinet.ask("close-lid")
        it.wait_for("locked")
        until(lambda: it.record()[-1]["state"] == "locked", "on record")
        assert it.record()[-1]["mono_s"] - permitted < 8.1, "by its own clock"
        changes = [one["state"] for one in it.record() if one.get("was") != one.get("state")]
        assert changes[-3:] == ["tripped", "ready", "locked"]
        entries = it.record()
        assert len({entry["wall"][:10] for entry in entries}) == 3
        stamps = [entry["mono_s"] for entry in entries]
        assert stamps == sorted(stamps)


WALL_CLOCKS = {
    "now", "time", "time_ns", "today", "utcnow", "localtime", "gmtime", "ctime", "strftime",
    "fromtimestamp", "CLOCK_REALTIME", "CLOCK_REALTIME_COARSE", "CLOCK_TAI",
}  # fmt: skip


def test_the_daemon_and_its_chain_ask_no_wall_clock() -> None:
    """But for the record's stamp, which comes from the clock that is passed in."""
    folder = Path(fabctl_drivers.interlock.daemon.__file__).parent
    nodes = [
        (path.name, node)
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
    ]
    asked = {
        f"{name}: {ast.unparse(node)}"
        for name, node in nodes
        if isinstance(node, ast.Attribute)
        and node.attr in WALL_CLOCKS
        and ast.unparse(node) != "self._now"
    }
    assert asked == {"daemon.py: self._clock.now"}
    taken = {
        f"{name}: {node.module}.{one.name}"
        for name, node in nodes
        if isinstance(node, ast.ImportFrom) and node.module in {"time", "datetime", "os"}
        for one in node.names
    }
    assert taken == {"telling.py: datetime.datetime"}  # as a type: its .now is not asked above


# -- the sockets of the process ------------------------------------------------------------------


def test_who_may_open_which_socket(laser: Guarded) -> None:
    assert stat.S_IMODE(laser.profile.socket.stat().st_mode) == 0o660
    assert stat.S_IMODE(laser.profile.supervisor_socket.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "message",
    [
        {"clear_fault": "lids-differ"},
        {"reset": 1},
        {"arm": 1},
        {"bypass": "lid_a"},
        {"outputs_on": True},
        {"permit": 1},
        {"permit": None},
        {"state": "armed"},
    ],
)
@steady
def test_nothing_on_the_public_socket_does_more_than_it_says(
    laser: Guarded, message: dict[str, object]
) -> None:
    laser.cabinet.ask("channel-a-stuck")
    laser.cabinet.ask("open-lid")
    laser.wait_for("fault")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(laser.profile.socket))
        client.sendall(json.dumps(message).encode() + b"\n")
        client.settimeout(PATIENCE_S)
        while client.recv(4096):
            pass  # states, until it hangs up
    state = laser.state()
    assert (state["state"], state["refused"]) == ("fault", {"garbage": 1})


def test_slow_and_hostile_clients_delay_no_scan(armed: Guarded) -> None:
    """What they delay they delay in every round; a round that the computer delayed is no proof."""
    calm, end = 0, time.monotonic() + 150.0
    with armed.line() as line:
        first = line.state()
        while calm < 8:
            assert time.monotonic() < end, f"only {calm} rounds without a scan that came late"
            before = line.state()
            _hostile_for(0.5, armed.profile.socket, line)
            after = line.state()
            late = after["overruns"] - before["overruns"] > 1
            if not late and after["trips"] == before["trips"]:
                calm += 1
                assert (after["state"], armed.powered()) == ("armed", True)
            elif after["state"] != "armed":
                until(armed.answers, "the crowd has gone")
                armed.arm_again()
        last = line.state()
    assert last["boot"] == first["boot"]
    assert sum(last["refused"].values()) - sum(first["refused"].values()) > 10


def _hostile_for(seconds: float, path: Path, line: InterlockLine) -> None:
    end = time.monotonic() + seconds
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(40)]
        while time.monotonic() < end:
            for number, client in enumerate(clients):
                client.setblocking(False)
                _flood(path, client, number)
            assert line.wait(lambda words: "state" in words) is not None


def _flood(path: Path, client: socket.socket, number: int) -> None:
    """Connect and send too much; whoever was hung up on stays away."""
    words = (b'{"hello": 1}\n' * 150, b"\x00" * 2000, b'{"permit": "x"}\n' * 100, b"{" * 1999)
    with suppress(OSError):  # it is connected, or was, or the queue is full
        client.connect(str(path))
    with suppress(OSError):  # its buffer is full, or it was hung up on
        client.send(words[number % len(words)])


def test_a_second_daemon_is_refused(laser: Guarded) -> None:
    second = subprocess.Popen(
        [*fabctl("interlock", "laser"), "--config", str(laser.config.file)],
        stderr=subprocess.PIPE,
        text=True,
    )
    _, said = second.communicate(timeout=40)
    assert second.returncode == 2
    assert "in use by another fabctl" in said
    assert laser.state()["state"] == "locked"


# -- systemd -------------------------------------------------------------------------------------


def test_systemd_is_told_and_its_watchdog_is_fed_by_the_scan_only(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, guarded(start=False) as it:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(PATIENCE_S)
        it.environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        it.start()
        heard = [systemd.recv(500).decode() for _ in range(8)]
        assert any(words.startswith("READY=1") for words in heard)
        assert heard.count("WATCHDOG=1") >= 3
        it.send(signal.SIGSTOP)
        time.sleep(0.5)
        systemd.setblocking(False)
        while select.select([systemd], [], [], 0.0)[0]:
            systemd.recv(500)
        time.sleep(0.5)
        with pytest.raises(BlockingIOError):
            systemd.recv(500)
        systemd.settimeout(PATIENCE_S)
        it.end()
        while systemd.recv(500) != b"STOPPING=1":
            pass


@steady
def test_what_the_system_does_not_allow_is_told_and_it_scans_all_the_same() -> None:
    with guarded(LASER + QUICK, start=False) as it:
        words = fabctl("interlock", "laser", "--config", str(it.config.file))
        script = (
            "import ctypes, os, resource, sys\n"
            "resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))\n"
            "for capability in (14, 23):\n"  # CAP_IPC_LOCK, CAP_SYS_NICE: out of the bounding set
            "    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)\n"
            "os.execv(sys.argv[1], sys.argv[1:])\n"
        )
        it.command = (sys.executable, "-c", script, *words)
        it.start()
        it.prove()
        it.arm()
        said = it.log.read_text()
        assert "no real-time priority" in said
        assert "memory is not locked" in said


@steady
def test_its_memory_does_not_grow(armed: Guarded) -> None:
    """Nothing is left over by scans, trips or permits, though garbage is not collected."""
    armed.permit()
    process = psutil.Process(armed.pid)

    def work() -> int:
        for _ in range(3):
            armed.cabinet.ask("open-lid")
            armed.wait("tripped", lambda words: words["cause"] == "lid-open")
            armed.cabinet.ask("close-lid")
            armed.permit()
            armed.say({"permit": "{}"})
            armed.arm_again()
        return int(process.memory_full_info().uss)

    work()
    before = work()
    after = [work() for _ in range(2)][-1]
    assert after - before < 300_000


def test_its_process_holds_no_web_no_broker_and_no_database() -> None:
    program = (
        "import sys, fabctl.commands.interlock, fabctl.config_file\n"
        "import fabctl.hosting.interlock_process, fabctl_drivers.interlock.daemon\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=30
    )
    loaded = set(done.stdout.split())
    assert "gpiozero" in loaded
    assert not loaded & {"flask", "paho", "sqlalchemy", "sqlite3", "requests", "serial", "asyncio"}


# -- the command line ----------------------------------------------------------------------------


@steady
def test_status_is_readable(armed: Guarded) -> None:
    told = command(armed, "--status")
    assert told.returncode == 0
    assert "state     armed" in told.stdout
    assert "outputs   on" in told.stdout
    assert "input     lid_a        passed" in told.stdout


def test_status_without_a_daemon_says_what_to_do() -> None:
    with guarded(start=False) as it:
        told = command(it, "--status")
        assert told.returncode == 2
        assert "fabctl interlock laser" in told.stderr


@steady
def test_a_fault_is_cleared_by_its_code_only_and_begins_with_the_self_test(armed: Guarded) -> None:
    assert "there is no fault" in command(armed, "--clear-fault", typed="x\n").stderr
    armed.cabinet.ask("channel-a-stuck")
    armed.cabinet.ask("open-lid")
    armed.wait_for("fault")
    wrong = command(armed, "--clear-fault", typed="k1-welded\n")
    assert "another code was typed" in wrong.stderr
    assert armed.state()["state"] == "fault"
    armed.cabinet.ask("repair")
    armed.cabinet.ask("close-lid")
    exit_code, said = clear(armed, "lids-differ")
    assert exit_code == 0, said
    assert "it is now selftest" in said
    assert json.loads(armed.profile.fault_file.read_text()) == {"v": 1, "fault": None}
    armed.stays_off(0.3)
    armed.prove()


def asked_to_clear(it: Guarded, code: str) -> str | None:
    """Say on the second socket, as any program of this user can, that a fault was seen to."""
    with InterlockLine(it.profile.supervisor_socket) as line:
        line.say({"clear_fault": code})
        answer = line.wait(lambda words: "clear_answer" in words)
    assert answer is not None
    refusal: str | None = answer["clear_answer"]["code"]
    return refusal


@steady
def test_a_fault_is_cleared_only_while_somebody_is_at_the_machine(armed: Guarded) -> None:
    """The press that armed a moment ago does not count, nor a button that was down already."""
    armed.cabinet.ask("reset-hold")
    armed.cabinet.ask("channel-a-stuck")
    armed.cabinet.ask("open-lid")
    armed.wait_for("fault")
    assert asked_to_clear(armed, "lids-differ") == "press-reset"
    armed.cabinet.ask("reset-release")
    armed.cabinet.ask("repair")
    armed.cabinet.ask("close-lid")
    armed.wait("seen released", lambda words: words["inputs"]["reset"]["say"] is None)
    assert asked_to_clear(armed, "lids-differ") == "press-reset"
    assert armed.state()["state"] == "fault"
    armed.cabinet.ask("reset-hold")
    assert asked_to_clear(armed, "k1-welded") == "other-fault"
    until(lambda: asked_to_clear(armed, "lids-differ") is None, "somebody is there")
    armed.cabinet.ask("reset-release")
    armed.stays_off(0.3)
    armed.prove()


@steady
def test_a_fault_that_is_still_there_comes_back(armed: Guarded) -> None:
    armed.cabinet.ask("k1-welded")
    armed.cabinet.ask("open-lid")
    armed.wait_for("fault")
    clear(armed, "k1-welded")
    assert armed.wait_for("fault")["fault"] == "k1-welded"


@steady
def test_a_vanished_chip_is_opened_again_when_the_fault_is_cleared(armed: Guarded) -> None:
    armed.cabinet.ask("chip-vanish")
    armed.wait_for("fault")
    exit_code, said = clear(armed, "gpio-read")
    assert exit_code != 0
    assert "vanished" in said
    armed.cabinet.ask("chip-return")
    armed.wait_for("fault")
    assert clear(armed, "gpio-read")[0] == 0
    armed.prove()


@steady
def test_the_record_tells_the_day_and_no_person() -> None:
    with guarded(LASER + QUICK) as it:
        it.prove()
        it.arm()
        it.cabinet.ask("open-lid")
        it.wait_for("tripped")
        until(lambda: it.record()[-1]["event"] == "unsafe", "on record")
        entries = it.record()
        assert [entry["n"] for entry in entries] == list(range(1, len(entries) + 1))
        states = [entry["state"] for entry in entries if "state" in entry]
        assert states == ["selftest", "locked", "ready", "armed", "tripped"]
        assert (entries[-1]["cause"], entries[-1]["use"]) == ("lid-open", "u-1")
        assert "p-1" not in it.profile.record.read_text()
        it.end()
        it.start()
        until(lambda: it.record()[-1]["event"] == "opened", "goes on")
        assert it.record()[-1]["n"] == len(it.record())


def test_a_line_ends_when_the_daemon_does(laser: Guarded) -> None:
    with InterlockLine(laser.profile.socket) as line:
        line.state()
        laser.end()
        with pytest.raises(OSError, match="ended"):
            line.wait(lambda _: False)


# -- the other kinds -----------------------------------------------------------------------------

LAB = '[lab]\nid = "lab"\nname = "Lab"\nsimulated = true\n[machines.laser]\n'
MILL = f"""{LAB}kind = "mill"
driver = "opaque"
[interlocks.laser]
kind = "enclosure"
factory = "simulated"
outputs = {{ k1 = 17, k2 = 27 }}
[interlocks.laser.inputs]
lid_a = 5
estop = 26
reset = 16
k1_feedback = 20
k2_feedback = 21
active = 25
{QUICK}"""
RELAY = f"""{LAB}kind = "other"
driver = "opaque"
[interlocks.laser]
kind = "relay"
factory = "simulated"
inputs = {{ reset = 16 }}
outputs = {{ k1 = 17, k2 = 27 }}
{QUICK}"""


@steady
def test_a_mill_behind_a_door_with_one_switch() -> None:
    with guarded(MILL, "--profile", "enclosure") as it:
        it.prove()
        it.arm()
        it.run()
        opened = it.act("open-lid")
        assert it.off_after(opened, "K2") - opened < 0.1
        assert it.wait_for("tripped")["cause"] == "lid-open"
        it.cabinet.ask("close-lid")
        it.arm_again()


@steady
def test_a_plain_machine_behind_a_relay_needs_a_permit_and_reset() -> None:
    with guarded(RELAY, "--profile", "relay") as it:
        it.wait_for("locked")
        it.press()
        it.stays_off()
        it.arm()
        it.permit(seconds=0.5)
        it.wait_for("locked")
        until(lambda: not it.powered(), "the permit has ended")
        it.arm()
        began = time.monotonic()
        it.send(signal.SIGKILL)
        killed = time.monotonic()
        assert it.off_after(began, "K1") - killed < 0.25
