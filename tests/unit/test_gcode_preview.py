"""The drawing of a toolpath: what it shows, how large it gets, what a page may do with it."""

from __future__ import annotations

import io
import itertools
import math
import random
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabctl.gcode.machine import inspect_for
from fabctl.gcode.preview import LARGEST, Preview, preview
from fabctl.gcode.sketch import MOST_LAYERS, MOST_POINTS, Point, Sketch, simplified
from fabctl.ports import MachineKind, MachineProfile
from tests.gcode_reading import AREA, DATA, DEMO_FILES, LASER, MILL, PRINTER, UNHURRIED

SVG = "{http://www.w3.org/2000/svg}"
FILES = [
    (DEMO_FILES / "gear.gcode", PRINTER),
    (DEMO_FILES / "keyring_tag.gcode", PRINTER),
    (DATA / "sign.nc", MILL),
    (DATA / "gears-vector.gcode", LASER),
    (DATA / "badge-raster.gcode", LASER),
]
START = "G28|M104 S200|G1 F3000|M83|"


def machine(kind: MachineKind) -> MachineProfile:
    return MachineProfile("m", "M", kind, "driver", "here", None, 115200, AREA)


def drawn(program: str | bytes, kind: MachineKind = LASER) -> Preview | None:
    data = program if isinstance(program, bytes) else program.replace("|", "\n").encode()
    return preview(io.BytesIO(data), machine(kind))


def some(program: str | bytes, kind: MachineKind = LASER) -> Preview:
    found = drawn(program, kind)
    assert found is not None
    return found


def tree(found: Preview) -> ET.Element:
    return ET.fromstring(found.svg("Title", "Words"))  # noqa: S314 # our own words


def paths(found: Preview, which: str = "work") -> list[ET.Element]:
    return [path for path in tree(found).iter(f"{SVG}path") if path.get("class") == which]


def places(path: ET.Element) -> list[list[tuple[int, int]]]:
    """The absolute points of each of a path's parts."""
    found: list[list[tuple[int, int]]] = []
    x = y = 0
    for letter, written in re.findall(r"([mlhv])([^mlhv]*)", path.get("d", "")):
        steps = [int(number) for number in re.findall(r"-?\d+", written)]
        if letter in "hv":
            pairs = [(n, 0) if letter == "h" else (0, n) for n in steps]
        else:
            pairs = list(zip(steps[::2], steps[1::2], strict=True))
        for dx, dy in pairs:
            x, y = x + dx, y + dy
            if letter == "m":
                found.append([])
            found[-1].append((x, y))
    return found


SQUARE = "M4 S500|G0 X10 Y10|G1 X110 F900|Y60|X10|Y10|M5"


def test_a_cut_is_drawn_to_scale_with_y_upwards() -> None:
    found = some(SQUARE + "|G0 X11 Y10")
    assert found.size_mm == (100.0, 50.0)
    assert (found.width, found.height) == (1000, 515)
    parts = [place for path in paths(found) for part in places(path) for place in part]
    assert set(parts) == {(15, 500), (985, 500), (985, 15), (15, 15)}
    assert len(paths(found, "travel")) == 1


def test_travel_and_cuts_are_apart() -> None:
    found = some("M4 S5|G0 X0 Y0|G1 X10 F900|G0 X20|G1 X30|M5")
    cuts = [part for path in paths(found) for part in places(path)]
    assert cuts == [[(15, 15), (338, 15)], [(662, 15), (985, 15)]]
    (travel,) = paths(found, "travel")
    assert places(travel) == [[(338, 15), (662, 15)]]


def test_an_arc_is_round() -> None:
    found = some("M3 S9|G0 X0 Y0 Z0|G2 X0 Y0 I10 J0 F300|M5", MILL)
    assert found.size_mm == pytest.approx((20.0, 20.0), abs=0.1)
    for part in places(paths(found)[0]):
        for x, y in part:
            assert math.hypot(x - 500, y - 500) == pytest.approx(485, abs=3)


def test_relative_and_inch_files_are_drawn_alike() -> None:
    inches = some("M4 S5|G20|G0 X0 Y0|G1 X1 F30|Y2|M5").body
    relative = some("M4 S5|G91|G0 X0 Y0|G1 X25.4 F762|Y50.8|M5").body
    assert re.sub(r"data-\w+=\"\d+\"", "", inches) == re.sub(r"data-\w+=\"\d+\"", "", relative)


