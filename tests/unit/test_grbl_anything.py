"""Random jobs to a Grbl over a cable that is bad both ways: never silent, and never a wrong part
called finished where that can be known.

Grbl's lines carry no number and no checksum. So there are two promises, and each is tested alone
(decision 0131):

- Where the damage is to newlines, to real-time bytes, to the firmware's answers, or is a ``!`` or
  a 0x18 out of nowhere, a job that is called finished was run whole: every line, in order, once
  each. Else it fails with a reason, or stands and says why; from there a resume goes on right.
- Where text itself is damaged nobody can see it: a digit that became another digit. Then a job
  that is called finished ran every line *whose own bytes came through*, in order; what it ran
  in place of the others nobody knows. It may still be at work: a move without its decimal point
  takes long, and its place is told all the time.

The one real-time byte of ours that belongs to the second kind: a ``?`` that turns into ``;`` makes
a comment of the line behind it. The tests leave it out of the first.

``make soak`` runs the same for SOAK_MINUTES with ever new seeds.
"""

from __future__ import annotations

import gc
import os
import random
import re
import secrets
import time
from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, event, example, given, seed, settings
from hypothesis import Phase as Step
from hypothesis import strategies as st

from fabctl.ports import Outcome, Phase, PhaseChanged, Trouble
from fabctl_drivers.grbl.holding import NOBODY_ASKED
from fabctl_sim.cable import Faults
from fabctl_sim.grbl.board import FLAVOURS, Board
from tests.grbl_host import GrblHost

CASES = 250
SOAK_MINUTES = float(os.environ.get("SOAK_MINUTES", "0"))
ENOUGH_S = 400.0
MOST_HOLDS = 60
RESETS = {Trouble.CONTROLLER_RESET, Trouble.FIRMWARE_HALTED}
REALTIME = b"?!~\x18"
COUNTS: Counter[str] = Counter()

CLEAN = Faults()


@dataclass(frozen=True)
class Story:
    """One job, one board, one cable."""

    lines: tuple[bytes, ...]
    up: Faults
    seed: int
    board: Board = FLAVOURS["grbl"]
    newline: int = 0
    """One newline in so many is lost or flipped; the same for what follows."""
    realtime: int = 0
    noise: int = 0
    """Pieces with a ``!`` or 0x18 before them that nobody said."""
    down: Faults = CLEAN


