"""Writers killed with -9 at random moments: what was answered is there, and nothing is half done.

What a kill proves and what it does not: docs/decisions/0233.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import NoServerError, server_programs

ROOT = Path(__file__).parents[2]
TIMES = int(os.environ.get("POWER_CUTS_TIMES", "1"))
"""`make soak` cuts so many times as often."""
IN_MEMORY = Path("/dev/shm")  # noqa: S108  # a file system, not a place for a file of that name
PLACE = str(IN_MEMORY) if TIMES == 1 and IN_MEMORY.is_dir() else None
"""Waiting for a disk takes most of the time; a kill does not ask what is on the disk."""
SEED = os.environ.get("POWER_CUTS_SEED", "casemate")
pytestmark = pytest.mark.timeout(180 * TIMES)


class Writers:
    """The program that forks writers and kills them."""

    def __init__(self, program: subprocess.Popen[str]) -> None:
        self._program = program

    def cut(self, kind: str, rounds: int, **more: Any) -> dict[str, int]:
        """Cut the power so many times; return what was seen.

        :raises AssertionError: something was lost or is torn.
        """
        said = self.said(kind, rounds, **more)
        assert "wrong" not in said, said["wrong"]
        sys.stdout.write(f"seed {SEED!r}: {said['seen']}\n")  # pytest -s shows it, and a failure
        return dict(said["seen"])

    def said(self, kind: str, rounds: int, **more: Any) -> dict[str, Any]:
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        order = {"kind": kind, "rounds": rounds, "seed": SEED, "place": PLACE, **more}
        self._program.stdin.write(json.dumps(order) + "\n")
        self._program.stdin.flush()
        line = self._program.stdout.readline()
        assert line, "the program died; its last words are on stderr"
        said = dict(json.loads(line))
        if "forbidden" in said:
            pytest.skip(f"a disk cannot be mounted ({said['forbidden']}); this takes root")
        return said


@pytest.fixture(scope="module")
def writers() -> Iterator[Writers]:
    words = [sys.executable, "-m", "tests.cuts.writers"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as program:
        yield Writers(program)


@pytest.mark.parametrize("part", range(2))
def test_bookings_and_jobs_are_whole_or_not_there(writers: Writers, part: int) -> None:
    seen = writers.cut("record", 30 * TIMES, seed=f"{SEED}-{part}")
    assert seen["whole"] + seen["nothing"] > 20 * TIMES, "most kills came in the middle of a deed"
    assert seen["book"] > 5 * TIMES


def test_postgresql_has_what_was_answered_and_nothing_half_done(writers: Writers) -> None:
    """Clients are killed; in every eighth round all processes of the server are."""
    try:
        server_programs()
    except NoServerError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    seen = writers.cut("postgresql", 16 * TIMES, server_every=8)
    assert seen["whole"] + seen["nothing"] > 10 * TIMES


def test_the_files_of_a_machine_and_an_interlock_are_whole_or_not_there(writers: Writers) -> None:
    seen = writers.cut("folder", 70 * TIMES)
    deeds = {"tell", "acknowledge", "mark", "hold", "fault", "record", "key", "port"}
    assert deeds <= seen.keys()
    assert seen["whole"] > 3 * TIMES, "some kills came after a deed, and before its answer"


@pytest.mark.parametrize(("what", "rounds"), [("record", 8), ("folder", 10)])
def test_what_was_answered_is_on_the_disk_when_its_plug_is_pulled(
    writers: Writers, what: str, rounds: int
) -> None:
    """What the kernel still has in its memory is gone too: an ext4, cut off and mounted again."""
    seen = writers.cut("plug", rounds * TIMES, what=what)
    assert seen["whole"] + seen["nothing"] > rounds * TIMES // 2


@pytest.mark.parametrize("control", ["Unforced", "OnlyFull"])
def test_what_is_not_forced_to_the_disk_is_found_missing(writers: Writers, control: str) -> None:
    said = writers.said("plug", 500, what="folder", control=control)
    assert "wrong" in said


@pytest.mark.parametrize(
    ("control", "kind", "wrong"),
    [
        ("InTwoSteps", "record", "a claim without a reservation"),
        ("TooEarly", "record", "expected"),
        ("InPlace", "folder", "port"),
    ],
)
def test_a_writer_that_does_it_wrong_is_found(
    writers: Writers, control: str, kind: str, wrong: str
) -> None:
    said = writers.said(kind, 500, control=control)
    assert wrong in said.get("wrong", "")
