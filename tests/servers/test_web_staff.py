"""The staff's pages: who may open them, today and what is done from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl.clock import ManualClock
from fabctl.model.people import Role
from fabctl.services import (
    jobs,
    maintenance,
    presence,
    problems,
    resource_desk,
    unlocking,
    upkeep_tasks,
)
from fabctl.services.audit import lines_about
from fabctl.services.bookings import get_reservation
from fabctl_web import menu
from fabctl_web.staff.areas import AREAS
from tests.staff_hand import TODAY, at_desk, part, send, table, text
from tests.staff_scene import SCRIPT, Morning, morning
from tests.web_lab import GOOD_FILE, WebLab, web_lab

KIOSK = "127.0.0.1"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Morning]:
    """It is Monday, 10:00 in Paris."""
    with web_lab(tmp_path) as lab:
        yield morning(lab)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Morning]:
    """The same, for tests that change nothing: making it takes most of a second."""
    with web_lab(tmp_path_factory.mktemp("still")) as lab:
        yield morning(lab)


def addresses(lab: WebLab, method: str) -> list[tuple[str, str]]:
    """Return every address of the staff's pages for a method, with ids that do not exist."""
    names = {area.name for area in AREAS}
    return [
        (rule.endpoint, re.sub(r"<[^>]+>", "nobody", rule.rule))
        for rule in lab.app.url_map.iter_rules()
        if rule.endpoint.partition(".")[0] in names and method in (rule.methods or ())
    ]


# -- who may ---------------------------------------------------------------------------------


def test_only_the_staff_open_any_of_it(still: Morning) -> None:
    visitor, member, trainer = still.lab.browser(), at_desk(still, "mia"), at_desk(still, "karim")
    still.lab.person("ana", role=Role.ANIMATOR)
    animator = at_desk(still, "ana")
    found = addresses(still.lab, "GET")
    assert len(found) > 10
    for endpoint, path in found:
        status = 401 if endpoint.endswith(".now") else 303  # a part of a page
        assert visitor.get(path).status_code == status, path
        for browser in (member, trainer, animator):
            assert browser.get(path).status_code == 403, path


def test_nothing_of_it_opens_on_a_shared_screen(still: Morning) -> None:
    admin = at_desk(still, "root", KIOSK)
    for _endpoint, path in addresses(still.lab, "GET"):
        assert "not-on-a-shared-screen" in text(admin, path, 409), path


def test_every_form_needs_its_token_and_somebody_of_the_staff(still: Morning) -> None:
    staff, member, shared = at_desk(still), at_desk(still, "mia"), at_desk(still, "root", KIOSK)
    found = addresses(still.lab, "POST")
    assert len(found) > 25
    for endpoint, path in found:
        owners = endpoint == "staff_acts.task_done"  # an owner ends a task; of this one is none
        assert staff.client.post(path).status_code == 400, path
        assert member.post(path, {}, page="/me").status_code == (404 if owners else 403), path
        assert shared.post(path, {}, page="/me").status_code == 409, path


def test_what_does_not_exist_is_not_found(still: Morning) -> None:
    staff = at_desk(still)
    for path in ("/staff/people/nobody", "/staff/people/nobody/consent", "/staff/groups/nobody"):
        assert staff.get(path).status_code == 404, path
    for path in ("problems/nobody/settle", "tasks/nobody/done", "people/nobody/came"):
        send(staff, f"/staff/{path}", status=404, words="x")


def test_the_menu_offers_it_to_the_staff_at_a_desk_alone(still: Morning) -> None:
    assert TODAY in text(at_desk(still), "/")
    assert TODAY not in text(at_desk(still, "mia"), "/")
    assert TODAY not in text(at_desk(still, "sasha", KIOSK), "/")


def headings(page: str) -> list[str]:
    return re.findall(r'<p id="menu-\d">([^<]+)</p>', page)


def test_a_menu_of_many_pages_has_headings_and_leads_to_every_page_of_the_menu(
    still: Morning,
) -> None:
    staff = text(at_desk(still), "/")
    assert headings(staff) == ["People", "Planning", "Machines", "The house"]
    nav = staff.partition("<nav")[2].partition("</nav>")[0]
    linked = re.findall(r'<a class="button" href="([^"]+)"', nav)
    assert len(set(linked)) == len(linked) == len(menu.ENTRIES)
    assert headings(text(at_desk(still, "mia"), "/")) == []


