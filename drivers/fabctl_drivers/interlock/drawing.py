"""``docs/interlock-states.md``, drawn from the table, the times and the sentences. Pure.

``python -m fabctl_drivers.interlock.drawing > docs/interlock-states.md`` redraws it; a test fails
when the document is older than the code.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Final

from fabctl.interlock import FlowLimits, Timings
from fabctl.interlock import InterlockState as State
from fabctl.permits import USUAL_S
from fabctl_drivers.interlock.causes import SENTENCES, Advice, Cause, FaultCode, PermitRefusal
from fabctl_drivers.interlock.chain import LATE_S, STALL_S
from fabctl_drivers.interlock.contacts import MONOSTABLE_S
from fabctl_drivers.interlock.inputs import UNREAD_SCANS
from fabctl_drivers.interlock.permit_desk import CHALLENGE_EVERY_S, OLD_AFTER_S
from fabctl_drivers.interlock.table import NEXT, OUTPUTS_ON, Event

COMMAND: Final = "python -m fabctl_drivers.interlock.drawing > docs/interlock-states.md"

_HEAD: Final = f"""\
# The states of an interlock

Drawn from the code by `{COMMAND}`; do not edit it by hand.

One scan makes one move at most. It looks for events in the order of the table's rows: what takes
away comes before what gives, so a fault beats a trip, a trip beats the end of a permit, and
each of them beats the reset button. Outputs are on (pulses for K1, a level for K2) in
{", ".join(f"**{state}**" for state in State if state in OUTPUTS_ON)} only.
"""

_TIMES: Final = {
    "scan_s": "one scan",
    "safe_after_s": "an input counts as safe after so long without an unsafe scan",
    "lid_discrepancy_s": "the two lid channels may differ for so long, then FAULT",
    "feedback_s": f"a relay may take so long; K1's release {MONOSTABLE_S:g} s more (monostable)",
    "reset_min_s": "reset is held without a break for at least so long, and acts at its release",
    "reset_max_s": "reset held for longer is a FAULT",
    "flow_gap_s": "water may stay without a pulse for so long",
    "flow_low_s": "water may stay under the minimum for so long",
    "flow_start_s": "an arming without water gets so long, once, until water has been seen",
    "exhaust_s": "the exhaust may be off for so long in all, until it is on for as long without a "
    "break; before arming not at all",
    "idle_running_s": "RUNNING ends after so long without the run signal",
    "idle_armed_s": "ARMED ends after so long without the run signal",
    "idle_drain_s": "DRAIN ends after so long without the run signal",
    "drain_s": "DRAIN lasts so long at most",
    "clear_s": "TRIPPED ends after so long without any cause",
}
"""What each of Timings means here."""


def document() -> str:
    """Return the whole document."""
    parts = [_HEAD, *_diagram(), *_table(), *_times(), *_codes()]
    return "\n".join(parts)


def _diagram() -> Iterator[str]:
    yield "## The moves\n\n```mermaid\nstateDiagram-v2\n    [*] --> boot"
    for state in State:
        for event in Event:
            after = NEXT[state, event]
            if after is not state and not _from_everywhere(event):
                yield f"    {state} --> {after}: {event.value}"
    yield "```\n"
    for event in Event:
        if _from_everywhere(event):
            stay = [state for state in State if NEXT[state, event] is state]
            but = f" but {', '.join(stay)}" if len(stay) > 1 else ""
            after = next(NEXT[s, event] for s in State if NEXT[s, event] is not s)
            yield f"From every state{but}: {event.value} → **{after}**.\n"


def _from_everywhere(event: Event) -> bool:
    return event in {Event.FAILED, Event.UNSAFE}


def _table() -> Iterator[str]:
    yield "## The table\n\nEvery state with every event; `·` stays.\n"
    yield _row(["event", *State])
    yield _row(["---"] * (len(State) + 1))
    for event in Event:
        cells = [NEXT[state, event] for state in State]
        moves = [
            "·" if to is state else f"**{to}**" for state, to in zip(State, cells, strict=True)
        ]
        yield _row([event.value, *moves])
    yield ""


def _times() -> Iterator[str]:
    usual, flow = Timings(), FlowLimits()
    yield "## The times\n\nUsual values; `timings` of an interlock in lab.toml sets others.\n"
    yield _row(["name", "usual", "what it does"])
    yield _row(["---"] * 3)
    for one in fields(Timings):
        yield _row([f"`{one.name}`", f"{getattr(usual, one.name):g} s", _TIMES[one.name]])
    yield f"""
Not to be set:

- An input counts as unsafe at its second unsafe scan without `safe_after_s` of safe ones between;
  at its first one when that scan came more than {LATE_S * 1000:g} ms after the scan before.
- An input that is not read in {UNREAD_SCANS} scans in a row is a FAULT.
- A scan that did not read every input gives K1 no pulse.
- A gap of more than {STALL_S * 1000:g} ms between two scans trips.
- Time that runs backwards is a FAULT and ends the permit.
- A new challenge is told every {CHALLENGE_EVERY_S:g} s. A permit names one that is at most
  {OLD_AFTER_S:g} s old, or it is refused: somebody held it back.
- No permit holds for more than {USUAL_S:g} s, whatever it says.

To be set under `flow`: under `min_hz` ({flow.min_hz:g} pulses per s) too little water flows; over
`max_hz` ({flow.max_hz:g}) it is no water but a FAULT.
"""


def _codes() -> Iterator[str]:
    for title, codes in (
        ("What trips", Cause),
        ("What is a fault", FaultCode),
        ("What it waits for", Advice),
        ("Why a permit is refused", PermitRefusal),
    ):
        yield f"## {title}\n"
        yield _row(["code", "what is said", "what to do"])
        yield _row(["---"] * 3)
        for code in codes:
            sentence = SENTENCES[code]
            yield _row([f"`{code}`", sentence.what, sentence.next_step])
        yield ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(document())
