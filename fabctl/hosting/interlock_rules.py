"""What an interlock's state means for its machine: what may be asked, what a job must do. Pure.

One table, read whole by a test: a state without a row is an error. ``unknown`` is a state like the
others and permits nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from fabctl.hosting.machine_states import Refused
from fabctl.interlock import InterlockState as State
from fabctl.interlock_causes import SENTENCES
from fabctl.messaging.interlocks import UNKNOWN, InterlockPayload
from fabctl.messaging.payloads import MachineState


class Act(Enum):
    """What a job that its machine has begun must do."""

    GO_ON = "go on"
    PAUSE = "come to rest in order; a person at the machine goes on"
    FAIL_UNLESS_AT_REST = "end now; a job that rests already may wait for a new permission"
    FAIL = "end now: it may never count as finished"


@dataclass(frozen=True, slots=True)
class Row:
    """One state of an interlock."""

    refused: Refused | None
    """What a start or a resume is told; None: it may go on."""
    act: Act
    shown: MachineState | None = None
    """In place of idle; None: the interlock changes nothing about what is shown."""
    works: bool = False
    """Whether the time counts as work, and an opaque machine is shown as running."""


_NOT_ARMED = Refused(
    "interlock-not-armed",
    "The interlock is not armed. Press the green button at the machine.",
)
_LOCKED = Refused(
    "interlock-locked",
    "The interlock is locked: nobody has said that they use the machine. Say so on the machine's "
    "page, then press the green button at the machine.",
)
_DRAINING = Refused(
    "interlock-draining",
    "The permission to use the machine has ended. Wait until what runs is over.",
)
_TRIPPED = Refused(
    "interlock-tripped",
    "The interlock has tripped. Put right what tripped it, then press the green button at the "
    "machine.",
)
_STARTING = Refused(
    "interlock-starting",
    "The interlock tests itself. Open the lid or door once and close it, then press the green "
    "button at the machine.",
)
_FAULT = Refused(
    "interlock-fault", "The interlock has found a fault. Do not use the machine. Tell the staff."
)
_UNKNOWN = Refused(
    "interlock-unknown",
    "Nobody knows what the interlock is doing. Wait a few seconds. If it stays so, tell the staff.",
)

ROWS: Mapping[str, Row] = MappingProxyType(
    {
        UNKNOWN: Row(_UNKNOWN, Act.PAUSE, MachineState.BLOCKED),
        State.BOOT: Row(_STARTING, Act.PAUSE),
        State.SELFTEST: Row(_STARTING, Act.PAUSE),
        State.LOCKED: Row(_LOCKED, Act.FAIL_UNLESS_AT_REST),
        State.READY: Row(_NOT_ARMED, Act.FAIL_UNLESS_AT_REST),
        State.ARMED: Row(None, Act.GO_ON),
        State.RUNNING: Row(None, Act.GO_ON, works=True),
        State.DRAIN: Row(_DRAINING, Act.GO_ON, works=True),
        State.TRIPPED: Row(_TRIPPED, Act.PAUSE),
        State.FAULT: Row(_FAULT, Act.FAIL, MachineState.BLOCKED),
    }
)
"""Every state, ``unknown`` included.

LOCKED and READY in the middle of a job that runs: the permission ended, and what is left of the
file would be drawn without the laser. With the lid open an interlock that nobody uses is TRIPPED:
that is no reason to show its machine as blocked.
"""


def why(said: InterlockPayload) -> str:
    """Return one English sentence on why an interlock is off."""
    code = said.fault or said.first_cause or said.cause
    sentence = SENTENCES.get(code) if code else None
    if sentence is not None:
        return sentence.what
    refused = ROWS[said.state].refused
    return refused.reason if refused else "The interlock let go."
