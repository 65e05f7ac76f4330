"""The simulated cabinet's physics, with time passed in: relays, monostable, switches, faults."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl_sim.interlock_box.agenda import Agenda
from fabctl_sim.interlock_box.cabinet import Cabinet
from fabctl_sim.interlock_box.layout import Level, Memory
from fabctl_sim.interlock_box.panel import Panel
from fabctl_sim.interlock_box.relay import DROP_OUT_S, PULL_IN_S, Monostable, Relay, RelayFault
from fabctl_sim.interlock_box.wiring import PROFILES, Role, Wire, wired

K1, K2 = 17, 27


class Bench:
    """A cabinet, its panel, and a hand on the lines; the clock goes in steps of 1 ms."""

    def __init__(self, file: Path, profile: str = "laser", *changes: str) -> None:
        self.now = 100.0
        self.file = file
        self.cabinet = Cabinet(wired(profile, changes), Memory(file), lambda: self.now)
        self.panel = Panel(self.cabinet)

    def drive(self, pin: int, level: int) -> None:
        """Write one output as a controller does: stamp, level, count."""
        with self.file.open("r+b") as file:
            content = bytearray(file.read())
            (count,) = struct.unpack_from("I", content, 256 + 4 * pin)
            file.seek(512 + 8 * pin)
            file.write(struct.pack("Q", round(self.now * 1e9)))
            file.seek(128 + pin)
            file.write(bytes([level]))
            file.seek(256 + 4 * pin)
            file.write(struct.pack("I", count + 1))

    def arrives(self, role: Role) -> Level:
        """Return what the controller's pin of a role gets."""
        content = self.file.read_bytes()
        return Level(content[64 + self.cabinet.wiring.inputs[role].pin])

    def wait(self, seconds: float, *, pulse_s: float = 0.0, level: int = 0) -> int:
        """Let time pass, with K1's line toggled every ``pulse_s``; return its last level."""
        toggle = self.now
        for _ in range(round(seconds * 1000)):
            if pulse_s and self.now >= toggle:
                level = 1 - level
                self.drive(K1, level)
                toggle += pulse_s
            self.cabinet.advance(self.now)
            self.now = round(self.now + 0.001, 6)
        self.cabinet.advance(self.now)
        return level

    def ask(self, command: str, **details: object) -> dict[str, Any]:
        return self.panel.answer({"cmd": command, **details})

    def changes(self, role: str) -> list[tuple[float, str]]:
        events = self.cabinet.journal.since(1)
        return [(e["t"], e["level"]) for e in events if e.get("role") == role][1:]


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


# -- relays and the monostable -----------------------------------------------------------------


def test_a_relay_moves_its_feedback_contact_first_and_back_last() -> None:
    relay = Relay("K1")
    relay.drive(coil=True, at=1.0)
    moves = []
    while relay.due:
        moves.append((round(relay.next_due() - 1.0, 6), *relay.move()))
    assert moves == [(0.006, "feedback", False), (PULL_IN_S, "main", True)]
    relay.drive(coil=False, at=2.0)
    moves = []
    while relay.due:
        moves.append((round(relay.next_due() - 2.0, 6), *relay.move()))
    assert moves == [(0.006, "main", False), (DROP_OUT_S, "feedback", True)]


Steps = st.lists(
    st.tuples(st.sampled_from(["on", "off", *RelayFault]), st.floats(0.0, 0.02, allow_nan=False)),
    max_size=30,
)


@given(Steps)
def test_main_and_feedback_are_never_closed_together(steps: list[tuple[str, float]]) -> None:
    relay, now = Relay("K1"), 0.0
    for step, seconds in steps:
        if step in {"on", "off"}:
            relay.drive(coil=step == "on", at=now)
        else:
            relay.spoil(RelayFault(step), now)
        now += seconds
        while relay.next_due() <= now:
            relay.move()
            assert not (relay.main and relay.feedback)


@given(Steps)
def test_a_relay_without_a_fault_ends_where_its_coil_is(steps: list[tuple[str, float]]) -> None:
    relay, now = Relay("K1"), 0.0
    for step, seconds in steps:
        if step in {"on", "off"}:
            relay.drive(coil=step == "on", at=now)
        else:
            relay.spoil(RelayFault(step), now)
        now += seconds
        while relay.next_due() <= now:
            relay.move()
    relay.spoil(RelayFault.NONE, now)
    while relay.due:
        relay.move()
    assert (relay.main, relay.feedback) == (relay.coil, not relay.coil)


