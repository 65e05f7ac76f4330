"""Planned maintenance by hours of use: the task comes once, whoever asks and whenever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update

from fabctl.errors import LocalError
from fabctl.model.booking_facts import PARIS
from fabctl.model.maintenance import Rhythm, Unit
from fabctl.model.notice import Code
from fabctl.model.refusal import RefusedError
from fabctl.services import maintenance, notices, upkeep_tasks, using
from fabctl.services.due_maintenance import do_due_maintenance
from fabctl.services.due_training import Done
from fabctl.services.due_work import Due
from fabctl.services.machines import sync_resources
from fabctl.services.maintenance import PlanView
from fabctl.services.upkeep_tasks import TaskView
from fabctl.store.tables_upkeep import MaintenanceDone, UpkeepTask
from fabctl.store.upsert import insert_unless_there
from tests.servers.store.conftest import MACHINES, Lab, profile
from tests.servers.store.guarantees import drop_guarantees
from tests.servers.store.jobs_at_work import book_now
from tests.servers.store.upkeep_work import MACHINE, use_for

HOUR_S = 3600


@pytest.fixture
def plan(lab: Lab) -> PlanView:
    """Grease printer-a every 10 hours of use; Awa's."""
    with lab.database.transaction() as session:
        return maintenance.plan_maintenance(
            session,
            lab.clock,
            resource_id=MACHINE,
            title="Grease the rods",
            every_hours=10,
            owner_id=lab.awa,
            by=lab.awa,
        )


def work(lab: Lab, hours: float, ran_h: float | None = None) -> None:
    """Let Léa use the machine for so many hours, from now on."""
    lab.clock.advance(hours * HOUR_S)
    use_for(lab, lab.lea, hours=hours, ran_h=ran_h)


def steward(lab: Lab) -> list[Done]:
    with lab.database.transaction() as session:
        return do_due_maintenance(session, lab.clock)


def tasks(lab: Lab, *, open_only: bool = True) -> list[TaskView]:
    with lab.database.reading() as session:
        return upkeep_tasks.list_tasks(session, by=lab.awa, open_only=open_only)


def now(lab: Lab, plan: PlanView) -> PlanView:
    with lab.database.reading() as session:
        return maintenance.get_plan(session, lab.clock, plan_id=plan.id, by=lab.awa)


def done(lab: Lab, plan: PlanView, cycle: int | None = None, hours_ago: float = 0) -> PlanView:
    with lab.database.transaction() as session:
        return maintenance.note_done(
            session,
            lab.clock,
            plan_id=plan.id,
            by=lab.awa,
            cycle=cycle,
            done_at=lab.clock.now() - timedelta(hours=hours_ago),
        )


def test_due_when_the_hours_run_over_and_made_once(lab: Lab, plan: PlanView) -> None:
    begun = lab.clock.now()
    work(lab, 9.98)
    assert steward(lab) == []
    work(lab, 0.04)
    (made,) = steward(lab)
    assert (made.what, made.person_id) == (Due.MAINTENANCE_DUE, lab.awa)
    assert abs(made.due_at - begun - timedelta(hours=10)) < timedelta(seconds=1)
    assert [steward(lab), steward(lab)] == [[], []]
    (task,) = tasks(lab)
    assert (task.title, task.plan_id, task.owner_id) == ("Grease the rods", plan.id, lab.awa)
    assert now(lab, plan).due
    with lab.database.reading() as session:
        (told,) = notices.of_person(session, person_id=lab.awa)
    assert (told.code, told.subject) == (Code.MAINTENANCE_DUE, f"task:{task.id}")


def test_after_downtime_once_and_due_when_it_was(lab: Lab, plan: PlanView) -> None:
    begun = lab.clock.now()
    for _ in range(5):
        work(lab, 12)
    (made,) = steward(lab)
    assert abs(made.due_at - begun - timedelta(hours=10)) < timedelta(seconds=1)
    assert steward(lab) == []
    assert now(lab, plan).hours == pytest.approx(60)


def test_two_stewards_at_once_make_one_task(lab: Lab, plan: PlanView) -> None:
    work(lab, 11)
    with ThreadPoolExecutor(4) as pool:
        found = [job.result() for job in [pool.submit(steward, lab) for _ in range(4)]]
    assert sum(len(one) for one in found) == 1
    assert [one.plan_id for one in tasks(lab)] == [plan.id]


