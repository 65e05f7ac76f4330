"""Everything that preflight says about a file: code, line, sentence with the limit and its unit."""

from __future__ import annotations

import pytest

from fabctl.gcode.codes import GRBL_JUDGEMENTS, MARLIN_JUDGEMENTS
from fabctl.gcode.report import Report
from fabctl.ports import Limits, MachineKind
from fabctl.units import Celsius
from tests.gcode_reading import LASER, MILL, OTHER, PRINTER, codes, read, sentence

GOOD = "G28|M104 S200|G1 X10 Y10 Z1 F3000|G1 X20 E1|M104 S0"
CUT = "M3 S900|G0 X10 Y10 Z1|G1 Z-1 F100|X20|"


def lines_of(report: Report, code: str) -> list[int | None]:
    return [problem.line for problem in report.problems if problem.code == code]


@pytest.mark.parametrize(("program", "kind"), [(GOOD, PRINTER), (CUT + "M5", MILL)])
def test_a_good_file_has_no_problem(program: str, kind: MachineKind) -> None:
    report = read(program, kind)
    assert report.ok
    assert report.problems == ()


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", "empty-file", "empty"),
        (b"\n\n; nothing\n", "nothing-to-send", "comments only"),
        (b"\x89PNG\r\n\x1a\nrest", "not-text", "PNG picture"),
        (b"\xff\xd8\xff\xe0rest", "not-text", "JPEG"),
        (b"GIF89a", "not-text", "GIF"),
        (b"%PDF-1.7\n", "not-text", "PDF"),
        (b"GCDE\x01\x00", "not-text", ".bgcode"),
        (b"PK\x03\x04rest", "not-text", "ZIP"),
        (b"\x1f\x8b\x08", "not-text", "compressed"),
        (b"\x7fELF", "not-text", "program"),
        (b"\xef\xbb\xbfG28\n", "not-text", "byte-order mark"),
        ("G28\n".encode("utf-16"), "not-text", "UTF-16"),
        (b"solid cube\nfacet", "not-text", "STL"),
        (b"<html>", "not-text", "HTML"),
        (b"G28\nG1 X5\0\n", "not-text", "Line 1"),
        (b"hello\nworld\n", "not-gcode", "No line"),
        (b"name,size\n1,2\n" * 20, "not-gcode", "No line"),
        (b"G28\nM104 S200\n", "no-motion", "Nothing moves"),
        (b"G28\nG1 F500\n", "no-motion", "Nothing moves"),
    ],
)
def test_what_is_no_job_at_all(data: bytes, code: str, words: str) -> None:
    report = read(data)
    assert not report.ok
    assert words in sentence(report, code)
    assert report.size == len(data)


def test_reading_stops_where_nothing_is_gcode() -> None:
    report = read(b"hello world\n" * 50_000)
    assert sorted(codes(report)) == ["not-gcode", "unknown-command"]
    assert report.lines < 20_000
    assert report.size == 600_000


def test_reading_stops_where_too_much_is_wrong() -> None:
    report = read(b"G1 X1.2.3\n" * 50_000)
    assert report.problem_count < 10_000
    assert len(report.errors) == 50
    assert report.size == 500_000


OUTSIDE = [
    ("G1 X251 E9", 5, "X", "251", "0 to 250"),
    ("G1 X-0.5 E9", 5, "X", "-0.5", "0 to 250"),
    ("G1 Y300 E9", 5, "Y", "300", "0 to 210"),
    ("G1 Z200.02 E9", 5, "Z", "200.02", "0 to 200"),
    ("G0 X260", 5, "X", "260", "0 to 250"),
    ("G0 Z-1", 5, "Z", "-1", "0 to 200"),
    ("G0 X251|G0 X300|G0 X260", 5, "X", "300", "0 to 250"),
    ("G91|G0 X300", 6, "X", "320", "0 to 250"),
    ("G20|G0 X10", 6, "X", "254", "0 to 250"),
    ("G92 X0|G0 X231", 6, "X", "251", "0 to 250"),
    ("G3 X40 Y10 I10 J-20 E9", 5, "Y", "-32.361", "0 to 210"),
]


@pytest.mark.parametrize(("move", "line", "axis", "found", "allowed"), OUTSIDE)
def test_outside_the_work_area(move: str, line: int, axis: str, found: str, allowed: str) -> None:
    limits = f"{allowed} mm are allowed."
    report = read("G28|M104 S200|G1 X10 Y10 Z1 F3000|G1 X20 E1|" + move + "|M104 S0")
    assert lines_of(report, "outside-work-area") == [line]
    assert sentence(report, "outside-work-area") == (
        f"Line {line}: {axis} leaves the work area; it goes to {found} mm, {limits}"
    )
    assert not report.ok


