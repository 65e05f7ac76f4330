"""Every notice has words in both languages; letters hold one line per header, whoever wrote it."""

from __future__ import annotations

import email
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from fabctl.clock import ManualClock
from fabctl.model.booking_slots import Slot
from fabctl.model.mail import address_refusals, one_line, pause_after, server_pause
from fabctl.model.notice import WORDINGS, Code, useless_from
from fabctl.services.mail_letters import Sender, letter
from fabctl.services.mail_queue import Errand
from fabctl.services.notice_words import worded
from fabctl.services.notices import About, NoticeView

PARIS = ZoneInfo("Europe/Paris")
START = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
SLOT = Slot(START, START + timedelta(minutes=90))
SENDER = Sender("lab@example.org", "La Casemate", "fr", PARIS, "https://lab.example.org")


def notice(code: Code = Code.REMINDER, *, what: str = "Laser", **about: Any) -> NoticeView:
    facts: dict[str, Any] = {"slot": SLOT, "subject": "reservation:r1", "until": START}
    told = About(**(facts | about))
    return NoticeView("n1", code, "p1", told, what, None, START - timedelta(days=1), None)


def read(made: EmailMessage) -> EmailMessage:
    """Return a letter as whoever receives it reads it."""
    return email.message_from_bytes(bytes(made), policy=default)


def text_of(made: EmailMessage) -> str:
    body = made.get_body()
    assert body is not None
    return str(body.get_content())


def entry_of(made: EmailMessage) -> Calendar | None:
    """Return the calendar's entry in a letter."""
    for part in made.iter_attachments():
        return Calendar.from_ical(part.get_content())
    return None


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("code", Code)
def test_every_code_has_words_with_all_its_values(code: Code, language: str) -> None:
    said = worded(notice(code, words="Clean it"), language, PARIS)
    assert "Laser" in said.heading or code is Code.TASK_GIVEN
    assert "Laser" in said.body or code is Code.TASK_GIVEN
    assert "{" not in said.heading + said.body
    assert code in WORDINGS


def test_times_are_the_labs_in_each_language() -> None:
    assert "mardi 24 novembre 2026 de 14:00 à 15:30" in worded(notice(), "fr", PARIS).body
    english = worded(notice(), "en", PARIS).body
    assert "Tuesday, November 24, 2026 from 14:00 to 15:30" in english


def test_a_session_across_midnight_and_across_the_change_of_clocks() -> None:
    start = datetime(2026, 10, 24, 21, 30, tzinfo=UTC)
    said = worded(notice(slot=Slot(start, start + timedelta(hours=4))), "fr", PARIS).body
    assert "samedi 24 octobre 2026, 23:30 à dimanche 25 octobre 2026, 02:30" in said


def test_braces_in_names_and_in_what_the_staff_wrote_stay_braces() -> None:
    said = worded(notice(what="{until} {0}", words="{x!r}"), "fr", PARIS)
    assert "{until} {0}" in said.body
    assert "{x!r}" in said.body


@given(name=st.text(max_size=60), what=st.text(max_size=60), words=st.text(max_size=60))
def test_no_name_adds_a_header_or_an_address(name: str, what: str, words: str) -> None:
    errand = Errand("m1", "lea@example.org", name, "fr", notice(what=what, words=words))
    made = read(letter(errand, SENDER, ManualClock()))
    assert sorted(made.keys()) == [
        "Auto-Submitted", "Content-Language", "Content-Type", "Date", "From", "MIME-Version",
        "Message-ID", "Subject", "To",
    ]  # fmt: skip
    assert [one.addr_spec for one in made["To"].addresses] == ["lea@example.org"]
    assert [one.addr_spec for one in made["From"].addresses] == ["lab@example.org"]


def test_a_name_that_tries_is_one_line() -> None:
    name = "Léa\r\nBcc: all@example.org\r\n\r\nBonjour"
    errand = Errand("m1", "lea@example.org", name, "fr", notice(what="x\nSubject: y"))
    headers = bytes(letter(errand, SENDER, ManualClock())).partition(b"\r\n\r\n")[0]
    assert b"\nBcc:" not in headers
    assert headers.count(b"\nSubject:") == 1


def test_names_of_people_arrive_as_they_are_written() -> None:
    for name in ("Zoé Ñandú", "李小龙", "نور", "😀 Ana", 'Ana "A" <b@c>', "a@b, c"):
        errand = Errand("m1", "lea@example.org", name, None, notice())
        made = read(letter(errand, SENDER, ManualClock()))
        assert made["To"].addresses[0].display_name == name
        assert name in text_of(made)


def test_a_reminder_brings_its_entry_and_a_cancellation_takes_it_out() -> None:
    on, off = (
        read(letter(Errand("m", "a@b.org", "A", "fr", notice(code)), SENDER, ManualClock()))
        for code in (Code.REMINDER, Code.CANCELLED_BY_STAFF)
    )
    entries = [entry_of(made) for made in (on, off)]
    events = [entry.walk("VEVENT")[0] for entry in entries if entry is not None]
    assert [str(event["UID"]) for event in events] == ["r1@fabctl"] * 2
    assert [str(event["STATUS"]) for event in events] == ["CONFIRMED", "CANCELLED"]
    assert [event.decoded("DTSTART") for event in events] == [START] * 2
    certificate = letter(
        Errand("m", "a@b.org", "A", "fr", notice(Code.CERTIFICATE_READY)), SENDER, ManualClock()
    )
    assert entry_of(read(certificate)) is None


@pytest.mark.parametrize(
    "address",
    ["a@b", "lea.m+lab@example.org", "x" * 64 + "@example.org", "o'neil@mail.example.co.uk"],
)
def test_addresses_that_are_taken(address: str) -> None:
    assert address_refusals(address) == []


@pytest.mark.parametrize(
    "address",
    [
        "", "lea", "@b", "a@", "a b@c", "a@b\r\nRCPT TO:<x@y>", "a@b\n", "<a@b>", "a@b,c@d",
        "é@b.fr",
        "a@b..c", ".a@b", "a..b@c", "a@-b", "x" * 65 + "@b", "a@" + "b." * 130 + "c", '"a b"@c',
        "a@b c", "a\0@b",
    ],
)  # fmt: skip
def test_addresses_that_are_not(address: str) -> None:
    assert [one.code for one in address_refusals(address)] == ["bad-address"]


@given(st.text())
def test_one_line_is_one_line(words: str) -> None:
    found = one_line(words)
    assert len(found) <= 200
    assert len(found.splitlines()) <= 1


def test_pauses_grow() -> None:
    for pause in (pause_after, server_pause):
        found = [pause(tries) for tries in range(1, 9)]
        assert found == sorted(found)
        assert found[0] < found[-1] == found[-2]


def test_from_when_on_a_mail_says_nothing_any_more() -> None:
    until, start = START, START + timedelta(days=1)
    assert useless_from(Code.OFFERED, start, until) == until
    assert useless_from(Code.REMINDER, start, until) == start
    assert useless_from(Code.CANCELLED_BY_STAFF, start, until) is None
