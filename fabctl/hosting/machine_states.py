"""What a machine process says its machine is doing, and what may be asked in each state. Pure.

Two tables: the driver's phase gives the state; the state and a request's verb give the answer.
A missing pair is an error (a test reads both tables whole).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fabctl.messaging.payloads import MachineState
from fabctl.ports import Phase

BY_PHASE: Mapping[Phase, MachineState] = MappingProxyType(
    {
        Phase.CLOSED: MachineState.OFFLINE,
        Phase.CONNECTING: MachineState.OFFLINE,
        Phase.IDLE: MachineState.IDLE,
        Phase.RUNNING: MachineState.RUNNING,
        Phase.PAUSING: MachineState.PAUSING,
        Phase.PAUSED: MachineState.PAUSED,
        Phase.STOPPING: MachineState.STOPPING,
        Phase.BROKEN: MachineState.BROKEN,
    }
)


def state_of(phase: Phase, *, held: bool, taken: bool) -> MachineState:
    """Return the state to publish.

    :param held: after a failure, until a person at the machine says that it may be used again.
    :param taken: a job was taken on and has not ended; before the driver begins it, its file is
        being checked.
    """
    state = BY_PHASE[phase]
    if held and state is not MachineState.OFFLINE:
        return MachineState.BROKEN
    if taken and state is MachineState.IDLE:
        return MachineState.PREPARING
    return state


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a request is not done: the code is part of the API, the sentence is for people."""

    code: str
    reason: str


BUSY = Refused("machine-busy", "The machine is already running a job.")
IS_BROKEN = Refused("machine-broken", "Somebody must look at the machine and clear it first.")
IS_OFFLINE = Refused("machine-offline", "The machine is not connected.")
IS_BLOCKED = Refused("machine-blocked", "The machine's interlock does not allow it.")
NO_JOB = Refused("no-job", "No job is running.")
NOT_PAUSED = Refused("not-paused", "No job is paused.")
STILL_PAUSING = Refused("machine-pausing", "The machine is still coming to rest.")
STOPPING = Refused("machine-stopping", "The job is being stopped.")
OTHER_JOB = Refused("other-job", "Another job is on the machine by now.")
NOT_BROKEN = Refused("not-broken", "The machine is not broken: there is nothing to clear.")

_S = MachineState
_IDLE_LIKE = {_S.IDLE: NO_JOB, _S.BLOCKED: NO_JOB, _S.BROKEN: NO_JOB, _S.OFFLINE: IS_OFFLINE}
REQUESTS: Mapping[str, Mapping[MachineState, Refused | None]] = MappingProxyType(
    {
        "start": {
            _S.IDLE: None,
            _S.PREPARING: BUSY,
            _S.RUNNING: BUSY,
            _S.PAUSING: BUSY,
            _S.PAUSED: BUSY,
            _S.STOPPING: BUSY,
            _S.BLOCKED: IS_BLOCKED,
            _S.BROKEN: IS_BROKEN,
            _S.OFFLINE: IS_OFFLINE,
        },
        "pause": {
            **_IDLE_LIKE,
            _S.PREPARING: NO_JOB,
            _S.RUNNING: None,
            _S.PAUSING: None,
            _S.PAUSED: None,
            _S.STOPPING: STOPPING,
        },
        "resume": {
            **_IDLE_LIKE,
            _S.PREPARING: NOT_PAUSED,
            _S.RUNNING: NOT_PAUSED,
            _S.PAUSING: STILL_PAUSING,
            _S.PAUSED: None,
            _S.STOPPING: STOPPING,
        },
        "stop": {state: None for state in MachineState if state is not _S.UNKNOWN}
        | {_S.OFFLINE: IS_OFFLINE},
        "clear": {state: NOT_BROKEN for state in MachineState if state is not _S.UNKNOWN}
        | {_S.BROKEN: None, _S.OFFLINE: IS_OFFLINE},
    }
)


def refusal(verb: str, state: MachineState) -> Refused | None:
    """Return why a request is refused in this state; None: it may be done.

    :raises KeyError: the tables do not know the pair; a mistake of ours.
    """
    return REQUESTS[verb][state]
