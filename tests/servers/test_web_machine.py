"""A machine's page: one primary action, every reason why not, and control of what runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl.messaging.payloads import Answer
from fabctl.services import jobs, machines
from fabctl.services.jobs import JobView
from tests.web_lab import GOOD_FILE, Browser, WebLab, web_lab

PAGE = "/m/printer-a"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        yield found


def signed_in(lab: WebLab, login: str, language: str = "fr") -> Browser:
    browser = lab.browser(language=language)
    browser.sign_in(login)
    return browser


def conditions(page: str) -> dict[str, str]:
    return {
        code: css
        for css, code in re.findall(r'class="condition (\w+)" data-code="([a-z-]+)"', page)
    }


def primary(page: str) -> str:
    """Return the words of the primary action, empty without one."""
    found = re.search(r'<div class="primary-action">(.*?)</div>', page, re.DOTALL)
    return re.sub(r"<[^>]+>", "", found[1]).strip() if found else ""


def send(browser: Browser, content: bytes = GOOD_FILE, name: str = "part.gcode") -> None:
    answer = browser.upload(content, name, page=PAGE)
    assert answer.status_code == 303, answer.get_data(as_text=True)


def my_job(lab: WebLab, login: str) -> JobView:
    with lab.db.reading() as db:
        return jobs.jobs_of_person(db, person_id=lab.id_of(login))[0]


def test_a_stranger_is_asked_to_sign_in_and_may_pause_and_stop(lab: WebLab) -> None:
    lab.workshop.say("printer-a", "running", job="j")
    page = lab.browser(language="fr").get(PAGE).get_data(as_text=True)
    assert primary(page) == "Connecte-toi pour l’utiliser"
    assert conditions(page) == {}
    for words in ("Pause", "Arrêter la machine", "Bouton rouge sur la machine"):
        assert words in page


def test_every_condition_is_listed_failed_ones_first(lab: WebLab) -> None:
    lab.person("alex")
    lab.book(lab.certified("sam"), "printer-a")
    lab.workshop.say("printer-a", "broken", trouble="cable-lost")
    with lab.db.transaction() as db:
        machines.set_out_of_order(db, lab.clock, resource_id="printer-a", reason="belt", by=None)
    page = signed_in(lab, "alex").get(PAGE).get_data(as_text=True)
    found = conditions(page)
    assert found == {
        "not-certified": "unmet",
        "someone-elses-slot": "unmet",
        "out-of-order": "unmet",
        "machine-broken": "unmet",
        "account-suspended": "met",
        "machine-busy": "met",
    }
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert primary(page) == ""
    assert "La liaison avec la machine a été perdue." in page


@pytest.mark.parametrize(
    ("state", "french", "english"),
    [("pausing", "Pause…", "Pausing"), ("stopping", "S’arrête", "Stopping")],
)
def test_coming_to_rest_is_shown_as_what_it_is(
    lab: WebLab, state: str, french: str, english: str
) -> None:
    camille = lab.certified("camille")
    lab.book(camille, "printer-a")
    lab.workshop.say("printer-a", state, job="j")
    lab.workshop.progress("printer-a", "j", 0.5)
    page = signed_in(lab, "camille").get(PAGE).get_data(as_text=True)
    assert french in page
    assert "Occupée" not in page
    assert primary(page) == ""  # nothing to resume before it rests
    assert conditions(page)["machine-busy"] == "unmet"
    assert english in lab.browser(language="en").get("/").get_data(as_text=True)


def test_out_of_order_says_since_when_and_why(lab: WebLab) -> None:
    lab.browser(language="fr").get("/")
    with lab.db.transaction() as db:
        machines.set_out_of_order(
            db, lab.clock, resource_id="printer-a", reason="courroie <usée>", by=None
        )
    lab.clock.advance(3600)  # type: ignore[attr-defined]  # a manual clock
    lab.workshop.say("printer-a", "idle")
    board = lab.browser(language="fr").get("/").get_data(as_text=True)
    assert "Hors service" in board
    assert "courroie &lt;usée&gt;" in board
    page = lab.browser(language="en").get(PAGE).get_data(as_text=True)
    assert re.search(r"Out of order since [^:]*\d\d:\d\d: courroie &lt;usée&gt;", page)
    lab.workshop.say("printer-a", "running", job="j")  # what still runs is shown as running
    page = lab.browser(language="fr").get(PAGE).get_data(as_text=True)
    assert "Occupée" in page
    assert "Hors service depuis" in page


def test_unknown_blocks_and_is_shown_as_unknown(lab: WebLab) -> None:
    camille = lab.certified("camille")
    lab.book(camille, "printer-a")
    browser = signed_in(lab, "camille")
    lab.clock.advance(60)  # type: ignore[attr-defined]  # a manual clock
    page = browser.get(PAGE).get_data(as_text=True)
    assert conditions(page)["machine-unknown"] == "unsure"
    assert primary(page) == ""


def test_only_a_reservation_is_missing(lab: WebLab) -> None:
    lab.certified("camille")
    page = signed_in(lab, "camille").get(PAGE).get_data(as_text=True)
    assert conditions(page)["not-reserved"] == "unmet"
    assert primary(page) == "Réserver 1 h maintenant"


def test_somebody_who_could_not_book_is_not_offered_it(lab: WebLab) -> None:
    lab.person("alex")
    page = signed_in(lab, "alex").get(PAGE).get_data(as_text=True)
    assert "Réserver 1 h maintenant" not in page


def test_upload_then_start(lab: WebLab) -> None:
    camille = lab.certified("camille")
    lab.book(camille, "printer-a")
    browser = signed_in(lab, "camille")
    send(browser)
    page = browser.get(PAGE).get_data(as_text=True)
    assert primary(page) == "Démarrer part.gcode"
    job = my_job(lab, "camille")
    answer = browser.post(f"{PAGE}/start", {"job": job.id}, page=PAGE)
    assert (answer.status_code, answer.location) == (303, PAGE)
    (machine, verb, body), *more = lab.workshop.asked
    assert (machine, verb, more) == ("printer-a", "start", [])
    assert body["job"] == job.id
    assert body["by"] == camille.id
    assert body["sha256"] == job.sha256
    page = browser.get(PAGE).get_data(as_text=True)
    assert "Ton travail démarre." in page
    assert "Occupée" in page
    assert "part.gcode" in page


def test_a_refused_start_lists_all_reasons_and_sends_nothing(lab: WebLab) -> None:
    lab.certify(lab.person("alex"), "printer-b")
    lab.book(lab.certified("sam"), "printer-a")
    browser = signed_in(lab, "alex")
    send(browser)
    answer = browser.post(f"{PAGE}/start", {"job": my_job(lab, "alex").id}, page=PAGE)
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert conditions(page) == {"not-certified": "unmet", "someone-elses-slot": "unmet"}
    assert "Demande la formation" in page
    assert lab.workshop.asked == []


def test_a_machine_that_says_no_lets_the_job_be_started_again(lab: WebLab) -> None:
    camille = lab.certified("camille")
    lab.book(camille, "printer-a")
    browser = signed_in(lab, "camille")
    send(browser)
    lab.workshop.answer = Answer(False, "busy", "It is busy.")
    browser.post(f"{PAGE}/start", {"job": my_job(lab, "camille").id}, page=PAGE)
    page = browser.get(PAGE).get_data(as_text=True)
    assert "La machine a refusé." in page
    assert primary(page) == "Démarrer part.gcode"


def test_no_answer_is_said_and_keeps_the_machine_taken(lab: WebLab) -> None:
    camille = lab.certified("camille")
    lab.book(camille, "printer-a")
    browser = signed_in(lab, "camille")
    send(browser)
    lab.workshop.answer = Answer(False, "no-answer")
    browser.post(f"{PAGE}/start", {"job": my_job(lab, "camille").id}, page=PAGE)
    page = browser.get(PAGE).get_data(as_text=True)
    assert "La machine ne répond pas." in page
    assert conditions(page)["machine-busy"] == "unmet"


def test_somebody_elses_job_and_an_unknown_one_do_not_start(lab: WebLab) -> None:
    sam, camille = lab.certified("sam"), lab.certified("camille")
    send(signed_in(lab, "sam"))
    lab.book(camille, "printer-a")
    browser = signed_in(lab, "camille")
    answer = browser.post(f"{PAGE}/start", {"job": my_job(lab, "sam").id}, page=PAGE)
    assert answer.status_code == 409
    assert 'data-code="not-your-job"' in answer.get_data(as_text=True)
    assert browser.post(f"{PAGE}/start", {"job": "nope"}, page=PAGE).status_code == 404
    assert lab.workshop.asked == []
    assert sam.id != camille.id


def test_anyone_pauses_with_one_tap(lab: WebLab) -> None:
    lab.workshop.say("printer-a", "running", job="j")
    browser = lab.browser(language="fr")
    assert browser.post(f"{PAGE}/pause", page=PAGE).location == PAGE
    assert lab.workshop.asked == [("printer-a", "pause", {"by": None})]
    assert "La machine se met en pause." in browser.get(PAGE).get_data(as_text=True)


def test_a_pause_by_somebody_signed_in_carries_their_opaque_id(lab: WebLab) -> None:
    camille = lab.person("camille")
    lab.workshop.say("printer-a", "running", job="j")
    signed_in(lab, "camille").post(f"{PAGE}/pause", page=PAGE)
    assert lab.workshop.asked == [("printer-a", "pause", {"by": camille.id})]


def test_stop_needs_the_hold_or_a_second_look(lab: WebLab) -> None:
    lab.workshop.say("printer-a", "running", job="j")
    browser = lab.browser(language="fr")
    answer = browser.post(f"{PAGE}/stop", {"held": "0"}, page=PAGE)
    assert answer.status_code == 200
    assert "Arrêter la machine maintenant" in answer.get_data(as_text=True)
    assert lab.workshop.asked == []
    browser.post(f"{PAGE}/stop", {"held": "1"}, page=PAGE)
    assert lab.workshop.asked == [("printer-a", "stop", {"by": None})]


def test_resume_is_for_the_jobs_person_and_the_staff(lab: WebLab) -> None:
    camille = lab.certified("camille")
    lab.certified("sam")
    lab.person("staff", role="staff")
    lab.book(camille, "printer-a")
    browser = signed_in(lab, "camille")
    send(browser)
    job = my_job(lab, "camille")
    for login, allowed in (("sam", False), ("camille", True), ("staff", True)):
        lab.workshop.say("printer-a", "paused", job=job.id)
        lab.workshop.asked.clear()
        other = signed_in(lab, login)
        offered = primary(other.get(PAGE).get_data(as_text=True))
        answer = other.post(f"{PAGE}/resume", page=PAGE)
        assert (offered == "Reprendre") is allowed, login
        assert (answer.status_code == 303) is allowed, login
        assert bool(lab.workshop.asked) is allowed, login


def test_resuming_nothing_is_refused(lab: WebLab) -> None:
    lab.certified("camille")
    answer = signed_in(lab, "camille").post(f"{PAGE}/resume", page=PAGE)
    assert answer.status_code == 409
    assert 'data-code="no-job"' in answer.get_data(as_text=True)


def test_a_job_of_another_database_belongs_to_nobody_here(lab: WebLab) -> None:
    lab.person("staff", role="staff")
    lab.workshop.say("printer-a", "paused", job="unheardof")
    answer = signed_in(lab, "staff").post(f"{PAGE}/resume", page=PAGE)
    assert answer.status_code == 409
    assert lab.workshop.asked == []


def test_a_broken_machine_is_released_by_somebody_who_may(lab: WebLab) -> None:
    lab.person("alex")
    lab.certified("camille")
    lab.person("staff", role="staff")
    for login, allowed in (("alex", False), ("camille", True), ("staff", True)):
        lab.workshop.say("printer-a", "broken", trouble="interrupted")
        lab.workshop.asked.clear()
        browser = signed_in(lab, login)
        offered = primary(browser.get(PAGE).get_data(as_text=True))
        answer = browser.post(f"{PAGE}/clear", page=PAGE)
        assert (offered == "J’ai vérifié la machine") is allowed, login
        assert (answer.status_code == 303) is allowed, login
        refused = 'data-code="not-allowed-to-clear"' in answer.get_data(as_text=True)
        assert refused is not allowed, login
        assert bool(lab.workshop.asked) is allowed, login


def test_a_stranger_releases_resumes_and_starts_nothing(lab: WebLab) -> None:
    lab.workshop.say("printer-a", "broken", trouble="interrupted")
    for verb in ("clear", "resume", "start"):
        answer = lab.browser().post(f"{PAGE}/{verb}", page=PAGE)
        assert answer.location == f"/in?next={PAGE}", verb
    assert lab.workshop.asked == []


def test_the_qr_code_leads_a_phone_here(lab: WebLab) -> None:
    page = lab.browser().get(PAGE, base_url="http://192.0.2.7:8080").get_data(as_text=True)
    assert "<svg" in page.split('class="box qr"')[1][:30]
    assert "style=" not in page
    at_the_screen = lab.browser().get(PAGE, base_url="http://127.0.0.1:8080")
    assert 'class="box qr"' not in at_the_screen.get_data(as_text=True), "nobody could reach it"
