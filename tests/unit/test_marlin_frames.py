"""From a line of a file to a line on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.errors import InputError
from fabctl_drivers.job_text import sendable, shorten
from fabctl_drivers.marlin.frames import (
    FRAME_MAX_BYTES,
    LONGEST_COMMAND,
    checksum,
    commands,
    frame,
    hides_a_lost_newline,
)


def test_the_frame_of_the_reprap_wiki() -> None:
    """RepRap wiki, "G-code", "*: Checksum", its first example."""
    assert frame(3, b"T0") == b"N3 T0*57\n"
    assert frame(4, b"G92 E0") == b"N4 G92 E0*67\n"


@given(st.integers(0, 10**7), st.binary(max_size=80))
def test_a_checksum_makes_the_whole_sum_up_to_itself(number: int, command: bytes) -> None:
    body, _, check = frame(number, command)[:-1].rpartition(b"*")
    assert body == b"N%d %b" % (number, command)
    assert int(check) == checksum(body)


@pytest.mark.parametrize(
    ("raw", "sent"),
    [
        (b"G1 X10 Y20\n", b"G1 X10 Y20"),
        (b"  G1 X10  \r\n", b"G1 X10"),
        (b"G1 X10 ; to the right\n", b"G1 X10"),
        (b"; only a comment\n", b""),
        (b"\n", b""),
        (b"G1 (right) X10\n", b"G1  X10"),
        (b"(nothing\n", b""),
        (b"N12 G1 X10*97\n", b"G1 X10"),
        (b"N12G1 X10 * 97", b"G1 X10"),
        (b"N12 G1 X10", b"G1 X10"),
        (b"n12 G1 X10*97", b"G1 X10"),
        (b"G1 X10*97", b"G1 X10"),
        (b"M117 a*b", b"M117 a*b"),
        (b"(a;b) G1 X1", b"G1 X1"),
        (b"%\n", b""),
        (b"M110 N5", b"M110 N5"),
        (b"T1", b"T1"),
    ],
)
def test_what_of_a_line_is_sent(raw: bytes, sent: bytes) -> None:
    assert sendable(raw) == sent


def test_commands_know_their_line_in_the_file() -> None:
    file = [b"; a\n", b"G28\n", b"\n", b"G1 X1 ; b\n"]
    assert list(commands(file)) == [(2, b"G28"), (4, b"G1 X1")]


def test_a_line_that_the_firmware_would_cut_is_refused_with_its_number() -> None:
    lines = commands([b"G28\n", b"M117 " + b"x" * 90])
    assert next(lines) == (1, b"G28")
    with pytest.raises(InputError, match="line 2 has 95 bytes to send: M117 xxx"):
        next(lines)


def test_the_longest_command_fits_with_the_highest_number() -> None:
    longest = frame(9_999_999, b"\x7f" * LONGEST_COMMAND)
    assert len(longest) - 1 <= FRAME_MAX_BYTES


@given(st.integers(1, 10**5), st.text("G1XYE.0123456789 ", min_size=2, max_size=40))
def test_two_frames_run_together_are_told_apart_unless_we_say_so(number: int, text: str) -> None:
    one, two = frame(number, text.encode()), frame(number + 1, b"G1 X1")
    for joint in (b"", *(bytes([0x0A ^ 1 << bit]) for bit in range(8))):
        body, _, check = (one[:-1] + joint + two[:-1]).rpartition(b"*")
        if checksum(body) == int(check):
            assert hides_a_lost_newline(one)


def test_a_message_shows_at_most_forty_letters() -> None:
    assert shorten(b"G1 X1") == "G1 X1"
    assert len(shorten(b"x" * 90)) == 40
    assert shorten(b"M117 caf\xc3\xa9").startswith("M117 caf")
