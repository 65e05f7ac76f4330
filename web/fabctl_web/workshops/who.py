"""For whom somebody takes places in a session: themselves, their children, their groups."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy.orm import Session

from fabctl.model.refusal import Refusal
from fabctl.services import accounts, enrolment_lists, enrolment_outlook, participants
from fabctl.services.enrolment_lists import EnrolmentView
from fabctl.services.people import PersonView
from fabctl.services.workshops import SessionView
from fabctl_web.lab import Lab
from fabctl_web.speech import Speech
from fabctl_web.workshops.shown import Place, place

CLOSED = {"session-over", "session-begun", "session-cancelled"}
"""Reasons that are the session's, not the person's: said once, above all."""


@dataclass(frozen=True)
class Taker:
    """Somebody for whom a place can be asked: oneself or a child."""

    id: str
    name: str
    is_me: bool
    reasons: tuple[Refusal, ...]

    @property
    def lacks(self) -> set[str]:
        """What stands between them and a place, as codes."""
        return {refusal.code for refusal in self.reasons}


@dataclass(frozen=True)
class Group:
    """A group somebody acts for, with its places in the session."""

    id: str
    name: str
    places: list[Place]
    nameable: list[tuple[str, str]]
    """Who can be given one of its places: ids and names."""


@dataclass(frozen=True)
class Mine:
    """All that a session is to somebody."""

    places: list[Place]
    takers: list[Taker]
    """Who has no place yet."""
    groups: list[Group]


def mine(lab: Lab, db: Session, found: SessionView, me: PersonView, speech: Speech) -> Mine:
    """Read what somebody can do in a session."""
    people = {me.id: me.display_name}
    people |= {one.id: one.first_name for one in participants.children(db, lab.clock, by=me.id)}
    coming = enrolment_lists.coming_for(db, lab.clock, by=me.id)
    here = [one for one in coming if one.session_id == found.id]
    names = enrolment_outlook.names_on(db, lab.clock, enrolments=here, by=me.id)
    own = [one for one in here if one.partner_id is None]
    taken = {one.person_id for one in here}
    free = [person_id for person_id in people if person_id not in taken]
    against = enrolment_outlook.reasons_against(
        db, lab.clock, lab.config.time_zone, session_id=found.id, person_ids=free, by=me.id
    )
    return Mine(
        places=_places(lab, own, names, speech),
        takers=[
            Taker(person_id, people[person_id], person_id == me.id, against[person_id])
            for person_id in free
        ],
        groups=[
            _group(lab, db, account_id, here, names, {one: people[one] for one in free}, me, speech)
            for account_id in accounts.groups_acted_for(db, me.id)
        ],
    )


def _places(
    lab: Lab, found: list[EnrolmentView], names: dict[str, str], speech: Speech
) -> list[Place]:
    parties = Counter(one.party_id for one in found)
    return [
        place(lab, one, names.get(one.id, ""), speech, several=parties[one.party_id] > 1)
        for one in found
    ]


def _group(
    lab: Lab,
    db: Session,
    account_id: str,
    here: list[EnrolmentView],
    names: dict[str, str],
    free: dict[str, str],
    me: PersonView,
    speech: Speech,
) -> Group:
    account = accounts.get_account(db, account_id=account_id, by=me.id)
    held = [one for one in here if one.partner_id == account_id]
    taken = {one.person_id for one in here}
    members = {
        one.person_id: one.display_name
        for one in accounts.members_of(db, account_id=account_id, by=me.id)
        if one.person_id not in taken
    }
    return Group(
        id=account.id,
        name=account.name,
        places=_places(lab, held, names, speech),
        nameable=sorted((members | free).items(), key=lambda one: one[1].casefold()),
    )
