"""A session that is planned is changed: its time, what it uses, who leads it; posters too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from fabctl.errors import InputError, UnknownIdError
from fabctl.model.attendance import Mark, Presence
from fabctl.model.booking import ResourceKind, Slot
from fabctl.model.refusal import RefusedError
from fabctl.services import (
    attendance,
    certificates,
    group_use,
    notices,
    resources,
    session_changes,
    workshop_changes,
    workshops,
)
from fabctl.services.attendance import SentMark
from fabctl.services.audit import lines_about
from fabctl.services.workshop_changes import poster_of
from fabctl.services.workshops import SessionView
from fabctl.store.ids import new_id
from fabctl.store.tables import Claim
from tests.servers.store.conftest import Lab
from tests.servers.store.workshop_scene import HOUR, PARIS, Scene, put_on


def change(scene: Scene, by: str | None = None, **how: Any) -> SessionView:
    with scene.lab.database.transaction() as session:
        return session_changes.change(
            session, scene.lab.clock, session_id=scene.meeting, by=by or scene.lab.awa, **how
        )


def refused(act: Callable[[], object]) -> list[str]:
    with pytest.raises(RefusedError) as found:
        act()
    return list(found.value.codes)


def live(lab: Lab) -> dict[str, Slot]:
    with lab.database.reading() as session:
        rows = session.scalars(select(Claim).where(Claim.released_at.is_(None)))
        return {row.resource_id: Slot(row.start_at, row.end_at) for row in rows}


def told(lab: Lab, person: str) -> list[str]:
    with lab.database.reading() as session:
        return [one.code.value for one in notices.of_person(session, person_id=person)]


def reserve(lab: Lab, machine: str, slot: Slot) -> None:
    with lab.database.transaction() as session:
        taken = {"resource_id": machine, "kind": "reservation"}
        session.add(Claim(id=new_id(), start_at=slot.start, end_at=slot.end, **taken))


def rooms(lab: Lab) -> None:
    """Two rooms, printer-a in the first and the mill in the second."""
    with lab.database.transaction() as session:
        for room, machine in (("wood", "printer-a"), ("metal", "mill")):
            resources.add_resource(
                session, lab.clock, resource_id=room, name=room.title(),
                kind=ResourceKind.SPACE, by=lab.awa,
            )  # fmt: skip
            resources.put_into(session, lab.clock, resource_id=machine, parent_id=room, by=lab.awa)


def test_machines_are_let_go_and_claimed_and_a_conflict_changes_nothing(lab: Lab) -> None:
    scene = put_on(lab, resources=("printer-a", "mill"))
    zoe = scene.adult()
    scene.enrol(zoe)
    reserve(lab, "printer-b", Slot(scene.slot.start, scene.slot.start + HOUR))
    before = live(lab)
    later = Slot(scene.slot.start + HOUR // 2, scene.slot.end + HOUR)
    both: dict[str, Any] = {"resource_ids": ["printer-b"], "slot": later, "animators": [lab.awa]}
    assert refused(lambda: change(scene, **both)) == ["overlap"]
    assert (live(lab), told(lab, zoe)) == (before, [])
    assert change(scene, resource_ids=["printer-a"]).resource_ids == ("printer-a",)
    assert live(lab).keys() == {"printer-a", "printer-b"}
    reserve(lab, "mill", scene.slot)
    assert refused(lambda: change(scene, resource_ids=["mill", "printer-a"])) == ["overlap"]
    assert told(lab, zoe) == []  # no other time, no other room


def test_who_has_a_place_is_told_of_another_time_and_another_room(lab: Lab) -> None:
    rooms(lab)
    scene = put_on(lab, resources=("wood",))
    zoe = scene.adult()
    scene.enrol(zoe)
    change(scene, resource_ids=["printer-a"])  # in the same room
    change(scene, animators=[scene.ali, lab.karim])
    assert told(lab, zoe) == []
    change(scene, resource_ids=["mill"])
    assert told(lab, zoe) == ["session-elsewhere"]
    later = Slot(scene.slot.start + HOUR, scene.slot.end + HOUR)
    change(scene, slot=later, resource_ids=["metal", "mill"])
    assert sorted(told(lab, zoe)) == ["session-elsewhere", "session-moved"]
    assert sorted(told(lab, lab.karim)) == ["session-elsewhere", "session-moved"]
    assert live(lab) == {"metal": later}
    with lab.database.reading() as session:
        lines = [one.what for one in lines_about(session, f"session:{scene.meeting}")]
    assert lines.count("session.moved") == 1
    assert lines.count("session.changed") == 4


def test_what_is_added_while_it_runs_is_claimed_from_now_on(lab: Lab) -> None:
    scene = put_on(lab, resources=("mill", "printer-b"))
    reserve(lab, "printer-a", Slot(scene.slot.start, scene.slot.start + HOUR // 2))
    lab.clock.wall = scene.slot.start
    for machine in ("mill", "printer-b"):
        with lab.database.transaction() as session:
            group_use.open_for_group(
                session, lab.clock, session_id=scene.meeting, resource_id=machine, by=scene.ali
            )
    now = lab.clock.wall = scene.slot.start + HOUR
    found = change(scene, resource_ids=["printer-a", "printer-b"])
    assert found.resource_ids == ("printer-a", "printer-b")
    assert live(lab)["mill"] == Slot(scene.slot.start, now)
    with lab.database.reading() as session:
        assert group_use.open_now(session, session_id=scene.meeting) == {"printer-b"}
        ours = session.scalars(select(Claim).where(Claim.kind == "workshop"))
        starts = {row.resource_id: row.start_at for row in ours}
    assert starts["printer-a"] == now
    longer = Slot(scene.slot.start, scene.slot.end + HOUR)
    change(scene, slot=longer)  # what is past of the added one is nobody's concern
    assert live(lab)["printer-b"] == longer


def test_what_is_over_or_cancelled_stays_but_for_who_led_it(lab: Lab) -> None:
    scene = put_on(lab, resources=("mill",))
    lab.clock.wall = scene.slot.end
    later = Slot(scene.slot.start + 48 * HOUR, scene.slot.end + 48 * HOUR)
    assert refused(lambda: change(scene, slot=later)) == ["session-over"]
    assert refused(lambda: change(scene, resource_ids=[])) == ["session-over"]
    assert change(scene, animators=[lab.karim]).animators == (lab.karim,)
    assert refused(lambda: change(scene, by=lab.lea, animators=[])) == ["staff-only"]
    with pytest.raises(UnknownIdError):
        change(scene, animators=["nobody"])


def test_a_certificate_keeps_the_title_under_which_it_was_handed_out(lab: Lab) -> None:
    scene = put_on(lab)
    zoe = scene.adult()
    place = scene.enrol(zoe)[0].id
    lab.clock.wall = scene.slot.start
    tap = SentMark(place, Mark("m1", lab.clock.wall, Presence.PRESENT))
    with lab.database.transaction() as session:
        attendance.take_marks(
            session, lab.clock, session_id=scene.meeting, marks=[tap], by=scene.ali
        )
        attendance.set_passed(session, lab.clock, enrolment_id=place, passed=True, by=scene.ali)
        report = certificates.award(
            session, lab.clock, PARIS, session_id=scene.meeting, by=scene.ali
        )
        poster = poster_of(workshops.get_workshop(session, scene.workshop))
        workshop_changes.change_workshop(
            session, lab.clock, workshop_id=scene.workshop,
            poster=replace(poster, title="Couture"), by=lab.awa,
        )  # fmt: skip
        found = certificates.certificate(
            session, lab.clock, PARIS, certificate_id=report.certificates[0].id, by=zoe
        )
        assert workshops.get_session(session, scene.meeting).title == "Couture"
    assert found == report.certificates[0]
    assert found.title == "Atelier découpe"


def test_a_poster_says_something_else_and_who_changed_it_is_on_record(lab: Lab) -> None:
    scene = put_on(lab, price_cents=500)
    with lab.database.reading() as session:
        poster = poster_of(workshops.get_workshop(session, scene.workshop))
        animator = scene.ali

    def say(by: str, **anew: Any) -> workshops.WorkshopView:
        with lab.database.transaction() as session:
            return workshop_changes.change_workshop(
                session,
                lab.clock,
                workshop_id=scene.workshop,
                poster=replace(poster, **anew),
                by=by,
            )

    assert say(animator, title=" Couture ", age_least=12).title == "Couture"
    say(animator, title="Couture", age_least=12)  # nothing is different
    assert refused(lambda: say(lab.lea, title="x")) == ["staff-only"]
    for wrong in ({"title": " "}, {"places": 0}, {"age_least": 20, "age_most": 19}):
        with pytest.raises(InputError):
            say(lab.awa, **wrong)
    with pytest.raises(UnknownIdError):
        say(lab.awa, course_id="none")
    with lab.database.reading() as session:
        lines = lines_about(session, f"workshop:{scene.workshop}")
        places = workshops.get_session(session, scene.meeting).places
    changes = [one.details for one in lines if one.what == "workshop.changed"]
    assert changes == [{"was": {"title": "Atelier découpe", "age_least": None}}]
    assert places == 2
