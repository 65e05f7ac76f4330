"""What a scan read, and what it means: every input conditioned by its role. Pure.

Times are monotonic, in s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fabctl.errors import InputError
from fabctl.interlock import InputCondition, InputRole, InterlockProfile
from fabctl.units import Seconds
from fabctl_drivers.interlock.causes import Advice, Cause, FaultCode
from fabctl_drivers.interlock.contacts import MONOSTABLE_S, Contact, Lid, Patience, Relay
from fabctl_drivers.interlock.flow import FlowMeter, Water
from fabctl_drivers.interlock.reset import ResetButton
from fabctl_drivers.interlock.view import InputView

UNREAD_SCANS: Final = 2
"""So many scans in a row without an input are a fault of it."""

CAUSES: Final[Mapping[InputRole, Cause]] = {
    InputRole.ESTOP: Cause.ESTOP_OPEN,
    InputRole.KEY: Cause.KEY_OFF,
    InputRole.LID_A: Cause.LID_OPEN,
    InputRole.LID_B: Cause.LID_OPEN,
    InputRole.EXHAUST: Cause.EXHAUST_OFF,
}
"""Of the switches, what trips; FLOW has two causes of its own."""
_LID: Final = (InputRole.LID_A, InputRole.LID_B)
_RELAYS: Final[Mapping[InputRole, tuple[FaultCode, FaultCode]]] = {
    InputRole.K1_FEEDBACK: (FaultCode.K1_WELDED, FaultCode.K1_NO_PULL_IN),
    InputRole.K2_FEEDBACK: (FaultCode.K2_WELDED, FaultCode.K2_NO_PULL_IN),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """One scan's raw reading."""

    levels: Mapping[InputRole, bool]
    """True is high; every configured input but FLOW. A pin that could not be read is absent."""
    flow_pulses: int | None
    """Rising edges seen since the last scan; None: could not be read, or there is no such input."""


