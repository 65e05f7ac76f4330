"""What the clock asks for, each thing once: also after a day or a month without the steward."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from fabctl.model.notice import Code
from fabctl.services import certifications, enrolments, needs, notices, training
from fabctl.services.audit import lines_about
from fabctl.services.due_training import do_due_training
from fabctl.services.due_work import TOLD_FOR, Due
from fabctl.store.tables_workshops import EnrolmentNeeds
from tests.servers.store.conftest import Lab
from tests.servers.store.workshop_scene import HOUR, Scene, put_on

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def do_due(lab: Lab) -> list[tuple[Due, str | None]]:
    """Let the steward work, twice; return what it did. The second time there is nothing left."""
    with lab.database.transaction() as session:
        done = do_due_training(session, lab.clock)
    with lab.database.transaction() as session:
        assert do_due_training(session, lab.clock) == []
    return [(one.what, one.person_id) for one in done]


def certify_until(lab: Lab, person: str, end: datetime, machine: str = "mill") -> None:
    with lab.database.transaction() as session:
        certifications.certify(
            session, lab.clock, person_id=person, resource_id=machine, expires_at=end
        )


def test_a_warning_30_days_before_and_the_end_each_once(lab: Lab) -> None:
    end = lab.clock.now() + 40 * DAY
    certify_until(lab, lab.noemie, end)
    assert do_due(lab) == []
    lab.clock.wall = end - 30 * DAY - MINUTE
    assert do_due(lab) == []
    lab.clock.advance(60)
    assert do_due(lab) == [(Due.EXPIRY_WARNED, lab.noemie)]
    lab.clock.wall = end
    assert do_due(lab) == []
    lab.clock.advance(60)
    assert do_due(lab) == [(Due.EXPIRED, lab.noemie)]
    with lab.database.reading() as session:
        told = [one.code for one in notices.of_person(session, person_id=lab.noemie)]
        lines = [line.what for line in lines_about(session, f"person:{lab.noemie}")]
    assert told == [Code.EXPIRED, Code.EXPIRY_WARNED]
    assert lines[-2:] == ["certification.expiry-warned", "certification.expired"]


def test_a_month_away_the_warning_is_moot_and_the_end_is_noted(lab: Lab) -> None:
    certify_until(lab, lab.noemie, lab.clock.now() + 20 * DAY)
    lab.clock.advance(31 * 24 * 3600)
    assert do_due(lab) == [(Due.EXPIRED, lab.noemie)]


def test_what_ended_long_ago_is_not_told_as_news(lab: Lab) -> None:
    certify_until(lab, lab.noemie, lab.clock.now())
    lab.clock.advance(TOLD_FOR.total_seconds() + 60)
    assert do_due(lab) == []


def test_a_renewal_in_time_brings_a_warning_of_its_own_and_a_suspension_none(lab: Lab) -> None:
    end = lab.clock.now() + 10 * DAY
    certify_until(lab, lab.noemie, end)
    certify_until(lab, lab.lea, end)
    with lab.database.transaction() as session:
        training.suspend(
            session, lab.clock, person_id=lab.lea, resource_id="mill", reason="smoke", by=lab.awa
        )
    assert do_due(lab) == [(Due.EXPIRY_WARNED, lab.noemie)]
    certify_until(lab, lab.noemie, end + 365 * DAY)
    lab.clock.wall = end + MINUTE
    assert do_due(lab) == []
    lab.clock.wall = end + 335 * DAY
    assert do_due(lab) == [(Due.EXPIRY_WARNED, lab.noemie)]


def test_months_without_use_are_warned_of_too(lab: Lab) -> None:
    with lab.database.transaction() as session:
        certifications.certify(
            session, lab.clock, person_id=lab.noemie, resource_id="mill", unused_months=3
        )
    end = lab.clock.now().replace(year=2027, month=2)
    lab.clock.wall = end - 30 * DAY
    assert do_due(lab) == [(Due.EXPIRY_WARNED, lab.noemie)]
    lab.clock.wall = end + MINUTE
    assert do_due(lab) == [(Due.EXPIRED, lab.noemie)]


def full(lab: Lab, hours: int) -> tuple[Scene, str, list[str]]:
    """Return a full session of one place, who has it, and two who wait."""
    scene = put_on(lab, places=1, accept_hours=hours)
    place = scene.enrol(scene.adult("A"))[0].id
    waiting = [scene.adult(name) for name in ("B", "C")]
    for person in waiting:
        scene.enrol(person)
    return scene, place, waiting


def give_back(lab: Lab, place: str) -> None:
    with lab.database.transaction() as session:
        enrolments.cancel_enrolment(session, lab.clock, enrolment_id=place, by=lab.awa)


def test_an_offer_that_nobody_answers_goes_to_the_next(lab: Lab) -> None:
    scene, place, (second, third) = full(lab, hours=6)
    give_back(lab, place)
    lab.clock.advance(6 * 3600)
    assert do_due(lab) == []  # the last moment still counts
    lab.clock.advance(60)
    assert do_due(lab) == [(Due.PLACE_LAPSED, second), (Due.PLACE_OFFERED, third)]
    assert scene.states() == ["offered"]


def test_a_day_away_from_waiting_lists_ends_each_offer_once(lab: Lab) -> None:
    scene, place, (second, third) = full(lab, hours=6)
    give_back(lab, place)
    lab.clock.wall = scene.slot.start - MINUTE
    assert do_due(lab) == [(Due.PLACE_LAPSED, second), (Due.PLACE_OFFERED, third)]
    lab.clock.advance(120)  # the session has begun: no offer stands, nobody waits
    assert do_due(lab) == [(Due.PLACE_LAPSED, third)]
    assert scene.states() == []
    lab.clock.advance(24 * 3600)
    assert do_due(lab) == []


def test_whoever_waits_when_it_begins_is_told(lab: Lab) -> None:
    scene, _, waiting = full(lab, hours=6)
    lab.clock.wall = scene.slot.start - MINUTE
    assert do_due(lab) == []
    lab.clock.wall = scene.slot.start
    assert sorted(do_due(lab)) == sorted((Due.PLACE_LAPSED, one) for one in waiting)
    assert scene.states() == ["confirmed"]


def needs_kept(lab: Lab) -> int:
    with lab.database.reading() as session:
        return len(session.scalars(select(EnrolmentNeeds)).all())


def write_needs(lab: Lab, enrolment: str, person: str) -> None:
    with lab.database.transaction() as session:
        needs.write_needs(
            session, lab.clock, enrolment_id=enrolment, needs="sans gluten", by=person
        )


def test_needs_are_deleted_after_the_session_and_when_a_place_is_given_back(lab: Lab) -> None:
    scene = put_on(lab, places=3)
    ids = []
    for name in ("A", "B", "C"):
        person = scene.adult(name)
        ids.append(scene.enrol(person)[0].id)
        write_needs(lab, ids[-1], person)
    give_back(lab, ids[0])
    assert do_due(lab) == [(Due.NEEDS_DELETED, None)]
    assert needs_kept(lab) == 2
    lab.clock.wall = scene.slot.end - MINUTE
    assert do_due(lab) == []
    lab.clock.wall = scene.slot.end + DAY  # the steward was away
    assert do_due(lab) == [(Due.NEEDS_DELETED, None)]
    assert needs_kept(lab) == 0
    with lab.database.reading() as session:
        lines = lines_about(session, f"session:{scene.meeting}")
    assert [line.details for line in lines if line.what == "needs.deleted"] == [
        {"count": 1},
        {"count": 2},
    ]


def test_a_day_of_everything_is_caught_up_with(lab: Lab) -> None:
    certify_until(lab, lab.noemie, lab.clock.now() + 30 * DAY + 5 * HOUR)
    certify_until(lab, lab.lea, lab.clock.now() + 5 * HOUR)
    certify_until(lab, lab.karim, lab.clock.now() + 45 * DAY)
    do_due(lab)
    scene, place, (second, third) = full(lab, hours=6)
    give_back(lab, place)
    lab.clock.wall = scene.slot.end
    assert sorted(do_due(lab)) == sorted(
        [
            (Due.EXPIRY_WARNED, lab.noemie),
            (Due.EXPIRED, lab.lea),
            (Due.PLACE_LAPSED, second),
            (Due.PLACE_LAPSED, third),
        ]
    )
