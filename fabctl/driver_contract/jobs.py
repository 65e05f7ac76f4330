"""Checks: a job from its start to its end, on a good cable."""

from __future__ import annotations

from datetime import timedelta

from fabctl.driver_contract.bench import AT_REST, Bench
from fabctl.driver_contract.results import Check, NotApplicableError, expect
from fabctl.errors import LocalError
from fabctl.ports import JobEnded, JobFile, Outcome, Phase


def job_runs_to_its_end(bench: Bench) -> None:
    """A whole file, confirmed to its last command."""
    job = bench.start(bench.standin.job)
    bench.pump(0.0)
    begun = bench.phase is not Phase.IDLE or bool(bench.ends(job))
    expect(begun, "a job was started, and it is still idle")
    ended = bench.until_ended(job)
    _whole(ended, job)
    bench.until(lambda: bench.phase is Phase.IDLE, "idle after the job", bench.limits.ready)
    bench.pump_for(0.5)
    expect(bench.line == 0 or bench.line <= job.lines, f"line {bench.line} of {job.lines}")


def _whole(ended: JobEnded, job: JobFile) -> None:
    expect(ended.outcome is Outcome.FINISHED, f"it {ended.outcome}: {ended.reason}")
    done = ended.commands_done
    expect(done == job.commands, f"finished with {done} of {job.commands} commands confirmed")
    expect(1 <= ended.line <= job.lines, f"finished at line {ended.line} of {job.lines}")
    expect(ended.bytes_sent > 0, "finished, and no byte was sent")


def two_jobs(bench: Bench) -> None:
    """The second begins like the first."""
    for _ in range(2):
        job = bench.start(bench.standin.job)
        _whole(bench.until_ended(job), job)
        bench.until(lambda: bench.phase is Phase.IDLE, "idle after the job", bench.limits.ready)


def pause_and_resume(bench: Bench) -> None:
    """Nothing is confirmed while paused, nothing is lost, and a second tap changes nothing."""
    job = bench.start_and_wait(bench.standin.job)
    try:
        bench.ask("pause")
    except LocalError as error:
        raise NotApplicableError(f"it cannot pause: {error}") from error
    bench.ask("pause")
    bench.until(
        lambda: bench.phase is Phase.PAUSED or bool(bench.ends(job)), "paused", bench.limits.ready
    )
    if bench.ends(job):
        raise NotApplicableError("the job ended before it was paused; a longer one is needed")
    line = bench.line
    bench.pump_for(0.6)
    expect(bench.phase is Phase.PAUSED, f"it was paused, and is {bench.phase} by itself")
    expect(bench.line == line, f"line {line} when paused, {bench.line} a moment later")
    bench.ask("resume")
    _whole(bench.until_ended(job), job)


def stop_ends_a_job(bench: Bench) -> None:
    """Stopped is not finished, and not failed."""
    job = bench.start_and_wait(bench.standin.long_job)
    bench.ask("stop")
    ended = bench.until_ended(job, bench.limits.ready)
    expect(ended.outcome is Outcome.STOPPED, f"it was stopped, and {ended.outcome} is told")
    bench.until(lambda: bench.phase in AT_REST, "at rest after a stop", bench.limits.ready)
    expect(bench.phase is Phase.IDLE, f"stopped, it is {bench.phase}: {bench.reasons}")


def stop_ends_a_paused_job(bench: Bench) -> None:
    """A paused job can be stopped like a running one."""
    job = bench.start_and_wait(bench.standin.long_job)
    try:
        bench.ask("pause")
    except LocalError as error:
        raise NotApplicableError(f"it cannot pause: {error}") from error
    bench.until(lambda: bench.phase is Phase.PAUSED, "paused", bench.limits.ready)
    bench.ask("stop")
    ended = bench.until_ended(job, bench.limits.ready)
    expect(ended.outcome is Outcome.STOPPED, f"it was stopped, and {ended.outcome} is told")


