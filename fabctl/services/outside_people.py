"""People whom somebody else has signed in: who they are here. Nobody is ever added by this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fabctl.services import people
from fabctl.services.people import PersonView
from fabctl.store.tables_notices import MailAddress


def find_outside(session: Session, link: str, claims: Mapping[str, Any]) -> PersonView | None:
    """Return who this is here; None when it is nobody, or not surely one.

    :param link: ``login``: the provider's ``preferred_username`` is the login here; ``mail``: the
        ``email`` that the provider has verified is the address here of one person only.
    """
    if link == "login":
        login = claims.get("preferred_username")
        return people.find_by_login(session, login) if isinstance(login, str) and login else None
    address = claims.get("email")
    if not isinstance(address, str) or not address or claims.get("email_verified") is not True:
        return None
    query = select(MailAddress.person_id).where(
        func.lower(MailAddress.address) == address.strip().lower()
    )
    found = session.scalars(query.limit(2)).all()
    return people.get_person(session, found[0]) if len(found) == 1 else None
