"""The API: what its document says is what it does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from fabctl.messaging.payloads import Answer
from fabctl.services import bookings, jobs, tokens
from tests.web_caller import API, Caller, caller, codes
from tests.web_lab import GOOD_FILE, WebLab, multipart, web_lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        yield found


# -- who calls ------------------------------------------------------------------------------


CLOSED = (
    ("POST", "/reservations"), ("DELETE", "/reservations/x"), ("POST", "/machines/printer-a/jobs"),
    ("GET", "/jobs/x"), ("POST", "/jobs/x/start"), ("POST", "/jobs/x/pause"),
    ("POST", "/jobs/x/resume"), ("POST", "/jobs/x/stop"),
)  # fmt: skip


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_without_a_valid_token_nothing_is_done(lab: WebLab, method: str, path: str) -> None:
    for token in (None, "fab_wrong", "x" * 5000):
        answer = Caller(lab, token).ask(method, path)
        assert answer.status_code == 401
        assert codes(answer) == ["not-signed-in"]
        assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_a_browsers_session_opens_no_api(lab: WebLab) -> None:
    lab.person("camille")
    browser = lab.browser()
    browser.sign_in("camille")
    assert browser.client.post(f"{API}/reservations", json={}).status_code == 401


def test_a_revoked_token_is_worthless(lab: WebLab) -> None:
    lab.person("camille")
    program = caller(lab, "camille")
    assert program.ask("GET", "/jobs/x").status_code == 404
    with lab.db.transaction() as db:
        (token,) = tokens.list_tokens(db, person_id=lab.id_of("camille"))
        tokens.revoke_token(db, lab.clock, token_id=token.id, by=lab.id_of("camille"))
    assert program.ask("GET", "/jobs/x").status_code == 401


# -- machines -------------------------------------------------------------------------------


def test_machines_are_open_to_everybody(lab: WebLab) -> None:
    lab.workshop.say("printer-b", "running", job="j")
    lab.workshop.progress("printer-b", "j", 0.25, eta_s=90)
    lab.book(lab.certified("camille"), "printer-a")
    found = Caller(lab, None).ask("GET", "/machines").get_json()["machines"]
    assert [machine["id"] for machine in found] == ["printer-a", "printer-b"]
    one = Caller(lab, None).ask("GET", "/machines/printer-b").get_json()
    assert one == found[1]
    assert (one["state"], one["progress"], one["eta_s"]) == ("running", 0.25, 90)
    assert found[0]["busy_until"] == "2026-11-23T10:00:00+00:00"
    assert one["work_area"] == {"x": [0, 250], "y": [0, 210], "z": [0, 210]}


def test_an_unknown_machine(lab: WebLab) -> None:
    answer = Caller(lab, None, "fr").ask("GET", "/machines/nope")
    assert answer.status_code == 404
    assert codes(answer) == ["not-found"]


# -- reservations ---------------------------------------------------------------------------


def test_reserve_and_cancel(lab: WebLab) -> None:
    camille = lab.certified("camille")
    program = caller(lab, "camille")
    answer = program.reserve()
    assert answer.status_code == 201
    made = answer.get_json()
    assert (made["resource"], made["person"]) == ("printer-a", camille.id)
    assert made["start"] == "2026-11-23T10:00:00+00:00"
    gone = program.ask("DELETE", f"/reservations/{made['id']}").get_json()
    assert gone["cancelled_at"] == "2026-11-23T09:00:00+00:00"
    again = program.ask("DELETE", f"/reservations/{made['id']}")
    assert (again.status_code, codes(again)) == (409, ["already-cancelled"])
    assert program.ask("DELETE", "/reservations/nope").status_code == 404


def test_offsets_are_understood(lab: WebLab) -> None:
    lab.certified("camille")
    body = {
        "resource": "printer-a",
        "start": "2026-11-24T14:00:00+01:00",
        "end": "2026-11-24T13:30:00Z",
    }
    made = caller(lab, "camille").ask("POST", "/reservations", json=body).get_json()
    assert made["start"] == "2026-11-24T13:00:00+00:00"
    assert made["end"] == "2026-11-24T13:30:00+00:00"


def test_all_reasons_at_once_in_the_language_asked_for(lab: WebLab) -> None:
    lab.book(lab.certified("sam"), "printer-a", after_min=60)
    lab.person("alex")
    for language, words in (("fr", "Choisis un autre créneau."), ("en", "Choose another slot.")):
        answer = caller(lab, "alex", language).reserve(minutes=600)
        assert answer.status_code == 409
        assert codes(answer) == ["not-certified", "too-long", "overlap"]
        assert answer.get_json()["refusals"][2]["next_step"] == words


def test_the_labs_language_without_a_wish(lab: WebLab) -> None:
    answer = Caller(lab, None, "").ask("GET", "/machines/nope")
    assert answer.get_json()["refusals"][0]["message"] == "Cette page n’existe pas."


GOOD = {"resource": "printer-a", "start": "2026-11-24T14:00Z", "end": "2026-11-24T15:00Z"}
MALFORMED: tuple[Mapping[str, Any], ...] = (
    {"json": {}}, {"json": []}, {"json": None}, {"json": "x"}, {"data": b"{"}, {"data": b""},
    {"data": b"[" * 50_000, "content_type": "application/json"}, {"json": {**GOOD, "start": 5}},
    {"json": {**GOOD, "start": "2026-11-24T14:00"}}, {"json": {**GOOD, "end": "soon"}},
    {"json": {**GOOD, "start": "0001-01-01T00:00+14:00"}}, {"json": {**GOOD, "end": None}},
    {"json": {**GOOD, "resource": "nope"}}, {"json": {**GOOD, "resource": ["printer-a"]}},
)  # fmt: skip


@pytest.mark.parametrize("body", MALFORMED)
def test_malformed_requests(lab: WebLab, body: Mapping[str, Any]) -> None:
    lab.certified("camille")
    answer = caller(lab, "camille").ask("POST", "/reservations", **body)
    assert answer.status_code == 422
    assert codes(answer)[0] in {"malformed", "unknown-resource"}
    with lab.db.reading() as db:
        assert bookings.coming_for_person(db, lab.clock, person_id=lab.id_of("camille")) == []


# -- jobs -----------------------------------------------------------------------------------


def test_prepare_start_pause_resume_stop(lab: WebLab) -> None:
    camille = lab.certified("camille")
    lab.book(camille, "printer-a")
    program = caller(lab, "camille")
    answer = program.upload()
    assert answer.status_code == 201
    job = answer.get_json()
    assert job["state"] == "prepared"
    assert job["report"]["ok"] is True
    assert job["report"]["nozzle_max_c"] == 200
    assert job["sha256"] == hashlib.sha256(GOOD_FILE).hexdigest()
    for verb, state in (("start", "running"), ("pause", "paused"), ("resume", "running")):
        assert program.ask("POST", f"/jobs/{job['id']}/{verb}").status_code == 202
        assert lab.workshop.view.machine("printer-a").state == state
    lab.workshop.progress("printer-a", job["id"], 0.4, eta_s=30)
    shown = program.ask("GET", f"/jobs/{job['id']}").get_json()
    assert (shown["progress"], shown["eta_s"], shown["line"]) == (0.4, 30, 400)
    assert program.ask("POST", f"/jobs/{job['id']}/stop").status_code == 202
    verbs = [(verb, body["by"]) for _, verb, body in lab.workshop.asked]
    assert verbs == [(verb, camille.id) for verb in ("start", "pause", "resume", "stop")]


def test_a_refused_start_says_all_reasons_and_sends_nothing(lab: WebLab) -> None:
    lab.book(lab.certified("sam"), "printer-a")
    lab.person("alex")
    program = caller(lab, "alex")
    job = program.upload().get_json()
    answer = program.ask("POST", f"/jobs/{job['id']}/start")
    assert (answer.status_code, codes(answer)) == (409, ["not-certified", "someone-elses-slot"])
    assert lab.workshop.asked == []


def test_a_machines_no_is_a_refusal(lab: WebLab) -> None:
    lab.book(lab.certified("camille"), "printer-a")
    program = caller(lab, "camille")
    job = program.upload().get_json()
    lab.workshop.answer = Answer(False, "no-answer")
    answer = program.ask("POST", f"/jobs/{job['id']}/start")
    assert (answer.status_code, codes(answer)) == (409, ["no-answer"])


def test_a_job_that_is_not_on_the_machine_moves_nothing(lab: WebLab) -> None:
    lab.certified("camille")
    program = caller(lab, "camille")
    job = program.upload().get_json()
    lab.workshop.say("printer-a", "running", job="another")
    for verb in ("pause", "resume", "stop"):
        answer = program.ask("POST", f"/jobs/{job['id']}/{verb}")
        assert (answer.status_code, codes(answer)) == (409, ["job-not-on-machine"])
    assert lab.workshop.asked == []


def test_others_may_pause_a_job_but_not_read_or_resume_it(lab: WebLab) -> None:
    lab.book(lab.certified("camille"), "printer-a")
    lab.certified("sam")
    owner, other = caller(lab, "camille"), caller(lab, "sam")
    job = owner.upload().get_json()
    owner.ask("POST", f"/jobs/{job['id']}/start")
    answer = other.ask("POST", f"/jobs/{job['id']}/pause")
    assert answer.get_json() == {"id": job["id"], "machine": "printer-a"}
    assert other.ask("GET", f"/jobs/{job['id']}").status_code == 404
    assert codes(other.ask("POST", f"/jobs/{job['id']}/resume")) == ["not-your-job"]


def test_a_bad_file_is_refused_with_its_lines_and_not_kept(lab: WebLab) -> None:
    lab.certified("camille")
    answer = caller(lab, "camille").upload(b"G28\nG1 X300 F1200\nG1 X10\nM104 S400\n")
    assert answer.status_code == 422
    problems = answer.get_json()["report"]["problems"]
    assert [p["line"] for p in problems if p["severity"] == "error"] == [2, 4]
    assert len(answer.get_json()["refusals"]) == 2
    assert lab.files_on_disk() == []


def test_a_large_file_is_refused(lab: WebLab) -> None:
    lab.certified("camille")
    answer = caller(lab, "camille").upload(b";" * 2_000_000)
    assert (answer.status_code, codes(answer)) == (413, ["too-large"])
    assert lab.files_on_disk() == []


def test_a_strangers_file_is_not_even_read(lab: WebLab) -> None:
    assert Caller(lab, None).upload().status_code == 401
    assert lab.files_on_disk() == []


def test_no_file_and_no_machine(lab: WebLab) -> None:
    lab.certified("camille")
    program = caller(lab, "camille")
    answer = program.ask("POST", "/machines/printer-a/jobs")
    assert (answer.status_code, codes(answer)) == (409, ["no-file"])
    data, content_type = multipart(GOOD_FILE, "x.gcode")
    answer = program.ask("POST", "/machines/nope/jobs", data=data, content_type=content_type)
    assert answer.status_code == 404
    assert lab.files_on_disk() == []


def test_a_job_outlives_its_caller(lab: WebLab) -> None:
    lab.certified("camille")
    job = caller(lab, "camille").upload().get_json()
    with lab.db.reading() as db:
        assert jobs.get_job(db, job["id"]).name == "part.gcode"