@pytest.mark.parametrize("program", ["", "; nothing", "M4 S5|G1 F900", "\0\0", "G1 X5 Y5 F90"])
def test_nothing_to_draw(program: str) -> None:
    assert drawn(program) is None


def test_a_print_shows_the_outlines_that_the_slicer_marks() -> None:
    layer = (
        ";LAYER_CHANGE|;TYPE:Perimeter|G1 X12 Y12 Z{z}|G1 X18 E1|G1 Y18 E1|"
        ";TYPE:{outline}|G1 X10 Y10|G1 X20 E1|G1 Y20 E1|;TYPE:Internal infill|G1 X5 Y5 E1|"
    )
    for outline in ("External perimeter", "Outer wall", "WALL-OUTER"):
        program = START + "".join(layer.format(z=z / 5, outline=outline) for z in (1, 2, 3))
        assert some(program, PRINTER).size_mm == (10.0, 10.0)
    assert some(program.replace("TYPE", "OTHER"), PRINTER).size_mm == (15.0, 15.0)
    assert some(program.replace("TYPE:", " FEATURE: "), PRINTER).size_mm == (10.0, 10.0)
    assert paths(some(program, PRINTER), "travel") == []


def test_what_is_extruded_before_the_first_layer_is_not_the_model() -> None:
    prime = "G1 X0 Y0 Z0.3|G1 X200 E9|"
    model = "G1 X50 Y50 Z0.2|G1 X60 E1|G1 Y60 E1|"
    assert some(START + prime + ";LAYER_CHANGE|" + model, PRINTER).size_mm == (10.0, 10.0)
    assert some(START + prime + model, PRINTER).size_mm[0] == 200.0


@pytest.mark.parametrize("mark", ["", ";LAYER:1\n"])
def test_many_layers_become_few_from_bottom_to_top(mark: str) -> None:
    rows = ["G28\nM104 S200\nM83\nG1 F900\n"]
    rows += [f"{mark}G1 X{n / 10} Y0 Z{n / 5 + 0.2}\nG1 Y10 E1\n" for n in range(500)]
    sketch = Sketch(PRINTER)
    inspect_for(io.BytesIO("".join(rows).encode()), machine(PRINTER), watch=sketch)
    xs = [run.points[0][0] for run in sketch.runs()]
    assert MOST_LAYERS // 2 <= len(xs) <= MOST_LAYERS + 1
    assert xs == sorted(xs)
    assert xs[0] < 5.0
    assert xs[-1] > 43.0


@pytest.mark.parametrize(("path", "kind"), FILES, ids=lambda value: getattr(value, "name", ""))
def test_real_files_are_small_strict_drawings(path: Path, kind: MachineKind) -> None:
    found = some(path.read_bytes(), kind)
    written = found.svg("Gear", "33 × 33 mm")
    assert len(found.body) <= LARGEST
    root = ET.fromstring(written)  # noqa: S314 # our own words
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    allowed = {"class", "role", "viewBox", "d", "data-from", "data-to", "fill", "stroke",
               "stroke-linejoin", "stroke-opacity", "stroke-dasharray", "stroke-width"}  # fmt: skip
    assert {name for element in root.iter() for name in element.attrib} <= allowed
    assert {element.tag for element in root.iter()} <= {
        SVG + name for name in ("svg", "title", "desc", "g", "path")
    }
    inside = [place for path_ in root.iter(f"{SVG}path") for p in places(path_) for place in p]
    assert all(0 <= x <= found.width and 0 <= y <= found.height for x, y in inside)


@pytest.mark.parametrize(("path", "kind"), FILES, ids=lambda value: getattr(value, "name", ""))
def test_pieces_follow_the_file(path: Path, kind: MachineKind) -> None:
    found = some(path.read_bytes(), kind)
    pieces = [(int(p.get("data-from", 0)), int(p.get("data-to", 0))) for p in paths(found)]
    assert 10 < len(pieces) <= 100
    assert all(1 <= first <= last <= found.lines for first, last in pieces)
    assert pieces == sorted(pieces)


def test_the_share_done() -> None:
    found = some("M4 S5|G0 X0 Y0|G1 X10 F900|X100|M5")
    assert found.share_done(0) == 0.0
    assert found.share_done(3) == pytest.approx(0.1, abs=0.01)
    assert found.share_done(4) == pytest.approx(1.0, abs=0.01)
    assert found.share_done(99) == 1.0
    gear = some(FILES[0][0].read_bytes(), PRINTER)
    shares = [gear.share_done(line) for line in range(0, 27000, 99)]
    assert shares == sorted(shares)


