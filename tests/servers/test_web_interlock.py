"""The interlock on the web: what is shown, what is never shown as safe, what can never be asked."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import fabctl_web
from fabctl.clock import ManualClock
from fabctl.hosting.interlock_guard import NOT_BESIDE
from fabctl.interlock import InputRole, InterlockState
from fabctl.interlock_causes import SENTENCES, FaultCode
from fabctl.messaging.interlocks import INTERLOCK_MAX_AGE_S
from fabctl.messaging.payloads import Answer
from fabctl.messaging.signing import OPEN_VERBS, SIGNED_VERBS
from fabctl.model.booking_facts import PARIS
from fabctl.model.event import MachineEvent
from fabctl.model.people import Role
from fabctl.services import jobs
from fabctl.services.recording import record_event
from fabctl.services.uses import open_use_on
from fabctl.services.using import begin_use
from fabctl_web.interlocks import words
from fabctl_web.machines import control
from tests.interlocked_lab import LASER, MILL, interlocked_config, say
from tests.web_caller import Caller
from tests.web_lab import GOOD_FILE, OUTSIDE, TWELVE, WebLab, web_lab

PAGE = f"/m/{LASER}"
CHANGES_NOTHING = {"GET", "HEAD", "OPTIONS"}
FORBIDDEN = re.compile(r"reset|bypass|override|arm\b|disarm|unlock|fault|clear[-_]?fault|lid|k1|k2")
WRITING_ADDRESSES = {
    "/api/v1/jobs/<job>/pause", "/api/v1/jobs/<job>/resume", "/api/v1/jobs/<job>/start",
    "/api/v1/jobs/<job>/stop", "/api/v1/machines/<machine>/jobs",
    "/api/v1/machines/<machine>/use", "/m/<machine>/begin",
    "/m/<machine>/book", "/m/<machine>/check/<person>/<course>", "/m/<machine>/clear",
    "/m/<machine>/done", "/m/<machine>/pause", "/m/<machine>/people/<person>/certify",
    "/m/<machine>/people/<person>/reinstate", "/m/<machine>/people/<person>/suspend",
    "/m/<machine>/problem", "/m/<machine>/resume", "/m/<machine>/start", "/m/<machine>/stick",
    "/m/<machine>/stop", "/m/<machine>/upload", "/m/<resource>/wait",
}  # fmt: skip
"""Every address about machines that takes anything but a question. A new one is looked at here
first. What is about the house is not among them: it cannot ask a machine for anything, see
ASKS_MACHINES."""
ABOUT_MACHINES = ("/api/v1/jobs", "/api/v1/machines", "/m/")
ASKS_MACHINES = {"machines/control.py"}
"""The modules of the web that send requests to machines."""
USES_CONTROL = {"machines/views.py", "api/jobs.py", "api/upkeep.py", "staff/today_acts.py"}
"""Those that ask it to; api/upkeep.py begins and ends uses, staff/today_acts.py clears a broken
machine for the staff, as the machine's page does."""
NOT_AN_INTERLOCK = {
    "/api/v1/people/<person>/unlock", "/staff/people/<person>/unlock", "/staff/screens/unlock",
}  # fmt: skip
"""Lets somebody try their password, or a screen its PINs, again."""
VERBS = {
    "identify", "pause", "stop", "start", "resume", "clear", "recorded", "drop-permit",
}  # fmt: skip
"""Everything that can be asked of a machine; ``clear`` is a broken machine's, after a look at it:
it never reaches the interlock (tests/servers/test_interlock_messages.py)."""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path, config=interlocked_config(tmp_path, TWELVE[:5])) as found:
        yield found


def clock_of(lab: WebLab) -> ManualClock:
    assert isinstance(lab.clock, ManualClock)
    return lab.clock


def panel(lab: WebLab, machine: str = LASER, language: str = "en") -> str:
    return lab.browser(language=language).get(f"/m/{machine}/interlock").get_data(as_text=True)


def steps(page: str) -> list[str]:
    return re.findall(r'(?:<li>|class="step">)([^<]+)<', page)


