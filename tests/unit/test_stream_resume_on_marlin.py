"""Going on from any line of gear.gcode moves, extrudes and ends on the stand-in as the whole."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fabctl_sim
from fabctl.errors import InputError
from fabctl.gcode.resume.prelude import LIFT_MM, Choices
from fabctl.gcode.resume.resume_at import find
from fabctl.ports import MachineKind
from fabctl_sim.marlin.board import Board, HeaterBuild
from fabctl_sim.marlin.firmware import Firmware
from fabctl_sim.marlin.words import Command
from fabctl_sim.trial_host import TrialHost
from tests.resumed import sent, steps

GEAR = Path(fabctl_sim.__file__).parent / "gcode" / "gear.gcode"
QUICK = HeaterBuild(rise_c=400.0, tau_s=0.5, window_c=5.0, residency_s=0.0)
PASSAGE = 40
State = tuple[object, ...]


class Printer:
    """A stand-in that notes how it stands as each command begins.

    :param parked: where the carriage is when it is switched on, mm.
    """

    def __init__(self, parked: tuple[float, float, float] = (120.0, 90.0, 30.0)) -> None:
        self.trace: list[tuple[str, State]] = []
        self.lowest = parked[2]
        board = Board(boot_s=0.05, nozzle=QUICK, bed=QUICK, baud=2_000_000, parked_mm=parked)
        self.firmware = Firmware(board, record=self._record)
        self.host = TrialHost(self.firmware)

    def _record(self, command: Command) -> None:
        self.trace.append((command.text, self.state()))

    def run(self, texts: list[str]) -> None:
        self.host.stream(texts)
        self.host.ask("M400")

    def state(self) -> State:
        machine = self.firmware.machine
        motion = machine.motion
        place = tuple(round(mm, 3) + 0.0 for mm in motion.logical())
        modes = (*motion.relative, motion.unit_mm, round(motion.feed, 4), motion.fan)
        heat = (machine.nozzle.target_c, machine.bed.target_c)
        return (place, modes, heat, motion.fan, motion.feed_percent, motion.flow_percent)

    def carriage(self) -> tuple[float, ...]:
        at = self.firmware.machine.motion.carriage_at(self.host.now)
        return tuple(round(mm, 3) for mm in at)


@cache
def gear() -> tuple[bytes, list[tuple[int, str]], list[tuple[str, State]]]:
    """Return the file, what is sent of it, and how a printer stands before each of that."""
    data = GEAR.read_bytes()
    rows = sent(data)
    printer = Printer()
    printer.run([text for _, text in rows])
    return data, rows, printer.trace


def passage_from(line: int, rows: list[tuple[int, str]]) -> tuple[int, list[str]]:
    first = next(index for index, (number, _) in enumerate(rows) if number >= line)
    return first, [text for _, text in rows[first : first + PASSAGE]]


@settings(max_examples=120, deadline=None)
@given(st.integers(60, 26_500))
def test_from_any_line_the_moves_and_the_state_are_those_of_the_whole(line: int) -> None:
    data, rows, whole = gear()
    if line > rows[-1][0]:
        with pytest.raises(InputError, match="nothing to send"):
            steps(data, line, MachineKind.PRINTER)
        return
    first, passage = passage_from(line, rows)
    expected = whole[first : first + len(passage)]
    height = expected[0][1][0]
    assert isinstance(height, tuple)
    printer = Printer(parked=(77.0, 66.0, height[2]))
    printer.run(steps(data, line, MachineKind.PRINTER))
    assert printer.carriage() == height[:3], "the nozzle is really there"
    begun = len(printer.trace)
    printer.run(passage)
    assert printer.trace[begun : begun + len(passage)] == expected


def test_it_heats_before_it_lifts_and_never_comes_lower_than_the_part() -> None:
    data, _, _ = gear()
    said = steps(data, 15_000, MachineKind.PRINTER)
    assert said[:2] == ["M190 S60", "M109 S205"]
    lift = said.index(f"G1 Z{LIFT_MM:g} F300")
    home = said.index("G28 X Y")
    over = next(i for i, text in enumerate(said) if text.startswith("G1 X"))
    down = next(i for i, text in enumerate(said) if text.startswith("G1 Z3.55"))
    assert 1 < lift < home < over < down
    assert not any(text.startswith("G28") and "Z" in text for text in said)


def test_a_nozzle_that_was_lifted_by_hand_comes_down_to_the_part() -> None:
    data, _, _ = gear()
    printer = Printer(parked=(77.0, 66.0, 50.0))
    said = steps(data, 15_000, MachineKind.PRINTER, Choices(z_now_mm=50.0))
    printer.run(said)
    assert printer.carriage()[2] == 3.55


def test_a_printer_that_still_knows_where_it_is_need_not_home() -> None:
    data, _, _ = gear()
    said = steps(data, 15_000, MachineKind.PRINTER, Choices(home=False))
    assert not any(text.startswith(("G28", "G92 Z")) for text in said)


ODD = b"""M104 S190
M109 R210
G28
G20
T1
M204 P900
M204 S500
M204 P800
M205 J0.02
M220 S50
M221 S90
M221 S100
G90
G1 X4 Y3 Z1 F600
M83
G91
G1 X-1 E.1
M106 S99
G92 X0 Z0
G1 X0.5 Z0.25
; here
G1 Y1 E.2
G1 X-.5 E-.01
"""


def test_inches_relative_moves_offsets_and_settings_come_back() -> None:
    rows = sent(ODD)
    printer = Printer()
    printer.run([text for _, text in rows])
    other = Printer(parked=(9.0, 9.0, 1.25 * 25.4))
    said = steps(ODD, 22, MachineKind.PRINTER)
    other.run([*said, *(text for number, text in rows if number >= 21)])
    assert other.state() == printer.state()
    assert other.carriage() == printer.carriage()
    limits = [
        (m.print_accel, m.travel_accel, m.junction_mm)
        for m in (printer.firmware.machine.motion, other.firmware.machine.motion)
    ]
    assert limits[0] == limits[1]
    assert "M109 T0 S210" in said, "the file chose T1 only afterwards"
    assert "T1" in said


def test_every_tool_is_heated_and_every_fan_turned_on() -> None:
    data = b"M104 T1 S200\nM109 T0 S210\nM141 S40\nT1\nM109 S205\nM106 P1 S9\nM106\nM107 P1\n"
    data += b"G28\nM420 S1\nG1 X1 Y1 Z1 F9\nG1 X2\n" + b"G1 X1\n" * 30
    said = steps(data, 20, MachineKind.PRINTER)
    assert said[:3] == ["M141 S40", "M109 T0 S210", "M109 T1 S205"]
    assert {"M420 S1", "T1", "M106 S255", "M107 P1"} <= set(said)
    assert said.index("G28 X Y") < said.index("M420 S1")


def test_what_nobody_can_repeat_is_told() -> None:
    data = b"G28\nG29\nM42 P4 S1\nG1 X1 Y1 Z1\nG1 X2\nG28 Z\n"
    point = find(BytesIO(data), 5, MachineKind.PRINTER)
    told = " ".join(point.warnings)
    assert "M42 (line 3)" in told
    assert "measured in line 2" in told
    assert "line 6 homes Z" in told


@pytest.mark.parametrize(
    ("lines", "line", "sentence"),
    [
        ("G28\nG1 X1 Y1 Z1\nG1 X2\n", 9, "there is no line 9 (limit: the file has 3 lines)"),
        ("G28\nG1 X1 Y1 Z1\n; end\n", 3, "nothing to send from line 3 on"),
        ("G28\nG1 X1\nG1 X2\n", 3, "nobody can know where Y and Z should be"),
        ("G28\nG91\nG1 X1 Y1 Z1\nG1 X2\n", 4, "nobody can know where X and Y and Z"),
        ("G28\nG1 X1 Y1 Z1\nG28 X\nG1 Y2\n", 4, "nobody can know where X should be"),
        ("G28\nG1 X1 Y1 Z1\nM84\nG1 Y2\n", 4, "nobody can know where X and Y and Z"),
        ("G28\nG92 X5\nG1 X1 Y1 Z1\nG1 X2\n", 4, "a G92 gave X a name where its place"),
        ("G28\nG1 X1 Y1 Z1\nG10\nG1 X2\n", 4, "pulled back (G10 in line 3)"),
        ("G28\nG1 X1 Y1 Z1\nM3 S9\nG1 X2\n", 4, "a spindle or laser is on"),
        ("G28\nG1 X1 Y1 Z1\nG2 X3 I1\nX2 I1\n", 4, "goes on with the G2"),
    ],
)
def test_a_line_that_cannot_be_gone_on_from_is_refused(
    lines: str, line: int, sentence: str
) -> None:
    with pytest.raises(InputError) as refused:
        steps(lines.encode(), line, MachineKind.PRINTER)
    assert sentence in str(refused.value)
