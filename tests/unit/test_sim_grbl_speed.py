"""The stand-in's lines per second against those measured on the real firmware.

Measured (Grbl 1.1h, ATmega328P, 115200 baud, 1000 lines of 21 bytes): in check mode 322 to 335
one at a time and 510 with 127 bytes counted; moves of 0.05 mm at F9000 226 to 229 one at a time
and 333, which is what the axes' 1000 mm/min allow, with counting. ``pytest -s`` shows the table.
The host here answers in no time; one on a pseudo-terminal adds about 0.3 ms to every line that
waits for its ``ok``.
"""

from __future__ import annotations

from collections import deque

import pytest

from fabctl_sim.grbl.board import Board
from fabctl_sim.grbl.firmware import Firmware
from fabctl_sim.trial_host import TrialHost

LINES = 1000
HOST_S = 0.0003
WINDOW = 127


def moves() -> list[bytes]:
    """Lines of 21 bytes that go 0.05 mm each."""
    return [b"G1 X%05.2f Y0.0 F9000\n" % (0.05 * n) for n in range(1, LINES + 1)]


def lines_per_second(*, check: bool, window: int) -> float:
    host = TrialHost(Firmware(Board()))
    if check:
        host.send(b"$C\n")
        host.hear("ok")
    begin, flying = host.now, deque[int]()
    for line in moves():
        while flying and sum(flying) + len(line) > window:
            host.hear("ok")
            flying.popleft()
        host.send(line)
        flying.append(len(line))
    for _ in flying:
        host.hear("ok")
    seconds = host.now - begin + (0.0 if window else HOST_S * LINES)
    return LINES / seconds


def test_the_lines_have_the_measured_length() -> None:
    assert {len(line) for line in moves()} == {21}


@pytest.mark.parametrize(
    ("what", "check", "window", "measured"),
    [
        ("check mode, one at a time", True, 0, 328.5),
        ("check mode, 127 bytes counted", True, WINDOW, 510),
        ("0.05 mm moves, one at a time", False, 0, 227.5),
        ("0.05 mm moves, 127 bytes counted", False, WINDOW, 333),
    ],
)
def test_the_measured_speeds_within_five_percent(
    *, what: str, check: bool, window: int, measured: float
) -> None:
    here = lines_per_second(check=check, window=window)
    print(f"{what:34} measured {measured:6.1f}  here {here:6.1f} lines/s")  # noqa: T201
    assert here == pytest.approx(measured, rel=0.05)