class Inputs:
    """The inputs of one interlock.

    :raises InputError: the profile has no reset button; nothing could ever be armed.
    """

    def __init__(self, profile: InterlockProfile, now: float) -> None:
        if InputRole.RESET not in profile.inputs:
            raise InputError("an interlock needs a reset button", device=profile.machine)
        times = profile.timings
        self._wires = [
            (role, pin.safe_high)
            for role, pin in profile.inputs.items()
            if role is not InputRole.FLOW
        ]
        self._unread = dict.fromkeys(profile.inputs, 0)
        self._contacts = {
            role: Contact(times.safe_after_s, now)
            for role in profile.inputs
            if role in CAUSES or role is InputRole.ACTIVE
        }
        self._watched = [
            (
                CAUSES[role],
                self._contacts[role],
                Patience(self._contacts[role], _grace_s(role, profile)),
            )
            for role in sorted(self._contacts, key=list(InputRole).index)
            if role in CAUSES
        ]
        channels = [self._contacts[role] for role in _LID if role in self._contacts]
        self.lid = Lid(channels, times.lid_discrepancy_s)
        self.reset = ResetButton(times, now)
        self.flow = (
            FlowMeter(profile.flow, times, now) if InputRole.FLOW in profile.inputs else None
        )
        self._relays = {r: _relay(r, profile, now) for r in _RELAYS if r in profile.inputs}
        self.pressed: bool | None = None
        """What the last scan read of the reset button."""
        self.complete = False
        """Every input was read in the last scan."""

    def renew(self, now: float) -> None:
        """Begin the self-test: the lid is to be seen open, the relays to be found released."""
        self.lid.renew()
        self.reset.renew(now)
        if self.flow is not None:
            self.flow.renew()
        for relay in self._relays.values():
            relay.renew(now)

    # -- one scan --------------------------------------------------------------------------------

    def take(
        self, reading: Reading, now: float, *, outputs_on: bool, late: bool, stalled: bool
    ) -> None:
        """Take one scan's reading.

        :param outputs_on: what the relays were told by the scan before.
        :param late: the scan before was longer ago than usual.
        :param stalled: nobody looked for a while; pulses of that while say nothing of the flow.
        """
        pulses, levels = reading.flow_pulses, reading.levels
        safe: dict[InputRole, bool | None] = {
            role: None if (level := levels.get(role)) is None else level == safe_high
            for role, safe_high in self._wires
        }
        if self.flow is not None:
            safe[InputRole.FLOW] = None if pulses is None or pulses < 0 else True
        self._count_unread(safe)
        for role, contact in self._contacts.items():
            contact.take(safe[role], now, late=late)
        for _, _, patience in self._watched:
            patience.take(now)
        self.lid.compare(now)
        for role, relay in self._relays.items():
            released = safe[role]
            relay.take(None if released is None else not released, now, told_on=outputs_on)
        if self.flow is not None:
            counted = 0 if stalled else max(0, pulses or 0)
            self.flow.take(counted, now, demanded=outputs_on)
        not_pressed = safe[InputRole.RESET]
        self.pressed = None if not_pressed is None else not not_pressed

    def _count_unread(self, read: Mapping[InputRole, bool | None]) -> None:
        if self.complete and None not in read.values():
            return  # as in the scan before: every count is 0
        for role in self._unread:
            self._unread[role] = self._unread[role] + 1 if read[role] is None else 0
        self.complete = not any(self._unread.values())

    # -- what it means ---------------------------------------------------------------------------

    @property
    def active(self) -> bool | None:
        """Return the machine's run signal; None where it has none, or it is not known yet."""
        contact = self._contacts.get(InputRole.ACTIVE)
        return None if contact is None or contact.safe is None else not contact.safe

    def fault(self, now: float) -> tuple[FaultCode, str] | None:
        """Return the first diagnostic that fails, with a sentence for staff."""
        for role, scans in () if self.complete else self._unread.items():
            if scans >= UNREAD_SCANS:
                return FaultCode.INPUT_UNREAD, f"{role} was not read in {scans} scans"
        if self.lid.differs:
            return FaultCode.LIDS_DIFFER, "lid_a and lid_b read differently for too long"
        if self.flow is not None and self.flow.too_fast:
            return FaultCode.FLOW_TOO_FAST, "the flow input has more pulses than water makes"
        for role, relay in self._relays.items():
            if relay.fault is not None:
                return relay.fault, f"{role} is wrong after {relay.limit_s * 1000:.0f} ms"
        if self.reset.is_stuck(now):
            return FaultCode.RESET_STUCK, "the reset button was held for too long"
        return None

    def trips(self) -> list[Cause]:
        """Return what an interlock that has proved itself trips on, the weightiest first."""
        return self._in_order({cause for cause, _, patience in self._watched if patience.is_over})

    def objections(self) -> list[Cause]:
        """Return what must be gone before anything is armed: as trips, without any grace."""
        return self._in_order({cause for cause, contact, _ in self._watched if not contact.safe})

    @property
    def may_arm(self) -> bool:
        """Return whether every input permits arming, in the last scan itself too.

        The machine must be idle: a reset starts nothing by itself (ISO 13849-1:2015, 5.2.2,
        "manual reset function").
        """
        return (
            self.complete
            and not self.objections()
            and all(one.safe and one.read_safe for one in self._contacts.values())
            and self.relays_agree
        )

    @property
    def relays_agree(self) -> bool:
        """Return whether K1 and K2 were found as they were told, where that can be read."""
        return all(relay.agrees for relay in self._relays.values())

    def unproved(self) -> Advice | None:
        """Return what the self-test still waits for; None: it is passed."""
        if not self.complete or any(one.safe is None for one in self._contacts.values()):
            return Advice.INPUTS_SETTLING
        if not self.reset.released:
            return Advice.RESET_PRESSED if self.pressed else Advice.INPUTS_SETTLING
        if not self.relays_agree:
            return Advice.RELAYS_SETTLING
        if not self.lid.seen_open:
            return Advice.LID_NOT_SEEN_OPEN
        return None if self.lid.closed else Advice.LID_NOT_CLOSED

    def unready(self) -> Advice:
        """Return what the next arming waits for, besides the permit."""
        if self.active:
            return Advice.MACHINE_ACTIVE
        if not self.relays_agree:
            return Advice.RELAYS_SETTLING
        if not self.may_arm:
            return Advice.INPUTS_SETTLING
        dry = self.flow is not None and self.flow.water is Water.AWAITED
        return Advice.FLOW_AWAITED if dry else Advice.PRESS_RESET

    def _in_order(self, found: set[Cause]) -> list[Cause]:
        if self.flow is not None and self.flow.water is Water.LOST:
            found.add(self.flow.cause)
        return [cause for cause in Cause if cause in found] if found else []

    # -- for people ------------------------------------------------------------------------------

    def views(self, now: float) -> tuple[InputView, ...]:
        """Return every input as people see it."""
        return tuple(self._view(role, now) for role in self._unread)

    def _view(self, role: InputRole, now: float) -> InputView:
        if self._unread[role]:
            return InputView(role, InputCondition.UNKNOWN, Seconds(0.0), FaultCode.INPUT_UNREAD)
        condition, say, since = self._standing(role, now)
        return InputView(role, condition, Seconds(max(0.0, now - since)), say)

    def _standing(
        self, role: InputRole, now: float
    ) -> tuple[InputCondition, Cause | FaultCode | Advice | None, float]:
        """Return an input's condition, what to say of it, and since when it is so."""
        if role is InputRole.FLOW and self.flow is not None:
            return (*_OF_WATER[self.flow.water], self.flow.since)
        if role is InputRole.RESET:
            return (*self._of_reset(now), self.reset.since)
        if role in self._relays:
            return (*_of_relay(self._relays[role]), self._relays[role].since)
        contact = self._contacts[role]
        if contact.safe is None:
            return InputCondition.UNKNOWN, Advice.INPUTS_SETTLING, contact.since
        if contact.safe or role not in CAUSES:
            return InputCondition.PASSED, None, contact.since
        return InputCondition.FAILED, CAUSES[role], contact.since

    def _of_reset(self, now: float) -> tuple[InputCondition, FaultCode | Advice | None]:
        if self.reset.is_stuck(now):
            return InputCondition.FAILED, FaultCode.RESET_STUCK
        if self.pressed is None:
            return InputCondition.UNKNOWN, Advice.INPUTS_SETTLING
        return InputCondition.PASSED, Advice.RESET_PRESSED if self.pressed else None


_OF_WATER: Final = {
    Water.AWAITED: (InputCondition.UNKNOWN, Advice.FLOW_AWAITED),
    Water.FLOWS: (InputCondition.PASSED, None),
    Water.LOST: (InputCondition.FAILED, Cause.FLOW_STOPPED),
}


def _of_relay(relay: Relay) -> tuple[InputCondition, FaultCode | Advice | None]:
    if relay.fault is not None:
        return InputCondition.FAILED, relay.fault
    if relay.agrees:
        return InputCondition.PASSED, None
    return InputCondition.UNKNOWN, Advice.RELAYS_SETTLING


def _grace_s(role: InputRole, profile: InterlockProfile) -> float:
    return profile.timings.exhaust_s if role is InputRole.EXHAUST else 0.0


def _relay(role: InputRole, profile: InterlockProfile, now: float) -> Relay:
    times = profile.timings
    slower_s = MONOSTABLE_S if role is InputRole.K1_FEEDBACK else 0.0
    return Relay(
        _RELAYS[role],
        pull_in_s=times.feedback_s,
        release_s=Seconds(times.feedback_s + slower_s),
        settle_s=times.safe_after_s,
        now=now,
    )
