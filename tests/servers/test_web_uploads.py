"""Uploads: what is wrong with a file is said with its line, and nothing of it stays on disk."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from fabctl.services import jobs
from fabctl_web.uploads import clean_name
from tests.web_lab import GOOD_FILE, Browser, WebLab, web_lab

PAGE = "/m/printer-a"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x06\0\0\0" + bytes(range(256)) * 4


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        found.certified("camille")
        yield found


@pytest.fixture
def camille(lab: WebLab) -> Browser:
    browser = lab.browser(language="fr")
    browser.sign_in("camille")
    return browser


def upload(browser: Browser, content: bytes, name: str = "part.gcode") -> TestResponse:
    return browser.upload(content, name, page=PAGE)


def test_a_good_file_is_kept_under_its_hash(lab: WebLab, camille: Browser) -> None:
    answer = upload(camille, GOOD_FILE, "C:/Users/Léa/pièce.gcode")
    assert (answer.status_code, answer.location) == (303, PAGE)
    sha256 = hashlib.sha256(GOOD_FILE).hexdigest()
    assert lab.files_on_disk() == [f"{sha256}.gcode"]
    assert lab.config.paths.job_file(sha256).read_bytes() == GOOD_FILE
    page = camille.get(PAGE).get_data(as_text=True)
    assert "pièce.gcode est prêt à démarrer." in page


def test_the_same_file_twice_is_kept_once_for_two_jobs(lab: WebLab, camille: Browser) -> None:
    assert upload(camille, GOOD_FILE).status_code == 303
    assert upload(camille, GOOD_FILE).status_code == 303
    assert len(lab.files_on_disk()) == 1
    assert camille.get("/me/files").get_data(as_text=True).count("data-job=") == 2


REFUSED = {
    "a picture": (PNG, "not-text", None),
    "an empty file": (b"", "", None),
    "outside the work area": (b"G28\nG1 X10 F1200\nG1 X260 Y10\n", "", 3),
    "below the bed": (b"G28\nG1 X10 F1200\nG1 X20 Z-5\n", "", 3),
    "too hot": (b"G28\nM104 S200\nM109 S290\nG1 X10 E1 F600\n", "", 3),
    "a hot bed": (b"G28\nM140 S130\nG1 X10 F600\n", "", 2),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_file_that_must_not_run(lab: WebLab, camille: Browser, what: str) -> None:
    content, code, line = REFUSED[what]
    answer = upload(camille, content)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Ce fichier ne peut pas être lancé sur cette machine." in page
    found = re.findall(r'<li data-code="([a-z-]+)"[^>]*>(.*?)</li>', page, re.DOTALL)
    assert found
    if code:
        assert found[0][0] == code
    if line:
        assert re.match(rf"Ligne\s{line}\b", found[0][1])
    assert lab.files_on_disk() == []
    with lab.db.reading() as db:
        assert jobs.jobs_of_person(db, person_id=lab.id_of("camille")) == []


def test_every_problem_is_listed_with_its_line(lab: WebLab, camille: Browser) -> None:
    content = b"G28\nG1 X300 F1200\nG1 X10\nM104 S400\n"
    page = upload(camille, content).get_data(as_text=True)
    assert re.findall(r"<li data-code[^>]*>Ligne\s(\d+)", page) == ["2", "4"]
    assert lab.files_on_disk() == []


def test_too_large_is_said_even_when_everything_was_sent(lab: WebLab, camille: Browser) -> None:
    answer = upload(camille, b";" + b"x" * 1_200_000)
    assert answer.status_code == 413
    assert "Ce fichier est trop gros\N{NARROW NO-BREAK SPACE}: 1 Mo au maximum." in (
        answer.get_data(as_text=True)
    )
    assert lab.files_on_disk() == []


def test_a_little_too_large_is_too_large(lab: WebLab, camille: Browser) -> None:
    """Within the room that the form's own bytes have, but above the limit for a file."""
    line = b"G1 X10 F1200\n"
    exact = line * (1024 * 1024 // len(line))
    assert upload(camille, exact + b";" * 200).status_code == 413
    assert lab.files_on_disk() == []
    assert upload(camille, exact).status_code == 303


def test_the_page_carries_the_limit_for_its_script(camille: Browser) -> None:
    assert 'data-max-bytes="1048576"' in camille.get(PAGE).get_data(as_text=True)


def test_no_file_is_a_refusal(lab: WebLab, camille: Browser) -> None:
    for data in ({}, {"file": (BytesIO(b""), "")}, {"other": (BytesIO(b"G28"), "x.gcode")}):
        answer = camille.post(f"{PAGE}/upload", data, page=PAGE)
        assert answer.status_code == 409
        assert 'data-code="no-file"' in answer.get_data(as_text=True)
    assert lab.files_on_disk() == []


def test_a_stranger_uploads_nothing(lab: WebLab) -> None:
    answer = upload(lab.browser(), GOOD_FILE)
    assert answer.location == f"/in?next={PAGE}"
    assert lab.files_on_disk() == []


def test_a_file_without_a_form_token_is_not_kept(lab: WebLab, camille: Browser) -> None:
    data = {"file": (BytesIO(GOOD_FILE), "part.gcode")}
    assert camille.client.post(f"{PAGE}/upload", data=data).status_code == 400
    assert lab.files_on_disk() == []


def test_a_file_in_another_form_is_refused(lab: WebLab, camille: Browser) -> None:
    data = {"minutes": "60", "start": "now", "file": (BytesIO(b"G28"), "x.gcode")}
    assert camille.post(f"{PAGE}/book", data, page=PAGE).status_code == 400
    assert lab.files_on_disk() == []


def test_other_forms_are_small(camille: Browser) -> None:
    answer = camille.post(f"{PAGE}/book", {"minutes": "6" * 100_000}, page=PAGE)
    assert answer.status_code == 413


def test_a_full_disk_is_said(
    lab: WebLab, camille: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    answer = upload(camille, GOOD_FILE)
    assert answer.status_code == 507
    assert "n’a plus de place" in answer.get_data(as_text=True)
    assert lab.files_on_disk() == []


def test_what_a_killed_server_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    left = tmp_path / "data/tmp/upload-abc"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half a file")
    with web_lab(tmp_path) as lab:
        assert lab.files_on_disk() == []


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("part.gcode", "part.gcode"), ("../../etc/passwd", "passwd"), ("a\\b\\c.nc", "c.nc"),
        ("a\x00b\nc.gcode", "abc.gcode"), ("   ", "file.gcode"), ("x" * 300 + ".gcode", None),
    ],
)  # fmt: skip
def test_names_are_for_people_only(sent: str, shown: str | None) -> None:
    found = clean_name(sent)
    assert found == shown if shown else (len(found) == 100 and found.endswith(".gcode"))
