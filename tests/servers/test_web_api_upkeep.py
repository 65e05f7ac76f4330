"""The API of what comes after use: log, answers, problems, tasks, planned maintenance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fabctl.services import lookups
from fabctl.services.due_maintenance import do_due_maintenance
from fabctl.store.ids import new_id
from fabctl.store.tables import Use
from tests.web_caller import Caller, caller, codes
from tests.web_lab import WebLab, web_lab

MACHINE = "printer-a"


@dataclass
class Team:
    """A member who knows printer-a, one who does not, an animator and somebody of the staff."""

    lab: WebLab
    member: Caller
    other: Caller
    animator: Caller
    staff: Caller

    def id(self, login: str) -> str:
        """Return a person's id."""
        return self.lab.id_of(login)

    def use(self, login: str, hours: float = 1) -> str:
        """Write a use that has just ended; return its id."""
        now = self.lab.clock.now()
        with self.lab.db.transaction() as db:
            person = self.lab.id_of(login)
            row = Use(
                id=new_id(),
                resource_id=MACHINE,
                person_id=person,
                account_id=lookups.own_account(db, person).id,
                opened_at=now - timedelta(hours=hours),
                closed_at=now,
                outcome="finished",
            )
            db.add(row)
            return row.id

    def report(self, by: Caller, **more: Any) -> dict[str, Any]:
        """Report that the belt slips."""
        body = {"resource": MACHINE, "summary": "The belt slips", "details": "since 9:00"} | more
        answer = by.ask("POST", "/problems", json=body)
        assert answer.status_code == 201
        return dict(answer.get_json())


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    with web_lab(tmp_path) as lab:
        lab.certified("member")
        lab.person("other")
        lab.person("animator", role="animator")
        lab.person("staff", role="staff")
        yield Team(lab, *(caller(lab, one) for one in ("member", "other", "animator", "staff")))


CALLS = (
    ("GET", "/uses"), ("GET", "/uses/x"), ("PUT", "/uses/x/material"), ("PUT", "/uses/x/answer"),
    ("GET", "/problems"), ("POST", "/problems"), ("GET", "/problems/x"),
    ("POST", "/problems/x/settle"), ("PUT", "/resources/printer-a/next-step"),
    ("GET", "/tasks"), ("POST", "/tasks"), ("GET", "/tasks/x"), ("POST", "/tasks/x/give"),
    ("POST", "/tasks/x/done"), ("POST", "/tasks/x/drop"),
    ("GET", "/maintenance"), ("POST", "/maintenance"), ("GET", "/maintenance/x"),
    ("DELETE", "/maintenance/x"), ("POST", "/maintenance/x/done"),
    ("GET", "/maintenance/x/history"),
)  # fmt: skip


def test_without_a_token_nothing_is_done(team: Team) -> None:
    for method, path in CALLS:
        assert Caller(team.lab, None).ask(method, path).status_code == 401


def test_what_cannot_be_read_and_what_is_not_there(team: Team) -> None:
    for method, path in CALLS:
        if method in {"POST", "PUT"}:
            answer = team.staff.ask(method, path, data="[", content_type="application/json")
            assert answer.status_code == 422, path
        elif "/x" in path:
            assert team.staff.ask(method, path).status_code == 404, path


def test_one_tap_and_the_log(team: Team) -> None:
    use = team.use("member")
    answer = team.member.ask("PUT", f"/uses/{use}/answer", json={"clean": True, "sound": False})
    assert (answer.get_json()["clean"], answer.get_json()["sound"]) == (True, False)
    team.member.ask("PUT", f"/uses/{use}/material", json={"material": "PLA, 40 g"})
    (found,) = team.member.ask("GET", "/uses").get_json()["uses"]
    assert (found["material"], found["lasted_s"], found["person"]) == (
        "PLA, 40 g", 3600.0, team.id("member"),
    )  # fmt: skip
    (told,) = team.staff.ask("GET", "/problems").get_json()["problems"]
    assert (told["kind"], told["summary"], told["use"]) == ("damaged", "", use)
    assert team.other.ask("GET", f"/uses/{use}").status_code == 404
    assert team.staff.ask("GET", f"/uses/{use}").status_code == 200
    stranger = team.other.ask("PUT", f"/uses/{use}/answer", json={"clean": True, "sound": True})
    assert (stranger.status_code, codes(stranger)) == (403, ["not-yours"])