@pytest.mark.parametrize("move", ["G1 X250 Y210 Z200", "G1 X250.009", "G1 X0 Y-0.009 Z0"])
def test_the_very_edge_is_inside(move: str) -> None:
    assert read(GOOD + "|" + move).ok


def test_every_side_is_one_problem() -> None:
    moves = "|G0 X-9|G0 X260|G0 X-9|G0 Y-9 Z-9|G0 Y999"
    assert len(lines_of(read(GOOD + moves), "outside-work-area")) == 5


def test_without_a_work_area_no_position_is_judged() -> None:
    assert read(GOOD + "|G1 X9999", work_area=None).ok


@pytest.mark.parametrize("end", ["|;LAYER_CHANGE", "|; CHANGE_LAYER", "|;LAYER:0", "|G1 X9 Y9 E20"])
def test_a_start_sequence_may_prime_a_little_outside(end: str) -> None:
    prime = "G28|M104 S200|G1 Y-3 F1000|G1 X60 E9|G1 X100 E12.5"
    report = read(prime + end + "|G1 X50 Y50|M104 S0")
    assert report.ok
    assert lines_of(report, "start-outside-work-area") == [3]
    assert "at most 5 mm outside" in sentence(report, "start-outside-work-area")
    late = read(prime + end + "|G1 X50 Y50|G1 Y-3|M104 S0")
    assert len(lines_of(late, "outside-work-area")) == 1


@pytest.mark.parametrize("move", ["G1 Y-5.1", "G1 X260", "G1 Z-0.1"])
def test_a_start_sequence_may_not_go_far_or_down(move: str) -> None:
    assert lines_of(read(f"G28|{move}|G1 X9 Y9 Z1"), "outside-work-area") == [2]


def test_a_mills_file_must_fit_but_its_zero_is_free() -> None:
    assert read(CUT + "G0 X-1.5 Y-1.5|M5", MILL).ok
    report = read("M3 S900|G0 X0 Y0 Z1|G1 X250.5 F99|M5", MILL)
    assert codes(report) == ["larger-than-work-area"]
    assert sentence(report, "larger-than-work-area") == (
        "The file needs 250.5 mm in X, counted with its zero; the work area has 250 mm."
    )
    assert not read("M3 S900|G0 X-100 Y0 Z1|G1 X160 F99|M5", MILL).ok


def test_two_work_systems_are_measured_apart() -> None:
    assert read("M3 S9|G54 G0 X-200 Y0 Z1|G1 Z0 F99|G55 G0 X200 Y0|G1 X201|M5", MILL).ok


def test_a_known_work_offset_makes_positions_judged() -> None:
    at = {"work_offset": (240.0, 0.0, 50.0)}
    report = read("M3 S900|G0 X0 Y0 Z1|G1 X10.5 F99|M5", MILL, **at)
    assert lines_of(report, "outside-work-area") == [3]
    assert read("M3 S900|G0 X0 Y0 Z1|G1 X10 F99|M5", MILL, **at).ok


def test_a_lasers_file_beside_the_area_is_a_warning() -> None:
    report = read("M4 S9|G0 X-2 Y0|G1 X100 F99|M5", LASER)
    assert report.ok
    assert lines_of(report, "outside-if-zero-is-home") == [2]
    assert not read("M4 S9|G0 X0 Y0|G1 X300 F99|M5", LASER).ok


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("M104 S281", "nozzle-too-hot", "heated to 281 °C; at most 280 °C"),
        ("M109 R300", "nozzle-too-hot", "heated to 300 °C; at most 280 °C"),
        ("M140 S110.5", "bed-too-hot", "heated to 110.5 °C; at most 110 °C"),
        ("M190 S120", "bed-too-hot", "heated to 120 °C; at most 110 °C"),
        ("m109s300", "nozzle-too-hot", "300 °C"),
        ("N5 M104 S300*2", "nozzle-too-hot", "300 °C"),
    ],
)
def test_too_hot(command: str, code: str, words: str) -> None:
    report = read(GOOD + "|" + command + "|M104 S0|M140 S0")
    assert not report.ok
    assert lines_of(report, code) == [6]
    assert words in sentence(report, code)


