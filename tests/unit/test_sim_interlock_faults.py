"""The simulated cabinet's faults, with time passed in: each shows, and is taken away again."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from fabctl_sim.interlock_box.layout import Level
from fabctl_sim.interlock_box.wiring import Role
from tests.cabinet_in_hand import K1, K2, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "cabinet")


@pytest.fixture
def running(bench: Bench) -> Bench:
    """Both relays closed, the machine at work."""
    bench.drive(K2, 1)
    bench.wait(0.05, pulse_s=0.01)
    assert bench.ask("run")["active"]
    return bench


@pytest.mark.parametrize(("fault", "role"), [("a", Role.LID_A), ("b", Role.LID_B)])
def test_a_stuck_channel_says_closed_while_the_other_tells_the_truth(
    bench: Bench, fault: str, role: Role
) -> None:
    bench.ask(f"channel-{fault}-stuck")
    bench.ask("open-lid")
    levels = {bench.arrives(Role.LID_A), bench.arrives(Role.LID_B)}
    assert bench.arrives(role) is Level.HIGH
    assert levels == {Level.HIGH, Level.LOW}
    bench.ask("repair")
    assert bench.arrives(role) is Level.LOW


@pytest.mark.parametrize("late", [0.15, 0.25])
def test_channel_b_follows_late(bench: Bench, late: float) -> None:
    bench.ask("lid-late", seconds=late)
    bench.ask("open-lid")
    bench.wait(1.0)
    bench.ask("close-lid")
    bench.wait(1.0)
    gaps = [
        b[0] - a[0] for a, b in zip(bench.changes("lid_a"), bench.changes("lid_b"), strict=True)
    ]
    assert gaps == pytest.approx([late, late], abs=0.0011)


def test_a_lid_that_moves_back_before_its_late_channel_followed_moves_it_once(
    bench: Bench,
) -> None:
    bench.ask("lid-late", seconds=0.25)
    bench.ask("open-lid")
    bench.wait(0.1)
    bench.ask("close-lid")
    bench.wait(1.0)
    assert bench.changes("lid_b") == []


def test_a_glitch_lasts_5_ms(bench: Bench) -> None:
    bench.ask("glitch", role="estop")
    bench.wait(0.1)
    (down, low), (up, high) = bench.changes("estop")
    assert (low, high) == ("low", "high")
    assert up - down == pytest.approx(0.005, abs=0.0011)


def test_chatter_has_as_many_edges_as_asked_for_and_ends_where_it_began(bench: Bench) -> None:
    bench.ask("chatter", edges=50, seconds=1.0)
    bench.wait(1.5)
    assert len(bench.changes("lid_a")) == 50
    assert bench.arrives(Role.LID_A) is Level.HIGH


def test_chatter_ends_when_it_is_repaired(bench: Bench) -> None:
    bench.ask("chatter", edges=50, seconds=1.0)
    bench.wait(0.5)
    bench.ask("repair", what="chatter")
    edges = len(bench.changes("lid_a"))
    bench.wait(1.0)
    assert len(bench.changes("lid_a")) == edges
    assert bench.arrives(Role.LID_A) is Level.HIGH


@pytest.mark.parametrize(
    ("fault", "role", "level"),
    [
        ("wire-broken", Role.KEY, Level.FLOATING),
        ("pin-fails", Role.EXHAUST, Level.FAILS),
        ("flow-frozen-high", Role.FLOW, Level.HIGH),
        ("flow-frozen-low", Role.FLOW, Level.LOW),
        ("flow-noise", Role.FLOW, Level.NOISE),
        ("run-stuck", Role.ACTIVE, Level.LOW),
    ],
)
def test_a_fault_of_an_input_shows_until_it_is_repaired(
    bench: Bench, fault: str, role: Role, level: Level
) -> None:
    details = {"role": role.value} if fault in {"wire-broken", "pin-fails"} else {}
    bench.ask(fault, **details)
    for _ in range(100):
        bench.wait(0.005)
        assert bench.arrives(role) is level
    bench.ask("repair", what=fault)
    bench.wait(0.1)
    assert bench.arrives(role) in {Level.HIGH, Level.LOW}


def test_of_two_faults_on_one_wire_the_younger_shows_then_the_elder(bench: Bench) -> None:
    bench.ask("channel-a-stuck")
    bench.ask("wire-broken", role="lid_a")
    assert bench.arrives(Role.LID_A) is Level.FLOATING
    bench.ask("repair", what="wire-broken lid_a")
    bench.ask("open-lid")
    assert bench.arrives(Role.LID_A) is Level.HIGH


def test_a_welded_contact_keeps_the_power_on_and_its_feedback_open(running: Bench) -> None:
    running.ask("k1-welded")
    running.wait(0.5)
    assert running.ask("status")["contacts"]["K1"]
    assert running.arrives(Role.K1_FEEDBACK) is Level.LOW
    running.ask("repair", what="k1-welded")
    running.wait(0.05)
    assert running.arrives(Role.K1_FEEDBACK) is Level.HIGH


def test_a_relay_that_does_not_pull_in_shows_it(bench: Bench) -> None:
    bench.ask("k2-stuck")
    bench.drive(K2, 1)
    bench.wait(0.2, pulse_s=0.01)
    assert bench.arrives(Role.K2_FEEDBACK) is Level.HIGH
    assert not bench.ask("status")["powered"]


def test_chip_and_outputs_fail_and_are_repaired(bench: Bench) -> None:
    bench.ask("chip-vanish")
    assert bench.file.read_bytes()[24] == 0
    bench.ask("chip-return")
    assert bench.file.read_bytes()[24] == 1
    bench.ask("write-fails", role="k1")
    assert bench.file.read_bytes()[192 + K1] == 1
    bench.ask("repair", what="write-fails")
    assert bench.file.read_bytes()[192 + K1] == 0


@pytest.mark.parametrize(
    ("command", "details"),
    [
        ("open", {}),
        ("wire-broken", {"role": "lid"}),
        ("flow-start", {"hz": 401}),
        ("reset-press", {"seconds": 0}),
        ("reset-press", {"seconds": float("nan")}),
        ("glitch", {"seconds": -1}),
        ("chatter", {"edges": 1}),
        ("lid-late", {"seconds": 11}),
        ("write-fails", {"role": "lid_a"}),
    ],
)
def test_what_makes_no_sense_is_refused(
    bench: Bench, command: str, details: dict[str, Any]
) -> None:
    before = bench.file.read_bytes()
    with pytest.raises(ValueError, match=r".+"):
        bench.ask(command, **details)
    assert bench.file.read_bytes() == before


def test_pins_hang_for_as_long_as_told(bench: Bench) -> None:
    bench.ask("pins-hang", seconds=0.3)
    (until_ns,) = struct.unpack_from("Q", bench.file.read_bytes(), 32)
    assert until_ns == pytest.approx((bench.now + 0.3) * 1e9, abs=1e3)
    bench.ask("repair", what="pins-hang")
    assert struct.unpack_from("Q", bench.file.read_bytes(), 32) == (0,)
