"""Who may give whom a password, a PIN and a badge, and who unlocks screens: rules of services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fabctl.model.refusal import RefusedError
from fabctl.services import (
    badges,
    mail_queue,
    outside_people,
    people,
    person_file,
    unlocking,
)
from fabctl.services.audit import lines_about
from fabctl.services.password_sign_in import check_password
from tests.servers.store.conftest import Lab

SECRET = b"a secret for tests, 32 bytes long"
NO, TEAM = "staff-only", "admin-only"
WHOSE = ("member", "trainer", "animator", "staff", "admin")

SIGNS_IN_FOR = {
    "member": (NO, NO, NO, NO, NO),
    "trainer": (NO, NO, NO, NO, NO),
    "animator": (NO, NO, NO, NO, NO),
    "staff": ("", "", "", TEAM, TEAM),
    "admin": ("", "", "", "", ""),
    "shell": ("", "", "", "", ""),
    "nobody": (NO, NO, NO, NO, NO),
}
"""By who acts, whose it is: the code of the refusal; empty: they may."""
ONESELF = {"member": "", "trainer": "", "animator": "", "staff": "", "admin": ""}
UNLOCKS = {
    "member": NO, "trainer": NO, "animator": NO, "staff": "", "admin": "", "shell": "",
    "nobody": NO,
}  # fmt: skip


def password(session: Any, lab: Lab, whose: str, by: str | None) -> None:
    people.set_password(
        session, lab.clock, person_id=whose, password="four words in it", login=whose, by=by
    )


def pin(session: Any, lab: Lab, whose: str, by: str | None) -> None:
    people.set_pin(session, lab.clock, person_id=whose, pin="730164", secret=SECRET, by=by)


def drawn_pin(session: Any, lab: Lab, whose: str, by: str | None) -> None:
    people.draw_pin(session, lab.clock, person_id=whose, secret=SECRET, by=by)


def address(session: Any, lab: Lab, whose: str, by: str) -> None:
    mail_queue.set_wish(
        session, lab.clock, person_id=whose, address="a@lab.example", wanted=True, by=by
    )


GIVING = (password, pin, drawn_pin, address)
Giving = Callable[[Any, Lab, str, str | None], None]


def somebody(lab: Lab, role: str) -> str | None:
    if role in {"shell", "nobody"}:
        return "shell:root" if role == "shell" else None
    with lab.database.transaction() as session:
        return people.add_person(session, lab.clock, display_name=role, role=role).id


def refusal(lab: Lab, deed: Callable[..., object], *more: Any) -> str:
    """Return why not, after undoing what was done; empty: it was done."""
    try:
        with lab.database.transaction() as session:
            deed(session, *more)
            session.rollback()
    except RefusedError as refused:
        (code,) = refused.codes
        return code
    return ""


@pytest.mark.parametrize("give", GIVING, ids=lambda give: give.__name__)
def test_who_gives_whom_what_they_sign_in_with(lab: Lab, give: Giving) -> None:
    whose = {role: str(somebody(lab, role)) for role in WHOSE}
    got = {}
    for acting in SIGNS_IN_FOR:
        by = somebody(lab, acting)
        got[acting] = tuple(refusal(lab, give, lab, one, by) for one in whose.values())
    assert got == SIGNS_IN_FOR
    own = {role: refusal(lab, give, lab, one, one) for role, one in whose.items()}
    assert own == ONESELF


def test_who_confirms_whose_address(lab: Lab) -> None:
    def confirm(session: Any, whose: str, by: str) -> None:
        outside_people.confirm_address(
            session, lab.clock, person_id=whose, address="a@lab.example", by=by
        )

    whose = {role: str(somebody(lab, role)) for role in WHOSE}
    with lab.database.transaction() as session:
        for one in whose.values():
            address(session, lab, one, one)
    got = {}
    for acting in SIGNS_IN_FOR:
        by = somebody(lab, acting)
        got[acting] = tuple(refusal(lab, confirm, one, by) for one in whose.values())
    assert got == SIGNS_IN_FOR
    own = [refusal(lab, confirm, one, one) for one in whose.values()]
    assert own == [NO, NO, NO, TEAM, ""]


def known(lab: Lab, typed: str) -> str | None:
    with lab.database.reading() as session:
        claims = {"email": typed, "email_verified": True}
        found = outside_people.find_outside(session, "mail", claims)
    return found.id if found else None


def test_an_address_signs_in_whom_the_staff_confirmed_and_nobody_is_in_the_way(lab: Lab) -> None:
    def write(person: str, typed: str, by: str, *, wanted: bool = True) -> None:
        with lab.database.transaction() as session:
            mail_queue.set_wish(
                session, lab.clock, person_id=person, address=typed, wanted=wanted, by=by
            )

    def confirm(session: Any, whose: str, typed: str = "Lea@lab.example") -> None:
        outside_people.confirm_address(
            session, lab.clock, person_id=whose, address=typed, by=lab.awa
        )

    write(lab.lea, "Lea@lab.example", lab.lea)
    assert known(lab, "lea@lab.example") is None  # she typed it, nobody looked
    assert refusal(lab, confirm, lab.lea, "other@lab.example") == "address-changed"
    assert refusal(lab, confirm, lab.karim) == "address-changed"
    with lab.database.transaction() as session:
        confirm(session, lab.lea)
    write(lab.karim, "lea@lab.example", lab.karim)  # a family may share one: it gets mail only
    assert known(lab, " LEA@lab.example") == lab.lea
    assert refusal(lab, confirm, lab.karim, "lea@lab.example") == "address-taken"
    write(lab.lea, "Lea@lab.example", lab.awa, wanted=False)
    assert known(lab, "lea@lab.example") == lab.lea
    write(lab.lea, "lea@home.example", lab.lea)
    assert known(lab, "lea@lab.example") is None
    assert known(lab, "lea@home.example") is None


def test_a_refused_password_changes_nothing(lab: Lab) -> None:
    with lab.database.transaction() as session:
        password(session, lab, lab.lea, lab.awa)
    for by in (lab.karim, None):
        with pytest.raises(RefusedError), lab.database.transaction() as session:
            people.set_password(
                session, lab.clock, person_id=lab.lea, password="another one", by=by
            )
    assert check_password(lab.database, lab.clock, lab.lea, "four words in it")
    with lab.database.reading() as session:
        about = [one.what for one in lines_about(session, f"person:{lab.lea}")]
    assert about.count("password.set") == 1


def test_what_is_drawn_to_be_told_is_the_staffs_alone(lab: Lab) -> None:
    """Nobody has a new password drawn without typing the old one: not even their own."""
    clock = lab.clock
    drawing = {
        "pin": lambda session: person_file.new_pin(
            session, clock, person_id=lab.lea, secret=SECRET, by=lab.lea
        ),
        "password": lambda session: person_file.new_password(
            session, clock, person_id=lab.lea, login="lea", by=lab.lea
        ),
        "badge": lambda session: badges.add_badge(
            session, clock, SECRET, person_id=lab.lea, number="12345678", by=lab.lea
        ),
    }
    assert {what: refusal(lab, deed) for what, deed in drawing.items()} == dict.fromkeys(
        drawing, NO
    )


def test_who_unlocks_screens_and_logins(lab: Lab) -> None:
    for unlock in (
        lambda session, by: unlocking.unlock_device(session, lab.clock, device="wall", by=by),
        lambda session, by: unlocking.unlock_login(session, lab.clock, login="lea", by=by),
    ):
        got = {}
        for acting in UNLOCKS:
            by = somebody(lab, acting)
            got[acting] = refusal(lab, unlock, by)
        assert got == UNLOCKS
