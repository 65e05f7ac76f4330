"""A problem and the task that answers it, on both databases."""

from __future__ import annotations

import pytest

from fabctl.errors import UnknownIdError
from fabctl.model.refusal import RefusedError
from fabctl.services import problems, repairs, upkeep_tasks, use_log
from fabctl.services.audit import lines_about
from fabctl.services.problems import ProblemView
from fabctl.services.upkeep_tasks import TaskView
from tests.servers.store.conftest import Lab
from tests.servers.store.upkeep_work import MACHINE, use_for


def report(lab: Lab, summary: str = "The belt slips") -> ProblemView:
    with lab.database.transaction() as session:
        return problems.report_problem(
            session,
            lab.clock,
            resource_id=MACHINE,
            summary=summary,
            details="since this morning",
            by=lab.lea,
        )


def take_on(lab: Lab, problem_id: str, by: str | None = None, **more: str) -> TaskView:
    with lab.database.transaction() as session:
        return repairs.take_on(
            session, lab.clock, problem_id=problem_id, words="Damaged", by=by or lab.awa, **more
        )


def seen(lab: Lab, problem_id: str, by: str) -> ProblemView:
    with lab.database.reading() as session:
        return problems.get_problem(session, problem_id=problem_id, by=by)


def test_a_problem_becomes_a_task_in_one_step_and_both_know_it(lab: Lab) -> None:
    problem = report(lab)
    assert problem.in_hand is False
    task = take_on(lab, problem.id)
    assert (task.title, task.details) == ("The belt slips", "since this morning")
    assert (task.problem_id, task.resource_id, task.owner_id) == (problem.id, MACHINE, lab.awa)
    assert seen(lab, problem.id, lab.lea).in_hand is True
    with lab.database.reading() as session:
        found = repairs.repairs_of(session, problem_ids=[problem.id], by=lab.awa)
        (line,) = lines_about(session, f"task:{task.id}")
        with pytest.raises(RefusedError) as refused:
            repairs.repairs_of(session, problem_ids=[problem.id], by=lab.lea)
    assert found == {problem.id: task}
    assert line.details == {"owner": lab.awa, "problem": problem.id}
    assert refused.value.codes == {"staff-only"}


def test_one_task_at_a_time_answers_a_problem(lab: Lab) -> None:
    problem = report(lab)
    task = take_on(lab, problem.id)
    with pytest.raises(RefusedError) as refused:
        take_on(lab, problem.id)
    assert refused.value.codes == {"has-a-task"}
    with lab.database.transaction() as session:
        upkeep_tasks.finish_task(session, lab.clock, task_id=task.id, note="glued", by=lab.awa)
    after = seen(lab, problem.id, lab.awa)
    assert (after.in_hand, after.settled_at) == (False, None), "whether it helped is for people"
    lab.clock.advance(60)
    again = take_on(lab, problem.id)
    with lab.database.reading() as session:
        found = repairs.repairs_of(session, problem_ids=[problem.id], by=lab.awa)
    assert found[problem.id].id == again.id, "the newest"


def test_a_settled_problem_ends_its_task_and_takes_no_other(lab: Lab) -> None:
    problem = report(lab)
    task = take_on(lab, problem.id)
    with lab.database.transaction() as session:
        problems.settle_problem(
            session, lab.clock, problem_id=problem.id, outcome="a new belt", by=lab.awa
        )
    with lab.database.reading() as session:
        ended = upkeep_tasks.get_task(session, task_id=task.id, by=lab.awa)
    assert (ended.outcome, ended.note) == ("done", "a new belt")
    assert ended.ended_at == lab.clock.now()
    with pytest.raises(RefusedError) as refused:
        take_on(lab, problem.id)
    assert refused.value.codes == {"already-settled"}


def test_who_may_and_for_whom(lab: Lab) -> None:
    problem = report(lab)
    for by, more, code in (
        (lab.lea, {}, "staff-only"),
        (lab.awa, {"owner_id": lab.lea}, "owner-not-staff"),
    ):
        with pytest.raises(RefusedError) as refused:
            take_on(lab, problem.id, by, **more)
        assert refused.value.codes == {code}
    with pytest.raises(UnknownIdError):
        take_on(lab, "nope")
    assert seen(lab, problem.id, lab.awa).in_hand is False


def test_what_one_tap_reported_gets_the_words_of_the_screen(lab: Lab) -> None:
    use = use_for(lab, lab.lea, hours=1)
    with lab.database.transaction() as session:
        use_log.answer_after_use(
            session, lab.clock, use_id=use, clean=True, sound=False, by=lab.lea
        )
        (problem,) = problems.list_problems(session, by=lab.awa, resource_id=MACHINE)
    assert take_on(lab, problem.id).title == "Damaged"