def test_the_key_refuses_a_second_task_of_the_same_time(lab: Lab, plan: PlanView) -> None:
    """The steward's own look at what there is does not decide; the database does."""
    work(lab, 11)
    steward(lab)
    with lab.database.transaction() as session:
        row = session.scalars(select(UpkeepTask)).one()
        values = {column.name: getattr(row, column.name) for column in UpkeepTask.__table__.columns}
        assert not insert_unless_there(session, UpkeepTask, values | {"id": "second"})
        assert insert_unless_there(session, UpkeepTask, values | {"id": "next", "cycle": 1})
    assert plan.cycle == 0


def test_done_resets_the_counter_ends_the_task_and_keeps_history(lab: Lab, plan: PlanView) -> None:
    work(lab, 11)
    steward(lab)
    after = done(lab, plan)
    assert (after.cycle, after.hours, after.due) == (1, 0, False)
    assert tasks(lab) == []
    assert [one.outcome for one in tasks(lab, open_only=False)] == ["done"]
    work(lab, 9)
    assert steward(lab) == []
    work(lab, 1)
    assert len(steward(lab)) == 1
    done(lab, plan)
    with lab.database.reading() as session:
        history = maintenance.history(session, plan_id=plan.id, by=lab.awa)
    assert [(one.cycle, round(one.hours, 6), one.person_id) for one in history] == [
        (1, 10, lab.awa),
        (0, 11, lab.awa),
    ]


def test_finishing_the_task_is_doing_the_maintenance(lab: Lab, plan: PlanView) -> None:
    work(lab, 11)
    steward(lab)
    (task,) = tasks(lab)
    with pytest.raises(RefusedError) as refused, lab.database.transaction() as session:
        upkeep_tasks.drop_task(session, lab.clock, task_id=task.id, reason="no", by=lab.awa)
    assert refused.value.codes == {"task-is-planned"}
    with lab.database.transaction() as session:
        ended = upkeep_tasks.finish_task(
            session, lab.clock, task_id=task.id, note="both rods", by=lab.awa
        )
    assert (ended.outcome, ended.note) == ("done", "both rods")
    assert (now(lab, plan).cycle, now(lab, plan).hours) == (1, 0)


def test_a_second_tap_counts_nothing(lab: Lab, plan: PlanView) -> None:
    work(lab, 11)
    done(lab, plan, cycle=0)
    with pytest.raises(RefusedError) as refused:
        done(lab, plan, cycle=0)
    assert refused.value.codes == {"already-done"}
    assert now(lab, plan).cycle == 1


def test_four_taps_at_once_count_once(lab: Lab, plan: PlanView) -> None:
    work(lab, 11)

    def tap() -> bool:
        try:
            done(lab, plan, cycle=0)
        except RefusedError as refused:
            assert refused.codes == {"already-done"}  # noqa: PT017  # most of them are refused
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        found = [job.result() for job in [pool.submit(tap) for _ in range(4)]]
    assert sorted(found) == [False, False, False, True]
    assert now(lab, plan).cycle == 1


def test_done_before_its_time_and_said_later(lab: Lab, plan: PlanView) -> None:
    work(lab, 4)
    work(lab, 2)
    after = done(lab, plan, hours_ago=3)
    assert after.hours == pytest.approx(3)
    with lab.database.reading() as session:
        (one,) = maintenance.history(session, plan_id=plan.id, by=lab.awa)
    assert one.hours == pytest.approx(3)
    assert lab.clock.now() - one.done_at == timedelta(hours=3)


def test_with_an_interlock_only_work_counts(lab: Lab, plan: PlanView) -> None:
    work(lab, 30, ran_h=9)
    work(lab, 5)
    assert steward(lab) == []
    assert now(lab, plan).hours == pytest.approx(9)
    work(lab, 2, ran_h=1)
    assert len(steward(lab)) == 1


def test_a_use_that_goes_on_counts(lab: Lab, plan: PlanView) -> None:
    book_now(lab, lab.lea)
    with lab.database.transaction() as session:
        using.begin_use(
            session, lab.clock, PARIS, person_id=lab.lea, resource_id=MACHINE, machine_state="idle"
        )
    lab.clock.advance(10 * HOUR_S - 60)
    assert steward(lab) == []
    lab.clock.advance(60)
    assert len(steward(lab)) == 1
    assert now(lab, plan).due