@pytest.mark.parametrize("hold", [0.149, 0.201, 0.0, -1.0])
def test_a_monostable_outside_the_design_is_refused(hold: float) -> None:
    with pytest.raises(ValueError, match=r"0\.150 to 0\.200"):
        Monostable(hold)


def test_k1_is_on_while_pulses_come_and_off_175_ms_after_the_last_rise(bench: Bench) -> None:
    bench.wait(1.0, pulse_s=0.01)
    assert bench.cabinet.k1.main
    last = max(bench.cabinet.monostable.until - 0.175, 0)
    bench.wait(0.3)
    events = [e for e in bench.cabinet.journal.since(1) if e["kind"] in {"pulses", "contact"}]
    stopped = next(e for e in events if e["kind"] == "pulses" and not e["on"])
    opened = next(e for e in events if e.get("contact") == "main" and not e["closed"])
    assert stopped["t"] - last == pytest.approx(0.175, abs=1e-6)
    assert stopped["last"] == pytest.approx(last, abs=1e-6)
    assert opened["t"] - last == pytest.approx(0.181, abs=1e-6)


@pytest.mark.parametrize("level", [0, 1])
def test_a_line_that_stands_still_lets_k1_go_high_or_low(bench: Bench, level: int) -> None:
    bench.wait(0.1, pulse_s=0.01, level=0)
    bench.drive(K1, level)
    bench.wait(0.3)
    assert not bench.cabinet.k1.main
    assert bench.cabinet.k1.feedback


def test_one_pulse_every_160_ms_holds_k1_and_every_200_ms_does_not(bench: Bench) -> None:
    bench.wait(2.0, pulse_s=0.08)
    assert [e["on"] for e in bench.cabinet.journal.since(1) if e["kind"] == "pulses"] == [True]
    bench.wait(2.0, pulse_s=0.1)
    stops = [e for e in bench.cabinet.journal.since(1) if e["kind"] == "pulses" and not e["on"]]
    assert len(stops) >= 9


def test_pulses_that_came_between_two_looks_count(bench: Bench) -> None:
    bench.drive(K1, 1)
    bench.drive(K1, 0)
    bench.wait(0.02)
    assert bench.cabinet.k1.main


def test_a_pause_that_the_cabinet_looks_at_late_opened_k1_all_the_same(bench: Bench) -> None:
    level = bench.wait(0.1, pulse_s=0.01)
    assert level == 0
    bench.now += 0.5
    bench.drive(K1, 1)
    bench.now += 0.1
    bench.wait(0.05)
    moves = [e["closed"] for e in bench.cabinet.journal.since(1) if e.get("contact") == "main"]
    assert moves == [True, False, True]


def test_k2_follows_its_level_and_keeps_it(bench: Bench) -> None:
    bench.drive(K2, 1)
    bench.wait(5.0)
    assert bench.cabinet.k2.main
    bench.drive(K2, 255)  # nobody drives it: its driver is pulled down
    bench.wait(0.02)
    assert not bench.cabinet.k2.main


def test_a_cabinet_that_is_started_again_keeps_what_the_controller_drives(bench: Bench) -> None:
    bench.drive(K2, 1)
    again = Bench(bench.file)
    again.wait(0.02)
    assert again.cabinet.k2.main


# -- the machine -------------------------------------------------------------------------------


def test_the_machine_works_only_with_both_relays(bench: Bench) -> None:
    assert not bench.ask("run")["active"]
    bench.drive(K2, 1)
    bench.wait(0.05)
    assert not bench.ask("run")["active"]
    bench.wait(0.05, pulse_s=0.01)
    assert bench.ask("run")["active"]
    assert bench.arrives(Role.ACTIVE) is Level.LOW
    assert not bench.ask("idle")["active"]
    assert bench.arrives(Role.ACTIVE) is Level.HIGH


@pytest.mark.parametrize("relay", ["K1", "K2"])
def test_it_stops_with_either_relay_and_does_not_start_again_by_itself(
    running: Bench, relay: str
) -> None:
    if relay == "K2":
        running.drive(K2, 0)
        running.wait(0.05, pulse_s=0.01)
        running.drive(K2, 1)
    else:
        running.wait(0.3)
    running.wait(0.05, pulse_s=0.01)
    status = running.ask("status")
    assert status["powered"]
    assert not status["active"]


# -- switches ----------------------------------------------------------------------------------


