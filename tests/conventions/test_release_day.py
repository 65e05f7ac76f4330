"""The day of the release, by which a clock is known to be wrong, keeps up with the work."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fabctl.released import RELEASED_AT

ROOT = Path(__file__).parents[2]
BEHIND_AT_MOST = timedelta(days=60)
"""A clock of a year ago would pass for right if nobody raised the day for a year."""


def test_the_day_of_the_release_is_that_of_the_newest_work() -> None:
    words = ["git", "log", "-1", "--format=%cI", "--", "fabctl", "web", "drivers"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode != 0 or not done.stdout.strip():
        pytest.skip("these sources have no history")
    newest = datetime.fromisoformat(done.stdout.strip())
    assert newest - RELEASED_AT < BEHIND_AT_MOST, "raise it: fabctl/released.py"
    assert newest + timedelta(days=1) > RELEASED_AT, "every right clock would be before it"