def input_css(page: str) -> dict[str, str]:
    found = re.findall(r'class="condition (\w+)" data-input="(\w+)"', page)
    return {role: css for css, role in found}


# -- what is shown -------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("state", [*InterlockState])
def test_every_state_has_words_a_meaning_and_its_inputs(
    lab: WebLab, state: InterlockState, language: str
) -> None:
    say(lab, LASER, state)
    page = panel(lab, language=language)
    speech = lab.app.extensions["fabctl"].speech(language)
    assert f'data-lock="{state}"' in page
    assert speech(words.LOOKS[state].word) in page
    assert speech(words.MEANINGS[state]).replace("'", "&#39;") in page
    assert set(input_css(page)) == {role.value for role in InputRole}
    assert set(input_css(page).values()) == {"met"}


def test_an_open_lid_says_what_to_do_in_order(lab: WebLab) -> None:
    say(lab, LASER, "tripped", InputRole.LID_A, InputRole.LID_B, use="u", first_cause="lid-open")
    page = panel(lab, language="fr")
    assert steps(page) == [
        "Ferme le capot.",
        "Appuie sur le bouton vert de la machine, puis relâche.",
    ]
    assert "Ce qui est arrivé d’abord : Le capot ou la porte est ouvert." in page
    assert input_css(page)["lid_a"] == "unmet"
    assert page.index('data-input="lid_a"') < page.index('data-input="estop"')


def test_without_a_permit_the_first_step_is_to_say_that_one_begins(lab: WebLab) -> None:
    say(lab, LASER, "locked", advice="no-permit")
    assert steps(panel(lab)) == [
        "Tap “I begin” on the screen.",
        "Press the green button on the machine, then let go.",
    ]
    assert "Permission for" not in panel(lab)


def test_a_permit_shows_how_long_it_lasts(lab: WebLab) -> None:
    say(lab, LASER, "ready", advice="press-reset", use="u")
    clock_of(lab).advance(3)
    assert "Permission for 5 s more" in panel(lab)
    assert steps(panel(lab)) == ["Press the green button on the machine, then let go."]


def test_what_tripped_first_is_kept_after_it_is_gone(lab: WebLab) -> None:
    say(lab, LASER, "ready", use="u", cause="flow-stopped", first_cause="exhaust-off")
    assert "What came first: The exhaust is off." in panel(lab)


@pytest.mark.parametrize("code", [code for code in SENTENCES if code])
def test_a_fault_of_every_code_is_said_and_is_cleared_at_the_machine_only(
    lab: WebLab, code: str
) -> None:
    say(lab, LASER, "fault", fault=code)
    page = panel(lab)
    assert SENTENCES[code].what.replace("'", "&#39;") in page
    assert steps(page)[-1] == "Only the staff can clear it, at the machine, never on a screen."


@pytest.mark.parametrize("language", ["fr", "en"])
def test_in_a_fault_nothing_says_that_the_machine_is_off(lab: WebLab, language: str) -> None:
    """With a welded relay, or an output that cannot be written, it may well be on."""
    for code in (*FaultCode, "flux-capacitor"):
        say(lab, LASER, "fault", fault=code, first_cause="lid-open")
        page = panel(lab, language=language)
        assert not re.search(r"machine (is|stays|was)\b[^.]*\boff|coupée|éteinte", page), code
        assert re.search("Do not touch it|N’y touche pas", page)
    assert "off" not in control.ANSWERS["interlock-fault"].template


@pytest.mark.parametrize(
    ("language", "words"), [("fr", "écrire sur son disque"), ("en", "cannot write to its disk")]
)
def test_a_disk_in_trouble_is_said(lab: WebLab, language: str, words: str) -> None:
    say(lab, LASER, "locked", trouble="No space left on device")
    assert words in panel(lab, language=language)
    clock_of(lab).advance(INTERLOCK_MAX_AGE_S + 0.1)
    assert words not in panel(lab, language=language)
    say(lab, LASER, "locked")
    assert words not in panel(lab, language=language)


