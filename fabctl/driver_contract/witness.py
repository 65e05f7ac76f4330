"""What must hold of every event and every call, whatever is being tried: watched throughout."""

from __future__ import annotations

import math
from collections import defaultdict

from fabctl.driver_contract.results import NotReachedError
from fabctl.errors import FabError
from fabctl.ports import DriverEvent, JobEnded, JobFile, JobProgress, Phase, Telemetry

ENDS_ONCE = "job-ends-once"
IN_TIME = "answers-in-time"
RAISES = "raises-only-what-is-meant"
EVENTS = "events-make-sense"
REFUSALS = "refusals-say-why"
_MOST_KEPT = 3


class Witness:
    """Counts what it saw, and keeps what was wrong by the name of the check that is about it."""

    def __init__(self) -> None:
        self.wrong: dict[str, list[str]] = defaultdict(list)
        self.seen: dict[str, int] = defaultdict(int)

    def saw(self, check: str, *, wrong: str | None = None) -> None:
        """Note one thing seen, and what was wrong with it."""
        self.seen[check] += 1
        if wrong is not None and wrong not in self.wrong[check]:
            self.wrong[check] = [*self.wrong[check], wrong][:_MOST_KEPT]

    def returned(self, what: str, took_s: float, within_s: float) -> None:
        """A call returned."""
        late = f"{what} took {took_s:.1f} s (limit {within_s:g} s)" if took_s > within_s else None
        self.saw(IN_TIME, wrong=late)

    def hung(self, what: str, within_s: float) -> NotReachedError:
        """Return what to raise when a call has not returned."""
        self.saw(IN_TIME, wrong=f"{what} had not returned after {within_s:g} s")
        return NotReachedError(f"{what} did not return: see {IN_TIME}")

    def raised(self, what: str, error: BaseException, meant: tuple[type[FabError], ...]) -> None:
        """A call raised an error.

        :raises NotReachedError: it is none of those that are meant.
        """
        if not isinstance(error, meant):
            text = str(error).strip() or "no text"
            self.saw(RAISES, wrong=f"{what} raised {type(error).__name__}: {text[:200]}")
            raise NotReachedError(f"{what} raised {type(error).__name__}: see {RAISES}") from error
        self.saw(RAISES)
        assert isinstance(error, FabError)  # noqa: S101  # meant holds only such
        short = len(error.what.split()) < 2
        self.saw(REFUSALS, wrong=f"{what} was refused with {error.what!r}" if short else None)


class EventWitness:
    """Holds the events of one driver against each other and against the jobs that it was given."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness
        self._jobs: dict[str, JobFile] = {}
        self._ended: set[str] = set()
        self._last: dict[str, JobProgress] = {}

    def given(self, job: JobFile) -> None:
        """A job was started."""
        self._jobs[job.id] = job

    def heard(self, event: DriverEvent) -> None:
        """An event was told."""
        self._witness.saw(EVENTS, wrong=self._wrong(event))
        if isinstance(event, JobEnded):
            again = event.job in self._ended
            self._ended.add(event.job)
            wrong = f"job {event.job} ended a second time ({event.outcome})" if again else None
            self._witness.saw(ENDS_ONCE, wrong=wrong)

    def phase_told(self, told: Phase, phase: Phase) -> None:
        """All events were taken: the phase told last is the driver's."""
        wrong = f"the last phase told is {told}, the driver's phase is {phase}"
        self._witness.saw(EVENTS, wrong=wrong if told is not phase else None)

    def _wrong(self, event: DriverEvent) -> str | None:
        match event:
            case Telemetry():
                return _of_telemetry(event)
            case JobProgress():
                return self._of_progress(event)
            case JobEnded() if event.job not in self._jobs:
                return f"an unknown job {event.job!r} ended"
        return None

    def _of_progress(self, event: JobProgress) -> str | None:
        job, last = self._jobs.get(event.job), self._last.get(event.job)
        self._last[event.job] = event
        if job is None:
            return f"progress of an unknown job {event.job!r}"
        if event.job in self._ended:
            return f"progress of job {event.job} after its end"
        if not 0 <= event.line <= job.lines or not 0 <= event.commands_done <= job.commands:
            return f"{event} lies outside a file of {job.lines} lines, {job.commands} commands"
        if last is not None and (event.line, event.commands_done) < (last.line, last.commands_done):
            return f"progress went back: {event} after {last}"
        return None


def _of_telemetry(event: Telemetry) -> str | None:
    odd = [
        name
        for name, value in event.values.items()
        if value is not None and not math.isfinite(value)
    ]
    if odd or not event.group:
        return f"readings of group {event.group!r} that are no numbers: {', '.join(odd)}"
    return None
