"""The bad cable in front of both stand-ins: seeded, in order, and harmless when not spoiled."""

from __future__ import annotations

from typing import Any

import pytest

from fabctl_sim.cable import Cable, Direction, Faults
from fabctl_sim.core import Core
from fabctl_sim.grbl.board import Board as GrblBoard
from fabctl_sim.grbl.firmware import Firmware as Grbl
from fabctl_sim.marlin.board import Board as MarlinBoard
from fabctl_sim.marlin.firmware import Firmware as Marlin
from fabctl_sim.trial_host import SilenceError, TrialHost

LINES = [b"G1 X%d Y%d F3000\n" % (n % 10, n % 7) for n in range(300)]


def through(faults: Faults, data: bytes, seed: int = 1, pieces: int = 1) -> tuple[bytes, Direction]:
    direction = Direction(seed)
    direction.faults = faults
    for _ in range(pieces):
        direction.put(data, 0.0)
    return b"".join(piece for _, piece in direction.take(1e9)), direction


def test_without_faults_nothing_changes() -> None:
    assert through(Faults(), b"abc", pieces=3)[0] == b"abcabcabc"


def test_flips_losses_and_doubles_are_as_frequent_as_asked() -> None:
    data = bytes(range(256)) * 400
    out, way = through(Faults(flip=600), data)
    assert sum(a != b for a, b in zip(data, out, strict=True)) == way.flipped
    assert way.flipped == pytest.approx(len(data) / 600, rel=0.3)
    out, way = through(Faults(lose=100), data)
    assert len(data) - len(out) == way.lost == pytest.approx(1024, rel=0.2)
    out, way = through(Faults(double=100), data)
    assert len(out) - len(data) == way.doubled == pytest.approx(1024, rel=0.2)


def test_the_same_seed_gives_the_same_damage() -> None:
    faults = Faults(flip=20, lose=20, double=20)
    data = bytes(1000)
    assert through(faults, data, seed=3)[0] == through(faults, data, seed=3)[0]
    assert through(faults, data, seed=3)[0] != through(faults, data, seed=4)[0]


def test_splits_delays_and_stalls_keep_every_byte_in_order() -> None:
    direction = Direction(5)
    direction.faults = Faults(split=2, delay=2, stall=10, delay_s=0.05, stall_s=2.0)
    for n in range(200):
        direction.put(b"%03d" % n, n * 0.001)
    pieces = list(direction.take(1e9))
    times = [at for at, _ in pieces]
    assert b"".join(piece for _, piece in pieces) == b"".join(b"%03d" % n for n in range(200))
    assert times == sorted(times)
    assert times[-1] > 2.0
    assert len(pieces) > 250


@pytest.mark.parametrize("core", [Grbl(GrblBoard()), Marlin(MarlinBoard())])
def test_a_good_cable_is_not_there(core: Core) -> None:
    at = TrialHost(Cable(core))
    assert at.count(LINES[:20], 0) == ["ok"] * 20


def test_a_bad_cable_makes_grbl_refuse_lines_or_fall_silent() -> None:
    core = Grbl(GrblBoard())
    cable = Cable(core, seed=7)
    at = TrialHost(cable)
    cable.spoil(Faults(flip=100), "down")
    answers = [line.strip() for line in at.exchange(b"".join(LINES[:5]), 5.0)]
    for n in range(5, 300, 5):
        answers += [line.strip() for line in at.exchange(b"".join(LINES[n : n + 5]), 1.0)]
    assert cable.down.flipped > 30
    assert any(line.startswith("error:") for line in answers)


def test_a_bad_way_back_loses_answers_only() -> None:
    core = Grbl(GrblBoard())
    cable = Cable(core, seed=7)
    at = TrialHost(cable)
    cable.spoil(Faults(lose=30), "up")
    with pytest.raises((SilenceError, AssertionError)):
        assert at.count(LINES, 0) == ["ok"] * len(LINES)
    assert core.machine.rx.lost == 0
    assert cable.up.lost > 0


def test_a_stall_shows_as_silence_and_then_everything_comes() -> None:
    cable = Cable(Grbl(GrblBoard()), seed=2)
    at = TrialHost(cable)
    cable.spoil(Faults(stall=1, stall_s=3.0), "up")
    assert at.exchange(b"G21\n", 2.9) == []
    assert [line.strip() for line in at.listen(0.2)] == ["ok"]


def test_faults_from_text_and_its_refusals() -> None:
    faults = Faults.from_text("flip=600,lose=2000,delay_s=0.1")
    assert faults == Faults(flip=600, lose=2000, delay_s=0.1)
    wrong: list[Any] = ["flop=1", "flip=-1", "flip=x"]
    for text in wrong:
        with pytest.raises(ValueError, match=r"knows|>= 0|float"):
            Faults.from_text(text)
    with pytest.raises(ValueError, match="direction"):
        Cable(Grbl(GrblBoard())).spoil(Faults(), "sideways")