def test_a_disk_in_trouble_is_in_the_history(lab: WebLab) -> None:
    record(lab, MachineEvent(LASER, "b", 1, "interlock-trouble", reason="No space left"))
    lab.person("awa", role=Role.STAFF)
    browser = lab.browser()
    browser.sign_in("awa")
    page = browser.get("/interlocks").get_data(as_text=True)
    assert "Cannot write to its disk" in page
    assert "No space left" in page


def test_a_code_of_a_newer_daemon_has_words_too(lab: WebLab) -> None:
    say(lab, LASER, "fault", fault="flux-capacitor")
    assert "The interlock reports something unknown." in panel(lab)


def test_a_mill_has_a_door(lab: WebLab) -> None:
    say(lab, MILL, "tripped", InputRole.LID_A)
    assert "Porte, premier contact" in panel(lab, MILL, "fr")
    assert steps(panel(lab, MILL, "fr"))[0] == "Ferme la porte."
    assert set(input_css(panel(lab, MILL))) == {"lid_a", "estop", "reset", "k1_feedback"}


def test_a_machine_without_one_has_no_panel(lab: WebLab) -> None:
    assert lab.browser().get("/m/printer-a/interlock").status_code == 404
    assert "data-lock" not in lab.browser().get("/m/printer-a").get_data(as_text=True)


# -- never as safe -------------------------------------------------------------------------------


def test_a_word_that_is_too_old_is_unknown_with_every_input(lab: WebLab) -> None:
    say(lab, LASER, "armed", use="u", outputs_on=True)
    clock_of(lab).advance(INTERLOCK_MAX_AGE_S + 0.1)
    page = panel(lab)
    assert 'data-lock="unknown"' in page
    assert "state-silent" in page
    assert set(input_css(page).values()) == {"unsure"}
    assert "Permission for" not in page
    assert "Treat it as dangerous." in page
    assert steps(page) == ["Do not use the machine. If this stays, tell the staff."]


def test_nothing_heard_yet_is_unknown(lab: WebLab) -> None:
    assert set(input_css(panel(lab)).values()) == {"unsure"}
    assert "No news yet" in panel(lab)


def test_an_unknown_input_is_never_shown_as_passed(lab: WebLab) -> None:
    say(lab, LASER, "locked", unknown=(InputRole.FLOW,))
    assert input_css(panel(lab))["flow"] == "unsure"
    assert "perhaps stopped" in panel(lab)


def card(lab: WebLab, machine: str = LASER) -> str:
    board = lab.browser().get("/board/cards").get_data(as_text=True)
    found = re.search(rf'href="/m/{machine}".*?</a>', board, re.DOTALL)
    assert found
    return found[0]


def test_the_card_never_calls_a_machine_free_whose_interlock_is_off_or_unknown(
    lab: WebLab,
) -> None:
    assert "state-silent" in card(lab)
    assert "Interlock: not known" in card(lab)
    say(lab, LASER, "locked")
    assert "state-free" in card(lab)
    for state, word in (("tripped", "cut off"), ("fault", "fault")):
        say(lab, LASER, state)
        assert "state-blocked" in card(lab)
        assert f"Interlock: {word}" in card(lab)
    clock_of(lab).advance(INTERLOCK_MAX_AGE_S + 0.1)
    assert "state-silent" in card(lab)
    assert "Interlock" not in card(lab, "printer-a")


# -- I begin, I'm done ---------------------------------------------------------------------------


