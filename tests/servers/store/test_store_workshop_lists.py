"""What of sessions and places is listed to whom; places given new names."""

from __future__ import annotations

from datetime import datetime

import pytest

from fabctl.errors import UnknownIdError
from fabctl.model.accounts import GroupKind
from fabctl.model.booking import Slot
from fabctl.model.certification import Level
from fabctl.model.refusal import RefusedError
from fabctl.services import (
    accounts,
    enrolment_lists,
    enrolments,
    needs,
    participants,
    rights,
    session_changes,
    sessions,
    workshops,
)
from fabctl.services.certifications import certify
from tests.servers.store.conftest import Lab
from tests.servers.store.workshop_scene import HOUR, PARIS, Scene, put_on


def test_sessions_come_in_pages_with_what_belongs_to_each(lab: Lab) -> None:
    scene = put_on(lab, places=1, resources=("mill",))
    for _ in range(2):  # two at the same time: the id tells them apart
        with lab.database.transaction() as session:
            sessions.schedule(
                session, lab.clock, workshop_id=scene.workshop, slot=scene.slot, by=lab.awa
            )
    zoe, abel = scene.adult("Zoé"), scene.adult("Abel")
    scene.enrol(zoe)
    scene.enrol(abel)
    start, end = scene.slot.start - HOUR, scene.slot.end + HOUR
    with lab.database.reading() as session:
        whole = workshops.sessions_between(session, start=start, end=end)
        pages, after = [], None
        while page := workshops.sessions_between(
            session, start=start, end=end, after=after, limit=2
        ):
            pages.append(page)
            after = (page[-1].start, page[-1].id)
    assert [len(page) for page in pages] == [2, 1]
    assert [one for page in pages for one in page] == whole
    ours = next(one for one in whole if one.id == scene.meeting)
    assert (ours.held, ours.waiting, ours.free) == (1, 1, 0)
    assert (ours.resource_ids, ours.animators) == (("mill",), (scene.ali,))
    assert [one.animators for one in whole if one.id != scene.meeting] == [(), ()]


def test_somebodys_places_are_theirs_their_childrens_and_their_partners(lab: Lab) -> None:
    scene = put_on(lab, places=10)
    zoe, abel = scene.adult("Zoé"), scene.adult("Abel")
    child, partner = scene.child(zoe), partner_of(scene, zoe)
    mine = {scene.enrol(zoe)[0].id, scene.enrol(child, by=zoe)[0].id}
    mine.add(hold(scene, partner, zoe))
    foreign = scene.enrol(abel)[0].id

    def see(enrolment_id: str, by: str) -> str:
        with lab.database.reading() as session:
            return enrolment_lists.visible_enrolment(
                session, lab.clock, enrolment_id=enrolment_id, by=by
            ).id

    with lab.database.reading() as session:
        found = enrolment_lists.coming_for(session, lab.clock, by=zoe)
    assert {one.id for one in found} == mine
    assert {see(one, zoe) for one in mine} == mine
    assert see(foreign, scene.ali) == see(foreign, abel) == foreign
    for by in (zoe, lab.lea):
        with pytest.raises(UnknownIdError):
            see(foreign, by)
    lab.clock.wall = scene.slot.end
    with lab.database.reading() as session:
        assert enrolment_lists.coming_for(session, lab.clock, by=zoe) == []


def test_a_new_name_takes_nothing_from_the_old_one(lab: Lab) -> None:
    scene = put_on(lab, places=2, age_most=20)
    zoe = scene.adult("Zoé")
    place = hold(scene, partner_of(scene, zoe), zoe)
    first, second = scene.child(zoe, "Tom"), scene.child(zoe, "Lou")
    grown = scene.adult("Abel")

    name(scene, place, first, zoe)
    with lab.database.transaction() as session:
        needs.write_needs(session, lab.clock, enrolment_id=place, needs="peanuts", by=zoe)
    name(scene, place, second, zoe)
    with lab.database.transaction() as session:
        assert needs.read_needs(session, lab.clock, session_id=scene.meeting, by=lab.awa) == []
    with pytest.raises(RefusedError) as refused:
        name(scene, place, grown, zoe, "we know him")
    assert refused.value.codes == {"not-yours"}
    name(scene, place, grown, lab.awa, "he comes with them")


