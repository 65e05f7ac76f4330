"""One raw line: what is sent of it, its words; blocks of lines in bounded memory."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.gcode.blocks import LONGEST_KEPT, blocks
from fabctl.gcode.lines import LineCount, count, sendable, split_words
from tests.gcode_reading import UNHURRIED

SENT = [
    (b"G1 X10 Y20\n", b"G1 X10 Y20"),
    (b"G1 X10 Y20", b"G1 X10 Y20"),
    (b"  G1 X10 \t\r\n", b"G1 X10"),
    (b"G1X10Y20\n", b"G1X10Y20"),
    (b"g1 x10\n", b"g1 x10"),
    (b"X10\n", b"X10"),
    (b"\n", b""),
    (b"", b""),
    (b" \t \r\n", b""),
    (b"; a comment\n", b""),
    (b"   ;\n", b""),
    (b"G1 X1 ; go\n", b"G1 X1"),
    (b"G1 X1;go;on\n", b"G1 X1"),
    (b"(only this)\n", b""),
    (b"G1 (to) X1 (the right) Y2\n", b"G1  X1  Y2"),
    (b"G1 X1 (never closed Y2\n", b"G1 X1"),
    (b"(a;b) G1\n", b"G1"),
    (b"; (a\n", b""),
    (b"N10 G1 X1*33\n", b"G1 X1"),
    (b"n10g1x1 * 33 \n", b"g1x1"),
    (b"N-1 M110\n", b"M110"),
    (b"N7\n", b""),
    (b"N7*99\n", b""),
    (b"N7 ; nothing\n", b""),
    (b"G1 X1*33\n", b"G1 X1"),
    (b"M117 2*3 is six\n", b"M117 2*3 is six"),
    (b"%\n", b""),
    (b"%%\n", b""),
    (b"% \n", b""),
    (b"%wait\n", b"%wait"),
    (b"NaN\n", b"NaN"),
]


@pytest.mark.parametrize(("raw", "sent"), SENT)
def test_what_is_sent_of_a_line(raw: bytes, sent: bytes) -> None:
    assert sendable(raw) == sent


@UNHURRIED
@given(st.binary(max_size=60))
def test_what_is_sent_needs_no_second_cleaning(raw: bytes) -> None:
    sent = sendable(raw.replace(b"\n", b""))
    assert b"\n" not in sent
    assert b";" not in sent
    assert sent == sent.strip()


def test_a_long_run_of_blanks_before_an_asterisk_costs_no_time() -> None:
    assert sendable(b"x" + b" " * 2_000_000 + b"y*z") != b""


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", LineCount(0, 0, 0)),
        (b"G28", LineCount(1, 1, 3)),
        (b"G28\n", LineCount(1, 1, 4)),
        (b"\n\n", LineCount(2, 0, 2)),
        (b";a\nG28 ;b\r\n(c)\nN1 G1*2\n%\n", LineCount(5, 2, 25)),
    ],
)
def test_counting_lines_and_commands(data: bytes, expected: LineCount) -> None:
    assert count(io.BytesIO(data)) == expected


def test_counting_agrees_with_the_table_above() -> None:
    data = b"\n".join(raw.rstrip(b"\n") for raw, _ in SENT) + b"\n"
    found = count(io.BytesIO(data))
    assert found.lines == len(SENT)
    assert found.commands == sum(1 for _, sent in SENT if sent)


@UNHURRIED
@given(st.lists(st.binary(max_size=40)), st.integers(1, 50))
def test_blocks_lose_nothing_however_the_file_is_cut(parts: list[bytes], size: int) -> None:
    data = b"\n".join(parts)
    found = list(blocks(io.BytesIO(data), size))
    whole = b"".join(block.data for block in found)
    assert whole == (data if data.endswith(b"\n") or not data else data + b"\n")
    assert sum(block.size for block in found) == len(data)
    assert any(block.nul for block in found) == (b"\0" in data)


def test_a_line_without_end_is_cut_and_the_next_line_is_found() -> None:
    data = b"G28\n" + b"X" * 300_000 + b"\nG90\n"
    found = list(blocks(io.BytesIO(data), 4096))
    assert b"".join(block.data for block in found) == b"G28\n" + b"X" * LONGEST_KEPT + b"\nG90\n"
    assert sum(block.cut for block in found) == 1
    assert sum(block.size for block in found) == len(data)


@pytest.mark.parametrize(
    ("command", "order", "junk"),
    [
        ("X1Y-2.5", [("X", "1"), ("Y", "-2.5")], None),
        (" X 10 Y+3", [("X", "10"), ("Y", "+3")], None),
        ("X.5Z-.5", [("X", ".5"), ("Z", "-.5")], None),
        ("X1E5", [("X", "1"), ("E", "5")], None),
        ("X Y2", [("X", ""), ("Y", "2")], None),
        ("XNAN", [("X", ""), ("N", ""), ("A", ""), ("N", "")], None),
        ('X1 "A" Y2', [("X", "1"), ("A", ""), ("Y", "2")], '"'),
        ("=5 X1", [("X", "1")], "=5"),
    ],
)
def test_words(command: str, order: list[tuple[str, str]], junk: str | None) -> None:
    words = split_words(command)
    assert words.order == order
    assert words.junk == junk


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("5", 5.0), ("5.", 5.0), ("+.5", 0.5), ("-0", 0.0), ("9999999.5", 9999999.5),
        ("1.2.3", None), (".", None), ("", None), ("10000000", None), ("-10000000", None),
        ("9" * 400, None),
    ],
)  # fmt: skip
def test_a_words_number_is_one_that_a_machine_could_mean(value: str, number: float | None) -> None:
    assert split_words(f"X{value}").number("X") == number


def test_the_first_of_two_equal_letters_counts() -> None:
    assert split_words("X1X2").number("X") == 1.0


def test_an_unreadable_word_is_named_as_written() -> None:
    assert split_words("X1Y1.2.3").unreadable("XYZ") == "Y1.2.3"
    assert split_words("X1Y1.2.3").unreadable("X") is None