def test_the_log_of_everybody_is_the_staffs_and_comes_in_pages(team: Team) -> None:
    uses = {team.use("member") for _ in range(5)}
    assert team.member.ask("GET", "/uses?everybody=true").status_code == 403
    assert team.member.ask("GET", f"/uses?person={team.id('other')}").status_code == 403
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        page = team.staff.ask("GET", f"/uses?everybody=true&limit=2{more}").get_json()
        seen += [one["id"] for one in page["uses"]]
        cursor = page["next"]
    assert len(seen) == 5
    assert set(seen) == uses
    assert team.staff.ask("GET", "/uses?limit=0").status_code == 422
    assert team.staff.ask("GET", "/uses?cursor=nonsense").status_code == 422
    before_all_days = "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwgIngiXQ"  # 0001-01-01T00:00:00+14:00
    assert team.staff.ask("GET", f"/uses?cursor={before_all_days}").status_code == 422


def test_a_report_stops_a_machine_and_the_answer_says_why_and_what_next(team: Team) -> None:
    refused = team.other.ask(
        "POST",
        "/problems",
        json={"resource": MACHINE, "summary": "It smells", "stop_machine": True},
    )
    assert (refused.status_code, codes(refused)) == (409, ["may-not-stop-machine"])
    made = team.report(team.member, stop_machine=True)
    assert made["stops_machine"] is True
    said = {"next_step": "A belt comes on Friday"}
    assert team.member.ask("PUT", f"/resources/{MACHINE}/next-step", json=said).status_code == 403
    order = team.staff.ask("PUT", f"/resources/{MACHINE}/next-step", json=said).get_json()
    assert (order["reason"], order["next_step"]) == ("The belt slips", said["next_step"])
    team.lab.book(team.lab.certified("sam"), "printer-b")
    booking = team.member.reserve()
    (found,) = [one for one in booking.get_json()["refusals"] if one["code"] == "out-of-order"]
    assert "The belt slips" in found["message"]
    assert "A belt comes on Friday" in found["next_step"]
    answer = team.member.ask("GET", f"/machines/{MACHINE}/access").get_json()
    (again,) = [one for one in answer["refusals"] if one["code"] == "out-of-order"]
    assert (again["message"], again["next_step"]) == (found["message"], found["next_step"])
    outcome = {"outcome": "a new belt"}
    path = f"/problems/{made['id']}/settle"
    assert team.member.ask("POST", path, json=outcome).status_code == 403
    assert team.staff.ask("POST", path, json=outcome).get_json()["stops_machine"] is False
    assert codes(team.staff.ask("POST", path, json=outcome)) == ["already-settled"]
    assert team.member.reserve().status_code == 201
    assert team.member.ask("GET", "/problems").get_json()["problems"] == []
    (kept,) = team.member.ask("GET", "/problems?settled=true").get_json()["problems"]
    assert (kept["id"], kept["outcome"]) == (made["id"], "a new belt")
    order = team.staff.ask("PUT", f"/resources/{MACHINE}/next-step", json=said)
    assert order.status_code == 404


def test_french_reasons(team: Team) -> None:
    team.report(team.member, stop_machine=True)
    answer = caller(team.lab, "member", "fr").reserve()
    assert "hors service : The belt slips" in answer.get_json()["refusals"][0]["message"]


def test_others_read_the_summary_only(team: Team) -> None:
    made = team.report(team.member)
    shown = team.other.ask("GET", f"/problems/{made['id']}").get_json()
    assert (shown["summary"], shown["details"], shown["person"]) == ("The belt slips", None, None)
    shown = team.staff.ask("GET", f"/problems/{made['id']}").get_json()
    assert (shown["details"], shown["person"]) == ("since 9:00", team.id("member"))
    long = team.member.ask("POST", "/problems", json={"resource": MACHINE, "summary": "x" * 121})
    assert (long.status_code, codes(long)) == (409, ["words-too-long"])
    nowhere = team.member.ask("POST", "/problems", json={"resource": "nope", "summary": "x"})
    assert nowhere.status_code == 422


