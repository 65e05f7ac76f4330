"""The chain: readings and permits in, outputs out; time is passed in. Pure.

One object for one boot of the daemon. It starts in BOOT with everything off, and whatever it does
not know is unsafe to it. Only a scan moves it, by the table; a scan looks for what takes away
before it looks for what gives, and makes one move at most. A failed diagnostic, and a supervisor
who clears it, need no scan.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from fabctl.interlock import InterlockProfile
from fabctl.interlock import InterlockState as State
from fabctl.units import Seconds
from fabctl_drivers.interlock.causes import Advice, Cause, FaultCode, FaultRecord
from fabctl_drivers.interlock.inputs import Inputs, Reading
from fabctl_drivers.interlock.permit_desk import Held, PermitAnswer, PermitDesk
from fabctl_drivers.interlock.reset import Whose
from fabctl_drivers.interlock.table import OUTPUTS_ON, Event, next_state
from fabctl_drivers.interlock.view import OFF, ChainEvent, ChainView, Outputs, PermitView

STALL_S: Final = Seconds(0.100)
"""A longer gap between two scans trips: from sensor to relay we promise 100 ms, and K1's
monostable may let go from 150 ms on; it must not pull in again by itself."""
LATE_S: Final = Seconds(0.030)
"""After a longer gap one unsafe scan is enough. So it takes 100 ms from an input to the decision,
or 130 ms where a scan in time is followed by one that is as late as it may be."""


class Chain:
    """One machine's interlock.

    :param key: the machine's key for permits, 32 bytes.
    :param boot: names this run of the daemon; permits must name it too.
    :param now: monotonic, s, as everywhere here.
    :param remembered: the fault in which an earlier run ended, as the daemon kept it.
    :raises InputError: the profile has no reset button.
    """

    def __init__(
        self,
        profile: InterlockProfile,
        *,
        key: bytes,
        boot: str,
        now: float,
        remembered: FaultRecord | None = None,
    ) -> None:
        self._times = profile.timings
        self._boot = boot
        self._inputs = Inputs(profile, now)
        self._desk = PermitDesk(profile.machine, key, boot, now)
        self._state = State.BOOT
        self._started_at = self._since = self._now = now
        self._fault = remembered
        self._first_cause = remembered.first_cause if remembered else None
        self._cause = self._first_cause
        self._found: list[Cause] = []
        self._tripped_by: set[Cause] = set()
        self._armed_for: Whose | None = None
        self._last_active = now
        self._clear_since: float | None = None
        self._trips = 0
        self.events: list[ChainEvent] = []
        """What happened, oldest first; :meth:`take_events` empties it."""

    @property
    def state(self) -> State:
        """Return the state of the table."""
        return self._state

    @property
    def outputs_on(self) -> bool:
        """Return whether the last scan switched the outputs on."""
        return self._state in OUTPUTS_ON

    @property
    def fault(self) -> FaultRecord | None:
        """Return the fault to be remembered across restarts, None when there is none."""
        return self._fault

    def take_events(self) -> list[ChainEvent]:
        """Return what happened since the last call, oldest first."""
        taken, self.events = self.events, []
        return taken

    # -- from outside a scan ---------------------------------------------------------------------

    def opened(self, now: float) -> None:
        """Leave BOOT: the configuration was read and the pins are open, outputs off."""
        self._now = now
        if self._fault is None:
            self._happen(Event.OPENED)
        else:
            self._happen(Event.FAILED, f"remembered: {self._fault.why}")

    def failed(self, code: FaultCode, why: str, now: float) -> None:
        """Go to FAULT: a diagnostic failed. The first fault is kept until it is cleared.

        :param why: English, for staff.
        """
        self._now = max(self._now, now)
        if self._state is not State.FAULT:
            self._fault = self._fault or FaultRecord(code, why, self._first_cause)
            self._happen(Event.FAILED, why)

    def clear_fault(self, now: float) -> None:
        """Begin the self-test again. Only for a supervisor who stands at the machine.

        In any other state than FAULT nothing happens.
        """
        self._now = max(self._now, now)
        self._happen(Event.CLEARED, "cleared at the machine")

    def take_permit(self, message: bytes, now: float) -> PermitAnswer:
        """Verify a permit and hold it. It moves nothing by itself: the next scan sees it."""
        return self._desk.take(message, now)

    @property
    def challenge(self) -> str:
        """Return what the next permit must name."""
        return self._desk.challenge

    def take_key(self, key: bytes) -> None:
        """Verify permits with a new key, 32 bytes; nothing is armed or let go by it."""
        self._desk.take_key(key)

    def drop_permit(self, now: float, why: str) -> None:
        """Forget the permit, as if it had ended. Anybody may.

        :param why: English, for staff.
        """
        if self._desk.fresh(now) is not None:
            self._record(Event.PERMIT_ENDED, self._state, f"dropped: {why}")
        self._desk.drop()

    # -- one scan --------------------------------------------------------------------------------

    def step(self, reading: Reading, now: float, *, stalled: bool = False) -> Outputs:
        """Judge one scan and return what it allows.

        :param now: when the reading was taken; a pulse is owed to this scan alone.
        :param stalled: something kept the scan before, or the computer, which ``now`` does not
            show; it trips as a long gap does.
        """
        if not self._runs_forward(now):
            return OFF
        gap_s, self._now = now - self._now, now
        self._desk.tick(now)
        if self._state is State.BOOT:
            return OFF
        armed_by = self._read(reading, math.inf if stalled else gap_s)
        for event, why in self._look(armed_by):
            if self._happen(event, why):
                break
        return self._allowed()

    def _runs_forward(self, now: float) -> bool:
        if now >= self._now:
            return True
        self.failed(FaultCode.CLOCK_BACKWARDS, f"from {self._now:.3f} to {now:.3f} s", self._now)
        if math.isfinite(now):
            self._now = now
        self._desk.begin_anew(self._now)  # a permit would hold for longer on the new time
        return False

    def _read(self, reading: Reading, gap_s: float) -> Whose | None:
        """Condition the reading; return for whom a press of reset that ended now would arm."""
        now, inputs = self._now, self._inputs
        late, stalled = not gap_s <= LATE_S, not gap_s <= STALL_S  # NaN is late too
        inputs.take(reading, now, outputs_on=self.outputs_on, late=late, stalled=stalled)
        self._found = inputs.objections() if self._state is State.TRIPPED else inputs.trips()
        if stalled:
            self._found.insert(0, Cause.SCAN_STALLED)
        if self._found:
            self._clear_since = None
        elif self._clear_since is None:
            self._clear_since = now
        if inputs.active:
            self._last_active = now
        return inputs.reset.take(inputs.pressed, self._would_arm_for(), now)

    def _would_arm_for(self) -> Whose | None:
        if self._state is not State.READY or self._found or not self._inputs.may_arm:
            return None
        held = self._held()
        return held.whose if held is not None else None

    def _held(self) -> Held | None:
        """Return the permit that counts: while the outputs are on, that of the armed use only."""
        held = self._desk.fresh(self._now)
        if held is None or (self.outputs_on and held.whose != self._armed_for):
            return None
        return held

    def _look(self, armed_by: Whose | None) -> Iterator[tuple[Event, str]]:
        """Yield what this scan found, in the order of :class:`Event`."""
        stalled = Cause.SCAN_STALLED in self._found  # nobody looked meanwhile: it proves no fault
        fault = None if stalled else self._inputs.fault(self._now)
        if fault is not None and self._state is not State.FAULT:
            self._fault = FaultRecord(*fault, self._first_cause)
            yield Event.FAILED, fault[1]
        if self._found:
            yield Event.UNSAFE, ", ".join(self._found)
        held = self._held()
        if held is None:
            yield Event.PERMIT_ENDED, ""
        yield from self._idle()
        if self._state is State.SELFTEST and self._inputs.unproved() is None:
            yield Event.PROVED, ""
        if self._is_clear():
            yield (Event.CLEAR if held is None else Event.CLEAR_PERMITTED), ""
        if armed_by is not None:
            yield Event.RESET, ""
        if held is not None:
            yield Event.PERMIT_FRESH, ""
        if self._inputs.active:
            yield Event.ACTIVE, ""

    def _idle(self) -> Iterator[tuple[Event, str]]:
        if self._state is State.DRAIN and self._now - self._since >= self._times.drain_s:
            yield Event.OVERRUN, f"after {self._times.drain_s:.0f} s"
        if self._inputs.active is not False:
            return  # without a run signal nobody knows that it is idle
        idle_s, times = self._now - self._last_active, self._times
        draining = self._state is State.DRAIN
        if idle_s >= (times.idle_drain_s if draining else times.idle_running_s):
            yield Event.RESTED, f"idle for {idle_s:.0f} s"
        if idle_s >= self._times.idle_armed_s:
            yield Event.LEFT_ALONE, f"idle for {idle_s:.0f} s"

    def _is_clear(self) -> bool:
        since = self._clear_since
        return since is not None and self._now - since >= self._times.clear_s

    def _allowed(self) -> Outputs:
        on = self.outputs_on
        return Outputs(k2=on, pulse=on and self._inputs.complete)

    # -- moving ----------------------------------------------------------------------------------

    def _happen(self, event: Event, why: str = "") -> bool:
        """Let the table decide; return whether the state changed."""
        was, after = self._state, next_state(self._state, event)
        if after is was:
            if was is State.TRIPPED and event is Event.UNSAFE:
                self._blame(was)
            return False
        self._state, self._since = after, self._now
        if after is State.TRIPPED:
            self._trips += 1
            self._tripped_by.clear()
            self._blame(was)
        else:
            self._settle_in(was)
            self._record(event, was, why)
        if not self.outputs_on:
            self._armed_for = None
        return True

    def _settle_in(self, was: State) -> None:
        if self._state is State.ARMED and was is State.READY:
            held = self._desk.fresh(self._now)
            self._armed_for = held.whose if held is not None else None
            self._cause = self._first_cause = None
            self._last_active = self._now
        elif self._state is State.SELFTEST:
            self._fault = None
            self._inputs.renew(self._now)

    def _blame(self, was: State) -> None:
        """Keep what trips; a cause is recorded once per trip, however often it comes."""
        self._cause = self._found[0]
        self._first_cause = self._first_cause or self._cause
        new = [cause for cause in self._found if cause not in self._tripped_by]
        self._tripped_by.update(new)
        if new:
            self._record(Event.UNSAFE, was, ", ".join(new))

    def _record(self, event: Event, was: State, why: str) -> None:
        held = self._desk.fresh(self._now)
        use = self._armed_for[0] if self._armed_for else held.use if held else None
        fault = self._fault.code if self._fault and self._state is State.FAULT else None
        cause = self._cause if self._state is State.TRIPPED else None
        self.events.append(ChainEvent(self._now, event, was, self._state, cause, fault, why, use))

    # -- telling ---------------------------------------------------------------------------------

    @property
    def view(self) -> ChainView:
        """Return a snapshot, true at the last scan."""
        now = self._now
        held = self._desk.fresh(now)
        return ChainView(
            boot=self._boot,
            state=self._state,
            since_s=_age(self._since, now),
            cause=self._cause,
            first_cause=self._first_cause,
            fault=self._fault,
            advice=self._advice(),
            inputs=self._inputs.views(now),
            permit=PermitView(held.use, held.person, _age(now, held.ends_at)) if held else None,
            permits_refused=dict(self._desk.refused),
            outputs_on=self.outputs_on,
            active=self._inputs.active,
            trips=self._trips,
            uptime_s=_age(self._started_at, now),
            challenge=self._desk.challenge,
        )

    def _advice(self) -> Advice | None:
        match self._state:
            case State.SELFTEST:
                return self._inputs.unproved()
            case State.READY:
                return self._inputs.unready()
            case State.TRIPPED:
                return None if self._found else Advice.CLEARING
            case state:
                return _ADVICE.get(state)


_ADVICE: Final = {
    State.BOOT: Advice.STARTING,
    State.LOCKED: Advice.NO_PERMIT,
    State.DRAIN: Advice.DRAINING,
}


def _age(since: float, now: float) -> Seconds:
    return Seconds(max(0.0, now - since))
