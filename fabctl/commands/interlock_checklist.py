"""The commissioning checks of an interlock, in order: the one list. Pure.

``fabctl interlock ID --commission`` walks through it; ``deploy/interlock-checks.md`` is written
from it (:mod:`fabctl.commands.interlock_sheet`). What can hurt is first checked without power and
without the computer; then what is read, then what lets go, then every fault, provoked on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fabctl.commands.interlock_check import Check
from fabctl.commands.interlock_checks_faults import faults
from fabctl.commands.interlock_checks_on import arming, by_hand, letting_go
from fabctl.commands.interlock_readings import (
    Figure,
    Reading,
    Sight,
    are,
    condition_of,
    is_active,
    not_passed,
    rests,
)
from fabctl.interlock import InputRole, InterlockProfile, InterlockState

MOST_VOLTS_OFF = 0.4
"""A line counts as off below this; a logic-level MOSFET's threshold is above it (data sheet)."""
LIDS = (InputRole.LID_A, InputRole.LID_B)
_SWITCHED: Mapping[InputRole, tuple[str, str]] = {
    InputRole.FLOW: ("Stop the cooling water.", "Let the cooling water run."),
    InputRole.EXHAUST: ("Switch the exhaust off.", "Switch the exhaust on."),
    InputRole.ESTOP: (
        "Push the emergency stop.",
        "Turn the emergency stop free; the safety relay's own reset.",
    ),
    InputRole.KEY: ("Turn the key to off.", "Turn the key to on."),
}


def every_check() -> list[tuple[str, list[Check]]]:
    """Return every check of every kind, under the headings of its parts."""
    return [
        ("Without power", list(_without_power())),
        ("The hard-wired chain alone", list(_hard_wired())),
        ("The computer starts", list(_starting())),
        ("Inputs", list(_inputs())),
        ("Arming", list(arming())),
        ("Letting go", list(letting_go())),
        ("Faults", list(faults())),
        ("The real thing", list(by_hand())),
    ]


def numbered() -> list[tuple[int, Check]]:
    """Return every check with its number, the same in the document and in the walk."""
    flat = [check for _, checks in every_check() for check in checks]
    return list(enumerate(flat, 1))


def checklist(profile: InterlockProfile) -> list[tuple[int, Check]]:
    """Return this interlock's checks with their numbers, in the order in which they are made."""
    return [(number, check) for number, check in numbered() if check.is_for(profile)]


def _without_power() -> Iterator[Check]:
    yield Check(
        "wires",
        "All power off and locked. Compare every wire with the table of wires, pull at each.",
        ask=(Sight("Every wire is where the table says, and none is loose."),),
    )
    yield Check(
        "contacts-open",
        "Ohmmeter from X3.1 to X3.2 (K1) and from X3.2 to X3.3 (K2).",
        ask=(Sight("No continuity, neither over K1 nor over K2."),),
    )
    yield Check(
        "series",
        "Follow the enable circuit from 24 V to the contactors' coils, then the power itself.",
        ask=(
            Sight("SR-1, SR-2, K1 and K2 are in series; nothing is in parallel to any of them."),
            Sight("KM1 and KM2 are in series in the supply of the dangerous part."),
            Sight("Computer, pump, exhaust and motion controller are fed from before KM1."),
        ),
    )


def _hard_wired() -> Iterator[Check]:
    yield Check(
        "bridged",
        "Power still off and locked, the computer unplugged: bridge X3.1 to X3.3. "
        "Then power on, and the safety relay's own reset.",
        ask=(Sight("KM1 and KM2 pull in: the bridge is where it should be."),),
    )
    yield Check(
        "bridged-estop",
        "Press the emergency stop; release it.",
        ask=(
            Sight("The dangerous part lost its power at once, by the safety relay alone."),
            Sight("It stayed off after the release, until the safety relay's own reset."),
        ),
    )
    yield Check(
        "bridged-lid",
        "Safety relay reset: open the lid or door; close it.",
        ask=(
            Sight("The dangerous part lost its power at once, by the safety relay alone."),
            Sight("It stayed off after closing, until the safety relay's own reset."),
        ),
        needs=frozenset({InputRole.LID_A}),
    )
    yield Check(
        "bridge-gone",
        "All power off and locked. Take the bridge away. Ohmmeter from X3.1 to X3.3.",
        ask=(Sight("The bridge is gone and there is no continuity."),),
    )


def _starting() -> Iterator[Check]:
    yield Check(
        "boot",
        "Power on. Start the computer and watch both relays from power-on to the login.",
        Reading("outputs off", lambda now, _: now["outputs_on"] is False),
        (Sight("Neither relay moved, not even for a moment."),),
    )
    yield Check(
        "volts",
        "Voltmeter: the line of K1 ({k1}) and the line of K2 ({k2}) against ground.",
        ask=(
            Figure("K1's line", "V", 0.0, MOST_VOLTS_OFF),
            Figure("K2's line", "V", 0.0, MOST_VOLTS_OFF),
        ),
    )
    yield Check(
        "pins",
        "fabctl check-config, beside the table of wires.",
        ask=(Sight("Every pin of the table is the one of lab.toml."),),
    )


def _inputs() -> Iterator[Check]:
    yield from _lid()
    for role, (off, on) in _SWITCHED.items():
        needs = frozenset({role})
        yield Check(f"{role}-off", off, not_passed(role), needs=needs)
        yield Check(f"{role}-on", on, are("passed", role), needs=needs)
    for role in (*_SWITCHED, InputRole.LID_A):
        one_lid = frozenset({InputRole.LID_B}) if role is InputRole.LID_A else frozenset()
        yield from _pulled(role, not_passed(role), are("passed", role), one_lid)
    yield from _pulled(
        InputRole.ACTIVE, is_active(active=True, on=False), is_active(active=False, on=False)
    )


def _lid() -> Iterator[Check]:
    both, one = frozenset(LIDS), frozenset({InputRole.LID_A})
    opened, closed = "Open the lid or door.", "Close it."
    lacks_b = frozenset({InputRole.LID_B})
    yield Check("lids-open", opened, are("failed", *LIDS), needs=both)
    yield Check("lids-closed", closed, _closed(*LIDS), needs=both)
    yield Check("lid-open", opened, are("failed", InputRole.LID_A), needs=one, lacks=lacks_b)
    yield Check("lid-closed", closed, _closed(InputRole.LID_A), needs=one, lacks=lacks_b)


def _closed(*roles: InputRole) -> Reading:
    """Closed, and with that the self-test's question is answered."""
    passed = are("passed", *roles)
    after = rests(InterlockState.LOCKED, InterlockState.READY)
    return Reading(
        f"{passed.words}; {after.words}",
        lambda now, before: (
            all(condition_of(before, role) == "failed" for role in roles)
            and passed.holds(now, before)
            and after.holds(now, before)
        ),
    )


def _pulled(
    role: InputRole, off: Reading, on: Reading, lacks: frozenset[InputRole] = frozenset()
) -> Iterator[Check]:
    needs = frozenset({role})
    yield Check(
        f"{role}-pulled", f"Pull the wire of `{role}` off its terminal.", off, (), needs, lacks
    )
    yield Check(f"{role}-put-back", f"Put the wire of `{role}` back.", on, (), needs, lacks)
