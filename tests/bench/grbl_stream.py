"""The Grbl driver on the stand-in in real time: one line at a time against counted characters.

1000 lines of 21 bytes, as measured on Grbl 1.1h (check mode 322-335 and 510 lines/s, moves of
0.05 mm 226-229 and 333). The driver leaves the blanks out, which Grbl ignores: 18 bytes a line.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from fabctl.clock import SystemClock
from fabctl.ports import JobEnded, JobFile, MachineKind, MachineProfile, Outcome, Phase
from fabctl.units import Seconds
from fabctl_drivers.grbl.driver import GrblDriver
from fabctl_sim.process import SimProcess

RUNS = 5
LINES = 1000
BAUD = 115_200
FULL_FEED = 1000 / 60 / 0.05
"""Moves of 0.05 mm per second at the stand-in's 1000 mm/min."""


def stream(folder: Path, *, check: bool, one_at_a_time: bool) -> JobEnded:
    """Send the file once, and return the job's end, when nothing moves any more."""
    path = folder / "moves.nc"
    path.write_text("".join(f"G1 X{0.05 * n:05.2f} Y0.0 F9000\n" for n in range(1, LINES + 1)))
    options: dict[str, str | int | float | bool] = {"check_run": check}
    if one_at_a_time:
        options["rx_bytes"] = 1
    with SimProcess(folder, "--boot", "0.1", controller="grbl") as sim:
        profile = MachineProfile(
            "mill", "Mill", MachineKind.MILL, "grbl", "here", str(sim.port), BAUD, options=options
        )
        driver = GrblDriver(profile, SystemClock())
        driver.open()
        while driver.phase is not Phase.IDLE:
            driver.pump(Seconds(1.0))
        driver.start(JobFile("job", path, path.name, LINES, LINES))
        while True:
            for event in driver.pump(Seconds(1.0)):
                if isinstance(event, JobEnded):
                    driver.close()
                    return event


def main() -> None:
    """Print the table."""
    ceilings = {True: BAUD / 10 / 21, False: FULL_FEED}
    print(f"Grbl stand-in in real time, {LINES} lines, motion ended; median of {RUNS} runs:")
    with tempfile.TemporaryDirectory(prefix="sim") as name:
        for check, what in ((True, "check mode"), (False, "0.05 mm moves")):
            for one in (True, False):
                rates = []
                for _ in range(RUNS):
                    ended = stream(Path(name), check=check, one_at_a_time=one)
                    assert ended.outcome is Outcome.FINISHED, ended.reason
                    rates.append(ended.commands_done / ended.seconds)
                rate = statistics.median(rates)
                how = "one at a time" if one else "counted"
                share = 100 * rate / ceilings[check]
                limit = "the wire at 21 bytes a line" if check else "full feed"
                print(f"  {what:14} {how:14} {rate:7.1f} lines/s  {share:5.1f} % of {limit}")
