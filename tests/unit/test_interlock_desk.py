"""Permits at the chain: how long they hold, for whom, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from fabctl.interlock import InputRole
from fabctl.interlock import InterlockState as State
from fabctl.permits import Permit, seal
from fabctl_drivers.interlock.causes import Advice, PermitRefusal
from fabctl_drivers.interlock.table import Event
from tests.interlock_bench import BOOT, KEY, LASER, MACHINE, START_S, Bench, bench_in

NO_WORK = tuple(role for role in LASER if role is not InputRole.ACTIVE)


# -- permits ---------------------------------------------------------------------------------------


def test_a_permit_holds_for_its_seconds() -> None:
    bench = Bench()
    bench.prove()
    bench.permit(10.0)
    bench.run(9.99)
    assert bench.is_in(State.READY)
    bench.scan()
    assert bench.is_in(State.LOCKED)


def test_a_permit_that_ends_with_the_reset_arms_nothing() -> None:
    """In one and the same scan: the end of the permit comes first."""
    last = armed_after = None
    for left_ms in range(400, 600, 10):
        bench = Bench()
        bench.ready(60.0)
        bench.permit(left_ms / 1000)
        bench.press(0.4)
        armed = any(one.event is Event.RESET for one in bench.chain.events)
        if armed and armed_after is None:
            armed_after = left_ms
        last = armed
    assert last
    bench = Bench()
    bench.ready(60.0)
    assert armed_after is not None
    bench.permit((armed_after - 10) / 1000)  # it ends in the very scan that would arm
    before = bench.ms
    bench.press(0.4)
    ended = next(one for one in bench.chain.events if one.event is Event.PERMIT_ENDED)
    assert round(1000 * (ended.at - START_S)) - before == armed_after - 10
    assert bench.is_in(State.LOCKED)


def test_the_end_of_a_permit_locks_an_idle_machine_and_drains_a_running_one() -> None:
    idle, running = Bench(), Bench()
    idle.arm(2.0)
    running.start(2.0)
    idle.run(2.0)
    running.run(2.0)
    assert (idle.state, running.state) == (State.LOCKED, State.DRAIN)
    assert running.view.advice is Advice.DRAINING


def test_a_drain_ends_when_the_job_does() -> None:
    bench = bench_in(State.DRAIN)
    bench.run(20.0)
    bench.safe[InputRole.ACTIVE] = True
    bench.run(1.0)
    assert bench.is_in(State.DRAIN)
    bench.run(0.1)
    assert bench.is_in(State.LOCKED)


def test_no_job_begins_in_a_drain_after_a_pause() -> None:
    """A pause of 1.1 s: a person could change the workpiece's file in 4 s, and did."""
    bench = bench_in(State.DRAIN)
    jobs = 0
    while bench.outputs.k2:
        bench.run(20.0)
        jobs += 1
        bench.safe[InputRole.ACTIVE] = True
        bench.run(1.1)
        bench.safe[InputRole.ACTIVE] = False
    assert (jobs, bench.state) == (1, State.LOCKED)


def test_a_pause_under_a_second_does_not_end_a_drain() -> None:
    bench = bench_in(State.DRAIN)
    for _ in range(20):
        bench.safe[InputRole.ACTIVE] = True
        bench.run(0.9)
        bench.safe[InputRole.ACTIVE] = False
        bench.run(2.0)
    assert bench.is_in(State.DRAIN)


def test_a_job_that_rested_when_its_permit_ended_is_over() -> None:
    bench = Bench()
    bench.start(60.0)
    bench.safe[InputRole.ACTIVE] = True
    bench.run(2.0)
    assert bench.is_in(State.RUNNING)
    bench.drop_permit()
    bench.run(0.02)
    assert bench.is_in(State.LOCKED)


def test_a_drain_lasts_15_minutes_at_most() -> None:
    bench = bench_in(State.DRAIN)
    began = bench.ms
    bench.scans_until(State.LOCKED, 1000.0)
    assert bench.ms - began == 900_000
    assert bench.chain.events[-1].event is Event.OVERRUN


def test_the_permit_of_the_same_use_takes_a_drain_back() -> None:
    bench = bench_in(State.DRAIN)
    bench.permit()
    bench.scan()
    assert bench.is_in(State.RUNNING)


@pytest.mark.parametrize("other", [{"use": "u2"}, {"person": "p2"}])
def test_a_permit_for_somebody_else_ends_the_one_before(other: dict[str, Any]) -> None:
    idle, running, draining = Bench(), Bench(), bench_in(State.DRAIN)
    idle.arm()
    running.start()
    for bench in (idle, running, draining):
        bench.permit(**other)
        bench.scan()
    assert (idle.state, running.state, draining.state) == (
        State.LOCKED, State.DRAIN, State.DRAIN,
    )  # fmt: skip


def test_without_a_run_signal_nothing_drains_and_nothing_is_idle() -> None:
    bench = Bench(NO_WORK)
    bench.arm(60.0)
    for _ in range(15):
        bench.permit(60.0)
        bench.run(50.0)
    assert (bench.state, bench.view.active) == (State.ARMED, None)
    bench.run(20.0)
    assert bench.is_in(State.LOCKED)


def test_ten_idle_minutes_lock() -> None:
    bench = Bench()
    bench.arm(60.0)
    armed = next(one for one in bench.chain.take_events() if one.state is State.ARMED)
    while bench.state is State.ARMED:
        bench.permit(60.0)
        bench.run(1.0)
    locked = next(one for one in bench.chain.take_events() if one.state is State.LOCKED)
    assert locked.event is Event.LEFT_ALONE
    assert locked.at - armed.at == pytest.approx(600.0, abs=0.02)