def test_todays_lists_come_alone_for_the_page_that_asks_again(still: Morning) -> None:
    staff = at_desk(still)
    lists = text(staff, f"{TODAY}/now?came=mi")
    assert "<html" not in lists
    assert "Mia" in lists
    page = text(staff, f"{TODAY}?came=mi")
    assert 'hx-get="/staff/today/now?came=mi"' in page
    assert set(re.findall(r'data-line="(\w+)"', lists)) <= set(
        re.findall(r'data-line="(\w+)"', page)
    )
    kept = re.findall(r'id="([\w-]+)" hx-preserve', lists)
    assert {"coming", "new-task"} < set(kept)
    assert len(set(kept)) == len(kept)


# -- today -----------------------------------------------------------------------------------


def test_the_morning_on_one_page(scene: Morning) -> None:
    scene.lab.workshop.say("printer-a", "broken", trouble="interrupted")
    rows = {(row[0], row[1]): row for row in table(at_desk(scene), f"{TODAY}.csv")[1:]}
    assert rows["Now", "Imprimante 3D A"][2:] == ["Root", "", "In use since 08:00"]
    assert rows["Now", "Imprimante 3D B"][4] == "Not here yet"
    assert rows["Later today", "Imprimante 3D B"][2] == "Mia"
    assert rows["Did not come", "Late"][3] == "Today, 08:00 to 09:30"
    assert rows["Machines to look at", "Imprimante 3D A"][4] == "Broken"
    assert "vendredi" in rows["Out of order", "Imprimante 3D B"][3]
    assert rows["Checks to do", "Noemie"][4] == "Practical check"
    assert rows["Mail that did not arrive", "Omar"][2] == "The address was refused."
    assert ("Locked screens", "192.168.1.40") in rows
    assert {row[0] for row in rows.values()} > {"Problems reported", "Tasks", "Maintenance due"}


def test_a_search_narrows_every_list_and_says_nothing_false(still: Morning) -> None:
    staff = at_desk(still)
    assert [row[1] for row in table(staff, f"{TODAY}.csv?words=OMAR")[1:]] == ["Omar"]
    page = text(staff, f"{TODAY}?words=xyz")
    assert "Nothing found." in part(page, "now")
    assert "Nobody uses a machine." not in page
    assert "Nothing to do:" not in page


def test_an_empty_day_says_so(tmp_path: Path) -> None:
    with web_lab(tmp_path) as lab:
        lab.person("sasha", role=Role.STAFF)
        browser = lab.browser()
        browser.sign_in("sasha")
        page = text(browser, TODAY)
    assert "Nobody uses a machine." in page
    assert "Nothing to do:" in page
    assert 'id="problems"' not in page


def test_a_no_show_is_pardoned_with_a_reason(scene: Morning) -> None:
    staff = at_desk(scene)
    act = f"/staff/reservations/{scene.missed}/pardon"
    send(staff, act, status=409, words=" ")
    page = send(staff, act, words="The tram was late")
    assert 'id="absent"' not in page
    with scene.lab.db.reading() as db:
        assert get_reservation(db, scene.missed).no_show_at is None


def test_who_comes_late_is_checked_in(scene: Morning) -> None:
    page = send(at_desk(scene), f"/staff/reservations/{scene.begun}/came")
    assert "Not here yet" not in part(page, "now")
    with scene.lab.db.reading() as db:
        assert get_reservation(db, scene.begun).checked_in_at == scene.lab.clock.now()


def test_people_come_and_leave(scene: Morning) -> None:
    staff = at_desk(scene)
    found = text(staff, f"{TODAY}?came=late")
    act = f"/staff/people/{scene.people['late']}/came"
    assert act in part(found, "here")
    assert ">Late<" in re.sub(r"</?b>", "", part(send(staff, act), "here")).replace("</a>", "<")
    send(staff, f"/staff/people/{scene.people['late']}/left")
    with scene.lab.db.reading() as db:
        assert scene.people["late"] not in presence.here(db, scene.lab.clock.now())


def test_a_broken_machine_is_cleared_or_says_no(scene: Morning) -> None:
    scene.lab.workshop.say("printer-a", "broken", trouble="interrupted")
    staff = at_desk(scene)
    page = send(staff, "/staff/machines/printer-a/clear")
    assert 'id="machines"' not in page
    asked = [(machine, verb) for machine, verb, _ in scene.lab.workshop.asked]
    assert asked == [("printer-a", "clear")]
    assert staff.post("/staff/machines/nowhere/clear", {}, page=TODAY).status_code == 404


