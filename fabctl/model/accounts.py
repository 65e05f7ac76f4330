"""Accounts: what is charged and counted. A person has one; a group has one, and members."""

from __future__ import annotations

from enum import StrEnum

from fabctl.model.people import hides_characters
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

NAME_MOST = 120
"""Characters of a group's name."""


class GroupKind(StrEnum):
    """What kind of group an account is of."""

    COLLECTIVE = "collective"
    """People who try out paid work together."""
    PARTNER = "partner"
    """An organisation that sends people, and holds places in workshops."""
    ASSOCIATION = "association"
    """An association in residence."""


def name_refusals(name: str) -> list[Refusal]:
    """Say what is wrong with a group's name (blanks around it cut off): 1 to 120 characters.

    Of any script, and emoji; what nobody can see is refused as in people's names.
    """
    if 1 <= len(name) <= NAME_MOST and not hides_characters(name):
        return []
    return [
        Refusal(
            "group-name-malformed",
            text("A group's name has 1 to {most} characters.", most=NAME_MOST),
            text("Choose another name."),
        )
    ]


def not_acting() -> Refusal:
    """Return the refusal for somebody who charges a group that they do not act for."""
    return Refusal(
        "not-acting-for-account",
        text("You do not act for this group."),
        text("Ask the staff for the right to act for it."),
    )


def not_a_group() -> Refusal:
    """Return the refusal for members of an account that is one person's."""
    return Refusal(
        "not-a-group",
        text("This account is one person's: it has no members."),
        text("Choose a group's account."),
    )
