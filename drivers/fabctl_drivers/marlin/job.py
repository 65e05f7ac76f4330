"""One running job: its lines, how far they are confirmed, its figures. Pure: lines come in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fabctl.errors import FabError
from fabctl.ports import JobEnded, JobFile, JobProgress, Outcome, Trouble
from fabctl.units import Seconds
from fabctl_drivers.marlin.motion import Motion


class JobLine(NamedTuple):
    """A line of the job on its way."""

    line: int
    """In the file, from 1."""
    command: bytes
    before: int
    """The line in the file of the command before it; 0 for the first."""


class Job:
    """A job between its start and its end.

    :param bytes_sent: what the link had sent before.
    :param resends: the lines that the link had repeated before.
    """

    def __init__(
        self,
        file: JobFile,
        lines: Iterator[tuple[int, bytes]],
        now: float,
        bytes_sent: int,
        resends: int,
    ) -> None:
        self.commands_done = 0
        self.confirmed_line = 0
        self.motion = Motion()
        self.unreadable: FabError | None = None
        """What went wrong with the file, once it did."""
        self.is_over = False
        """Whether all that is left is to hear that the machine has come to its end."""
        self.coming: JobLine | None = None
        """The next line to send; None at the end, and before :meth:`fetch_if_needed`."""
        self._file = file
        self._lines = lines
        self._started_at = now
        self._bytes_before = self._bytes = bytes_sent
        self._resends_before = self._resends = resends
        self._is_fetched = False
        self._fetched_line = 0
        self._told = -1

    # ---- its lines

    @property
    def next_command(self) -> bytes:
        """The next command to send; empty at the end."""
        return b"" if self.coming is None else self.coming.command

    def taken(self) -> None:
        """The coming line was sent."""
        self._is_fetched = False

    def fetch_if_needed(self) -> bool:
        """Read the next line to send, unless that was done; return whether one was read.

        A file that cannot be read any further has no next line.
        """
        if self._is_fetched:
            return False
        self._is_fetched = True
        try:
            line, command = next(self._lines)
        except StopIteration:
            self.coming = None
        except FabError as error:
            self.coming, self.unreadable = None, error
        else:
            if b"M110" in command:
                command = _harmless(command)
            self.coming = JobLine(line, command, self._fetched_line)
            self._fetched_line = line
        return self.coming is not None

    # ---- how far it is

    def confirm(self, said: JobLine) -> None:
        """Take in that the firmware confirmed a line."""
        self.commands_done += 1
        self.confirmed_line = said.line
        self.motion.note(said.command)

    def withdraw(self, said: JobLine) -> None:
        """Take in that a confirmed line never arrived: it will be said, and confirmed, again."""
        self.commands_done -= 1
        self.confirmed_line = min(self.confirmed_line, said.before)

    def count(self, bytes_sent: int, resends: int) -> None:
        """Take in the link's figures, counted over its whole life."""
        self._bytes, self._resends = bytes_sent, resends

    def has_moved(self) -> bool:
        """Return whether there is progress that was not told yet."""
        moved, self._told = self.commands_done != self._told, self.commands_done
        return moved

    def progress(self) -> JobProgress:
        """Return how far the job is."""
        resends = self._resends - self._resends_before
        return JobProgress(self._file.id, self.confirmed_line, self.commands_done, resends)

    def ended(
        self, outcome: Outcome, now: float, trouble: Trouble | None, reason: str | None
    ) -> JobEnded:
        """Return the job's end."""
        return JobEnded(
            job=self._file.id,
            outcome=outcome,
            line=self.confirmed_line,
            commands_done=self.commands_done,
            bytes_sent=self._bytes - self._bytes_before,
            resends=self._resends - self._resends_before,
            seconds=Seconds(now - self._started_at),
            trouble=trouble,
            reason=reason,
        )


def _harmless(command: bytes) -> bytes:
    """Return a command that does not upset our line numbers.

    A job's own M110 loses its number. Marlin looks for the four letters anywhere in a line and
    then takes any number for the next one (``gcode/queue.cpp``, get_serial_commands), so that
    lines before a message with them could be lost unnoticed; there the M becomes small.
    """
    return b"M110" if command.startswith(b"M110") else command.replace(b"M110", b"m110")
