"""Checks: the cable is pulled, the machine falls silent, the line is noisy."""

from __future__ import annotations

from fabctl.driver_contract.bench import AT_REST, UNDER_WAY, Bench
from fabctl.driver_contract.job_text import bare
from fabctl.driver_contract.jobs import is_on, what_is_on
from fabctl.driver_contract.opening import NOISE
from fabctl.driver_contract.results import Check, NotApplicableError, NotReachedError, expect
from fabctl.errors import DeviceError, LocalError
from fabctl.ports import JobEnded, JobFile, JobProgress, Outcome, Phase


def _cut(bench: Bench) -> JobFile:
    """Pull the cable in the middle of a job, and wait until it is noticed."""
    cable = bench.cable
    job = bench.start_and_wait(bench.standin.long_job)
    cable.pull()
    return job


def cable_pulled_fails_the_job(bench: Bench) -> None:
    """Failed and said, never finished."""
    job = _cut(bench)
    ended = bench.until_ended(job, bench.standin.gives_up_within_s)
    expect(ended.outcome is Outcome.FAILED, f"the cable was pulled, and {ended.outcome} is told")
    expect(ended.trouble is not None, "the job failed, and no trouble is named")
    expect(bool(ended.reason), "the job failed, and no reason is told")
    expect(
        bench.phase not in UNDER_WAY | {Phase.IDLE},
        f"the cable is out, and it is {bench.phase}",
    )


def nothing_starts_by_itself(bench: Bench) -> None:
    """Not after the opening, and not after the cable is back."""
    bench.cable  # noqa: B018  # not applicable without one
    bench.connect()
    bench.pump_for(bench.limits.silence / 2)
    expect(bench.phase is Phase.IDLE, f"idle, and a moment later {bench.phase} by itself")
    job = _cut(bench)
    _until_over(bench, job)
    ended, said = len(bench.of(JobEnded)), len(bench.said)
    progress = len(bench.of(JobProgress))
    _come_back(bench)
    bench.pump_for(bench.limits.silence)
    running = bench.phase in UNDER_WAY and not bench.standin.goes_on_alone
    expect(not running, f"the cable is back, and it is {bench.phase} by itself")
    expect(len(bench.of(JobProgress)) == progress, "the cable is back, and the job goes on")
    expect(len(bench.of(JobEnded)) == ended, "the cable is back, and a job ended")
    heard = "".join(bench.said[said:].decode("latin-1").split())
    again = [line for line in _lines_of(bench.standin.long_job) if line in heard]
    expect(not again, f"the cable is back, and lines of the job are sent: {again[:3]}")


def a_person_clears(bench: Bench) -> None:
    """After a lost job nobody knows where the machine stands."""
    job = _cut(bench)
    _until_over(bench, job)
    _come_back(bench)
    bench.until(lambda: bench.phase is not Phase.CONNECTING, "an answer", bench.limits.ready)
    if bench.phase in UNDER_WAY and not bench.standin.goes_on_alone:
        raise NotReachedError("something started by itself: see nothing-starts-by-itself")
    if bench.standin.goes_on_alone:
        bench.standin.rest()  # as a person does at the machine itself
        bench.until(lambda: bench.phase in AT_REST, "at rest", bench.limits.ready)
        bench.pump_for(1.0)
    expect(
        bench.phase is Phase.BROKEN or bench.standin.goes_on_alone,
        f"a job was lost, and the machine is {bench.phase} without a person's word",
    )
    if bench.phase is Phase.BROKEN:
        bench.refuses((LocalError,), "start", bench.job(bench.standin.job))
        bench.clear()
        bench.until(lambda: bench.phase is Phase.IDLE, "idle after clear", bench.limits.ready)


def opening_makes_safe(bench: Bench) -> None:
    """What was on when the cable was lost goes off when it is back."""
    if bench.standin.goes_on_alone:
        raise NotApplicableError("the machine holds the file itself, and may go on with it")
    cable = bench.cable
    job = is_on(bench)
    cable.pull()
    _until_over(bench, job)
    _come_back(bench)
    bench.until(lambda: bench.phase is not Phase.CONNECTING, "an answer", bench.limits.ready)
    bench.pump_for(1.0)
    expect(not what_is_on(bench), f"opened again, and it is still on: {what_is_on(bench)}")


