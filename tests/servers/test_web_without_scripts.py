"""What people do, in a browser that runs no scripts: links and forms are enough.

A file is sent, started and stopped without scripts in chromium: tests/browser/test_flows.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from fabctl.services import opening_read, policies, problems
from tests.booking_hand import coming
from tests.plain_browser import Element, PlainBrowser, read
from tests.security_scene import security_scene
from tests.servers.test_web_session_console import opened, presences
from tests.staff_scene import Morning, morning
from tests.training_scene import standing, training_scene
from tests.web_lab import WebLab, web_lab
from tests.workshop_scene import workshop_scene

LOGINS = ("", "camille", "ana", "awa")
ROUGH = {"key": "the keys of the PIN pad: the code can be typed"}
"""Buttons that only scripts answer, by their class, and why that is no loss."""
HIDDEN_FORMS = frozenset({"data-badge", "data-taps"})
"""The badge reader's own form; undoing, where there is nothing to undo."""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        found.certified("camille")
        found.certified("sam")
        yield found


def test_signed_in_booked_moved_and_cancelled(lab: WebLab) -> None:
    plain = PlainBrowser(lab)
    plain.follow("/m/printer-a")
    plain.follow("/in")
    plain.send("/in/password", login="camille", password="camille-password")
    assert plain.path == "/m/printer-a"
    plain.follow("/planning")
    plain.follow("/planning/2026-11-24")
    plain.follow("/m/printer-a/book/2026-11-24/[0-9:]+")
    plain.send("/m/printer-a/book", nth=1)
    (first,) = coming(lab, "camille")
    plain.follow("/me")
    plain.follow("/reservations/.*/move")
    plain.send("/reservations/.*/move", nth=2)
    (moved,) = coming(lab, "camille")
    assert moved.start != first.start
    plain.follow("/me")
    plain.follow("/reservations/.*/move")
    plain.send("/reservations/.*/move", button="Move it", day="2026-11-26", time="14:15")
    (again,) = coming(lab, "camille")
    assert again.start.astimezone(lab.config.time_zone).isoformat()[:16] == "2026-11-26T14:15"
    plain.follow("/me")
    plain.send("/reservations/.*/cancel")
    assert coming(lab, "camille") == []


def test_waited_for_and_taken(lab: WebLab) -> None:
    sam, camille = PlainBrowser(lab, "sam"), PlainBrowser(lab, "camille")
    for who in (sam, camille):
        who.follow("/planning")
        who.follow("/planning/2026-11-24")
        who.follow("/m/printer-a/book")
    sam.send("/m/printer-a/book", button="Book 1 h", day="2026-11-24", time="10:00")
    (his,) = coming(lab, "sam")
    camille.follow("/planning")
    camille.follow("/planning/2026-11-24")
    camille.follow("/m/printer-a/book")
    camille.send("/m/printer-a/wait")
    sam.follow("/me")
    sam.send(f"/reservations/{his.id}/cancel")
    camille.follow("/me")
    camille.follow("/me/notices")
    camille.send("/me/notices/read")
    camille.follow("/me")
    camille.send("/waiting/.*/accept")
    assert [one.start for one in coming(lab, "camille")] == [his.start]


def test_a_quiz_and_a_practical_check(lab: WebLab) -> None:
    scene = training_scene(lab)
    lea, karim = PlainBrowser(lab, "lea"), PlainBrowser(lab, "karim")
    lea.follow("/training")
    lea.follow(f"/training/{scene.course}")
    lea.follow(f"/training/{scene.course}/quiz")
    for words in (("I wait, or use the pliers.", "I ask if I do not know."), ("The red one",)):
        labels = {one.text: one for one in lea.page.all("label")}
        chosen = [next(labels[one].all("input"))["value"] for one in words]
        lea.send(f"/training/{scene.course}/quiz", button="next", answer=chosen)
    assert "Quiz passed" in lea.text
    karim.follow("/m/printer-a")
    karim.follow("/m/printer-a/check")
    karim.follow(f"/m/printer-a/check/{scene.id('lea')}")
    points = [one["value"] for one in karim.page.all("input") if one["type"] == "checkbox"]
    name = next(one["name"] for one in karim.page.all("input") if one["type"] == "checkbox")
    karim.send(f".*/{scene.course}", {name: points}, button="true")
    assert standing(scene, "lea").value == "valid"


def test_a_place_in_a_workshop_and_given_back(lab: WebLab) -> None:
    scene = workshop_scene(lab)
    pia = PlainBrowser(lab, "pia")
    pia.follow("/workshops")
    pia.follow(f"/workshops/{scene.coming}")
    pia.follow(f"/workshops/{scene.coming}/consent/{scene.child}")
    pia.send(".*/consent/.*", guardian_name="Pia", guardian_phone="06 12 34 56 78")
    pia.send(".*/enrol")
    pia.send("/places/.*/needs", needs="Arachides")
    pia.send("/places/.*/cancel")
    assert "Take a place" in pia.text


