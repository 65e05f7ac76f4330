"""The states of an interlock and all that may happen in each: one table. Pure.

Every state has an answer to every event; a missing pair is our mistake. Tests, the property and
``docs/interlock-states.md`` read this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from fabctl.errors import LocalError
from fabctl.interlock import InterlockState as State


class Event(Enum):
    """What can move the chain, in the order in which one scan looks for it.

    What takes away stands before what gives: a fault beats a trip, a trip beats the end of a
    permit, and that beats the reset button.
    """

    FAILED = "a diagnostic failed"
    UNSAFE = "an input is unsafe"
    CLEARED = "a supervisor at the machine cleared the fault"
    OPENED = "configuration read, GPIO opened"
    PERMIT_ENDED = "no fresh permit"
    OVERRUN = "the overrun limit is reached"
    RESTED = "idle for a while"
    LEFT_ALONE = "idle for long"
    PROVED = "the self-test passed"
    CLEAR_PERMITTED = "no cause any more, permit fresh"
    CLEAR = "no cause any more, no permit"
    RESET = "the reset button was pressed and released"
    PERMIT_FRESH = "a fresh permit"
    ACTIVE = "the machine is active"


OUTPUTS_ON: Final = frozenset({State.ARMED, State.RUNNING, State.DRAIN})
"""K1 gets pulses and K2 its level in these states and in no other."""

_UNPROVED = (State.BOOT, State.SELFTEST, State.FAULT)
_PROVED = tuple(state for state in State if state not in _UNPROVED)

_MOVES: Mapping[tuple[State, Event], State] = {
    **{(state, Event.FAILED): State.FAULT for state in State},
    **{(state, Event.UNSAFE): State.TRIPPED for state in _PROVED},
    (State.BOOT, Event.OPENED): State.SELFTEST,
    (State.SELFTEST, Event.PROVED): State.LOCKED,
    (State.LOCKED, Event.PERMIT_FRESH): State.READY,
    (State.READY, Event.PERMIT_ENDED): State.LOCKED,
    (State.READY, Event.RESET): State.ARMED,
    (State.ARMED, Event.PERMIT_ENDED): State.LOCKED,
    (State.ARMED, Event.LEFT_ALONE): State.LOCKED,
    (State.ARMED, Event.ACTIVE): State.RUNNING,
    (State.RUNNING, Event.PERMIT_ENDED): State.DRAIN,
    (State.RUNNING, Event.RESTED): State.ARMED,
    (State.DRAIN, Event.OVERRUN): State.LOCKED,
    (State.DRAIN, Event.RESTED): State.LOCKED,
    (State.DRAIN, Event.PERMIT_FRESH): State.RUNNING,  # the same use's only: chain.py
    (State.TRIPPED, Event.CLEAR_PERMITTED): State.READY,
    (State.TRIPPED, Event.CLEAR): State.LOCKED,
    (State.FAULT, Event.CLEARED): State.SELFTEST,
}

_STAYS: Mapping[Event, tuple[State, ...]] = {
    Event.FAILED: (),
    Event.UNSAFE: _UNPROVED,
    Event.CLEARED: tuple(state for state in State if state is not State.FAULT),
    Event.OPENED: tuple(state for state in State if state is not State.BOOT),
    Event.PERMIT_ENDED: (*_UNPROVED, State.LOCKED, State.DRAIN, State.TRIPPED),
    Event.OVERRUN: tuple(state for state in State if state is not State.DRAIN),
    Event.RESTED: (*_UNPROVED, State.LOCKED, State.READY, State.ARMED, State.TRIPPED),
    Event.LEFT_ALONE: tuple(state for state in State if state is not State.ARMED),
    Event.PROVED: tuple(state for state in State if state is not State.SELFTEST),
    Event.CLEAR_PERMITTED: tuple(state for state in State if state is not State.TRIPPED),
    Event.CLEAR: tuple(state for state in State if state is not State.TRIPPED),
    Event.RESET: tuple(state for state in State if state is not State.READY),
    Event.PERMIT_FRESH: (*_UNPROVED, State.READY, State.ARMED, State.RUNNING, State.TRIPPED),
    Event.ACTIVE: tuple(state for state in State if state is not State.ARMED),
}

NEXT: Final[Mapping[tuple[State, Event], State]] = {
    **{(state, event): state for event, states in _STAYS.items() for state in states},
    **_MOVES,
}
"""Every state with every event."""


def next_state(state: State, event: Event) -> State:
    """Return the state after ``event``.

    :raises LocalError: the table has a hole; the caller lets it become a FAULT.
    """
    try:
        return NEXT[state, event]
    except KeyError:
        raise LocalError(f"{event.name} has no row for the state {state.value}") from None
