"""A chain at a bench: contacts, water and relays around it, and a clock moved by hand.

It knows nothing of the chain but its interface. Relays are as they are: K1 behind a monostable of
175 ms, K2 at once, both 10 ms late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from fabctl.interlock import (
    InputPin,
    InputRole,
    InterlockProfile,
    OutputRole,
    ProfileKind,
    Timings,
)
from fabctl.interlock import InterlockState as State
from fabctl.permits import Permit, seal
from fabctl_drivers.interlock.causes import FaultCode, FaultRecord
from fabctl_drivers.interlock.chain import Chain
from fabctl_drivers.interlock.inputs import Reading
from fabctl_drivers.interlock.permit_desk import PermitAnswer
from fabctl_drivers.interlock.view import ChainView, Outputs

KEY = bytes(range(32))
BOOT = "boot-1"
MACHINE = "laser"
START_S = 5000.0
SCAN_MS = 10
MONOSTABLE_MS = 175
RENEW_MS = 3000
"""As the steward does."""
PERMIT_S = 10.0
"""The longest permit that holds for what it says."""
RELAY_MS = 10

LASER = (
    InputRole.LID_A, InputRole.LID_B, InputRole.FLOW, InputRole.EXHAUST, InputRole.ESTOP,
    InputRole.KEY, InputRole.RESET, InputRole.K1_FEEDBACK, InputRole.K2_FEEDBACK, InputRole.ACTIVE,
)  # fmt: skip
RELAY = (InputRole.RESET,)


def profile(
    roles: Iterable[InputRole] = LASER, timings: Timings | None = None, *, safe_high: bool = True
) -> InterlockProfile:
    """Return a profile with these inputs; of which kind it is makes no difference to the chain."""
    pins = {role: InputPin(4 + n, safe_high=safe_high) for n, role in enumerate(roles)}
    return InterlockProfile(
        machine=MACHINE,
        kind=ProfileKind.LASER,
        factory="simulated",
        chip=0,
        inputs=pins,
        outputs={OutputRole.K1: 20, OutputRole.K2: 21},
        folder=Path("interlocks") / MACHINE,
        timings=timings or Timings(),
    )


class LaggingContact:
    """A relay's contact: it follows its coil 10 ms later."""

    def __init__(self) -> None:
        self.pulled_in = False
        self._coil = False
        self._changed_ms = 0

    def follow(self, coil: bool, ms: int) -> None:
        if coil is not self._coil:
            self._coil, self._changed_ms = coil, ms
        if ms - self._changed_ms >= RELAY_MS:
            self.pulled_in = self._coil


