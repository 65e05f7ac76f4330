"""Going on from any line of a mill's or laser's file, on the Grbl stand-in."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabctl.errors import InputError
from fabctl.gcode.resume.prelude import Choices
from fabctl.ports import MachineKind
from tests.grbl_bench import GrblBench
from tests.resumed import sent, steps

DATA = Path(__file__).parents[1] / "data"
WINDOW = 120
PASSAGE = 25
Moves = list[tuple[object, ...]]


class Cutter:
    """A stand-in, its finished moves, and its modes."""

    def __init__(self, *, laser: bool = False) -> None:
        self._laser = laser
        self.bench = GrblBench(s32=float(laser))

    def run(self, texts: list[str]) -> None:
        answers = self.bench.count((text.encode() + b"\n" for text in texts), WINDOW)
        refused = [t for t, answer in zip(texts, answers, strict=True) if answer != "ok"]
        assert not refused, refused
        while self.bench.state() not in ("Idle", "Alarm"):
            self.bench.listen(5.0)

    def moves(self, begin: int = 0) -> Moves:
        """Return how every finished move was made and where it ended; arcs are many moves."""
        return [
            (move["mode"], *(round(mm, 3) for mm in move["end"]), move["feed"], move["power"])
            for move in self.bench.firmware.log.moves(begin)
        ]

    @property
    def done(self) -> int:
        return self.bench.firmware.log.move_count

    def modes(self) -> str:
        """Return the modes, without what the next line brings anyway.

        In inverse time that is the feed; G2 and G3, and G0 on a laser, where the next line
        names its own.
        """
        modes = self.bench.exchange(b"$G\n", 0.1)[0]
        if " G93 " in modes:
            modes = re.sub(" F[0-9.]+", "", modes)
        return re.sub(":G[023] " if self._laser else ":G[23] ", ":G1 ", modes)

    def place(self) -> tuple[float, ...]:
        planner = self.bench.firmware.machine.modes
        return tuple(round(mm, 3) + 0.0 for mm in planner.position)


def both(data: bytes, line: int, kind: MachineKind, length: int = PASSAGE) -> tuple[Cutter, Cutter]:
    """Return the stand-in after the whole up to some lines behind ``line``, and gone on with.

    Both start at the same place; the moves of the common part are compared here.
    """
    rows = sent(data)
    until = next((n for n, text in rows if n >= line + length or text == "M2"), rows[-1][0] + 1)
    laser = kind is MachineKind.LASER
    whole, later = Cutter(laser=laser), Cutter(laser=laser)
    whole.run([text for number, text in rows if number < line])
    at, before = whole.place(), whole.modes()
    later.run(steps(data, line, kind))
    assert later.place() == pytest.approx(at, abs=0.002), "0.00001 may round to the next 0.001"
    assert later.modes() == before
    begun, rest = later.done, [text for number, text in rows if line <= number < until]
    first = whole.done
    whole.run(rest)
    later.run(rest)
    assert later.moves(begun) == whole.moves(first)
    assert (later.place(), later.modes()) == (whole.place(), whole.modes())
    return whole, later


@cache
def file(name: str) -> bytes:
    return (DATA / name).read_bytes()


@settings(max_examples=25, deadline=None)
@given(st.integers(19, 880))
def test_from_any_line_of_a_mills_file(line: int) -> None:
    both(file("sign.nc"), line, MachineKind.MILL)


@settings(max_examples=8, deadline=None)
@given(st.integers(20, 700))
def test_from_any_line_of_a_vector_engraving(line: int) -> None:
    both(file("gears-vector.gcode"), line, MachineKind.LASER)


@settings(max_examples=8, deadline=None)
@given(st.integers(40, 900))
def test_from_any_line_of_a_raster_engraving(line: int) -> None:
    both(file("badge-raster.gcode"), line, MachineKind.LASER, 60)


def test_a_mills_tool_goes_up_first_and_down_at_the_feed_for_it() -> None:
    said = steps(file("sign.nc"), 300, MachineKind.MILL)
    order = ["M3 S12000", "G0 Z16", "G0 X46.549 Y46.41", "G4 P5", "G1 Z9 F300", "G1 F900"]
    assert [text for text in said if text in order] == order


@pytest.mark.parametrize("name", ["gears-vector.gcode", "badge-raster.gcode"])
@pytest.mark.parametrize("line", [200, 317, 601])
def test_a_laser_never_burns_on_its_way(name: str, line: int) -> None:
    cutter = Cutter(laser=True)
    cutter.run(steps(file(name), line, MachineKind.LASER))
    assert cutter.moves(), "it went there"
    assert all(move[-1] == 0.0 for move in cutter.moves())


ODD = b"""G54 G90 G21 G17
T2 M3 S800
G0 Z20
G0 X10 Y10
M7
M8
G1 Z-1 F120
G43.1 Z2
G0 Z22
G1 X12 Z1
G20
G92 X0 Y0
G18 G91
G93
G1 X.1 F30
G1 Y.1 F20
G1 Z.05 F20
G1 X-.1 F30
G2 X.2 Z0 I.1 K0 F30
"""


def test_offsets_inches_planes_and_inverse_time_come_back() -> None:
    data = ODD.replace(b"M7\n", b"")  # a stock Grbl has no mist
    padded = b"\n" * 20 + data
    _, later = both(padded, 20 + 15, MachineKind.MILL)
    assert "M8" in later.modes()
    _, later = both(padded, 20 + 18, MachineKind.MILL)
    assert "G18 G20 G91 G93" in later.modes()


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("G0 Z5\nG0 X1 Y1\nM2\nG0 X2", 4, "the program ends at line 3"),
        ("G91\nG0 X1 Y1 Z1\nG0 X2", 3, "nobody can know where X and Y and Z"),
        ("G92 X0 Y0\nG0 Z5\nG0 X1 Y1\nG0 X2", 4, "a G92 gave X a name"),
        ("G0 X1 Y1 Z5\nG53 G0 Z0\nG0 X2", 3, "nobody can know where Z"),
        ("G0 X1 Y1 Z5\nG38.2 Z-9 F9\nG0 X2", 3, "nobody can know where X and Y and Z"),
        ("G0 X1 Y1 Z5\nG10 L20 P1 Z0\nG0 X2", 3, "nobody can know where Z"),
        ("G0 X1 Y1 Z5\nG55\nG0 X2", 3, "nobody can know where X and Y and Z"),
        ("G0 X1 Y1 Z0\nM3 S1\nG1 X5 F9\nX6", 4, "never lift the tool clear"),
        ("G0 X1 Y1 Z9\nG2 X5 I2 F9\nX6 I1", 3, "goes on with the G2"),
    ],
)
def test_what_cannot_be_gone_on_with_is_refused(text: str, line: int, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        steps(text.encode(), line, MachineKind.MILL)
    assert sentence in str(refused.value)


def test_a_safe_height_can_be_said() -> None:
    data = b"G0 X1 Y1 Z0\nM3 S1\nG1 X5 F9\nX6"
    assert "G0 Z12" in steps(data, 4, MachineKind.MILL, Choices(safe_z_mm=12.0))
    with pytest.raises(InputError, match="lies below"):
        steps(data, 4, MachineKind.MILL, Choices(safe_z_mm=-1.0))
    for choices in (Choices(home=True), Choices(z_now_mm=1.0)):
        with pytest.raises(InputError, match="are for printers"):
            steps(data, 4, MachineKind.MILL, choices)
