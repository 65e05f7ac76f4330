"""What was found at each commissioning check, kept on disk while the walk lasts.

The walk includes pulling the computer's power. So every answer is written at once, and the walk
goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fabctl.commands.interlock_check import Check, names_of
from fabctl.config_interlock import summary_line
from fabctl.errors import InputError
from fabctl.interlock import InterlockProfile
from fabctl.whole_files import write_whole

PASSED, FAILED, LEFT_OUT = "passed", "FAILED", "left out"


@dataclass(frozen=True, slots=True)
class Finding:
    """How one check went."""

    number: int
    key: str
    at: str
    """When it ended; ISO, in the lab's zone."""
    daemon: str
    """How the daemon's part went; empty: it had none."""
    read: str
    """What was read at the end."""
    person: str
    """How the person's part went; empty: it had none."""
    answers: tuple[str, ...]
    """Every question with what was typed."""

    @property
    def result(self) -> str:
        """The worse of both parts."""
        parts = {self.daemon, self.person}
        return next(one for one in (FAILED, LEFT_OUT, PASSED) if one in parts)


class Notes:
    """The answers so far, of one interlock and one list.

    :param path: where they are kept; other notes there are refused.
    """

    def __init__(
        self, path: Path, profile: InterlockProfile, checks: list[tuple[int, Check]]
    ) -> None:
        self.path = path
        self._list = _fingerprint(profile, checks)
        self.findings: list[Finding] = []
        self.boots: list[str] = []
        self.before: dict[str, Any] | None = None
        """The state before the step at which the walk stands."""
        if path.exists():
            self._load()

    def keep(self) -> None:
        """Write everything down, so that it survives a loss of power."""
        text = json.dumps(
            {
                "list": self._list,
                "findings": [asdict(one) for one in self.findings],
                "boots": self.boots,
                "before": self.before,
            }
        )
        write_whole(self.path, text)

    def forget(self) -> None:
        """Remove them; the report has everything."""
        self.path.unlink(missing_ok=True)

    def _load(self) -> None:
        try:
            kept = json.loads(self.path.read_text("utf-8"))
            same = kept["list"] == self._list
            self.findings = [
                Finding(**{**one, "answers": tuple(one["answers"])}) for one in kept["findings"]
            ]
            self.boots, self.before = list(kept["boots"]), kept["before"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._unfit(f"cannot be read: {error}") from error
        if not same:
            raise self._unfit("are of other wiring, or of another list")

    def _unfit(self, why: str) -> InputError:
        return InputError(
            f"the notes of a walk that was not ended {why}",
            device=str(self.path),
            next_step="remove the file and begin at the first check",
        )


def _fingerprint(profile: InterlockProfile, checks: list[tuple[int, Check]]) -> str:
    names = names_of(profile)
    words = [summary_line(profile)]
    for number, check in checks:
        read = "" if check.read is None else check.read.words
        words += [str(number), check.text(names), read, *(repr(one) for one in check.ask)]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()
