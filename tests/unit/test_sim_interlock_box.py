"""The simulated cabinet's physics, with time passed in: relays, monostable, machine, switches."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl_sim.interlock_box.agenda import Agenda
from fabctl_sim.interlock_box.layout import Level
from fabctl_sim.interlock_box.relay import DROP_OUT_S, PULL_IN_S, Monostable, Relay, RelayFault
from fabctl_sim.interlock_box.wiring import PROFILES, Role, Wire, wired
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
