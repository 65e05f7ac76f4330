"""The chain: each row of its table, trips, and time itself."""

from __future__ import annotations

import pytest

from fabctl.errors import InputError, LocalError
from fabctl.interlock import InputCondition, InputRole
from fabctl.interlock import InterlockState as State
from fabctl_drivers.interlock import table
from fabctl_drivers.interlock.causes import Advice, Cause, FaultCode
from fabctl_drivers.interlock.chain import STALL_S, Chain
from fabctl_drivers.interlock.table import NEXT, OUTPUTS_ON, Event, next_state
from fabctl_drivers.interlock.view import OFF
from tests.interlock_bench import BOOT, KEY, RELAY, START_S, Bench, bench_in, profile

# -- the table -------------------------------------------------------------------------------------


def test_the_table_is_whole() -> None:
    assert set(NEXT) == {(state, event) for state in State for event in Event}


def test_no_pair_stands_in_the_table_twice() -> None:
    stays = {(state, event) for event, states in table._STAYS.items() for state in states}
    assert stays.isdisjoint(table._MOVES)
    assert all(NEXT[state, event] is state for state, event in stays)


def test_a_hole_in_the_table_is_our_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    holed = {pair: after for pair, after in NEXT.items() if pair != (State.READY, Event.RESET)}
    monkeypatch.setattr(table, "NEXT", holed)
    with pytest.raises(LocalError, match="RESET has no row for the state ready"):
        next_state(State.READY, Event.RESET)


@pytest.mark.parametrize("state", State)
def test_a_failed_diagnostic_is_a_fault_from_anywhere(state: State) -> None:
    assert NEXT[state, Event.FAILED] is State.FAULT


def test_an_unsafe_input_trips_wherever_the_self_test_is_behind() -> None:
    trips = {state for state in State if NEXT[state, Event.UNSAFE] is State.TRIPPED}
    assert trips == set(State) - {State.BOOT, State.SELFTEST, State.FAULT}


def test_only_reset_in_ready_switches_on() -> None:
    ways = {
        (state, event)
        for (state, event), after in NEXT.items()
        if after in OUTPUTS_ON and state not in OUTPUTS_ON
    }
    assert ways == {(State.READY, Event.RESET)}


def test_out_of_fault_leads_only_a_supervisor() -> None:
    ways = {event for event in Event if NEXT[State.FAULT, event] is not State.FAULT}
    assert ways == {Event.CLEARED}
    assert NEXT[State.FAULT, Event.CLEARED] is State.SELFTEST


def test_out_of_tripped_nothing_leads_to_on() -> None:
    after = {NEXT[State.TRIPPED, event] for event in Event}
    assert after == {State.TRIPPED, State.FAULT, State.READY, State.LOCKED}


def test_what_takes_away_stands_before_what_gives() -> None:
    order = list(Event)
    gives = [Event.PROVED, Event.CLEAR, Event.CLEAR_PERMITTED, Event.RESET, Event.PERMIT_FRESH]
    takes = [Event.FAILED, Event.UNSAFE, Event.PERMIT_ENDED, Event.OVERRUN, Event.LEFT_ALONE]
    assert max(order.index(one) for one in takes) < min(order.index(one) for one in gives)
    assert order[:2] == [Event.FAILED, Event.UNSAFE]


# -- each state, with all that may happen ----------------------------------------------------------


@pytest.mark.parametrize("state", State)
def test_outputs_are_on_in_three_states_only(state: State) -> None:
    bench = bench_in(state)
    outputs = bench.scan()
    assert (outputs.k2, outputs.pulse) == (state in OUTPUTS_ON,) * 2
    assert bench.view.outputs_on is (state in OUTPUTS_ON)


@pytest.mark.parametrize("state", State)
def test_each_state_can_fail(state: State) -> None:
    bench = bench_in(state)
    bench.chain.failed(FaultCode.GPIO_WRITE, "no such line", bench.now)
    assert bench.is_in(State.FAULT)
    assert bench.scan() == OFF


@pytest.mark.parametrize("state", [s for s in State if NEXT[s, Event.UNSAFE] is State.TRIPPED])
def test_each_proved_state_trips_within_two_scans(state: State) -> None:
    bench = bench_in(state)
    bench.safe[InputRole.ESTOP] = False
    bench.run(0.02)
    assert (bench.state, bench.view.cause) == (State.TRIPPED, Cause.ESTOP_OPEN)
    assert bench.outputs == OFF


@pytest.mark.parametrize("state", [s for s in State if s is not State.FAULT])
def test_clearing_a_fault_is_nothing_elsewhere(state: State) -> None:
    bench = bench_in(state)
    bench.chain.clear_fault(bench.now)
    assert bench.state is state


@pytest.mark.parametrize("state", [s for s in State if s is not State.BOOT])
def test_opening_is_nothing_elsewhere(state: State) -> None:
    bench = bench_in(state)
    bench.chain.opened(bench.now)
    assert bench.state is state


@pytest.mark.parametrize("state", [s for s in State if s is not State.READY])
def test_reset_is_nothing_elsewhere(state: State) -> None:
    bench = bench_in(state)
    was_on = bench.scan().k2
    bench.chain.take_events()
    bench.press()
    assert bench.outputs.k2 is was_on
    assert Event.RESET not in {one.event for one in bench.chain.events}


def test_boot_does_nothing_until_opened() -> None:
    bench = Bench()
    bench.permit()
    bench.press()
    bench.run(1.0)
    assert (bench.state, bench.view.advice) == (State.BOOT, Advice.STARTING)
    assert {one.condition for one in bench.view.inputs} == {InputCondition.UNKNOWN}