def test_who_is_here_machines_and_certificates(lab: WebLab) -> None:
    scene = workshop_scene(lab)
    ana, base = PlainBrowser(lab, "ana"), f"/workshops/{scene.running}"
    ana.follow("/workshops")
    ana.follow(f"{base}/console")
    for name, word in (("Bilal", "Present"), ("Chloé", "Late"), ("Driss", "Absent")):
        ana.send(f"{base}/mark", button=word, holding={"enrolment": scene.places[name]})
    ana.send(f"{base}/mark", button="Undo: Driss")
    assert presences(scene) == {"Bilal": "present", "Chloé": "late"}
    ana.send(f"{base}/machines", holding={"machine": "printer-a"})
    assert opened(scene) == {"printer-a"}
    ana.send(f"{base}/notes", note="Une buse bouchée.")
    ana.send(f"{base}/walk-in", first_name="Zoé", birth_year="2004")
    ana.send(
        f"{base}/console", button="Certify everyone who passed", passed=[scene.places["Bilal"]]
    )
    assert "New certificates: 1" in ana.text


def test_the_house_is_kept(lab: WebLab) -> None:
    sasha, _scene = _staff(lab)
    sasha.follow("/staff/hours")
    times = {"day1-opens": ["09:00", "14:00"], "day1-closes": ["12:00", "19:00"]}
    sasha.send("/staff/hours", times)
    with lab.db.reading() as db:
        day = date(2026, 11, 24)
        hours = opening_read.opening_hours(db, first=day, last=day)
    assert hours.week[1] == ((540, 720), (840, 1140))
    sasha.send("/staff/hours/days", first="2026-12-24", closed=True, reason="Fête")
    sasha.follow("/staff/policies")
    sasha.follow("/staff/policies/lab")
    sasha.send("/staff/policies/lab", longest_min="240")
    with lab.db.reading() as db:
        assert policies.rules_of_resource(db, "printer-a").longest == timedelta(hours=4)
    sasha.follow("/staff/closures")
    sasha.send(
        "/staff/closures", resource="printer-a", first="2026-11-26", last="2026-11-26",
        starts="10:00", ends="11:00", note="Courroie",
    )  # fmt: skip
    sasha.send("/staff/closures/make")
    assert "Courroie" in sasha.text
    sasha.follow("/staff/resources")
    sasha.follow("/staff/resources/printer-a")
    sasha.send(".*/out-of-order", reason="Bruit")
    assert "Out of order since" in sasha.text
    sasha.send(".*/in-order")
    sasha.send(".*/plans", title="Graisser", every_hours="50")
    assert "0 of 50 hours" in sasha.text


def test_people_problems_screens_and_courses_are_kept(lab: WebLab) -> None:
    sasha, scene = _staff(lab)
    sasha.follow("/staff/today")
    sasha.send(f"/staff/problems/{scene.problem}/settle", words="Buse changée")
    with lab.db.reading() as db:
        settled = problems.get_problem(db, problem_id=scene.problem, by=scene.people["sasha"])
    assert settled.outcome == "Buse changée"
    sasha.follow("/staff/people")
    sasha.send("/staff/people", button="Add", name="Zoé", login="zoe")
    sasha.follow("/staff/people")
    sasha.follow(f"/staff/people/{scene.people['mia']}")
    sasha.send(".*/change", name="Mia B.")
    assert "Mia B." in sasha.text
    sasha.send(".*/suspend", reason="Clé")
    assert "Suspended: Clé" in sasha.text
    sasha.follow("/staff/screens")
    sasha.send("/staff/screens", screen="entree", name="Entrée")
    sasha.send("/staff/screens/entree/code")
    assert "The code, good for 10 minutes:" in sasha.text
    sasha.follow("/staff/courses")
    sasha.send("/staff/courses", title_fr="Tour", machines=["printer-a"])
    assert "Tour" in sasha.text
    sasha.send(".*/questions", question_fr="?", answer_fr_0="Oui", answer_fr_1="Non", right_0=True)
    assert "1. ?" in sasha.text or "Oui" in sasha.text


def _staff(lab: WebLab) -> tuple[PlainBrowser, Morning]:
    scene = morning(lab)
    return PlainBrowser(lab, "sasha"), scene


def test_every_button_of_every_page_sends_a_form(tmp_path: Path) -> None:
    with web_lab(tmp_path) as lab:
        scene = security_scene(lab)
        for login in LOGINS:
            browser = scene.browser(login)
            for path in scene.pages():
                answer = browser.get(path)
                if answer.status_code == 200:
                    assert list(_useless(read(answer.text))) == [], (login, path)


def _useless(page: Element) -> Iterator[str]:
    """Yield what nobody can use without scripts."""
    for one in page.all("button"):
        sends = one.around("form") is not None and one["type"] in {"", "submit"}
        if not sends and one["class"] not in ROUGH:
            yield f"a button that sends nothing: {one.text or one.attributes}"
    for form in page.all("form"):
        kept = not HIDDEN_FORMS.isdisjoint(form.attributes)
        if not form.shown and not kept:
            yield f"a form that is hidden: {form.attributes}"
        if form.shown and not any(one["type"] in {"", "submit"} for one in form.all("button")):
            yield f"a form without a button: {form.attributes}"
    for link in page.all("a"):
        if link["href"] in {"", "#"}:
            yield f"a link to nowhere: {link.text}"
