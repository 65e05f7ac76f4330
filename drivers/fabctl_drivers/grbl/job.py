"""One running job: its lines, how far they are confirmed, its figures. Pure: lines come in."""

from __future__ import annotations

from collections.abc import Iterator

from fabctl.errors import FabError
from fabctl.ports import JobEnded, JobFile, JobProgress, Outcome, Trouble
from fabctl.units import Seconds
from fabctl_drivers.grbl.job_lines import JobLine, Kind

REFUSALS_SHOWN = 50
"""A file that a controller cannot read at all has thousands."""
REASON_LETTERS = 300
"""Of refused lines in a job's reason, which goes into messages of 500 letters at most."""


class Job:
    """A job between its start and its end.

    :param is_check: whether it only checks the file ($C): nothing moves.
    :param bytes_sent: what the link had sent before.
    """

    def __init__(
        self,
        file: JobFile,
        lines: Iterator[JobLine],
        now: float,
        bytes_sent: int,
        *,
        is_check: bool,
    ) -> None:
        self.is_check = is_check
        self.begun = not is_check
        """Whether lines may be said: a check run waits for the firmware's check mode first."""
        self.commands_done = 0
        self.confirmed_line = 0
        self.failure: tuple[Trouble, str] | None = None
        """Why it fails, once it does; it ends when the machine is safe."""
        self.stop_reason: str | None = None
        self.coming: JobLine | None = None
        """The next line to send; None at the end."""
        self.refusals: list[str] = []
        """In a check run: what was refused, at most :data:`REFUSALS_SHOWN` of them."""
        self.refused = 0
        """How many lines a check run found refused."""
        self.ends_by_itself = False
        """Whether the last line that was sent is M2 or M30."""
        self.ended_at: float | None = None
        """When all was done, before a check run is left."""
        self._file = file
        self._lines = lines
        self._started_at = now
        self._bytes_before = bytes_sent
        self._told = -1
        self._last_note: str | None = None
        self.fetch()

    def fetch(self) -> None:
        """Read the next line to send. A file that cannot be read any further has none."""
        before = self.coming
        if before is not None and before.kind is Kind.END:
            self.ends_by_itself = True
            self._look_behind_the_end(before)
            return
        try:
            self.coming = next(self._lines, None)
        except FabError as error:
            self.coming = None
            self.failure = (Trouble.FILE_UNREADABLE, str(error))

    def _look_behind_the_end(self, end: JobLine) -> None:
        self.coming = None
        try:
            more = next(self._lines, None)
        except FabError:
            return  # what cannot be read there was not going to be sent
        if more is not None:
            said = end.text
            self._last_note = f"the program ends at line {end.line} ({said}); the rest is not sent"

    def confirm(self, said: JobLine) -> None:
        """Take in that the firmware took a line."""
        self.commands_done += 1
        self.confirmed_line = said.line

    def refuse(self, said: JobLine, why: str) -> str | None:
        """Take in that a check run found a line refused; return what to tell of it, if anything."""
        self.refused += 1
        if len(self.refusals) >= REFUSALS_SHOWN:
            return None
        self.refusals.append(f"line {said.line} was refused ({why}): {said.text}")
        return self.refusals[-1]

    @property
    def verdict(self) -> tuple[Trouble, str] | None:
        """Why a check run fails, with the first refused lines; None when all were taken."""
        if not self.refused:
            return None
        if self.refused == 1:
            return Trouble.LINE_REFUSED, self.refusals[0]
        listed = self.refusals[0]
        named = 1
        for refusal in self.refusals[1:]:
            if len(listed) + len(refusal) > REASON_LETTERS:
                break
            listed, named = f"{listed}; {refusal}", named + 1
        more = f"; and {self.refused - named} more" if named < self.refused else ""
        return Trouble.LINE_REFUSED, f"{self.refused} lines were refused: {listed}{more}"

    def has_moved(self) -> bool:
        """Return whether there is progress that was not told yet."""
        moved, self._told = self.commands_done != self._told, self.commands_done
        return moved

    def progress(self) -> JobProgress:
        """Return how far the job is."""
        return JobProgress(self._file.id, self.confirmed_line, self.commands_done, 0)

    def ended(
        self,
        outcome: Outcome,
        now: float,
        bytes_sent: int,
        trouble: Trouble | None = None,
        reason: str | None = None,
    ) -> JobEnded:
        """Return the job's end."""
        return JobEnded(
            job=self._file.id,
            outcome=outcome,
            line=self.confirmed_line,
            commands_done=self.commands_done,
            bytes_sent=bytes_sent - self._bytes_before,
            resends=0,
            seconds=Seconds((self.ended_at or now) - self._started_at),
            trouble=trouble,
            reason=reason or (self._last_note if outcome is Outcome.FINISHED else None),
        )
