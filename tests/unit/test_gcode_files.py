"""Real files of real tools, held against an independent, naive reading of the same text."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fabctl.gcode.boxes import Span
from fabctl.gcode.lines import count
from fabctl.gcode.motion import MotionSettings
from fabctl.ports import MachineKind, WorkArea
from tests.gcode_reading import DATA, DEMO_FILES, LASER, MILL, PRINTER, codes, read_file

KEYRING = DATA / "keyring_tag.gcode"
GEAR = DEMO_FILES / "gear.gcode"
SIGN = DATA / "sign.nc"
GEARS = DATA / "gears-vector.gcode"
BADGE = DATA / "badge-raster.gcode"
ABRUPT = MotionSettings(
    acceleration=1e9,
    travel_acceleration=1e9,
    retract_acceleration=1e9,
    z_acceleration=1e9,
    jerk=1e6,
    retract_jerk=1e6,
    feed_max_mm_per_min=1e9,
    z_feed_max_mm_per_min=1e9,
    retract_feed_max_mm_per_min=1e9,
)
"""A machine that only knows its feeds."""
BED = WorkArea(x=(0.0, 220.0), y=(0.0, 220.0), z=(0.0, 250.0))


@dataclass
class Naive:
    """What a few lines of code see in a PrusaSlicer file: absolute moves, G92 E0, nothing else."""

    extruding: dict[str, list[float]] = field(default_factory=lambda: {"X": [], "Y": [], "Z": []})
    feeds: list[float] = field(default_factory=list)
    commands: int = 0
    layers: int = 0
    filament: float = 0.0
    elapsed: list[float] = field(default_factory=list)
    """After each command, s: length by feed, no acceleration."""


def naive(path: Path) -> Naive:
    found = Naive()
    at = {"X": math.nan, "Y": math.nan, "Z": math.nan, "E": 0.0}
    net = seconds = 0.0
    feed = 1500.0
    for line in path.read_text().splitlines():
        found.layers += line == ";LAYER_CHANGE"
        words = line.partition(";")[0].split()
        found.commands += bool(words)
        if words:
            found.elapsed.append(seconds)
        if not words or words[0] not in {"G1", "G92"}:
            continue
        values = {word[0]: float(word[1:]) for word in words[1:]}
        before = dict(at)
        at.update({axis: value for axis, value in values.items() if axis in at})
        if words[0] == "G92":
            continue
        found.feeds += [values["F"]] if "F" in values else []
        feed = values.get("F", feed)
        way = math.dist([before[a] for a in "XYZ"], [at[a] for a in "XYZ"])
        pushed = abs(at["E"] - before["E"])
        seconds += (way if way > 0.0 else pushed) / feed * 60.0
        net += at["E"] - before["E"]
        found.filament = max(found.filament, net)
        if at["E"] > before["E"] and values.keys() & {"X", "Y", "Z"}:
            for axis, places in found.extruding.items():
                places += [before[axis], at[axis]]
    return found


def span(places: list[float]) -> Span:
    return min(places), max(places)


@pytest.mark.parametrize("path", [KEYRING, GEAR], ids=["keyring", "gear"])
def test_a_slicers_file_against_a_naive_reading(path: Path) -> None:
    report, expected = read_file(path, PRINTER, work_area=BED), naive(path)
    assert report.bounds.work is not None
    assert report.bounds.work.x == span(expected.extruding["X"])
    assert report.bounds.work.y == span(expected.extruding["Y"])
    assert report.bounds.work.z == span(expected.extruding["Z"])
    assert report.lines == len(path.read_text().splitlines())
    assert report.commands == expected.commands
    assert report.size == path.stat().st_size
    assert report.layers == expected.layers
    assert report.feed_max_mm_per_min == max(expected.feeds)
    assert report.filament_mm == pytest.approx(expected.filament)


@pytest.mark.parametrize("path", [KEYRING, GEAR], ids=["keyring", "gear"])
def test_a_slicers_file_against_the_slicers_own_words(path: Path) -> None:
    report, text = read_file(path, PRINTER, work_area=BED), path.read_text()
    used = re.search(r"; filament used \[mm\] = ([\d.]+)", text)
    assert used is not None
    assert report.filament_mm == pytest.approx(float(used[1]), abs=0.01)
    assert report.slicer_estimate_s is not None
    assert report.estimate_s == pytest.approx(report.slicer_estimate_s, rel=0.04)
    assert (report.nozzle_max_c, report.bed_max_c) == (210.0, 60.0)
    assert report.ok
    # The slicer left the bed on: its profile has no M140 S0.
    assert codes(report) == ["heater-left-on"]


def test_the_keyring_tag_in_figures() -> None:
    report = read_file(KEYRING, PRINTER, work_area=BED)
    assert report.bounds.work is not None
    assert report.bounds.work.x == (73.375, 146.625)
    assert report.bounds.work.y == (92.375, 127.625)
    assert report.bounds.work.z == (0.35, 2.35)
    assert (report.lines, report.commands, report.layers) == (2525, 2145, 11)
    assert report.slicer_estimate_s == 15 * 60 + 36
    assert report.thumbnail is None
    assert report.power is None
    assert report.tools == ()


@pytest.mark.parametrize("path", [KEYRING, GEAR], ids=["keyring", "gear"])
def test_the_time_table_against_lengths_and_feeds_alone(path: Path) -> None:
    table = read_file(path, PRINTER, motion=ABRUPT).time_table
    elapsed = naive(path).elapsed
    assert len(table) == 201
    assert (table[0], table[-1]) == (0.0, 1.0)
    for step, fraction in enumerate(table):
        at = min(len(elapsed) * step // 200, len(elapsed) - 1)
        assert fraction == pytest.approx(elapsed[at] / elapsed[-1], abs=0.01)


def test_a_bed_too_small_for_the_keyring_tag() -> None:
    small = WorkArea(x=(0.0, 140.0), y=(0.0, 220.0), z=(0.0, 2.0))
    report = read_file(KEYRING, PRINTER, work_area=small)
    outside = [p for p in report.errors if p.code == "outside-work-area"]
    text = KEYRING.read_text().splitlines()
    assert [p.message.values["axis"] for p in outside] == ["Z", "X"]
    for problem in outside:
        assert problem.line is not None
        axis = problem.message.values["axis"]
        value = re.search(rf"{axis}([\d.]+)", text[problem.line - 1])
        assert value is not None
        assert float(value[1]) > (140.0 if axis == "X" else 2.0)


def test_the_mills_sign() -> None:
    area = WorkArea(x=(0.0, 300.0), y=(0.0, 200.0), z=(-60.0, 0.0))
    report = read_file(SIGN, MILL, work_area=area, max_line=80)
    work = report.bounds.work
    assert codes(report) == ["power-too-high"]
    assert work is not None
    # The 120 x 80 x 10 mm sign, its outline cut with a 3 mm tool: 1.5 mm more on every side.
    assert work.x == pytest.approx((-1.5, 121.5), abs=0.001)
    assert work.y == pytest.approx((-1.5, 81.5), abs=0.001)
    assert work.z == (-1.0, 14.0)
    assert report.power == (12000.0, 12000.0)
    assert report.feed_max_mm_per_min == 900.0
    assert (report.lines, report.commands) == (892, 868)
    narrow = WorkArea(x=(0.0, 100.0), y=(0.0, 200.0), z=(-60.0, 0.0))
    assert "larger-than-work-area" in codes(read_file(SIGN, MILL, work_area=narrow))


def test_the_signs_arcs_stay_in_the_box_point_by_point() -> None:
    report = read_file(SIGN, MILL, work_area=None)
    work = report.bounds.work
    assert work is not None
    assert work.x is not None
    assert work.y is not None
    x = y = 0.0
    arcs = 0
    for line in SIGN.read_text().splitlines():
        values = {w[0]: float(w[1:]) for w in line.split() if re.fullmatch(r"[XYIJ]-?[\d.]+", w)}
        new_x, new_y = values.get("X", x), values.get("Y", y)
        if line.startswith(("G2 ", "G3 ")):
            arcs += 1
            centre_x, centre_y = x + values["I"], y + values["J"]
            begin = math.atan2(y - centre_y, x - centre_x)
            finish = math.atan2(new_y - centre_y, new_x - centre_x)
            turn = (finish - begin) % (2.0 * math.pi)
            turn = turn - 2.0 * math.pi if line.startswith("G2 ") else turn
            radius = math.hypot(x - centre_x, y - centre_y)
            for step in range(101):
                angle = begin + turn * step / 100
                assert work.x[0] - 1e-6 <= centre_x + radius * math.cos(angle) <= work.x[1] + 1e-6
                assert work.y[0] - 1e-6 <= centre_y + radius * math.sin(angle) <= work.y[1] + 1e-6
        x, y = new_x, new_y
    assert arcs > 400


def test_the_lasers_gears() -> None:
    area = WorkArea(x=(0.0, 400.0), y=(0.0, 300.0), z=(0.0, 0.0))
    report = read_file(GEARS, LASER, work_area=area)
    text = GEARS.read_text()
    assert report.ok
    assert report.problems == ()
    assert report.bounds.work is not None
    assert report.bounds.work.x == span([float(v) for v in re.findall(r"X([\d.]+)", text)])
    assert report.bounds.work.y == span([float(v) for v in re.findall(r"Y([\d.]+)", text)])
    assert report.bounds.work.z is None
    assert report.power == (255.0, 255.0)
    assert report.commands == sum(1 for row in text.split("\n") if row.strip(" ;"))


def test_the_lasers_badge() -> None:
    area = WorkArea(x=(0.0, 400.0), y=(0.0, 300.0), z=(0.0, 0.0))
    report = read_file(BADGE, LASER, work_area=area)
    powers = [float(v) for v in re.findall(r"S([\d.]+)", BADGE.read_text().partition("M4")[2])]
    assert report.ok
    assert report.problems == ()
    assert report.bounds.travel is not None
    # The file's own comment: Boundingbox: (X0.0,Y0.0:X60.0,Y38.2).
    assert report.bounds.travel.x == (0.0, 60.0)
    assert report.bounds.travel.y == (0.0, 38.2)
    assert report.power == span([power for power in powers if power > 0.0])


@pytest.mark.parametrize("path", [SIGN, GEARS, BADGE], ids=["mill", "vector", "raster"])
def test_a_cutters_file_on_a_printer_is_refused(path: Path) -> None:
    report = read_file(path, PRINTER)
    assert not report.ok
    assert "cutter-file" in codes(report)


@pytest.mark.parametrize("kind", [MILL, LASER])
def test_a_printers_file_on_a_cutter_is_refused(kind: MachineKind) -> None:
    assert "printer-file" in codes(read_file(KEYRING, kind))


@pytest.mark.parametrize("path", [KEYRING, GEAR, SIGN, GEARS, BADGE])
def test_counting_alone_gives_the_same_figures(path: Path) -> None:
    report = read_file(path, PRINTER)
    with path.open("rb") as stream:
        counted = count(stream)
    assert (report.lines, report.commands, report.size) == (
        counted.lines,
        counted.commands,
        counted.size,
    )