def test_beginning_opens_a_use_and_ending_closes_it_and_takes_the_permit(lab: WebLab) -> None:
    lea = lab.certified("lea")
    lab.book(lea, LASER)
    say(lab, LASER, "locked")
    browser = lab.browser()
    browser.sign_in("lea")
    assert 'action="/m/printer-c/begin"' in browser.get(PAGE).get_data(as_text=True)
    browser.post(f"{PAGE}/begin", page=PAGE)
    with lab.db.reading() as db:
        use = open_use_on(db, resource_id=LASER)
    assert use
    assert (use.person_id, use.job_id) == (lea.id, None)
    page = browser.get(PAGE).get_data(as_text=True)
    assert 'action="/m/printer-c/done"' in page
    assert 'action="/m/printer-c/begin"' not in page
    assert 'id="upload"' not in page
    browser.post(f"{PAGE}/done", page=PAGE)
    with lab.db.reading() as db:
        assert open_use_on(db, resource_id=LASER) is None
    assert [(machine, verb) for machine, verb, _ in lab.workshop.asked] == [(LASER, "drop-permit")]


def test_who_may_not_use_it_cannot_begin(lab: WebLab) -> None:
    lab.person("noe")
    say(lab, LASER, "locked")
    browser = lab.browser()
    browser.sign_in("noe")
    page = browser.get(PAGE).get_data(as_text=True)
    assert 'action="/m/printer-c/begin"' not in page
    answer = browser.post(f"{PAGE}/begin", page=PAGE)
    assert answer.status_code == 409
    assert "not-certified" in answer.get_data(as_text=True)


def test_without_signing_in_nobody_begins_or_ends(lab: WebLab) -> None:
    for verb in ("begin", "done"):
        answer = lab.browser().post(f"{PAGE}/{verb}", page="/in?with=password")
        assert (answer.status_code, answer.location) == (303, "/in?next=/in") or answer.location
        assert lab.workshop.asked == []


def test_somebody_elses_use_is_ended_by_the_staff_only(lab: WebLab) -> None:
    lea = lab.certified("lea")
    lab.book(lea, LASER)
    lab.certified("tom")
    lab.person("awa", role=Role.STAFF)
    say(lab, LASER, "locked")
    for login, verb in (("lea", "begin"), ("tom", "done")):
        browser = lab.browser()
        browser.sign_in(login)
        answer = browser.post(f"{PAGE}/{verb}", page=PAGE)
    assert answer.status_code == 409
    assert lab.workshop.asked == []
    staff = lab.browser()
    staff.sign_in("awa")
    assert 'action="/m/printer-c/done"' in staff.get(PAGE).get_data(as_text=True)
    staff.post(f"{PAGE}/done", page=PAGE)
    with lab.db.reading() as db:
        assert open_use_on(db, resource_id=LASER) is None


def test_a_machine_without_an_interlock_has_nothing_to_begin(lab: WebLab) -> None:
    lea = lab.certified("lea")
    lab.book(lea, "printer-a")
    browser = lab.browser()
    browser.sign_in("lea")
    assert browser.post("/m/printer-a/begin", page="/m/printer-a").status_code == 409


# -- going on ------------------------------------------------------------------------------------


def test_only_the_labs_own_screen_says_that_it_stands_beside_the_machine(lab: WebLab) -> None:
    lea = lab.certified("lea")
    lab.book(lea, MILL)
    phone = lab.browser()
    phone.sign_in("lea")
    assert phone.upload(GOOD_FILE, "part.gcode", page=f"/m/{MILL}").status_code == 303
    with lab.db.reading() as db:
        job = jobs.jobs_of_person(db, person_id=lea.id)[0]
    lab.workshop.say(MILL, "paused", job=job.id)
    screen = lab.browser("127.0.0.1")
    screen.sign_in("lea")
    for browser in (phone, screen):
        assert browser.post(f"/m/{MILL}/resume", page=f"/m/{MILL}").status_code == 303
    said = [body["at_machine"] for _, verb, body in lab.workshop.asked if verb == "resume"]
    assert said == [False, True]


@pytest.mark.parametrize(
    ("language", "words"), [("fr", "Appuie sur le bouton vert"), ("en", "press the green button")]
)
def test_who_is_not_beside_it_is_told_how_to_go_on(lab: WebLab, language: str, words: str) -> None:
    speech = lab.app.extensions["fabctl"].speech(language)
    answer = Answer(False, NOT_BESIDE.code, NOT_BESIDE.reason)
    assert words in speech.text(control.answer_text(answer))