def _until_over(bench: Bench, job: JobFile) -> None:
    """Wait until the job is given up, in whatever way."""
    limit = bench.standin.gives_up_within_s
    bench.until(lambda: bool(bench.ends(job)), "the job is given up", limit)


def _come_back(bench: Bench) -> None:
    """Mend the cable, and open again as the host does."""
    bench.cable.mend()
    if bench.phase is not Phase.CLOSED:
        bench.pump_for(1.0)
    if bench.phase is Phase.CLOSED:
        try:
            bench.open()
        except (DeviceError, LocalError) as error:
            raise NotReachedError(f"it does not open again: {error}") from error


def _lines_of(text: str) -> list[str]:
    """Return the lines of a job that nobody says for another reason: the longer ones."""
    lines = dict.fromkeys(bare(line) for line in text.splitlines())
    return [line for line in lines if len(line) >= 8]


def cable_out_closes(bench: Bench) -> None:
    """Closing goes as well without the machine."""
    _cut(bench)
    bench.close()
    expect(bench.phase is Phase.CLOSED, f"it is {bench.phase} after close()")
    bench.pump(0.0)
    wrong = [end for end in bench.of(JobEnded) if end.outcome is Outcome.FINISHED]
    expect(not wrong, "the cable was pulled, and “finished” was told at close")


def silence_is_no_progress(bench: Bench) -> None:
    """A machine that hangs confirms nothing, and the driver can be closed."""
    cable = bench.cable
    job = bench.start_and_wait(bench.standin.long_job)
    cable.hush(silent=True)
    bench.pump_for(0.5)
    line = bench.line
    bench.pump_for(bench.limits.silence)
    expect(bench.line == line, f"nobody answered, and line {line} became {bench.line}")
    bench.close()
    bench.pump(0.0)
    wrong = [end for end in bench.ends(job) if end.outcome is Outcome.FINISHED]
    expect(not wrong, "nobody answered, and “finished” was told")
    expect(bool(bench.ends(job)), "closed during a job, and its end was not told")


def noise_during_a_job(bench: Bench) -> None:
    """It goes on or it fails with a reason; it does not finish early."""
    cable = bench.cable
    job = bench.start_and_wait(bench.standin.job)
    for _ in range(3):
        cable.garble(NOISE)
        bench.pump(0.05)
    ended = bench.until_ended(job)
    if ended.outcome is Outcome.FINISHED:
        done = ended.commands_done
        expect(done == job.commands, f"finished with {done} of {job.commands} commands confirmed")
    else:
        expect(bool(ended.reason), f"the job {ended.outcome}, and no reason is told")
    wrong = bench.phase in UNDER_WAY - {Phase.STOPPING}
    expect(not wrong, f"the job has ended, and it is {bench.phase}")


CHECKS = (
    Check(
        "cable-pulled-fails-the-job",
        "The cable is pulled: the job has failed, with trouble and reason; never finished.",
        "Driver.pump, Outcome.FAILED, Trouble.CABLE_LOST",
        cable_pulled_fails_the_job,
    ),
    Check(
        "nothing-starts-by-itself",
        "Neither opening nor the cable's return starts anything.",
        "Driver.start, docs/decisions/0245",
        nothing_starts_by_itself,
    ),
    Check(
        "a-person-clears",
        "After a lost job the machine is broken until a person has cleared it.",
        "Phase.BROKEN, Driver.clear",
        a_person_clears,
    ),
    Check(
        "opening-makes-safe",
        "Heaters, spindle and laser that a lost cable left on go off at the next opening.",
        "Driver.open: the first thing said",
        opening_makes_safe,
    ),
    Check(
        "cable-out-closes",
        "Closing works with the cable out, and tells no job as finished.",
        "Driver.close",
        cable_out_closes,
    ),
    Check(
        "silence-is-no-progress",
        "A machine that hangs confirms nothing; the driver can be closed.",
        "Driver.confirmed_line, Driver.close",
        silence_is_no_progress,
    ),
    Check(
        "noise-during-a-job",
        "Noise: the job goes on to its real end, or fails with a reason.",
        "Driver.pump: an event, not an exception",
        noise_during_a_job,
    ),
)
