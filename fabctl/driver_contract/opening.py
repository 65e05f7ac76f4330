"""Checks: opening, closing, and what is there before somebody answers."""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path

from fabctl.driver_contract.bench import AT_REST, Bench, without_port
from fabctl.driver_contract.results import (
    Check,
    FailedError,
    NotApplicableError,
    NotReachedError,
    expect,
)
from fabctl.errors import DeviceError, InputError, LocalError
from fabctl.ports import Connected, Phase, PhaseChanged

_ROUNDS = 3
NOISE = b"\x00\xff\xfe!~\x18<<ok\nno such thing 1e999\n\xc3(\n" * 3


def new_driver_is_closed(bench: Bench) -> None:
    """It has done nothing yet."""
    bench.make()
    expect(bench.phase is Phase.CLOSED, f"a new driver is {bench.phase}, not closed")
    expect(bench.line == 0, f"a new driver has confirmed line {bench.line}, not 0")
    told = bench.pump(0.0)
    expect(not told, f"a new driver tells {told}")
    expect(not bench.said, f"a new driver says {bench.said[:60]!r}")
    bench.close()
    expect(bench.phase is Phase.CLOSED, f"closed before it was opened, it is {bench.phase}")


def needs_a_port(bench: Bench) -> None:
    """A profile without a port is refused at once."""
    if bench.standin.port is None:
        raise NotApplicableError("this driver needs no port")
    try:
        bench.make(without_port(bench.profile))
    except InputError:
        return
    raise FailedError("a profile without a port was accepted; InputError was due")


def missing_port_is_said(bench: Bench) -> None:
    """The machine is not plugged in."""
    bench.cable.pull()
    bench.make()
    for attempt in ("first", "second"):
        try:
            bench.open()
        except DeviceError as error:
            expect(bool(error.next_step), f"“{error}” does not say what to do (next_step)")
        else:
            raise FailedError(f"the {attempt} opening of a port that is not there succeeded")
        expect(bench.phase is Phase.CLOSED, f"it is {bench.phase} after that, not closed")
    bench.close()
    bench.cable.mend()
    bench.connect()


def connects(bench: Bench) -> None:
    """From closed to idle, told in the right order."""
    bench.made()
    bench.open()
    early = bench.phase in {Phase.CONNECTING, Phase.BROKEN} or bench.only_watches
    expect(early, f"it is {bench.phase} before anybody could answer, not connecting")
    bench.until(lambda: bench.phase is not Phase.CONNECTING, "an answer", bench.limits.ready)
    bench.pump(0.0)
    expect(bool(bench.of(Connected)), f"it is {bench.phase}, and no Connected was told")
    idle = PhaseChanged(Phase.IDLE)
    if idle in bench.events:
        first = bench.events.index(bench.of(Connected)[0])
        expect(first < bench.events.index(idle), "idle was told before Connected")
    if bench.phase is Phase.BROKEN:
        bench.clear()
        bench.until(lambda: bench.phase is Phase.IDLE, "idle after clear", bench.limits.ready)


def silent_is_not_idle(bench: Bench) -> None:
    """A machine that says nothing is unknown, and unknown is not safe."""
    bench.cable.hush(silent=True)
    bench.made()
    try:
        bench.open()
    except DeviceError:
        expect(bench.phase is Phase.CLOSED, f"opening failed, and it is {bench.phase}")
        return
    bench.pump_for(bench.limits.silence)
    expect(not bench.of(Connected), "Connected was told, and nobody had answered")
    seen = {bench.phase, *(change.phase for change in bench.of(PhaseChanged))}
    wrong = seen & {Phase.IDLE, Phase.RUNNING, Phase.PAUSED}
    expect(not wrong, f"nobody had answered, and it was {', '.join(wrong)}")


def noise_is_no_answer(bench: Bench) -> None:
    """Noise while it connects is no greeting."""
    bench.cable.hush(silent=True)
    bench.made()
    try:
        bench.open()
        bench.until_held()
        for _ in range(3):
            bench.cable.garble(NOISE)
            bench.pump(0.1)
        bench.pump_for(bench.limits.silence)
    except DeviceError:
        pass  # said, and closed
    wrong = bench.phase in {Phase.IDLE, Phase.RUNNING}
    expect(not wrong, f"noise was taken for an answer: it is {bench.phase}")


def noise_when_idle(bench: Bench) -> None:
    """Noise on an idle machine's line starts nothing and ends nothing."""
    cable = bench.cable
    bench.connect()
    for _ in range(3):
        cable.garble(NOISE)
        bench.pump(0.1)
    fine = bench.phase in AT_REST | {Phase.CONNECTING}
    expect(fine, f"noise made an idle machine {bench.phase}")
    broken = [e for e in bench.of(PhaseChanged) if e.phase is Phase.BROKEN]
    expect(all(e.reason for e in broken), "it is broken, and no reason was told")