def test_other_machines_and_members_have_nothing_to_do_with_it(lab: Lab, plan: PlanView) -> None:
    lab.clock.advance(20 * HOUR_S)
    use_for(lab, lab.lea, hours=20, machine="printer-b")
    assert steward(lab) == []
    with pytest.raises(RefusedError) as refused, lab.database.transaction() as session:
        maintenance.note_done(session, lab.clock, plan_id=plan.id, by=lab.lea)
    assert refused.value.codes == {"staff-only"}
    with pytest.raises(RefusedError) as refused, lab.database.transaction() as session:
        maintenance.plan_maintenance(
            session,
            lab.clock,
            resource_id=MACHINE,
            title=" ",
            every_hours=0,
            owner_id=lab.lea,
            by=lab.awa,
        )
    assert refused.value.codes == {"words-missing", "hours-not-possible", "owner-not-staff"}


def test_an_ended_plan_asks_for_nothing_and_drops_its_task(lab: Lab, plan: PlanView) -> None:
    work(lab, 11)
    steward(lab)
    with lab.database.transaction() as session:
        maintenance.end_plan(session, lab.clock, plan_id=plan.id, by=lab.awa)
    assert [one.outcome for one in tasks(lab, open_only=False)] == ["dropped"]
    work(lab, 30)
    assert steward(lab) == []
    with pytest.raises(RefusedError) as refused:
        done(lab, plan)
    assert refused.value.codes == {"plan-ended"}


def test_a_machine_that_left_the_lab_asks_for_nothing(lab: Lab, plan: PlanView) -> None:
    work(lab, 11)
    others = [profile(one) for one in MACHINES if one != plan.resource_id]
    with lab.database.transaction() as session:
        sync_resources(session, lab.clock, others)
    assert steward(lab) == []


def by_date(lab: Lab, rhythm: Rhythm, hours: float | None = None) -> PlanView:
    with lab.database.transaction() as session:
        return maintenance.plan_maintenance(
            session,
            lab.clock,
            resource_id=MACHINE,
            title="Change the filter",
            every_hours=hours,
            rhythm=rhythm,
            owner_id=lab.awa,
            by=lab.awa,
        )


def test_by_date_the_task_comes_once_each_time_also_after_a_day_without_the_steward(
    lab: Lab,
) -> None:
    made = by_date(lab, Rhythm(2, Unit.WEEK))
    day_s, due_on = 24 * HOUR_S, lab.clock.now() + timedelta(weeks=2)
    assert (made.every_hours, made.due_on, made.due) == (None, due_on, False)
    lab.clock.advance(14 * day_s - 1)
    assert steward(lab) == []
    lab.clock.advance(day_s)
    (task,) = steward(lab)
    assert (task.due_at, steward(lab), now(lab, made).due) == (due_on, [], True)
    after = done(lab, made)
    assert (after.cycle, after.due) == (1, False)
    assert after.due_on == lab.clock.now() + timedelta(weeks=2)
    assert tasks(lab) == []
    lab.clock.advance(14 * day_s)
    assert len(steward(lab)) == 1


def test_with_hours_and_a_date_the_first_of_them_counts(lab: Lab) -> None:
    made = by_date(lab, Rhythm(1, Unit.MONTH), hours=10)
    work(lab, 11)
    (task,) = steward(lab)
    assert task.due_at < lab.clock.now()
    done(lab, made)
    assert steward(lab) == []
    lab.clock.advance(31 * 24 * HOUR_S)
    (task,) = steward(lab)
    assert task.due_at == now(lab, made).due_on


def test_a_plan_needs_hours_or_a_date_that_can_be(lab: Lab) -> None:
    for rhythm, code in (
        (None, "hours-not-possible"),
        (Rhythm(0, Unit.WEEK), "date-not-possible"),
        (Rhythm(121, Unit.MONTH), "date-not-possible"),
    ):
        with pytest.raises(RefusedError) as refused, lab.database.transaction() as session:
            maintenance.plan_maintenance(
                session, lab.clock, resource_id=MACHINE, title="x", rhythm=rhythm,
                owner_id=lab.awa, by=lab.awa,
            )  # fmt: skip
        assert refused.value.codes == {code}


@pytest.mark.parametrize(
    "statement",
    [delete(MaintenanceDone), update(MaintenanceDone).values(hours=0)],
    ids=["delete", "update"],
)
def test_the_history_of_maintenance_only_grows(lab: Lab, plan: PlanView, statement: object) -> None:
    done(lab, plan)
    with pytest.raises(LocalError, match="only grows"), lab.database.transaction() as session:
        session.execute(statement)  # type: ignore[call-overload]  # a statement of a kind
    drop_guarantees(lab.database)
    with lab.database.transaction() as session:
        session.execute(delete(MaintenanceDone))
        assert session.scalar(select(func.count()).select_from(MaintenanceDone)) == 0