class Bench:
    """A chain and all that it is wired to."""

    def __init__(
        self,
        roles: Iterable[InputRole] = LASER,
        timings: Timings | None = None,
        *,
        remembered: FaultRecord | None = None,
        safe_high: bool = True,
        make: Callable[..., Chain] = Chain,
        boot: str = BOOT,
    ) -> None:
        self.profile = profile(roles, timings, safe_high=safe_high)
        self.chain = make(self.profile, key=KEY, boot=boot, now=START_S, remembered=remembered)
        self.ms = 0
        self.safe = dict.fromkeys(self.profile.inputs, True)
        """Contacts of the cabinet; RESET: not pressed, ACTIVE: idle."""
        self.forced: dict[InputRole, bool | None] = {}
        """Inputs that read safe, unsafe or (None) nothing, whatever the contact does."""
        self.flow_hz = 20.0
        self.flow_unread = False
        self.coils_dead: set[OutputRole] = set()
        self.welded: set[OutputRole] = set()
        self.outputs = Outputs(k2=False, pulse=False)
        self.read = Reading({}, None)
        """What the last scan read."""
        self.pulses = 0
        self._k1 = LaggingContact()
        self._k2 = LaggingContact()
        self._pulsed_ms: int | None = None
        self._flow_phase = 0.0
        inputs = self.profile.inputs
        self._has_flow = InputRole.FLOW in inputs
        self._wires = [
            (role, pin.safe_high) for role, pin in inputs.items() if role is not InputRole.FLOW
        ]
        self._serial = 0
        self._renewal: tuple[int, str, str] | None = None
        """Permits go on until then (ms), for this use and person."""
        self._renew_at_ms = 0

    # -- the cabinet -----------------------------------------------------------------------------

    @property
    def now(self) -> float:
        return START_S + self.ms / 1000

    @property
    def state(self) -> State:
        return self.chain.state

    def is_in(self, state: State) -> bool:
        """As a call, so that mypy does not take the answer for good."""
        return self.chain.state is state

    @property
    def view(self) -> ChainView:
        return self.chain.view

    def lid(self, *, closed: bool) -> None:
        self.safe[InputRole.LID_A] = self.safe[InputRole.LID_B] = closed

    def _relays_move(self) -> None:
        held = self._pulsed_ms is not None and self.ms - self._pulsed_ms < MONOSTABLE_MS
        self._k1.follow(held and OutputRole.K1 not in self.coils_dead, self.ms)
        self._k2.follow(self.outputs.k2 and OutputRole.K2 not in self.coils_dead, self.ms)

    def _reads(self) -> dict[InputRole, bool | None]:
        """Return what each input reads: safe, unsafe or nothing."""
        return {
            **self.safe,
            InputRole.K1_FEEDBACK: not (self._k1.pulled_in or OutputRole.K1 in self.welded),
            InputRole.K2_FEEDBACK: not (self._k2.pulled_in or OutputRole.K2 in self.welded),
            **self.forced,
        }

    def reading(self, passed_ms: int) -> Reading:
        reads = self._reads()
        levels: dict[InputRole, bool] = {
            role: safe is safe_high
            for role, safe_high in self._wires
            if (safe := reads[role]) is not None
        }
        self._flow_phase += self.flow_hz * passed_ms / 1000
        pulses = int(self._flow_phase)
        self._flow_phase -= pulses
        has_flow = self._has_flow and not self.flow_unread
        return Reading(levels, pulses if has_flow else None)

    # -- time ------------------------------------------------------------------------------------

    def scan(self, passed_ms: int = SCAN_MS) -> Outputs:
        """Let time pass and make one scan."""
        self.ms += passed_ms
        self._relays_move()
        self.read = self.reading(passed_ms)
        self.outputs = self.chain.step(self.read, self.now)
        if self.outputs.pulse:
            self._pulsed_ms = self.ms
            self.pulses += 1
        self._renew()
        return self.outputs

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 1000 / SCAN_MS)):
            self.scan()

    def scans_until(self, state: State, limit_s: float = 30.0) -> int:
        """Scan until a state is reached; return how many scans it took."""
        for scans in range(round(limit_s * 1000 / SCAN_MS)):
            if self.state is state:
                return scans
            self.scan()
        assert self.state is state, f"{self.state} after {limit_s} s"
        return round(limit_s * 1000 / SCAN_MS)

    # -- people ----------------------------------------------------------------------------------

    def permit(
        self, seconds: float = 10.0, *, use: str = "u1", person: str = "p1", **other: Any
    ) -> PermitAnswer:
        """Hand in the next permit; for more than 10 s, those that follow it in time too."""
        self._renewal = None
        answer = self._hand_in(min(seconds, PERMIT_S), use, person, other)
        if answer.accepted and seconds > PERMIT_S:
            self._renewal = (self.ms + round(1000 * seconds), use, person)
            self._renew_at_ms = self.ms + RENEW_MS
        return answer

    def _hand_in(
        self, seconds: float, use: str, person: str, other: dict[str, Any]
    ) -> PermitAnswer:
        self._serial += 1
        values: dict[str, Any] = {"machine": MACHINE, "boot": BOOT, "serial": self._serial}
        values |= {"challenge": self.chain.challenge, "person": person, "use": use}
        values |= {"seconds": seconds} | other
        return self.chain.take_permit(seal(KEY, Permit(**values)), self.now)

    def _renew(self) -> None:
        if self._renewal is None or self.ms < self._renew_at_ms:
            return
        until_ms, use, person = self._renewal
        left_s = (until_ms - self.ms) / 1000
        if left_s <= PERMIT_S:
            self._renewal = None
        self._renew_at_ms = self.ms + RENEW_MS
        if left_s > 0.0:
            assert self._hand_in(min(left_s, PERMIT_S), use, person, {}).accepted

    def drop_permit(self, why: str = "ended") -> None:
        """Take the permission away, and give no more."""
        self._renewal = None
        self.chain.drop_permit(self.now, why)

    def press(self, seconds: float = 0.3) -> None:
        """Press reset and let go, then wait until that has been noticed."""
        self.safe[InputRole.RESET] = False
        self.run(seconds)
        self.safe[InputRole.RESET] = True
        self.run(self.profile.timings.safe_after_s + 0.02)

    # -- ways ------------------------------------------------------------------------------------

    def prove(self) -> None:
        """From BOOT or SELFTEST to LOCKED, as a person does it."""
        if self.state is State.BOOT:
            self.chain.opened(self.now)
        self.run(0.1)
        if InputRole.LID_A in self.profile.inputs:
            self.lid(closed=False)
            self.run(0.2)
            self.lid(closed=True)
        self.scans_until(State.LOCKED)

    def ready(self, seconds: float = 10.0) -> None:
        """To READY."""
        self.prove()
        self.permit(seconds)
        self.scans_until(State.READY)
        self.run(1.0)

    def arm(self, seconds: float = 10.0) -> None:
        """To ARMED."""
        self.ready(seconds)
        self.permit(seconds)
        self.press()
        assert self.state is State.ARMED, self.view

    def start(self, seconds: float = 10.0) -> None:
        """To RUNNING."""
        self.arm(seconds)
        self.safe[InputRole.ACTIVE] = False
        self.scans_until(State.RUNNING)


def bench_in(state: State) -> Bench:
    """Return a bench whose chain is in a state, reached as it is reached in a lab."""
    bench = Bench()
    ways: dict[State, Callable[[], None]] = {
        State.BOOT: lambda: None,
        State.SELFTEST: lambda: bench.chain.opened(bench.now),
        State.LOCKED: bench.prove,
        State.READY: bench.ready,
        State.ARMED: bench.arm,
        State.RUNNING: bench.start,
        State.DRAIN: bench.start,
        State.TRIPPED: bench.arm,
        State.FAULT: bench.arm,
    }
    ways[state]()
    if state is State.DRAIN:
        bench.drop_permit("test")
    elif state is State.TRIPPED:
        bench.lid(closed=False)
    elif state is State.FAULT:
        bench.chain.failed(FaultCode.GPIO_READ, "test", bench.now)
    bench.scans_until(state)
    return bench
