"""Ending the sessions of somebody whose secret changed: whoever knew the old one is out."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import delete
from sqlalchemy.orm import Session

from fabctl.store.tables import SignIn


class SignInKind(StrEnum):
    """Where somebody signed in: on a shared screen, or on a device of their own."""

    KIOSK = "kiosk"
    DESK = "desk"


def end_sign_ins(session: Session, person_id: str, *kinds: SignInKind) -> None:
    """Sign somebody out of every browser of these kinds; of every browser when none is named."""
    ended = delete(SignIn).where(SignIn.person_id == person_id)
    if kinds:
        ended = ended.where(SignIn.kind.in_([kind.value for kind in kinds]))
    session.execute(ended)
