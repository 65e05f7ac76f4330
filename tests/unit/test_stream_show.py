"""What ``fabctl stream`` writes while it works."""

from __future__ import annotations

import io

import pytest

from fabctl.commands.stream_show import Show, duration
from fabctl.ports import JobProgress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class ClosedTerminal(Terminal):
    def write(self, text: str) -> int:  # noqa: ARG002  # a terminal that takes nothing
        raise OSError(5, "Input/output error")


def at(done: int, resends: int = 0) -> JobProgress:
    return JobProgress("job", line=done + 3, commands_done=done, resends=resends)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0:00"), (59.6, "1:00"), (754, "12:34"), (3600, "1:00:00"), (36_125, "10:02:05")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_off_a_terminal_there_is_a_line_every_ten_seconds() -> None:
    out = io.StringIO()
    show = Show(out, commands=1000, now=100.0)
    show.begin(100.0)
    for tenth in range(1, 250):
        show.progress(at(tenth * 2), 100.0 + tenth / 10)
    assert out.getvalue().splitlines() == [
        " 20.0 %  line 203  20 lines/s  0:40 left",
        " 40.0 %  line 403  20 lines/s  0:30 left",
    ]


def test_on_a_terminal_the_bar_stays_on_one_line_and_is_wiped() -> None:
    out = Terminal()
    show = Show(out, commands=100, now=0.0)
    show.begin(0.0)
    show.temperatures({"nozzle_c": 204.6, "nozzle_target_c": 205.0, "bed_c": 21.0})
    show.progress(at(50, resends=3), 10.0)
    bar = (
        "[############............]  50.0 %  line 53  5 lines/s  0:10 left  3 resent"
        "  nozzle 205/205 °C  bed 21 °C"
    )
    assert out.getvalue() == bar
    show.say("stopping")
    assert out.getvalue() == bar + "\r" + " " * len(bar) + "\rstopping\n"
    show.end()
    assert out.getvalue().endswith("stopping\n")


def test_a_terminal_that_was_closed_does_not_end_the_job() -> None:
    show = Show(ClosedTerminal(), commands=10, now=0.0)
    show.progress(at(1), 1.0)
    show.say("still here")
    show.end()