def closes_twice(bench: Bench) -> None:
    """Closing is idempotent, and a closed driver can be opened again."""
    bench.connect()
    bench.close()
    expect(bench.phase is Phase.CLOSED, f"it is {bench.phase} after close()")
    bench.pump(0.0)
    bench.close()
    expect(bench.phase is Phase.CLOSED, f"it is {bench.phase} after the second close()")
    told = bench.pump(0.0)
    expect(not told, f"closed twice, it still tells {told}")
    bench.connect()


def close_leaves_nothing(bench: Bench) -> None:
    """Threads and descriptors are as before, however often it was opened."""
    bench.connect()
    bench.close()
    bench.pump(0.0)
    bench.driver = None
    before = _held(bench)
    for _ in range(_ROUNDS):
        bench.connect()
        bench.close()
        bench.pump(0.0)
        bench.driver = None
    try:
        bench.until(lambda: _held(bench) <= before, "threads and descriptors as before", 3.0)
    except FailedError:
        raise FailedError(_more(before, _held(bench))) from None


def _held(bench: Bench) -> frozenset[str]:
    bench.driver = None
    gc.collect()
    threads = {f"thread {one.name} (number {one.ident})" for one in threading.enumerate()}
    descriptors = {f"descriptor {name}" for name in os.listdir("/proc/self/fd")}  # noqa: PTH208
    return frozenset(threads | descriptors)


def _more(before: frozenset[str], after: frozenset[str]) -> str:
    left = [_named(one) for one in sorted(after - before)]
    return f"after {_ROUNDS} rounds of open and close there are still: {', '.join(left)}"


def _named(one: str) -> str:
    kind, _, name = one.partition(" ")
    if kind == "descriptor":
        try:
            return f"{one} ({Path('/proc/self/fd', name).readlink()})"
        except OSError:
            return one
    return one


def wake_ends_a_wait(bench: Bench) -> None:
    """wake() from another thread ends a pump."""
    bench.connect()
    for _ in range(20):  # what is still coming in is not the wait
        if not bench.pump(0.2):
            break
    driver, long = bench.made(), 20.0
    waker = threading.Timer(0.3, driver.wake)
    begun = bench.clock.monotonic()
    waker.start()
    bench.pump(long)
    took_s = bench.clock.monotonic() - begun
    waker.join()
    expect(took_s < long / 2, f"pump({long:g}) went on for {took_s:.1f} s after wake()")


def stop_is_always_allowed(bench: Bench) -> None:
    """Stop is never refused, and without a job it ends none."""
    bench.make()
    bench.ask("stop")
    expect(bench.phase is Phase.CLOSED, f"stopped while closed, it is {bench.phase}")
    try:
        bench.open()
    except (DeviceError, LocalError) as error:
        raise NotReachedError(f"it did not open: {error}") from error
    bench.ask("stop")
    bench.until(lambda: bench.phase in AT_REST, "at rest", bench.limits.ready)
    if bench.phase is Phase.IDLE:
        bench.ask("stop")
        bench.until(lambda: bench.phase is Phase.IDLE, "idle again", bench.limits.ready)


CHECKS = (
    Check(
        "new-driver-is-closed",
        "A new driver is closed, has opened nothing, and says nothing.",
        "DriverFactory.__call__",
        new_driver_is_closed,
    ),
    Check(
        "needs-a-port",
        "A profile without the port that it needs is refused when the driver is made.",
        "DriverFactory.__call__",
        needs_a_port,
    ),
    Check(
        "missing-port-is-said",
        "A port that is not there: DeviceError with what to do next, closed, and tried again.",
        "Driver.open",
        missing_port_is_said,
    ),
    Check(
        "connects",
        "Connecting until the firmware has answered; Connected comes before idle.",
        "Driver.open, Connected, Phase.CONNECTING",
        connects,
    ),
    Check(
        "silent-is-not-idle",
        "A machine that says nothing is never shown as ready.",
        "Phase: UNKNOWN is never shown as safe",
        silent_is_not_idle,
    ),
    Check(
        "noise-is-no-answer",
        "Noise on the line while it connects is no greeting.",
        "Driver.open, Driver.pump",
        noise_is_no_answer,
    ),
    Check(
        "noise-when-idle",
        "Noise on an idle machine's line starts nothing.",
        "Driver.pump: an event, not an exception",
        noise_when_idle,
    ),
    Check(
        "closes-twice",
        "Closing is idempotent; a closed driver can be opened again.",
        "Driver.close, Driver.open",
        closes_twice,
    ),
    Check(
        "close-leaves-nothing",
        "After close no thread and no descriptor is left.",
        "Driver.close",
        close_leaves_nothing,
    ),
    Check(
        "wake-ends-a-wait",
        "wake() from another thread ends a waiting pump.",
        "Driver.wake",
        wake_ends_a_wait,
    ),
    Check(
        "stop-is-always-allowed",
        "Stop is taken in every phase; without a job it ends none.",
        "Driver.stop",
        stop_is_always_allowed,
    ),
)
