"""Who is told what, on both databases: each once, also after days away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from fabctl.errors import UnknownIdError
from fabctl.model.accounts import GroupKind
from fabctl.model.booking import Slot
from fabctl.model.booking_facts import ClaimKind
from fabctl.model.notice import Code
from fabctl.services import (
    accounts,
    certifications,
    closures,
    enrolments,
    notices,
    problems,
    session_changes,
    sessions,
)
from fabctl.services.notices import NoticeView
from fabctl.services.reminders import do_due_reminders
from fabctl.store.engine import open_database
from fabctl.store.migrate import OURS, Scripts, upgrade
from tests.servers.store.booking_lab import (
    PARIS,
    book,
    cancel,
    catch_up,
    moment,
    move,
    slot,
    told,
    wait_for,
)
from tests.servers.store.conftest import Lab
from tests.servers.store.workshop_scene import put_on

DAY = timedelta(days=1)


def of(lab: Lab, person: str) -> list[NoticeView]:
    with lab.database.reading() as session:
        return notices.of_person(session, person_id=person)


def remind(lab: Lab) -> int:
    with lab.database.transaction() as session:
        return do_due_reminders(session, lab.clock)


def test_a_person_reads_of_their_own_in_pages_and_marks_them(lab: Lab) -> None:
    for number in range(3):
        one = book(lab, 60 + 60 * number, 90 + 60 * number)
        cancel(lab, one, by=lab.awa, reason=f"no {number}")
        lab.clock.advance(1)
    first = of(lab, lab.lea)
    assert [one.about.words for one in first] == ["no 2", "no 1", "no 0"]
    assert {one.what for one in first} == {"Printer-A"}
    with lab.database.transaction() as session:
        last = (first[0].at, first[0].id)
        rest = notices.of_person(session, person_id=lab.lea, after=last, limit=1)
        assert rest == [first[1]]
        for somebody, notice_id in ((lab.karim, first[0].id), (lab.lea, "nothing")):
            with pytest.raises(UnknownIdError):
                notices.mark_read(session, lab.clock, person_id=somebody, notice_id=notice_id)
        notices.mark_read(session, lab.clock, person_id=lab.lea, notice_id=first[1].id)
        assert notices.unread_count(session, person_id=lab.lea) == 2
        unread = notices.of_person(session, person_id=lab.lea, only_unread=True)
        assert [one.id for one in unread] == [first[0].id, first[2].id]
        notices.mark_read(session, lab.clock, person_id=lab.lea)
        assert notices.unread_count(session, person_id=lab.lea) == 0


def test_whom_the_staff_move_is_told_where_to_and_nobody_is_told_of_their_own_move(
    lab: Lab,
) -> None:
    one = book(lab, 60, 90)
    move(lab, one, 120, 150)
    assert told(lab, lab.lea) == []
    move(lab, one, 180, 210, resource="printer-b", by=lab.awa)
    found = of(lab, lab.lea)[0]
    assert (found.code, found.about.slot) == (Code.MOVED_BY_STAFF, slot(lab, 180, 210))
    assert (found.what, found.about.subject) == ("Printer-B", f"reservation:{one.id}")


def test_a_closure_tells_its_reason(lab: Lab) -> None:
    book(lab, 60, 90)
    with lab.database.transaction() as session:
        closures.close(
            session, lab.clock, PARIS, resource_id="printer-a", kind=ClaimKind.MAINTENANCE,
            slot=slot(lab, 0, 120), note="new nozzle", by=lab.awa, cancel_reservations=True,
        )  # fmt: skip
    found = of(lab, lab.lea)
    assert [(one.code, one.about.words) for one in found] == [
        (Code.CANCELLED_BY_STAFF, "new nozzle")
    ]


def test_an_offer_says_until_when(lab: Lab) -> None:
    one = book(lab, 60, 90)
    wait_for(lab, lab.karim, 60, 90)
    cancel(lab, one)
    found = of(lab, lab.karim)[0]
    assert found.code is Code.OFFERED
    assert found.about.until is not None
    assert lab.clock.now() < found.about.until <= moment(lab, 75)
    lab.clock.wall = found.about.until
    catch_up(lab)
    assert told(lab, lab.karim) == ["offer-lapsed", "offered"]


def test_a_suspension_is_told_with_its_reason(lab: Lab) -> None:
    with lab.database.transaction() as session:
        certifications.suspend(
            session, lab.clock, person_id=lab.lea, resource_id="printer-a", reason="hot bed"
        )
    assert [(one.code, one.about.words) for one in of(lab, lab.lea)] == [
        (Code.SUSPENDED, "hot bed")
    ]


# -- reminders ----------------------------------------------------------------------------------


def test_the_day_before_to_the_minute_and_once(lab: Lab) -> None:
    book(lab, 24 * 60 + 60, 24 * 60 + 90)
    lab.clock.advance(59 * 60)
    assert remind(lab) == 0
    lab.clock.advance(60)
    assert (remind(lab), remind(lab)) == (1, 0)
    lab.clock.advance(3600)
    assert remind(lab) == 0
    assert told(lab, lab.lea) == ["reminder"]


def test_after_days_away_what_is_still_to_come_is_reminded_of_once(lab: Lab) -> None:
    for hours in (30, 72, 100):
        book(lab, hours * 60, hours * 60 + 30)
    gone = book(lab, 73 * 60, 73 * 60 + 30, person=lab.karim)
    cancel(lab, gone)
    lab.clock.advance(71 * 3600)  # the first began while nobody looked
    assert (remind(lab), remind(lab)) == (1, 0)
    assert told(lab, lab.karim) == []


def test_who_books_late_is_not_reminded_and_who_moves_is_again(lab: Lab) -> None:
    book(lab, 120, 150, person=lab.karim)
    one = book(lab, 48 * 60, 48 * 60 + 30)
    lab.clock.advance(25 * 3600)
    assert remind(lab) == 1
    move(lab, one, 72 * 60, 72 * 60 + 30)
    lab.clock.advance(2 * 24 * 3600 + 3600)
    assert remind(lab) == 1
    assert told(lab, lab.lea) == ["reminder", "reminder"]
    assert told(lab, lab.karim) == []


# -- sessions -----------------------------------------------------------------------------------


def test_a_session_moved_cancelled_and_reminded_of_children_and_those_who_lead_it(
    lab: Lab,
) -> None:
    scene = put_on(lab, places=3)
    with lab.database.transaction() as session:
        later = Slot(scene.slot.start + 2 * DAY, scene.slot.end + 2 * DAY)
        session_changes.change(session, lab.clock, session_id=scene.meeting, slot=later, by=lab.awa)
    parent, adult = scene.adult("Fatou"), scene.adult("Zoé")
    child = scene.child(parent)
    scene.enrol(child, by=parent)
    scene.enrol(adult)
    lab.clock.wall = later.start - DAY
    assert (remind(lab), remind(lab)) == (3, 0)
    about = of(lab, parent)[0]
    assert (about.code, about.name, about.what) == (
        Code.SESSION_REMINDER, "Tom", "Atelier découpe",
    )  # fmt: skip
    with lab.database.transaction() as session:
        sessions.cancel_session(
            session, lab.clock, session_id=scene.meeting, reason="ill", by=lab.awa
        )
    for person in (parent, child, adult):
        assert sorted(told(lab, person)) == ["session-cancelled", "session-reminder"]
    assert sorted(told(lab, scene.ali)) == ["session-cancelled", "session-moved"]
    assert told(lab, lab.awa) == []


def test_a_partner_with_many_places_is_told_once(lab: Lab) -> None:
    scene = put_on(lab, places=3)
    with lab.database.transaction() as session:
        partner = accounts.add_group(
            session, lab.clock, name="Centre social", kind=GroupKind.PARTNER, by=lab.awa
        ).id
        accounts.set_member(
            session, lab.clock, account_id=partner, person_id=lab.noemie, by=lab.awa, may_act=True
        )
    with lab.database.transaction() as session:
        enrolments.hold_places(
            session, lab.clock, session_id=scene.meeting, partner_id=partner, count=3, by=lab.noemie
        )
        sessions.cancel_session(
            session, lab.clock, session_id=scene.meeting, reason="ill", by=scene.ali
        )
    assert told(lab, lab.noemie) == ["session-cancelled"]


def test_who_reported_a_problem_reads_what_was_done(lab: Lab) -> None:
    with lab.database.transaction() as session:
        found = problems.report_problem(
            session, lab.clock, resource_id="mill", summary="It squeaks", by=lab.lea
        )
        problems.settle_problem(
            session, lab.clock, problem_id=found.id, outcome="Oiled", by=lab.awa
        )
    assert [(one.code, one.what, one.about.words) for one in of(lab, lab.lea)] == [
        (Code.REPORT_ANSWERED, "Mill", "Oiled")
    ]


WHEN = "'2026-11-23 09:00:00.000000'"
PERSON_BEFORE = f"(id, display_name, role, created_at) VALUES ('p', 'Léa', 'member', {WHEN})"
RESOURCE_BEFORE = (
    "(id, name, kind, category, position, place_from, place_to)"
    " VALUES ('mill', 'Mill', 'machine', 'mill', 1, 0, 1)"
)
CERTIFICATION_BEFORE = (
    "(id, person_id, resource_id, change, level, at)"
    f" VALUES (7, 'p', 'mill', 'granted', 'autonomous', {WHEN})"
)
NOTICE_BEFORE = (
    "(id, person_id, code, subject, due_at, at)"
    f" VALUES ('n', 'p', 'expired', 'certification:7', {WHEN}, {WHEN})"
)


def test_what_people_were_told_before_the_migration_they_read_after_it(
    empty_database_url: str, tmp_path: Path
) -> None:
    before = Scripts(OURS.folder, "0007")
    upgrade(empty_database_url, tmp_path / "backups", scripts=before)
    database = open_database(empty_database_url)
    with database.engine.begin() as connection:
        connection.execute(text(f"INSERT INTO person {PERSON_BEFORE}"))
        connection.execute(text(f"INSERT INTO resource {RESOURCE_BEFORE}"))
        connection.execute(text(f"INSERT INTO certification {CERTIFICATION_BEFORE}"))
        connection.execute(text(f"INSERT INTO notice {NOTICE_BEFORE}"))
    upgrade(empty_database_url, tmp_path / "backups")
    with database.reading() as session:
        (found,) = notices.of_person(session, person_id="p")
    assert (found.code, found.subject, found.what) == (Code.EXPIRED, "certification:7", "Mill")
    assert found.due_at == found.at == datetime(2026, 11, 23, 9, tzinfo=UTC)
    database.close()
