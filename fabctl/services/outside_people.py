"""People whom somebody else has signed in: who they are here. Nobody is ever added by this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.mail import address_not_shown, address_taken, same_address
from fabctl.model.people import Role
from fabctl.model.refusal import RefusedError
from fabctl.services import lookups, people
from fabctl.services.audit import audit
from fabctl.services.people import PersonView
from fabctl.services.rights import require_staff
from fabctl.services.sign_in_rights import require_rank
from fabctl.store.tables_notices import MailAddress


def find_outside(session: Session, link: str, claims: Mapping[str, Any]) -> PersonView | None:
    """Return who this is here; None when it is nobody, or not surely one.

    :param link: ``login``: the provider's ``preferred_username`` is the login here; ``mail``: the
        ``email`` that the provider has verified is the address that the staff have confirmed.
    """
    if link == "login":
        login = claims.get("preferred_username")
        return people.find_by_login(session, login) if isinstance(login, str) and login else None
    address = claims.get("email")
    if not isinstance(address, str) or not address or claims.get("email_verified") is not True:
        return None
    found = _who_signs_in(session, same_address(address))
    return people.get_person(session, found) if found is not None else None


def confirm_address(
    session: Session, clock: Clock, *, person_id: str, address: str, by: str
) -> None:
    """Note that a person's address is theirs: from now on it signs them in.

    The staff do it, on proof; of an address that somebody typed nobody knows whose it is. Nobody
    below an admin confirms one for the staff, their own included: it is worth as much as a
    password.

    :param address: the one that was looked at; it may have been changed since.
    :raises RefusedError: staff-only, admin-only, address-changed, address-taken.
    :raises UnknownIdError: there is no such person.
    """
    require_staff(session, by)
    require_rank(session, by, Role(lookups.person(session, person_id).role))
    row = session.get(MailAddress, person_id, with_for_update=True, populate_existing=True)
    if row is None or row.address is None or row.address != address.strip():
        raise RefusedError([address_not_shown()])
    if _who_signs_in(session, same_address(row.address)) not in {None, person_id}:
        raise RefusedError([address_taken()])
    row.signs_in = same_address(row.address)
    audit(session, clock, by, "mail.confirmed", f"person:{person_id}")
    session.flush()


def _who_signs_in(session: Session, address: str) -> str | None:
    query = select(MailAddress.person_id).where(MailAddress.signs_in == address)
    return session.scalars(query).first()
