"""Every fault of the list (interlock.md, "Faults to inject") at the chain, with its outcome.

What takes processes, signals or a disk is injected against the daemon (tests/servers).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from fabctl.interlock import InputCondition, InputRole, OutputRole, Timings
from fabctl.interlock import InterlockState as State
from fabctl.permits import Permit, seal
from fabctl.units import Seconds
from fabctl_drivers.interlock.causes import Advice, Cause, FaultCode, FaultRecord, PermitRefusal
from fabctl_drivers.interlock.table import Event
from fabctl_drivers.interlock.view import OFF
from tests.interlock_bench import BOOT, KEY, LASER, MACHINE, RELAY, Bench

SWITCHES = {
    InputRole.LID_A: Cause.LID_OPEN,
    InputRole.LID_B: Cause.LID_OPEN,
    InputRole.EXHAUST: Cause.EXHAUST_OFF,
    InputRole.ESTOP: Cause.ESTOP_OPEN,
    InputRole.KEY: Cause.KEY_OFF,
}


def fault_of(bench: Bench) -> FaultCode | None:
    fault = bench.view.fault
    return None if fault is None else fault.code


# -- the lid ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("stuck", [InputRole.LID_A, InputRole.LID_B])
def test_a_lid_channel_stuck_closed_trips_by_the_other_and_is_a_fault(stuck: InputRole) -> None:
    bench = Bench()
    bench.start()
    bench.forced[stuck] = True
    bench.lid(closed=False)
    bench.run(0.02)
    assert (bench.state, bench.outputs) == (State.TRIPPED, OFF)
    bench.run(0.22)
    assert (bench.state, fault_of(bench)) == (State.FAULT, FaultCode.LIDS_DIFFER)
    assert bench.view.first_cause is Cause.LID_OPEN


def test_a_lid_channel_stuck_closed_at_boot_does_not_pass_the_self_test() -> None:
    bench = Bench()
    bench.forced[InputRole.LID_B] = True
    bench.chain.opened(bench.now)
    bench.run(0.1)
    bench.lid(closed=False)
    bench.run(0.3)
    assert (bench.state, fault_of(bench)) == (State.FAULT, FaultCode.LIDS_DIFFER)


@pytest.mark.parametrize(("differ_ms", "state"), [(150, State.TRIPPED), (250, State.FAULT)])
@pytest.mark.parametrize("closing", [True, False])
def test_channels_that_differ(differ_ms: int, state: State, closing: bool) -> None:
    bench = Bench()
    bench.arm()
    bench.lid(closed=not closing)
    bench.run(0.5 if closing else 0.0)
    bench.safe[InputRole.LID_A] = closing
    bench.run(differ_ms / 1000)
    bench.safe[InputRole.LID_B] = closing
    bench.run(0.3)
    assert bench.state is state


def test_a_glitch_of_5_ms_is_one_scan_at_most_and_nothing() -> None:
    bench = Bench()
    bench.start(60.0)
    for role in SWITCHES:
        bench.forced[role] = False
        assert bench.scan().k2
        del bench.forced[role]
        bench.run(0.1)
    assert bench.is_in(State.RUNNING)
    assert bench.view.trips == 0


@pytest.mark.parametrize("apart_scans", [1, 2, 3, 4])
@pytest.mark.parametrize("roles", [(InputRole.LID_A,), (InputRole.LID_A, InputRole.LID_B)])
def test_50_edges_of_chatter_are_one_trip_and_no_arming(
    roles: tuple[InputRole, ...], apart_scans: int
) -> None:
    bench = Bench()
    bench.arm(60.0)
    bench.chain.take_events()
    for _ in range(50):
        for role in roles:
            bench.safe[role] = not bench.safe[role]
        bench.run(apart_scans * 0.01)
    assert (bench.state, bench.view.trips) == (State.TRIPPED, 1)
    bench.run(2.0)
    assert (bench.state, bench.view.trips) == (State.READY, 1)
    assert [one.event for one in bench.chain.take_events()] == [
        Event.UNSAFE,
        Event.CLEAR_PERMITTED,
    ]


def test_a_lid_never_opened_since_boot_waits_and_says_so() -> None:
    bench = Bench()
    bench.chain.opened(bench.now)
    bench.permit(60.0)
    bench.run(30.0)
    bench.press()
    assert (bench.state, bench.view.advice) == (State.SELFTEST, Advice.LID_NOT_SEEN_OPEN)
    bench.lid(closed=False)
    bench.run(0.1)
    assert (bench.state, bench.view.advice) == (State.SELFTEST, Advice.LID_NOT_CLOSED)
    bench.lid(closed=True)
    bench.run(0.1)
    assert bench.is_in(State.READY)


def test_a_lid_that_only_flickered_was_not_opened() -> None:
    bench = Bench()
    bench.chain.opened(bench.now)
    bench.run(0.1)
    bench.lid(closed=False)
    bench.run(0.03)
    bench.lid(closed=True)
    bench.run(1.0)
    assert (bench.state, bench.view.advice) == (State.SELFTEST, Advice.LID_NOT_SEEN_OPEN)


def test_a_door_of_one_channel_and_no_door() -> None:
    door = Bench([InputRole.LID_A, InputRole.ESTOP, InputRole.RESET, InputRole.K1_FEEDBACK])
    door.chain.opened(door.now)
    door.run(1.0)
    assert door.view.advice is Advice.LID_NOT_SEEN_OPEN
    door.safe[InputRole.LID_A] = False
    door.run(0.5)
    door.safe[InputRole.LID_A] = True
    door.run(0.2)
    assert door.is_in(State.LOCKED)
    none = Bench(RELAY)
    none.chain.opened(none.now)
    none.run(0.1)
    assert none.is_in(State.LOCKED)


# -- broken wires ----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", SWITCHES)
def test_a_broken_wire_reads_unsafe(role: InputRole) -> None:
    bench = Bench()
    bench.start(60.0)
    bench.forced[role] = False
    late = bench.profile.timings.exhaust_s if role is InputRole.EXHAUST else 0.0
    bench.run(late + 0.02)
    assert (bench.outputs, bench.view.first_cause) == (OFF, SWITCHES[role])
    bench.run(10.0)
    assert bench.state in {State.TRIPPED, State.FAULT}


@pytest.mark.parametrize("role", LASER)
def test_an_input_that_cannot_be_read_is_a_fault_at_the_second_scan(role: InputRole) -> None:
    bench = Bench()
    bench.start()
    if role is InputRole.FLOW:
        bench.flow_unread = True
    else:
        bench.forced[role] = None
    bench.scan()
    assert not bench.outputs.pulse
    unknown = {one.role for one in bench.view.inputs if one.condition is InputCondition.UNKNOWN}
    assert role in unknown
    assert bench.scan() == OFF
    assert (bench.state, fault_of(bench)) == (State.FAULT, FaultCode.INPUT_UNREAD)


def test_an_input_that_cannot_be_read_never_passes_the_self_test() -> None:
    bench = Bench()
    bench.forced[InputRole.KEY] = None
    bench.chain.opened(bench.now)
    bench.run(0.05)
    assert (bench.state, fault_of(bench)) == (State.FAULT, FaultCode.INPUT_UNREAD)


def test_a_count_below_nothing_is_no_reading() -> None:
    bench = Bench()
    bench.start()
    for _ in range(2):
        bench.ms += 10
        reading = replace(bench.reading(10), flow_pulses=-3)
        outputs = bench.chain.step(reading, bench.now)
    assert (outputs, fault_of(bench)) == (OFF, FaultCode.INPUT_UNREAD)


# -- water and air ---------------------------------------------------------------------------------


def test_water_that_stops_trips_after_1_s() -> None:
    bench = Bench()
    bench.start(60.0)
    bench.flow_hz = 0.0
    scans = bench.scans_until(State.TRIPPED)
    assert 95 <= scans <= 107
    assert bench.view.cause is Cause.FLOW_STOPPED
    bench.run(60.0)
    assert bench.is_in(State.TRIPPED)


def test_a_flow_input_frozen_high_or_low_has_no_pulses() -> None:
    """It never trips before work, and no second arming without water follows the first."""
    bench = Bench()
    bench.flow_hz = 0.0
    bench.arm(60.0)
    scans = bench.scans_until(State.TRIPPED)
    assert 490 <= scans <= 502
    assert bench.view.cause is Cause.FLOW_STOPPED
    for _ in range(3):
        bench.permit(60.0)
        bench.run(20.0)
        bench.press()
    assert (bench.state, bench.view.trips) == (State.TRIPPED, 1)


def test_a_flow_input_that_is_impossibly_fast_is_a_fault() -> None:
    bench = Bench()
    bench.start(60.0)
    bench.flow_hz = 50.0  # the most that a scan every 10 ms can see
    bench.scans_until(State.FAULT, 2.1)
    assert fault_of(bench) is FaultCode.FLOW_TOO_FAST


def test_a_burst_is_a_fault_at_once() -> None:
    bench = Bench()
    bench.start(60.0)
    bench.flow_hz = 20_000.0
    bench.scan()
    assert fault_of(bench) is FaultCode.FLOW_TOO_FAST


def test_the_exhaust_lost_in_a_job_trips_after_3_s() -> None:
    bench = Bench()
    bench.start(60.0)
    bench.safe[InputRole.EXHAUST] = False
    scans = bench.scans_until(State.TRIPPED)
    assert 300 <= scans <= 303
    assert bench.view.cause is Cause.EXHAUST_OFF


# -- emergency stop and reset ----------------------------------------------------------------------


def test_an_emergency_stop_that_closes_again_arms_nothing() -> None:
    bench = Bench()
    bench.start(60.0)
    bench.safe[InputRole.ESTOP] = False
    bench.run(0.5)
    bench.safe[InputRole.ESTOP] = True
    bench.run(0.9)
    assert bench.is_in(State.TRIPPED)
    bench.run(0.2)
    assert bench.is_in(State.READY)
    bench.run(5.0)
    assert (bench.state, bench.outputs) == (State.READY, OFF)


def test_a_reset_stuck_from_boot_waits_and_then_is_a_fault() -> None:
    bench = Bench()
    bench.safe[InputRole.RESET] = False
    bench.chain.opened(bench.now)
    bench.lid(closed=False)
    bench.run(0.2)
    bench.lid(closed=True)
    bench.run(2.5)
    assert (bench.state, bench.view.advice) == (State.SELFTEST, Advice.RESET_PRESSED)
    bench.run(0.5)
    assert (bench.state, fault_of(bench)) == (State.FAULT, FaultCode.RESET_STUCK)
    bench.chain.clear_fault(bench.now)
    bench.run(2.5)
    assert (bench.state, bench.view.advice) == (State.SELFTEST, Advice.RESET_PRESSED)
    bench.run(1.0)
    assert bench.is_in(State.FAULT)


@pytest.mark.parametrize("role", SWITCHES)
def test_reset_pressed_while_unsafe_then_safe_arms_nothing(role: InputRole) -> None:
    bench = Bench(timings=replace(Timings(), lid_discrepancy_s=Seconds(10.0)))
    bench.ready(60.0)
    bench.safe[role] = False
    bench.run(0.1)
    bench.safe[InputRole.RESET] = False
    bench.run(0.2)
    bench.safe[role] = True
    bench.run(2.0)
    bench.safe[InputRole.RESET] = True
    bench.run(5.0)
    assert (bench.state, bench.outputs) == (State.READY, OFF)


def test_an_input_unsafe_in_the_middle_of_a_press_spoils_it() -> None:
    """For one scan only, so that nothing trips."""
    bench = Bench()
    bench.ready()
    bench.safe[InputRole.RESET] = False
    bench.run(0.2)
    bench.forced[InputRole.LID_A] = False
    bench.scan()
    del bench.forced[InputRole.LID_A]
    bench.run(0.2)
    bench.safe[InputRole.RESET] = True
    bench.run(0.2)
    assert (bench.state, bench.view.trips) == (State.READY, 0)


# -- relays ----------------------------------------------------------------------------------------

WELDED = {OutputRole.K1: FaultCode.K1_WELDED, OutputRole.K2: FaultCode.K2_WELDED}
DEAD = {OutputRole.K1: FaultCode.K1_NO_PULL_IN, OutputRole.K2: FaultCode.K2_NO_PULL_IN}


@pytest.mark.parametrize("relay", WELDED)
def test_a_relay_welded_at_boot_does_not_pass_the_self_test(relay: OutputRole) -> None:
    bench = Bench()
    bench.welded.add(relay)
    bench.chain.opened(bench.now)
    bench.scans_until(State.FAULT, 0.4)
    assert fault_of(bench) is WELDED[relay]
    bench.chain.clear_fault(bench.now)
    bench.scans_until(State.FAULT, 0.4)


@pytest.mark.parametrize("relay", WELDED)
@pytest.mark.parametrize("how", ["lid", "permit"])
def test_a_relay_that_welds_is_found_at_the_next_release(relay: OutputRole, how: str) -> None:
    bench = Bench()
    bench.arm()
    bench.welded.add(relay)
    bench.run(0.5)
    assert bench.is_in(State.ARMED)
    if how == "lid":
        bench.lid(closed=False)
    else:
        bench.drop_permit("ended")
    bench.scans_until(State.FAULT, 0.4)
    assert fault_of(bench) is WELDED[relay]


@pytest.mark.parametrize("relay", DEAD)
def test_a_relay_that_fails_to_pull_in_is_a_fault_within_120_ms(relay: OutputRole) -> None:
    bench = Bench()
    bench.coils_dead.add(relay)
    bench.arm()
    assert bench.scans_until(State.FAULT, 0.2) <= 12
    assert (bench.outputs, fault_of(bench)) == (OFF, DEAD[relay])


@pytest.mark.parametrize("relay", DEAD)
def test_a_relay_that_lets_go_in_a_job_is_a_fault(relay: OutputRole) -> None:
    bench = Bench()
    bench.start()
    bench.run(1.0)
    bench.coils_dead.add(relay)
    bench.scans_until(State.FAULT, 0.4)
    assert fault_of(bench) is DEAD[relay]


def test_a_feedback_contact_that_chatters_is_a_fault() -> None:
    bench = Bench()
    bench.start()
    bench.run(1.0)
    for scan in range(20):
        bench.forced[InputRole.K1_FEEDBACK] = scan % 2 == 0
        bench.scan()
    assert fault_of(bench) is FaultCode.K1_NO_PULL_IN


# -- pins, scans, time -----------------------------------------------------------------------------


@pytest.mark.parametrize("code", [FaultCode.GPIO_READ, FaultCode.GPIO_WRITE, FaultCode.GPIO_OPEN])
def test_a_chip_that_raises_or_vanishes_is_a_fault_and_the_first_is_kept(code: FaultCode) -> None:
    bench = Bench()
    bench.start()
    bench.chain.failed(code, "No such device", bench.now)
    bench.chain.failed(FaultCode.INTERNAL, "a later one", bench.now)
    assert bench.view.fault == FaultRecord(code, "No such device")
    assert bench.scan() == OFF
    assert sum(one.event is Event.FAILED for one in bench.chain.events) == 1


@pytest.mark.parametrize("stall_ms", [110, 300, 5000, 86_400_000])
@pytest.mark.parametrize("how", ["arm", "start", "ready"])
def test_a_stalled_scan_trips_and_the_next_arming_takes_a_person(stall_ms: int, how: str) -> None:
    bench = Bench()
    getattr(bench, how)(60.0)
    assert bench.scan(stall_ms) == OFF
    assert (bench.state, bench.view.cause) == (State.TRIPPED, Cause.SCAN_STALLED)
    bench.permit(60.0)
    bench.run(3.0)
    assert (bench.state, bench.outputs) == (State.READY, OFF)


def test_stalls_that_go_on_never_come_out_of_tripped() -> None:
    bench = Bench()
    bench.arm(60.0)
    for _ in range(40):
        bench.permit(60.0)
        bench.scan(300)
    assert (bench.state, bench.view.trips) == (State.TRIPPED, 1)


def test_a_stall_right_after_arming_is_no_fault_of_a_relay() -> None:
    bench = Bench()
    bench.arm()
    bench.scan(300)
    bench.run(0.5)
    assert bench.is_in(State.TRIPPED)


def test_a_fault_beats_a_trip_and_a_trip_beats_the_reset() -> None:
    bench = Bench()
    bench.ready()
    bench.safe[InputRole.RESET] = False
    bench.run(0.3)
    bench.safe[InputRole.RESET] = True
    bench.run(0.04)
    bench.safe[InputRole.ESTOP] = False
    bench.run(0.05)
    assert bench.is_in(State.TRIPPED)
    assert Event.RESET not in {one.event for one in bench.chain.events}
    bench.safe[InputRole.KEY] = False
    bench.forced[InputRole.LID_A] = None
    bench.run(0.02)
    assert (bench.state, fault_of(bench)) == (State.FAULT, FaultCode.INPUT_UNREAD)


# -- faults that are remembered --------------------------------------------------------------------


def test_a_restart_remembers_the_fault_until_a_supervisor_clears_it() -> None:
    fault = FaultRecord(FaultCode.LIDS_DIFFER, "lid_a and lid_b", Cause.LID_OPEN)
    bench = Bench(remembered=fault)
    assert bench.is_in(State.BOOT)
    bench.chain.opened(bench.now)
    bench.permit(60.0)
    bench.run(5.0)
    bench.press()
    assert (bench.state, bench.view.fault) == (State.FAULT, fault)
    assert bench.view.first_cause is Cause.LID_OPEN
    bench.chain.clear_fault(bench.now)
    assert (bench.state, bench.view.fault) == (State.SELFTEST, None)
    bench.run(1.0)
    assert bench.view.advice is Advice.LID_NOT_SEEN_OPEN


def test_pins_that_do_not_open_leave_the_remembered_fault_in_place() -> None:
    fault = FaultRecord(FaultCode.K1_WELDED, "k1_feedback")
    bench = Bench(remembered=fault)
    bench.chain.failed(FaultCode.GPIO_OPEN, "no /dev/gpiochip0", bench.now)
    assert (bench.state, bench.view.fault) == (State.FAULT, fault)


def test_a_cleared_fault_asks_for_the_lid_again() -> None:
    bench = Bench()
    bench.start()
    bench.chain.failed(FaultCode.GPIO_READ, "once", bench.now)
    bench.safe[InputRole.ACTIVE] = True
    bench.run(1.0)
    bench.chain.clear_fault(bench.now)
    bench.run(1.0)
    assert (bench.state, bench.view.advice) == (State.SELFTEST, Advice.LID_NOT_SEEN_OPEN)
    bench.prove()


# -- permits ---------------------------------------------------------------------------------------


def test_a_permit_expires_in_ready_and_in_running() -> None:
    ready, running = Bench(), Bench()
    ready.ready(5.0)
    running.start(5.0)
    for bench in (ready, running):
        bench.run(5.0)
    assert (ready.state, running.state) == (State.LOCKED, State.DRAIN)


def test_replayed_foreign_and_malformed_permits_move_nothing() -> None:
    bench = Bench()
    bench.prove()
    good = Permit(MACHINE, "p1", "u1", BOOT, 1, 5.0, bench.chain.challenge)
    assert bench.chain.take_permit(seal(KEY, good), bench.now).accepted
    bench.run(6.0)
    bad = [
        (seal(KEY, good), PermitRefusal.REPLAYED),
        (seal(KEY, replace(good, serial=2, machine="mill")), PermitRefusal.OTHER_MACHINE),
        (seal(KEY, replace(good, serial=2, boot="boot-0")), PermitRefusal.OTHER_BOOT),
        (seal(bytes(32), replace(good, serial=2)), PermitRefusal.WRONG_SIGNATURE),
        (b"\xff{}", PermitRefusal.MALFORMED),
        (b"x" * 5000, PermitRefusal.MALFORMED),
    ]
    for message, code in bad:
        assert bench.chain.take_permit(message, bench.now).code is code
        bench.scan()
        assert bench.is_in(State.LOCKED)
    assert bench.view.permits_refused == {
        PermitRefusal.REPLAYED: 1, PermitRefusal.OTHER_MACHINE: 1, PermitRefusal.OTHER_BOOT: 1,
        PermitRefusal.WRONG_SIGNATURE: 1, PermitRefusal.MALFORMED: 2,
    }  # fmt: skip


def test_a_permit_that_was_held_back_is_refused_although_nobody_has_seen_it() -> None:
    bench = Bench()
    bench.prove()
    held_back = Permit(MACHINE, "p1", "u1", BOOT, 9, 10.0, bench.chain.challenge)
    bench.run(6.1)
    answer = bench.chain.take_permit(seal(KEY, held_back), bench.now)
    assert answer.code is PermitRefusal.EXPIRED


def test_a_steward_that_is_gone_drains_the_job_and_arms_nothing_new() -> None:
    bench = Bench()
    bench.start(10.0)
    bench.run(10.0)
    assert bench.is_in(State.DRAIN)
    bench.safe[InputRole.ACTIVE] = True
    bench.run(5.2)
    bench.press()
    assert (bench.state, bench.view.advice) == (State.LOCKED, Advice.NO_PERMIT)


# -- exhaust that flaps ----------------------------------------------------------------------------


@pytest.mark.parametrize(("off_s", "on_s"), [(2.9, 0.07), (2.9, 2.9), (0.1, 0.1), (0.02, 0.06)])
def test_an_exhaust_that_flaps_trips_after_3_s_in_all(off_s: float, on_s: float) -> None:
    bench = Bench()
    bench.arm(600.0)
    off_for = 0.0
    while bench.is_in(State.ARMED) and off_for < 60.0:
        bench.safe[InputRole.EXHAUST] = False
        bench.run(off_s)
        off_for += off_s
        bench.safe[InputRole.EXHAUST] = True
        bench.run(on_s)
    assert (bench.view.trips, bench.view.first_cause) == (1, Cause.EXHAUST_OFF)
    assert off_for <= 3.0 + 2 * off_s


def test_an_exhaust_that_was_on_for_3_s_gets_its_3_s_again() -> None:
    bench = Bench()
    bench.arm(600.0)
    for _ in range(10):
        bench.safe[InputRole.EXHAUST] = False
        bench.run(2.9)
        bench.safe[InputRole.EXHAUST] = True
        bench.run(3.1)
    assert bench.is_in(State.ARMED)
