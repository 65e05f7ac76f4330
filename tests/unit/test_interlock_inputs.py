"""The inputs of an interlock, by their roles: each time with both edges."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fabctl.interlock import InputCondition, InputRole, Timings
from fabctl.interlock import InterlockState as State
from fabctl.units import Seconds
from fabctl_drivers.interlock.causes import Advice, Cause, FaultCode, FaultRecord
from fabctl_drivers.interlock.table import Event
from fabctl_drivers.interlock.view import OFF
from tests.interlock_bench import Bench

# -- inputs ----------------------------------------------------------------------------------------


def test_unsafe_counts_at_the_second_scan_and_not_at_the_first() -> None:
    bench = Bench()
    bench.arm()
    bench.safe[InputRole.KEY] = False
    assert bench.scan().k2
    assert bench.scan() == OFF
    assert bench.view.cause is Cause.KEY_OFF


@pytest.mark.parametrize(("gap_ms", "trips"), [(29, False), (31, True), (95, True)])
def test_after_a_late_scan_one_unsafe_scan_is_enough(gap_ms: int, trips: bool) -> None:
    bench = Bench()
    bench.arm()
    bench.safe[InputRole.ESTOP] = False
    bench.scan(gap_ms)
    assert (bench.view.cause is Cause.ESTOP_OPEN) is trips
    assert bench.outputs.k2 is not trips


@pytest.mark.parametrize(("clean_scans", "trips"), [(1, True), (4, True), (7, False)])
def test_a_second_glitch_trips_unless_the_input_was_safe_for_50_ms(
    clean_scans: int, trips: bool
) -> None:
    bench = Bench()
    bench.arm()
    for _ in range(2):
        bench.safe[InputRole.ESTOP] = False
        bench.scan()
        bench.safe[InputRole.ESTOP] = True
        bench.run(clean_scans * 0.01)
    assert (bench.state is State.TRIPPED) is trips


@pytest.mark.parametrize(("safe_s", "passed"), [(0.04, False), (0.07, True)])
def test_safe_counts_after_50_ms(safe_s: float, passed: bool) -> None:
    bench = Bench()
    bench.prove()
    bench.safe[InputRole.ESTOP] = False
    bench.run(0.1)
    bench.safe[InputRole.ESTOP] = True
    bench.run(safe_s)
    conditions = {one.role: one.condition for one in bench.view.inputs}
    assert (conditions[InputRole.ESTOP] is InputCondition.PASSED) is passed


@pytest.mark.parametrize(("differ_s", "state"), [(0.15, State.TRIPPED), (0.25, State.FAULT)])
def test_lid_channels_may_differ_for_200_ms(differ_s: float, state: State) -> None:
    bench = Bench()
    bench.arm()
    bench.safe[InputRole.LID_A] = False
    bench.run(differ_s)
    bench.safe[InputRole.LID_B] = False
    bench.run(0.5)
    assert (bench.state, bench.view.first_cause) == (state, Cause.LID_OPEN)


@pytest.mark.parametrize(("off_s", "trips"), [(2.9, False), (3.1, True)])
def test_the_exhaust_may_be_off_for_3_s(off_s: float, trips: bool) -> None:
    bench = Bench()
    bench.arm(60.0)
    bench.safe[InputRole.EXHAUST] = False
    bench.run(off_s)
    bench.safe[InputRole.EXHAUST] = True
    bench.run(0.5)
    assert (bench.state is State.TRIPPED) is trips


def test_the_exhaust_has_no_grace_before_arming() -> None:
    bench = Bench()
    bench.ready()
    bench.safe[InputRole.EXHAUST] = False
    bench.run(0.1)
    bench.press()
    assert bench.is_in(State.READY)


# -- water -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gap_s", "trips"), [(0.9, False), (1.15, True)])
def test_water_may_pause_for_1_s(gap_s: float, trips: bool) -> None:
    bench = Bench()
    bench.arm(60.0)
    bench.flow_hz = 0.0
    bench.run(gap_s)
    bench.flow_hz = 20.0
    bench.run(1.0)
    assert (bench.state is State.TRIPPED) is trips
    assert (bench.view.cause is Cause.FLOW_STOPPED) is trips


@pytest.mark.parametrize(("hertz", "low_s", "trips"), [(3.0, 1.0, False), (3.0, 2.2, True)])
def test_water_may_be_slow_for_2_s(hertz: float, low_s: float, trips: bool) -> None:
    bench = Bench()
    bench.arm(60.0)
    bench.flow_hz = hertz
    bench.run(low_s)
    bench.flow_hz = 20.0
    bench.run(1.0)
    assert (bench.state is State.TRIPPED) is trips
    assert (bench.view.cause is Cause.FLOW_LOW) is trips


@pytest.mark.parametrize(("hertz", "trips"), [(5.6, False), (4.4, True)])
def test_the_least_water(hertz: float, trips: bool) -> None:
    bench = Bench()
    bench.arm(60.0)
    bench.flow_hz = hertz
    bench.run(20.0)
    assert (bench.state is State.TRIPPED) is trips


@pytest.mark.parametrize(("hertz", "faulty"), [(39.0, False), (42.0, True)])
def test_the_most_water(hertz: float, faulty: bool) -> None:
    bench = Bench()
    bench.prove()
    bench.flow_hz = hertz
    bench.run(5.0)
    assert (bench.state is State.FAULT) is faulty


@pytest.mark.parametrize(("starts_s", "trips"), [(4.2, False), (5.2, True)])
def test_the_pump_may_start_5_s_after_arming(starts_s: float, trips: bool) -> None:
    bench = Bench()
    bench.flow_hz = 0.0
    bench.arm(60.0)
    bench.run(starts_s)
    bench.flow_hz = 20.0
    bench.run(2.0)
    assert bench.view.trips == trips


def test_the_mask_is_given_once() -> None:
    bench = Bench()
    bench.flow_hz = 0.0
    bench.ready(60.0)
    assert bench.view.advice is Advice.FLOW_AWAITED
    bench.press()
    bench.run(1.0)
    bench.lid(closed=False)
    bench.run(0.1)
    bench.lid(closed=True)
    bench.run(10.0)
    assert (bench.state, bench.view.cause) == (State.TRIPPED, Cause.FLOW_STOPPED)
    bench.flow_hz = 20.0
    bench.scans_until(State.READY, 3.0)


def test_water_seen_before_arming_leaves_no_mask() -> None:
    bench = Bench()
    bench.arm(60.0)
    bench.flow_hz = 0.0
    bench.run(1.2)
    assert (bench.state, bench.view.cause) == (State.TRIPPED, Cause.FLOW_STOPPED)


def test_a_pump_that_is_off_trips_nobody_who_does_not_work() -> None:
    bench = Bench()
    bench.prove()
    bench.flow_hz = 0.0
    bench.run(20.0)
    assert bench.is_in(State.LOCKED)


# -- relays ----------------------------------------------------------------------------------------


def test_k1_may_take_300_ms_to_let_go_and_is_tested_at_every_release() -> None:
    bench = Bench()
    bench.arm()
    bench.drop_permit("ended")
    bench.run(0.02)
    relay = {one.role: one for one in bench.view.inputs}[InputRole.K1_FEEDBACK]
    assert (relay.condition, relay.say) == (InputCondition.UNKNOWN, Advice.RELAYS_SETTLING)
    bench.run(0.35)
    assert bench.is_in(State.LOCKED)
    relay = {one.role: one for one in bench.view.inputs}[InputRole.K1_FEEDBACK]
    assert relay.condition is InputCondition.PASSED


def test_nothing_is_armed_before_the_relays_were_found_released() -> None:
    bench = Bench(timings=replace(Timings(), feedback_s=Seconds(0.5)))
    bench.arm()
    bench.drop_permit("ended")
    bench.scan()
    bench.forced[InputRole.K2_FEEDBACK] = False
    bench.permit(use="u2")
    bench.scan()
    assert bench.is_in(State.READY)
    bench.press(0.15)
    assert (bench.state, bench.view.advice) == (State.READY, Advice.RELAYS_SETTLING)


# -- reset -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("held_s", "arms"), [(0.08, False), (0.12, True), (2.95, True)])
def test_reset_is_held_for_100_ms_to_3_s(held_s: float, arms: bool) -> None:
    bench = Bench()
    bench.ready(60.0)
    bench.press(held_s)
    assert (bench.state is State.ARMED) is arms


def test_reset_acts_at_its_release() -> None:
    bench = Bench()
    bench.ready()
    bench.safe[InputRole.RESET] = False
    bench.run(1.0)
    assert bench.is_in(State.READY)
    bench.safe[InputRole.RESET] = True
    bench.run(0.1)
    assert bench.is_in(State.ARMED)


def test_reset_held_for_longer_than_3_s_is_a_fault() -> None:
    bench = Bench()
    bench.ready(60.0)
    bench.safe[InputRole.RESET] = False
    bench.run(3.05)
    assert bench.is_in(State.FAULT)
    assert bench.view.fault == FaultRecord(
        FaultCode.RESET_STUCK, "the reset button was held for too long"
    )


def test_a_button_that_bounces_is_pressed_once() -> None:
    bench = Bench()
    bench.ready()
    for pressed in (True, False, True, False, *[True] * 20, False, True, False):
        bench.safe[InputRole.RESET] = not pressed
        bench.scan()
    bench.run(0.1)
    assert bench.is_in(State.ARMED)
    assert sum(one.event is Event.RESET for one in bench.chain.events) == 1


def test_a_button_that_chatters_is_never_pressed() -> None:
    bench = Bench()
    bench.ready()
    for _ in range(40):
        bench.safe[InputRole.RESET] = not bench.safe[InputRole.RESET]
        bench.run(0.03)
    bench.run(0.1)
    assert bench.is_in(State.READY)


def test_a_press_that_began_before_ready_is_void() -> None:
    bench = Bench()
    bench.prove()
    bench.safe[InputRole.RESET] = False
    bench.run(0.2)
    bench.permit()
    bench.run(0.3)
    bench.safe[InputRole.RESET] = True
    bench.run(0.2)
    assert bench.is_in(State.READY)
    bench.press()
    assert bench.is_in(State.ARMED)


def test_a_press_is_for_one_use_only() -> None:
    bench = Bench()
    bench.ready()
    bench.safe[InputRole.RESET] = False
    bench.run(0.2)
    bench.permit(use="u2", person="p2")
    bench.run(0.3)
    bench.safe[InputRole.RESET] = True
    bench.run(0.2)
    assert bench.is_in(State.READY)


def test_a_reset_does_not_set_a_machine_to_work() -> None:
    bench = Bench()
    bench.ready()
    bench.safe[InputRole.ACTIVE] = False
    bench.run(0.1)
    bench.press()
    assert (bench.state, bench.view.advice) == (State.READY, Advice.MACHINE_ACTIVE)
