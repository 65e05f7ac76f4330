"""After use: the log, one tap, problem reports, stops, tasks; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, text, update

from fabctl.errors import LocalError, UnknownIdError
from fabctl.model.access import unmet
from fabctl.model.booking_facts import ResourceKind
from fabctl.model.notice import Code
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.upkeep import ProblemKind
from fabctl.services import (
    bookings,
    maintenance,
    notices,
    problems,
    resources,
    stops,
    upkeep_tasks,
    use_log,
)
from fabctl.services.access import may_use
from fabctl.services.machines import list_resources, set_out_of_order
from fabctl.services.problems import ProblemView
from fabctl.services.upkeep_tasks import TaskView
from fabctl.services.use_log import LogEntry
from fabctl.store.tables_upkeep import ProblemReport, UpkeepTask
from tests.servers.store.conftest import Lab
from tests.servers.store.guarantees import drop_guarantees
from tests.servers.store.upkeep_work import MACHINE, PARIS, use_for


def say(lab: Lab, use_id: str, by: str, *, clean: bool = True, sound: bool = True) -> LogEntry:
    with lab.database.transaction() as session:
        return use_log.answer_after_use(
            session, lab.clock, use_id=use_id, clean=clean, sound=sound, by=by
        )


def report(
    lab: Lab, by: str, summary: str = "The belt slips", *, stop: bool = False
) -> ProblemView:
    with lab.database.transaction() as session:
        return problems.report_problem(
            session,
            lab.clock,
            resource_id=MACHINE,
            summary=summary,
            details="since this morning",
            stop_machine=stop,
            by=by,
        )


def settle(lab: Lab, problem_id: str, by: str | None = None) -> ProblemView:
    with lab.database.transaction() as session:
        return problems.settle_problem(
            session, lab.clock, problem_id=problem_id, outcome="a new belt", by=by or lab.awa
        )


def listed(lab: Lab, by: str, *, open_only: bool = True, **more: object) -> list[ProblemView]:
    with lab.database.reading() as session:
        return problems.list_problems(session, by=by, open_only=open_only, **more)  # type: ignore[arg-type]  # what a test asks


def order(lab: Lab) -> Refusal | None:
    """Return what the one question says of the machine's order."""
    with lab.database.reading() as session:
        found = unmet(
            may_use(
                session,
                lab.clock,
                PARIS,
                person_id=lab.lea,
                resource_id=MACHINE,
                machine_state="idle",
            )
        )
    return next((one for one in found if one.code == "out-of-order"), None)


def on_record(lab: Lab) -> str | None:
    with lab.database.reading() as session:
        return next(row.out_of_order_reason for row in list_resources(session) if row.id == MACHINE)


# -- the log ----------------------------------------------------------------------------------


def test_who_what_when_how_long_which_material(lab: Lab) -> None:
    use = use_for(lab, lab.lea, hours=2)
    with lab.database.transaction() as session:
        use_log.note_material(session, lab.clock, use_id=use, material=" PLA blue ", by=lab.lea)
    lab.clock.advance(60)
    found = say(lab, use, lab.lea)
    assert (found.person_id, found.resource_id, found.lasted_s) == (lab.lea, MACHINE, 7200)
    assert (found.material, found.clean, found.sound) == ("PLA blue", True, True)
    assert listed(lab, lab.awa) == []
    assert say(lab, use, lab.lea, clean=False).clean is False


def test_pages_of_the_log_miss_nothing_and_repeat_nothing(lab: Lab) -> None:
    same = [use_for(lab, lab.lea, hours=0.5, closed_h_ago=1) for _ in range(3)]
    uses = {use_for(lab, lab.lea, hours=0.5, closed_h_ago=n) for n in range(2, 5)} | set(same)
    seen: list[LogEntry] = []
    with lab.database.reading() as session:
        while True:
            page = use_log.log(
                session,
                lab.clock,
                by=lab.awa,
                resource_id=MACHINE,
                limit=2,
                after=(seen[-1].opened_at, seen[-1].id) if seen else None,
            )
            if not page:
                break
            seen += page
    assert len(seen) == 6
    assert {one.id for one in seen} == uses


def test_the_log_is_ones_own_or_the_staffs(lab: Lab) -> None:
    use = use_for(lab, lab.lea, hours=1)
    with lab.database.reading() as session:
        own = use_log.log(session, lab.clock, by=lab.lea, person_id=lab.lea)
        assert [one.id for one in own] == [use]
        for whose in (None, lab.lea):
            with pytest.raises(RefusedError):
                use_log.log(session, lab.clock, by=lab.karim, person_id=whose)
        with pytest.raises(UnknownIdError):
            use_log.entry(session, lab.clock, use_id=use, by=lab.karim)
        assert use_log.entry(session, lab.clock, use_id=use, by=lab.awa).id == use


def test_only_its_person_answers_and_only_for_a_day(lab: Lab) -> None:
    use = use_for(lab, lab.lea, hours=1)
    with pytest.raises(RefusedError) as refused:
        say(lab, use, lab.karim)
    assert refused.value.codes == {"not-yours"}
    lab.clock.advance(24 * 3600 + 60)
    with pytest.raises(RefusedError) as refused:
        say(lab, use, lab.lea)
    assert refused.value.codes == {"answer-too-late"}
    assert say(lab, use, lab.awa).sound is True