# -- nothing presses reset -----------------------------------------------------------------------


def test_the_list_of_addresses_that_change_something_is_whole(lab: WebLab) -> None:
    """No address presses reset, bypasses an input or clears a fault; a new one fails here."""
    rules = list(lab.app.url_map.iter_rules())
    writing = {rule.rule for rule in rules if (rule.methods or set()) - CHANGES_NOTHING}
    about_machines = {rule for rule in writing if rule.startswith(ABOUT_MACHINES)}
    assert about_machines == WRITING_ADDRESSES
    assert {rule for rule in writing if FORBIDDEN.search(rule)} == NOT_AN_INTERLOCK
    locks = {rule.rule: rule.methods for rule in rules if "interlock" in rule.rule}
    assert set(locks) == {
        "/m/<machine>/interlock", "/interlocks", "/interlocks.csv",
        "/api/v1/machines/<machine>/interlock",
    }  # fmt: skip
    assert all(methods and methods <= CHANGES_NOTHING for methods in locks.values())


def test_only_what_is_about_machines_asks_machines() -> None:
    root = Path(fabctl_web.__file__).parent
    sources = {str(path.relative_to(root)): path.read_text() for path in root.rglob("*.py")}
    asks = {name for name, source in sources.items() if "requests.send(" in source}
    uses = {name for name, source in sources.items() if re.search(r"import .*\bcontrol\b", source)}
    assert asks == ASKS_MACHINES
    assert uses == USES_CONTROL


def test_the_list_of_what_can_be_asked_of_a_machine_is_whole() -> None:
    assert OPEN_VERBS | SIGNED_VERBS == VERBS
    assert not [verb for verb in VERBS if FORBIDDEN.search(verb)]


def test_the_panel_holds_nothing_that_can_be_pressed(lab: WebLab) -> None:
    for state in (*InterlockState, "unknown"):
        say(lab, LASER, state, *InputRole, fault="k1-welded")
        assert not re.search(r"<(form|button|input|a|select)\b|hx-(post|put|delete)", panel(lab))


def test_only_the_steps_of_a_person_reach_the_machine_while_it_is_in_fault(lab: WebLab) -> None:
    """Whoever presses whatever a page of a faulty machine offers asks nothing of the interlock."""
    lea = lab.certified("lea")
    lab.book(lea, LASER)
    lab.workshop.say(LASER, "blocked", reason="interlock")
    say(lab, LASER, "fault", fault="k1-welded")
    browser = lab.browser()
    browser.sign_in("lea")
    page = browser.get(PAGE).get_data(as_text=True)
    offered = set(re.findall(rf'action="{PAGE}/(\w+)"', page))
    assert offered <= {"pause", "stop", "begin", "done"}


# -- history -------------------------------------------------------------------------------------

TRIP = MachineEvent(LASER, "b", 1, "interlock-tripped", trouble="lid-open", reason="<b>raw</b>")


def record(lab: WebLab, *events: MachineEvent) -> None:
    with lab.db.transaction() as db:
        for event in events:
            record_event(db, lab.clock, event)


@pytest.mark.parametrize("role", [Role.STAFF, Role.ADMIN])
def test_the_staff_reads_and_saves_the_history(lab: WebLab, role: Role) -> None:
    refused = MachineEvent(
        LASER, "b", 2, "interlock-permit-refused", trouble="replayed", count=3, by="p123"
    )
    record(lab, TRIP, refused, MachineEvent(MILL, "b", 1, "interlock-of-tomorrow"))
    lab.person("awa", role=role)
    browser = lab.browser()
    browser.sign_in("awa")
    assert "/interlocks?machine=printer-c" in browser.get(PAGE).get_data(as_text=True)
    page = browser.get("/interlocks").get_data(as_text=True)
    assert "The lid or door is open." in page
    assert "&lt;b&gt;raw&lt;/b&gt;" in page
    assert "A permit came a second time. (3 ×)" in page
    assert "interlock-of-tomorrow" in page
    only = browser.get("/interlocks?kind=interlock-permit-refused&machine=printer-c")
    assert "The lid or door is open." not in only.get_data(as_text=True)
    saved = browser.get("/interlocks.csv?machine=printer-c")
    assert saved.content_type == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(saved.get_data(as_text=True), newline="")))
    assert [row["code"] for row in rows] == ["lid-open", "replayed"]


