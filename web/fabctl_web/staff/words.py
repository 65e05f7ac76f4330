"""What the staff's pages call roles, rights and kinds of groups."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from fabctl.model.accounts import GroupKind
from fabctl.model.people import Role
from fabctl.model.person_rights import PersonRight
from fabctl_web.language import speech

Word = TypeVar("Word", bound=StrEnum)


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


ROLES = {
    Role.MEMBER: _("Member"),
    Role.TRAINER: _("Trainer"),
    Role.ANIMATOR: _("Animator"),
    Role.STAFF: _("Staff"),
    Role.ADMIN: _("Administrator"),
}
RIGHTS = {
    PersonRight.AFTER_HOURS: _("Works while the lab is closed"),
    PersonRight.WALK_UP: _("Uses what is free without booking"),
}
GROUPS = {
    GroupKind.COLLECTIVE: _("Collective"),
    GroupKind.PARTNER: _("Partner"),
    GroupKind.ASSOCIATION: _("Association"),
}


def choices(words: Mapping[Word, str]) -> list[tuple[str, str]]:
    """Return values and words for a field of a form."""
    return [(one.value, speech()(word)) for one, word in words.items()]