def test_the_way_of_a_use() -> None:
    bench = Bench()
    bench.start()
    bench.safe[InputRole.ACTIVE] = True
    bench.permit(60.0)
    bench.scans_until(State.ARMED)
    bench.drop_permit("the use was ended")
    bench.scans_until(State.LOCKED)
    assert [one.state for one in bench.chain.take_events() if one.state is not one.was] == [
        State.SELFTEST, State.LOCKED, State.READY, State.ARMED, State.RUNNING, State.ARMED,
        State.LOCKED,
    ]  # fmt: skip
    assert bench.chain.take_events() == []


def test_a_profile_without_sensors_needs_permit_and_reset_only() -> None:
    bench = Bench(RELAY)
    bench.ready()
    bench.press()
    assert bench.is_in(State.ARMED)
    bench.drop_permit("ended")
    bench.scan()
    assert bench.is_in(State.LOCKED)


@pytest.mark.parametrize("safe_high", [True, False])
def test_either_polarity(safe_high: bool) -> None:
    bench = Bench(safe_high=safe_high)
    bench.start()
    bench.lid(closed=False)
    bench.run(0.02)
    assert bench.is_in(State.TRIPPED)


def test_without_a_reset_button_there_is_no_interlock() -> None:
    with pytest.raises(InputError, match="reset button"):
        Chain(profile([InputRole.ESTOP]), key=KEY, boot=BOOT, now=START_S)


# -- trips -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("clear_s", "state"), [(0.9, State.TRIPPED), (1.2, State.READY)])
def test_a_trip_ends_after_1_s_without_a_cause(clear_s: float, state: State) -> None:
    bench = Bench()
    bench.arm(60.0)
    bench.lid(closed=False)
    bench.run(3.0)
    bench.lid(closed=True)
    bench.run(clear_s)
    assert bench.state is state


def test_after_a_trip_without_a_permit_it_is_locked() -> None:
    bench = Bench()
    bench.arm(5.0)
    bench.lid(closed=False)
    bench.run(6.0)
    bench.lid(closed=True)
    bench.scans_until(State.LOCKED, 1.2)
    assert State.READY not in [one.state for one in bench.chain.events[-2:]]


def test_what_tripped_first_is_kept_until_it_is_armed_again() -> None:
    bench = Bench()
    bench.arm(60.0)
    bench.safe[InputRole.EXHAUST] = False
    bench.run(3.2)
    bench.lid(closed=False)
    bench.run(0.5)
    assert (bench.view.first_cause, bench.view.cause) == (Cause.EXHAUST_OFF, Cause.LID_OPEN)
    bench.lid(closed=True)
    bench.safe[InputRole.EXHAUST] = True
    bench.run(1.5)
    assert (bench.state, bench.view.first_cause) == (State.READY, Cause.EXHAUST_OFF)
    bench.press()
    assert (bench.state, bench.view.first_cause, bench.view.cause) == (State.ARMED, None, None)


def test_a_further_cause_is_on_record_and_no_further_trip() -> None:
    bench = Bench()
    bench.arm()
    bench.safe[InputRole.ESTOP] = False
    bench.run(0.1)
    bench.lid(closed=False)
    bench.run(0.1)
    said = [one for one in bench.chain.events if one.event is Event.UNSAFE]
    assert [(one.was, one.cause) for one in said] == [
        (State.ARMED, Cause.ESTOP_OPEN),
        (State.TRIPPED, Cause.ESTOP_OPEN),
    ]
    assert [one.why for one in said] == ["estop-open", "lid-open"]
    assert {one.use for one in said} == {"u1"}
    assert bench.view.trips == 1


# -- time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gap_ms", "state"), [(99, State.ARMED), (101, State.TRIPPED)])
def test_a_gap_between_scans_trips(gap_ms: int, state: State) -> None:
    assert STALL_S == 0.1
    bench = Bench()
    bench.arm()
    outputs = bench.scan(gap_ms)
    assert (bench.state, outputs.k2) == (state, state is State.ARMED)


@pytest.mark.parametrize("earlier_s", [-0.001, -100.0, -5000.0, float("nan"), float("-inf")])
def test_time_that_runs_backwards_is_a_fault(earlier_s: float) -> None:
    bench = Bench()
    bench.arm()
    outputs = bench.chain.step(bench.reading(10), bench.now + earlier_s)
    assert (bench.state, outputs) == (State.FAULT, OFF)
    assert bench.view.fault is not None
    assert bench.view.fault.code is FaultCode.CLOCK_BACKWARDS
    assert bench.view.permit is None


def test_a_clock_that_went_back_counts_on_from_there() -> None:
    bench = Bench()
    bench.arm()
    bench.ms -= 100_000
    bench.run(0.1)
    bench.chain.clear_fault(bench.now)
    bench.prove()
    assert bench.is_in(State.LOCKED)
    assert bench.view.permit is None


def test_an_endless_time_trips_and_ends_in_a_fault() -> None:
    bench = Bench()
    bench.arm()
    for _ in range(3):
        assert bench.chain.step(bench.reading(10), float("inf")) == OFF
    assert bench.view.first_cause is Cause.SCAN_STALLED
    assert bench.scan() == OFF
    assert bench.is_in(State.FAULT)


def test_one_unread_scan_gets_no_pulse() -> None:
    bench = Bench()
    bench.arm()
    bench.forced[InputRole.ACTIVE] = None
    outputs = bench.scan()
    assert (outputs.k2, outputs.pulse) == (True, False)
    del bench.forced[InputRole.ACTIVE]
    assert bench.scan().pulse
