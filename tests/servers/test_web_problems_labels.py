"""Problems reported from a machine's page, its printed labels, and the next step it offers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl.clock import ManualClock
from fabctl.config import WebConfig
from fabctl.services import problems
from tests.web_lab import Browser, WebLab, lab_config, web_lab

PAGE = "/m/printer-a"
KIOSK = "127.0.0.1"
SCRIPT = '<script>alert("x")</script>'


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    web = WebConfig(
        upload_max_mb=1, kiosk_addresses=(KIOSK,), public_url="https://machines.fablab.example"
    )
    with web_lab(tmp_path, config=lab_config(tmp_path, web=web)) as found:
        yield found


def signed_in(lab: WebLab, login: str, language: str = "fr") -> Browser:
    browser = lab.browser(language=language)
    browser.sign_in(login)
    return browser


def wait(lab: WebLab, seconds: float) -> None:
    assert isinstance(lab.clock, ManualClock)
    lab.clock.advance(seconds)


# -- problems ---------------------------------------------------------------------------------


def reports(lab: WebLab, login: str) -> list[problems.ProblemView]:
    with lab.db.reading() as db:
        return problems.list_problems(db, by=lab.id_of(login))


def test_a_problem_in_two_taps(lab: WebLab) -> None:
    lab.person("alex")
    browser = signed_in(lab, "alex")
    page = browser.get(PAGE).get_data(as_text=True)
    assert f'href="{PAGE}/problem"' in page
    asked = browser.get(f"{PAGE}/problem").get_data(as_text=True)
    assert len(re.findall(r'<button class="button kind" name="kind"', asked)) == 3
    assert 'name="stop"' not in asked, "who does not know the machine does not stop it"
    answer = browser.post(f"{PAGE}/problem", {"kind": "dirty"}, page=f"{PAGE}/problem")
    assert (answer.status_code, answer.location) == (303, PAGE)
    (found,) = reports(lab, "alex")
    assert (found.kind, found.summary, found.details) == ("dirty", "Sale ou en désordre", "")
    page = browser.get(PAGE).get_data(as_text=True)
    assert "Merci. L’équipe le voit maintenant." in page
    assert "Sale ou en désordre" in page


def test_words_are_for_the_staff_and_never_a_script(lab: WebLab) -> None:
    lab.person("alex")
    lab.person("sam")
    lab.person("staff", role="staff")
    fields = {"kind": "other", "details": f"Ça sent le brûlé {SCRIPT}"}
    signed_in(lab, "alex").post(f"{PAGE}/problem", fields, page=f"{PAGE}/problem")
    staff = signed_in(lab, "staff").get(PAGE).get_data(as_text=True)
    assert "Ça sent le brûlé &lt;script&gt;" in staff
    assert SCRIPT not in staff
    assert "Ça sent le brûlé" not in signed_in(lab, "sam").get(PAGE).get_data(as_text=True)
    assert "Autre chose" not in lab.browser().get(PAGE).get_data(as_text=True)


def test_who_knows_the_machine_puts_it_out_of_order(lab: WebLab) -> None:
    lab.certified("camille")
    browser = signed_in(lab, "camille")
    assert 'name="stop"' in browser.get(f"{PAGE}/problem").get_data(as_text=True)
    fields = {"kind": "damaged", "stop": "1"}
    browser.post(f"{PAGE}/problem", fields, page=f"{PAGE}/problem")
    page = browser.get(PAGE).get_data(as_text=True)
    assert "Hors service" in page
    assert "Hors service" in lab.browser(language="fr").get("/").get_data(as_text=True)
    lab.person("alex")
    other = signed_in(lab, "alex").post(f"{PAGE}/problem", fields, page=f"{PAGE}/problem")
    assert other.status_code == 409
    assert 'data-code="may-not-stop-machine"' in other.get_data(as_text=True)
    assert len(reports(lab, "camille")) == 1


def test_at_the_labs_own_screen_nobody_needs_to_sign_in(lab: WebLab) -> None:
    lab.person("staff", role="staff")
    screen = lab.browser(KIOSK)
    for _ in range(3):  # tapped three times: one report
        screen.post(f"{PAGE}/problem", {"kind": "dirty"}, page=f"{PAGE}/problem")
    words = {"kind": "dirty", "details": "Encore"}
    screen.post(f"{PAGE}/problem", {**words, "stop": "1"}, page=f"{PAGE}/problem")
    found = reports(lab, "staff")
    assert [one.person_id for one in found] == [None, None]
    assert sorted(one.details or "" for one in found) == ["", "Encore"]
    assert not any(one.stops_machine for one in found)
    wait(lab, 11 * 60)
    screen.post(f"{PAGE}/problem", {"kind": "dirty"}, page=f"{PAGE}/problem")
    assert len(reports(lab, "staff")) == 3
    elsewhere = lab.browser().get(f"{PAGE}/problem")
    assert elsewhere.location == f"/in?next={PAGE}/problem"


def test_a_report_needs_a_form_of_ours_and_a_kind(lab: WebLab) -> None:
    lab.person("alex")
    browser = signed_in(lab, "alex")
    assert browser.client.post(f"{PAGE}/problem", data={"kind": "dirty"}).status_code == 400
    for wrong in ({}, {"kind": "fire"}):
        answer = browser.post(f"{PAGE}/problem", wrong, page=f"{PAGE}/problem")
        assert 400 <= answer.status_code < 500
    assert browser.get("/m/nope/problem").status_code == 404
    assert reports(lab, "alex") == []


# -- labels -----------------------------------------------------------------------------------


def test_labels_are_for_the_staff_at_a_desk(lab: WebLab) -> None:
    lab.person("alex")
    lab.person("staff", role="staff")
    addresses = ("/staff/labels", "/staff/labels/sheet.pdf", "/staff/labels/printer-a.pdf")
    for address in addresses:
        assert lab.browser().get(address).status_code == 303
        assert signed_in(lab, "alex").get(address).status_code == 403
        assert signed_in(lab, "staff").get(address).status_code == 200
    screen = lab.browser(KIOSK)
    screen.sign_in("staff")
    assert [screen.get(address).status_code for address in addresses] == [409] * 3


def test_a_sheet_and_a_single_label(lab: WebLab) -> None:
    lab.person("staff", role="staff")
    staff = signed_in(lab, "staff")
    sheet = staff.get("/staff/labels/sheet.pdf")
    assert sheet.mimetype == "application/pdf"
    assert sheet.data.startswith(b"%PDF-")
    one = staff.get("/staff/labels/printer-b.pdf").data
    assert b"/MediaBox [ 0 0 269.2913 187.0866 ]" in one, "95 x 66 mm"
    assert b"/MediaBox [ 0 0 595.2756 841.8898 ]" in sheet.data, "A4"
    assert staff.get("/staff/labels/sheet.pdf?machine=printer-b").status_code == 200
    assert staff.get("/staff/labels/sheet.pdf?machine=nope").status_code == 404
    assert staff.get("/staff/labels/nope.pdf").status_code == 404


def test_without_an_address_that_phones_reach_there_are_no_labels(tmp_path: Path) -> None:
    with web_lab(tmp_path) as lab:
        lab.person("staff", role="staff")
        staff = signed_in(lab, "staff")
        page = staff.get("/staff/labels").get_data(as_text=True)
        assert "Règle d’abord public_url dans lab.toml." in page
        assert "sheet.pdf" not in page
        assert staff.get("/staff/labels/sheet.pdf").status_code == 404


# -- the next step ----------------------------------------------------------------------------


def primary(page: str) -> str:
    found = re.search(r'<div class="primary-action">(.*?)</div>', page, re.DOTALL)
    return re.sub(r"<[^>]+>", "", found[1]).strip() if found else ""


def test_who_is_not_trained_is_led_to_the_training(lab: WebLab) -> None:
    lab.person("alex")
    alex = signed_in(lab, "alex")
    page = alex.get(PAGE).get_data(as_text=True)
    assert primary(page) == "Voir la formation"
    address = "/training?machine=printer-a"
    assert f'href="{address}"' in page
    assert alex.get(address).status_code == 200
    lab.workshop.say("printer-a", "broken", trouble="cable-lost")
    page = alex.get(PAGE).get_data(as_text=True)
    assert primary(page) == "", "more stands in the way than that"
    assert f'href="{address}"' in page


def test_a_machine_out_of_order_leads_to_the_others(lab: WebLab) -> None:
    lab.certified("camille")
    browser = signed_in(lab, "camille")
    fields = {"kind": "damaged", "stop": "1"}
    browser.post(f"{PAGE}/problem", fields, page=f"{PAGE}/problem")
    page = browser.get(PAGE).get_data(as_text=True)
    assert "Autres machines" in page
    assert primary(page) == ""
