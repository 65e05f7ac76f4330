"""The property of an interlock can fail: chains that were broken on purpose are caught."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest
from hypothesis.stateful import (
    run_state_machine_as_test,
)

from fabctl.interlock import InterlockState as State
from fabctl_drivers.interlock import chain as chain_module
from fabctl_drivers.interlock import table
from fabctl_drivers.interlock.chain import Chain
from fabctl_drivers.interlock.contacts import Contact, Patience, Relay
from fabctl_drivers.interlock.flow import FlowMeter, Water
from fabctl_drivers.interlock.permit_desk import Held, PermitDesk
from fabctl_drivers.interlock.reset import ResetButton, Whose
from fabctl_drivers.interlock.table import Event
from fabctl_drivers.interlock.view import Outputs
from tests.interlock_any_day import AnyDay, how_often


def _trips_late(patch: pytest.MonkeyPatch) -> None:
    settle = Contact._settle

    def slow(self: Contact, *, safe: bool, now: float) -> None:
        if safe or self._suspicions >= 4:
            settle(self, safe=safe, now=now)

    patch.setattr(Contact, "_settle", slow)


def _arms_by_permit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(table, "NEXT", {**table.NEXT, (State.READY, Event.PERMIT_FRESH): State.ARMED})


def _goes_on_after_a_trip(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        table, "NEXT", {**table.NEXT, (State.TRIPPED, Event.CLEAR_PERMITTED): State.ARMED}
    )


def _permits_never_end(patch: pytest.MonkeyPatch) -> None:
    def fresh(self: PermitDesk, now: float) -> Held | None:
        return self._held

    patch.setattr(PermitDesk, "fresh", fresh)


def _bears_a_stall(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(chain_module, "STALL_S", 10.0)


def _drains_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(table, "NEXT", {**table.NEXT, (State.DRAIN, Event.OVERRUN): State.DRAIN})


def _forgives_flapping_air(patch: pytest.MonkeyPatch) -> None:
    rest = Patience._rest

    def forgiving(self: Patience, now: float) -> None:
        rest(self, now)
        self._used_s = 0.0

    patch.setattr(Patience, "_rest", forgiving)


def _rests_in_a_drain(patch: pytest.MonkeyPatch) -> None:
    idle = Chain._idle

    def patient(self: Chain) -> Iterator[tuple[Event, str]]:
        for event, why in idle(self):
            if event is not Event.RESTED or self.state is not State.DRAIN:
                yield event, why

    patch.setattr(Chain, "_idle", patient)


def _knows_no_dead_relay(patch: pytest.MonkeyPatch) -> None:
    def take_wrong(self: Relay, now: float) -> None:
        self._wrong_since = now

    patch.setattr(Relay, "_take_wrong", take_wrong)


def _needs_no_water(patch: pytest.MonkeyPatch) -> None:
    def judge(self: FlowMeter, now: float, *, had_to: bool) -> Water:
        return Water.FLOWS

    patch.setattr(FlowMeter, "_judge", judge)


def _forgives_a_spoilt_press(patch: pytest.MonkeyPatch) -> None:
    take = ResetButton.take

    def forgiving(
        self: ResetButton, pressed: bool | None, whose: Whose | None, now: float
    ) -> Whose | None:
        self._whose = whose
        return take(self, pressed, whose, now)

    patch.setattr(ResetButton, "take", forgiving)


def _pulses_blindly(patch: pytest.MonkeyPatch) -> None:
    def allowed(self: Chain) -> Outputs:
        return Outputs(k2=self.outputs_on, pulse=self.outputs_on)

    patch.setattr(Chain, "_allowed", allowed)


BREAKS: Mapping[Callable[[pytest.MonkeyPatch], None], str] = {
    _trips_late: "an input is unsafe",
    _arms_by_permit: "on without a press",
    _goes_on_after_a_trip: "on by|on without a press",
    _permits_never_end: "without a permit|a permit that has ended",
    _drains_for_ever: "drains on",
    _rests_in_a_drain: "drains at rest",
    _forgives_flapping_air: "an input is unsafe",
    _bears_a_stall: "on after a stall",
    _forgives_a_spoilt_press: "on by a press that began before the trip",
    _needs_no_water: "water",
    _knows_no_dead_relay: "on with a dead",
    _pulses_blindly: "pulse for an unread input",
}


@pytest.mark.parametrize("broken", BREAKS, ids=lambda one: one.__name__.strip("_"))
def test_a_broken_chain_is_caught(
    broken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    with pytest.raises(AssertionError, match=BREAKS[broken]):
        run_state_machine_as_test(AnyDay, settings=how_often(1000, shrink=False))
