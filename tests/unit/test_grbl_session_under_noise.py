"""Whatever a cable does to Grbl's answers, and whenever somebody intervenes: the lines that ran are
the file's, in order, once each, or the job failed with a reason.

Grbl's lines carry no checksum and no number: a byte that the cable changes on its way to the board
can make another good line, and nobody can see it (docs/decisions/0131). So towards the board this
cable only delays and splits; from the board it does everything.
"""

from __future__ import annotations

from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fabctl.errors import LocalError
from fabctl.ports import Outcome, Override, Phase, Trouble
from fabctl_drivers.grbl.settings import Settings
from fabctl_sim.cable import Faults
from fabctl_sim.grbl.board import FLAVOURS, Board
from tests.grbl_host import GrblHost

MANY = settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
BLOCKS = st.lists(
    st.one_of(
        st.tuples(st.integers(-40, 40), st.integers(-40, 40)).map(
            lambda at: b"G1 X%.2f Y%.2f F3000" % (at[0] / 10, at[1] / 10)
        ),
        st.sampled_from([b"G21", b"M3 S200", b"M5", b"G4 P0.05", b"G10 L20 P2 X1", b"G0 Z1"]),
        st.integers(1, 60).map(lambda n: b"G1 X" + b"0" * n + b"1 F900"),
    ),
    min_size=1,
    max_size=60,
)
LINES = st.tuples(BLOCKS, st.integers(1, 12)).map(lambda part: part[0] * part[1])
ONE_IN = st.one_of(st.just(0), st.integers(40, 2000))
UP = st.builds(
    Faults,
    flip=ONE_IN,
    lose=ONE_IN,
    double=ONE_IN,
    split=st.sampled_from([0, 2, 10]),
    delay=st.sampled_from([0, 5]),
    stall=st.sampled_from([0, 40]),
)
DOWN = st.builds(Faults, split=st.sampled_from([0, 3]), delay=st.sampled_from([0, 5]))
BOARDS = st.sampled_from(sorted(FLAVOURS)).map(FLAVOURS.__getitem__)
REQUESTS = st.lists(
    st.tuples(
        st.floats(0.01, 1.0),
        st.sampled_from(
            ["pause", "resume", "stop", "reset-pin", "door", "close door", "pull", "override"]
        ),
    ),
    max_size=6,
)
ENOUGH_S = 400.0
RESETS = {Trouble.CONTROLLER_RESET, Trouble.FIRMWARE_HALTED}
"""After a reset, bytes of ours that were on the wire still reach the board, until we reset it
again: lines that nobody confirmed, the first of them in pieces."""


def wanted(lines: list[bytes]) -> list[str]:
    return [line.replace(b" ", b"").decode() for line in lines]


def must_be_true(host: GrblHost, lines: list[bytes]) -> None:
    """The one property: right to the end, or failed with a reason; never more than the file."""
    ended = host.ended
    assert ended is not None, (host.session.phase, host.events[-5:])
    ran = host.ran()
    if ended.trouble in RESETS:
        ran = ran[: ended.commands_done]
    assert ran == wanted(lines)[: len(ran)], "in order, once each"
    assert host.lost == 0, "the receive buffer never overran"
    if ended.outcome is Outcome.FINISHED:
        assert ran == wanted(lines)
        assert not host.firmware.machine.planner.blocks
        assert ended.commands_done == len(lines)
    elif ended.outcome is Outcome.FAILED:
        assert ended.reason
        assert ended.trouble


@MANY
@given(LINES, BOARDS, UP, DOWN, st.integers(0, 1000))
def test_a_bad_cable_never_makes_a_wrong_part(
    lines: list[bytes], board: Board, up: Faults, down: Faults, seed: int
) -> None:
    host = GrblHost(board, seed=seed)
    host.cable.spoil(up, "up")
    host.cable.spoil(down, "down")
    host.start(lines)
    host.until(lambda: host.ended is not None, ENOUGH_S)
    must_be_true(host, lines)


@MANY
@given(LINES, BOARDS, REQUESTS)
def test_whoever_intervenes_the_lines_stay_right(
    lines: list[bytes], board: Board, requests: list[tuple[float, str]]
) -> None:
    host = GrblHost(board)
    host.start(lines)
    stopped = False
    for wait, request in requests:
        host.until(lambda: host.ended is not None, wait)
        stopped = stopped or request == "stop"
        intervene(host, request)
    host.firmware.door(host.now, is_open=False)
    for _ in range(4):
        host.until(lambda: host.ended is not None or host.session.phase is Phase.PAUSED, ENOUGH_S)
        if host.session.phase is Phase.PAUSED:
            host.until(lambda: False, 7.0)  # a door needs its time
            try_to(host, "resume")
    must_be_true(host, lines)
    assert stopped or host.ended is None or host.ended.outcome is not Outcome.STOPPED


def intervene(host: GrblHost, request: str) -> None:
    if request == "reset-pin":
        host.firmware.reset_pin(host.now)
    elif request in {"door", "close door"}:
        host.firmware.door(host.now, is_open=request == "door")
    elif request == "override":
        try_to(host, request, Override.FEED, 150)
    elif request == "pull":
        host.firmware.reset(host.now)
    else:
        try_to(host, request)


def try_to(host: GrblHost, request: str, *words: object) -> None:
    with suppress(LocalError):  # not every request has its place at every time
        getattr(host.session, request)(*words, host.now)


@MANY
@given(LINES, BOARDS)
def test_a_check_run_moves_nothing(lines: list[bytes], board: Board) -> None:
    host = GrblHost(board, Settings(check_run=True))
    host.start(lines)
    host.until(lambda: host.ended is not None, ENOUGH_S)
    must_be_true(host, lines)
    assert host.ended is not None
    assert host.ended.outcome is Outcome.FINISHED
    assert host.firmware.log.moves() == []