def test_a_no_is_a_report_once(lab: Lab) -> None:
    use = use_for(lab, lab.lea, hours=1)
    for _ in range(2):
        say(lab, use, lab.lea, clean=False, sound=False)
    kinds = sorted(one.kind for one in listed(lab, lab.awa))
    assert kinds == [ProblemKind.DAMAGED, ProblemKind.DIRTY]
    say(lab, use, lab.lea)
    assert len(listed(lab, lab.awa)) == 2
    assert order(lab) is None


# -- problems and stops -----------------------------------------------------------------------


def test_a_report_stops_a_machine_and_says_why_and_what_next(lab: Lab) -> None:
    made = report(lab, lab.lea, stop=True)
    assert made.stops_machine
    with lab.database.transaction() as session:
        stops.say_next_step(
            session, lab.clock, resource_id=MACHINE, next_step="A belt comes on Friday", by=lab.awa
        )
    found = order(lab)
    assert found is not None
    assert "The belt slips" in str(found.message)
    assert "A belt comes on Friday" in str(found.next_step)
    with pytest.raises(RefusedError) as refused, lab.database.transaction() as session:
        bookings.use_now(
            session, lab.clock, PARIS, person_id=lab.lea, resource_id=MACHINE, by=lab.lea
        )
    (said,) = [one for one in refused.value.refusals if one.code == "out-of-order"]
    assert "The belt slips" in str(said.message)


def test_a_room_out_of_order_says_why_at_its_machines(lab: Lab) -> None:
    with lab.database.transaction() as session:
        resources.add_resource(
            session, lab.clock, resource_id="room", name="Room", kind=ResourceKind.SPACE, by=lab.awa
        )
        resources.put_into(session, lab.clock, resource_id=MACHINE, parent_id="room", by=lab.awa)
        set_out_of_order(
            session, lab.clock, resource_id="room", reason="no light", next_step="Ask Awa", by=None
        )
    found = order(lab)
    assert found is not None
    assert ("no light" in str(found.message), "Ask Awa" in str(found.next_step)) == (True, True)


def test_two_reports_hold_a_machine_until_both_are_settled(lab: Lab) -> None:
    first = report(lab, lab.lea, "The belt slips", stop=True)
    lab.clock.advance(60)
    second = report(lab, lab.karim, "It smells", stop=True)
    assert on_record(lab) == "It smells"
    settle(lab, second.id)
    assert on_record(lab) == "The belt slips"
    done = settle(lab, first.id)
    assert (on_record(lab), order(lab)) == (None, None)
    assert (done.stops_machine, done.outcome) == (False, "a new belt")


def test_the_staffs_word_stands_beside_a_report(lab: Lab) -> None:
    made = report(lab, lab.lea, stop=True)
    with lab.database.transaction() as session:
        set_out_of_order(session, lab.clock, resource_id=MACHINE, reason="smoke", by=lab.awa)
    settle(lab, made.id)
    assert on_record(lab) == "smoke"


def test_reports_stay_when_a_machine_is_in_order_again(lab: Lab) -> None:
    made = report(lab, lab.lea, stop=True)
    with lab.database.transaction() as session:
        set_out_of_order(session, lab.clock, resource_id=MACHINE, reason=None, by=lab.awa)
    assert order(lab) is None
    assert [one.id for one in listed(lab, lab.lea)] == [made.id]
    settle(lab, made.id)
    assert listed(lab, lab.lea) == []
    (kept,) = listed(lab, lab.lea, open_only=False)
    assert (kept.summary, kept.outcome) == ("The belt slips", "a new belt")


@pytest.mark.parametrize(
    "statement",
    [
        delete(ProblemReport),
        update(ProblemReport).values(summary="nothing"),
        text("UPDATE problem_report SET details = ''"),
    ],
    ids=["delete", "summary", "details"],
)
def test_the_database_keeps_reports_as_they_were_written(lab: Lab, statement: object) -> None:
    report(lab, lab.lea)
    with pytest.raises(LocalError, match="stay as"), lab.database.transaction() as session:
        session.execute(statement)  # type: ignore[call-overload]  # a statement of a kind
    assert len(listed(lab, lab.lea)) == 1


def test_control_without_the_triggers_a_report_can_be_deleted(lab: Lab) -> None:
    report(lab, lab.lea)
    drop_guarantees(lab.database)
    with lab.database.transaction() as session:
        session.execute(delete(ProblemReport))
    assert listed(lab, lab.lea) == []


def test_who_does_not_know_a_machine_reports_without_stopping_it(lab: Lab) -> None:
    with pytest.raises(RefusedError) as refused:
        report(lab, lab.noemie, stop=True)
    assert refused.value.codes == {"may-not-stop-machine"}
    assert report(lab, lab.noemie).stops_machine is False
    use_for(lab, lab.noemie, hours=1)
    assert report(lab, lab.noemie, stop=True).stops_machine


