"""A session's machines, opened for its group: participants work as ``supervised``.

Only during the session, only on a machine that was opened, and only while an animator of the
session who is certified on that machine is checked in.
"""

from __future__ import annotations

from dataclasses import dataclass

from fabctl.model.certification import Standing
from fabctl.model.consent import consent_missing_of_guardian, consent_missing_of_person
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """A running session that holds the machine, seen by one person."""

    animator: bool
    """Whether the person leads this session."""
    enrolled: bool
    """Whether they have a confirmed place in it."""
    opened: bool
    """Whether the machine is open for the group."""
    animator_here: bool
    """Whether an animator who is certified on the machine is checked in."""
    consent: bool = True
    """Whether the consent that their age asks for is on file."""
    minor: bool = False

    @property
    def lends_the_machine(self) -> bool:
        """Whether the session's claim on the machine is this person's to use."""
        return self.animator or (self.enrolled and self.opened)


def supervision_refusal(facts: GroupFacts) -> Refusal | None:
    """Say that nobody answers for the group now; None: somebody does."""
    if facts.animator_here:
        return None
    return Refusal(
        "supervision-missing",
        text("No animator who is certified on this machine is checked in."),
        text("Ask an animator of the session to check in."),
    )


def consent_refusal(facts: GroupFacts) -> Refusal | None:
    """Say that a participant's consent is missing; None: it is on file, or not needed."""
    if facts.consent:
        return None
    return consent_missing_of_guardian() if facts.minor else consent_missing_of_person()


def under_the_group(facts: GroupFacts | None, standing: Standing) -> bool:
    """Say whether the group's rules decide in place of a certification.

    Whoever is certified needs none of them; whoever is suspended is not let in by the back door.
    """
    return (
        facts is not None
        and facts.enrolled
        and facts.opened
        and standing not in {Standing.VALID, Standing.SUSPENDED}
    )
