"""A line's last byte is there at the very moment that was told for it, after any uptime."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fabctl_sim.one_way import OneWay

YEARS_S = 10.0 * 365 * 86_400
uptimes = st.floats(0.0, YEARS_S)
bauds = st.sampled_from([9600, 115_200, 250_000, 1_000_000])
pieces = st.lists(st.floats(0.0, 1.0), max_size=5)


@given(uptime=uptimes, baud=bauds, length=st.integers(0, 200), taken_at=pieces)
@settings(max_examples=300, deadline=None)
def test_whoever_waits_for_a_lines_end_finds_it(
    uptime: float, baud: int, length: int, taken_at: list[float]
) -> None:
    line = OneWay(10 / baud)
    text = b"x" * length + b"\n"
    line.send(text, uptime)
    came = b""
    for share in sorted(taken_at):
        came += line.arrived(uptime + share * length * 10 / baud)
    due = line.next_line_end()
    if due is not None:
        came += line.arrived(due)
    assert came == text
    assert line.next_line_end() is None


def test_after_six_days_at_250000_baud() -> None:
    """A soak of a simulated week stood still at such a moment, and so would a demo."""
    for number in range(1000):
        line = OneWay(4e-5)
        line.send(b"x" * (number % 60) + b"\n", 524_335.0 + number / 997)
        due = line.next_line_end()
        assert due is not None
        assert line.arrived(due).endswith(b"\n")
