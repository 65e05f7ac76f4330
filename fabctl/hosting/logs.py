"""Lines for a person: into systemd's journal with their fields, else on stderr.

On stderr, ``fabctl run`` puts the process's name before each. No line names a person: people are
their ids, and requests are not logged at all (a test greps for every name of a scene).
"""

from __future__ import annotations

import contextlib
import sys

from fabctl import journald
from fabctl.complaint import Complaint

_JOURNALS: list[journald.Journal] = []
"""One, where systemd started this process."""


def identify(process: str, machine: str | None = None) -> None:
    """Say which process this is: its lines bear that from now on. Call it once, at the start."""
    journal = journald.opened(process, machine)
    if journal is not None:
        _JOURNALS[:] = [journal]


def log(line: str) -> None:
    """Write one line: a :class:`Complaint` is a warning in the journal.

    A reader that has gone (a dead supervisor) must not stop the writer.
    """
    priority = journald.WARNING if isinstance(line, Complaint) else journald.INFO
    if any(journal.write(line, priority) for journal in _JOURNALS):
        return
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
