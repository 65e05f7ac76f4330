"""What is read of bookings: availability in few queries, calendars, proposals, old policies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import event

from fabctl.errors import InputError, UnknownIdError
from fabctl.model.booking_facts import ClaimKind
from fabctl.model.booking_slots import Slot
from fabctl.services import bookings, feeds, machines, opening, sessions
from fabctl.services.audit import lines_about
from fabctl.services.availability import Availability, availability
from tests.servers.store.booking_lab import (
    PARIS,
    PRINTER_A,
    add_space,
    book,
    cancel,
    close,
    moment,
    put_into,
    refusing,
    set_policy,
    slot,
)
from tests.servers.store.conftest import Lab, profile
from tests.servers.store.workshop_scene import put_on

MOST_QUERIES = 12


@contextmanager
def counted(lab: Lab) -> Iterator[list[str]]:
    """Yield the statements that are sent to the database meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("PRAGMA", "BEGIN", "SET ")):
            sent.append(statement)

    event.listen(lab.database.engine, "before_cursor_execute", note)
    yield sent
    event.remove(lab.database.engine, "before_cursor_execute", note)


def week(lab: Lab) -> list[Availability]:
    with lab.database.reading() as session:
        return availability(session, PARIS, Slot(lab.clock.now(), moment(lab, 6 * 24 * 60)))


def test_availability_takes_as_many_queries_for_one_as_for_forty(lab: Lab) -> None:
    with lab.database.transaction() as session:
        opening.set_week(
            session, lab.clock, week=dict.fromkeys(range(5), ((540, 1080),)), by=lab.awa
        )
    set_policy(lab, PRINTER_A, clean_up_min=10)
    with counted(lab) as few:
        assert len(week(lab)) == 3
    with lab.database.transaction() as session:
        machines.sync_resources(
            session, lab.clock, [profile(f"printer-{number}") for number in range(40)]
        )
    with counted(lab) as many:
        assert len(week(lab)) == 40
    assert len(many) == len(few) <= MOST_QUERIES


def test_availability_shows_open_taken_and_free(lab: Lab) -> None:
    add_space(lab, "workshop")
    put_into(lab, "printer-a", "workshop")
    set_policy(lab, clean_up_min=10)
    with lab.database.transaction() as session:
        opening.set_week(session, lab.clock, week={0: ((540, 780),)}, by=lab.awa)  # to 13:00
    book(lab, 0, 60)
    close(lab, 120, 150, resource="workshop")
    found = {one.resource_id: one for one in week(lab)}
    printer = found["printer-a"]
    assert printer.open == [slot(lab, 0, 180)]
    assert [(one.slot, one.kind) for one in printer.taken] == [
        (slot(lab, 0, 70), ClaimKind.RESERVATION),
        (slot(lab, 120, 150), ClaimKind.CLOSURE),
    ]
    assert printer.free == [slot(lab, 70, 120), slot(lab, 150, 180)]
    assert found["workshop"].free == printer.free
    assert found["mill"].free == [slot(lab, 0, 180)]


def test_availability_of_some_and_of_too_long(lab: Lab) -> None:
    now = lab.clock.now()
    with lab.database.reading() as session:
        found = availability(session, PARIS, Slot(now, moment(lab, 60)), ["mill"])
        assert [one.resource_id for one in found] == ["mill"]
        for wrong in (Slot(now, now), Slot(now, now + timedelta(days=62, minutes=1))):
            with pytest.raises(InputError):
                availability(session, PARIS, wrong)


def test_proposals_follow_hours_and_policies(lab: Lab) -> None:
    set_policy(lab, step_min=30, notice_min=20, longest_min=90)
    with lab.database.transaction() as session:
        opening.set_week(session, lab.clock, week={0: ((540, 780),), 1: ((540, 720),)}, by=lab.awa)
    with lab.database.reading() as session:
        found = bookings.proposals(session, lab.clock, PARIS, "printer-a", minutes=60, count=4)
        with pytest.raises(InputError):
            bookings.proposals(session, lab.clock, PARIS, "printer-a", minutes=91)
        fit = bookings.proposals(session, lab.clock, PARIS, "printer-a", minutes=240, fit=True)
    starts = [(one.start - lab.clock.now()).total_seconds() / 60 for one in found]
    assert starts == [30, 90, 24 * 60 - 60, 24 * 60]
    assert fit[0].length == timedelta(minutes=90)


def test_every_version_of_a_policy_is_in_the_audit(lab: Lab) -> None:
    set_policy(lab, longest_min=60)
    set_policy(lab, longest_min=90)
    with refusing("policy-number-malformed", "policy-unknown-number"):
        set_policy(lab, longest_min=-1, nonsense=1)
    with lab.database.reading() as session:
        lines = lines_about(session, "policy:lab:")
    assert [(line.who, line.details) for line in lines] == [
        (lab.awa, {"version": 1, "before": {}, "after": {"longest_min": 60}}),
        (lab.awa, {"version": 2, "before": {"longest_min": 60}, "after": {"longest_min": 90}}),
    ]