def test_words_are_escaped() -> None:
    written = some(SQUARE).svg("<script>&", 'a "gear" <b>')
    assert "<script>" not in written
    assert "<title>&lt;script&gt;&amp;</title>" in written


def test_to_json_and_back() -> None:
    found = some(SQUARE)
    assert Preview.from_json(found.to_json()) == found


@pytest.mark.parametrize("written", ["[]", "{}", '{"v":2}', '{"v":1}', "null"])
def test_other_json_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="preview"):
        Preview.from_json(written)


def scribble(rng: random.Random, count: int) -> Iterator[str]:
    for _ in range(count):
        yield f"X{rng.uniform(0, 200):.2f}Y{rng.uniform(0, 200):.2f}"


def hatches(count: int) -> Iterator[str]:
    for n in range(count):
        yield f"G0X{n % 200}Y{n % 173}"
        yield f"G1X{n % 200}.7Y{n % 173}.9"


def spiral(count: int) -> Iterator[str]:
    for n in range(count):
        yield f"X{100 + n / 500 * math.cos(n / 9):.3f}Y{100 + n / 500 * math.sin(n / 9):.3f}"


@pytest.mark.parametrize("name", ["scribble", "hatches", "spiral"])
def test_even_a_wild_file_gives_a_small_drawing(name: str) -> None:
    rows = {
        "scribble": lambda: scribble(random.Random(1), 40_000),  # noqa: S311 # no secret
        "hatches": lambda: hatches(20_000),
        "spiral": lambda: spiral(40_000),
    }[name]()
    sketch = Sketch(LASER)
    data = io.BytesIO(("M4 S5\nG1 F900\n" + "\n".join(rows)).encode())
    report = inspect_for(data, machine(LASER), watch=sketch)
    assert sum(len(run.points) for run in sketch.runs()) <= MOST_POINTS
    data.seek(0)
    found = preview(data, machine(LASER))
    assert found is not None
    assert found.lines == report.lines
    assert 5_000 < len(found.body) <= LARGEST


POINTS = st.lists(
    st.tuples(st.floats(0, 50), st.floats(0, 50), st.integers(1, 9)), min_size=2, max_size=60
)


@UNHURRIED
@given(POINTS, st.floats(0.01, 10))
def test_a_simplified_path_stays_close(points: list[Point], tolerance: float) -> None:
    kept = simplified(points, tolerance)
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    rest = iter(points)
    assert all(point in rest for point in kept)
    for x, y, _ in points:
        assert min(_to_stretch(x, y, a, b) for a, b in itertools.pairwise(kept)) <= tolerance + 1e-9


def _to_stretch(x: float, y: float, a: Point, b: Point) -> float:
    dx, dy = b[0] - a[0], b[1] - a[1]
    square = dx * dx + dy * dy
    t = max(0.0, min(1.0, ((x - a[0]) * dx + (y - a[1]) * dy) / square)) if square else 0.0
    return math.hypot(x - a[0] - t * dx, y - a[1] - t * dy)


@settings(UNHURRIED, max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            [
                "G1X1Y1E1",
                "G1X9E2",
                "G0X5Y7",
                "G1Z1",
                "G2X3Y3I1J1",
                "G91",
                "G90",
                "G92X0",
                "G28",
                ";LAYER_CHANGE",
                ";TYPE:Outer wall",
                "M3S5",
                "M5",
                "S0",
                "G55",
                "G53G0X1",
                "G20",
                "G81X9Z-3R1F99",
                "\xff",
                "G1X9999999",
            ]
        ),
        max_size=40,
    ),
    st.sampled_from(list(MachineKind)),
)
def test_any_file_can_be_drawn_or_not(rows: list[str], kind: MachineKind) -> None:
    found = drawn("\n".join(["G1F90", *rows]).encode("latin-1"), kind)
    if found is not None:
        assert tree(found).get("viewBox") == f"0 0 {found.width} {found.height}"
        assert 0.0 <= found.share_done(5) <= 1.0


def test_reading_with_a_watcher_finds_the_same() -> None:
    data = FILES[0][0].read_bytes()
    watched = inspect_for(io.BytesIO(data), machine(PRINTER), watch=Sketch(PRINTER))
    assert watched == inspect_for(io.BytesIO(data), machine(PRINTER))
