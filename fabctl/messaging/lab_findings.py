"""What a lab's processes say about themselves, as facts for :mod:`fabctl.model.doctor_parts`."""

from __future__ import annotations

from datetime import datetime, timedelta

from fabctl.config import LabConfig
from fabctl.interlock import InterlockState
from fabctl.messaging.interlocks import InterlockPayload
from fabctl.messaging.lab_view import LabView
from fabctl.messaging.last_words import ClockView
from fabctl.messaging.payloads import MachineState
from fabctl.model.doctor_parts import FaultFacts, OtherClockFacts, ProcessFacts, StewardFacts
from fabctl.units import Seconds

STEWARD_LATE = Seconds(30.0)
"""It says a word every 10 s: three missed are no accident."""
STEWARD = "steward"


def process_facts(
    config: LabConfig, view: LabView, held: dict[str, bool | None], *, waited: bool
) -> list[ProcessFacts]:
    """Return what is known of the steward, each machine's process and each interlock's.

    :param held: by the names of these facts, whether a process of this computer holds its lock.
    :param waited: somebody listened long enough for each to speak; else silence tells nothing.
    """
    steward = ProcessFacts(STEWARD, "fabctl-steward", steward_speaks(view, waited=waited))
    machines = (
        ProcessFacts(name, f"fabctl-machine@{name}", _speaks(view, name, waited=waited))
        for name in config.machines
    )
    locks = (
        ProcessFacts(
            interlock_name(name),
            f"fabctl-interlock@{name}",
            True if view.hears_interlock(name) else (False if waited else None),
        )
        for name in config.interlocks
    )
    stewards = () if config.server else (steward,)  # the server's is not heard by who joined it
    return [
        ProcessFacts(one.name, one.unit, one.speaks, held.get(one.name))
        for one in (*stewards, *machines, *locks)
    ]


def interlock_name(machine: str) -> str:
    """Return how findings call the daemon of a machine's interlock."""
    return f"{machine}-interlock"


def fault_facts(config: LabConfig, view: LabView) -> list[FaultFacts]:
    """Return which faults the interlocks say that they are in; of a silent one nothing."""
    heard = (view.heard_of_interlock(name) for name in config.interlocks)
    return [
        FaultFacts(one.machine, readable=True, fault=_fault(one.said)) for one in heard if one.known
    ]


def _fault(said: InterlockPayload) -> str | None:
    return said.fault or ("?" if said.state == InterlockState.FAULT else None)


def steward_speaks(view: LabView, *, waited: bool) -> bool | None:
    """Say whether the steward's word is fresh; None: nothing was heard, or it was a kept word."""
    said = view.steward()
    if said.online is False:
        return False
    if said.online is None or said.age_s is None:
        return False if waited else None
    return said.age_s <= STEWARD_LATE


def _speaks(view: LabView, machine: str, *, waited: bool) -> bool | None:
    state = view.machine(machine).state
    if state == MachineState.OFFLINE:  # of its machine, or of itself?
        return view.says_offline(machine)
    if state != MachineState.UNKNOWN:
        return True
    silent = waited or view.machine(machine).age_s is not None
    return False if silent else None


def steward_facts(view: LabView) -> StewardFacts:
    """Return what the steward says of its work."""
    figures = view.steward().figures
    failures, held = figures.get("failures"), figures.get("clock_held")
    return StewardFacts(
        tidied_at=_moment(figures.get("tidied_at")),
        failures=failures if isinstance(failures, int) else None,
        last_failure=str(figures.get("last_failure") or ""),
        clock_held=bool(held) if isinstance(held, int) else None,
    )


def _moment(said: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(said))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def clock_facts(config: LabConfig, view: LabView) -> list[OtherClockFacts]:
    """Return which time the machines' computers show, of those of which one machine said so."""
    heard: dict[str, ClockView] = {}
    for name, machine in config.machines.items():
        said = view.clock_of(name)
        if said is not None:
            heard.setdefault(machine.host, said)
    return [
        OtherClockFacts(host, timedelta(seconds=said.ahead_s), said.synced)
        for host, said in heard.items()
    ]
