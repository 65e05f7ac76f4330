"""The API on the day of a session: attendance sent twice, machines for the group, certificates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.api_workshop import HOUR, Scene, api_scene
from tests.web_caller import codes


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Ten minutes into the session; the member and the other have places."""
    with api_scene(tmp_path) as found:
        found.places = {login: found.enrol(login) for login in ("member", "other")}
        found.clock.wall += 24 * HOUR + HOUR / 6
        yield found


def mark(scene: Scene, login: str, mark_id: str, presence: str = "present") -> dict[str, Any]:
    at = scene.clock.now().isoformat()
    return {"id": mark_id, "enrolment": scene.places[login], "at": at, "presence": presence}


def path(scene: Scene, more: str) -> str:
    return f"/sessions/{scene.meeting}/{more}"


def presences(scene: Scene) -> list[tuple[str, str | None]]:
    rows = scene.got("animator", "GET", path(scene, "attendance"))["rows"]
    return [(row["name"], row["presence"]) for row in rows]


def test_marks_may_come_twice_and_late(scene: Scene) -> None:
    marks = [mark(scene, "member", "m1"), mark(scene, "other", "m2", "absent")]
    where = path(scene, "attendance")
    first = scene.got("animator", "POST", where, marks=marks)["marks"]
    assert [(one["id"], one["new"]) for one in first] == [("m1", True), ("m2", True)]
    again = scene.got("animator", "POST", where, marks=marks)["marks"]
    assert [(one["new"], one["refusals"]) for one in again] == [(False, []), (False, [])]
    assert presences(scene) == [("Member", "present"), ("Other", "absent")]
    undo = {"id": "m3", "enrolment": scene.places["other"], "undoes": "m2"}
    undo["at"] = scene.clock.now().isoformat()
    scene.got("animator", "POST", where, marks=[undo])
    assert presences(scene)[1] == ("Other", None)


def test_a_refused_mark_keeps_no_other_from_being_recorded(scene: Scene) -> None:
    early = mark(scene, "member", "m1") | {"at": "2026-11-20T10:00:00+01:00"}
    both = mark(scene, "other", "m2") | {"undoes": "m1"}
    stolen = mark(scene, "other", "m4", "late")
    sent = [early, both, mark(scene, "member", "m4"), stolen]
    found = scene.got("animator", "POST", path(scene, "attendance"), marks=sent)["marks"]
    assert [[one["code"] for one in answer["refusals"]] for answer in found] == [
        ["sheet-not-open"],
        ["mark-malformed"],
        [],
        ["mark-id-reused"],
    ]
    assert presences(scene) == [("Member", "present"), ("Other", None)]


UNREADABLE: tuple[dict[str, Any], ...] = (
    {"id": None},
    {"id": "x" * 65},
    {"at": "10:00"},
    {"at": "2026-11-24T10:00:00"},
    {"presence": "asleep"},
    {"enrolment": 7},
)


def test_marks_that_cannot_be_read(scene: Scene) -> None:
    good = mark(scene, "other", "fine")
    for bad in UNREADABLE:
        sent = [good, mark(scene, "member", "m") | bad]
        answer = scene.ask("animator", "POST", path(scene, "attendance"), marks=sent)
        assert (answer.status_code, set(codes(answer))) == (422, {"malformed"}), bad
    assert presences(scene) == [("Member", None), ("Other", None)]


def test_a_mark_of_another_session(scene: Scene) -> None:
    stray = mark(scene, "member", "m1") | {"enrolment": "nope"}
    sent = [stray, mark(scene, "other", "m2")]
    first, second = scene.got("animator", "POST", path(scene, "attendance"), marks=sent)["marks"]
    assert ([one["code"] for one in first["refusals"]], first["new"]) == (["mark-malformed"], False)
    assert second["new"] is True


def test_the_sheet_as_pdf_and_csv(scene: Scene) -> None:
    pdf = scene.ask("animator", "GET", path(scene, "attendance/pdf"))
    assert (pdf.status_code, pdf.mimetype) == (200, "application/pdf")
    assert pdf.data.startswith(b"%PDF-")
    csv = scene.ask("staff", "GET", path(scene, "attendance/csv"))
    assert csv.content_type == "text/csv; charset=utf-8"
    assert "attendance.csv" in csv.headers["Content-Disposition"]
    lines = csv.data.decode("utf-8-sig").splitlines()
    assert [line.split(";")[0] for line in lines] == ["Name", "Member", "Other"]


LEADS_ONLY: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("GET", "attendance", {}),
    ("GET", "attendance/pdf", {}),
    ("GET", "attendance/csv", {}),
    ("POST", "attendance", {"marks": []}),
    ("POST", "machines/printer-a/open", {}),
    ("POST", "machines/printer-a/close", {}),
    ("POST", "certificates", {}),
)


def test_only_those_who_lead_the_session(scene: Scene) -> None:
    for method, what, body in LEADS_ONLY:
        assert scene.ask("nobody", method, path(scene, what), **body).status_code == 401
        for login in ("member", "trainer", "guest"):
            answer = scene.ask(login, method, path(scene, what), **body)
            assert (answer.status_code, codes(answer)) == (403, ["session-staff-only"]), what
        for login in ("animator", "staff"):
            assert scene.ask(login, method, path(scene, what), **body).status_code == 200, what
    for method, what, body in LEADS_ONLY:
        assert scene.ask("staff", method, f"/sessions/nope/{what}", **body).status_code == 404


def test_a_machine_is_opened_for_the_group(scene: Scene) -> None:
    where = path(scene, "machines/printer-a")
    assert scene.got("animator", "POST", f"{where}/open")["open"] is True
    assert scene.got("animator", "POST", f"{where}/close")["open"] is False
    other = scene.ask("animator", "POST", path(scene, "machines/printer-b/open"))
    assert codes(other) == ["machine-not-in-session"]
    assert scene.ask("animator", "POST", path(scene, "machines/nope/open")).status_code == 404
    scene.clock.wall += 2 * HOUR
    late = scene.ask("animator", "POST", f"{where}/open")
    assert (late.status_code, codes(late)) == (409, ["session-not-now"])


def test_certificates_for_those_who_were_there_and_passed(scene: Scene) -> None:
    scene.got("animator", "POST", path(scene, "attendance"), marks=[mark(scene, "member", "m1")])
    for place in scene.places.values():
        answer = scene.got("animator", "PUT", f"/enrolments/{place}/passed", passed=True)
        assert answer["passed"] is True
    mine = f"/enrolments/{scene.places['member']}/passed"
    assert codes(scene.ask("member", "PUT", mine, passed=True)) == ["session-staff-only"]
    (made,) = scene.got("animator", "POST", path(scene, "certificates"))["certificates"]
    assert (made["name"], made["held_on"], made["hours"]) == ("Member", "2026-11-24", 2.0)
    assert scene.got("staff", "POST", path(scene, "certificates"))["certificates"] == []
    assert scene.got("member", "GET", "/certificates")["certificates"] == [made]
    one = f"/certificates/{made['id']}"
    for login in ("member", "animator", "staff"):
        assert scene.got(login, "GET", one) == made
    for login in ("other", "trainer"):
        for hidden in (one, f"{one}/pdf", f"/certificates?person={scene.id('member')}"):
            assert scene.ask(login, "GET", hidden).status_code == 404
    pdf = scene.ask("member", "GET", f"{one}/pdf")
    assert (pdf.mimetype, pdf.data[:5]) == ("application/pdf", b"%PDF-")