class Harm:
    """Damages what no line's text is."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._chance = random.Random(story.seed)  # noqa: S311  # damage is no secret

    def __call__(self, piece: bytes) -> bytes:
        out = bytearray()
        if self._hits(self._story.noise):
            out += self._chance.choice([b"!", b"!", b"!", b"\x18"])
        for byte in piece:
            rate = self._story.newline if byte == 0x0A else 0
            rate = self._story.realtime if byte in REALTIME else rate
            out += self._spoilt(byte) if self._hits(rate) else bytes([byte])
        return bytes(out)

    def _spoilt(self, byte: int) -> bytes:
        turned = byte ^ 1 << self._chance.randrange(8)
        return b"" if self._chance.random() < 0.5 or turned == ord(";") else bytes([turned])

    def _hits(self, one_in: int) -> bool:
        return one_in > 0 and self._chance.randrange(one_in) == 0


texts = st.one_of(
    st.tuples(st.integers(-40, 40), st.integers(-40, 40)).map(
        lambda at: b"G1 X%.2f Y%.2f F3000" % (at[0] / 10, at[1] / 10)
    ),
    st.integers(-30, 30).map(lambda x: b"X%d" % x),
    st.sampled_from([b"G21", b"G90", b"M3 S200", b"M5", b"G4 P0.05", b"G10 L20 P2 X1", b"G0 Z1"]),
    st.integers(1, 60).map(lambda n: b"G1 X" + b"0" * n + b"1 F900"),
)
jobs = st.tuples(st.lists(texts, min_size=1, max_size=25), st.integers(1, 6)).map(
    lambda part: (b"G1 F900", *(part[0] * part[1]))
)
rates = st.sampled_from([0, 0, 60, 200, 600, 2000])
ups = st.builds(
    Faults,
    flip=rates,
    lose=rates,
    double=rates,
    split=st.sampled_from([0, 3, 20]),
    delay=st.sampled_from([0, 5]),
    stall=st.sampled_from([0, 0, 40]),
)
boards = st.sampled_from(sorted(FLAVOURS)).map(FLAVOURS.__getitem__)
seeds = st.integers(0, 2**30)
around_the_text = st.builds(
    Story,
    lines=jobs,
    up=ups,
    seed=seeds,
    board=boards,
    newline=st.sampled_from([0, 0, 20, 100, 400]),
    realtime=st.sampled_from([0, 5, 30]),
    noise=st.sampled_from([0, 0, 10, 40]),
    down=st.builds(Faults, split=st.sampled_from([0, 3]), delay=st.sampled_from([0, 5])),
)
anywhere = st.builds(
    Story,
    lines=jobs,
    up=ups,
    seed=seeds,
    board=boards,
    down=st.builds(Faults, flip=rates, lose=rates, split=st.sampled_from([0, 3])),
)


def play(story: Story) -> tuple[GrblHost, str]:
    """Play a story to its end, or to a hold. Where the text is sound, somebody goes on from it."""
    host = GrblHost(story.board, seed=story.seed)
    host.harm = Harm(story)
    host.cable.spoil(story.up, "up")
    host.cable.spoil(story.down, "down")
    host.said.clear()
    host.start(list(story.lines))
    text_is_sound = not (story.down.flip or story.down.lose)
    for _ in range(MOST_HOLDS):
        over = host.until(lambda: host.ended is not None or waits(host), ENOUGH_S)
        if not over and not text_is_sound and host.firmware.machine.planner.moving:
            return host, "at work"
        assert over, ("silent", host.session.phase, host.events[-5:])
        if host.ended is not None:
            return host, host.ended.outcome.value
        assert why_it_waits(host), "it stands without a word"
        if not text_is_sound:
            break
        host.until(lambda: host.ended is not None, 7.0)  # a door needs its time
        if waits(host):
            host.session.resume(host.now)
    return host, "held"


def waits(host: GrblHost) -> bool:
    return host.session.phase is Phase.PAUSED


def why_it_waits(host: GrblHost) -> str | None:
    held = [e for e in host.events if isinstance(e, PhaseChanged) and e.phase is Phase.PAUSED]
    return held[-1].reason


def wanted(lines: tuple[bytes, ...]) -> list[str]:
    return [line.replace(b" ", b"").decode() for line in lines]


def must_have_a_reason(host: GrblHost) -> None:
    ended = host.ended
    assert ended is not None
    assert ended.outcome is Outcome.FAILED
    assert ended.reason
    assert ended.trouble


def tell_around_the_text(story: Story) -> str:
    """The first promise. Raises AssertionError where it is broken."""
    host, how = play(story)
    ran, file = host.ran(), wanted(story.lines)
    if how == "finished":
        assert ran == file
        assert not host.firmware.machine.planner.blocks
    elif how == "failed":
        must_have_a_reason(host)
    if not story.newline:  # two lines that ran as one are neither, and the job fails of it
        in_order_once_each(host, ran, file)
    return how


def in_order_once_each(host: GrblHost, ran: list[str], file: list[str]) -> None:
    """What ran is the file's beginning; lines in the buffer behind a refused one still run."""
    trouble = host.ended.trouble if host.ended else None
    if trouble in RESETS and host.ended:
        ran = ran[: host.ended.commands_done]
    if trouble is Trouble.LINE_REFUSED:
        rest = iter(file)
        assert all(line in rest for line in ran)
    else:
        assert ran == file[: len(ran)]


def tell_anywhere(story: Story) -> str:
    """The second promise."""
    host, how = play(story)
    if how == "finished":
        ran = iter(host.ran())
        for line in sound_lines(host, story):
            assert line in ran, f"{line} came through whole and was not run in its place"
    elif how == "failed":
        must_have_a_reason(host)
    return how


_LINE = re.compile(rb"[^\n]*\n")


def sound_lines(host: GrblHost, story: Story) -> list[str]:
    """Return the job's lines of which no byte was damaged, nor the newline before them."""
    damaged = set(host.cable.down.damaged)
    of_the_job = Counter(wanted(story.lines))
    sound, before = [], False
    for line in _LINE.finditer(bytes(host.said)):
        whole = damaged.isdisjoint(range(line.start() - 1, line.end()))
        text = line[0].translate(None, REALTIME + b"\n").decode("ascii", "replace")
        if of_the_job[text] and whole and not before:
            sound.append(text)
        before = not whole
    return sound


EXAMPLE = (b"G1 F900", *(b"X%d" % n for n in range(-20, 20)))
QUIET = settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    derandomize=not SOAK_MINUTES,
    phases=[Step.explicit, Step.generate, Step.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)


@QUIET
@given(around_the_text)
@example(Story(EXAMPLE, Faults(), 1, newline=20))
@example(Story(EXAMPLE, Faults(), 2, noise=3))
@example(Story(EXAMPLE, Faults(flip=200, lose=200), 3, realtime=3))
def tell_stories_around_the_text(story: Story) -> None:
    how = tell_around_the_text(story)
    COUNTS[how] += 1
    event(how)