def test_a_friend_gives_no_other_friends_place_back(lab: Lab) -> None:
    scene = put_on(lab, places=4)
    zoe, abel = scene.adult("Zoé"), scene.adult("Abel")
    scene.enrol(zoe, abel, by=lab.awa)
    with lab.database.transaction() as session:
        mine = enrolment_lists.coming_for(session, lab.clock, by=zoe)[0].id
        enrolments.cancel_enrolment(session, lab.clock, enrolment_id=mine, by=zoe, whole_party=True)
    with lab.database.reading() as session:
        left = enrolment_lists.enrolments_for_lead(session, session_id=scene.meeting, by=scene.ali)
    assert [one.person_id for one in left] == [abel]


def test_places_are_held_for_a_group_only(lab: Lab) -> None:
    scene = put_on(lab)
    with lab.database.reading() as session:
        own = accounts.accounts_of(session, person_id=lab.lea)[0].id
    for unknown in ("nope", own):
        with pytest.raises(UnknownIdError):
            hold(scene, unknown, lab.awa)


def test_a_cancelled_session_is_not_moved(lab: Lab) -> None:
    scene = put_on(lab)
    later = Slot(scene.slot.start + HOUR, scene.slot.end + HOUR)
    with lab.database.transaction() as session:
        sessions.cancel_session(
            session, lab.clock, session_id=scene.meeting, reason="no heating", by=lab.awa
        )
    with pytest.raises(RefusedError) as refused, lab.database.transaction() as session:
        session_changes.change(session, lab.clock, session_id=scene.meeting, slot=later, by=lab.awa)
    assert refused.value.codes == {"session-cancelled"}


def test_only_a_trainer_in_force_sees_where_others_stand(lab: Lab) -> None:
    ends: datetime = lab.clock.now() + HOUR
    with lab.database.transaction() as session:
        certify(
            session,
            lab.clock,
            person_id=lab.karim,
            resource_id="mill",
            level=Level.TRAINER,
            expires_at=ends,
        )

    def sees(by: str) -> bool:
        with lab.database.reading() as session:
            return rights.sees_training(session, lab.clock, person_id=lab.noemie, by=by)

    assert (sees(lab.karim), sees(lab.lea), sees(lab.awa)) == (True, False, True)
    lab.clock.wall = ends + HOUR
    assert sees(lab.karim) is False


def test_a_suspended_group_takes_no_places_unless_staff_say_why(lab: Lab) -> None:
    scene = put_on(lab, places=5)
    zoe = scene.adult("Zoé")
    partner, tom = partner_of(scene, zoe), scene.child(zoe, "Tom")
    place = hold(scene, partner, zoe)
    with lab.database.transaction() as session:
        accounts.suspend_group(session, lab.clock, account_id=partner, reason="unpaid", by=lab.awa)
    told = []
    for act in (
        lambda: hold(scene, partner, zoe),
        lambda: hold(scene, partner, lab.awa),
        lambda: name(scene, place, tom, zoe),
        lambda: name(scene, place, tom, lab.awa),
    ):
        with pytest.raises(RefusedError) as refused:
            act()
        told += [(one.code, str(one.message)) for one in refused.value.refusals]
    assert told == [("account-suspended", "The group's account is suspended.")] * 4
    for by in (zoe, lab.lea):  # a reason is the staff's, and no stranger learns of a suspension
        with pytest.raises(RefusedError) as refused:
            hold(scene, partner, by, "please" if by == zoe else None)
        assert refused.value.codes == {"not-yours"}
    assert scene.states() == ["confirmed"]
    name(scene, place, tom, lab.awa, "they have paid")
    hold(scene, partner, lab.awa, "they have paid")
    assert scene.states() == ["confirmed"] * 2


