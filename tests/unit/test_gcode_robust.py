"""Any bytes in, a report out, in little memory; the hot loop and the slow path agree."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fabctl.gcode.lines import count
from fabctl.gcode.preflight import inspect
from fabctl.gcode.report import Report
from fabctl.gcode.sketch import Sketch
from fabctl.ports import Limits, MachineKind, WorkArea
from fabctl.units import Celsius, MmPerMin
from tests.gcode_reading import AREA, LIMITS, MILL, PRINTER, UNHURRIED, read

KINDS = st.sampled_from(list(MachineKind))
VOCABULARY = (
    "G0 G1 G2 G3 G4 G5 G10 G17 G18 G19 G20 G21 G28 G28.1 G30 G38.2 G53 G54 G59.3 G80 G81 G90 G90.1"
    " G91 G92 G92.1 G93 G94 G1.5.2 G-1 M2 M3 M4 M5 M30 M82 M83 M104 M140 M201 M203 M204 M205 M211"
    " M302 M303 M400 M600 M117 T0 Tx X1 X-2.5 Y.3 Z9 E5 E-1 F300 F0 F.0000001 S200 S0 P1 P3 R5 R-3"
    " I1 J-1 K2 Q1 X Y Z- X. X1.2.3 X1e5 X99999999 X.0000000000001 N5 N *33 * % ( ) (c) ;x ;LAYER:1"
    " ;LAYER_CHANGE ;TIME:5 $H [x] ? ! é \xff \x18 \r \t = “"
)
WORDS = st.sampled_from(VOCABULARY.split(" "))
LINES = st.lists(WORDS, max_size=6).map(" ".join) | st.lists(WORDS, max_size=6).map("".join)
PROGRAMS = st.lists(LINES, max_size=30).map(lambda rows: "\n".join(rows).encode("utf-8"))
OPTIONS = st.fixed_dictionaries(
    {
        "work_area": st.sampled_from([None, AREA, WorkArea((0, 1), (0, 1), (0, 1))]),
        "limits": st.sampled_from([Limits(), LIMITS, Limits(Celsius(1), Celsius(1), MmPerMin(1))]),
        "max_line": st.sampled_from([96, 30, 0]),
        "work_offset": st.sampled_from([None, (1.0, 2.0, 3.0)]),
    }
)


def hold(data: bytes, kind: MachineKind, options: dict[str, object]) -> Report:
    """Read, and check what holds for every report."""
    report = read(data, kind, **options)
    assert Report.from_json(report.to_json()) == report
    assert report.size == len(data)
    assert len(report.problems) <= 50 <= 50 + report.problem_count
    assert all(str(problem.message) for problem in report.problems)
    assert report.ok == (not report.errors)
    assert 0 <= report.commands <= report.lines
    assert report.filament_mm >= 0.0
    assert report.estimate_s is None or report.estimate_s >= 0.0
    return report


@UNHURRIED
@given(st.binary(max_size=3000), KINDS, OPTIONS)
@example(b"\x89PNG\r\n\x1a\n", PRINTER, {})
@example(b"G1 X1\n\0", MILL, {})
def test_any_bytes_give_a_report(
    data: bytes, kind: MachineKind, options: dict[str, object]
) -> None:
    hold(data, kind, options)


@settings(UNHURRIED, max_examples=400)
@given(PROGRAMS, KINDS, OPTIONS)
def test_any_words_give_a_report_whose_counts_agree(
    data: bytes, kind: MachineKind, options: dict[str, object]
) -> None:
    report = hold(data, kind, options)
    if not any(problem.code == "not-text" for problem in report.problems):
        counted = count(io.BytesIO(data))
        assert (report.lines, report.commands) == (counted.lines, counted.commands)


DECIMALS = st.integers(-40_000, 40_000).map(lambda n: f"{n / 100:g}")
MOVES = st.builds(
    lambda head, words: head + " ".join(letter + value for letter, value in words),
    st.sampled_from(["G1 ", "G0 ", "G01 ", "G1"]),
    st.lists(st.tuples(st.sampled_from("XYZEF"), DECIMALS), max_size=5, unique_by=lambda w: w[0]),
)
BETWEEN = st.sampled_from(
    ["G28", "G92 E0", "M83", "M82", "G91", "G90", "G20", "G21", "M104 S200", "G92 X5", "M204 S900",
     "G2 X30 Y10 R60", "G3 X3 Y.5 I1 J1", "G91\nG2 X4 Y6 Z-1 I2 J3 E1 F900\nG3 X4 I2 S30",
     "G90\nG1 X20 Y10\nG3 X30 Y10 I5 J0 K0 E5\nG2 X30 Y10 I5", "G18", "G17", "G90.1", "G93", "G94",
     "G55", "G2 Z5 I3 J0", "G02 F300 X5 Y0 I1 ; x",
     ";LAYER_CHANGE", "; note", "", "M3 S90", "M5", "S40", "G4 P5"]
)  # fmt: skip
PLAIN_PROGRAMS = st.lists(MOVES | MOVES | MOVES | BETWEEN, max_size=60)


def disguised(row: str) -> str:
    """The same line in a form that only the slow path reads, and as long."""
    return row if row.startswith(";") else row.lower()


@settings(UNHURRIED, max_examples=400)
@given(PLAIN_PROGRAMS, KINDS)
def test_the_hot_loop_means_what_the_slow_path_means(rows: list[str], kind: MachineKind) -> None:
    seen, seen_slowly = Sketch(kind), Sketch(kind)
    hot = read("\n".join(rows).encode(), kind, watch=seen)
    slow = read("\n".join(disguised(row) for row in rows).encode(), kind, watch=seen_slowly)
    assert figures(hot) == figures(slow)
    assert seen.runs() == seen_slowly.runs()
    # The order of operations differs here, so the last bits may.
    assert hot.estimate_s == (
        None if slow.estimate_s is None else pytest.approx(slow.estimate_s, rel=1e-4, abs=0.002)
    )
    assert hot.time_table == pytest.approx(slow.time_table, abs=0.001)


def figures(report: Report) -> dict[str, object]:
    """What must be the same to the last bit."""
    return {
        "problems": report.problems,
        "bounds": report.bounds,
        "filament": report.filament_mm,
        "counts": (report.lines, report.commands, report.size, report.layers),
        "peaks": (report.nozzle_max_c, report.feed_max_mm_per_min, report.power),
    }


class Stream(io.BytesIO):
    """A large file that is made while it is read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        super().__init__()
        self._parts = parts
        self._rest = b""

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size > 0, "nobody reads a whole file at once"
        while len(self._rest) < size and (part := next(self._parts, None)) is not None:
            self._rest += part
        found, self._rest = self._rest[:size], self._rest[size:]
        return found


