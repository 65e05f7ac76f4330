"""Any day of an interlock: whatever may happen to a chain, in whatever order, under a witness."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
)

from fabctl.interlock import InputRole, OutputRole, Timings
from fabctl.interlock import InterlockState as State
from fabctl.units import Seconds
from fabctl_drivers.interlock.causes import FaultCode
from fabctl_drivers.interlock.chain import Chain
from tests.interlock_bench import LASER, START_S, Bench
from tests.interlock_witness import Witness

PARTS = 8
SEQUENCES = 2000
"""In all parts together; each part has a seed of its own."""
STEPS = 14
SOAK_MINUTES = float(os.environ.get("SOAK_MINUTES", "0"))
QUICK = Timings(
    flow_gap_s=Seconds(0.4),
    flow_low_s=Seconds(0.6),
    flow_start_s=Seconds(0.6),
    exhaust_s=Seconds(0.3),
    idle_running_s=Seconds(0.4),
    idle_armed_s=Seconds(1.5),
    idle_drain_s=Seconds(0.2),
    drain_s=Seconds(0.8),
    clear_s=Seconds(0.3),
    reset_max_s=Seconds(1.0),
)
"""Long times made short, so that a sequence of a few s lives through them."""
COUNTS: Counter[str] = Counter()

scans = st.integers(1, 60)
few_scans = st.integers(1, 4)
switches = st.sampled_from([role for role in LASER if role is not InputRole.FLOW])
relays = st.sampled_from(OutputRole)
uses = st.sampled_from(["u1", "u1", "u1", "u2"])


class AnyDay(RuleBasedStateMachine):
    """A bench, a witness, and all that may happen to both."""

    make: ClassVar[Callable[..., Chain]] = Chain

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(LASER, QUICK, make=type(self).make)
        self.witness = Witness(self.bench.profile, START_S)
        COUNTS["sequences"] += 1

    def scan(self, times: int = 1, passed_ms: int = 10) -> None:
        for _ in range(times):
            outputs = self.bench.scan(passed_ms)
            self.witness.see(self.bench.read, self.bench.now, outputs, self.bench.state)
            COUNTS["scans"] += 1
            COUNTS[f"scans in {self.bench.state}"] += 1

    def teardown(self) -> None:
        COUNTS["switched on"] += self.witness.switched_on
        COUNTS["sequences with outputs on"] += self.witness.switched_on > 0

    # -- the right way -----------------------------------------------------------------------------

    @initialize(opened=st.sampled_from([True] * 9 + [False]))
    def boot(self, opened: bool) -> None:
        self.scan(2)
        if opened:
            self.bench.chain.opened(self.bench.now)
            self.put_right()
            self.arm()

    @rule()
    def put_right(self) -> None:
        """A good person clears what there is, opens and closes the lid, waits."""
        bench = self.bench
        bench.forced.clear()
        bench.welded.clear()
        bench.coils_dead.clear()
        bench.safe = dict.fromkeys(bench.safe, True)
        bench.flow_hz = 20.0
        bench.chain.clear_fault(bench.now)
        bench.lid(closed=False)
        self.scan(12)
        bench.lid(closed=True)
        self.scan(40)

    @rule()
    def arm(self) -> None:
        """A good person has a permit and presses reset."""
        self.good_permit(5.0, "u1")
        self.scan(2)
        self.press(15)

    def have_it_on(self) -> None:
        """Switch the outputs on, unless they are."""
        if not self.bench.chain.outputs_on:
            self.put_right()
            self.arm()

    @rule(held=st.one_of(few_scans, st.integers(8, 40), st.just(120)))
    def press(self, held: int) -> None:
        self.bench.safe[InputRole.RESET] = False
        self.scan(held)
        self.bench.safe[InputRole.RESET] = True
        self.scan(8)

    @rule(role=switches, before=st.integers(0, 5), after=st.integers(1, 80))
    def press_too_early(self, role: InputRole, before: int, after: int) -> None:
        """Reset goes down while something is unsafe and up when all is right again."""
        self.bench.safe[role] = False
        self.scan(before)
        self.bench.safe[InputRole.RESET] = False
        self.scan(4)
        self.bench.safe = dict.fromkeys(self.bench.safe, True) | {InputRole.RESET: False}
        self.scan(after)
        self.bench.safe[InputRole.RESET] = True
        self.scan(8)

    # -- permits -----------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.01, 0.2, 0.25, 1.0, 10.0]), use=uses)
    def good_permit(self, seconds: float, use: str) -> None:
        assert self.bench.permit(seconds, use=use).accepted
        self.witness.permitted(use, self.bench.now + seconds)

    @rule(seconds=st.sampled_from([0.05, 0.2, 0.4]), times=scans)
    def last_permit(self, seconds: float, times: int) -> None:
        """Nobody renews it."""
        self.good_permit(seconds, "u1")
        self.scan(times)

    @rule(
        wrong=st.sampled_from(
            [
                {"machine": "mill"},
                {"boot": "boot-0"},
                {"challenge": "0" * 32},
                {"serial": 1, "machine": "mill"},
            ]
        )
    )
    def bad_permit(self, wrong: Mapping[str, Any]) -> None:
        assert not self.bench.permit(60.0, **wrong).accepted

    @rule()
    def drop_permit(self) -> None:
        self.bench.drop_permit("anybody")
        self.witness.dropped()

    # -- whatever else happens ---------------------------------------------------------------------

    @rule(times=scans)
    def wait(self, times: int) -> None:
        self.scan(times)

    @rule(role=switches, safe=st.booleans(), times=scans)
    def switch(self, role: InputRole, safe: bool, times: int) -> None:
        self.bench.safe[role] = safe
        self.scan(times)

    @rule(role=switches, unsafe=few_scans, safe=st.integers(1, 8), times=st.integers(1, 25))
    def chatter(self, role: InputRole, unsafe: int, safe: int, times: int) -> None:
        for _ in range(times):
            self.bench.forced[role] = False
            self.scan(unsafe)
            self.bench.forced[role] = True
            self.scan(safe)
        del self.bench.forced[role]

    @rule(role=switches, reads=st.sampled_from([True, False, None]), times=few_scans)
    def force(self, role: InputRole, reads: bool | None, times: int) -> None:
        if reads is None:
            self.have_it_on()
        self.bench.forced[role] = reads
        self.scan(times)

    @rule(role=switches)
    def release(self, role: InputRole) -> None:
        self.bench.forced.pop(role, None)
        self.scan()

    @rule(off=st.integers(3, 28), on=st.integers(1, 12), times=st.integers(2, 12))
    def exhaust_flaps(self, off: int, on: int, times: int) -> None:
        """Each time without air is too short for a trip; all of them are not."""
        self.have_it_on()
        for _ in range(times):
            self.bench.safe[InputRole.EXHAUST] = False
            self.scan(off)
            self.bench.safe[InputRole.EXHAUST] = True
            self.scan(on)

    @rule(times=st.integers(1, 5), rest=st.sampled_from([3, 15, 25, 45]))
    def pause_in_a_drain(self, times: int, rest: int) -> None:
        """The permit is over; the machine pauses, and goes on."""
        self.have_it_on()
        self.bench.safe[InputRole.ACTIVE] = False
        self.scan(4)
        self.drop_permit()
        for _ in range(times):
            self.bench.safe[InputRole.ACTIVE] = True
            self.scan(rest)
            self.bench.safe[InputRole.ACTIVE] = False
            self.scan(5)

    @rule(closed=st.booleans(), times=scans)
    def lid(self, closed: bool, times: int) -> None:
        self.bench.lid(closed=closed)
        self.scan(times)

    @rule(hertz=st.sampled_from([0.0, 3.0, 20.0, 20.0, 48.0]), times=st.integers(1, 120))
    def water(self, hertz: float, times: int) -> None:
        self.bench.flow_hz = hertz
        self.scan(times)

    @rule(hertz=st.sampled_from([0.0, 3.0]), times=st.integers(30, 140))
    def dry(self, hertz: float, times: int) -> None:
        """The water stops in the middle of the work."""
        self.have_it_on()
        self.bench.flow_hz = hertz
        self.scan(times)

    @rule(active=st.booleans(), times=scans)
    def work(self, active: bool, times: int) -> None:
        self.bench.safe[InputRole.ACTIVE] = not active
        self.scan(times)

    @rule(times=st.integers(1, 140))
    def overrun(self, times: int) -> None:
        """A job runs on while its permit ends."""
        self.bench.safe[InputRole.ACTIVE] = False
        self.scan(4)
        self.drop_permit()
        self.scan(times)

    @rule(relay=relays, welded=st.booleans(), dead=st.booleans())
    def relay(self, relay: OutputRole, welded: bool, dead: bool) -> None:
        (self.bench.welded.add if welded else self.bench.welded.discard)(relay)
        (self.bench.coils_dead.add if dead else self.bench.coils_dead.discard)(relay)
        self.scan(40)

    @rule(passed_ms=st.one_of(st.integers(20, 99), st.integers(101, 400)))
    def late(self, passed_ms: int) -> None:
        self.scan(passed_ms=passed_ms)

    @rule(code=st.sampled_from(FaultCode))
    def fail(self, code: FaultCode) -> None:
        self.bench.chain.failed(code, "anything", self.bench.now)
        self.witness.failed(self.bench.now)
        self.scan()
        assert self.bench.state is State.FAULT

    @rule()
    def clear(self) -> None:
        self.bench.chain.clear_fault(self.bench.now)
        self.scan()

    @rule()
    def reopen(self) -> None:
        self.bench.chain.opened(self.bench.now)
        self.scan()


def how_often(sequences: int, *, shrink: bool = True) -> settings:
    steps = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    return settings(
        max_examples=sequences,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=not SOAK_MINUTES,
        phases=steps,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
