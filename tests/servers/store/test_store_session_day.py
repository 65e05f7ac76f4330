"""The day of a session: machines opened for the group, attendance, one gesture at the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from fabctl.errors import UnknownIdError
from fabctl.model.access import unmet
from fabctl.model.attendance import Mark, Presence
from fabctl.model.booking import ResourceKind, Slot
from fabctl.model.certification import Level, Standing
from fabctl.model.consent import Consent, Signer
from fabctl.model.refusal import RefusedError
from fabctl.services import (
    attendance,
    certificates,
    certifications,
    courses,
    group_use,
    participants,
    presence,
    resources,
    session_changes,
    training,
    workshops,
)
from fabctl.services.access import may_go_on, may_use
from fabctl.services.attendance import SentMark
from fabctl.services.audit import lines_about
from fabctl.services.courses import Wording
from fabctl.store.tables_workshops import SessionOpening
from tests.servers.store.conftest import Lab
from tests.servers.store.workshop_scene import PARIS, Scene, put_on

MINUTE = timedelta(minutes=1)


def codes(act: Callable[[], object]) -> set[str]:
    with pytest.raises(RefusedError) as refused:
        act()
    return set(refused.value.codes)


# -- machines for the group -------------------------------------------------------------------


def against(lab: Lab, person: str, machine: str = "mill") -> list[str]:
    with lab.database.reading() as session:
        found = may_use(
            session, lab.clock, PARIS, person_id=person, resource_id=machine, machine_state="idle"
        )
        to_go_on = may_go_on(session, lab.clock, PARIS, person_id=person, resource_id=machine)
    codes_now = [one.code for one in unmet(found)]
    assert [one.code for one in unmet(to_go_on)] == codes_now
    return codes_now


def open_mill(scene: Scene, by: str, machine: str = "mill") -> None:
    with scene.lab.database.transaction() as session:
        group_use.open_for_group(
            session, scene.lab.clock, session_id=scene.meeting, resource_id=machine, by=by
        )


def come(scene: Scene, person: str) -> None:
    with scene.lab.database.transaction() as session:
        presence.check_in(session, scene.lab.clock, person_id=person, by=person)


def certify(scene: Scene, person: str, level: Level = Level.AUTONOMOUS) -> None:
    with scene.lab.database.transaction() as session:
        certifications.certify(
            session, scene.lab.clock, person_id=person, resource_id="mill", level=level
        )


def test_participants_use_an_opened_machine_while_a_certified_animator_is_there(lab: Lab) -> None:
    scene = put_on(lab, resources=("mill",))
    zoe = scene.adult()
    scene.enrol(zoe)
    certify(scene, scene.ali)
    lab.clock.wall = scene.slot.start - MINUTE
    assert codes(lambda: open_mill(scene, scene.ali)) == {"session-not-now"}
    lab.clock.wall = scene.slot.start
    assert codes(lambda: open_mill(scene, lab.lea)) == {"session-staff-only"}
    assert codes(lambda: open_mill(scene, scene.ali, "printer-a")) == {"machine-not-in-session"}
    assert against(lab, zoe) == ["not-certified", "someone-elses-slot"]
    open_mill(scene, scene.ali)
    assert against(lab, zoe) == ["supervision-missing"]
    come(scene, scene.ali)
    assert against(lab, zoe) == []
    assert against(lab, scene.ali) == []
    assert against(lab, lab.noemie) == ["not-certified", "someone-elses-slot"]
    lab.clock.wall = scene.slot.end - MINUTE
    assert against(lab, zoe) == []
    lab.clock.wall = scene.slot.end
    assert against(lab, zoe) == ["not-certified", "not-reserved"]
    assert codes(lambda: open_mill(scene, scene.ali)) == {"session-not-now"}


def test_an_animator_who_is_not_certified_or_has_left_answers_for_nobody(lab: Lab) -> None:
    scene = put_on(lab, resources=("mill",))
    zoe = scene.adult()
    scene.enrol(zoe)
    lab.clock.wall = scene.slot.start
    open_mill(scene, scene.ali)
    come(scene, scene.ali)
    assert against(lab, zoe) == ["supervision-missing"]
    certify(scene, scene.ali, Level.SUPERVISED)
    assert against(lab, zoe) == ["supervision-missing"]
    certify(scene, scene.ali)
    certify(scene, lab.karim, Level.TRAINER)
    assert against(lab, zoe) == []
    with lab.database.transaction() as session:
        presence.check_out(session, lab.clock, person_id=scene.ali, by=scene.ali)
    come(scene, lab.karim)  # certified, but does not lead the session
    assert against(lab, zoe) == ["supervision-missing"]


def test_a_session_moved_to_another_day_opens_its_machines_anew(lab: Lab) -> None:
    scene = put_on(lab, resources=("mill",))
    zoe = scene.adult()
    scene.enrol(zoe)
    certify(scene, scene.ali)

    def move(start: timedelta, end: timedelta) -> None:
        slot = Slot(scene.slot.start + start, scene.slot.end + end)
        with lab.database.transaction() as session:
            session_changes.change(
                session, lab.clock, session_id=scene.meeting, slot=slot, by=lab.awa
            )

    def openings() -> list[bool]:
        with lab.database.reading() as session:
            rows = session.scalars(select(SessionOpening).order_by(SessionOpening.opened_at))
            return [row.closed_at is None for row in rows]

    lab.clock.wall = scene.slot.start
    come(scene, scene.ali)
    open_mill(scene, scene.ali)
    move(timedelta(0), 30 * MINUTE)  # longer: the group is at work
    assert (against(lab, zoe), openings()) == ([], [True])
    day = timedelta(days=1)
    move(day, day)
    assert openings() == [False]
    with lab.database.transaction() as session:  # as versions left it that did not close it
        session.execute(update(SessionOpening).values(closed_at=None))
    lab.clock.wall = scene.slot.start + day
    come(scene, scene.ali)
    assert against(lab, zoe) == ["not-certified", "someone-elses-slot"]
    open_mill(scene, scene.ali)
    assert (against(lab, zoe), openings()) == ([], [False, True])


def test_closing_suspension_and_a_consent_taken_back_end_it(lab: Lab) -> None:
    scene = put_on(lab, resources=("mill",), places=3)
    zoe, tom = scene.adult("Zoé"), scene.adult("Tom")
    scene.enrol(zoe)
    scene.enrol(tom)
    certify(scene, scene.ali)
    lab.clock.wall = scene.slot.start
    come(scene, scene.ali)
    open_mill(scene, scene.ali)
    with lab.database.transaction() as session:
        form = Consent(Signer.SELF, takes_part=False)
        participants.sign_consent(session, lab.clock, PARIS, person_id=zoe, form=form, by=zoe)
    certify(scene, tom)
    with lab.database.transaction() as session:
        training.suspend(
            session, lab.clock, person_id=tom, resource_id="mill", reason="played", by=lab.awa
        )
    assert against(lab, zoe) == ["consent-missing"]
    assert against(lab, tom) == ["certification-suspended"]
    with lab.database.transaction() as session:
        group_use.close_for_group(
            session, lab.clock, session_id=scene.meeting, resource_id="mill", by=scene.ali
        )
    assert against(lab, zoe) == ["not-certified", "someone-elses-slot"]


def test_a_supervised_certification_asks_for_a_trainer_who_is_checked_in(lab: Lab) -> None:
    scene = put_on(lab)
    certify(scene, lab.noemie, Level.SUPERVISED)
    assert against(lab, lab.noemie) == ["supervision-missing", "not-reserved"]
    certify(scene, lab.karim)
    come(scene, lab.karim)
    assert "supervision-missing" in against(lab, lab.noemie)  # autonomous is no trainer
    certify(scene, lab.karim, Level.TRAINER)
    assert against(lab, lab.noemie) == ["not-reserved"]
    lab.clock.advance(12 * 3600 - 60)
    assert against(lab, lab.noemie) == ["not-reserved"]
    lab.clock.advance(60)  # forgot to check out: nobody is there for ever
    assert "supervision-missing" in against(lab, lab.noemie)
    come(scene, lab.karim)
    assert against(lab, lab.noemie) == ["not-reserved"]


# -- attendance -------------------------------------------------------------------------------


def send(scene: Scene, *marks: SentMark, by: str | None = None) -> list[tuple[bool, list[str]]]:
    with scene.lab.database.transaction() as session:
        answers = attendance.take_marks(
            session, scene.lab.clock, session_id=scene.meeting, marks=marks, by=by or scene.ali
        )
    return [(one.new, [why.code for why in one.refusals]) for one in answers]


def tap(scene: Scene, enrolment: str, number: int, what: Presence, minute: int = 0) -> SentMark:
    return SentMark(enrolment, Mark(f"m{number}", scene.slot.start + minute * MINUTE, what))


def counted(scene: Scene) -> list[tuple[str, Presence | None]]:
    with scene.lab.database.transaction() as session:
        rows = attendance.sheet(
            session, scene.lab.clock, PARIS, session_id=scene.meeting, by=scene.ali
        )
    return [(one.name, one.presence) for one in rows]


def test_marks_come_late_twice_and_out_of_order(lab: Lab) -> None:
    scene = put_on(lab)
    zoe = scene.enrol(scene.adult("Zoé"))[0].id
    abel = scene.enrol(scene.adult("Abel"))[0].id
    lab.clock.wall = scene.slot.end + timedelta(days=1)  # the console was offline until now
    late = tap(scene, zoe, 2, Presence.LATE, 20)
    absent = tap(scene, zoe, 1, Presence.ABSENT)
    assert send(scene, late) == [(True, [])]
    assert send(scene, absent, late) == [(True, []), (False, [])]
    assert counted(scene) == [("Abel", None), ("Zoé", Presence.LATE)]
    undo = SentMark(zoe, Mark("m3", scene.slot.start, undoes="m2"))
    assert send(scene, undo, undo) == [(True, []), (False, [])]
    assert counted(scene) == [("Abel", None), ("Zoé", Presence.ABSENT)]
    assert send(scene, tap(scene, abel, 2, Presence.PRESENT)) == [(False, ["mark-id-reused"])]
    assert counted(scene)[0] == ("Abel", None)


def test_a_refused_mark_keeps_no_other_from_being_recorded(lab: Lab) -> None:
    scene = put_on(lab)
    zoe = scene.enrol(scene.adult("Zoé"))[0].id
    lab.clock.wall = scene.slot.start
    early = SentMark(zoe, Mark("m0", scene.slot.start - timedelta(days=1), Presence.ABSENT))
    good = tap(scene, zoe, 1, Presence.PRESENT)
    assert send(scene, early, good) == [(False, ["sheet-not-open"]), (True, [])]
    assert counted(scene) == [("Zoé", Presence.PRESENT)]


def test_a_clock_that_runs_ahead_is_held_back(lab: Lab) -> None:
    scene = put_on(lab)
    zoe = scene.enrol(scene.adult("Zoé"))[0].id
    lab.clock.wall = scene.slot.start
    send(scene, tap(scene, zoe, 1, Presence.ABSENT, minute=60 * 24))
    lab.clock.advance(60)
    send(scene, tap(scene, zoe, 2, Presence.PRESENT, minute=1))
    assert counted(scene) == [("Zoé", Presence.PRESENT)]


def test_only_those_who_lead_the_session_see_and_fill_in_its_sheet(lab: Lab) -> None:
    scene = put_on(lab)
    zoe = scene.enrol(scene.adult("Zoé"))[0].id
    lab.clock.wall = scene.slot.start
    mark = tap(scene, zoe, 1, Presence.PRESENT)
    assert codes(lambda: send(scene, mark, by=lab.lea)) == {"session-staff-only"}
    assert send(scene, tap(scene, "nobody", 1, Presence.PRESENT)) == [(False, ["mark-malformed"])]
    counted(scene)
    with lab.database.reading() as session:
        lines = lines_about(session, f"session:{scene.meeting}")
    assert [line.who for line in lines if line.what == "attendance.read"] == [scene.ali]


# -- the gesture at the end -------------------------------------------------------------------


def pass_all(scene: Scene, *enrolments: str) -> None:
    with scene.lab.database.transaction() as session:
        for one in enrolments:
            attendance.set_passed(
                session, scene.lab.clock, enrolment_id=one, passed=True, by=scene.ali
            )


def test_a_sheet_that_is_loaded_again_and_again_is_on_record_once_a_day(lab: Lab) -> None:
    scene = put_on(lab, places=3)
    scene.enrol(scene.adult("A"))

    def read(by: str) -> int:
        with lab.database.transaction() as session:
            attendance.sheet(session, lab.clock, PARIS, session_id=scene.meeting, by=by)
            lines = lines_about(session, f"session:{scene.meeting}")
        return sum(line.what == "attendance.read" for line in lines)

    lab.clock.wall = scene.slot.start
    assert [read(scene.ali), read(scene.ali), read(lab.awa), read(lab.awa)] == [1, 1, 2, 2]
    lab.clock.wall += MINUTE
    scene.enrol(scene.adult("B"), by=lab.awa)  # whoever came since: their file was looked at, too
    assert [read(scene.ali), read(scene.ali)] == [3, 3]
    lab.clock.wall += timedelta(days=1)
    assert read(scene.ali) == 4


def award(scene: Scene, by: str | None = None) -> certificates.AwardReport:
    with scene.lab.database.transaction() as session:
        return certificates.award(
            session, scene.lab.clock, PARIS, session_id=scene.meeting, by=by or scene.ali
        )


def test_everybody_who_was_there_and_passed_gets_a_certificate_once(lab: Lab) -> None:
    scene = put_on(lab, places=4)
    ids = [scene.enrol(scene.adult(name))[0].id for name in ("A", "B", "C", "D")]
    lab.clock.wall = scene.slot.start
    for number, what in enumerate((Presence.PRESENT, Presence.LATE, Presence.ABSENT)):
        send(scene, tap(scene, ids[number], number, what))
    pass_all(scene, ids[0], ids[1], ids[2], ids[3])
    lab.clock.wall = scene.slot.end
    assert codes(lambda: award(scene, lab.lea)) == {"session-staff-only"}
    report = award(scene)
    assert [(one.name, one.title, one.hours) for one in report.certificates] == [
        ("A", "Atelier découpe", 2.0),
        ("B", "Atelier découpe", 2.0),
    ]
    assert award(scene).certificates == ()
    send(scene, tap(scene, ids[3], 9, Presence.PRESENT))
    assert [one.name for one in award(scene).certificates] == ["D"]


def test_a_certificate_is_its_persons(lab: Lab) -> None:
    scene = put_on(lab)
    zoe = scene.adult("Zoé")
    one = scene.enrol(zoe)[0].id
    lab.clock.wall = scene.slot.start
    send(scene, tap(scene, one, 1, Presence.PRESENT))
    pass_all(scene, one)
    made = award(scene).certificates[0]

    def see(by: str) -> Any:
        with lab.database.reading() as session:
            return certificates.certificate(
                session, lab.clock, PARIS, certificate_id=made.id, by=by
            )

    assert see(zoe) == see(scene.ali) == made
    with pytest.raises(UnknownIdError):
        see(lab.lea)


def mill_course(lab: Lab) -> str:
    """Offer a training for the mill; return its id."""
    with lab.database.transaction() as session:
        return courses.create_course(
            session,
            lab.clock,
            wording={"fr": Wording("Fraiseuse")},
            resource_ids=["mill"],
            by=lab.awa,
        ).id


def test_a_training_certifies_everybody_present_who_passed(lab: Lab) -> None:
    course = mill_course(lab)
    scene = put_on(lab, places=3, course_id=course)
    people_ids = [scene.adult(name) for name in ("A", "B", "C")]
    ids = [scene.enrol(one)[0].id for one in people_ids]
    certify(scene, people_ids[2])
    with lab.database.transaction() as session:
        training.suspend(
            session,
            lab.clock,
            person_id=people_ids[2],
            resource_id="mill",
            reason="smoke",
            by=lab.awa,
        )
    lab.clock.wall = scene.slot.start
    for number, one in enumerate(ids):
        send(scene, tap(scene, one, number, Presence.PRESENT))
    pass_all(scene, ids[0], ids[2])
    assert codes(lambda: award(scene)) == {"not-a-trainer"}  # Ali leads it, and is none
    certify(scene, scene.ali, Level.TRAINER)
    report = award(scene)
    assert report.certified == (people_ids[0],)
    assert {one: [why.code for why in found] for one, found in report.refused.items()} == {
        people_ids[2]: ["certification-suspended"]
    }
    with lab.database.reading() as session:
        now = [
            certifications.standing_at(session, one, "mill", lab.clock.now()) for one in people_ids
        ]
    assert now == [Standing.VALID, Standing.NONE, Standing.SUSPENDED]


def test_whoever_was_refused_once_is_certified_when_nothing_stands_against_it(lab: Lab) -> None:
    course = mill_course(lab)
    scene = put_on(lab, places=2, course_id=course)
    zoe = scene.adult()
    place = scene.enrol(zoe)[0].id
    certify(scene, scene.ali, Level.TRAINER)
    certify(scene, zoe)
    suspended = {"person_id": zoe, "resource_id": "mill", "by": lab.awa}
    with lab.database.transaction() as session:
        training.suspend(session, lab.clock, reason="smoke", **suspended)
    lab.clock.wall = scene.slot.start
    send(scene, tap(scene, place, 1, Presence.PRESENT))
    pass_all(scene, place)
    for papers in (1, 0):  # it is said each time, not once
        report = award(scene)
        assert len(report.certificates) == papers
        assert [why.code for why in report.refused[zoe]] == ["certification-suspended"]
    with lab.database.transaction() as session:
        training.reinstate(session, lab.clock, **suspended)
    for certified in ((zoe,), ()):  # once: no second check is put on record
        report = award(scene)
        assert (report.certificates, report.certified, report.refused) == ((), certified, {})


# -- a room with machines ---------------------------------------------------------------------


def test_a_session_in_a_room_has_the_machines_in_it(lab: Lab) -> None:
    with lab.database.transaction() as session:
        resources.add_resource(
            session,
            lab.clock,
            resource_id="workshop",
            name="W",
            kind=ResourceKind.SPACE,
            by=lab.awa,
        )
        resources.put_into(session, lab.clock, resource_id="mill", parent_id="workshop", by=lab.awa)
    scene = put_on(lab, resources=("mill", "workshop"))
    zoe = scene.adult()
    scene.enrol(zoe)
    certify(scene, scene.ali)
    lab.clock.wall = scene.slot.start
    come(scene, scene.ali)
    open_mill(scene, scene.ali)
    assert against(lab, zoe) == []
    with lab.database.reading() as session:
        assert workshops.get_session(session, scene.meeting).resource_ids == ("workshop",)
