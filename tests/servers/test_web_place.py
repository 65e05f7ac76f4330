"""Where a machine's head is: the figures of its page, its top view, and who sees the path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fabctl.clock import ManualClock
from fabctl.ports import Limits, MachineKind, WorkArea
from fabctl.services import jobs
from fabctl_web.machines.trails import EVERY_S, KEEP_S, POINTS
from tests.gcode_pictures import TAG
from tests.web_lab import Browser, WebLab, web_lab

PAGE, MACHINE = "/m/printer-a", "printer-a"
SPACE = "\N{NO-BREAK SPACE}"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        yield found


def becomes(lab: WebLab, kind: MachineKind, **more: Any) -> None:
    machines = lab.config.machines
    assert isinstance(machines, dict)
    area = WorkArea((-400, 0), (-300, 0), (-80, 0))
    machines[MACHINE] = replace(machines[MACHINE], kind=kind, work_area=area, **more)


def wait(lab: WebLab, seconds: float) -> None:
    """Let time pass; the machine goes on saying its state."""
    assert isinstance(lab.clock, ManualClock)
    state_before = lab.workshop.view.machine(MACHINE).state
    lab.clock.advance(seconds)
    known = lab.workshop.view.machine(MACHINE)
    lab.workshop.say(MACHINE, state_before, job=known.job)


def moved(lab: WebLab, *places: tuple[float, float]) -> None:
    """Let the head be told at each place, 2 s apart; it is at the last one now."""
    for x, y in places:
        wait(lab, EVERY_S)
        lab.workshop.telemetry(MACHINE, "position", machine_x_mm=x, machine_y_mm=y)


def words_of(lab: WebLab, language: str = "en", path: str = f"{PAGE}/now") -> str:
    page = lab.browser(language=language).get(path).get_data(as_text=True)
    return re.sub(r"(\s*<[^>]*>\s*)+", " ", page).replace("\N{NARROW NO-BREAK SPACE}", SPACE)


def drawn(browser: Browser) -> dict[str, Any]:
    found = browser.get(f"{PAGE}/trail").get_json()
    assert isinstance(found, dict)
    return found


def test_a_mill_shows_place_feed_and_spindle(lab: WebLab) -> None:
    becomes(lab, MachineKind.MILL)
    lab.workshop.telemetry(
        MACHINE, "position", x_mm=12.34, y_mm=-0.04, z_mm=1.5, machine_x_mm=-300, machine_y_mm=-9
    )
    lab.workshop.telemetry(MACHINE, "feed", feed_mm_per_min=1200.4)
    lab.workshop.telemetry(MACHINE, "power", power=12000, spindle=1)
    french = words_of(lab, "fr")
    for said in (
        "X 12,3 Y 0,0 Z 1,5", f"1{SPACE}200{SPACE}mm/min",
        f"Broche 12{SPACE}000{SPACE}tr/min", "En mm, depuis le zéro de la pièce.",
    ):  # fmt: skip
        assert said in french
    assert "12,000 rpm" in words_of(lab)


def test_without_a_workpiece_zero_the_machines_is_said(lab: WebLab) -> None:
    becomes(lab, MachineKind.LASER, limits=Limits(power_max=1000))
    lab.workshop.telemetry(
        MACHINE, "position", x_mm=None, y_mm=None, machine_x_mm=-300, machine_y_mm=-9
    )
    lab.workshop.telemetry(MACHINE, "power", power=250)
    said = words_of(lab)
    assert "X -300.0 Y -9.0" in said
    assert "In mm, from the machine’s zero." in said
    assert "Laser 250 of 1,000" in said


def test_power_of_a_machine_of_another_kind_and_none_of_a_printer(lab: WebLab) -> None:
    lab.workshop.telemetry(MACHINE, "power", power=250)
    assert "250" not in words_of(lab)
    becomes(lab, MachineKind.OTHER)
    assert "Power 250" in words_of(lab)
    assert drawn(lab.browser())["box"] is None, "no place, no top view"


def test_a_printer_that_says_nothing_shows_nothing(lab: WebLab) -> None:
    page = lab.browser().get(PAGE).get_data(as_text=True)
    assert "place" not in page
    assert "trail.js" not in page
    assert drawn(lab.browser()) == {"box": None, "words": ""}
    lab.workshop.telemetry(MACHINE, "pins", door=1)
    assert "place" not in lab.browser().get(PAGE).get_data(as_text=True)
    lab.workshop.telemetry(MACHINE, "position", x_mm=10, y_mm=20, z_mm=None)
    page = lab.browser().get(PAGE).get_data(as_text=True)
    assert "trail.js" in page
    assert drawn(lab.browser())["area"] == [0, 250, 0, 210]
    assert "In mm, from the machine’s zero." in words_of(lab)


def test_an_old_place_is_grey_and_says_its_age_then_goes(lab: WebLab) -> None:
    becomes(lab, MachineKind.MILL)
    lab.workshop.telemetry(MACHINE, "position", x_mm=1, y_mm=2, z_mm=3)
    page = lab.browser().get(f"{PAGE}/now").get_data(as_text=True)
    assert 'class="old"' not in page
    assert "ago" not in page
    wait(lab, 12)
    page = lab.browser().get(f"{PAGE}/now").get_data(as_text=True)
    assert page.count('class="old"') == 3
    assert "Read 12 s ago." in page
    assert "was at X" in drawn(lab.browser())["words"]
    wait(lab, 50)
    assert "place" not in lab.browser().get(f"{PAGE}/now").get_data(as_text=True)
    assert drawn(lab.browser())["box"] is None


def test_a_machine_that_fell_silent_shows_nothing_as_live(lab: WebLab) -> None:
    lab.workshop.telemetry(MACHINE, "position", x_mm=1, y_mm=2)
    lab.workshop.say(MACHINE, "offline")
    assert 'class="old"' in lab.browser().get(f"{PAGE}/now").get_data(as_text=True)


def test_the_board_says_no_place(lab: WebLab) -> None:
    before = lab.browser().get("/").get_data(as_text=True)
    lab.workshop.telemetry(MACHINE, "position", x_mm=12.3, y_mm=2)
    after = lab.browser().get("/").get_data(as_text=True)
    assert re.sub(r"since=[\w-]+", "", after) == re.sub(r"since=[\w-]+", "", before)


# -- the top view -----------------------------------------------------------------------------


def test_the_path_over_the_work_area_and_the_same_in_words(lab: WebLab) -> None:
    becomes(lab, MachineKind.MILL)
    moved(lab, (-300, -200), (-290, -200), (-290, -200), (-280, -150))
    found = drawn(lab.browser(language="fr"))
    assert found["path"] == [[-300, -290, -280], [-200, -200, -150]], "no point for standing still"
    assert found["area"] == found["box"] == [-400, 0, -300, 0]
    words = found["words"].replace(SPACE, " ")
    assert "La tête est à X -280,0 mm, Y -150,0 mm." in words
    assert "La machine atteint X -400,0 mm à 0,0 mm, Y -300,0 mm à 0,0 mm." in words
    assert "Depuis 1 min, la tête était dans X -300,0 mm à -280,0 mm" in words


def test_a_head_beside_the_area_is_drawn_too(lab: WebLab) -> None:
    becomes(lab, MachineKind.MILL)
    moved(lab, (50, -10))
    assert drawn(lab.browser())["box"] == [-400, 50, -300, 0]


def test_counted_from_the_workpiece_there_is_no_area(lab: WebLab) -> None:
    becomes(lab, MachineKind.MILL)
    lab.workshop.telemetry(MACHINE, "position", x_mm=5, y_mm=5)
    found = drawn(lab.browser())
    assert found["area"] is None
    assert found["box"] == [-5, 15, -5, 15]


def test_a_silence_breaks_the_line_and_ten_minutes_are_all(lab: WebLab) -> None:
    becomes(lab, MachineKind.MILL)
    moved(lab, (-300, -200))
    wait(lab, 30)
    moved(lab, (-100, -200))
    assert drawn(lab.browser())["path"][0] == [-300, None, -100]
    moved(lab, *((-float(n), -1.0) for n in range(POINTS + 20)))
    xs = drawn(lab.browser())["path"][0]
    assert len(xs) == POINTS
    assert xs[-1] == -(POINTS + 19)
    wait(lab, KEEP_S - 1)
    moved(lab, (-7, -7))
    assert drawn(lab.browser())["path"][0] == [None, -7]


def test_the_path_of_a_job_is_for_its_person_and_the_staff(lab: WebLab) -> None:
    lab.certified("camille")
    lab.certified("sam")
    lab.person("staff", role="staff")
    seen = {name: lab.browser() for name in ("camille", "sam", "staff", "nobody")}
    for name in ("camille", "sam", "staff"):
        seen[name].sign_in(name)
    seen["camille"].upload(TAG.read_bytes(), "tag.gcode", page=PAGE)
    with lab.db.reading() as db:
        job = jobs.jobs_of_person(db, person_id=lab.id_of("camille"))[0].id
    moved(lab, (5, 5), (6, 6))
    assert drawn(seen["nobody"])["path"][0] == [5, 6], "moved by hand: nobody's file"
    lab.workshop.say(MACHINE, "running", job=job)
    moved(lab, (10, 10), (20, 20))
    found = {name: drawn(browser) for name, browser in seen.items()}
    whole: list[list[int]] = [[10, 20], [10, 20]]
    nothing: list[list[int]] = [[], []]
    assert {name: one["path"] for name, one in found.items()} == {
        "camille": whole, "staff": whole, "sam": nothing, "nobody": nothing,
    }  # fmt: skip
    assert "In the last" not in found["sam"]["words"]
    assert "X 20.0" in found["sam"]["words"]
    assert "ten minutes" not in seen["sam"].get(PAGE).get_data(as_text=True)
    lab.workshop.say(MACHINE, "idle")
    assert drawn(seen["sam"])["path"] == nothing, "nor when it has just ended"


def test_the_path_of_a_job_that_nobody_knows_is_not_shown(lab: WebLab) -> None:
    lab.certified("camille")
    browser = lab.browser()
    browser.sign_in("camille")
    lab.workshop.say(MACHINE, "running", job="stranger")
    moved(lab, (10, 10), (20, 20))
    assert drawn(browser)["path"] == [[], []]


def test_a_machine_that_is_not_there_has_no_trail(lab: WebLab) -> None:
    assert lab.browser().get("/m/nope/trail").status_code == 404