@pytest.mark.parametrize("command", ["M104 S280", "M109 R280", "M140 S110", "M190 R110", "M104"])
def test_at_the_temperature_limit(command: str) -> None:
    assert read(GOOD + "|" + command).ok


def test_without_limits_nothing_is_too_hot() -> None:
    assert read(GOOD + "|M104 S999|G1 X11 F99999", limits=Limits()).ok


def test_a_feed_above_the_limit_is_a_warning_with_the_highest_feed() -> None:
    report = read(GOOD + "|G1 X5 F12002|G1 X6 F20000|G1 F100")
    assert report.ok
    assert lines_of(report, "feed-too-high") == [6]
    assert "20000 mm/min; the machine does at most 12000 mm/min" in sentence(
        report, "feed-too-high"
    )
    assert codes(read(GOOD + "|G1 X5 F12000")) == []


@pytest.mark.parametrize("kind", [MILL, LASER, OTHER])
def test_power_above_the_limit_is_an_error(kind: MachineKind) -> None:
    report = read("M3 S900|G0 X1 Y1 Z1|G1 Z0 F99 S1001|X2 S1100|M5", kind)
    assert lines_of(report, "power-too-high") == [3]
    assert "S1100; the machine's full power is S1000" in sentence(report, "power-too-high")
    assert "power-too-high" not in codes(read("M3 S1000|G1 X1 F99|M5", kind))


@pytest.mark.parametrize(
    ("kind", "max_line", "limit"), [(PRINTER, 96, 80), (MILL, 80, 79), (LASER, 256, 255)]
)
def test_a_line_too_long_for_the_controller(kind: MachineKind, max_line: int, limit: int) -> None:
    def program(length: int) -> str:
        return "G28|" + "G1 X5" + " " * (length - 8) + "Y10 ; and a long comment" + "x" * 300

    assert "line-too-long" not in codes(read(program(limit), kind, max_line=max_line))
    report = read(program(limit + 1), kind, max_line=max_line)
    assert lines_of(report, "line-too-long") == [2]
    assert f"{limit + 1} bytes long" in sentence(report, "line-too-long")
    assert f"at most {limit}" in sentence(report, "line-too-long")


def test_plain_moves_can_be_too_long_as_well() -> None:
    long = "G1 X100.12345678 Y100.12345678 Z10.12345678 E1.12345678 F1200.12345678"
    assert lines_of(read(f"G28|{long}", max_line=64), "line-too-long") == [2]


@pytest.mark.parametrize(
    ("move", "found"),
    [
        ("G1 XNaN", "X"),
        ("G1 X", "X"),
        ("G1 X1.2.3", "X1.2.3"),
        ("G1 X-", "X"),
        ("G1 X10000000", "X10000000"),
        ("G1 X1 F99999999", "F99999999"),
        ("G1 X" + "9" * 60, "X" + "9" * 20),
        ("G2 X1 Y1 Iinf", "I"),
        ("G1 X10 Y=5", "Y"),
    ],
)
def test_numbers_that_are_none(move: str, found: str) -> None:
    report = read(GOOD + "|" + move)
    assert lines_of(report, "bad-number") == [6]
    assert f"“{found}”" in sentence(report, "bad-number")


def test_an_exponent_is_an_e_word() -> None:
    assert read(GOOD + "|M83|G1 X1e5").filament_mm == 6.0


@pytest.mark.parametrize(
    "arc", ["G2 X20 Y10 R4", "G2 X10 Y10 R5", "G2 X20 Y10 I4 J3", "G3 X20 Y10", "G2 X20 I0 J0"]
)
def test_arcs_that_fit_no_circle(arc: str) -> None:
    assert lines_of(read("G0 X10 Y10 Z1|M3 S9|F99|" + arc + "|M5", MILL), "bad-arc") == [4]


def test_an_arc_rounded_by_its_writer_is_fine() -> None:
    assert read("G0 X10 Y10 Z1|M3 S9|F99|G2 X20 Y10 I5.0004 J0|M5", MILL).ok


@pytest.mark.parametrize("command", sorted(MARLIN_JUDGEMENTS.keys() - {"M302", "M211"}))
def test_commands_that_printers_should_not_find_in_a_file(command: str) -> None:
    report = read(GOOD + f"|{command} S1|{command} S1|M104 S0|M140 S0")
    error = MARLIN_JUDGEMENTS[command].error
    code = "forbidden-command" if error else "changes-settings"
    assert lines_of(report, code) == ([6, 7] if error else [6])
    assert command in sentence(report, code)
    assert report.ok != error


