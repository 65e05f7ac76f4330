"""The core counts a file's commands, the driver sends them: both must mean the same lines."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.errors import InputError
from fabctl.gcode import lines
from fabctl.gcode.preflight import inspect
from fabctl.ports import Limits, MachineKind
from fabctl_drivers import job_text
from fabctl_drivers.grbl.job_lines import Kind, job_line

DATA = Path(__file__).parents[1] / "data"
FILES = [*sorted(DATA.glob("*.gcode")), *sorted(DATA.glob("*.nc"))]
PIECES = st.sampled_from(
    [
        b"G1",
        b" ",
        b"X10.5",
        b";",
        b"(",
        b")",
        b"N12 ",
        b"*57",
        b"%",
        b"M117 hi",
        b"m118 (1/10)",
        b"g1 x3",
        b"\t",
        b"e-2",
        b"#",
    ]
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_on_real_files(path: Path) -> None:
    raw = path.read_bytes()
    sent = [command for line in raw.splitlines() if (command := job_text.sendable(line))]
    assert len(sent) > 100
    assert lines.count(io.BytesIO(raw)).commands == len(sent)


LINE = st.lists(PIECES, max_size=12).map(b"".join)


@given(LINE)
def test_on_any_line(line: bytes) -> None:
    read = lines.sendable(line)
    assert read == job_text.sendable(line)
    assert bool(read) == bool(lines.sendable(line, printer=True)), "both count the same"


@given(LINE)
def test_on_any_line_for_a_printer_but_for_capitals(line: bytes) -> None:
    read, sent = lines.sendable(line, printer=True), job_text.sendable_to_marlin(line)
    assert read.upper() == sent.upper()
    assert sent == read or sent != sent.lower()


@pytest.mark.parametrize(
    ("line", "sent"),
    [
        (b"G1 X10 E2\n", b"G1 X10 E2"),
        (b"g28\r\n", b"G28"),
        (b"n5 g1 x10.5 f3000*33", b"G1 X10.5 F3000"),
        (b"G1 x1 (go) ; Home", b"G1 X1"),
        (b"x10 y5", b"X10 Y5"),
        (b"m117 Hello (1/10); shown", b"M117 Hello (1/10)"),
        (b"M117 done (1/10)", b"M117 done (1/10)"),
        (b"M117 DONE (1/10)", b"M117 DONE (1/10)"),
        (b"N7 M118 (a) b *3", b"M118 (a) b"),
        (b"m0117 Hi", b"M0117 Hi"),
        (b"m0 Turn it (the part)", b"M0 Turn it"),
        (b"m1 s5 Look", b"M1 S5 Look"),
        (b"m0 s5x Look", b"M0 s5x Look"),
        (b"m118 e1 p0 Look a1", b"M118 E1 P0 Look a1"),
        (b"m23 part.gco", b"M23 part.gco"),
        (b"m104 s200", b"M104 S200"),
        (b"m118.5 x", b"M118.5 X"),
        (b'm98 p"Macro.g" s1', b'M98 P"Macro.g" S1'),
        (b"Tx", b"Tx"),
        (b"T?", b"T?"),
        (b"t1", b"T1"),
        (b"SET_GCODE_VARIABLE MACRO=park", b"SET_GCODE_VARIABLE MACRO=park"),
        (b"g1 x1 ; \xe9t\xe9", b"G1 X1"),
        (b"; only a comment", b""),
        (b"(m117)", b""),
        (b"%", b""),
    ],
)
def test_to_a_printer(line: bytes, sent: bytes) -> None:
    assert job_text.sendable_to_marlin(line) == sent


WORDS = ["$", "$$", "$#", "$G", "$N", "$N0=G21", "$I", "$I=shop", "$100=2", "$H", "$HX", "$X", "$C"]
WORDS += [
    "$SLP",
    "$RST=*",
    "$RST=$",
    "$J=G91X1F9",
    "[ESP410]",
    "G28.1",
    "G30.1",
    "G10L2P1X0",
    "G0X1",
]
SPOILT = ["{}", " {}", "{} ", "!{}", "{}?", "~ {}", "/{}", "/!{}"]


@pytest.mark.parametrize(("word", "spoilt"), list(itertools.product(WORDS, SPOILT)))
def test_what_preflight_lets_pass_at_a_terminal_grbls_driver_sends(word: str, spoilt: str) -> None:
    raw = spoilt.format(word).encode()
    program = io.BytesIO(b"G0 X2\n" + raw + b"\n")
    report = inspect(program, kind=MachineKind.MILL, work_area=None, limits=Limits(), own_file=True)
    try:
        sent = job_line(raw, 2, 79)
    except InputError:
        assert not report.ok
    else:
        assert report.ok
        assert sent is not None
        assert sent.data.lstrip(b"/") == word.encode() + b"\n"
        assert sent.kind is (
            Kind.PLAIN if word == "G0X1" else Kind.DOLLAR if word[0] in "$[" else Kind.ALONE
        )
