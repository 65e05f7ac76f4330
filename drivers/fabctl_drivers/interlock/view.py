"""What the chain tells: its outputs, a snapshot for the socket, events for the record. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fabctl.interlock import InputCondition, InputRole, InterlockState
from fabctl.units import Seconds
from fabctl_drivers.interlock.causes import Advice, Cause, FaultCode, FaultRecord, PermitRefusal
from fabctl_drivers.interlock.table import Event


@dataclass(frozen=True, slots=True)
class Outputs:
    """What one scan allows."""

    k2: bool
    """The level of K2's enable."""
    pulse: bool
    """Toggle K1's dead-man line once, in this scan."""


OFF: Final = Outputs(k2=False, pulse=False)


@dataclass(frozen=True, slots=True)
class InputView:
    """One input as people see it."""

    role: InputRole
    condition: InputCondition
    age_s: Seconds
    """How long it has been in this condition."""
    say: str | None
    """A code of ``fabctl.interlock_causes`` that says what to do; None: nothing."""


@dataclass(frozen=True, slots=True)
class PermitView:
    """The permit that holds."""

    use: str
    person: str
    left_s: Seconds


@dataclass(frozen=True, slots=True)
class ChainView:
    """A snapshot, true at the last scan."""

    boot: str
    state: InterlockState
    since_s: Seconds
    """How long it has been in this state."""
    cause: Cause | None
    """What trips it now, or tripped it last; None once it was armed again."""
    first_cause: Cause | None
    """What tripped it first since it was last armed."""
    fault: FaultRecord | None
    advice: Advice | None
    """What it waits for, where that is neither a cause nor a fault."""
    inputs: tuple[InputView, ...]
    permit: PermitView | None
    permits_refused: Mapping[PermitRefusal, int]
    outputs_on: bool
    active: bool | None
    """The machine's run signal; None where it has none, or it was not read yet."""
    trips: int
    """Entries into TRIPPED since this boot."""
    uptime_s: Seconds
    challenge: str
    """What the next permit must name."""


@dataclass(frozen=True, slots=True)
class ChainEvent:
    """A change of state, or a further cause or fault within one."""

    at: float
    """Monotonic, s."""
    event: Event
    was: InterlockState
    state: InterlockState
    cause: Cause | None
    fault: FaultCode | None
    why: str
    """English, for staff."""
    use: str | None
    """The use that the outputs were switched on for, else the one whose permit holds."""
