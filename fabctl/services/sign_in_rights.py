"""Who may give whom what they sign in with: whoever knows somebody's password can act as they."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fabctl.model import people as rules
from fabctl.model.people import Role
from fabctl.model.refusal import RefusedError
from fabctl.services import lookups
from fabctl.services.rights import require_staff, role_of


def require_may_sign_in_as(session: Session, person_id: str, by: str | None) -> None:
    """Do nothing for oneself; the staff do it for makers, the admins and a shell for everybody.

    Nobody gets more rights by it: what a colleague signs in with is the admins' to give.

    :raises RefusedError: staff-only; admin-only, for the staff and admins.
    :raises UnknownIdError: there is no such person.
    """
    role = Role(lookups.person(session, person_id).role)
    if by is None or by != person_id:
        require_staff(session, by)
        require_rank(session, by, role)


def require_rank(session: Session, by: str | None, *roles: Role) -> None:
    """Do nothing where nobody of the staff is concerned, and for admins.

    :raises RefusedError: admin-only.
    """
    acts_as = None if by is None else role_of(session, by)
    if {Role.STAFF, Role.ADMIN} & set(roles) and acts_as is not Role.ADMIN:
        raise RefusedError([rules.admin_only()])