def test_everything_rests_safe_and_is_wired_normally_closed(bench: Bench) -> None:
    for role in set(Role) - {Role.RESET, Role.FLOW}:
        assert bench.arrives(role) is Level.HIGH, role
    assert bench.arrives(Role.RESET) is Level.LOW


def test_a_role_may_be_wired_the_other_way_round(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "c", "enclosure", "lid_a=4:low", "reset=9:high", "lid_b=none")
    assert bench.arrives(Role.LID_A) is Level.LOW
    bench.ask("open-lid")
    assert bench.arrives(Role.LID_A) is Level.HIGH
    bench.ask("reset-hold")
    assert bench.arrives(Role.RESET) is Level.LOW


@pytest.mark.parametrize(
    ("act", "back", "role"),
    [
        ("open-lid", "close-lid", Role.LID_A),
        ("open-lid", "close-lid", Role.LID_B),
        ("exhaust-off", "exhaust-on", Role.EXHAUST),
        ("estop", "estop-release", Role.ESTOP),
        ("key-off", "key-on", Role.KEY),
        ("reset-hold", "reset-release", Role.RESET),
    ],
)
def test_an_act_and_its_opposite(bench: Bench, act: str, back: str, role: Role) -> None:
    rest = bench.arrives(role)
    bench.ask(act)
    assert bench.arrives(role) not in {rest, Level.FLOATING}
    bench.ask(back)
    assert bench.arrives(role) is rest


def test_a_press_of_the_button_lasts_half_a_second(bench: Bench) -> None:
    bench.ask("reset-press")
    bench.wait(1.0)
    (down, high), (up, low) = bench.changes("reset")
    assert (high, low) == ("high", "low")
    assert up - down == pytest.approx(0.5, abs=0.0011)


def test_a_button_held_after_a_press_stays_held(bench: Bench) -> None:
    bench.ask("reset-press", seconds=0.2)
    bench.ask("reset-hold")
    bench.wait(1.0)
    assert bench.arrives(Role.RESET) is Level.HIGH


def test_the_flow_meter_pulses_at_its_rate_and_counts(bench: Bench) -> None:
    seen, before = 0, Level.HIGH
    for _ in range(2000):
        bench.wait(0.001)
        now = bench.arrives(Role.FLOW)
        seen += (before, now) == (Level.LOW, Level.HIGH)
        before = now
    assert seen == pytest.approx(30, abs=1)
    assert bench.cabinet.memory.pulses == pytest.approx(30, abs=1)
    bench.ask("flow-stop")
    stopped = bench.cabinet.memory.pulses
    bench.wait(2.0)
    assert bench.cabinet.memory.pulses == stopped
    bench.ask("flow-start", hz=40)
    bench.wait(1.0)
    assert bench.cabinet.memory.pulses - stopped == pytest.approx(40, abs=1)


# -- faults ------------------------------------------------------------------------------------


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


def test_a_cabinet_without_a_switch_says_so(tmp_path: Path) -> None:
    relay = Bench(tmp_path / "c", "relay")
    for act in ("open-lid", "estop", "flow-stop", "channel-a-stuck", "flow-noise", "lid-late"):
        with pytest.raises(ValueError, match="this cabinet has no"):
            relay.ask(act)


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_profile_has_a_button_feedback_and_two_relays(profile: str) -> None:
    wiring = wired(profile)
    assert {Role.RESET, Role.K1_FEEDBACK} <= set(wiring.inputs)
    assert (wiring.k1, wiring.k2) == (K1, K2)


@pytest.mark.parametrize(
    "change", ["lid_a=64", "lid_a=x", "lid_a=5:up", "lid=5", "k1=27", "lid_a=17", "k1=none"]
)
def test_a_wiring_that_cannot_be_is_refused(change: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        wired("laser", [change])


def test_a_wire_keeps_its_usual_polarity_when_only_its_pin_moves() -> None:
    assert wired("laser", ["reset=9"]).inputs[Role.RESET] == Wire(9, Level.LOW)


def test_an_agenda_goes_by_time_and_a_key_replaces() -> None:
    done: list[str] = []
    agenda = Agenda()
    agenda.at(2.0, lambda _: done.append("b"))
    agenda.at(1.0, lambda _: done.append("a"), "key")
    agenda.at(3.0, lambda _: done.append("c"), "key")
    agenda.at(4.0, lambda _: done.append("d"), "other")
    agenda.drop("other")
    while agenda.next_due() < 10:
        agenda.do()
    assert done == ["b", "c"]