@pytest.mark.parametrize(
    ("command", "fine"),
    [
        ("M302", True), ("M302 S0", False), ("M302 P1", False), ("M211", True), ("M211 S1", True),
        ("M211 S0", False), ("M503", True), ("M201 X500", True), ("M81", True), ("M862.3 P1", True),
        ("M30 /old.gco", False), ("m112", False), ("N3 M112*7", False), ("M112 ; no", False),
        ("M117 M112", True), (";M112", True),
    ],
)  # fmt: skip
def test_the_words_decide(command: str, fine: bool) -> None:
    report = read(GOOD + "|" + command)
    assert report.ok == fine
    assert ("forbidden-command" in codes(report)) != fine


@pytest.mark.parametrize(
    ("line", "code", "error"),
    [
        ("G28.1", "forbidden-command", True),
        ("G30.1", "forbidden-command", True),
        ("G10 L20 P1 X0", "changes-settings", False),
        ("M112", "forbidden-command", True),
        ("$X", "controller-command", True),
        ("$100=250", "controller-command", True),
        ("[ESP410]", "controller-command", True),
        ("$RST=*", "controller-command", True),
        ("$N0=G21", "controller-command", True),
        ("$H", "controller-command", False),
        ("$ # ", "controller-command", False),
        ("X20?", "realtime-character", False),
        ("X20 ~", "realtime-character", False),
        ("!", "realtime-character", False),
    ],
)
def test_lines_that_a_mill_should_not_find_in_a_file(line: str, code: str, error: bool) -> None:
    report = read(CUT + line + "|M5", MILL)
    assert lines_of(report, code) == [5]
    assert report.ok != error
    assert set(GRBL_JUDGEMENTS) == {"G28.1", "G30.1", "G10"}


@pytest.mark.parametrize(
    ("program", "kind", "name"),
    [
        ("M9999", PRINTER, "M9999"),
        ("G64 P0.1", PRINTER, "G64"),
        ("START_PRINT BED=60", PRINTER, "START_PRINT"),
        ("M6 T1", MILL, "M6"),
        ("G41 D1", MILL, "G41"),
        ("M9999 X300", MILL, "M9999"),
    ],
)
def test_unknown_commands_are_warnings_once_per_name(
    program: str, kind: MachineKind, name: str
) -> None:
    report = read((GOOD if kind is PRINTER else CUT) + f"|{program}|{program}|M5", kind)
    assert lines_of(report, "unknown-command") == [6]
    assert f" {name} " in sentence(report, "unknown-command")
    assert report.ok


def test_unknown_words_on_a_mill() -> None:
    report = read(CUT + "G1 X21 @7|M5", MILL)
    assert codes(report) == ["unknown-word"]
    assert "“@7”" in sentence(report, "unknown-word")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"G1 X5 \x07", "control-character"),
        (b"G1 X5\rG1 X6", "control-character"),
        (b"\x18", "control-character"),
        (b"G1 X5 \xe9", "strange-bytes"),
        ("G1 X5 é".encode(), "strange-bytes"),
    ],
)
def test_bytes_that_must_not_be_sent(raw: bytes, code: str) -> None:
    report = read(GOOD.replace("|", "\n").encode() + b"\n" + raw + b"\n")
    assert lines_of(report, code) == [6]
    assert not report.ok


@pytest.mark.parametrize(
    "raw", [b"; t\xeate \x07", "M117 tête".encode(), b"G1\tX5\t", b"G1 X5 (t\xeate)"]
)
def test_bytes_that_may_stand_there(raw: bytes) -> None:
    assert read(GOOD.replace("|", "\n").encode() + b"\n" + raw + b"\n").problems == ()


def test_a_message_in_another_code_is_shown_otherwise_and_harms_nobody() -> None:
    report = read(GOOD.replace("|", "\n").encode() + b"\nM117 t\xeate\n")
    assert lines_of(report, "strange-bytes") == [6]
    assert report.ok


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        ("M302 S0", PRINTER, "it is sent"),
        ("M211 S0", PRINTER, "it is sent"),
        ("M500", PRINTER, "it is sent"),
        ("G28.1", MILL, "sent alone"),
        ("$100=250", MILL, "sent alone"),
        ("$N0=G21", MILL, "sent alone"),
        ("[ESP410]", MILL, "sent alone"),
    ],
)
def test_what_only_changes_ones_own_machine_is_a_warning_at_a_terminal(
    line: str, kind: MachineKind, words: str
) -> None:
    program = (GOOD if kind is PRINTER else CUT + "M5") + "|" + line
    assert not read(program, kind).ok, "in a lab the machine is everybody's"
    report = read(program, kind, own_file=True)
    assert report.ok
    assert words in str(report.problems[0].message)


