"""Personal tokens for the API: shown once, kept as a hash, revocable one by one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import InputError, UnknownIdError
from fabctl.services import lookups, people
from fabctl.services.audit import audit
from fabctl.services.passwords import hash_token, new_token
from fabctl.services.people import PersonView
from fabctl.services.rights import is_staff
from fabctl.store.ids import new_id
from fabctl.store.tables import ApiToken

PREFIX = "fab_"


@dataclass(frozen=True, slots=True)
class TokenView:
    """A token without its secret."""

    id: str
    person_id: str
    name: str
    created_at: datetime
    revoked_at: datetime | None


def create_token(
    session: Session, clock: Clock, *, person_id: str, name: str, by: str | None = None
) -> tuple[TokenView, str]:
    """Make a token for a person; the second value is the token itself, never to be seen again.

    :param name: what it is for, 1 to 100 characters.
    :raises InputError: the name is empty or too long.
    """
    lookups.person(session, person_id)
    if not 1 <= len(name.strip()) <= 100:
        raise InputError("a token needs a name of 1 to 100 characters")
    token = new_token(PREFIX)
    row = ApiToken(
        id=new_id(),
        person_id=person_id,
        name=name.strip(),
        token_hash=hash_token(token),
        created_at=clock.now(),
    )
    session.add(row)
    audit(session, clock, by, "token.created", f"token:{row.id}", {"person": person_id})
    return _view(row), token


def list_tokens(session: Session, *, person_id: str | None = None) -> list[TokenView]:
    """Return the tokens of a person, or of everybody, newest first, the revoked ones too."""
    query = select(ApiToken).order_by(ApiToken.created_at.desc(), ApiToken.id)
    if person_id is not None:
        query = query.where(ApiToken.person_id == person_id)
    return [_view(row) for row in session.scalars(query)]


def revoke_token(session: Session, clock: Clock, *, token_id: str, by: str | None) -> None:
    """End a token for good: its person does it, or the staff. Twice changes nothing more.

    :raises UnknownIdError: there is none with this id, or it is not theirs.
    """
    row = session.get(ApiToken, token_id)
    if row is None or (row.person_id != by and not is_staff(session, by)):
        raise UnknownIdError(f"there is no token {token_id!r}")
    if row.revoked_at is None:
        row.revoked_at = clock.now()
        audit(session, clock, by, "token.revoked", f"token:{token_id}")


def find_token(session: Session, clock: Clock, token: str) -> PersonView | None:  # noqa: ARG001  # tokens will expire
    """Return whose token this is; None when it is nobody's, or revoked."""
    row = session.scalars(select(ApiToken).where(ApiToken.token_hash == hash_token(token))).first()
    if row is None or row.revoked_at is not None:
        return None
    return people.get_person(session, row.person_id)


def _view(row: ApiToken) -> TokenView:
    return TokenView(row.id, row.person_id, row.name, row.created_at, row.revoked_at)