@pytest.mark.parametrize(("idle_s", "state"), [(4.9, State.RUNNING), (5.2, State.ARMED)])
def test_a_pause_of_5_s_is_the_end_of_a_job(idle_s: float, state: State) -> None:
    bench = Bench()
    bench.start(60.0)
    bench.safe[InputRole.ACTIVE] = True
    bench.run(idle_s)
    assert bench.state is state


def test_who_hands_in_what_is_refused_and_counted() -> None:
    bench = Bench()
    bench.prove()
    first = bench.chain.challenge
    bench.run(60.0)
    good = bench.permit(serial=7)
    refused = [
        bench.chain.take_permit(b"no permit", bench.now),
        bench.permit(machine="mill", serial=8),
        bench.permit(boot="boot-0", serial=8),
        bench.permit(serial=7),
        bench.permit(serial=8, challenge=first),
        bench.permit(serial=8, challenge="0" * 32),
    ]
    assert good.accepted
    assert [(one.accepted, one.code) for one in refused] == [
        (False, PermitRefusal.MALFORMED),
        (False, PermitRefusal.OTHER_MACHINE),
        (False, PermitRefusal.OTHER_BOOT),
        (False, PermitRefusal.REPLAYED),
        (False, PermitRefusal.EXPIRED),
        (False, PermitRefusal.EXPIRED),
    ]
    assert bench.view.permits_refused == {
        PermitRefusal.MALFORMED: 1, PermitRefusal.OTHER_MACHINE: 1, PermitRefusal.OTHER_BOOT: 1,
        PermitRefusal.REPLAYED: 1, PermitRefusal.EXPIRED: 2,
    }  # fmt: skip
    assert bench.permit(serial=8).accepted


def test_a_challenge_is_new_every_2_s_and_old_after_6_s() -> None:
    bench = Bench()
    bench.prove()
    last, seen_at = bench.chain.challenge, bench.ms
    while bench.chain.challenge == last:
        bench.scan()
    assert bench.ms - seen_at <= 2000
    challenge = bench.chain.challenge
    bench.run(1.99)
    assert bench.chain.challenge == challenge
    bench.scan()
    assert bench.chain.challenge != challenge
    bench.run(4.0)
    assert bench.permit(challenge=challenge).accepted
    bench.scan()
    assert bench.permit(challenge=challenge).code is PermitRefusal.EXPIRED


def test_challenges_are_told_and_never_come_again() -> None:
    told = set()
    for boot in range(3):
        bench = Bench(boot=f"boot-{boot}")
        for _ in range(100):
            assert bench.view.challenge == bench.chain.challenge
            told.add(bench.view.challenge)
            bench.run(2.0)
    assert len(told) == 300


def test_a_stockpile_of_permits_is_useless() -> None:
    """Signed without a break for whatever the carrier had said, and handed in an hour later."""
    bench = Bench()
    bench.prove()
    known = [bench.chain.challenge, "", "0" * 32, BOOT]
    pile = [
        Permit(MACHINE, "p1", "u1", BOOT, 100 + n, 10.0, known[n % 3] or "none") for n in range(60)
    ]
    bench.run(60.0)
    refused = [bench.chain.take_permit(seal(KEY, one), bench.now).code for one in pile]
    assert set(refused) == {PermitRefusal.EXPIRED}
    assert bench.view.permits_refused == {PermitRefusal.EXPIRED: 60}
    bench.run(0.1)
    assert bench.is_in(State.LOCKED)


def test_a_permit_without_a_challenge_is_malformed() -> None:
    bench = Bench()
    bench.prove()
    for challenge in (None, "", 7):
        assert bench.permit(challenge=challenge).code is PermitRefusal.MALFORMED
    assert bench.view.permits_refused == {PermitRefusal.MALFORMED: 3}


def test_no_permit_holds_longer_than_10_s() -> None:
    bench = Bench()
    bench.prove()
    long = Permit(MACHINE, "p1", "u1", BOOT, 1, 60.0, bench.chain.challenge)
    assert bench.chain.take_permit(seal(KEY, long), bench.now).accepted
    permit = bench.view.permit
    assert permit is not None
    assert permit.left_s == 10.0
    bench.run(9.99)
    assert bench.is_in(State.READY)
    bench.scan()
    assert bench.is_in(State.LOCKED)


def test_time_that_runs_backwards_makes_no_challenge_young() -> None:
    bench = Bench()
    bench.prove()
    before = bench.chain.challenge
    bench.ms -= 3000
    bench.scan(0)
    assert bench.is_in(State.FAULT)
    assert bench.permit(challenge=before).code is PermitRefusal.EXPIRED
    assert bench.permit().accepted


def test_renewed_every_3_s_a_use_goes_on() -> None:
    bench = Bench()
    bench.start(600.0)
    for _ in range(60):
        bench.run(9.0)
        assert bench.is_in(State.RUNNING)
    assert bench.view.permits_refused == {}


def test_a_dropped_permit_cannot_be_handed_in_again() -> None:
    bench = Bench()
    bench.prove()
    bench.permit(serial=1)
    bench.scan()
    bench.drop_permit("the use was ended")
    assert bench.permit(serial=1).code is PermitRefusal.REPLAYED
    bench.scan()
    assert (bench.state, bench.view.permit) == (State.LOCKED, None)