def test_the_page_names_whose_use_it_was_and_the_export_does_not(lab: WebLab) -> None:
    lea = lab.certified("lea")
    lab.book(lea, LASER)
    with lab.db.transaction() as db:
        use = begin_use(
            db, lab.clock, PARIS, person_id=lea.id, resource_id=LASER, machine_state="idle"
        )
    record(lab, replace(TRIP, use=use.id), replace(TRIP, seq=2, use="of another database"))
    record(lab, replace(TRIP, seq=3, machine="printer-a", use=use.id))  # it is not that machine's
    lab.person("awa", role=Role.STAFF)
    browser = lab.browser()
    browser.sign_in("awa")
    assert browser.get("/interlocks").get_data(as_text=True).count("Lea") == 1
    saved = browser.get("/interlocks.csv").get_data(as_text=True)
    assert use.id in saved
    assert "Lea" not in saved


@pytest.mark.parametrize("role", [Role.MEMBER, Role.TRAINER, Role.ANIMATOR])
def test_nobody_else_reads_it(lab: WebLab, role: Role) -> None:
    lab.person("tom", role=role)
    browser = lab.browser()
    assert browser.get("/interlocks").status_code == 303
    assert browser.get("/interlocks.csv").status_code == 303
    browser.sign_in("tom")
    assert browser.get("/interlocks").status_code == 403
    assert browser.get("/interlocks.csv").status_code == 403
    assert "/interlocks" not in browser.get(PAGE).get_data(as_text=True)


def test_whatever_is_searched_for_is_a_page(lab: WebLab) -> None:
    record(lab, TRIP)
    lab.person("awa", role=Role.STAFF)
    browser = lab.browser()
    browser.sign_in("awa")
    for query in ("since=2026-13-45", "until=0001-01-01", "words=%25'--", "kind=nothing",
                  "machine=nowhere", "until=9999-12-31", "words=" + "x" * 500):  # fmt: skip
        assert browser.get(f"/interlocks?{query}").status_code == 200, query
    assert "lid or door" in browser.get("/interlocks?since=2020-01-01").get_data(as_text=True)
    assert "lid or door" not in browser.get("/interlocks?until=2020-01-01").get_data(as_text=True)


# -- API -----------------------------------------------------------------------------------------


def test_the_api_says_what_the_screen_says(lab: WebLab) -> None:
    caller = Caller(lab, None)
    say(lab, LASER, "tripped", InputRole.LID_A, use="u", cause="lid-open", trips=2)
    found = caller.ask("GET", f"/machines/{LASER}/interlock").get_json()
    assert (found["state"], found["cause"], found["trips"]) == ("tripped", "lid-open", 2)
    assert found["permit_left_s"] == 8.0
    assert {"role": "lid_a", "condition": "failed", "age_s": 65.0} in found["inputs"]
    clock_of(lab).advance(INTERLOCK_MAX_AGE_S + 0.1)
    old = caller.ask("GET", f"/machines/{LASER}/interlock").get_json()
    assert (old["state"], old["outputs_on"], old["permit_left_s"]) == ("unknown", None, None)
    assert {entry["condition"] for entry in old["inputs"]} == {"unknown"}
    assert caller.ask("GET", "/machines/printer-a/interlock").status_code == 404


def test_the_api_never_says_whose_use_it_is(lab: WebLab) -> None:
    say(lab, LASER, "armed", use="secret-use")
    client = lab.app.test_client()
    answer = client.get(
        f"/api/v1/machines/{LASER}/interlock", environ_base={"REMOTE_ADDR": OUTSIDE}
    )
    assert "secret-use" not in answer.get_data(as_text=True)
    assert "secret-use" not in panel(lab)
