"""Reading G-code, side by side with every reader on PyPI that does the same work.

`gear.gcode` again and again up to 100 MB. Slow readers get a smaller part of it; lines per second
are compared. Every run is a process of its own; readers take turns.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.peers import environment
from tests.gcode_reading import DEMO_FILES, ROOT
from tests.octoprint_server import environment as octoprint_environment

RUNS = 5
SCRIPT = Path(__file__).parent / "gcode_peer.py"
PINS = ("gcode-lib==1.1.13", "gcodeparser==0.3.0", "pygcode==0.2.1", "euclid3==0.1", "six==1.17.0")


@dataclass
class Contestant:
    """A reader, what it does, and how much of the file it gets."""

    name: str
    work: str
    python: Path
    megabytes: int
    seconds: list[float] = field(default_factory=list)
    added_mb: list[float] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)
    lines: int = 0
    size: int = 0

    @property
    def lines_per_s(self) -> float:
        """The median run's."""
        return self.lines / statistics.median(self.seconds)

    def run(self, folder: Path) -> None:
        """Read once more."""
        file = folder / f"{self.megabytes}.gcode"
        command = [str(self.python), str(SCRIPT), self.name, str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        if done.returncode:
            raise RuntimeError(f"{self.name} failed: {done.stderr[-1500:]}")
        result = json.loads(done.stdout)
        self.seconds.append(result["seconds"])
        self.added_mb.append(result["added_mb"])
        self.found = result["found"]


def contestants() -> list[Contestant]:
    """Return all readers, ours first."""
    others = environment("gcode", PINS)
    octoprint = octoprint_environment() / "bin" / "python"
    return [
        Contestant("fabctl", "checks, boxes, filament, time with ramps", Path(sys.executable), 100),
        Contestant("OctoPrint", "boxes, filament, time without ramps", octoprint, 10),
        Contestant("gcode-lib", "boxes, filament, time with ramps", others, 5),
        Contestant("gcodeparser", "words only", others, 5),
        Contestant("pygcode", "words only", others, 1),
    ]


def main() -> None:
    """Print the table."""
    print(f"Reading gear.gcode repeated, with every reader; median of {RUNS} runs, CPU time:")
    all_ = contestants()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for one in all_:
            one.lines, one.size = _write(folder, one.megabytes)
        for _ in range(RUNS):
            for one in all_:
                one.run(folder)
    for one in all_:
        _show(one, all_[0])
    print("  the part of the file read stands first; memory is what reading it added at its peak")


def _write(folder: Path, megabytes: int) -> tuple[int, int]:
    """Write so many MB; return lines and bytes."""
    text = (DEMO_FILES / "gear.gcode").read_bytes()
    times = max(1, megabytes * 1_000_000 // len(text))
    with (folder / f"{megabytes}.gcode").open("wb") as file:
        for _ in range(times):
            file.write(text)
    return text.count(b"\n") * times, len(text) * times


def _show(one: Contestant, ours: Contestant) -> None:
    mb_per_s = one.size / 1e6 / statistics.median(one.seconds)
    ratio = ours.lines_per_s / one.lines_per_s
    refused = one.found.get("refused", 0)
    note = f", {refused:,} lines refused" if refused else ""
    print(
        f"  {one.name:12}{one.size / 1e6:6.1f} MB{one.lines_per_s:11,.0f} lines/s"
        f"{mb_per_s:8.2f} MB/s{statistics.median(one.added_mb):8.1f} MB memory"
        f"   fabctl is {ratio:5.1f} times as fast   ({one.work}{note})"
    )
