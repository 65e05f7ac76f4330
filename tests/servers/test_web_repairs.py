"""Problems and tasks where they are dealt with: a machine's page, today, all maintenance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl.services import problems, repairs, upkeep_tasks
from fabctl.services.problems import ProblemView
from fabctl.services.upkeep_tasks import TaskView
from tests.staff_hand import TODAY, at_desk, part, send, text
from tests.staff_scene import SCRIPT, Morning, morning
from tests.web_lab import web_lab

PAGE = "/m/printer-a"
UPKEEP = "/staff/maintenance"
KIOSK = "127.0.0.1"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Morning]:
    """It is Monday, 10:00 in Paris; ``mia`` reported a problem of printer-a."""
    with web_lab(tmp_path) as lab:
        yield morning(lab, f"La buse est bouchée {SCRIPT}")


def known(scene: Morning) -> tuple[ProblemView, TaskView | None]:
    """Return the problem and its newest task."""
    staff = scene.people["sasha"]
    with scene.lab.db.reading() as db:
        found = repairs.repairs_of(db, problem_ids=[scene.problem], by=staff)
        problem = problems.get_problem(db, problem_id=scene.problem, by=staff)
        return problem, found.get(scene.problem)


@pytest.mark.parametrize("page", [PAGE, TODAY, UPKEEP])
def test_one_tap_makes_a_task_of_a_problem_and_leads_back(scene: Morning, page: str) -> None:
    staff = at_desk(scene)
    address = f"/staff/problems/{scene.problem}/task"
    shown = part(text(staff, page), "problems")
    assert f'action="{address}"' in shown
    assert f'action="/staff/problems/{scene.problem}/settle"' in shown
    assert SCRIPT not in shown
    back = {} if page == TODAY else {"back": page}
    assert all(f'name="back" value="{one}"' in shown for one in back.values())
    answer = staff.post(address, back, page=page)
    assert (answer.status_code, answer.location) == (303, f"{page}#problems")
    problem, task = known(scene)
    assert task is not None
    assert (problem.in_hand, task.owner_id) == (True, scene.people["sasha"])
    after = part(text(staff, page), "problems")
    assert "Task of Sasha" in after
    assert address not in after, "one task is enough"


def test_a_second_tap_makes_no_second_task(scene: Morning) -> None:
    staff, address = at_desk(scene), f"/staff/problems/{scene.problem}/task"
    send(staff, address)
    assert "has-a-task" in send(staff, address, status=409)


def test_the_task_knows_its_problem_and_what_became_of_it_is_told(scene: Morning) -> None:
    staff = at_desk(scene)
    send(staff, f"/staff/problems/{scene.problem}/task")
    assert "from a problem reported" in part(text(staff, TODAY), "tasks")
    page = text(staff, PAGE)
    assert "from a problem reported" in part(page, "tasks")
    _problem, task = known(scene)
    assert task is not None
    fields = {"words": "Buse changée", "back": PAGE}
    answer = staff.post(f"/staff/tasks/{task.id}/done", fields, page=PAGE)
    assert answer.location == f"{PAGE}#tasks"
    page = text(staff, PAGE)
    assert "The task is done: Buse changée" in part(page, "problems")
    assert 'id="tasks"' not in page


def test_settled_on_the_machines_page_ends_the_task_too(scene: Morning) -> None:
    staff = at_desk(scene)
    send(staff, f"/staff/problems/{scene.problem}/task")
    fields = {"words": "Buse changée", "back": PAGE}
    answer = staff.post(f"/staff/problems/{scene.problem}/settle", fields, page=PAGE)
    assert answer.location == f"{PAGE}#problems"
    problem, task = known(scene)
    assert task is not None
    assert (problem.outcome, task.outcome, task.note) == ("Buse changée", "done", "Buse changée")
    page = text(staff, PAGE)
    assert 'id="problems"' not in page
    assert 'id="tasks"' not in page


def test_makers_read_that_something_is_reported_and_that_somebody_cares(scene: Morning) -> None:
    mia, visitor = at_desk(scene, "late"), scene.lab.browser()
    before = part(text(mia, PAGE), "problems")
    assert "takes care of it" not in before
    send(at_desk(scene), f"/staff/problems/{scene.problem}/task")
    after = part(text(mia, PAGE), "problems")
    assert "Somebody of the team takes care of it." in after
    assert "/staff/" not in after
    seen = text(visitor, PAGE)
    assert "A problem is reported on this machine." in seen
    assert "bouchée" not in seen, "what it is about is for who is signed in"
    assert "A problem is reported" not in text(visitor, "/m/printer-b")


def test_nothing_of_it_for_others_or_on_a_shared_screen(scene: Morning) -> None:
    address = f"/staff/problems/{scene.problem}/task"
    for browser, status in (
        (at_desk(scene, "mia"), 403),
        (at_desk(scene, "karim"), 403),
        (at_desk(scene, "sasha", KIOSK), 409),
    ):
        assert address not in text(browser, PAGE)
        assert browser.post(address, {}, page=PAGE).status_code == status
    staff = at_desk(scene)
    assert staff.client.post(address).status_code == 400
    assert known(scene)[1] is None


def test_a_form_leads_back_to_pages_of_ours_only(scene: Morning) -> None:
    staff = at_desk(scene)
    fields = {"back": "https://evil.example/m/printer-a"}
    answer = staff.post(f"/staff/problems/{scene.problem}/task", fields, page=TODAY)
    assert answer.location == f"{PAGE}#problems"


def test_who_owns_a_task_and_is_not_of_the_staff_ends_it_at_the_machine(scene: Morning) -> None:
    with scene.lab.db.transaction() as db:
        made = [
            upkeep_tasks.add_task(
                db,
                scene.lab.clock,
                title=title,
                owner_id=scene.people[owner],
                resource_id="printer-a",
                by=scene.people["sasha"],
            ).id
            for title, owner in (("Graisser l’axe Z", "karim"), ("Changer la buse", "sasha"))
        ]
    karim = at_desk(scene, "karim")
    page = text(karim, PAGE)
    shown = part(page, "tasks")
    assert "Graisser l’axe Z" in shown
    assert "Changer la buse" not in shown, "that is somebody else’s"
    assert page.count('id="problems"') == 1
    done = "/staff/tasks/{}/done".format
    assert karim.post(done(made[1]), {"back": PAGE}, page=PAGE).status_code == 409
    answer = karim.post(done(made[0]), {"back": PAGE, "words": "Fait"}, page=PAGE)
    assert (answer.status_code, answer.location) == (303, f"{PAGE}#tasks")
    with scene.lab.db.reading() as db:
        tasks = [upkeep_tasks.get_task(db, task_id=one, by=scene.people["sasha"]) for one in made]
    assert [(one.outcome, one.note) for one in tasks] == [("done", "Fait"), (None, None)]
    assert 'id="tasks"' not in text(karim, PAGE)
    assert "Changer la buse" not in text(at_desk(scene, "karim", KIOSK), PAGE)