def feed(lab: Lab, kind: str, subject: str, by: str) -> tuple[str, str]:
    with lab.database.transaction() as session:
        made, secret = feeds.create(session, lab.clock, kind=kind, subject=subject, by=by)
    return made.id, secret


def read(lab: Lab, secret: str, language: str = "en") -> list[tuple[str, object, object]]:
    with lab.database.reading() as session:
        written = feeds.calendar(session, lab.clock, secret=secret, language=language)
    found = Calendar.from_ical(written)
    return [
        (str(entry["summary"]), entry.decoded("dtstart"), entry.decoded("dtend"))
        for entry in found.walk("VEVENT")
    ]


def test_a_person_reads_their_own_calendar(lab: Lab) -> None:
    _, secret = feed(lab, feeds.PERSON, lab.lea, lab.lea)
    gone = book(lab, 60, 120)
    book(lab, 180, 240)
    book(lab, 60, 120, person=lab.karim, resource="printer-b")
    cancel(lab, gone)
    assert read(lab, secret) == [("Printer-A", moment(lab, 180), moment(lab, 240))]


def test_a_resources_calendar_names_nobody_and_shows_the_room(lab: Lab) -> None:
    _, secret = feed(lab, feeds.RESOURCE, "printer-a", lab.karim)
    add_space(lab, "workshop")
    put_into(lab, "printer-a", "workshop")
    book(lab, 60, 120)
    close(lab, 120, 150, resource="workshop")
    assert [said for said, _, _ in read(lab, secret, "fr")] == [
        "Printer-A: Créneau pris",
        "Printer-A: Fermé",
    ]


def test_a_persons_calendar_holds_the_sessions_that_concern_them(lab: Lab) -> None:
    scene = put_on(lab, places=3)
    zoe, abel = scene.adult("Zoé"), scene.adult("Abel")
    places = {scene.enrol(zoe)[0].id, scene.enrol(scene.child(zoe), by=zoe)[0].id}
    scene.enrol(scene.adult("Bo"))
    scene.enrol(abel)  # waits: no place yet
    session = ("Atelier découpe", scene.slot.start, scene.slot.end)
    secrets = {who: feed(lab, feeds.PERSON, who, who)[1] for who in (zoe, abel, scene.ali)}
    assert read(lab, secrets[zoe]) == [session, session]
    assert read(lab, secrets[abel]) == []
    assert read(lab, secrets[scene.ali]) == [session]
    with lab.database.reading() as db:
        written = feeds.calendar(db, lab.clock, secret=secrets[zoe], language="en")
    uids = {str(entry["uid"]) for entry in Calendar.from_ical(written).walk("VEVENT")}
    assert uids == {f"{place}@fabctl" for place in places}
    assert not any(name in written.decode() for name in ("Zoé", "Tom"))
    with lab.database.transaction() as db:
        sessions.cancel_session(db, lab.clock, session_id=scene.meeting, reason="ill", by=lab.awa)
    assert all(read(lab, secret) == [] for secret in secrets.values())


def test_the_calendar_of_workshops_holds_all_that_come_and_nobodys_name(lab: Lab) -> None:
    scene = put_on(lab)
    scene.enrol(scene.adult("Zoé"))
    _, secret = feed(lab, feeds.WORKSHOPS, "", lab.karim)
    assert read(lab, secret) == [("Atelier découpe", scene.slot.start, scene.slot.end)]
    with lab.database.reading() as db:
        written = feeds.calendar(db, lab.clock, secret=secret, language="fr").decode()
    assert "fabctl Ateliers" in written
    assert not any(name in written for name in ("Zoé", "Ali", "Karim"))
    lab.clock.advance((scene.slot.end - lab.clock.now()).total_seconds())
    assert read(lab, secret) == []


def test_an_address_is_secret_and_can_be_revoked(lab: Lab) -> None:
    feed_id, secret = feed(lab, feeds.PERSON, lab.lea, lab.lea)
    with refusing("not-yours"):
        feed(lab, feeds.PERSON, lab.lea, lab.karim)
    with refusing("not-yours"), lab.database.transaction() as session:
        feeds.revoke(session, lab.clock, feed_id=feed_id, by=lab.karim)
    with lab.database.reading() as session:
        assert secret not in str(feeds.of_person(session, person_id=lab.lea))
    for _ in range(2):
        with lab.database.transaction() as session:
            feeds.revoke(session, lab.clock, feed_id=feed_id, by=lab.lea)
    for wrong in (secret, "", "\ud800", "nonsense"):
        with pytest.raises(UnknownIdError):
            read(lab, wrong)