def test_a_suspended_group_accepts_no_offer_until_it_is_restored(lab: Lab) -> None:
    scene = put_on(lab, places=1)
    zoe = scene.adult("Zoé")
    before = scene.enrol(scene.adult("Abel"))[0].id
    partner = partner_of(scene, zoe)
    place = hold(scene, partner, zoe)
    with lab.database.transaction() as session:
        enrolments.cancel_enrolment(session, lab.clock, enrolment_id=before, by=lab.awa)
        accounts.suspend_group(session, lab.clock, account_id=partner, reason="unpaid", by=lab.awa)

    def against(by: str) -> list[tuple[str, str]]:
        with pytest.raises(RefusedError) as refused, lab.database.transaction() as session:
            enrolments.accept(session, lab.clock, enrolment_id=place, by=by)
        return [(one.code, str(one.message)) for one in refused.value.refusals]

    for by in (zoe, lab.awa):
        assert against(by) == [("account-suspended", "The group's account is suspended.")]
    assert [code for code, _ in against(lab.lea)] == ["not-yours"]
    assert scene.states() == ["offered"]
    with lab.database.transaction() as session:
        accounts.restore_group(session, lab.clock, account_id=partner, by=lab.awa)
        enrolments.accept(session, lab.clock, enrolment_id=place, by=zoe)
    assert scene.states() == ["confirmed"]


def test_who_acts_for_a_group_names_no_strangers(lab: Lab) -> None:
    scene = put_on(lab, places=3, age_most=12)
    zoe, abel = scene.adult("Zoé"), scene.adult("Abel")
    partner = partner_of(scene, zoe)
    place = hold(scene, partner, zoe)
    foreign, taken = scene.child(abel, "Lou"), scene.child(abel, "Max")
    scene.enrol(taken, by=abel)
    with lab.database.transaction() as session:
        accounts.set_member(
            session, lab.clock, account_id=partner, person_id=lab.awa, may_act=True, by=lab.awa
        )
        of_the_lab = participants.add_participant(
            session, lab.clock, PARIS, first_name="Léo", birth_year=2016, by=lab.awa
        )

    def against(person: str) -> list[str]:
        with pytest.raises(RefusedError) as refused:
            name(scene, place, person, zoe)
        return [one.code for one in refused.value.refusals]

    # one who fits, one who is enrolled, one too old, one whom staff added, one who does not exist
    for person in (foreign, taken, abel, of_the_lab, "nobody"):
        assert against(person) == ["not-yours"]
    assert against(zoe) == ["not-in-age-range"]
    with lab.database.transaction() as session:
        accounts.set_member(
            session, lab.clock, account_id=partner, person_id=abel, may_act=False, by=lab.awa
        )
    assert against(abel) == ["not-in-age-range"]  # a member
    assert against(taken) == ["already-enrolled"]  # whom a member added
    name(scene, place, scene.child(zoe), zoe)
    name(scene, place, foreign, zoe)
    name(scene, place, of_the_lab, lab.awa)


def partner_of(scene: Scene, person: str) -> str:
    """Open a partner's account for which a person acts."""
    lab = scene.lab
    with lab.database.transaction() as session:
        partner = accounts.add_group(
            session, lab.clock, name="Maison des jeunes", kind=GroupKind.PARTNER, by=lab.awa
        ).id
        accounts.set_member(
            session, lab.clock, account_id=partner, person_id=person, may_act=True, by=lab.awa
        )
    return partner


def name(scene: Scene, place: str, person: str, by: str, override: str | None = None) -> None:
    """Give a partner's place its name."""
    with scene.lab.database.transaction() as session:
        enrolments.name_place(
            session,
            scene.lab.clock,
            PARIS,
            enrolment_id=place,
            person_id=person,
            by=by,
            override=override,
        )


def hold(scene: Scene, partner: str, by: str, override: str | None = None) -> str:
    """Hold one place for a partner; return its id."""
    lab = scene.lab
    with lab.database.transaction() as session:
        return enrolments.hold_places(
            session,
            lab.clock,
            session_id=scene.meeting,
            partner_id=partner,
            count=1,
            by=by,
            override=override,
        )[0].id
