"""The interlock's reaction times at the cabinet's contacts, its CPU share and its memory.

Several lasers run at once, each a daemon and a cabinet, so that 1,000 trips take minutes. What is
measured is stamped where it happens: an input when its pin shows the level, a relay by the line
that its daemon drives plus the contact's own time (6 ms to open), never by who watches.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import psutil

from fabctl.commands.interlock_line import InterlockLine
from tests.bench.figures import quantile, show
from tests.guarded import LASER, Guarded, guarded
from tests.guarded_processes import until

# TRIPS=40 for a quick look; ONLY="ordinary" for one of the three situations
TRIPS = int(os.environ.get("TRIPS", "1000"))
LASERS = 12
WATCHED_S = 20.0
REACTION_AIM_MS = 100.0
STALLED_AIM_MS = 250.0
HOLD_S = 0.200
"""Of K1's monostable: the longest that its wiring allows."""
QUICK = "[interlocks.laser.timings]\nclear_s = 0.5\nreset_min_s = 0.05\n"
PERMIT_EVERY_S = 30.0


class Laser:
    """One daemon and its cabinet, armed and tripped again and again."""

    def __init__(self, it: Guarded) -> None:
        self.it = it
        self.line: InterlockLine = it.line()
        self._events = 1
        self._permitted = float("-inf")
        self.pressed_again = 0

    def until(self, holds: Callable[[dict[str, object]], bool], what: str) -> None:
        """Wait for a state."""
        if not self._comes(holds, 60.0):
            raise RuntimeError(f"never {what}: {self.line.state()}")

    def _comes(self, holds: Callable[[dict[str, object]], bool], within_s: float) -> bool:
        self.line.say({"hello": 1})
        found = self.line.wait(lambda words: "state" in words and holds(words), within_s)
        return found is not None

    def arm(self) -> None:
        """Come to ARMED, with both contacts closed."""
        if time.monotonic() - self._permitted > PERMIT_EVERY_S:
            self._permitted = time.monotonic()
            self.it.permit()
        for _ in range(10):  # a scan that stalls while the button is down asks for another press
            self.until(lambda words: words["advice"] == "press-reset", "ready")
            self.it.press(0.12)
            if self._comes(lambda words: words["state"] == "armed", 2.0):
                break
            self.pressed_again += 1
        until(self.it.powered, "both contacts closed", 60.0)
        self._events = int(self.it.cabinet.status()["events"]) + 1

    def tripped(self) -> float:
        """Open the lid; return the s from its pin's change to K2's open contact."""
        self.it.cabinet.ask("open-lid")
        opened = self._when(lambda event: event["kind"] == "input" and "lid" in str(event["role"]))
        off = self._when(_opens("K2"))
        self.it.cabinet.ask("close-lid")
        return off - opened

    def stalled(self) -> float:
        """Stop the process; return the s until K1's contact is open."""
        began = time.monotonic()
        os.kill(self.it.pid, signal.SIGSTOP)
        try:
            return self._when(_opens("K1")) - began
        finally:
            os.kill(self.it.pid, signal.SIGCONT)

    def _when(self, wanted: Callable[[dict[str, object]], bool]) -> float:
        end = time.monotonic() + 60.0
        while time.monotonic() < end:
            for event in self.it.cabinet.events(self._events):
                if wanted(event):
                    return float(event["t"])
            time.sleep(0.005)
        raise RuntimeError("it never came")


def _opens(relay: str) -> Callable[[dict[str, object]], bool]:
    def wanted(event: dict[str, object]) -> bool:
        main = event["kind"] == "contact" and event["contact"] == "main"
        return main and event["relay"] == relay and not event["closed"]

    return wanted


def main() -> None:
    """Print the figures."""
    print("interlock: CPU and memory of one laser's daemon, ARMED, its state read by one client")
    _cost()
    chosen = os.environ.get("ONLY", "")
    with ExitStack() as stack:
        made = [guarded(LASER + QUICK, "--hold", str(HOLD_S)) for _ in range(LASERS)]
        lasers = [Laser(stack.enter_context(one)) for one in made]
        for laser in lasers:
            laser.it.cabinet_is_hardware()
            laser.it.prove()
        for title, policy, busy in (
            ("real-time priority, cores idle", os.SCHED_FIFO, False),
            ("real-time priority, all cores busy", os.SCHED_FIFO, True),
            ("ordinary priority, all cores busy", os.SCHED_OTHER, True),
        ):
            if chosen and not title.startswith(chosen):
                continue
            if _prioritised(lasers, policy):
                _reactions(lasers, title, busy=busy)
            else:
                print(f"interlock: {title}: not shown, this computer does not allow the priority")


def _cost() -> None:
    with guarded() as it:
        it.prove()
        it.arm()
        process = psutil.Process(it.pid)
        before, began = process.cpu_times(), time.monotonic()
        with it.line() as line:
            line.wait(lambda _: False, WATCHED_S)
        after, seconds = process.cpu_times(), time.monotonic() - began
        spent = after.user + after.system - before.user - before.system
        show("CPU, of one core, at 100 scans per s", 100 * spent / seconds, "%", aim=3)
        show("memory (PSS)", process.memory_full_info().pss / 1e6, "MB", aim=30)
        show("scans missed", it.state()["overruns"], "")
        show("longest gap between two scans", 1000 * it.state()["longest_gap_s"], "ms")


def _prioritised(lasers: list[Laser], policy: int) -> bool:
    priority = 40 if policy == os.SCHED_FIFO else 0
    try:
        for laser in lasers:
            os.sched_setscheduler(laser.it.pid, policy, os.sched_param(priority))
    except PermissionError:
        return False
    return True


def _reactions(lasers: list[Laser], title: str, *, busy: bool) -> None:
    print(f"interlock: {TRIPS} trips of each kind on {LASERS} lasers at once, {title}")
    missed = sum(laser.it.state()["overruns"] for laser in lasers)
    with _busy_cores() if busy else ExitStack():
        _show("lid opens to K2 off", _series(lasers, Laser.tripped), REACTION_AIM_MS)
        later = sum(laser.it.state()["overruns"] for laser in lasers)
        _show("loop stalled to K1 off", _series(lasers, Laser.stalled), STALLED_AIM_MS)
    show("scans missed, without the stalls", later - missed, "")
    show("presses in vain, so far", sum(laser.pressed_again for laser in lasers), "")


def _series(lasers: list[Laser], measure: Callable[[Laser], float]) -> list[float]:
    each = -(-TRIPS // len(lasers))

    def many(laser: Laser) -> list[float]:
        times = []
        for _ in range(each):
            laser.arm()
            times.append(1000 * measure(laser))
        return times

    with ThreadPoolExecutor(len(lasers)) as pool:
        return [one for times in pool.map(many, lasers) for one in times]


def _show(what: str, times: list[float], aim_ms: float) -> None:
    show(f"{what}, p50 of {len(times)}", quantile(times, 0.5), "ms")
    show(f"{what}, p99", quantile(times, 0.99), "ms")
    show(f"{what}, 99.9 %", quantile(times, 0.999), "ms", aim=aim_ms)
    show(f"{what}, max", max(times), "ms")


@contextmanager
def _busy_cores() -> Iterator[None]:
    """Two programs per core that never rest."""
    count = 2 * (os.cpu_count() or 1)
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for one in busy:
            one.kill()
            one.wait()
