"""A report goes to JSON and back unchanged."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.gcode.boxes import Bounds, Box
from fabctl.gcode.report import Problem, Report
from fabctl.model.texts import Text
from tests.gcode_reading import UNHURRIED, read

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SPANS = st.none() | st.tuples(NUMBERS, NUMBERS)
BOXES = st.none() | st.builds(Box, x=SPANS, y=SPANS, z=SPANS)
VALUES = st.dictionaries(st.text(max_size=8), st.text(max_size=8) | NUMBERS | st.integers())
PROBLEMS = st.builds(
    Problem,
    line=st.none() | st.integers(1),
    code=st.text(max_size=20),
    message=st.builds(Text, st.text(max_size=30), VALUES),
    severity=st.sampled_from(["error", "warning"]),
)
REPORTS = st.builds(
    Report,
    problems=st.lists(PROBLEMS, max_size=4).map(tuple),
    bounds=st.builds(Bounds, travel=BOXES, work=BOXES),
    power=SPANS,
    tools=st.lists(st.integers(0)).map(tuple),
    time_table=st.lists(NUMBERS).map(tuple),
    thumbnail=st.none() | st.binary(min_size=1),
    filament_mm=NUMBERS,
    **{
        name: st.none() | NUMBERS
        for name in (
            "nozzle_max_c",
            "bed_max_c",
            "feed_max_mm_per_min",
            "estimate_s",
            "slicer_estimate_s",
        )
    },
)


@UNHURRIED
@given(REPORTS)
def test_to_json_and_back(report: Report) -> None:
    assert Report.from_json(report.to_json()) == report


def test_a_real_report_to_json_and_back() -> None:
    report = read("G28|M104 S300|G1 X5 Y5 F600|G1 X999 E1|T1|M0|; TIME:5")
    assert len(report.problems) > 2
    again = Report.from_json(report.to_json())
    assert again == report
    assert [str(problem.message) for problem in again.problems] == [
        str(problem.message) for problem in report.problems
    ]
    assert again.ok == report.ok is False


def test_json_is_plain() -> None:
    plain = json.loads(read("G28|G1 X5 Y5").to_json())
    assert plain["v"] == 1
    assert plain["bounds"]["travel"]["x"] == [5.0, 5.0]


@pytest.mark.parametrize(
    "written", ["{}", "[]", "null", "nonsense", '{"v":2}', '{"v":1}', '{"v":1,"thumbnail":null}']
)
def test_what_is_no_report_is_a_value_error(written: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 # json's own error is one of them
        Report.from_json(written)


def test_an_unknown_field_is_a_value_error() -> None:
    plain = json.loads(read("G28").to_json()) | {"colour": "red"}
    with pytest.raises(ValueError, match="colour"):
        Report.from_json(json.dumps(plain))


def test_ok_depends_on_errors_only() -> None:
    warned = read("G28|M9999|G1 X5")
    assert warned.warnings
    assert warned.ok
    assert not read("G28|M112|G1 X5").ok