@pytest.mark.parametrize("line", ["M112", "M997", "M23 a.gco", "M810 G1", "M149 F"])
def test_some_commands_have_no_place_in_any_file(line: str) -> None:
    assert not read(GOOD + "|" + line, own_file=True).ok


def test_homing_in_the_middle_leaves_the_place_unknown() -> None:
    at = {"work_offset": (0.0, 0.0, 50.0)}
    assert not read(CUT + "G0 X240|G91 G0 X60|M5", MILL, **at).ok
    assert read(CUT + "G0 X240|$H|G91 G0 X60|M5", MILL, **at).ok


def test_a_mill_hears_no_accents_at_all() -> None:
    report = read((CUT + "M5|").replace("|", "\n").encode() + "M117 tête\n".encode(), MILL)
    assert lines_of(report, "realtime-character") == [6]


@pytest.mark.parametrize(
    ("program", "kind", "code", "ok"),
    [
        ("M3 S255|G1 X5 Y5 F99|M5", PRINTER, "cutter-file", False),
        ("M4|G0X0Y0|G1X5S10F99|M5", PRINTER, "cutter-file", False),
        ("G28|G1 X5 Y5 S200 F99", PRINTER, "cutter-file", False),
        ("G28|G1 X5 Y5 F99", PRINTER, "no-extrusion", True),
        (GOOD, LASER, "printer-file", False),
        (GOOD, MILL, "printer-file", False),
        ("M3 S9|G0 X0 Y0 Z5|G1 Z-1 F99|M5", LASER, "mill-file", True),
        ("M4 S9|G0 X0 Y0|G1 X5 F99|M5", MILL, "laser-file", True),
    ],
)
def test_a_file_for_another_kind_of_machine(
    program: str, kind: MachineKind, code: str, ok: bool
) -> None:
    report = read(program, kind)
    assert code in codes(report)
    assert report.ok == ok


@pytest.mark.parametrize(
    ("program", "kind", "code", "line"),
    [
        ("G28|G1 X5 Y5|G1 X6 E1", PRINTER, "cold-extrusion", 3),
        ("M104 S200|G1 X5 Y5|G1 X6 E1|M104 S0", PRINTER, "no-homing", None),
        ("G28|M104 S200|G1 X5 Y5|G1 X6 E1", PRINTER, "heater-left-on", None),
        (GOOD + "|M140 S60", PRINTER, "heater-left-on", None),
        ("G28|M104 S200|G1 X5 Y5|X6 E1|M104 S0", PRINTER, "no-command-word", 4),
        (GOOD + "|G90 G1 X5", PRINTER, "second-command", 6),
        ("G0 X0 Y0 Z1|G1 X5 F99|M3 S9|M5", MILL, "spindle-off", 2),
        (CUT, MILL, "spindle-left-on", None),
    ],
)
def test_what_deserves_a_warning(
    program: str, kind: MachineKind, code: str, line: int | None
) -> None:
    report = read(program, kind)
    assert lines_of(report, code) == [line]
    assert report.ok


@pytest.mark.parametrize("program", ["M3 S9|G0 X0 Y0 Z1|G1 X5|M5", "M3 S9|G2 X0 Y0 Z1 R9|M5"])
def test_a_mill_cuts_at_no_feed(program: str) -> None:
    assert "no-feed" in codes(read(program, MILL))


def test_fifty_problems_are_kept_errors_first_and_all_counted() -> None:
    warnings = "|".join(f"M9{n:03d}" for n in range(100, 140))
    errors = "|".join(["M112"] * 45)
    report = read(GOOD + "|" + warnings + "|" + errors)
    assert len(report.problems) == 50
    assert report.problem_count == 85
    assert len(report.errors) == 45
    assert [p.line for p in report.problems] == sorted(p.line or 0 for p in report.problems)


def test_every_message_with_a_line_names_it() -> None:
    report = read("G28|XYZ|M112|M9999|G1 X999 E1 F99999|G1 Q\x07", limits=Limits(Celsius(1.0)))
    for problem in report.problems:
        assert (problem.line is None) or f"Line {problem.line}:" in str(problem.message)


def test_progress_is_told_in_bytes() -> None:
    told: list[int] = []
    data = b"G1 X5\n" * 50_000
    read(data, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == len(data)
    assert len(told) > 3