@QUIET
@given(anywhere)
@example(Story(EXAMPLE, Faults(), 1, down=Faults(flip=200)))
@example(Story(EXAMPLE, Faults(), 2, down=Faults(lose=100)))
def tell_stories_anywhere(story: Story) -> None:
    how = tell_anywhere(story)
    COUNTS[how] += 1
    event(how)


def test_damage_around_the_text_never_makes_a_wrong_part() -> None:
    COUNTS.clear()
    tell_stories_around_the_text()
    assert COUNTS["finished"] >= 0.2 * sum(COUNTS.values()), COUNTS
    assert COUNTS["failed"] >= 0.2 * sum(COUNTS.values()), COUNTS


def test_damage_anywhere_is_never_silent_and_never_loses_a_line_that_came_through() -> None:
    COUNTS.clear()
    tell_stories_anywhere()
    assert COUNTS["finished"] >= 0.2 * sum(COUNTS.values()), COUNTS
    assert COUNTS["failed"] >= 0.2 * sum(COUNTS.values()), COUNTS


# ---- single faults, by name


def with_one(fault: tuple[bytes, bytes]) -> GrblHost:
    """Play three lines with one fault in them, to the end or to a hold."""
    host = GrblHost()
    host.harm = lambda piece: piece.replace(*fault)
    host.start([b"G1 F900", b"X12", b"Y8"])
    host.until(lambda: host.ended is not None or waits(host), ENOUGH_S)
    return host


@pytest.mark.parametrize(
    ("fault", "trouble", "reason"),
    [
        ((b"X12\n", b"X12"), Trouble.NO_ANSWER, "has not confirmed"),
        ((b"X12\n", b"X12\x0b"), Trouble.NO_ANSWER, "has not confirmed"),
        ((b"X12\n", b"X12J"), Trouble.LINE_REFUSED, "error:2"),
        ((b"X12\n", b"\x1812\n"), Trouble.CONTROLLER_RESET, "restarted during the job"),
        ((b"Y8\n", b"?Y\x18\n"), Trouble.FIRMWARE_HALTED, "a reset came while it moved"),
        ((b"X12\n", b"X1\n2\n"), Trouble.LINE_REFUSED, "error:1"),
    ],
)
def test_one_fault_that_is_noticed(
    fault: tuple[bytes, bytes], trouble: Trouble, reason: str
) -> None:
    host = with_one(fault)
    must_have_a_reason(host)
    assert host.ended is not None
    assert host.ended.trouble is trouble
    assert reason in (host.ended.reason or "")


def test_a_hold_out_of_nowhere_is_told_and_a_resume_goes_on_right() -> None:
    host = with_one((b"X12\n", b"!X12\n"))
    assert (host.session.phase, why_it_waits(host)) == (Phase.PAUSED, NOBODY_ASKED)
    host.session.resume(host.now)
    host.until(lambda: host.ended is not None, ENOUGH_S)
    assert host.ended is not None
    assert host.ended.outcome is Outcome.FINISHED
    assert host.ran() == ["G1F900", "X12", "Y8"]


def test_a_digit_that_became_a_hold_is_told_but_its_line_is_spoilt() -> None:
    """So a hold that nobody asked for is left to a person (decision 0136)."""
    host = with_one((b"X12\n", b"X!2\n"))
    assert (host.session.phase, why_it_waits(host)) == (Phase.PAUSED, NOBODY_ASKED)
    host.session.resume(host.now)
    host.until(lambda: host.ended is not None, ENOUGH_S)
    assert host.ran() == ["G1F900", "X2", "Y8"]


@pytest.mark.parametrize(
    ("fault", "ran"), [((b"X12\n", b"X52\n"), "X52"), ((b"X12\n", b"X2\n"), "X2")]
)
def test_a_changed_digit_is_seen_by_nobody(fault: tuple[bytes, bytes], ran: str) -> None:
    """What cannot be promised, as it is: the job is finished, and the part is wrong."""
    host = with_one(fault)
    assert host.ended is not None
    assert host.ended.outcome is Outcome.FINISHED
    assert host.ran() == ["G1F900", ran, "Y8"]


@pytest.mark.skipif(not SOAK_MINUTES, reason="make soak runs it for SOAK_MINUTES")
@pytest.mark.timeout(0)
def test_for_as_long_as_you_like_on_grbl() -> None:
    """Ever new stories; the first wrong one is raised, with all it takes to play it again."""
    ends_at = time.monotonic() + SOAK_MINUTES * 60
    while time.monotonic() < ends_at:
        seed(secrets.randbits(64))(tell_stories_around_the_text)()
        seed(secrets.randbits(64))(tell_stories_anywhere)()
        gc.collect()  # tests/conftest.py lets it happen seldom
    print(sum(COUNTS.values()), "stories:", dict(COUNTS.most_common()))  # noqa: T201  # with pytest -s
