"""The lines of the interlocks' history, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fabctl.model.event import EventKind
from fabctl.services.interlock_history import InterlockEventView
from fabctl_web.interlocks.words import sentence
from fabctl_web.lab import Lab
from fabctl_web.speech import Speech


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


KINDS = {
    EventKind.INTERLOCK_TRIPPED: _("Cut off"),
    EventKind.INTERLOCK_FAULT: _("Fault"),
    EventKind.INTERLOCK_CLEARED: _("Fault cleared at the machine"),
    EventKind.INTERLOCK_ARMED: _("Armed"),
    EventKind.INTERLOCK_LOCKED: _("Locked"),
    EventKind.INTERLOCK_RAN: _("At work"),
    EventKind.INTERLOCK_PERMIT_REFUSED: _("Permit refused"),
    EventKind.INTERLOCK_TROUBLE: _("Cannot write to its disk"),
    EventKind.INTERLOCK_BOOT: _("Started again"),
}
ICONS = {
    EventKind.INTERLOCK_TRIPPED: ("broken", "octagon-x"),
    EventKind.INTERLOCK_FAULT: ("broken", "wrench"),
    EventKind.INTERLOCK_TROUBLE: ("broken", "wrench"),
    EventKind.INTERLOCK_PERMIT_REFUSED: ("blocked", "key-round"),
    EventKind.INTERLOCK_LOCKED: ("blocked", "lock"),
    EventKind.INTERLOCK_ARMED: ("busy", "play"),
    EventKind.INTERLOCK_RAN: ("busy", "clock"),
    EventKind.INTERLOCK_BOOT: ("paused", "hourglass"),
    EventKind.INTERLOCK_CLEARED: ("free", "check"),
}
OTHER = ("silent", "circle-question-mark")


@dataclass(frozen=True)
class Row:
    """One line, ready to be shown."""

    id: int
    when: str
    estimated: bool
    """Whether the machine's clock was wrong: it happened before the time shown."""
    machine: str
    name: str
    """Whose use it was; empty: nobody's."""
    css: str
    icon: str
    word: str
    why: str
    reason: str
    """English, for technicians."""


def rows_of(found: Iterable[InterlockEventView], lab: Lab, speech: Speech) -> list[Row]:
    """Return lines as the page shows them to the staff."""
    return [_row(event, lab, speech) for event in found]


def _row(event: InterlockEventView, lab: Lab, speech: Speech) -> Row:
    machine = lab.config.machines.get(event.machine)
    kind = EventKind(event.kind) if event.kind in set(EventKind) else None
    css, icon = ICONS.get(kind, OTHER) if kind else OTHER
    return Row(
        id=event.id,
        when=speech.moment(event.happened_at, lab.clock.now()),
        estimated=not event.synced,
        machine=machine.name if machine else event.machine,
        name=event.name or "",
        css=css,
        icon=icon,
        word=speech(KINDS[kind]) if kind in KINDS else event.kind,
        why=_why(event, speech),
        reason=event.reason or "",
    )


def _why(event: InterlockEventView, speech: Speech) -> str:
    said = speech(sentence(event.code).what) if event.code else ""
    if event.seconds is not None:
        said = " ".join(part for part in (said, speech.lasting(event.seconds)) if part)
    if event.count is not None and event.count > 1:
        said = f"{said} ({event.count} ×)".strip()
    return said