def is_on(bench: Bench) -> JobFile:
    """Start the long job and wait until something is on."""
    if bench.standin.outputs() is None:
        raise NotApplicableError("what it is tried with cannot tell what is on: look at it")
    job = bench.start(bench.standin.long_job)
    bench.until(
        lambda: what_is_on(bench) != "" or bool(bench.ends(job)),
        "something is on",
        bench.limits.job,
    )
    if bench.ends(job):
        raise NotApplicableError("the long job turned nothing on")
    return job


def what_is_on(bench: Bench) -> str:
    outputs = bench.standin.outputs() or {}
    return ", ".join(f"{name} {value:g}" for name, value in outputs.items() if value)


def stop_turns_everything_off(bench: Bench) -> None:
    """Heaters, spindle, laser."""
    job = is_on(bench)
    bench.ask("stop")
    bench.until_ended(job, bench.limits.ready)
    end = bench.clock.monotonic() + bench.limits.ready
    while what_is_on(bench) and bench.clock.monotonic() < end:
        bench.pump(0.1)
    expect(not what_is_on(bench), f"after a stop it is still on: {what_is_on(bench)}")


def close_turns_everything_off(bench: Bench) -> None:
    """The last thing that a driver does."""
    is_on(bench)
    bench.close()
    bench.pump_for(1.0)
    expect(not what_is_on(bench), f"after close it is still on: {what_is_on(bench)}")


def close_ends_a_job(bench: Bench) -> None:
    """Its end is told by one last pump, and it is not “finished”."""
    job = bench.start_and_wait(bench.standin.long_job)
    bench.close()
    expect(bench.phase is Phase.CLOSED, f"it is {bench.phase} after close()")
    bench.pump(0.0)
    expect(bool(bench.ends(job)), "closed during a job, and its end was not told")
    expect(bench.ends(job)[0].outcome is not Outcome.FINISHED, "closed, and “finished” was told")


def wall_clock_does_not_matter(bench: Bench) -> None:
    """A day forward, two days back: as a Pi without a battery sees it at its start."""
    begun = bench.clock.monotonic()
    job = bench.start_and_wait(bench.standin.job)
    for days in (1, -2, 400):
        bench.clock.step += timedelta(days=days)
        bench.pump(0.1)
    ended = bench.until_ended(job)
    _whole(ended, job)
    took_s = bench.clock.monotonic() - begun
    expect(
        0 <= ended.seconds <= took_s + 0.5,
        f"the job is said to have taken {ended.seconds:.1f} s; it was {took_s:.1f} s in all",
    )
    expect(bench.clock.times_asked > 0, "the clock that it was given was never asked")


CHECKS = (
    Check(
        "job-runs-to-its-end",
        "A whole file: finished with every command confirmed, then idle.",
        "Driver.start, JobEnded",
        job_runs_to_its_end,
    ),
    Check(
        "two-jobs",
        "A second job begins and ends like the first.",
        "Driver.start, JobEnded",
        two_jobs,
    ),
    Check(
        "pause-and-resume",
        "Paused, nothing is confirmed; resumed, nothing is missing; a second tap changes nothing.",
        "Driver.pause, Driver.resume",
        pause_and_resume,
    ),
    Check(
        "stop-ends-a-job",
        "A stopped job is told as stopped, and the machine is idle again.",
        "Driver.stop, Outcome.STOPPED",
        stop_ends_a_job,
    ),
    Check(
        "stop-ends-a-paused-job",
        "A paused job can be stopped like a running one.",
        "Driver.stop",
        stop_ends_a_paused_job,
    ),
    Check(
        "stop-turns-everything-off",
        "Heaters, spindle and laser are off after a stop.",
        "Driver.stop",
        stop_turns_everything_off,
    ),
    Check(
        "close-turns-everything-off",
        "Heaters, spindle and laser are off after close.",
        "Driver.close",
        close_turns_everything_off,
    ),
    Check(
        "close-ends-a-job",
        "Closed during a job, its end is in one last pump, and it is not finished.",
        "Driver.close, JobEnded",
        close_ends_a_job,
    ),
    Check(
        "wall-clock-does-not-matter",
        "The wall clock may jump: time limits and figures are on the monotonic clock passed in.",
        "fabctl.clock.Clock, JobEnded.seconds",
        wall_clock_does_not_matter,
    ),
)
