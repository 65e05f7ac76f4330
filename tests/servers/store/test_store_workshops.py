"""Workshops on real databases: sessions and their claims, enrolments, consents, waiting lists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from fabctl.errors import InputError
from fabctl.model.accounts import GroupKind
from fabctl.model.booking import Slot
from fabctl.model.consent import Consent, Signer
from fabctl.model.notice import Code
from fabctl.model.refusal import RefusedError
from fabctl.services import (
    accounts,
    enrolments,
    needs,
    notices,
    participants,
    session_changes,
    sessions,
    workshops,
)
from fabctl.services.audit import lines_about
from fabctl.store.ids import new_id
from fabctl.store.tables import Claim
from fabctl.store.tables_workshops import Enrolment, EnrolmentNeeds, WorkshopSession
from tests.servers.store.conftest import Lab
from tests.servers.store.guarantees import drop_guarantees
from tests.servers.store.workshop_scene import BORN, HOUR, PARENT, PARIS, SIGNED, put_on


def codes(act: Callable[[], object]) -> set[str]:
    with pytest.raises(RefusedError) as refused:
        act()
    return set(refused.value.codes)


def claims(lab: Lab) -> list[tuple[str, str]]:
    with lab.database.reading() as session:
        rows = session.scalars(select(Claim).where(Claim.released_at.is_(None)))
        return sorted((row.resource_id, row.kind) for row in rows)


def schedule(lab: Lab, workshop: str, slot: Slot, *resources: str, by: str | None = None) -> str:
    with lab.database.transaction() as session:
        return sessions.schedule(
            session,
            lab.clock,
            workshop_id=workshop,
            slot=slot,
            resource_ids=resources,
            by=by or lab.awa,
        ).id


# -- sessions ---------------------------------------------------------------------------------


def test_a_session_claims_what_it_uses_and_the_database_keeps_others_away(lab: Lab) -> None:
    scene = put_on(lab, resources=("printer-a", "mill"))
    assert claims(lab) == [("mill", "workshop"), ("printer-a", "workshop")]
    claim = Claim(
        id=new_id(),
        resource_id="mill",
        kind="reservation",
        start_at=scene.slot.end - timedelta(minutes=1),
        end_at=scene.slot.end + HOUR,
    )
    with pytest.raises(RefusedError), lab.database.transaction() as session:
        session.add(claim)
    later = Slot(scene.slot.end, scene.slot.end + HOUR)
    assert schedule(lab, scene.workshop, later, "mill")


def test_two_sessions_may_not_use_one_machine_at_once(lab: Lab) -> None:
    scene = put_on(lab, resources=("mill",))
    assert codes(lambda: schedule(lab, scene.workshop, scene.slot, "printer-a", "mill")) == {
        "overlap"
    }
    assert claims(lab) == [("mill", "workshop")]
    assert schedule(lab, scene.workshop, scene.slot, "printer-a")


def test_members_put_no_session_on(lab: Lab) -> None:
    scene = put_on(lab)
    assert codes(lambda: schedule(lab, scene.workshop, scene.slot, by=lab.lea)) == {"staff-only"}


def test_a_weekly_series_says_which_dates_cannot_be_and_makes_none_unless_told(lab: Lab) -> None:
    scene = put_on(lab, resources=("mill",))  # Tuesday 24 November, 9 to 11 UTC

    def weekly(**how: Any) -> sessions.SeriesReport:
        with lab.database.transaction() as session:
            return sessions.schedule_weekly(
                session,
                lab.clock,
                PARIS,
                workshop_id=scene.workshop,
                first=date(2026, 11, 17),
                until=date(2026, 12, 8),
                starts=time(10),
                ends=time(12),
                resource_ids=["mill"],
                by=lab.awa,
                **how,
            )

    report = weekly()
    found = {one.day.day: [why.code for why in one.refusals] for one in report.refused}
    assert found == {17: ["session-over"], 24: ["overlap"]}
    assert report.made == ()
    assert len(claims(lab)) == 1
    report = weekly(skip_refused=True)
    assert [one.start.day for one in report.made] == [1, 8]
    assert len({one.series_id for one in report.made}) == 1
    assert len(claims(lab)) == 3


def test_a_session_across_midnight_over_both_clock_changes(lab: Lab) -> None:
    scene = put_on(lab)
    with lab.database.transaction() as session:
        spring = sessions.schedule_weekly(
            session,
            lab.clock,
            PARIS,
            workshop_id=scene.workshop,
            first=date(2027, 3, 20),
            until=date(2027, 3, 27),
            starts=time(22),
            ends=time(4),
            resource_ids=["mill"],
            by=lab.awa,
        )
        autumn = sessions.schedule_weekly(
            session,
            lab.clock,
            PARIS,
            workshop_id=scene.workshop,
            first=date(2027, 10, 23),
            until=date(2027, 10, 30),
            starts=time(22),
            ends=time(4),
            resource_ids=["mill"],
            by=lab.awa,
        )
    hours = [(one.end - one.start) / HOUR for one in (*spring.made, *autumn.made)]
    assert hours == [6, 5, 6, 7]


def test_a_move_takes_all_claims_along_and_a_refused_one_changes_nothing(lab: Lab) -> None:
    scene = put_on(lab, resources=("printer-a", "mill"))
    blocked = Slot(scene.slot.start + 4 * HOUR, scene.slot.end + 4 * HOUR)
    schedule(lab, scene.workshop, blocked, "mill")

    def move(hours: int) -> None:
        slot = Slot(scene.slot.start + hours * HOUR, scene.slot.end + hours * HOUR)
        with lab.database.transaction() as session:
            session_changes.change(
                session, lab.clock, session_id=scene.meeting, slot=slot, by=lab.awa
            )

    assert codes(lambda: move(3)) == {"overlap"}
    move(1)  # over itself
    with lab.database.reading() as session:
        view = workshops.get_session(session, scene.meeting)
        starts = session.scalars(select(Claim.start_at).where(Claim.start_at < blocked.start)).all()
    assert view.start == scene.slot.start + HOUR
    assert starts == [view.start, view.start]


def test_cancelling_frees_the_machines_and_names_who_must_be_told(lab: Lab) -> None:
    scene = put_on(lab, resources=("mill",))
    zoe = scene.adult()
    scene.enrol(zoe)
    with lab.database.transaction() as session:
        told = sessions.cancel_session(
            session, lab.clock, session_id=scene.meeting, reason="storm", by=lab.awa
        )
    assert (told, claims(lab), scene.states()) == ([zoe], [], [])
    assert codes(lambda: scene.enrol(zoe)) == {"session-cancelled"}


# -- enrolments -------------------------------------------------------------------------------


def test_a_full_session_makes_people_wait_and_a_freed_place_is_offered_to_the_first(
    lab: Lab,
) -> None:
    scene = put_on(lab, places=1, accept_hours=6)
    first, second, third = scene.adult("A"), scene.adult("B"), scene.adult("C")
    place = scene.enrol(first)[0]
    waiting = scene.enrol(second)[0]
    scene.enrol(third)
    assert scene.states() == ["confirmed", "waiting", "waiting"]
    with lab.database.transaction() as session:
        enrolments.cancel_enrolment(session, lab.clock, enrolment_id=place.id, by=first)
    assert scene.states() == ["offered", "waiting"]
    with lab.database.transaction() as session:
        told = notices.of_person(session, person_id=second)
        assert [(one.code, one.due_at) for one in told] == [
            (Code.PLACE_OFFERED, lab.clock.now() + 6 * HOUR)
        ]
        enrolments.accept(session, lab.clock, enrolment_id=waiting.id, by=second)
    assert scene.states() == ["confirmed", "waiting"]


def test_siblings_are_placed_together_or_not_at_all(lab: Lab) -> None:
    scene = put_on(lab, places=2)
    parent = scene.adult("Fatou")
    children = [scene.child(parent, name) for name in ("Tom", "Lou")]
    scene.enrol(scene.adult("A"))
    waiting = scene.enrol(*children, by=parent)
    assert scene.states() == ["confirmed", "waiting", "waiting"]
    assert len({one.party_id for one in waiting}) == 1
    scene.enrol(scene.adult("B"))  # the place that the two cannot use
    assert scene.states() == ["confirmed", "waiting", "waiting", "confirmed"]
    with lab.database.transaction() as session:
        sessions.set_places(session, lab.clock, session_id=scene.meeting, places=4, by=lab.awa)
    assert scene.states() == ["confirmed", "offered", "offered", "confirmed"]
    with lab.database.transaction() as session:
        accepted = enrolments.accept(session, lab.clock, enrolment_id=waiting[0].id, by=parent)
    assert len(accepted) == 2
    assert scene.states() == ["confirmed"] * 4


def test_every_reason_of_every_sibling_is_said_and_nothing_is_kept(lab: Lab) -> None:
    scene = put_on(lab, age_least=12)
    parent = scene.adult("Fatou")
    ready, late = scene.child(parent, "Tom"), scene.child(parent, "Lou", signed=False)
    assert codes(lambda: scene.enrol(ready, late, by=parent)) == {
        "not-in-age-range",
        "consent-missing",
    }
    assert scene.states() == []


def test_staff_override_with_a_reason_and_members_do_not(lab: Lab) -> None:
    scene = put_on(lab, age_least=12)
    parent = scene.adult("Fatou")
    child = scene.child(parent)
    refused = codes(lambda: scene.enrol(child, by=parent, override="please"))
    assert "not-yours" in refused
    with pytest.raises(InputError):
        scene.enrol(child, by=lab.awa, override=" ")
    one = scene.enrol(child, by=lab.awa, override="comes with a big sister")[0]
    with lab.database.reading() as session:
        line = lines_about(session, f"enrolment:{one.id}")[-1]
    assert (line.who, line.details["override"]) == (lab.awa, "comes with a big sister")


def test_a_stranger_enrols_nobody_and_nobody_twice(lab: Lab) -> None:
    scene = put_on(lab)
    zoe = scene.adult()
    assert codes(lambda: scene.enrol(zoe, by=lab.lea)) == {"not-yours"}
    scene.enrol(zoe)
    assert codes(lambda: scene.enrol(zoe)) == {"already-enrolled"}


def test_after_giving_a_place_back_one_may_come_again(lab: Lab) -> None:
    scene = put_on(lab)
    zoe = scene.adult()
    one = scene.enrol(zoe)[0]
    with lab.database.transaction() as session:
        enrolments.cancel_enrolment(session, lab.clock, enrolment_id=one.id, by=zoe)
    scene.enrol(zoe)
    assert scene.states() == ["confirmed"]


def test_a_partner_holds_places_and_names_them_later(lab: Lab) -> None:
    scene = put_on(lab, places=5, age_most=12)
    kid = scene.child(lab.noemie, "Tom", signed=False)
    with lab.database.transaction() as session:
        group = accounts.add_group(
            session, lab.clock, name="Centre social", kind=GroupKind.PARTNER, by=lab.awa
        )
        partner = group.id
        accounts.set_member(
            session,
            lab.clock,
            account_id=partner,
            person_id=lab.noemie,
            may_act=True,
            by=lab.awa,
        )
        grown = participants.add_participant(
            session, lab.clock, PARIS, first_name="Zoé", birth_year=1990, by=lab.noemie
        )
        held = enrolments.hold_places(
            session,
            lab.clock,
            session_id=scene.meeting,
            partner_id=partner,
            count=4,
            by=lab.noemie,
        )

    def name(number: int, person: str, by: str = lab.noemie) -> None:
        with lab.database.transaction() as session:
            enrolments.name_place(
                session,
                lab.clock,
                PARIS,
                enrolment_id=held[number].id,
                person_id=person,
                by=by,
            )

    assert scene.states() == ["confirmed"] * 4
    name(0, kid)
    assert codes(lambda: name(1, kid)) == {"already-enrolled"}
    assert codes(lambda: name(1, grown)) == {"not-in-age-range"}
    assert codes(lambda: name(1, grown, by=lab.lea)) == {"not-yours"}


def test_the_18th_birthday_decides_who_signs(lab: Lab) -> None:
    scene = put_on(lab)  # on the 24th
    with lab.database.transaction() as session:
        person = participants.add_participant(
            session, lab.clock, PARIS, first_name="Inès", birth_year=2008, by=lab.awa
        )
        participants.set_birth(
            session, lab.clock, PARIS, person_id=person, year=2008, day=BORN, by=lab.awa
        )

    def sign(form: Consent, by: str) -> None:
        with lab.database.transaction() as session:
            participants.sign_consent(session, lab.clock, PARIS, person_id=person, form=form, by=by)

    assert codes(lambda: sign(SIGNED, person)) >= {"guardian-signs"}  # still 17 today
    sign(PARENT, lab.awa)
    assert codes(lambda: scene.enrol(person)) == {"consent-missing"}  # 18 on the day
    lab.clock.advance(15 * 3600)  # the 24th in Paris
    assert codes(lambda: sign(PARENT, lab.awa)) == {"person-signs"}
    lab.clock.advance(-15 * 3600 + 24 * 3600 - 3600)
    sign(SIGNED, person)
    scene.enrol(person)


def test_a_child_types_no_guardians_words(lab: Lab) -> None:
    scene = put_on(lab)
    parent = scene.adult("Fatou")
    child = scene.child(parent, signed=False)

    def sign(form: Consent, by: str) -> None:
        with lab.database.transaction() as session:
            participants.sign_consent(session, lab.clock, PARIS, person_id=child, form=form, by=by)

    assert codes(lambda: sign(PARENT, child)) == {"not-yours"}
    assert codes(lambda: sign(PARENT, lab.lea)) == {"not-yours"}
    sign(PARENT, parent)
    scene.enrol(child, by=parent)
    sign(Consent(Signer.SELF, takes_part=False), child)  # but may always say no
    with lab.database.reading() as session:
        assert participants.consents_of(session, child)[-1].takes_part is False


# -- needs ------------------------------------------------------------------------------------


def test_needs_are_for_the_sessions_staff_and_gone_with_its_end(lab: Lab) -> None:
    scene = put_on(lab)
    zoe = scene.adult()
    one = scene.enrol(zoe)[0]

    def read(by: str) -> list[str]:
        with lab.database.transaction() as session:
            found = needs.read_needs(session, lab.clock, session_id=scene.meeting, by=by)
            return [line.needs for line in found]

    with lab.database.transaction() as session:
        needs.write_needs(
            session, lab.clock, enrolment_id=one.id, needs="allergie aux noix", by=zoe
        )
    assert read(scene.ali) == read(lab.awa) == ["allergie aux noix"]
    assert codes(lambda: read(lab.lea)) == {"session-staff-only"}
    with lab.database.reading() as session:
        lines = lines_about(session, f"session:{scene.meeting}")
    assert [line.who for line in lines if line.what == "needs.read"] == [scene.ali, lab.awa]
    assert "noix" not in str([line.details for line in lines])
    lab.clock.wall = scene.slot.end - timedelta(minutes=1)
    assert read(scene.ali) == ["allergie aux noix"]
    lab.clock.wall = scene.slot.end
    assert read(scene.ali) == []  # the steward has not come yet
    with lab.database.reading() as session:
        assert session.scalars(select(EnrolmentNeeds)).all()


# -- what the database keeps ------------------------------------------------------------------


def enrolment(scene_meeting: str, person: str, **change: Any) -> Enrolment:
    now = change.pop("now")
    values: dict[str, Any] = {
        "id": new_id(),
        "session_id": scene_meeting,
        "person_id": person,
        "party_id": new_id(),
        "via": "self",
        "state": "confirmed",
        "rank": 1,
        "made_at": now,
        "made_by": person,
    }
    return Enrolment(**{**values, **change})


def write(lab: Lab, *rows: Enrolment) -> None:
    with lab.database.transaction() as session:
        for row in rows:
            session.add(row)
            session.flush()


@pytest.mark.parametrize("last", ["confirmed", "offered"])
def test_the_database_gives_no_more_places_than_there_are(lab: Lab, last: str) -> None:
    scene = put_on(lab, places=1)
    now = lab.clock.now()
    until = now if last == "offered" else None
    first = enrolment(scene.meeting, lab.lea, now=now)
    second = enrolment(scene.meeting, lab.karim, now=now, state=last, accept_by=until)
    assert codes(lambda: write(lab, first, second)) == {"session-full"}
    write(lab, enrolment(scene.meeting, lab.lea, now=now))
    waiting = enrolment(scene.meeting, lab.karim, now=now, state="waiting")
    write(lab, waiting)

    def promote() -> None:
        with lab.database.transaction() as session:
            session.get_one(Enrolment, waiting.id).state = "confirmed"
            session.flush()

    assert codes(promote) == {"session-full"}


def test_the_database_takes_no_place_away_that_somebody_holds(lab: Lab) -> None:
    scene = put_on(lab, places=2)
    for person in (lab.lea, lab.karim):
        write(lab, enrolment(scene.meeting, person, now=lab.clock.now()))

    def fewer() -> None:
        with lab.database.transaction() as session:
            session.execute(update(WorkshopSession).values(places=1))

    assert codes(fewer) == {"session-full"}


def test_the_database_gives_a_person_one_place(lab: Lab) -> None:
    scene = put_on(lab, places=5)
    two = [enrolment(scene.meeting, lab.lea, now=lab.clock.now()) for _ in range(2)]
    assert codes(lambda: write(lab, *two)) == {"already-enrolled"}


def test_control_without_the_guarantees_all_of_it_is_written(lab: Lab) -> None:
    scene = put_on(lab, places=1)
    drop_guarantees(lab.database)
    now = lab.clock.now()
    write(lab, *(enrolment(scene.meeting, lab.lea, now=now) for _ in range(3)))
    with lab.database.transaction() as session:
        session.execute(update(WorkshopSession).values(places=2))