def test_tasks_have_an_owner(team: Team) -> None:
    problem = team.report(team.member)["id"]
    body = {"title": "Order a belt", "owner": team.id("animator"), "problem": problem}
    for by in (team.member, team.animator):
        assert by.ask("POST", "/tasks", json=body).status_code == 403
    made = team.staff.ask("POST", "/tasks", json=body).get_json()
    assert (made["resource"], made["owner"]) == (MACHINE, team.id("animator"))
    path = f"/tasks/{made['id']}"
    assert team.member.ask("GET", path).status_code == 404
    assert [one["id"] for one in team.animator.ask("GET", "/tasks").get_json()["tasks"]] == [
        made["id"]
    ]
    assert team.animator.ask("GET", "/tasks?everybody=true").status_code == 403
    assert team.animator.ask("POST", f"{path}/give", json=body).status_code == 403
    no_member = team.staff.ask("POST", f"{path}/give", json={"owner": team.id("member")})
    assert (no_member.status_code, codes(no_member)) == (409, ["owner-not-staff"])
    assert team.member.ask("POST", f"{path}/done", json={}).status_code == 403
    done = team.animator.ask("POST", f"{path}/done", json={"note": "ordered"}).get_json()
    assert (done["outcome"], done["note"]) == ("done", "ordered")
    again = team.staff.ask("POST", f"{path}/drop", json={"reason": "x"})
    assert (again.status_code, codes(again)) == (409, ["task-ended"])
    assert team.animator.ask("GET", "/tasks").get_json()["tasks"] == []
    ended = team.staff.ask("GET", f"/tasks?ended=true&everybody=true&resource={MACHINE}")
    assert [one["id"] for one in ended.get_json()["tasks"]] == [made["id"]]


def test_planned_maintenance(team: Team) -> None:
    body = {
        "resource": MACHINE, "title": "Grease", "owner": team.id("animator"), "every_hours": 10,
    }  # fmt: skip
    assert team.animator.ask("POST", "/maintenance", json=body).status_code == 403
    for wrong in (0, 100_001, 1.5, "many", True):
        answer = team.staff.ask("POST", "/maintenance", json=body | {"every_hours": wrong})
        assert answer.status_code == 422
    plan = team.staff.ask("POST", "/maintenance", json=body).get_json()
    path = f"/maintenance/{plan['id']}"
    team.lab.clock.advance(11 * 3600)  # type: ignore[attr-defined]  # moved by hand
    team.use("member", hours=11)
    assert team.animator.ask("GET", path).get_json()["due"] is True
    assert team.member.ask("GET", path).status_code == 404
    assert team.member.ask("GET", "/maintenance").get_json()["maintenance"] == []
    with team.lab.db.transaction() as db:
        assert len(do_due_maintenance(db, team.lab.clock)) == 1
    (task,) = team.animator.ask("GET", "/tasks").get_json()["tasks"]
    assert task["maintenance"] == plan["id"]
    planned = team.animator.ask("POST", f"/tasks/{task['id']}/drop", json={"reason": "later"})
    assert codes(planned) == ["task-is-planned"]
    assert team.member.ask("POST", f"{path}/done", json={"times": 0}).status_code == 403
    done = team.animator.ask("POST", f"{path}/done", json={"times": 0, "note": "both"}).get_json()
    assert (done["times"], done["hours"], done["due"]) == (1, 0, False)
    twice = team.animator.ask("POST", f"{path}/done", json={"times": 0})
    assert (twice.status_code, codes(twice)) == (409, ["already-done"])
    early = {"times": 1, "done_at": "2026-11-23T10:00:00"}
    assert team.staff.ask("POST", f"{path}/done", json=early).status_code == 422
    (time,) = team.animator.ask("GET", f"{path}/history").get_json()["history"]
    assert (time["time"], time["hours"], time["note"]) == (1, 11, "both")
    assert team.animator.ask("DELETE", path).status_code == 403
    assert team.staff.ask("DELETE", path).get_json()["ended_at"] is not None
    assert team.staff.ask("GET", "/maintenance").get_json()["maintenance"] == []
    assert len(team.staff.ask("GET", "/maintenance?ended=true").get_json()["maintenance"]) == 1


def test_maintenance_by_date(team: Team) -> None:
    body = {"resource": MACHINE, "title": "Filter", "owner": team.id("staff")}
    for wrong in (
        {}, {"every": 0, "unit": "week"}, {"every": 3, "unit": "moon"},
        {"every": 121, "unit": "month"}, {"every": 3},
    ):  # fmt: skip
        assert team.staff.ask("POST", "/maintenance", json=body | wrong).status_code == 422, wrong
    made = team.staff.ask("POST", "/maintenance", json=body | {"every": 2, "unit": "week"})
    plan = made.get_json()
    assert (plan["every"], plan["unit"], plan["every_hours"]) == (2, "week", None)
    assert (plan["due"], plan["due_on"] > plan["counted_from"]) == (False, True)
    both = {"every": 1, "unit": "month", "every_hours": 50}
    plan = team.staff.ask("POST", "/maintenance", json=body | both).get_json()
    assert (plan["every_hours"], plan["unit"]) == (50, "month")
