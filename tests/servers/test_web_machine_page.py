"""A machine's page beyond its state: the plot, pictures of files, problems, printed labels."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fabctl.clock import ManualClock
from fabctl.config import WebConfig
from fabctl.gcode.preview import Preview
from fabctl.services import files, jobs, problems
from fabctl.services.jobs import JobView
from fabctl_web.headers import FILE_POLICY
from fabctl_web.machines import history
from fabctl_web.machines.history import EVERY_S, KEYS, POINTS, Row, Track, with_gaps
from tests.gcode_pictures import TAG, TAG_LINES, png, with_thumbnail
from tests.web_lab import GOOD_FILE, Browser, WebLab, lab_config, web_lab

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


def newest_job(lab: WebLab, login: str) -> JobView:
    with lab.db.reading() as db:
        return jobs.jobs_of_person(db, person_id=lab.id_of(login))[0]


# -- the plot ---------------------------------------------------------------------------------


def warm(lab: WebLab, times: int, every_s: float = EVERY_S) -> None:
    for n in range(times):
        lab.workshop.temperatures("printer-a", nozzle_c=20.0 + n, nozzle_target_c=215)
        wait(lab, every_s)


def plotted(lab: WebLab, query: str = "") -> dict[str, Any]:
    found = lab.browser().get(f"{PAGE}/history{query}").get_json()
    assert isinstance(found, dict)
    return found


def test_the_plot_is_loaded_only_where_there_are_temperatures(lab: WebLab) -> None:
    assert "plot.js" not in lab.browser().get(PAGE).get_data(as_text=True)
    assert plotted(lab)["at"] == []
    lab.workshop.temperatures("printer-a", nozzle_c=None, bed_c=None)
    assert "plot.js" not in lab.browser().get(PAGE).get_data(as_text=True)
    warm(lab, 1)
    assert "plot.js" in lab.browser().get(PAGE).get_data(as_text=True)
    assert "plot.js" not in lab.browser().get("/m/printer-b").get_data(as_text=True)


def test_the_plots_numbers_and_the_same_in_words(lab: WebLab) -> None:
    warm(lab, 3)
    found = plotted(lab)
    assert found["nozzle_c"] == [20.0, 21.0, 22.0]
    assert found["nozzle_target_c"] == [215.0] * 3
    assert found["bed_c"] == [None] * 3
    assert "Nozzle: 22\N{NO-BREAK SPACE}°C now, between 20" in found["words"]
    page = lab.browser(language="fr").get(PAGE).get_data(as_text=True)
    assert "Buse : 22\N{NO-BREAK SPACE}°C maintenant, entre 20" in page
    later = plotted(lab, f"?after={found['at'][1]}")
    assert later["nozzle_c"] == [22.0]


def test_a_heater_that_is_off_has_no_target(lab: WebLab) -> None:
    lab.workshop.temperatures("printer-a", nozzle_c=21.0, nozzle_target_c=0)
    assert plotted(lab)["nozzle_target_c"] == [None]
    page = lab.browser(language="fr").get(PAGE).get_data(as_text=True)
    assert "Consigne" not in page


def test_a_point_at_most_every_five_seconds_and_a_gap_where_nothing_came(lab: WebLab) -> None:
    warm(lab, 10, every_s=1.0)
    assert plotted(lab)["nozzle_c"] == [20.0, 25.0]
    wait(lab, 60)
    warm(lab, 1)
    assert plotted(lab)["nozzle_c"] == [20.0, 25.0, None, 20.0]


def test_an_hour_is_kept_and_no_more(lab: WebLab) -> None:
    track = Track()
    for n in range(POINTS + 5):
        track.add(Row(float(n), (float(n), None, None, None, 0.5)))
    rows = track.rows()
    assert len(rows) == POINTS
    assert (rows[0].at, rows[-1].at) == (5.0, POINTS + 4.0)
    assert rows[0].values == (5.0, None, None, None, 0.5)
    warm(lab, 2)
    wait(lab, 3600)
    assert plotted(lab)["at"] == [], "what is older than an hour is not shown"
    assert len(history.COLUMNS) == len(KEYS) + 1
    assert with_gaps([]) == []


def test_a_machine_that_is_not_there_has_no_history(lab: WebLab) -> None:
    assert lab.browser().get("/m/nope/history").status_code == 404


# -- pictures ---------------------------------------------------------------------------------


def uploaded(lab: WebLab, browser: Browser, content: bytes, login: str = "camille") -> str:
    answer = browser.upload(content, "tag.gcode", page=PAGE)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return f"{PAGE}/jobs/{newest_job(lab, login).id}"


def test_a_file_with_a_thumbnail_shows_it(lab: WebLab) -> None:
    lab.certified("camille")
    browser, picture = signed_in(lab, "camille"), png(96, 54)
    job = uploaded(lab, browser, with_thumbnail(TAG.read_bytes(), picture, 96, 54))
    page = browser.get(PAGE).get_data(as_text=True)
    assert f'src="{job}/thumbnail" width="96" height="54"' in page
    assert f"{job}/path" not in page
    answer = browser.get(f"{job}/thumbnail")
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/png", picture)
    assert answer.headers["Content-Security-Policy"] == FILE_POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_file_without_a_thumbnail_is_drawn(lab: WebLab) -> None:
    lab.certified("camille")
    browser = signed_in(lab, "camille")
    job = uploaded(lab, browser, TAG.read_bytes())
    page = browser.get(PAGE).get_data(as_text=True)
    assert re.search(rf'<img class="path" src="{job}/path\?step=0" width="1000" height="\d+"', page)
    assert browser.get(f"{job}/thumbnail").status_code == 404
    answer = browser.get(f"{job}/path")
    assert answer.mimetype == "image/svg+xml"
    assert answer.headers["Content-Security-Policy"] == FILE_POLICY
    drawn = answer.get_data(as_text=True)
    assert drawn.startswith("<svg ")
    assert "<script" not in drawn
    assert "style" not in drawn


def test_what_is_done_of_a_running_job_is_highlighted(lab: WebLab) -> None:
    camille = lab.certified("camille")
    browser = signed_in(lab, "camille")
    job = uploaded(lab, browser, TAG.read_bytes())
    lab.book(camille, "printer-a")
    id_ = newest_job(lab, "camille").id
    assert browser.post(f"{PAGE}/start", {"job": id_}, page=PAGE).status_code == 303
    tops = []
    for share in (0.1, 0.5, 0.9):
        lab.workshop.progress("printer-a", id_, share, lines=TAG_LINES)
        drawn = browser.get(f"{job}/path").get_data(as_text=True)
        found = re.search(r'<svg y="(\d+)"', drawn)
        assert found, drawn[:300]
        tops.append(int(found[1]))
    assert tops == sorted(tops, reverse=True)
    assert len(set(tops)) == 3
    part = browser.get(f"{job}/pictures").get_data(as_text=True)
    step = re.search(r"step=(\d+)", part)
    assert step
    assert browser.get(f"{job}/pictures?step={step[1]}").status_code == 204, "nothing new"
    assert browser.get(f"{job}/pictures?step=0").status_code == 200


def test_pictures_are_for_the_jobs_person_and_the_staff(lab: WebLab) -> None:
    lab.certified("camille")
    lab.certified("sam")
    lab.person("staff", role="staff")
    job = uploaded(lab, signed_in(lab, "camille"), TAG.read_bytes())
    seen = {
        "camille": signed_in(lab, "camille"),
        "staff": signed_in(lab, "staff"),
        "sam": signed_in(lab, "sam"),
        "nobody": lab.browser(),
        "kiosk": lab.browser(KIOSK),
    }
    for part in ("path", "pictures"):
        found = {who: one.get(f"{job}/{part}").status_code for who, one in seen.items()}
        assert found == {"camille": 200, "staff": 200, "sam": 404, "nobody": 404, "kiosk": 404}
    mine = seen["camille"]
    assert mine.get(job.replace("printer-a", "printer-b") + "/path").status_code == 404
    assert mine.get(f"{PAGE}/jobs/nope/path").status_code == 404


def test_a_damaged_thumbnail_is_none(lab: WebLab) -> None:
    lab.certified("camille")
    browser = signed_in(lab, "camille")
    job = uploaded(lab, browser, with_thumbnail(GOOD_FILE, b"<svg onload='alert(1)'>", 96, 54))
    assert browser.get(f"{job}/thumbnail").status_code == 404


def test_a_kept_drawing_of_another_version_is_none(lab: WebLab) -> None:
    lab.certified("camille")
    browser = signed_in(lab, "camille")
    job = uploaded(lab, browser, TAG.read_bytes())
    (kept,) = lab.config.paths.previews.glob("*.json")
    assert Preview.from_json(kept.read_text()).lines == TAG_LINES
    kept.write_text(json.dumps({"v": 0}))
    assert browser.get(f"{job}/path").status_code == 404
    assert "<img" not in browser.get(PAGE).get_data(as_text=True)


def test_pictures_go_with_their_file(lab: WebLab) -> None:
    lab.certified("camille")
    browser = signed_in(lab, "camille")
    uploaded(lab, browser, with_thumbnail(TAG.read_bytes(), png(32, 32), 32, 32))
    assert len(list(lab.config.paths.previews.iterdir())) == 2
    folder = lab.config.paths.files
    files.clean_up(lab.db, lab.clock, folder)
    assert len(list(lab.config.paths.previews.iterdir())) == 2
    wait(lab, 40 * 24 * 3600)
    files.clean_up(lab.db, lab.clock, folder)
    assert list(lab.config.paths.previews.iterdir()) == []


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
