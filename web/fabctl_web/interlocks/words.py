"""The interlock in plain words: its states, its inputs, what tripped, and what to do.

Written for somebody of fifteen: short sentences, no number of a norm. English here; the
catalogue has the others.
"""

from __future__ import annotations

from dataclasses import dataclass

from fabctl.interlock import InputRole, InterlockState, ProfileKind
from fabctl.interlock_causes import SENTENCES, UNHEARD_OF, Advice, Sentence
from fabctl_web.board.faces import Look


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


def sentence(code: str) -> Sentence:
    """Return what the interlock says by a code, in English; any other code is unheard of."""
    return SENTENCES.get(code, UNHEARD_OF)


UNKNOWN_LOOK = Look("silent", "circle-question-mark", _("Not known"))
LOOKS = {
    InterlockState.BOOT: Look("paused", "hourglass", _("Starting up")),
    InterlockState.SELFTEST: Look("paused", "hourglass", _("Checks itself")),
    InterlockState.LOCKED: Look("blocked", "lock", _("Locked")),
    InterlockState.READY: Look("reserved", "key-round", _("Waits for the green button")),
    InterlockState.ARMED: Look("busy", "play", _("Armed")),
    InterlockState.RUNNING: Look("busy", "clock", _("At work")),
    InterlockState.DRAIN: Look("busy", "hourglass", _("Finishes its work")),
    InterlockState.TRIPPED: Look("broken", "octagon-x", _("Cut off")),
    InterlockState.FAULT: Look("broken", "wrench", _("Fault")),
}
MEANINGS = {
    InterlockState.BOOT: _("The interlock has just started. The machine stays off."),
    InterlockState.SELFTEST: _("The interlock checks itself. The machine stays off."),
    InterlockState.LOCKED: _("Nobody has permission now. The machine stays off."),
    InterlockState.READY: _("The permission is there. The machine is still off."),
    InterlockState.ARMED: _("The machine can work now. Stay beside it."),
    InterlockState.RUNNING: _("The machine works. Stay beside it."),
    InterlockState.DRAIN: _("The permission is over. The machine finishes, then it locks."),
    InterlockState.TRIPPED: _("Something was not safe. The machine is off."),
    InterlockState.FAULT: _("The interlock has cut off. Do not touch it: a part does not work."),
}
"""In FAULT never that the machine is off: a relay that is welded leaves it on."""
UNKNOWN_MEANING = _("Nobody knows whether the machine is safe. Treat it as dangerous.")


@dataclass(frozen=True)
class InputWords:
    """One input, in words."""

    name: str
    passed: str
    failed: str
    unknown: str
    fix: str
    """What to do when it failed; empty: nothing that a maker can do."""


_CLOSED = (_("closed"), _("open"), _("perhaps open"))
INPUTS = {
    InputRole.LID_A: InputWords(_("Lid, first contact"), *_CLOSED, _("Close the lid.")),
    InputRole.LID_B: InputWords(_("Lid, second contact"), *_CLOSED, _("Close the lid.")),
    InputRole.FLOW: InputWords(
        _("Cooling water"), _("flows"), _("does not flow enough"), _("perhaps stopped"),
        _("Switch the water pump on."),
    ),
    InputRole.EXHAUST: InputWords(
        _("Fume extraction"), _("runs"), _("does not run"), _("perhaps stopped"),
        _("Switch the fume extraction on."),
    ),
    InputRole.ESTOP: InputWords(
        _("Red button"), _("released"), _("pressed"), _("perhaps pressed"),
        _("Find out why. Then turn the red button to release it."),
    ),
    InputRole.KEY: InputWords(
        _("Key"), _("turned on"), _("turned off"), _("perhaps turned off"), _("Turn the key on."),
    ),
    InputRole.RESET: InputWords(
        _("Green button"), _("released"), _("held down"), _("perhaps held down"),
        _("Let go of the green button."),
    ),
    InputRole.K1_FEEDBACK: InputWords(
        _("Relay K1"), _("as it should be"), _("does not follow"), _("perhaps stuck"), "",
    ),
    InputRole.K2_FEEDBACK: InputWords(
        _("Relay K2"), _("as it should be"), _("does not follow"), _("perhaps stuck"), "",
    ),
    InputRole.ACTIVE: InputWords(
        _("Work signal"), _("as it should be"), _("comes without permission"), _("perhaps at work"),
        "",
    ),
}  # fmt: skip
DOOR = {
    InputRole.LID_A: InputWords(_("Door, first contact"), *_CLOSED, _("Close the door.")),
    InputRole.LID_B: InputWords(_("Door, second contact"), *_CLOSED, _("Close the door.")),
}
"""A mill has a door where a laser has a lid."""

TROUBLE = _("The interlock cannot write to its disk. Tell the staff.")
NO_NEWS = _("Do not use the machine. If this stays, tell the staff.")
CLEARED_AT_THE_MACHINE = _("Only the staff can clear it, at the machine, never on a screen.")
ASK_FOR_PERMISSION = sentence(Advice.NO_PERMIT).next_step
PRESS_GREEN = sentence(Advice.PRESS_RESET).next_step


def input_words(role: InputRole, kind: ProfileKind) -> InputWords:
    """Return an input's words; a mill has a door instead of a lid."""
    if kind is ProfileKind.ENCLOSURE and role in DOOR:
        return DOOR[role]
    return INPUTS[role]


def look_of(state: str) -> Look:
    """Return a state's look; whatever is not a known state is unknown."""
    return LOOKS[InterlockState(state)] if state in set(InterlockState) else UNKNOWN_LOOK


def meaning_of(state: str) -> str:
    """Return a state's sentence."""
    return MEANINGS[InterlockState(state)] if state in set(InterlockState) else UNKNOWN_MEANING