def test_others_read_the_summary_only(lab: Lab) -> None:
    report(lab, lab.lea)
    for reader, sees in ((lab.karim, False), (lab.lea, True), (lab.awa, True)):
        (one,) = listed(lab, reader)
        assert one.summary == "The belt slips"
        assert (one.details is not None, one.person_id is not None) == (sees, sees)


def test_settling_is_the_staffs_and_happens_once(lab: Lab) -> None:
    made = report(lab, lab.lea)
    with pytest.raises(RefusedError) as refused:
        settle(lab, made.id, by=lab.lea)
    assert refused.value.codes == {"staff-only"}
    settle(lab, made.id)
    with pytest.raises(RefusedError) as refused:
        settle(lab, made.id)
    assert refused.value.codes == {"already-settled"}


def test_a_next_step_needs_something_out_of_order(lab: Lab) -> None:
    with pytest.raises(UnknownIdError), lab.database.transaction() as session:
        stops.say_next_step(session, lab.clock, resource_id=MACHINE, next_step="wait", by=lab.awa)


# -- tasks ------------------------------------------------------------------------------------


def give(lab: Lab, owner: str, *, problem_id: str | None = None, by: str | None = None) -> TaskView:
    with lab.database.transaction() as session:
        return upkeep_tasks.add_task(
            session,
            lab.clock,
            title="Order a belt",
            owner_id=owner,
            problem_id=problem_id,
            by=by or lab.awa,
        )


def test_a_task_has_an_owner_who_is_told_and_does_it(lab: Lab) -> None:
    made = give(lab, lab.awa, problem_id=report(lab, lab.lea).id)
    assert (made.resource_id, made.owner_id) == (MACHINE, lab.awa)
    with lab.database.reading() as session:
        (told,) = notices.of_person(session, person_id=lab.awa)
        assert (told.code, told.subject) == (Code.TASK_GIVEN, f"task:{made.id}")
        mine = upkeep_tasks.list_tasks(session, by=lab.awa, owner_id=lab.awa)
    assert [one.id for one in mine] == [made.id]
    with lab.database.transaction() as session:
        done = upkeep_tasks.finish_task(session, lab.clock, task_id=made.id, by=lab.awa)
    assert (done.outcome, done.ended_at) == ("done", lab.clock.now())
    with pytest.raises(RefusedError) as refused, lab.database.transaction() as session:
        upkeep_tasks.drop_task(session, lab.clock, task_id=made.id, reason="x", by=lab.awa)
    assert refused.value.codes == {"task-ended"}


def test_ones_own_task_is_found_behind_many_newer_ones_and_planned_ones(lab: Lab) -> None:
    made = give(lab, lab.awa)
    other = lab.karim
    with lab.database.transaction() as session:
        row = session.get_one(UpkeepTask, made.id)
        values = {c.name: getattr(row, c.name) for c in UpkeepTask.__table__.columns}
        later = values | {"created_at": lab.clock.now() + timedelta(hours=1)}
        session.add_all(UpkeepTask(**later | {"id": f"n{n}", "owner_id": other}) for n in range(3))
        plan = maintenance.plan_maintenance(
            session,
            lab.clock,
            resource_id=MACHINE,
            title="Grease",
            every_hours=1,
            owner_id=lab.awa,
            by=lab.awa,
        )
        planned = {"plan_id": plan.id, "owner_id": lab.awa}
        session.add_all(
            UpkeepTask(**later | planned | {"id": f"p{n}", "cycle": n}) for n in range(3)
        )
    with lab.database.reading() as session:
        found = upkeep_tasks.list_tasks(
            session, by=lab.awa, planned=False, mine_first=True, limit=2
        )
    assert [one.id for one in found] == [made.id, "n2"]


def test_members_neither_give_nor_own_nor_see_tasks(lab: Lab) -> None:
    with pytest.raises(RefusedError) as refused:
        give(lab, lab.awa, by=lab.lea)
    assert refused.value.codes == {"staff-only"}
    with pytest.raises(RefusedError) as refused:
        give(lab, lab.lea)
    assert refused.value.codes == {"owner-not-staff"}
    made = give(lab, lab.awa)
    with lab.database.reading() as session:
        with pytest.raises(UnknownIdError):
            upkeep_tasks.get_task(session, task_id=made.id, by=lab.lea)
        with pytest.raises(RefusedError):
            upkeep_tasks.list_tasks(session, by=lab.lea)
        assert upkeep_tasks.list_tasks(session, by=lab.lea, owner_id=lab.lea) == []


def test_a_task_is_dropped_with_a_reason(lab: Lab) -> None:
    made = give(lab, lab.awa)
    with pytest.raises(RefusedError) as refused, lab.database.transaction() as session:
        upkeep_tasks.drop_task(session, lab.clock, task_id=made.id, reason=" ", by=lab.awa)
    assert refused.value.codes == {"words-missing"}
    with lab.database.transaction() as session:
        gone = upkeep_tasks.drop_task(
            session, lab.clock, task_id=made.id, reason="not needed", by=lab.awa
        )
    assert (gone.outcome, gone.note) == ("dropped", "not needed")
