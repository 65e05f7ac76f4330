"""Checks of a lab's processes: whether they run, what they remember, which time they show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from fabctl.model.doctor import Finding, bad, fine, unknown, warn
from fabctl.model.texts import text

TIDIED_LATE = timedelta(hours=3)
"""The steward tidies every hour."""
OTHER_CLOCK = timedelta(seconds=60)
"""So far a machine's computer may show another time."""


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """One of a lab's processes: the web, the steward, a machine's, an interlock's."""

    name: str
    unit: str
    """How systemd calls it."""
    speaks: bool | None = None
    """Whether its word is fresh; None: nobody could listen."""
    runs: bool | None = None
    """Whether a process of this computer holds its lock; None: that cannot be seen here."""


def check_process(facts: ProcessFacts) -> Finding:
    """Say whether a process runs and speaks."""
    step = text(
        "Look why: journalctl -u {unit}. Start it again: sudo systemctl restart {unit}",
        unit=facts.unit,
    )
    if facts.speaks:
        return fine("process", text("{name} works.", name=facts.name), facts.name)
    if facts.runs is False or (facts.runs is None and facts.speaks is False):
        return bad("process", text("{name} does not run.", name=facts.name), step, facts.name)
    if facts.speaks is False:
        return bad(
            "process", text("{name} runs, but says nothing.", name=facts.name), step, facts.name
        )
    if facts.runs:
        return unknown(
            "process",
            text("{name} runs; whether it works is not known.", name=facts.name),
            facts.name,
        )
    return unknown(
        "process", text("Whether {name} runs is not known.", name=facts.name), facts.name
    )


@dataclass(frozen=True, slots=True)
class StewardFacts:
    """What a steward that speaks says of its work. None: it did not say."""

    tidied_at: datetime | None = None
    failures: int | None = None
    last_failure: str = ""
    clock_held: bool | None = None
    """Whether it puts work off because the wall clock jumped."""


def check_steward(facts: StewardFacts, now: datetime) -> list[Finding]:
    """Say whether the clock's work is done."""
    found = []
    if facts.clock_held:
        found.append(
            warn(
                "clock-step",
                text("The clock jumped: the steward does not follow it yet."),
                text("Is the date right? Then wait 15 minutes. Else correct it: timedatectl."),
            )
        )
    if facts.failures:
        found.append(
            warn(
                "steward-failures",
                text(
                    "The steward failed {count} times; last: {why}",
                    count=facts.failures,
                    why=facts.last_failure,
                ),
                text("Look what failed: journalctl -u fabctl-steward."),
            )
        )
    if facts.tidied_at is None:
        found.append(unknown("housekeeping", text("When the steward last tidied up is not known.")))
    elif now - facts.tidied_at > TIDIED_LATE:
        hours = int((now - facts.tidied_at).total_seconds() // 3600)
        found.append(
            warn(
                "housekeeping",
                text("The steward last tidied up {hours} h ago.", hours=hours),
                text("Look what keeps it: journalctl -u fabctl-steward."),
            )
        )
    else:
        found.append(fine("housekeeping", text("The steward tidies up every hour.")))
    return found


@dataclass(frozen=True, slots=True)
class FaultFacts:
    """What an interlock's fault file holds."""

    machine: str
    readable: bool | None
    """None: there is no such file (yet); False: it may not be read, or not understood."""
    fault: str | None = None
    """The fault's code."""


def check_fault(facts: FaultFacts) -> Finding:
    """Say whether an interlock remembers a fault."""
    machine = facts.machine
    if facts.readable is None:
        return unknown(
            "interlock",
            text("The interlock of {machine} has kept nothing here.", machine=machine),
            machine,
        )
    if not facts.readable:
        return unknown(
            "interlock",
            text("What the interlock of {machine} keeps cannot be read.", machine=machine),
            machine,
        )
    if facts.fault is not None:
        return bad(
            "interlock",
            text(
                "The interlock of {machine} is in fault: {fault}.",
                machine=machine,
                fault=facts.fault,
            ),
            text(
                "Repair it, then clear it at the machine: fabctl interlock {machine} --clear-fault",
                machine=machine,
            ),
            machine,
        )
    return fine(
        "interlock",
        text("The interlock of {machine} remembers no fault.", machine=machine),
        machine,
    )


@dataclass(frozen=True, slots=True)
class OtherClockFacts:
    """The clock of a machine's computer, beside this one's."""

    machine: str
    ahead: timedelta
    """Negative: behind."""
    synced: bool


def check_other_clock(facts: OtherClockFacts) -> list[Finding]:
    """Say when a machine's computer shows another time; nothing when it shows the same."""
    if abs(facts.ahead) <= OTHER_CLOCK:
        return []
    said: dict[str, str | float] = {
        "machine": facts.machine,
        "minutes": int(abs(facts.ahead).total_seconds() // 60),
    }
    step = text("Look at timedatectl there and here.")
    if facts.ahead > timedelta(0):
        return [
            warn(
                "other-clock",
                text("The clock of {machine} is {minutes} min ahead of this one.", **said),
                step,
                facts.machine,
            )
        ]
    return [
        warn(
            "other-clock",
            text("The clock of {machine} is {minutes} min behind this one.", **said),
            step,
            facts.machine,
        )
    ]
