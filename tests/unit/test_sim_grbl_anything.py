"""The Grbl stand-in under anything a host may send, and motion that stays within its limits."""

from __future__ import annotations

import math

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fabctl_sim.grbl.board import Board
from fabctl_sim.grbl.firmware import Firmware
from fabctl_sim.trial_host import TrialHost

REALTIME = st.sampled_from([b"!", b"~", b"?", b"\x18", b"\x84", b"\x85", b"\x9e", b"\xa0"])
OVERRIDE = st.sampled_from([bytes([b]) for b in (*range(0x90, 0x98), *range(0x99, 0x9E))])
WORDS = st.sampled_from(
    b"G0 G1 G2 G3 G4P.1 G38.2 G92 G10L20P1 G28 G53 G91 G90 G93 M3 M4 M5 M8 M0 M30 S500 X9 X-7 "
    b"Y3 Y-8 Z2 F900 F100 I4 J-2 R20 P1 G20 G21".split()
)
LINES = st.lists(WORDS, min_size=1, max_size=5).map(lambda words: b"".join(words) + b"\n")
DOLLARS = st.sampled_from(
    [b"$H\n", b"$X\n", b"$C\n", b"$J=G91X5F500\n", b"$SLP\n", b"$$\n", b"$#\n", b"$32=1\n"]
)
ANYTHING = st.one_of(REALTIME, OVERRIDE, LINES, DOLLARS, st.binary(max_size=30))
PAUSES = st.sampled_from([0.0, 0.001, 0.02, 0.3, 3.0])
QUIET = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@QUIET
@given(st.lists(st.tuples(ANYTHING, PAUSES), max_size=60))
def test_whatever_was_sent_two_resets_and_an_unlock_help(
    pieces: list[tuple[bytes, float]],
) -> None:
    at = TrialHost(Firmware(Board()))
    for data, pause in pieces:
        at.exchange(data, pause)
    at.exchange(b"\x18", 3.0)
    at.exchange(b"\x18", 3.0)
    at.exchange(b"$X\n", 1.0)
    assert at.exchange(b"?", 1.0)[-1].startswith("<Idle|")


POINTS = st.lists(
    st.tuples(st.integers(-40, 40), st.integers(-40, 40), st.integers(60, 1500)),
    min_size=2,
    max_size=25,
)
EVENTS = st.lists(
    st.tuples(st.sampled_from([b"!", b"~", b"\x84", b"\x91", b"\x92", b"\x96"]), PAUSES),
    max_size=12,
)


@QUIET
@given(POINTS, EVENTS)
def test_holds_doors_and_overrides_change_no_executed_move(
    points: list[tuple[int, int, int]], events: list[tuple[bytes, float]]
) -> None:
    firmware = Firmware(Board())
    at = TrialHost(firmware)
    lines = [b"G1X%.1fY%.1fF%d\n" % (x / 10, y / 10, f) for x, y, f in points]
    waiting = list(lines)
    for turn, (data, pause) in enumerate(events):
        fits = turn < 6  # a suspended machine reads nothing: no more than 128 bytes ahead
        at.send(data + (waiting.pop(0) if waiting and fits else b""))
        at.listen(pause)
    at.exchange(b"~", 6.0)
    at.exchange(b"~", 6.0)
    for line in waiting:
        at.send(line)
        at.hear("ok")
    at.listen(900.0)
    assert [entry["text"] + "\n" for entry in firmware.log.since(0)] == [
        line.decode() for line in lines
    ]
    wanted, here = [], [0.0, 0.0]
    for x, y, _ in points:
        if [x / 10, y / 10] != here:
            here = [x / 10, y / 10]
            wanted.append([*here, 0.0])
    assert [move["end"] for move in firmware.log.moves()] == wanted


@QUIET
@given(POINTS, EVENTS)
def test_the_speed_never_jumps_and_never_exceeds_an_axis(
    points: list[tuple[int, int, int]], events: list[tuple[bytes, float]]
) -> None:
    firmware = Firmware(Board())
    at = TrialHost(firmware)
    at.send(b"".join(b"G1X%.1fY%.1fF%d\n" % (x / 10, y / 10, f) for x, y, f in points[:10]))
    machine, speed, then = firmware.machine, 0.0, at.now
    for data, pause in events or [(b"", 1.0)]:
        at.send(data)
        until = at.now + min(pause, 1.0)
        while at.now < until:
            at.listen(0.002)
            now = max(at.now, machine.clock)  # the processor may have reckoned a little ahead
            after = machine.planner.speed_at(now)
            assert after <= 1000 / 60 * math.sqrt(2) + 1e-6
            assert abs(after - speed) <= 200 * math.sqrt(2) * (now - then) + 1e-6
            speed, then = after, now
