"""Screens and logins that were locked by too many wrong tries: the staff say that all is well."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.people import clean_login
from fabctl.services import people, wrong_tries
from fabctl.services.audit import audit
from fabctl.services.rights import require_staff


def locked_devices(session: Session, clock: Clock) -> list[str]:
    """Return the screens that take no PIN, badge or pairing code now, after too many wrong ones."""
    return wrong_tries.locked_now(session, clock, *wrong_tries.OF_SCREENS)


def unlock_device(session: Session, clock: Clock, *, device: str, by: str | None) -> None:
    """Forget the wrong PINs, badges and pairing codes of a device.

    :raises RefusedError: staff-only.
    """
    require_staff(session, by)
    wrong_tries.reset(session, device, *wrong_tries.OF_SCREENS)
    audit(session, clock, by, "device.unlocked", f"device:{device}")


def unlock_login(session: Session, clock: Clock, *, login: str, by: str | None) -> None:
    """Forget the wrong passwords of a login; the password stays as it is, whoever's it is.

    :raises RefusedError: staff-only.
    """
    require_staff(session, by)
    key = wrong_tries.login_key(clean_login(login))
    wrong_tries.reset(session, key, *wrong_tries.OF_LOGINS)
    found = people.find_by_login(session, login)
    audit(session, clock, by, "login.unlocked", f"person:{found.id if found else 'unknown'}")