def layers(megabytes: int) -> Iterator[bytes]:
    yield b"G28\nM104 S200\n"
    for n in range(megabytes * 10):
        rows = [f"G1 X{x % 200}.{n % 10} Y{(x * 7) % 190} E{x}.5\n" for x in range(4000)]
        yield b";LAYER_CHANGE\nG92 E0\n" + "".join(rows).encode()[: 100_000 - 22] + b"\n"


LARGE: dict[str, Callable[[], Iterator[bytes]]] = {
    "a print": lambda: layers(1),
    "one line without end": lambda: iter([b"G1 X"] + [b"5" * 100_000] * 200),
    "one comment without end": lambda: iter([b";"] + [b"x" * 100_000] * 200),
    "empty lines": lambda: iter([b"\n" * 100_000] * 4),
    "the shortest lines": lambda: iter([b"G1\n" * 33_000] * 8),
    "unknown lines": lambda: iter([b"x\n" * 50_000] * 20),
    "unknown names": lambda: (b"".join(b"A%d\n" % (k + n) for k in range(9000)) for n in range(9)),
    "a picture without end": lambda: iter(
        [b"; thumbnail begin 99x99 9\n"] + [b"; " + b"A" * 78 + b"\n"] * 60_000
    ),
    "slow lines": lambda: iter([b"G91\n"] + [b"G2 X1 Y1 R9\n" * 8000] * 3),
    "tools": lambda: (b"".join(b"T%d\n" % (n * 100 + k) for k in range(100)) for n in range(300)),
}


@pytest.mark.parametrize("name", LARGE)
def test_memory_stays_small_whatever_the_file_is(name: str) -> None:
    stream = Stream(LARGE[name]())
    tracemalloc.start()
    try:
        report = inspect(stream, kind=PRINTER, work_area=AREA, limits=LIMITS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.size >= 99_000
    assert peak < 6 * 2**20
