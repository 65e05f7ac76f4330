"""The stand-in's lines per second against those measured on the real firmware.

Measured (Marlin 2.0.9.5, ATmega2560, 250000 baud, numbered and checksummed lines): 212 one
line at a time and 186 with E; with a window of 120 bytes 260, 245 with E, 277 with M205 B0.
The host here answers in no time; a host on a pseudo-terminal adds about 0.3 ms to every line
that waits for its ok, so the one-at-a-time figures may lie above by that.
"""

from __future__ import annotations

import pytest

from fabctl_sim.marlin.board import Board
from fabctl_sim.marlin.firmware import Firmware
from fabctl_sim.trial_host import TrialHost

LINES = 1500
HOST_S = 0.0003


def lines_per_second(*, extrude: bool, window: int, first: str = "G21") -> float:
    host = TrialHost(Firmware(Board()))
    for command in ("M302 P1", first):
        host.ask(command)
    moves = [
        f"G1 X{10 + n / 20:.3f} Y{20 + n / 100:.3f}" + (f" E{10 + n / 500:.5f}" if extrude else "")
        for n in range(LINES)
    ]
    seconds = host.stream([f"{move} F9000" for move in moves], window=window)
    return LINES / (seconds + (0.0 if window else HOST_S * LINES))


@pytest.mark.parametrize(
    ("extrude", "window", "first", "measured"),
    [
        (False, 0, "G21", 212),
        (True, 0, "G21", 186),
        (False, 120, "G21", 260),
        (True, 120, "G21", 245),
        (False, 120, "M205 B0", 277),
    ],
)
def test_the_measured_speeds_within_five_percent(
    *, extrude: bool, window: int, first: str, measured: float
) -> None:
    here = lines_per_second(extrude=extrude, window=window, first=first)
    assert here == pytest.approx(measured, rel=0.05)
