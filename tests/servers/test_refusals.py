"""In a running lab: every "no" comes whole, with its next step; nothing is sent, nothing kept."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.lab import RunningLab, running_lab, wait_for
from tests.lab_work import ask, book_now, executed, record, send_file

pytestmark = pytest.mark.timeout(400)  # a whole lab starts, on a busy computer

MACHINE = "printer-b"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
MB = 1_000_000

refusing = pytest.mark.usefixtures("nothing_sent_nothing_kept")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    with running_lab(tmp_path_factory.mktemp("refusals")) as running:
        wait_for(f"{MACHINE} is idle", lambda: running.state(MACHINE) == "idle")
        yield running


@pytest.fixture
def nothing_sent_nothing_kept(lab: RunningLab) -> Iterator[None]:
    """Whatever is refused here leaves no trace on the printer and none on the disk."""
    before, stored = job_commands(lab), files(lab)
    yield
    assert job_commands(lab) == before
    assert {path for path in files(lab) - stored if path.parent.name == "tmp"} == set()


def job_commands(lab: RunningLab) -> list[str]:
    """Return what the printer ran that a job could have asked for: moves, heat and fans."""
    asked = ("G", "M104", "M106", "M107", "M109", "M140", "M190")
    return [text for text in executed(lab, MACHINE) if text.startswith(asked)]


def files(lab: RunningLab) -> set[Path]:
    return {path for folder in ("files", "tmp") for path in (lab.data / folder).iterdir()}


def codes(answer: requests.Response) -> set[str]:
    refusals: list[dict[str, Any]] = answer.json()["refusals"]
    assert all(refusal["message"] and refusal["next_step"] for refusal in refusals)
    return {refusal["code"] for refusal in refusals}


@refusing
def test_not_certified_and_not_reserved_both_are_said(lab: RunningLab) -> None:
    with lab.api("noemie") as api:
        answer = ask(lab, api, send_file(lab, api, MACHINE), "start")
    assert answer.status_code == 409
    assert codes(answer) == {"not-certified", "not-reserved"}


@refusing
def test_in_somebody_elses_slot_while_it_prints(lab: RunningLab) -> None:
    with lab.api("noemie") as api:
        answer = ask(lab, api, send_file(lab, api, "printer-a"), "start")
    assert answer.status_code == 409
    assert codes(answer) == {"not-certified", "someone-elses-slot", "machine-busy"}


@refusing
def test_a_refusal_is_in_the_language_asked_for(lab: RunningLab) -> None:
    start = datetime.now(UTC) - timedelta(days=1)
    body = {
        "resource": MACHINE,
        "start": start.isoformat(),
        "end": (start + timedelta(hours=1)).isoformat(),
    }
    said = {}
    with lab.api("lea") as api:
        for language in ("fr", "en"):
            answer = api.post(
                f"{lab.url}/api/v1/reservations",
                json=body,
                headers={"Accept-Language": language},
                timeout=10,
            )
            assert answer.status_code == 409
            assert codes(answer) == {"in-the-past"}
            said[language] = answer.json()["refusals"][0]["message"]
    assert said["fr"] != said["en"]


LINES = {
    "outside the work area": (b"G28\nG1 X10 Y10 F3000\nG1 X900 E1\n", 3),
    "a temperature above the limit": (b"M104 S999\nG28\nG1 X10 E1 F3000\n", 1),
}


@refusing
@pytest.mark.parametrize(("content", "line"), LINES.values(), ids=LINES.keys())
def test_a_file_that_asks_too_much_is_named_with_its_line(
    lab: RunningLab, content: bytes, line: int
) -> None:
    stored = files(lab)
    answer = _send(lab, content)
    assert answer.status_code == 422
    errors = [p for p in answer.json()["report"]["problems"] if p["severity"] == "error"]
    assert [problem["line"] for problem in errors] == [line]
    assert all(problem["message"] for problem in errors)
    assert files(lab) == stored


@refusing
@pytest.mark.parametrize("content", [PNG, b""], ids=["a PNG named .gcode", "an empty file"])
def test_a_file_that_is_no_gcode_is_refused(lab: RunningLab, content: bytes) -> None:
    stored = files(lab)
    answer = _send(lab, content)
    assert answer.status_code == 422
    assert codes(answer)
    assert files(lab) == stored


@refusing
def test_three_hundred_megabytes_are_refused_with_a_sentence(
    lab: RunningLab, tmp_path: Path
) -> None:
    stored = files(lab)
    big = tmp_path / "big.gcode"
    with big.open("wb") as file:
        for _ in range(300):
            file.write(b"G1 X10 Y10\n" * (MB // 11))
        file.truncate(300 * MB)
    with lab.api("lea") as api, big.open("rb") as file:
        answer = api.post(
            f"{lab.url}/api/v1/machines/{MACHINE}/jobs",
            data=file,
            headers={"Content-Type": "multipart/form-data; boundary=x"},
            timeout=120,
        )
    assert answer.status_code == 413
    assert "200" in answer.json()["refusals"][0]["message"]
    assert files(lab) == stored


def _send(lab: RunningLab, content: bytes) -> requests.Response:
    with lab.api("lea") as api:
        return api.post(
            f"{lab.url}/api/v1/machines/{MACHINE}/jobs",
            files={"file": ("part.gcode", content)},
            timeout=60,
        )


def test_forty_taps_on_start_at_once_exactly_one_wins(lab: RunningLab) -> None:
    """Forty jobs of one person, started at once over HTTP; the stand-in sees one of them."""
    with lab.api("awa") as api:
        reservation = book_now(lab, api, MACHINE)
        jobs = [send_file(lab, api, MACHINE) for _ in range(40)]
        with ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(lambda job: ask(lab, api, job, "start"), jobs))
        won = [job for job, answer in zip(jobs, answers, strict=True) if answer.status_code == 202]
        assert len(won) == 1
        lost = [answer for answer in answers if answer.status_code == 409]
        assert len(lost) == 39
        assert all(codes(answer) & {"machine-busy"} for answer in lost)
        uses = record(lab, "SELECT job_id FROM use WHERE resource_id = ?", MACHINE)
        assert uses == [(won[0],)]
        assert ask(lab, api, won[0], "stop").status_code == 202
        wait_for("idle again", lambda: lab.state(MACHINE) == "idle")
        api.delete(f"{lab.url}/api/v1/reservations/{reservation}", timeout=10).raise_for_status()
    assert executed(lab, MACHINE).count("M190 S60") <= 1
