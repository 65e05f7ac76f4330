"""Lines for a person, on stderr: ``fabctl run`` puts the process's name before each."""

from __future__ import annotations

import contextlib
import sys


def log(line: str) -> None:
    """Write one line. A reader that has gone (a dead supervisor) must not stop the writer."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
