"""A machine's page beyond its state: the plot of its temperatures, pictures of files."""

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
from fabctl.services import files, jobs
from fabctl.services.jobs import JobView
from fabctl_web.headers import FILE_POLICY
from fabctl_web.machines import history
from fabctl_web.machines.history import EVERY_S, KEYS, POINTS, Row, Track, with_gaps
from tests.gcode_pictures import SLICERS, TAG, TAG_LINES, block, headed, jpeg, png, with_thumbnail
from tests.web_lab import GOOD_FILE, Browser, WebLab, lab_config, web_lab

PAGE = "/m/printer-a"
KIOSK = "127.0.0.1"


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


def test_a_jpeg_is_shown_as_what_its_bytes_are(lab: WebLab) -> None:
    lab.certified("camille")
    browser, picture = signed_in(lab, "camille"), jpeg(96, 54)
    content = block(picture, 96, 54, "thumbnail_JPG").encode() + TAG.read_bytes()
    job = uploaded(lab, browser, content)
    page = browser.get(PAGE).get_data(as_text=True)
    assert f'src="{job}/thumbnail" width="96" height="54"' in page
    answer = browser.get(f"{job}/thumbnail")
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/jpeg", picture)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("slicer", SLICERS)
@pytest.mark.parametrize("size", [(300, 300), (640, 480)])
def test_the_largest_picture_of_each_slicers_file_is_shown(
    lab: WebLab, slicer: str, size: tuple[int, int]
) -> None:
    lab.certified("camille")
    browser, picture = signed_in(lab, "camille"), png(*size)
    job = uploaded(lab, browser, headed(slicer, TAG.read_bytes(), picture, *size))
    page = browser.get(PAGE).get_data(as_text=True)
    assert f'src="{job}/thumbnail" width="{size[0]}" height="{size[1]}"' in page
    assert browser.get(f"{job}/thumbnail").data == picture


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