def test_a_resource_is_in_order_again(scene: Morning) -> None:
    page = send(at_desk(scene), "/staff/resources/printer-b/in-order")
    assert 'id="stopped"' not in page
    with scene.lab.db.reading() as db:
        assert resource_desk.order_of(db, resource_id="printer-b").out_of_order_at is None


def test_a_problem_is_settled_with_words(scene: Morning) -> None:
    staff = at_desk(scene)
    send(staff, f"/staff/problems/{scene.problem}/settle", status=409)
    page = send(staff, f"/staff/problems/{scene.problem}/settle", words="New nozzle")
    assert 'id="problems"' not in page
    with scene.lab.db.reading() as db:
        found = problems.get_problem(db, problem_id=scene.problem, by=scene.people["sasha"])
    assert found.outcome == "New nozzle"


def test_tasks_are_given_and_done(scene: Morning) -> None:
    staff, karim = at_desk(scene), scene.people["karim"]
    page = send(staff, "/staff/tasks", title="Sweep", owner=karim, day="2026-11-24", clock="18:00")
    assert "Sweep" in part(page, "tasks")
    page = send(staff, f"/staff/tasks/{scene.task}/done")
    assert "filament" not in page
    with scene.lab.db.reading() as db:
        (found,) = upkeep_tasks.list_tasks(db, by=karim, owner_id=karim)
    assert found.due_at is not None
    assert found.due_at.hour == 17  # 18:00 in Paris


def test_maintenance_is_done_once(scene: Morning) -> None:
    staff, act = at_desk(scene), f"/staff/maintenance/{scene.plan}/done"
    page = send(staff, act, words="", times="0")
    assert 'id="maintenance"' not in page
    assert "noted as done already" in send(staff, act, status=409, times="0")
    with scene.lab.db.reading() as db:
        plan = maintenance.get_plan(
            db, scene.lab.clock, plan_id=scene.plan, by=scene.people["sasha"]
        )
    assert plan.cycle == 1


def test_a_locked_screen_is_unlocked_and_no_other_name_reaches_the_audit(scene: Morning) -> None:
    staff = at_desk(scene)
    send(staff, "/staff/screens/unlock", device="Camille Martin")
    page = send(staff, "/staff/screens/unlock", device="192.168.1.40")
    assert 'id="locked"' not in page
    with scene.lab.db.reading() as db:
        assert not lines_about(db, "device:Camille Martin")
        assert unlocking.locked_devices(db, scene.lab.clock) == []


def test_a_job_that_is_not_on_a_machine_is_not_released(still: Morning) -> None:
    send(at_desk(still), "/staff/jobs/nothing/release", status=404, words="x")


def test_a_silent_machine_is_released_from_its_job_with_words(tmp_path: Path) -> None:
    with web_lab(tmp_path) as lab:
        lab.person("sasha", role=Role.STAFF)
        camille = lab.certified("camille")
        lab.book(camille, "printer-a")
        maker, staff = at_desk(Morning(lab), "camille"), at_desk(Morning(lab))
        assert maker.upload(GOOD_FILE, page="/m/printer-a").status_code == 303
        with lab.db.reading() as db:
            (job,) = jobs.jobs_of_person(db, person_id=camille.id)
        maker.post("/m/printer-a/start", {"job": job.id}, page="/m/printer-a")
        act = f"/staff/jobs/{job.id}/release"
        assert act not in text(staff, TODAY)  # it speaks
        assert isinstance(lab.clock, ManualClock)
        lab.clock.advance(600)
        assert act in part(text(staff, TODAY), "machines")
        send(staff, act, status=409)
        page = send(staff, act, words="Its cable was out")
        assert "In use since" not in part(page, "now")
        assert "This job has ended already." in send(staff, act, words="Again")


def test_scripts_in_what_people_write_are_text(tmp_path: Path) -> None:
    with web_lab(tmp_path) as lab:
        scene = morning(lab, SCRIPT)
        staff = at_desk(scene)
        send(staff, "/staff/tasks", title=SCRIPT, owner=scene.people["sasha"])
        send(staff, "/staff/groups", "/staff/groups", name=SCRIPT, kind="partner")
        send(staff, "/staff/people", "/staff/people", name=SCRIPT, new_role="member")
        query = "?words=%3Cscript%3Ealert(1)%3C/script%3E"
        for page in (TODAY, f"{TODAY}{query}", "/staff/people", "/staff/groups", "/staff/audit"):
            assert SCRIPT not in text(staff, page), page
        for page in (f"/staff/audit{query}&what={SCRIPT}", f"/staff/health{query}"):
            assert SCRIPT not in text(staff, page), page
