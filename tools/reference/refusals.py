"""Every "no" that fabctl can say: its code, its sentence, and what to do, read from the source.

A refusal is made where its rule is, so there is no list to ask. Sentences keep their ``{values}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fabctl.gcode.codes import GRBL_JUDGEMENTS, MARLIN_JUDGEMENTS
from fabctl.model.booking import OVERRIDABLE
from fabctl_web.machines.control import ANSWERS
from tools.reference.markdown import code, table
from tools.reference.sentences import calls

MAKERS = {"Refusal": (0, 1, 2), "Explained": (1, 2, 3)}
"""Who makes one: the places of its code, its sentence and its next step."""
FORBIDDEN = "forbidden-command"
"""Of a file: its sentences are in a table of commands, not where it is made."""


@dataclass
class Said:
    """What one code says, in all its wordings."""

    messages: dict[str, None] = field(default_factory=dict)
    steps: dict[str, None] = field(default_factory=dict)


def refusals() -> str:
    """Return the table of all codes that rules say."""
    rows = (
        (code(name), "<br>".join(said.messages), "<br>".join(said.steps))
        for name, said in sorted(by_code().items())
    )
    return table(("code", "what it says", "the next step"), rows)


def set_aside() -> str:
    """Return the codes of a booking that the staff may set aside with a reason, in one sentence."""
    return ", ".join(code(name) for name in sorted(OVERRIDABLE))


def of_machines() -> str:
    """Return the table of what a machine answers when it does not do what it is asked."""
    rows = ((code(name), said.template) for name, said in sorted(ANSWERS.items()))
    return table(("code", "what it says, and what to do"), rows)


def of_files() -> str:
    """Return the table of what may be wrong with a G-code file."""
    found = by_file()
    judgements = (*MARLIN_JUDGEMENTS.values(), *GRBL_JUDGEMENTS.values())
    found[FORBIDDEN].messages |= dict.fromkeys(one.why.template for one in judgements if one.error)
    rows = ((code(name), "<br>".join(said.messages)) for name, said in sorted(found.items()))
    return table(("code", "what it says"), rows)


def by_code() -> Mapping[str, Said]:
    """Return what every code says."""
    found: dict[str, Said] = {}
    for call in calls(frozenset(MAKERS)):
        named, message, step = MAKERS[call.name]
        if len(call.args) > step and (name := call.constant(named)) is not None:
            said = found.setdefault(name, Said())
            said.messages |= dict.fromkeys(call.sentences(message))
            said.steps |= dict.fromkeys(call.sentences(step))
    return found


def by_file() -> Mapping[str, Said]:
    """Return what every code of a file's problems says."""
    found: dict[str, Said] = {}
    for call in calls(frozenset({"error", "warning"})):
        if call.name == "error" and len(call.args) == 3 and (name := call.constant(1)) is not None:
            said = found.setdefault(name, Said())
            said.messages |= dict.fromkeys(call.sentences(2))
    return found
