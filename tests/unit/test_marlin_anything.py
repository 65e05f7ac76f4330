"""Random jobs over random bad cables: the whole part in order, once each, or a failure that says
why. Never a wrong part that is called finished.

``make soak`` runs the same for SOAK_MINUTES with ever new seeds.

What no host can help: Marlin's checksum is an exclusive or of eight bits, so two faults in one
line may cancel out. The cable here knows which bytes it damaged; a line that ran otherwise than
it was said is forgiven only where two or more of its bytes were, that line alone, and seldom.
"""

from __future__ import annotations

import gc
import os
import re
import secrets
import time
from collections import Counter
from collections.abc import Mapping, Sequence
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

CASES = 2000
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
    st.builds("M73 P{}".format, st.integers(0, 100)),
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
    """A message with M110 in it would upset Marlin's line numbers: it goes out as m110."""
    said = (line.partition(";")[0].strip().replace("M110", "m110") for line in texts)
    return [text for text in said if text]


def tell(story: Story) -> str:
    """Play a story; return how it ended. Raises AssertionError where it must not end so."""
    rig = Rig(story.board(), window_bytes=story.window_bytes, seed=story.seed)
    if story.bad_from_the_start:
        spoil(rig, story)
    rig_base = 0 if story.bad_from_the_start else None
    rig.connect()
    if rig.session.phase.value != "idle":
        return "not connected"
    spoil(rig, story)
    rig_base = len(rig.said) if rig_base is None else rig_base
    begin = len(rig.ran)
    rig.start(story.lines)
    ended = finish(rig)
    ran = as_said(rig, rig.ran[begin:], rig_base)
    done, wanted = [r.text for r in ran if is_of_the_job(r)], wanted_of(story.lines)
    if ended.outcome is Outcome.FINISHED:
        nothing_else_ran(ran)
        assert done == wanted
        assert ended.commands_done == len(wanted)
        return FORGIVEN if ran != rig.ran[begin:] else "finished"
    assert ended.outcome is Outcome.FAILED
    assert ended.reason
    assert ended.trouble
    if any("M110" in r.text and r.text != "M110 N0" for r in rig.ran[begin:]):
        return FAILED_TWICE_DAMAGED  # it counted anew, and asked for lines that it had run
    assert done == wanted[: len(done)]
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
FORGIVEN = "finished, two faults in one line"
FAILED_TWICE_DAMAGED = "failed: two faults made an M110 of a line"


def as_said(rig: Rig, ran: Sequence[Ran], base: int) -> list[Ran]:
    """Return what ran, each line that two faults changed unnoticed as it was said.

    :param base: bytes that were said before the cable was bad.
    """
    said: dict[int, set[str]] = {}
    twice: dict[int, set[str]] = {}
    damaged = Counter(place + base for place in rig.cable.down.damaged)
    for line in _SAID.finditer(bytes(rig.said)):
        number, text = int(line[1]), line[2].decode("latin-1")
        said.setdefault(number, set()).add(text)
        if sum(damaged[place] for place in range(*line.span())) >= 2:
            twice.setdefault(number, set()).add(text)
    return [was for one in ran if (was := _as_said(one, said, twice)) is not None]


def _as_said(one: Ran, said: Mapping[int, set[str]], twice: Mapping[int, set[str]]) -> Ran | None:
    """Return one line as it was said; None where two faults changed its number too.

    ``N12 M105`` with two bytes doubled is ``N112 M1105``, which Marlin takes for an M110;
    ``N19 M105`` can become ``N9 M1105``, with the number of a line long past.
    """
    if one.number is None or one.text in said.get(one.number, ()):
        return one
    assert twice, f"{one} ran; one fault cannot explain it"
    if one.number in twice:
        return Ran(one.number, min(twice[one.number]))
    counts_anew = "M110" in one.text
    assert counts_anew or one.number not in said, f"{one} ran; one fault cannot explain it"
    return None


SELDOM = 0.02
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
@example(
    Story(
        ("G1 X1", "G1 X2", "G1 Z0.1", "M117 xM110"),
        Faults(lose=60),
        CLEAN,
        2925,
        120,
        advanced_ok=True,
    )
)
@example(Story(EXAMPLE_LINES, CLEAN, Faults(lose=60, stall=100, stall_s=8.0), 5, 120))
@example(
    Story(
        ("G0 X0.1 F600", "G1 Z0.1", "M117 x000000", "G1 X0 Y0 E0 F9000"),
        Faults(flip=60, double=60),
        Faults(lose=60, double=60, split=20, delay=3, delay_s=0.002),
        20613,
        120,
        advanced_ok=True,
    )
)
def tell_stories(story: Story) -> None:
    outcome = tell(story)
    COUNTS[outcome] += 1
    event(outcome)


def test_the_whole_part_or_a_reason() -> None:
    COUNTS.clear()
    tell_stories()
    assert COUNTS[FORGIVEN] <= SELDOM * COUNTS["finished"], COUNTS
    assert COUNTS["finished"] >= 0.9 * sum(COUNTS.values()), COUNTS


@pytest.mark.skipif(not SOAK_MINUTES, reason="make soak runs it for SOAK_MINUTES")
@pytest.mark.timeout(0)
def test_for_as_long_as_you_like() -> None:
    """Ever new stories; the first wrong one is raised, with all it takes to play it again."""
    ends_at = time.monotonic() + SOAK_MINUTES * 60
    while time.monotonic() < ends_at:
        seed(secrets.randbits(64))(tell_stories)()
        gc.collect()  # tests/conftest.py lets it happen seldom
    print(sum(COUNTS.values()), "stories:", dict(COUNTS.most_common()))  # noqa: T201  # with pytest -s
