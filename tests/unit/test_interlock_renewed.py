"""What the chain forgets, what it keeps, and what it tells: ages, events, uses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fabctl.interlock import InputCondition, InputRole, OutputRole, Timings
from fabctl.interlock import InterlockState as State
from fabctl.permits import Permit, seal
from fabctl.units import Seconds
from fabctl_drivers.interlock.causes import Advice, Cause, FaultCode, PermitRefusal
from fabctl_drivers.interlock.table import Event
from fabctl_drivers.interlock.view import InputView
from tests.interlock_bench import BOOT, KEY, MACHINE, Bench


def seen(bench: Bench, role: InputRole) -> InputView:
    return next(one for one in bench.view.inputs if one.role is role)


# -- what a new self-test forgets ------------------------------------------------------------------


def test_a_lid_that_still_differs_has_200_ms_again() -> None:
    bench = Bench()
    bench.prove()
    bench.forced[InputRole.LID_B] = False
    bench.run(0.3)
    bench.chain.clear_fault(bench.now)
    bench.run(0.19)
    assert bench.is_in(State.SELFTEST)
    bench.run(0.03)
    assert bench.is_in(State.FAULT)


def test_a_press_under_way_is_forgotten() -> None:
    bench = Bench()
    bench.prove()
    bench.safe[InputRole.RESET] = False
    bench.run(2.5)
    bench.chain.failed(FaultCode.GPIO_READ, "once", bench.now)
    bench.chain.clear_fault(bench.now)
    bench.scan()
    assert bench.view.advice is Advice.RESET_PRESSED
    bench.run(1.0)
    assert bench.is_in(State.SELFTEST)


def test_what_was_counted_too_fast_is_forgotten() -> None:
    bench = Bench()
    bench.prove()
    bench.flow_hz = 1000.0
    bench.run(0.2)
    assert bench.is_in(State.FAULT)
    bench.flow_hz = 20.0
    bench.scan()
    bench.chain.clear_fault(bench.now)
    bench.prove()
    bench.run(3.0)
    assert seen(bench, InputRole.FLOW).condition is InputCondition.PASSED


def test_the_pins_opened_late_give_the_relays_their_whole_time() -> None:
    """As after kill -9: K1 is still held by the pulses of the run before."""
    bench = Bench()
    bench.ms += 10_000
    bench.welded = {OutputRole.K1}
    bench.chain.opened(bench.now)
    bench.run(0.25)
    bench.welded.clear()
    bench.prove()
    assert bench.is_in(State.LOCKED)


# -- what is not added up --------------------------------------------------------------------------


def test_flickers_do_not_add_up_to_an_open_lid() -> None:
    bench = Bench()
    bench.chain.opened(bench.now)
    bench.run(0.1)
    for _ in range(5):
        bench.lid(closed=False)
        bench.run(0.04)
        bench.lid(closed=True)
        bench.run(0.1)
    assert bench.view.advice is Advice.LID_NOT_SEEN_OPEN


def test_a_short_press_does_not_inherit_a_long_one() -> None:
    bench = Bench()
    bench.prove()
    bench.press(1.0)
    bench.permit()
    bench.run(0.1)
    bench.press(0.04)
    assert bench.is_in(State.READY)


def test_an_input_that_settles_late_keeps_the_self_test_waiting() -> None:
    bench = Bench([InputRole.ESTOP, InputRole.RESET])
    bench.chain.opened(bench.now)
    bench.run(0.03)
    bench.forced[InputRole.ESTOP] = False
    bench.scan()
    del bench.forced[InputRole.ESTOP]
    bench.run(0.04)
    assert (bench.state, bench.view.advice) == (State.SELFTEST, Advice.INPUTS_SETTLING)
    bench.run(0.03)
    assert bench.is_in(State.LOCKED)


def test_water_that_was_seen_gives_the_mask_back() -> None:
    bench = Bench()
    bench.flow_hz = 0.0
    bench.arm(60.0)
    bench.run(2.0)
    bench.flow_hz = 20.0
    bench.run(2.0)
    bench.drop_permit("ended")
    bench.run(1.0)
    bench.flow_hz = 0.0
    bench.run(60.0)
    bench.permit(60.0)
    bench.run(0.1)
    bench.press()
    bench.run(4.7)
    assert bench.is_in(State.ARMED)
    bench.run(0.5)
    assert bench.is_in(State.TRIPPED)


# -- what is kept ----------------------------------------------------------------------------------


def test_what_tripped_first_outlives_the_permit() -> None:
    bench = Bench()
    bench.arm(60.0)
    bench.lid(closed=False)
    bench.run(0.5)
    bench.lid(closed=True)
    bench.run(1.5)
    bench.drop_permit("ended")
    bench.run(0.1)
    assert (bench.state, bench.view.first_cause) == (State.LOCKED, Cause.LID_OPEN)


def test_the_idle_minutes_count_from_the_last_work() -> None:
    bench = Bench(timings=replace(Timings(), idle_armed_s=Seconds(20.0)))
    bench.start(60.0)
    bench.safe[InputRole.ACTIVE] = True
    bench.run(19.9)
    assert bench.is_in(State.ARMED)
    bench.run(0.3)
    assert bench.is_in(State.READY)  # by LOCKED, for the permit holds


# -- what it tells ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "age_s"), [(InputRole.LID_A, 1.99), (InputRole.FLOW, 1.0), (InputRole.KEY, 3.3)]
)
def test_the_age_of_a_condition(role: InputRole, age_s: float) -> None:
    bench = Bench()
    bench.ready(60.0)
    bench.lid(closed=False)
    bench.flow_hz = 0.0
    bench.run(2.0)
    assert seen(bench, role).age_s == pytest.approx(age_s, abs=0.06)


def test_the_age_of_a_relay_that_agrees() -> None:
    bench = Bench()
    bench.arm()
    bench.run(1.0)
    assert seen(bench, InputRole.K2_FEEDBACK).age_s == pytest.approx(0.96, abs=0.06)
    bench.forced[InputRole.K2_FEEDBACK] = True
    bench.run(0.05)
    assert seen(bench, InputRole.K2_FEEDBACK).age_s == pytest.approx(0.04, abs=0.011)


def test_the_age_of_a_button() -> None:
    bench = Bench()
    bench.prove()
    bench.safe[InputRole.RESET] = False
    bench.run(1.0)
    pressed = seen(bench, InputRole.RESET)
    assert (pressed.condition, pressed.say) == (InputCondition.PASSED, Advice.RESET_PRESSED)
    assert pressed.age_s == pytest.approx(0.99, abs=0.02)


def test_an_input_that_is_not_read_is_unknown() -> None:
    bench = Bench()
    bench.prove()
    bench.forced[InputRole.KEY] = None
    bench.scan()
    key = seen(bench, InputRole.KEY)
    assert (key.condition, key.say) == (InputCondition.UNKNOWN, FaultCode.INPUT_UNREAD)


def test_a_fault_is_on_record_with_its_code_and_use() -> None:
    bench = Bench()
    bench.arm()
    bench.chain.failed(FaultCode.GPIO_WRITE, "no such line", bench.now)
    last = bench.chain.events[-1]
    assert (last.event, last.was, last.state) == (Event.FAILED, State.ARMED, State.FAULT)
    assert (last.fault, last.why, last.use) == (FaultCode.GPIO_WRITE, "no such line", "u1")
    assert [one.fault for one in bench.chain.events[:-1]] == [None] * (len(bench.chain.events) - 1)


def test_a_dropped_permit_is_on_record_once() -> None:
    bench = Bench()
    bench.ready()
    bench.chain.take_events()
    for _ in range(3):
        bench.drop_permit("the use was ended")
    (dropped,) = bench.chain.take_events()
    assert (dropped.event, dropped.was, dropped.state) == (
        Event.PERMIT_ENDED, State.READY, State.READY,
    )  # fmt: skip
    assert (dropped.why, dropped.use) == ("dropped: the use was ended", "u1")


def test_each_event_names_the_use_it_belongs_to() -> None:
    bench = Bench()
    bench.arm()
    bench.permit(use="u2", person="p2")
    bench.run(0.1)
    locked, ready = bench.chain.events[-2:]
    assert (locked.state, locked.use) == (State.LOCKED, "u1")
    assert (ready.state, ready.use) == (State.READY, "u2")


# -- the key ---------------------------------------------------------------------------------------


def test_a_rotated_key_counts_for_permits_to_come_only() -> None:
    new = bytes(range(1, 33))
    bench = Bench()
    bench.arm()
    bench.chain.take_key(new)
    bench.run(0.1)
    assert bench.is_in(State.ARMED)
    permit = Permit(MACHINE, "p1", "u1", BOOT, 50, 10.0, bench.chain.challenge)
    old = bench.chain.take_permit(seal(KEY, permit), bench.now)
    assert old.code is PermitRefusal.WRONG_SIGNATURE
    assert bench.chain.take_permit(seal(new, permit), bench.now).accepted
