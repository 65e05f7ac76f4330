"""Random jobs over random bad cables: the whole part in order, once each, or a failure that says
why. Never a wrong part that is called finished.

``make soak`` runs the same for SOAK_MINUTES with ever new seeds.

What no host can help: Marlin's checksum is an exclusive or of eight bits, so two faults in one
line may cancel out. The cable here tells how many faults fell on a line; a line that ran
otherwise than it was said is forgiven only where they were two or more. How often that happens
is counted, and must stay rare.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, event, example, given, seed, settings
from hypothesis import strategies as st

from fabctl.ports import JobEnded, Outcome, WaitingForPerson
from fabctl_sim.cable import Faults
from fabctl_sim.marlin.board import Board
from fabctl_sim.marlin.commands import TABLE
from fabctl_sim.marlin.words import Command
from tests.marlin_rig import OURS, Ran, Rig

CASES = 1200
SOAK_MINUTES = float(os.environ.get("SOAK_MINUTES", "0"))


@dataclass(frozen=True)
class Story:
    """One job, one board, one cable."""

    lines: tuple[str, ...]
    down: Faults
    up: Faults
    seed: int
    window_bytes: int = 0
    advanced_ok: bool = False
    ignore_repeats: bool = False
    autoreport: bool = True
    bad_from_the_start: bool = False

    def board(self) -> Board:
        return Board(
            boot_s=0.1,
            advanced_ok=self.advanced_ok,
            ignore_repeats=self.ignore_repeats,
            autoreport_temp=self.autoreport,
        )


numbers = st.integers(-300, 3000).map(lambda n: f"{n / 10:g}")
lines = st.one_of(
    st.builds("G1 X{} Y{} E{} F9000".format, numbers, numbers, numbers),
    st.builds("G0 X{} F{}".format, numbers, st.integers(600, 12000)),
    st.builds("G1 Z{}".format, numbers),
    st.builds("G2 X{} Y{} I1 J-2".format, numbers, numbers),
    st.builds("G92 E{}".format, numbers),
    st.builds("G4 P{}".format, st.sampled_from([0, 1, 40, 2500])),
    st.builds("M106 S{}".format, st.integers(0, 255)),
    st.builds("M117 {}".format, st.text("abcNMG1 0J-", max_size=20).map(lambda t: f"x{t}")),
    st.sampled_from(["G90", "G91", "M82", "M83", "G20", "G21", "M104 S190", "M220 S80", "T0"]),
)
rates = st.sampled_from([0, 0, 0, 60, 200, 600, 2000])
pieces = st.sampled_from([0, 0, 3, 20, 100])
faults = st.builds(
    Faults,
    flip=rates,
    lose=rates,
    double=rates,
    split=pieces,
    delay=pieces,
    stall=st.sampled_from([0, 0, 0, 100]),
    delay_s=st.sampled_from([0.002, 0.05, 0.4]),
    stall_s=st.sampled_from([0.5, 2.0, 8.0]),
)
stories = st.builds(
    Story,
    lines=st.lists(lines, min_size=1, max_size=40).map(tuple),
    down=faults,
    up=faults,
    seed=st.integers(0, 2**30),
    window_bytes=st.sampled_from([0, 120, 120]),
    advanced_ok=st.booleans(),
    ignore_repeats=st.booleans(),
    autoreport=st.booleans(),
    bad_from_the_start=st.booleans(),
)

COUNTS: Counter[str] = Counter()


def wanted_of(texts: Sequence[str]) -> list[str]:
    return [text for line in texts if (text := line.partition(";")[0].strip())]


def tell(story: Story) -> str:
    """Play a story; return how it ended. Raises AssertionError where it must not end so."""
    rig = Rig(story.board(), window_bytes=story.window_bytes, seed=story.seed)
    if story.bad_from_the_start:
        spoil(rig, story)
    rig.connect()
    if rig.session.phase.value != "idle":
        return "not connected"
    spoil(rig, story)
    begin = len(rig.ran)
    rig.start(story.lines)
    ended = finish(rig)
    ran = rig.ran[begin:]
    forgiven = is_forgivable(rig, ran)
    done, wanted = [r.text for r in ran if is_of_the_job(r)], wanted_of(story.lines)
    if ended.outcome is Outcome.FINISHED:
        if not forgiven:
            nothing_else_ran(ran)
        assert done == wanted or forgiven
        assert ended.commands_done == len(wanted) or forgiven
        return "finished, two faults in one line" if forgiven else "finished"
    assert ended.outcome is Outcome.FAILED
    assert ended.reason
    assert ended.trouble
    assert done == wanted[: len(done)] or forgiven
    return f"failed: {ended.trouble.value}"


def finish(rig: Rig) -> JobEnded:
    """Go on to the end, with somebody there who presses the button whenever it waits for one.

    No story asks for it, but a piece of a message may (``M117 x0M0``, cut before ``M0``).
    """
    while rig.ended is None:
        rig.until(lambda: bool(rig.of(WaitingForPerson)) or rig.ended is not None, "the end")
        if rig.ended is None:
            rig.events = [e for e in rig.events if not isinstance(e, WaitingForPerson)]
            rig.wait(5.0)
            rig.firmware.catch_up(rig.now).emergency(108)  # what the button does
    return rig.ended


def spoil(rig: Rig, story: Story) -> None:
    rig.cable.spoil(story.down, "down")
    rig.cable.spoil(story.up, "up")


def is_of_the_job(ran: Ran) -> bool:
    return ran.number is not None and ran.text not in OURS


def nothing_else_ran(ran: Sequence[Ran]) -> None:
    """What came without a number is our own, or no command at all: pieces, not understood."""
    for one in ran:
        if one.number is None and one.text not in OURS:
            code = Command.read(one.text.encode("latin-1")).code
            assert code not in TABLE, f"a piece of a line ran: {one.text}"


_SAID = re.compile(rb"N(\d+) ([^\n]*)\*\d+\n")


def is_forgivable(rig: Rig, ran: Sequence[Ran]) -> bool:
    """Return whether a line ran that was never said so, and one fault cannot explain it."""
    said: dict[int, set[str]] = {}
    for number, text in _SAID.findall(bytes(rig.said)):
        said.setdefault(int(number), set()).add(text.decode("latin-1"))
    strange = [r for r in ran if r.number is not None and r.text not in said.get(r.number, ())]
    for one in strange:
        assert one.number is not None
        near = said.get(one.number, set())
        assert all(faults_between(one.text, text) >= 1 for text in near)
    return bool(strange)


def faults_between(ran: str, said: str) -> int:
    """Return in how many places two lines differ at least."""
    return abs(len(ran) - len(said)) or sum(a != b for a, b in zip(ran, said, strict=True))


CLEAN = Faults()
EXAMPLE_LINES = tuple(f"G1 X{n} E{n / 10}" for n in range(30))


@settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    derandomize=not SOAK_MINUTES,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(stories)
@example(Story(EXAMPLE_LINES, Faults(flip=60), Faults(flip=60), 3, 120, advanced_ok=True))
@example(Story(EXAMPLE_LINES, Faults(lose=60, double=60), CLEAN, 4))
@example(Story(EXAMPLE_LINES, CLEAN, Faults(lose=60, stall=100, stall_s=8.0), 5, 120))
def test_the_whole_part_or_a_reason(story: Story) -> None:
    outcome = tell(story)
    COUNTS[outcome] += 1
    event(outcome)


@pytest.mark.skipif(not SOAK_MINUTES, reason="make soak runs it for SOAK_MINUTES")
@pytest.mark.timeout(0)
def test_for_as_long_as_you_like() -> None:
    """Ever new stories; the first wrong one is raised, with all it takes to play it again."""
    ends_at = time.monotonic() + SOAK_MINUTES * 60
    while time.monotonic() < ends_at:
        seed(secrets.randbits(64))(test_the_whole_part_or_a_reason)()
    print(sum(COUNTS.values()), "stories:", dict(COUNTS.most_common()))  # noqa: T201  # with pytest -s
