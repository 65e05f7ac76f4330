"""Checks: what is refused, with which error."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fabctl.driver_contract.bench import Bench
from fabctl.driver_contract.results import Check, NotApplicableError, expect
from fabctl.errors import DeviceError, InputError, LocalError
from fabctl.ports import (
    HandControl,
    JobEnded,
    JobFile,
    Override,
    Overrides,
    Phase,
    Rehearsable,
)
from fabctl.units import MmPerMin

_ANY_JOB = "G21\n"
"""Moves nothing, should somebody take it who must not."""


def start_only_when_idle(bench: Bench) -> None:
    """Refused while closed, and during another job, which goes on."""
    bench.make()
    bench.refuses((LocalError,), "start", bench.job(bench.standin.job or _ANY_JOB))
    if bench.only_watches:
        bench.connect()
        bench.refuses((LocalError,), "start", bench.job(_ANY_JOB))
        return
    job = bench.start(bench.standin.long_job)
    bench.refuses((LocalError,), "start", bench.job(bench.standin.long_job))
    bench.until(lambda: bench.line >= 1, "the first job goes on", bench.limits.job)
    expect(not bench.ends(job), f"the first job was ended by it: {bench.ends(job)}")


def unreadable_file_is_refused(bench: Bench) -> None:
    """A file that is not there starts nothing."""
    bench.sends_files()
    bench.connect()
    missing = JobFile("missing", Path("/nonexistent/part.gcode"), "part.gcode", 3, 3)
    bench.refuses((InputError,), "start", missing)
    bench.pump_for(0.3)
    expect(bench.phase is Phase.IDLE, f"it is {bench.phase} after that, not idle")
    expect(not bench.of(JobEnded), "a job that never began has ended")


def pause_needs_a_job(bench: Bench) -> None:
    """Pause and resume without a job are refused."""
    bench.make()
    bench.refuses((LocalError,), "pause")
    bench.refuses((LocalError,), "resume")
    bench.connect()
    bench.refuses((LocalError,), "pause")
    bench.refuses((LocalError,), "resume")
    expect(bench.phase is Phase.IDLE, f"it is {bench.phase} after that, not idle")


def single_lines_are_guarded(bench: Bench) -> None:
    """A line by hand: not when closed, not during a job, never two, never an empty one."""
    bench.make()
    bench.refuses((LocalError, InputError), "say", "?")
    bench.connect()
    for line in ("", "   ", "\n", "G21\nG90"):
        bench.refuses((LocalError, InputError), "say", line)
    if bench.standin.long_job and not bench.only_watches:
        bench.start_and_wait(bench.standin.long_job)
        bench.refuses((LocalError, InputError), "say", "G21")


def clear_needs_an_open_port(bench: Bench) -> None:
    """Nobody can clear a machine that is not there."""
    bench.make()
    bench.refuses((LocalError,), "clear")


def hand_control_is_guarded(bench: Bench) -> None:
    """Jogging and homing: not when closed, not during a job, no axis that is none."""
    if not isinstance(bench.made(), HandControl):
        raise NotApplicableError("this driver moves nothing by hand")
    if not bench.may_move:
        raise NotApplicableError("who took what must be refused would move: give a --job")
    feed = MmPerMin(600.0)
    _both_refused(bench, (LocalError, InputError))
    bench.connect()
    bench.refuses((LocalError, InputError), "jog", {"Q": 1.0}, feed)
    bench.refuses((LocalError, InputError), "jog", {}, feed)
    bench.refuses((LocalError, InputError), "jog", {"X": float("nan")}, feed)
    bench.refuses((LocalError, InputError), "home", "Q")
    if bench.standin.long_job:
        bench.start_and_wait(bench.standin.long_job)
        _both_refused(bench, (LocalError,))


def _both_refused(bench: Bench, kinds: tuple[type[LocalError | InputError], ...]) -> None:
    bench.refuses(kinds, "jog", {"X": 1.0}, MmPerMin(600.0))
    bench.refuses(kinds, "home")


def overrides_have_limits(bench: Bench) -> None:
    """A percentage that is none is refused, and nothing is said."""
    if not isinstance(bench.made(), Overrides):
        raise NotApplicableError("this driver changes no speeds")
    bench.connect()
    before = len(bench.said)
    for which, percent in ((Override.FEED, 0), (Override.RAPID, 60), (Override.SPINDLE, 201)):
        bench.refuses((InputError,), "override", which, percent)
    expect(len(bench.said) == before, f"it said {bench.said[before:][:60]!r} all the same")


def rehearsal_opens_nothing(bench: Bench) -> None:
    """What would be sent is told without a machine."""
    driver = bench.made()
    if not isinstance(driver, Rehearsable):
        raise NotApplicableError("this driver has no dry run")
    if not bench.standin.job:
        raise NotApplicableError("no job was given to try it with")
    pieces: list[bytes] = []

    def rehearse(job: JobFile) -> None:
        told: Iterable[bytes] = driver.rehearse(job)
        pieces.extend(told)

    bench.whatever("rehearse()", lambda: rehearse(bench.job(bench.standin.job)), (DeviceError,))
    expect(any(pieces), "it would send nothing for a whole job")
    expect(bench.look() is Phase.CLOSED, f"it is {bench.phase} after a dry run")
    expect(not bench.said, f"a dry run said {bench.said[:60]!r}")


CHECKS = (
    Check(
        "start-only-when-idle",
        "A job is refused while closed and during another one, which goes on.",
        "Driver.start",
        start_only_when_idle,
    ),
    Check(
        "unreadable-file-is-refused",
        "A file that cannot be read is InputError and starts nothing.",
        "Driver.start",
        unreadable_file_is_refused,
    ),
    Check(
        "pause-needs-a-job",
        "Pause and resume without a job are LocalError and change nothing.",
        "Driver.pause, Driver.resume",
        pause_needs_a_job,
    ),
    Check(
        "single-lines-are-guarded",
        "A line by hand: not while closed, not during a job, never two, never an empty one.",
        "Driver.say",
        single_lines_are_guarded,
    ),
    Check(
        "clear-needs-an-open-port",
        "A machine that is not there cannot be cleared.",
        "Driver.clear",
        clear_needs_an_open_port,
    ),
    Check(
        "hand-control-is-guarded",
        "Jog and home: not while closed, not during a job, no axis that is none.",
        "HandControl",
        hand_control_is_guarded,
    ),
    Check(
        "overrides-have-limits",
        "A percentage outside the limits is InputError, and nothing is said.",
        "Overrides.override",
        overrides_have_limits,
    ),
    Check(
        "rehearsal-opens-nothing",
        "A dry run tells what would be sent, and says nothing.",
        "Rehearsable.rehearse",
        rehearsal_opens_nothing,
    ),
)
