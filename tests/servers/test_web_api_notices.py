"""The API of notices: one's own, in one's language; mail yes or no; what the staff see."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fabctl.model.booking_slots import Slot
from fabctl.model.notice import Code
from fabctl.services import mail_queue, notices
from fabctl.services.notices import About
from tests.web_caller import caller, codes
from tests.web_lab import WebLab, web_lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        for login, role in (("lea", "member"), ("karim", "member"), ("awa", "staff")):
            found.person(login, role=role)
        yield found


def tell(lab: WebLab, login: str, code: Code = Code.REMINDER) -> None:
    start = lab.clock.now() + timedelta(hours=24)
    about = About(resource_id="printer-a", slot=Slot(start, start + timedelta(hours=1)))
    with lab.db.transaction() as db:
        notices.tell(db, lab.clock, lab.id_of(login), code, about)


def test_ones_own_in_pages_and_in_the_language_asked_for(lab: WebLab) -> None:
    for _ in range(5):
        tell(lab, "lea")
        lab.clock.advance(1)  # type: ignore[attr-defined]  # moved by hand
    tell(lab, "karim")
    found, path = [], "/notices?limit=2"
    for _ in range(3):
        page = caller(lab, "lea", "fr").ask("GET", path).get_json()
        found += page["notices"]
        path = f"/notices?limit=2&cursor={page['next']}"
    assert page["next"] is None
    assert len({one["id"] for one in found}) == 5
    assert [one["at"] for one in found] == sorted((one["at"] for one in found), reverse=True)
    assert found[0]["text"].startswith("Tu as une réservation :")
    english = caller(lab, "lea", "en").ask("GET", "/notices?limit=1").get_json()["notices"][0]
    assert english["text"].startswith("You have a reservation:")


def test_reading_one_and_all(lab: WebLab) -> None:
    for _ in range(3):
        tell(lab, "lea")
    lea = caller(lab, "lea")
    one = lea.ask("GET", "/notices").get_json()["notices"][1]["id"]
    assert lea.ask("GET", "/notices/unread").get_json() == {"unread": 3}
    assert lea.ask("POST", f"/notices/{one}/read").get_json() == {"unread": 2}
    assert caller(lab, "karim").ask("POST", f"/notices/{one}/read").status_code == 404
    unread = lea.ask("GET", "/notices?unread=true").get_json()["notices"]
    assert one not in {notice["id"] for notice in unread}
    assert lea.ask("POST", "/notices/read").get_json() == {"unread": 0}


BEFORE_ALL_DAYS = "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwgIngiXQ"
"""The cursor of a moment that UTC has no day for: 0001-01-01T00:00:00+14:00."""


@pytest.mark.parametrize(
    "question",
    ["limit=0", "cursor=x", "cursor=WyJhIl0", f"cursor={BEFORE_ALL_DAYS}", "unread=maybe"],
)
def test_what_cannot_be_read(lab: WebLab, question: str) -> None:
    assert caller(lab, "lea").ask("GET", f"/notices?{question}").status_code == 422
    if "unread" not in question:
        assert caller(lab, "awa").ask("GET", f"/mail/undelivered?{question}").status_code == 422


def test_mail_yes_and_no(lab: WebLab) -> None:
    lea = caller(lab, "lea")
    assert lea.ask("GET", "/me/mail").get_json() == {
        "address": None, "wanted": True, "lab_sends_mail": False,
    }  # fmt: skip
    wish = {"address": "lea@example.org", "wanted": False}
    assert lea.ask("PUT", "/me/mail", json=wish).get_json() == wish | {"lab_sends_mail": False}
    for bad in ("lea", "a@b\r\nRCPT TO:<c@d>", "é@example.org"):
        answer = lea.ask("PUT", "/me/mail", json={"address": bad})
        assert (answer.status_code, codes(answer)) == (409, ["bad-address"])
    assert lea.ask("PUT", "/me/mail", json={"wanted": 1}).status_code == 422
    assert lea.ask("GET", "/me/mail").get_json()["address"] == "lea@example.org"


def test_somebody_elses_address_is_the_staffs(lab: WebLab) -> None:
    path = f"/people/{lab.id_of('lea')}/mail"
    karim, awa = caller(lab, "karim"), caller(lab, "awa")
    assert karim.ask("GET", path).status_code == 403
    assert karim.ask("PUT", path, json={"address": "k@example.org"}).status_code == 403
    assert awa.ask("PUT", path, json={"address": "l@example.org"}).status_code == 200
    assert awa.ask("GET", path).get_json()["address"] == "l@example.org"
    assert caller(lab, "lea").ask("GET", path).status_code == 200
    assert awa.ask("GET", "/people/nobody/mail").status_code == 404
    assert awa.ask("PUT", "/people/nobody/mail", json={}).status_code == 404


def test_the_staff_see_which_mails_did_not_arrive(lab: WebLab) -> None:
    lea = lab.id_of("lea")
    with lab.db.transaction() as db:
        mail_queue.set_wish(
            db, lab.clock, person_id=lea, address="l@example.org", wanted=True, by=lea
        )
    for _ in range(3):
        tell(lab, "lea")
    with lab.db.transaction() as db:
        mail_queue.queue_up(db, lab.clock)
        while (errand := mail_queue.take(db, lab.clock)) is not None:
            mail_queue.note_refused(db, lab.clock, mail_id=errand.id, trouble="550 5.1.1")
    assert caller(lab, "lea").ask("GET", "/mail/undelivered").status_code == 403
    awa = caller(lab, "awa")
    first = awa.ask("GET", "/mail/undelivered?limit=2").get_json()
    rest = awa.ask("GET", f"/mail/undelivered?limit=2&cursor={first['next']}").get_json()
    found = first["mails"] + rest["mails"]
    assert rest["next"] is None
    assert len({one["id"] for one in found}) == 3
    assert {(one["person"], one["trouble"], one["outcome"]) for one in found} == {
        (lea, "550 5.1.1", "refused")
    }
